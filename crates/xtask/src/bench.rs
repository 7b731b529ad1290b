//! `cargo xtask bench`: benchmarks beside their baselines, written to `target/bench/*.json`.

use std::fs;

use anyhow::Result;

use crate::{check::cargo, run::Console, setup, test::honest_trust, web, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the benchmarks whose name holds this
    filter: Option<String>,
}

/// # Errors
/// When a step fails.
pub(crate) fn run(console: &Console, arguments: &Arguments) -> Result<()> {
    let missing = setup::everything(console)?;
    web::build(console)?;
    console.step(
        "mailgrant (release)",
        cargo().args(["build", "--locked", "--release", "-p", "mailgrant"]),
    )?;
    let out = workspace::target().join("bench");
    fs::create_dir_all(&out)?;
    let mut bench = cargo();
    bench
        .args(["bench", "--locked", "-p", "mailgrant-tests"])
        .env("MAILGRANT_BIN", workspace::binary("release"))
        .env("MAILGRANT_TESTS_MISSING", missing.names())
        .env("MAILGRANT_TESTS_LOG", "info")
        .env("MAILGRANT_BENCH_OUT", out);
    honest_trust(&mut bench);
    if let Some(filter) = &arguments.filter {
        bench.arg("--").arg(filter);
    }
    console.hand_over("benchmarks", &mut bench)
}
