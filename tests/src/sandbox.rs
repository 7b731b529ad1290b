//! The sandbox, run as a user runs it: `mailgrant sandbox`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;

use crate::{
    person::{Page, Person},
    process::{Server, mailgrant},
};

pub struct Sandbox {
    /// The ready file of design's contract.
    pub ready: Value,
    pub server: Server,
    /// Where it keeps everything, and the ready file.
    pub dir: PathBuf,
    http: reqwest::Client,
}

impl Sandbox {
    /// Starts it in `dir`, with `redirect_uri` among its delegated application's.
    pub fn start(dir: &Path, redirect_uri: &str) -> Result<Self> {
        Self::start_with(dir, ["--redirect-uri", redirect_uri])
    }

    /// Starts it in `dir` with other options.
    pub fn start_with<A: AsRef<OsStr>>(
        dir: &Path,
        options: impl IntoIterator<Item = A>,
    ) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let file = dir.join("ready.json");
        let mut command = mailgrant();
        command
            .arg("sandbox")
            .arg("--dir")
            .arg(dir)
            .args(options)
            .arg("--ready-file")
            .arg(&file);
        let mut server = Server::start(&mut command, dir.join("sandbox.log"))?;
        let ready = server.wait_for("the sandbox's ready file", |_| {
            serde_json::from_slice(&fs::read(&file).ok()?).ok()
        })?;
        Ok(Self {
            ready,
            server,
            dir: dir.to_owned(),
            // A test that waits for a program does not see a kept connection end.
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()?,
        })
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.ready
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The application of a flow: `delegated` or `app_only`.
    pub fn application(&self, flow: &str) -> &Value {
        let applications = self.ready["applications"].as_array().expect("applications");
        applications
            .iter()
            .find(|application| application["flow"] == flow)
            .expect("the flow's application")
    }

    /// A call of the control API.
    pub async fn control(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/{path}", self.text("/control"));
        let answer = self
            .http
            .post(url)
            .header("X-Sandbox-Control", "1")
            .json(body)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Changes some keys of an entry of the tenant: `directory/users/ADDRESS`.
    pub async fn change(&self, path: &str, body: &Value) -> Result<()> {
        self.edit(Method::PATCH, path, body).await
    }

    /// Takes an entry out: `directory/users/ADDRESS`.
    pub async fn remove(&self, path: &str) -> Result<()> {
        self.edit(Method::DELETE, path, &Value::Null).await
    }

    async fn edit(&self, method: Method, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}/{path}", self.text("/control"));
        let request = self
            .http
            .request(method, url)
            .header("X-Sandbox-Control", "1");
        let answer = request.json(body).send().await?;
        let status = answer.status();
        anyhow::ensure!(
            status.is_success(),
            "{path}: {status} {}",
            answer.text().await?
        );
        Ok(())
    }

    /// Adds an entry to the tenant, or replaces it: `directory/conditional_access`.
    pub async fn put(&self, path: &str, body: &Value) -> Result<()> {
        self.edit(Method::PUT, path, body).await
    }

    /// What was asked and how often: the control API's request log.
    pub async fn requests(&self) -> Result<Value> {
        self.look("requests").await
    }

    /// What the control API shows at `path`.
    pub async fn look(&self, path: &str) -> Result<Value> {
        let url = format!("{}/{path}", self.text("/control"));
        let answer = self
            .http
            .get(url)
            .header("X-Sandbox-Control", "1")
            .send()
            .await?;
        Ok(answer.json().await?)
    }

    /// A person whose browser trusts the sandbox.
    pub fn person(&self) -> Result<Person> {
        Ok(Person::trusting(&fs::read(self.text("/ca_file"))?))
    }

    /// The requests of one kind, oldest first.
    pub async fn requests_of(&self, kind: &str) -> Result<Vec<Value>> {
        let log = self.requests().await?;
        let entries = log["requests"].as_array().context("no requests")?;
        let wanted: Vec<_> = entries
            .iter()
            .filter(|entry| entry["kind"] == kind)
            .cloned()
            .collect();
        // For the one who wants to see; the test runner shows it when the test fails.
        for entry in &wanted {
            println!("sandbox: {entry}");
        }
        Ok(wanted)
    }

    /// Signs in and consents on the authority's pages, from wherever the person has been sent.
    pub async fn sign_in(&self, person: &mut Person, page: Page, user: usize) -> Result<Page> {
        let user = &self.ready["users"][user];
        let address = user["address"].as_str().context("no user")?;
        let password = user["password"].as_str().context("no password")?;
        let mut page = page;
        for _ in 0..4 {
            let url = page.url.as_str();
            let here = url.starts_with(self.text("/authority"))
                || url.starts_with(self.text("/authority_tls"));
            if !here || !page.body.contains("<form") {
                break;
            }
            let fields = fields(&page.body, address, password);
            page = person.submit(&page, &fields).await;
        }
        Ok(page)
    }
}

/// What each page of the sign-in asks for.
fn fields<'a>(page: &str, address: &'a str, password: &'a str) -> Vec<(&'static str, &'a str)> {
    let asks = |name: &str| page.contains(&format!("name=\"{name}\""));
    let mut fields = Vec::new();
    if asks("login") {
        fields.push(("login", address));
    }
    if asks("password") {
        fields.push(("password", password));
    }
    if asks("decision") {
        fields.push(("decision", "accept"));
    }
    fields
}
