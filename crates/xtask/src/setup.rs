//! Installing what the machine lacks: by rustup, Debian's packages, npm and pip; otherwise saying what to install.

use std::{env, fs, path::Path, process::Command, sync::OnceLock};

use anyhow::{Result, bail};

use crate::{
    run::{Console, output},
    toolchain::{TARGET, Toolchain},
    workspace,
};

/// What the tests need and this machine neither has nor may install.
#[derive(Debug, Default)]
pub(crate) struct Missing(Vec<(&'static str, String)>);

impl Missing {
    /// The names, for the tests that must say that they were left out: `dovecot,chromium`.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
        names.join(",")
    }

    pub(crate) fn report(&self) {
        for (name, advice) in &self.0 {
            eprintln!("! {name} is missing: {advice}");
        }
    }
}

/// Makes sure that some compiler here can make wasm.
///
/// # Errors
/// When none can and none may be installed: with the lines to type.
pub(crate) fn wasm(console: &Console) -> Result<()> {
    if Toolchain::find().is_none() && workspace::on_path("rustup").is_some() {
        let added = console.step(
            "rustup target add",
            Command::new("rustup").args(["target", "add", TARGET]),
        );
        if added.is_err() {
            console.say("  rustup cannot fetch the target here; trying Debian's compiler instead");
        }
    }
    if Toolchain::find().is_none() {
        // The result is judged below, by what can be found now.
        let _ = debian_wasm(console);
    }
    if Toolchain::find().is_none() {
        bail!(
            "no Rust compiler here can build for {TARGET}. Install one:\n  \
             with rustup:  rustup target add {TARGET}\n  \
             on Debian:    apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld"
        );
    }
    Ok(())
}

/// Debian's compiler with the source of its standard library.
///
/// # Errors
/// When it may not be installed: with the line to type.
pub(crate) fn debian_wasm(console: &Console) -> Result<()> {
    if Toolchain::debian().is_some() {
        return Ok(());
    }
    debian(console, &["rustc-web", "cargo-web", "rust-web-src", "lld"])
}

/// Everything the test suite uses.
///
/// # Errors
/// Only when the build itself cannot go on; missing servers and browsers are given back.
pub(crate) fn everything(console: &Console) -> Result<Missing> {
    wasm(console)?;
    let mut missing = Missing::default();
    let mut need = |name, found: bool, packages: &[&str]| {
        if !found && let Err(error) = debian(console, packages) {
            missing.0.push((name, format!("{error:#}")));
        }
    };
    need(
        "dovecot",
        Path::new("/usr/sbin/dovecot").is_file() && Path::new("/usr/lib/dovecot/lmtp").is_file(),
        &["dovecot-imapd", "dovecot-lmtpd"],
    );
    need(
        "chromium",
        workspace::on_path("chromium").is_some(),
        &["chromium", "fonts-liberation"],
    );
    need(
        "python3",
        workspace::on_path("python3").is_some(),
        &["python3"],
    );
    need("curl", workspace::on_path("curl").is_some(), &["curl"]);
    need(
        "openssl",
        workspace::on_path("openssl").is_some(),
        &["openssl"],
    );
    need("jq", workspace::on_path("jq").is_some(), &["jq"]);
    need(
        "mbsync",
        workspace::on_path("mbsync").is_some() && sasl_knows_xoauth2(),
        &["isync", "libsasl2-modules-kdexoauth2"],
    );
    need("mutt", workspace::on_path("mutt").is_some(), &["mutt"]);
    need("msmtp", workspace::on_path("msmtp").is_some(), &["msmtp"]);
    need("msal", can_make_venv(), &["python3-venv"]);
    need(
        "node",
        workspace::on_path("node").is_some() && workspace::on_path("npm").is_some(),
        &["nodejs", "npm"],
    );
    if workspace::on_path("npm").is_some()
        && let Err(error) = node_modules(console)
    {
        missing.0.push(("node", format!("{error:#}")));
    }
    if can_make_venv()
        && let Err(error) = python_packages(console)
    {
        missing.0.push(("msal", format!("{error:#}")));
    }
    missing.report();
    Ok(missing)
}

/// `npm ci` in `tests/`, when the lock file is newer than what is installed.
fn node_modules(console: &Console) -> Result<()> {
    let tests = workspace::root().join("tests");
    let modified = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    let lock = modified(&tests.join("package-lock.json"));
    let installed = modified(&tests.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= lock {
        return Ok(());
    }
    console.step(
        "npm ci",
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(tests),
    )
}

/// What `tests/requirements.txt` names, into `target/python`, when that file is newer than what is installed.
fn python_packages(console: &Console) -> Result<()> {
    let modified = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    let wanted = workspace::root().join("tests/requirements.txt");
    let environment = workspace::root().join("target/python");
    let marker = environment.join("installed");
    if modified(&marker).is_some() && modified(&marker) >= modified(&wanted) {
        return Ok(());
    }
    console.step(
        "python3 -m venv",
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    console.step(
        "pip install",
        Command::new(environment.join("bin/python3"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "-r"])
            .arg(&wanted),
    )?;
    fs::write(marker, "")?;
    Ok(())
}

fn can_make_venv() -> bool {
    output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_some()
}

/// Whether Cyrus SASL's plugin for XOAUTH2 is here, which mbsync signs in by.
fn sasl_knows_xoauth2() -> bool {
    let libraries = format!("/usr/lib/{}-linux-gnu/sasl2", env::consts::ARCH);
    Path::new(&libraries).join("libkdexoauth2.so.3").exists()
}

/// Installs Debian packages as root or by sudo.
fn debian(console: &Console, packages: &[&str]) -> Result<()> {
    let advice = format!(
        "apt-get install --no-install-recommends {}",
        packages.join(" ")
    );
    if workspace::on_path("apt-get").is_none() {
        bail!("not a Debian machine; install what corresponds to `{advice}`");
    }
    let Some(privilege) = privilege() else {
        bail!("needs root or a sudo that asks no password: {advice}");
    };
    static LISTS: OnceLock<()> = OnceLock::new();
    if LISTS.get().is_none() {
        console.step(
            "apt-get update",
            apt(privilege).args(["-o", "DPkg::Lock::Timeout=300", "update"]),
        )?;
        LISTS.get_or_init(|| ());
    }
    console.step(
        &format!("apt-get install {}", packages.join(" ")),
        apt(privilege)
            .args([
                "-y",
                "-o",
                "DPkg::Lock::Timeout=300",
                "install",
                "--no-install-recommends",
            ])
            .args(packages),
    )
}

#[derive(Clone, Copy)]
enum Privilege {
    Root,
    Sudo,
}

fn privilege() -> Option<Privilege> {
    if output(Command::new("id").arg("-u")).as_deref() == Some("0") {
        return Some(Privilege::Root);
    }
    output(Command::new("sudo").args(["-n", "true"])).map(|_| Privilege::Sudo)
}

fn apt(privilege: Privilege) -> Command {
    let mut command = match privilege {
        Privilege::Root => Command::new("apt-get"),
        Privilege::Sudo => {
            let mut command = Command::new("sudo");
            command.args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
            command
        }
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    if env::var_os("LC_ALL").is_none() {
        command.env("LC_ALL", "C.UTF-8");
    }
    command
}
