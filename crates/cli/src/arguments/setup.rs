//! `mailgrant setup`.

use clap::{Args, ValueEnum};
use mailgrant_doctor::setup::Address;

use super::Configuration;

#[derive(Debug, Args)]
pub(crate) struct Setup {
    #[command(flatten)]
    pub configuration: Configuration,
    /// The application's id in the settings
    #[arg(long, value_name = "ID")]
    pub application: String,
    /// The mailboxes to be opened; may be repeated
    #[arg(long = "mailbox", value_name = "ADDRESS", num_args = 1..)]
    pub mailboxes: Vec<Address>,
    /// Who signs in; without it app-only access where the provider has it
    #[arg(long, value_enum)]
    pub flow: Option<SetupFlow>,
    /// Another tenant than the application's own, which shall admit it
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Whether the application shall also send
    #[arg(long)]
    pub send: bool,
    /// What to print; --json is --format json
    #[arg(long, value_enum, default_value_t = SetupFormat::Text)]
    pub format: SetupFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SetupFlow {
    /// People sign in
    Delegated,
    /// Nobody signs in
    AppOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SetupFormat {
    /// Numbered steps to read
    Text,
    /// One PowerShell script
    Ps1,
    /// Steps and commands for programs
    Json,
}
