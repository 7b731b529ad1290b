//! Runs the binary, with nothing of the tester's own environment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

pub fn mailgrant() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailgrant"));
    let ours =
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MAILGRANT_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    mailgrant().args(arguments).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with a settings file that starts a gateway on any free port.
pub struct Home(pub tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("mailgrant.toml", "[server]\nlisten = \"127.0.0.1:0\"\n");
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// `mailgrant WORDS --config …/mailgrant.toml`
    pub fn run(&self, words: &[&str]) -> Output {
        mailgrant()
            .args(words)
            .arg("--config")
            .arg(self.path("mailgrant.toml"))
            .output()
            .unwrap()
    }
}

/// A server under test; killed when the test ends before it.
pub struct Server {
    child: Child,
    pub ready: Value,
    log: PathBuf,
    /// How long the start took.
    started: Duration,
}

impl Server {
    /// Starts `command` and waits for its ready file in `folder`.
    pub fn start(mut command: Command, folder: &Path) -> Self {
        let (file, log) = (folder.join("ready.json"), folder.join("server.log"));
        let output = std::fs::File::create(&log).unwrap();
        command
            .arg("--ready-file")
            .arg(&file)
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        let mut child = command.spawn().unwrap();
        let begun = Instant::now();
        let ready = loop {
            if let Ok(bytes) = std::fs::read(&file) {
                break serde_json::from_slice(&bytes)
                    .expect("the ready file is whole when it is there");
            }
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "{}",
                std::fs::read_to_string(&log).unwrap()
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        Self {
            child,
            ready,
            log,
            started: begun.elapsed(),
        }
    }

    pub fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Sends a signal and waits for the end: five seconds, and on a busy machine as much more as the start took.
    pub fn end(mut self, signal: &str) -> ExitStatus {
        let begun = Instant::now();
        self.signal(signal);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            let in_time = Duration::from_secs(5) + self.started;
            assert!(begun.elapsed() < in_time, "{signal}: does not end in time");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
