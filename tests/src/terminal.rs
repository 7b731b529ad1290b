//! A person at a terminal: a settings file, the sandbox in place of Office 365, and `mailgrant` commands; no gateway.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    gateway::Gateway,
    person::Page,
    port::free_port,
    process::{PATIENCE, mailgrant},
    sandbox::Sandbox,
};

pub const ADA: &str = "ada.finch@tarnbrook.test";
pub const BRUNO: &str = "bruno.keller@tarnbrook.test";
pub const SUPPORT: &str = "support@tarnbrook.test";

pub struct Terminal {
    pub sandbox: Sandbox,
    pub home: PathBuf,
    port: u16,
    dir: TempDir,
}

/// A command that is running, its two outputs apart.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    out: PathBuf,
    err: PathBuf,
}

impl Terminal {
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("mailgrant-test-")
            .tempdir()?;
        let sandbox = Sandbox::start_with(&dir.path().join("sandbox"), [] as [&str; 0])?;
        let home = dir.path().join("home");
        fs::create_dir(&home)?;
        let terminal = Self {
            sandbox,
            home,
            port: free_port(),
            dir,
        };
        for flow in ["delegated", "app_only"] {
            let secret = terminal.sandbox.application(flow)["client_secret"].as_str();
            fs::write(terminal.home.join(flow), secret.context("no secret")?)?;
        }
        fs::write(terminal.config(), terminal.settings())?;
        Ok(terminal)
    }

    pub fn config(&self) -> PathBuf {
        self.home.join("mailgrant.toml")
    }

    /// `mailgrant WORDS`, at home: where the settings file is.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = mailgrant();
        command
            .args(words)
            .current_dir(&self.home)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("mailgrant runs")
    }

    /// Runs it to a good end and gives its only line.
    #[track_caller]
    pub fn line(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {err}");
        let line = out.strip_suffix('\n').expect("a line end");
        assert!(!line.is_empty() && !line.contains('\n'), "{out:?}");
        line.to_owned()
    }

    /// Runs it to a bad end with that exit code and nothing on standard output; gives what it said.
    #[track_caller]
    pub fn refused(&self, words: &[&str], code: i32) -> String {
        let output = self.run(words);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{words:?}: {out}{err}");
        assert_eq!(out, "", "{words:?}");
        err
    }

    /// Starts it, with its input open.
    pub fn start_command(&self, words: &[&str]) -> Result<Running> {
        let (out, err) = (self.dir.path().join("out"), self.dir.path().join("err"));
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?)
            .spawn()?;
        Ok(Running {
            input: child.stdin.take(),
            child,
            out,
            err,
        })
    }

    /// A gateway on the same settings file and database.
    pub fn gateway(&self) -> Result<Gateway> {
        Gateway::start_from(&self.home, self.port, &self.settings())
    }

    /// The whole way by device code; gives the account's id.
    pub async fn log_in(&self, user: usize, more: &[&str]) -> Result<String> {
        let words = [&["login", "--application", "terminal"], more].concat();
        let mut login = self.start_command(&words)?;
        let (page, code) = login.code()?;
        self.approve(&page, &code, user).await?;
        let (status, out, err) = login.ended()?;
        ensure!(status.success(), "{status} {out} {err}");
        Ok(out.trim_end().to_owned())
    }

    /// Somebody opens the page, types the code, signs in and agrees to everything.
    pub async fn approve(&self, page: &str, code: &str, user: usize) -> Result<Page> {
        let mut person = self.sandbox.person()?;
        let page = person.open(page, None).await;
        let page = person.submit(&page, &[("otc", code)]).await;
        self.sandbox.sign_in(&mut person, page, user).await
    }

    fn settings(&self) -> String {
        let ready = &self.sandbox.ready;
        let text = |pointer| self.sandbox.text(pointer);
        let id = |flow| {
            self.sandbox.application(flow)["client_id"]
                .as_str()
                .unwrap_or_default()
        };
        let port = self.port;
        let (authority, tenant) = (text("/authority"), text("/tenant"));
        let (imap, smtp, pop3) = (
            &ready["imap"]["port"],
            &ready["smtp"]["port"],
            &ready["pop3"]["port"],
        );
        format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"

[storage]
url = "sqlite:mailgrant.db"

[master_key]
file = "master.key"

[[application]]
id = "terminal"
provider = "office"
tenant = "{tenant}"
client_id = "{device}"

[[application]]
id = "desk"
provider = "office"
tenant = "{tenant}"
client_id = "{delegated}"
client_secret_file = "delegated"

[[application]]
id = "robot"
provider = "office"
tenant = "{tenant}"
client_id = "{app_only}"
client_secret_file = "app_only"

[[provider]]
id = "office"
like = "microsoft365"
issuer = "{authority}/{{tenant}}/v2.0"
scopes = ["openid", "profile", "email", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send"]
imap = {{ host = "localhost", port = {imap}, tls = "implicit" }}
smtp = {{ host = "localhost", port = {smtp}, tls = "starttls" }}
pop3 = {{ host = "localhost", port = {pop3}, tls = "implicit" }}
tls_ca_file = "{ca}"
"#,
            device = id("device"),
            delegated = id("delegated"),
            app_only = id("app_only"),
            ca = text("/ca_file"),
        )
    }
}

impl Running {
    /// Page and code that a login shows to people.
    pub fn code(&mut self) -> Result<(String, String)> {
        self.wait_for(|_, err| {
            let (_, after) = err.split_once("enter the code:\n\n")?;
            let (shown, _) = after.split_once("\n\n")?;
            let (page, code) = shown.split_once('\n')?;
            Some((page.trim().to_owned(), code.trim().to_owned()))
        })
    }

    /// The next object of that name that a command with `--json` prints.
    pub fn event(&mut self, name: &str) -> Result<Value> {
        self.wait_for(|out, _| {
            let (whole, _) = out.rsplit_once('\n')?;
            whole
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .find(|event| event["event"] == name)
        })
    }

    /// Types a line.
    pub fn write(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("the input is closed")?;
        writeln!(input, "{line}")?;
        Ok(())
    }

    pub fn signal(&self, signal: &str) -> Result<()> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status()?;
        ensure!(sent.success(), "no signal for process {id}");
        Ok(())
    }

    /// Waits until `found` sees something in what was printed on the two outputs.
    pub fn wait_for<T>(&mut self, found: impl Fn(&str, &str) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            let ended = self.child.try_wait()?;
            let (out, err) = self.printed();
            if let Some(value) = found(&out, &err) {
                return Ok(value);
            }
            if ended.is_some() || begun.elapsed() > PATIENCE {
                bail!("not seen ({ended:?}):\n{out}\n{err}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end; gives what was printed.
    pub fn ended(mut self) -> Result<(ExitStatus, String, String)> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                let (out, err) = self.printed();
                return Ok((status, out, err));
            }
            if begun.elapsed() > PATIENCE {
                bail!("does not end: {:?}", self.printed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn printed(&self) -> (String, String) {
        let read = |path| text(&fs::read(path).unwrap_or_default());
        (read(&self.out), read(&self.err))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
