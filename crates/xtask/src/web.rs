//! `cargo xtask web`: the widget and the site into `target/web/dist`, compressed, with sizes and SRI hashes.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    run::Console,
    setup,
    toolchain::{StandardLibrary, TARGET, Toolchain},
    workspace,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Use Debian's rustc-web and a standard library built from source, even where rustup's toolchain could
    #[arg(long)]
    debian: bool,
}

/// # Errors
/// When no compiler can make wasm, or a step fails.
pub(crate) fn run(console: &Console, arguments: &Arguments) -> Result<()> {
    if arguments.debian {
        setup::debian_wasm(console)?;
        compile_with(console, &Toolchain::debian().context(NO_COMPILER)?)?;
        return pack(console);
    }
    setup::wasm(console)?;
    build(console)
}

/// Builds `target/web/dist/{widget,site}` and, for the tests, `target/web/tests`.
///
/// # Errors
/// When no compiler can make wasm, or a step fails.
pub(crate) fn build(console: &Console) -> Result<()> {
    compile(console)?;
    pack(console)
}

/// The wasm modules, by whichever compiler can.
///
/// # Errors
/// When none can, or the build fails.
pub(crate) fn compile(console: &Console) -> Result<()> {
    compile_with(console, &Toolchain::find().context(NO_COMPILER)?)
}

fn compile_with(console: &Console, toolchain: &Toolchain) -> Result<()> {
    console.say(match toolchain.standard_library {
        StandardLibrary::Shipped => "  wasm with the standard library that the toolchain ships",
        StandardLibrary::FromSource => "  wasm with a standard library built from Debian's source",
    });
    console.step(
        "wasm",
        toolchain
            .cargo()
            .args([
                "build",
                "--locked",
                "--lib",
                "--profile",
                "wasm",
                "--target",
                TARGET,
            ])
            .args([
                "-p",
                "mailgrant-widget",
                "-p",
                "mailgrant-wasm-tests",
                "--target-dir",
            ])
            .arg(wasm_target())
            .args(toolchain.build_arguments()),
    )
}

/// wasm-bindgen, wasm-opt, compression and hashes: the other half of this crate, which is long to build.
///
/// # Errors
/// When it fails.
pub(crate) fn pack(console: &Console) -> Result<()> {
    console.step("xtask-pack", &mut tool())?;
    let packer = workspace::target()
        .join("debug")
        .join(format!("xtask-pack{}", std::env::consts::EXE_SUFFIX));
    console.hand_over(
        "web files",
        Command::new(packer)
            .arg(workspace::root())
            .arg(wasm_target().join(TARGET).join("wasm"))
            .arg(workspace::target().join("web")),
    )
}

fn tool() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([
            "build",
            "--locked",
            "-p",
            "xtask",
            "--features",
            "pack",
            "--bin",
            "xtask-pack",
        ])
        .current_dir(workspace::root());
    command
}

/// Apart from the native target folder: compilers must not share one, and the outer cargo may hold its lock.
fn wasm_target() -> PathBuf {
    workspace::target().join("web")
}

const NO_COMPILER: &str = "no compiler for wasm; run `cargo xtask setup`";
