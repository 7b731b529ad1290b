//! `cargo xtask check`: formatting, lints and licences.

use std::{env, process::Command};

use anyhow::Result;

use crate::{licences, run::Console, workspace};

/// # Errors
/// With what does not pass.
pub(crate) fn run(console: &Console) -> Result<()> {
    console.step("cargo fmt", cargo().args(["fmt", "--all", "--check"]))?;
    licences::check(console)?;
    console.step(
        "cargo clippy",
        cargo().args([
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )
}

/// The cargo that started this, at the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    command
}
