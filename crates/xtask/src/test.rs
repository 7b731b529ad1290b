//! `cargo xtask test`: every test there is, on a machine that had only the stock toolchain.

use std::{env, process::Command, thread};

use anyhow::Result;

use crate::{
    check::{self, cargo},
    run::{Console, together},
    setup, web, workspace,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave formatting, lints and licences out
    #[arg(long)]
    no_check: bool,
    /// Passed on to the test runner, such as a test's name
    #[arg(last = true)]
    rest: Vec<String>,
}

/// # Errors
/// When a step or a test fails.
pub(crate) fn run(console: &Console, arguments: &Arguments) -> Result<()> {
    let missing = setup::everything(console)?;
    if !arguments.no_check {
        check::run(console)?;
    }
    together(vec![
        Box::new(|| web::compile(console)),
        Box::new(|| {
            console.step(
                "build",
                cargo().args(["build", "--locked", "--workspace", "--all-targets"]),
            )
        }),
    ])?;
    web::pack(console)?;

    let nextest = workspace::on_path("cargo-nextest").is_some();
    let mut tests = cargo();
    if nextest {
        tests.args([
            "nextest",
            "run",
            "--locked",
            "--workspace",
            "--no-fail-fast",
        ]);
        if env::var_os(THREADS).is_none() {
            tests.env(THREADS, threads().to_string());
        }
    } else {
        tests.args([
            "test",
            "--locked",
            "--workspace",
            "--all-targets",
            "--no-fail-fast",
        ]);
    }
    tests
        .args(&arguments.rest)
        .env("MAILGRANT_BIN", workspace::binary("debug"))
        .env("MAILGRANT_TESTS_MISSING", missing.names());
    honest_trust(&mut tests);
    console.hand_over("tests", &mut tests)?;
    if arguments.rest.is_empty() {
        console.hand_over(
            "documentation tests",
            cargo().args(["test", "--locked", "--workspace", "--doc"]),
        )?;
    }
    missing.report();
    console.say(format!(
        "✓ all of it in {:.0} s",
        console.elapsed().as_secs_f32()
    ));
    Ok(())
}

/// Tests for each processor: a test spends about half of its time waiting for servers, browsers and deadlines.
const TESTS_PER_PROCESSOR: usize = 2;
const THREADS: &str = "NEXTEST_TEST_THREADS";

fn threads() -> usize {
    thread::available_parallelism().map_or(TESTS_PER_PROCESSOR, |processors| {
        processors.get() * TESTS_PER_PROCESSOR
    })
}

/// A machine may point programs at its own certificate bundle; the tests bring their own authorities.
pub(crate) fn honest_trust(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if [
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
        ]
        .contains(&text.as_ref())
        {
            command.env_remove(&name);
        }
    }
}
