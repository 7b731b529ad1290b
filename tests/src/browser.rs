//! Chromium, driven by the scripts in `tests/browser`.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::root;

/// Runs a script to its end; gives what it printed.
pub fn run(script: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new("node")
        .arg(root().join("tests/browser").join(script))
        .args(arguments)
        .current_dir(root().join("tests"))
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{script}:\n{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed)
}
