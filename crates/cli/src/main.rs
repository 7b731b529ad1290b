#![doc = include_str!("../README.md")]

mod accounts;
mod arguments;
mod demo;
mod environment;
mod failure;
mod introduction;
mod keys;
mod logging;
mod login;
mod mailbox;
mod output;
mod ready;
mod sandbox;
mod serve;
mod setup;
mod shutdown;
mod token;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use mailgrant_server::Environment;

use crate::arguments::{Arguments, Command};
use crate::failure::{Exit, Failure};

fn main() -> ExitCode {
    let begun = tokio::time::Instant::now();
    let arguments = Arguments::parse();
    match run(arguments, begun) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(format_args!(
                "mailgrant: {}",
                failure::shown(&failure.message)
            ));
            failure.exit.into()
        }
    }
}

fn run(arguments: Arguments, begun: tokio::time::Instant) -> Result<(), Failure> {
    let quiet = matches!(
        arguments.command,
        Command::Login(_) | Command::Token(_) | Command::Accounts(_)
    );
    let directives = environment::log_directives();
    logging::install(directives.as_deref(), arguments.json, quiet)?;
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a cryptography provider was installed before");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(Exit::Unavailable, format!("cannot start threads: {error}"))
        })?;
    let surroundings = Environment::system();
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Serve(wanted) => serve::run(wanted, surroundings).await,
            Command::Demo(wanted) => demo::run(wanted, surroundings, begun).await,
            Command::Sandbox(wanted) => sandbox::run(wanted, begun, arguments.json).await,
            Command::Login(wanted) => login::run(wanted, surroundings, arguments.json).await,
            Command::Setup(wanted) => setup::run(&wanted, &surroundings, arguments.json),
            Command::Token(wanted) => token::run(wanted, surroundings).await,
            Command::Accounts(wanted) => accounts::run(wanted, surroundings, arguments.json).await,
            Command::Keys(wanted) => keys::run(wanted, surroundings, arguments.json).await,
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(300));
    done
}
