//! `cargo xtask demo`: from a fresh clone to the mailbox in the browser.

use std::process::Command;

use anyhow::Result;

use crate::{
    check::cargo,
    run::{Console, together},
    setup, web, workspace,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build optimised: slower to build, faster to run
    #[arg(long)]
    release: bool,
    /// Build everything, but do not start it
    #[arg(long)]
    build_only: bool,
    /// Passed on to `mailgrant demo`, such as `--port 8080` or `--no-open`
    #[arg(last = true)]
    rest: Vec<String>,
}

/// # Errors
/// When a step fails.
pub(crate) fn run(console: &Console, arguments: &Arguments) -> Result<()> {
    let profile = if arguments.release {
        "release"
    } else {
        "debug"
    };
    let mut build = cargo();
    build.args(["build", "--locked", "-p", "mailgrant", "--bin", "mailgrant"]);
    if arguments.release {
        // A release binary carries the web files inside, so they come first.
        setup::wasm(console)?;
        web::build(console)?;
        console.step("mailgrant", build.arg("--release"))?;
    } else {
        together(vec![
            Box::new(|| {
                setup::wasm(console)?;
                web::compile(console)
            }),
            Box::new(move || console.step("mailgrant", &mut build)),
        ])?;
        web::pack(console)?;
    }
    console.say(format!(
        "✓ built in {:.0} s",
        console.elapsed().as_secs_f32()
    ));
    if arguments.build_only {
        return Ok(());
    }
    console.hand_over(
        "demo",
        Command::new(workspace::binary(profile))
            .arg("demo")
            .args(&arguments.rest),
    )
}
