//! A private Dovecot that offers only XOAUTH2.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::{
    authority::Format,
    pki::Pki,
    port::free_port,
    process::{Server, root},
};

pub struct Dovecot {
    /// Implicit TLS.
    pub imaps: u16,
    /// STARTTLS.
    pub imap: u16,
    pub server: Server,
    ca: PathBuf,
}

/// Where Dovecot looks for the keys of tokens without `azp`: `{keys}/default/RS256/{kid}`.
pub fn key_folder(dir: &Path) -> PathBuf {
    dir.join("keys/default/RS256")
}

impl Dovecot {
    /// Starts it in `dir`; tokens are checked as `format` says, against `issuer`.
    pub fn start(dir: &Path, pki: &Pki, issuer: &str, format: Format) -> Result<Self> {
        let (imap, imaps) = (free_port(), free_port());
        fs::create_dir_all(dir.join("mail"))?;
        fs::write(dir.join("oauth2.conf"), oauth2(dir, issuer, format))?;
        let configuration = dir.join("dovecot.conf");
        fs::write(&configuration, dovecot(dir, pki, imap, imaps, &accounts()))?;
        readable(dir)?;
        let mut server = Server::start(
            Command::new("/usr/sbin/dovecot")
                .arg("-F")
                .arg("-c")
                .arg(&configuration),
            dir.join("dovecot.out"),
        )?;
        server.wait_for("a listening Dovecot", |_| {
            std::net::TcpStream::connect(("127.0.0.1", imaps)).ok()
        })?;
        Ok(Self {
            imaps,
            imap,
            server,
            ca: pki.ca.clone(),
        })
    }

    /// Puts every file of `folder` into the person's INBOX by IMAP APPEND, and gives, in UID order, `uid file` with the
    /// bytes that Dovecot then holds under `held/UID`. Python's `imaplib` does it: a reader that is not ours.
    pub fn append(
        &self,
        user: &str,
        token: &str,
        folder: &Path,
        held: &Path,
    ) -> Result<Vec<(u32, String)>> {
        fs::create_dir_all(held)?;
        let output = Command::new("python3")
            .arg(root().join("tests/components/append.py"))
            .args(["localhost", &self.imaps.to_string()])
            .arg(&self.ca)
            .arg(user)
            .arg(folder)
            .arg(held)
            .env("TOKEN", token)
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let lines = String::from_utf8(output.stdout)?;
        Ok(lines
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(uid, file)| Some((uid.parse().ok()?, file.to_owned())))
            .collect())
    }

    /// Creates, deletes or fills a mailbox: `["create", "Projects"]`, `["append", "Projects", "FILE"]`.
    pub fn change(&self, user: &str, token: &str, what: &[&str]) -> Result<()> {
        let output = Command::new("python3")
            .arg(root().join("tests/components/mailbox.py"))
            .args(["localhost", &self.imaps.to_string()])
            .arg(&self.ca)
            .arg(user)
            .args(what)
            .env("TOKEN", token)
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "{what:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

struct Accounts {
    internal: String,
    internal_group: String,
    login: String,
    mail: String,
    mail_group: String,
}

/// As root, Dovecot's own accounts; as anybody else, that person for everything.
fn accounts() -> Accounts {
    if id("-u") == "0" {
        let name = |name: &str| name.to_owned();
        return Accounts {
            internal: name("dovecot"),
            internal_group: name("dovecot"),
            login: name("dovenull"),
            mail: name("nobody"),
            mail_group: name("nogroup"),
        };
    }
    let (user, group) = (id("-un"), id("-gn"));
    Accounts {
        internal: user.clone(),
        internal_group: group.clone(),
        login: user.clone(),
        mail: user,
        mail_group: group,
    }
}

fn id(what: &str) -> String {
    let output = Command::new("id").arg(what).output().expect("id(1)");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The mail user of a Dovecot started by root is not root, and has to reach its folders.
fn readable(dir: &Path) -> Result<()> {
    if id("-u") != "0" {
        return Ok(());
    }
    for (program, arguments) in [
        ("chmod", vec!["-R", "a+rX"]),
        ("chown", vec!["-R", "nobody:nogroup"]),
    ] {
        let target = if program == "chown" {
            dir.join("mail")
        } else {
            dir.to_path_buf()
        };
        let status = Command::new(program).args(arguments).arg(target).status()?;
        anyhow::ensure!(status.success(), "{program} failed");
    }
    Ok(())
}

fn oauth2(dir: &Path, issuer: &str, format: Format) -> String {
    let check = match format {
        Format::Jwt => format!(
            "introspection_mode = local\n\
             local_validation_key_dict = fs:posix:prefix={}/\n\
             issuers = {issuer}\n",
            dir.join("keys").display()
        ),
        Format::Opaque => format!(
            "introspection_mode = post\n\
             introspection_url = {}/token/introspection\n\
             active_attribute = active\n\
             active_value = true\n\
             force_introspection = yes\n",
            issuer.replace("://", "://dovecot:dovecot-secret@")
        ),
    };
    format!(
        "{check}username_attribute = email\n\
         openid_configuration_url = {issuer}/.well-known/openid-configuration\n\
         timeout_msecs = 5000\n"
    )
}

fn dovecot(dir: &Path, pki: &Pki, imap: u16, imaps: u16, accounts: &Accounts) -> String {
    let Accounts {
        internal,
        internal_group,
        login,
        mail,
        mail_group,
    } = accounts;
    let dir = dir.display();
    let (certificate, key) = (pki.certificate.display(), pki.key.display());
    format!(
        r#"
base_dir = {dir}/run
state_dir = {dir}/state
instance_name = mailgrant-test-{imaps}
log_path = {dir}/dovecot.log
listen = 127.0.0.1
protocols = imap
# The disk is not what is tested.
mail_fsync = never
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
mail_uid = {mail}
mail_gid = {mail_group}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = yes
auth_mechanisms = xoauth2
# Otherwise each refusal makes the next ones from this address slower, up to 15 s.
auth_failure_delay = 0
mail_max_userip_connections = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {dir}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={mail} gid={mail_group} home={dir}/mail/%Lu allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \Drafts
    auto = subscribe
  }}
  mailbox "Sent Items" {{
    special_use = \Sent
    auto = subscribe
  }}
  mailbox "Übersicht & Pläne" {{
    auto = create
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  client_limit = 2000
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  user = $default_internal_user
}}
"#
    )
}
