//! A make-believe tenant with many mailboxes, and one application that may open them all by itself.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use serde_json::json;

use crate::sandbox::Sandbox;

pub const CLIENT_ID: &str = "a84d2c17-15e3-47f9-b0d6-5c9f3e7a1288";

/// Starts the sandbox in `dir` with that many mailboxes, a letter with the subject `Hello` in each.
pub async fn start(dir: &Path, mailboxes: usize) -> Result<Sandbox> {
    let tenant = dir.join("tenant.toml");
    fs::write(&tenant, tenant_file(mailboxes))?;
    let sandbox = Sandbox::start_with(
        &dir.join("sandbox"),
        ["--empty", "--tenant", &tenant.display().to_string()],
    )?;
    let numbers: Vec<_> = (0..mailboxes).collect();
    for some in numbers.chunks(AT_ONCE) {
        let letters: Vec<_> = some
            .iter()
            .map(|number| json!({"mailbox": address(*number), "from": "ada@quillmere.test", "subject": "Hello", "text": "One letter."}))
            .collect();
        sandbox.control("deliver", &json!(letters)).await?;
    }
    Ok(sandbox)
}

pub fn address(number: usize) -> String {
    format!("box-{number:04}@quillmere.test")
}

/// The gateway's settings in `home`, with the secret beside; `port` 0 is any free one.
pub fn settings(home: &Path, sandbox: &Sandbox, port: u16) -> Result<String> {
    fs::create_dir_all(home)?;
    fs::write(home.join("secret"), "archive~secret")?;
    let (authority, tenant) = (sandbox.text("/authority"), sandbox.text("/tenant"));
    let (ca, imap) = (sandbox.text("/ca_file"), &sandbox.ready["imap"]["port"]);
    Ok(format!(
        r#"
[server]
listen = "127.0.0.1:{port}"
[storage]
url = "sqlite:mailgrant.db"
[master_key]
file = "master.key"
[[application]]
id = "archive"
provider = "office"
client_id = "{CLIENT_ID}"
client_secret_file = "secret"
[[provider]]
id = "office"
issuer = "{authority}/{tenant}/v2.0"
scopes = ["openid", "https://outlook.office.com/IMAP.AccessAsUser.All"]
app_only_scopes = ["https://outlook.office365.com/.default"]
imap = {{ host = "localhost", port = {imap}, tls = "implicit" }}
tls_ca_file = "{ca}"
"#
    ))
}

fn tenant_file(mailboxes: usize) -> String {
    let mut text = format!(
        r#"
[tenant]
id = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943"
display_name = "Quillmere Books"
domains = ["quillmere.test"]

[[application]]
client_id = "{CLIENT_ID}"
display_name = "Quillmere archive"
flow = "app_only"
audience = "my_organization"
service_principal_id = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3"
permissions = ["https://outlook.office365.com/IMAP.AccessAsApp"]
admin_consent = ["https://outlook.office365.com/IMAP.AccessAsApp"]
secrets = [{{ id = "11111111-2222-3333-4444-555555555553", value = "archive~secret" }}]

[[service_principal]]
application = "{CLIENT_ID}"
object_id = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3"
"#
    );
    for number in 0..mailboxes {
        let address = address(number);
        let _ = write!(
            text,
            r#"
[[shared_mailbox]]
address = "{address}"
display_name = "Box {number}"

[[mailbox_permission]]
mailbox = "{address}"
trustee = "{CLIENT_ID}"
rights = ["full_access"]
"#
        );
    }
    text
}

/// Letters in one call of the control API.
const AT_ONCE: usize = 100;
