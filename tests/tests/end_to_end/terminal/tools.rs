//! The README's configurations for programs that others wrote: `tests/clients/tokens`, word for word but for the names
//! of people, and the host, port and certificates of the sandbox.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use mailgrant_tests::{
    client::trust_only,
    needs,
    process::{mailgrant, root},
    terminal::{ADA, BRUNO, Terminal},
};
use serde_json::json;

#[test]
fn the_readme_shows_them() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (file, language) in [
        ("muttrc", "muttrc"),
        ("mbsyncrc", "text"),
        ("msmtprc", "text"),
        ("getmailrc", "ini"),
        ("curl.sh", "bash"),
        ("token.sh", "sh"),
    ] {
        let text = fs::read_to_string(root().join("tests/clients/tokens").join(file)).unwrap();
        assert!(
            readme.contains(&format!("\n```{language}\n{text}```\n")),
            "README.md does not show {file} as it is"
        );
    }
}

#[tokio::test]
async fn mutt_reads_and_sends() {
    needs!("mutt");
    let desk = Desk::new().await;
    let found = desk.terminal.home.join("found.mbox");
    let muttrc = desk.place(
        "muttrc",
        &format!(
            "set ssl_ca_certificates_file = \"{}\"\n\
             set confirmappend = no\nset confirmcreate = no\nset quit = yes\nset sleep_time = 0\nset wait_key = no\n\
             set record = \"\"\n",
            desk.ca()
        ),
    );
    let saving = format!(
        "push \"<tag-pattern>~A<enter><tag-prefix><copy-message>{}<enter><exit>\"\n",
        found.display()
    );
    let reading = desk.terminal.home.join("reading");
    fs::write(&reading, format!("source {}\n{saving}", muttrc.display())).unwrap();
    // script(1) makes the terminal that mutt wants.
    let line = format!("mutt -F {}", reading.display());
    let mut read = desk.command("script");
    read.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
    succeeded(&read.output().unwrap());
    let saved = fs::read_to_string(&found).unwrap();
    let letters = saved
        .lines()
        .filter(|line| line.starts_with("From "))
        .count();
    assert!(letters > 10, "{letters} letters");
    desk.opened("imap_login", ADA).await;

    let mut send = desk.command("mutt");
    send.arg("-F")
        .arg(&muttrc)
        .args(["-s", "By mutt", "--", BRUNO]);
    succeeded(&with_input(&mut send, "Hello.\n"));
    desk.sent("By mutt").await;
}

#[tokio::test]
async fn mbsync_copies_a_mailbox() {
    needs!("mbsync");
    let desk = Desk::new().await;
    desk.place("mbsyncrc", "");
    let sync = || {
        desk.command("mbsync")
            .args(["--config", "mbsyncrc", "--all"])
            .output()
    };
    succeeded(&sync().unwrap());
    let inbox = desk.files("Mail/INBOX");
    assert!(inbox > 10, "{inbox}");
    succeeded(&sync().unwrap());
    assert_eq!(desk.files("Mail/INBOX"), inbox, "nothing twice");
    desk.opened("imap_login", ADA).await;
}

#[tokio::test]
async fn msmtp_sends() {
    needs!("msmtp");
    let desk = Desk::new().await;
    let msmtprc = desk.place("msmtprc", "");
    // msmtp wants its file to itself.
    fs::set_permissions(
        &msmtprc,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let mut send = desk.command("msmtp");
    send.arg("-C").arg(&msmtprc).arg(BRUNO);
    let letter = format!("From: {ADA}\nTo: {BRUNO}\nSubject: By msmtp\n\nHello.\n");
    succeeded(&with_input(&mut send, &letter));
    desk.opened("smtp_login", ADA).await;
    desk.sent("By msmtp").await;
}

#[tokio::test]
async fn getmail_fetches() {
    // One name for everything from PyPI.
    needs!("msal");
    let desk = Desk::new().await;
    let getmailrc = desk.place("getmailrc", "");
    let home = &desk.terminal.home;
    for folder in ["", "cur", "new", "tmp"] {
        let path = home.join("Mail/getmail").join(folder);
        fs::create_dir_all(&path).unwrap();
        open_to(&path, 0o777);
    }
    // It does not deliver as root, whom the tests may run as: then as somebody who is let through here.
    for path in [home.parent().unwrap(), home, &home.join("Mail")] {
        open_to(path, 0o755);
    }
    let maildir = format!("path = {}/Mail/getmail/\n", home.display());
    let text = fs::read_to_string(&getmailrc).unwrap();
    let user = if is_root() { "user = nobody\n" } else { "" };
    let text = text.replace("path = ~/Mail/getmail/\n", &(maildir + user));
    fs::write(&getmailrc, text).unwrap();
    let mut fetch = desk.command(
        &root()
            .join("target/python/bin/getmail")
            .display()
            .to_string(),
    );
    fetch
        .arg("--rcfile")
        .arg(&getmailrc)
        .arg("--getmaildir")
        .arg(&desk.terminal.home);
    succeeded(&fetch.output().unwrap());
    let fetched = desk.files("Mail/getmail");
    assert!(fetched > 10, "{fetched}");
    desk.opened("imap_login", ADA).await;
}

#[tokio::test]
async fn curl_reads_and_sends() {
    needs!("curl");
    let desk = Desk::new().await;
    let script = desk.place("curl.sh", "");
    let letter = format!("From: {ADA}\r\nTo: {BRUNO}\r\nSubject: By curl\r\n\r\nHello.\r\n");
    fs::write(desk.terminal.home.join("letter.eml"), letter).unwrap();
    let output = desk.command("bash").arg("-e").arg(script).output().unwrap();
    succeeded(&output);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("\nSubject: "),
        "{output:?}"
    );
    desk.opened("imap_login", ADA).await;
    desk.sent("By curl").await;
}

#[tokio::test]
async fn a_tool_fails_when_the_account_is_dead_and_says_whose_turn_it_is() {
    needs!("mbsync", "msmtp");
    let desk = Desk::new().await;
    desk.place("mbsyncrc", "");
    let msmtprc = desk.place("msmtprc", "");
    fs::set_permissions(
        &msmtprc,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let script = desk.place("token.sh", "");
    let shell = || desk.command("sh").arg(&script).output().unwrap();
    let alive = String::from_utf8(shell().stdout).unwrap();
    assert!(alive.starts_with("a token of "), "{alive}");

    let person = json!({"user": ADA});
    desk.terminal
        .sandbox
        .control("revoke", &person)
        .await
        .unwrap();
    // As when the token that is kept has ended.
    desk.terminal
        .refused(&["token", "--account", ADA, "--min-lifetime", "7200"], 5);

    let dead = shell();
    let said = String::from_utf8_lossy(&dead.stdout).into_owned();
    assert!(said.starts_with("the person: sign in again\n"), "{said}");
    assert!(said.contains("reauth_required"), "{said}");
    let mut sync = desk.command("mbsync");
    let sync = sync
        .args(["--config", "mbsyncrc", "--all"])
        .output()
        .unwrap();
    let mut send = desk.command("msmtp");
    let send = with_input(send.arg("-C").arg(&msmtprc).arg(BRUNO), "Subject: x\n\n");
    for output in [sync, send] {
        assert!(!output.status.success(), "{output:?}");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(err.contains("the person must sign in again"), "{err}");
        assert!(
            err.contains("mailgrant login --application terminal"),
            "{err}"
        );
    }
    assert!(
        desk.terminal
            .sandbox
            .requests_of("smtp_login")
            .await
            .unwrap()
            .is_empty()
    );
}

/// A home with Ada's mailbox connected, the tools' files, and `mailgrant` in the path.
struct Desk {
    terminal: Terminal,
    path: String,
}

impl Desk {
    async fn new() -> Self {
        let terminal = Terminal::start().unwrap();
        terminal.log_in(0, &[]).await.unwrap();
        let bin = terminal.home.join("bin");
        fs::create_dir(&bin).unwrap();
        fs::create_dir(terminal.home.join("Mail")).unwrap();
        std::os::unix::fs::symlink(mailgrant().get_program(), bin.join("mailgrant")).unwrap();
        let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
        Self { terminal, path }
    }

    /// A command at home, with nothing else set than the settings file's path.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        trust_only(&mut command, None);
        command
            .current_dir(&self.terminal.home)
            .stdin(Stdio::null())
            .env("HOME", &self.terminal.home)
            .env("PATH", &self.path)
            .env("MAILGRANT_CONFIG", self.terminal.config());
        command
    }

    /// A file of `tests/clients/tokens` at home, for the sandbox instead of Office 365.
    fn place(&self, name: &str, more: &str) -> PathBuf {
        let text = fs::read_to_string(root().join("tests/clients/tokens").join(name)).unwrap();
        let port = |server: &str| self.terminal.sandbox.ready[server]["port"].to_string();
        let (imap, smtp, ca) = (port("imap"), port("smtp"), self.ca());
        let text = text
            .replace("ada@contoso.example", ADA)
            .replace("bruno@contoso.example", BRUNO)
            .replace(
                "imaps://outlook.office365.com/",
                &format!("imaps://localhost:{imap}/"),
            )
            .replace("smtp.office365.com:587", &format!("localhost:{smtp}"))
            .replace("curl -sS", &format!("curl -sS --cacert {ca}"))
            .replace(
                "Host outlook.office365.com",
                &format!("Host localhost\nPort {imap}\nCertificateFile {ca}"),
            )
            .replace(
                "host smtp.office365.com\nport 587",
                &format!("host localhost\nport {smtp}\ntls_trust_file {ca}"),
            )
            .replace(
                "server = outlook.office365.com",
                &format!("server = localhost\nport = {imap}\nca_certs = {ca}"),
            );
        assert!(
            !text.contains("office365") && !text.contains("contoso"),
            "{text}"
        );
        let path = self.terminal.home.join(name);
        fs::write(&path, text + more).unwrap();
        path
    }

    fn ca(&self) -> &str {
        self.terminal.sandbox.text("/ca_file")
    }

    /// How many messages a Maildir has.
    fn files(&self, maildir: &str) -> usize {
        let count = |folder: &str| {
            let path = self.terminal.home.join(maildir).join(folder);
            fs::read_dir(path).map_or(0, |files| files.count())
        };
        count("cur") + count("new")
    }

    /// Asserts that the sandbox saw logins of that kind, all of them good, as that user.
    async fn opened(&self, kind: &str, user: &str) {
        let logins = self.terminal.sandbox.requests_of(kind).await.unwrap();
        assert!(!logins.is_empty());
        for login in &logins {
            assert_eq!(login["outcome"], "ok", "{login}");
            assert_eq!(login["user"], user, "{login}");
        }
    }

    /// Asserts that one message was sent, with that subject.
    async fn sent(&self, subject: &str) {
        let outbox = self.terminal.sandbox.look("outbox").await.unwrap();
        let text = outbox.to_string();
        assert!(text.contains(subject) && text.contains(BRUNO), "{outbox:#}");
    }
}

fn open_to(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}

fn with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that has failed already does not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn succeeded(output: &Output) {
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
