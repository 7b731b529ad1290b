//! `mailgrant setup`, followed letter by letter: an administrator who has nothing but what it prints.

mod app_only;
mod credentials;
mod customer;
mod delegated;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use mailgrant_tests::{
    gateway::{Answer, Gateway, SITE},
    port::free_port,
    powershell::Session,
    process::mailgrant,
    sandbox::Sandbox,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const ADA: &str = "ada@quillmere.test";
const ADMIN: &str = "admin@quillmere.test";
const ORDERS: &str = "orders@quillmere.test";
const PASSWORD: &str = "correct horse <battery>";
/// What the settings say before there is a registration.
const UNREGISTERED: &str = "00000000-0000-0000-0000-000000000000";

/// A tenant with people and mailboxes and nothing else, in which IMAP is off.
const TENANT: &str = r#"
[tenant]
id = "9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318"
display_name = "Quillmere Books"
domains = ["quillmere.test"]
admin_consent_required = true

[[user]]
address = "ada@quillmere.test"
display_name = "Ada Finch"
password = "correct horse <battery>"
mailbox = { imap = false }

[[user]]
address = "admin@quillmere.test"
display_name = "Edda Lindqvist"
password = "correct horse <battery>"
administrator = true

[[shared_mailbox]]
address = "orders@quillmere.test"
display_name = "Quillmere Orders"
mailbox = { imap = false }
"#;

/// The operator's machine and the administrator's tenant.
struct Walk {
    sandbox: Sandbox,
    settings: Settings,
    dir: TempDir,
    port: u16,
}

/// What the operator writes into the settings.
struct Settings {
    client_id: String,
    /// The tenant in the issuer.
    tenant: String,
    /// Lines of the application's table.
    credential: String,
}

/// What came of a script.
struct Followed {
    /// Why it stopped early, or the first error of those that were passed over.
    stopped: Option<String>,
    shown: Vec<String>,
    output: Vec<Value>,
    client_id: Option<String>,
    secret: Option<String>,
}

impl Followed {
    fn of(session: Session<'_>, stopped: Option<String>) -> Self {
        let said = |text| session.said(text).map(str::to_owned);
        Self {
            client_id: said("client_id for the settings:"),
            secret: said("client secret, its value, shown this once:"),
            stopped,
            shown: session.shown,
            output: session.output,
        }
    }
}

impl Walk {
    fn start() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("mailgrant-test-")
            .tempdir()
            .unwrap();
        let tenant = dir.path().join("tenant.toml");
        fs::write(&tenant, TENANT).unwrap();
        let sandbox = Sandbox::start_with(
            &dir.path().join("sandbox"),
            ["--tenant", &tenant.display().to_string()],
        )
        .unwrap();
        fs::create_dir(dir.path().join("gateway")).unwrap();
        let walk = Self {
            settings: Settings {
                client_id: UNREGISTERED.to_owned(),
                tenant: sandbox.text("/tenant").to_owned(),
                credential: String::new(),
            },
            sandbox,
            dir,
            port: free_port(),
        };
        walk.write();
        walk
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("gateway").join(name)
    }

    /// Writes the settings as they are now.
    fn write(&self) {
        let Settings {
            client_id,
            tenant,
            credential,
        } = &self.settings;
        let issuer = format!("{}/{tenant}/v2.0", self.sandbox.text("/authority"));
        let imap = &self.sandbox.ready["imap"]["port"];
        let (port, ca) = (self.port, self.sandbox.text("/ca_file"));
        let text = format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://localhost:{port}"
allowed_origins = ["{SITE}"]

[storage]
url = "sqlite:mailgrant.db"

[master_key]
file = "master.key"

[[application]]
id = "contoso"
provider = "office"
client_id = "{client_id}"
{credential}

[[provider]]
id = "office"
display_name = "Office"
issuer = "{issuer}"
scopes = ["openid", "profile", "email", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"]
app_only_scopes = ["https://outlook.office365.com/.default"]
imap = {{ host = "localhost", port = {imap}, tls = "implicit" }}
tls_ca_file = "{ca}"
"#
        );
        fs::write(self.file("mailgrant.toml"), text).unwrap();
    }

    /// What `mailgrant setup` prints.
    fn setup(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, words: &[&str]) -> Output {
        mailgrant()
            .args(["setup", "--application", "contoso", "--config"])
            .arg(self.file("mailgrant.toml"))
            .args(words)
            .output()
            .unwrap()
    }

    /// The administrator runs a script, to its end or its first error.
    async fn follow(&self, script: &str) -> Followed {
        let mut session = Session::new(&self.sandbox);
        let stopped = session.run(script).await.err();
        Followed::of(session, stopped.map(|error| format!("{error:#}")))
    }

    /// The administrator types step by step, and goes on whatever is answered.
    async fn follow_on(&self, script: &str) -> Followed {
        let mut session = Session::new(&self.sandbox);
        let errors = session.run_on(script).await.unwrap();
        Followed::of(session, errors.into_iter().next())
    }

    /// The operator puts into the settings what the administrator was shown.
    fn note(&mut self, followed: &Followed) {
        if let Some(client_id) = &followed.client_id {
            self.settings.client_id.clone_from(client_id);
        }
        if let Some(secret) = &followed.secret {
            self.note_secret(secret);
        }
        self.write();
    }

    fn note_secret(&mut self, secret: &str) {
        fs::write(self.file("client-secret"), secret).unwrap();
        self.settings.credential = "client_secret_file = \"client-secret\"".to_owned();
        self.write();
    }

    fn gateway(&self) -> Gateway {
        let text = fs::read_to_string(self.file("mailgrant.toml")).unwrap();
        Gateway::start_from(&self.dir.path().join("gateway"), self.port, &text).unwrap()
    }

    async fn deliver(&self, mailbox: &str, subject: &str) {
        let letter = json!({"mailbox": mailbox, "from": "you@else.test", "subject": subject, "text": "Hello."});
        self.sandbox.control("deliver", &letter).await.unwrap();
    }

    /// A line of the guide, typed into a shell on the gateway's machine; what it prints.
    fn type_line(&self, gateway: &Gateway, line: &str, variables: &[(&str, &str)]) -> Value {
        let binary = mailgrant().get_program().to_owned();
        let binaries = PathBuf::from(binary).parent().unwrap().to_owned();
        let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-c", line])
            .env("PATH", path)
            .env("MAILGRANT_CONFIG", self.file("mailgrant.toml"))
            .env("GATEWAY", &gateway.url)
            .env("API_KEY", &gateway.key)
            .env_remove("SSL_CERT_FILE")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        match out.trim() {
            // An account's id, alone.
            id if id.starts_with("acc_") && output.status.success() => id.into(),
            text => serde_json::from_str(text).unwrap_or_else(|_| panic!("{line}\n{out}{err}")),
        }
    }
}

/// The script for app-only access to the mailbox, and the guide in JSON.
fn printed(walk: &Walk) -> (String, Value) {
    let guide = walk.setup(&["--mailbox", ORDERS, "--json"]);
    (
        walk.setup(&["--mailbox", ORDERS, "--format", "ps1"]),
        serde_json::from_str(&guide).unwrap(),
    )
}

/// A gateway with the settings as they are is asked for the mailbox.
async fn add(walk: &Walk) -> Answer {
    let gateway = walk.gateway();
    let body = json!({"application": "contoso", "address": ORDERS});
    gateway.post("/v1/accounts", &body).await
}

/// The lines to type of a step of the guide in JSON.
fn lines<'g>(guide: &'g Value, step: &str) -> Vec<&'g str> {
    let commands = self::step(guide, step)["commands"].as_array().unwrap();
    commands
        .iter()
        .filter_map(|command| command["text"].as_str())
        .collect()
}

fn step<'g>(guide: &'g Value, id: &str) -> &'g Value {
    let mut steps = guide["steps"].as_array().unwrap().iter();
    steps
        .find(|step| step["id"] == id)
        .unwrap_or_else(|| panic!("no step {id}"))
}

/// The code that the guide promises without a step.
fn if_left_out(guide: &Value, id: &str) -> String {
    let code = step(guide, id)["if_left_out"].as_str();
    code.unwrap_or_else(|| panic!("no code for {id}"))
        .to_owned()
}

/// The script without the lines of a step.
fn without(script: &str, id: &str) -> String {
    let heading = format!("({id}):");
    let (mut kept, mut leaving) = (String::new(), false);
    for line in script.lines() {
        if line.starts_with("# Step ") || line.starts_with("# What is there now") {
            leaving = line.contains(&heading);
        }
        if !leaving {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    assert_ne!(kept, script, "the script has no step {id}");
    kept
}

/// The script with other words from the step on.
fn spoiled(script: &str, from: &str, word: &str, other: &str) -> String {
    let at = script
        .find(&format!("({from}):"))
        .unwrap_or_else(|| panic!("no step {from}"));
    let (before, after) = script.split_at(at);
    // The checks stay what they are.
    let (after, checks) = after.split_at(after.find("# What is there now").unwrap());
    assert!(after.contains(word), "{word} is not in the script");
    format!("{before}{}{checks}", after.replace(word, other))
}

fn code(answer: &Answer) -> &str {
    answer.body["diagnosis"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("no diagnosis: {}", answer.text))
}
