//! Programs that others wrote, run against the sandbox as their users run them: the scripts in `tests/clients`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::{
    process::{Server, root},
    sandbox::Sandbox,
};

/// A script that runs, or has run.
pub struct Client {
    script: String,
    process: Server,
}

impl Client {
    /// Starts `tests/clients/SCRIPT ARGUMENTS…` where the ready file is `sandbox.json`, trusting the sandbox's
    /// authority as the script's own first lines say.
    pub fn start(sandbox: &Sandbox, script: &str, arguments: &[&str]) -> Result<Self> {
        let path = root().join("tests/clients").join(script);
        let mut command = match path.extension().and_then(OsStr::to_str) {
            Some("mjs") => Command::new("node"),
            Some("py") => Command::new(python()),
            _ => Command::new("bash"),
        };
        trust_only(&mut command, Some(sandbox.text("/ca_file")));
        let folder = sandbox.dir.join("clients");
        fs::create_dir_all(&folder)?;
        fs::copy(sandbox.dir.join("ready.json"), folder.join("sandbox.json"))?;
        command.arg(&path).args(arguments).current_dir(&folder);
        let log = folder.join(format!("{script}.log"));
        Ok(Self {
            script: script.to_owned(),
            process: Server::start(&mut command, log)?,
        })
    }

    /// Runs a script to its end; gives what it printed.
    ///
    /// # Errors
    /// When it fails, with what it printed.
    pub fn run(sandbox: &Sandbox, script: &str, arguments: &[&str]) -> Result<String> {
        Self::start(sandbox, script, arguments)?.finish()
    }

    /// Waits for a line that begins with `start`; gives the rest of it.
    pub fn line(&mut self, start: &str) -> Result<String> {
        self.process.wait_for(start, |printed| {
            // Only a line that has ended has been printed whole.
            let (whole, _) = printed.rsplit_once('\n')?;
            whole
                .lines()
                .find_map(|line| line.strip_prefix(start))
                .map(str::to_owned)
        })
    }

    /// Waits for the end; gives what the script printed.
    ///
    /// # Errors
    /// When it failed, with what it printed.
    pub fn finish(mut self) -> Result<String> {
        let status = self.process.ended()?;
        let printed = self.process.printed();
        ensure!(status.success(), "{}: {status}\n{printed}", self.script);
        // For the one who wants to see; the test runner shows it when the test fails.
        println!("{printed}");
        Ok(printed)
    }
}

/// Takes away what this machine may have set for its own certificates, and gives Node `ca` instead.
pub fn trust_only(command: &mut Command, ca: Option<&str>) {
    for name in TRUST {
        command.env_remove(name);
    }
    if let Some(ca) = ca {
        command.env("NODE_EXTRA_CA_CERTS", ca);
    }
}

/// The Python that has PyPI's packages, where `cargo xtask setup` could make it; otherwise the machine's.
pub fn python() -> PathBuf {
    let own = root().join("target/python/bin/python3");
    if own.exists() {
        own
    } else {
        Path::new("python3").to_owned()
    }
}

/// What a machine may set to have its own certificates trusted.
const TRUST: [&str; 5] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
];
