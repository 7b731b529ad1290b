//! Processes that a test starts, and ends by their ids.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// A server under test; ended when dropped, its output kept in files.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// How long it took until what was first waited for.
    started: Duration,
}

impl Server {
    /// Starts `command`, with standard output and error going to `log`.
    pub fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        Self::start_with_input(command, log, Stdio::null())
    }

    /// The same with something to read on standard input.
    pub fn start_with_input(command: &mut Command, log: PathBuf, input: Stdio) -> Result<Self> {
        let out = File::create(&log)?;
        let child = command
            .stdin(input)
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self {
            child,
            log,
            started: Duration::ZERO,
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until `found` gives something; fails when the process ends first or the time is up.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(value) = found(&self.printed()) {
                if self.started.is_zero() {
                    self.started = begun.elapsed();
                }
                return Ok(value);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("ended with {status} before {what}:\n{}", self.printed());
            }
            if begun.elapsed() > PATIENCE {
                bail!("no {what} within {PATIENCE:?}:\n{}", self.printed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and the end within five seconds; on a busy machine as much more as the start took.
    pub fn stop_in_time(&mut self) -> Result<()> {
        let (took, in_time) = (self.stop()?, Duration::from_secs(5) + self.started);
        anyhow::ensure!(took < in_time, "ended {took:?} after SIGTERM only");
        Ok(())
    }

    /// SIGTERM; gives how long it took to end.
    pub fn stop(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        if !asked.success() {
            bail!("cannot signal process {}", self.child.id());
        }
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                bail!("did not end within {PATIENCE:?} of SIGTERM");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(begun.elapsed())
    }

    /// Waits until it ends by itself.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() > PATIENCE {
                bail!("did not end within {PATIENCE:?}:\n{}", self.printed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Peak resident memory so far, in KiB (`VmHWM`).
    pub fn peak_memory(&self) -> Option<u64> {
        self.memory("VmHWM:")
    }

    /// Resident memory now, in KiB (`VmRSS`).
    pub fn resident_memory(&self) -> Option<u64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(field))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first of `components` that could not be installed here.
pub fn missing(components: &[&str]) -> Option<String> {
    let missing = env::var("MAILGRANT_TESTS_MISSING").unwrap_or_default();
    let missing: Vec<_> = missing.split(',').collect();
    components
        .iter()
        .find(|name| missing.contains(name))
        .map(ToString::to_string)
}

/// The binary under test: `MAILGRANT_BIN`, or the workspace's debug build.
pub fn mailgrant() -> Command {
    let built = || root().join("target/debug/mailgrant").into_os_string();
    let mut command = Command::new(env::var_os("MAILGRANT_BIN").unwrap_or_else(built));
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "MAILGRANT_LOG", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// How long a component may take to answer, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
