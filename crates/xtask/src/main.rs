#![doc = include_str!("../README.md")]

mod bench;
mod check;
mod demo;
mod fuzz;
mod licences;
mod run;
mod setup;
mod test;
mod toolchain;
mod web;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::run::Console;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build and test automation of mailgrant")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what is missing, build the widget and the binary, run `mailgrant demo`
    Demo(demo::Arguments),
    /// Set up what is missing and run every test there is
    Test(test::Arguments),
    /// Build the widget and the site into target/web/dist
    Web(web::Arguments),
    /// Formatting, lints and licences
    Check,
    /// Install what the commands need and the machine lacks
    Setup,
    /// Benchmarks with their baselines in the same run
    Bench(bench::Arguments),
    /// The sandbox's parsers under libFuzzer
    Fuzz(fuzz::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Console::new();
    match run(&console, arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(console: &Console, command: Command) -> Result<()> {
    match command {
        Command::Demo(arguments) => demo::run(console, &arguments),
        Command::Test(arguments) => test::run(console, &arguments),
        Command::Web(arguments) => web::run(console, &arguments),
        Command::Check => check::run(console),
        Command::Setup => setup::everything(console).map(|missing| missing.report()),
        Command::Bench(arguments) => bench::run(console, &arguments),
        Command::Fuzz(arguments) => fuzz::run(console, &arguments),
    }
}
