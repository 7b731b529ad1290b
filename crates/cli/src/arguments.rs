//! The command line.

mod mailboxes;
mod setup;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use mailgrant_storage::{ApiKeyId, ApiScope};

pub(crate) use self::mailboxes::{
    AccountName, Accounts, AccountsCommand, AddAccounts, Format, Login, Protocol, Token,
};
pub(crate) use self::setup::{Setup, SetupFlow, SetupFormat};

/// OAuth2 mailbox access behind one REST API.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Log one JSON object a line, and answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway
    Serve(Serve),
    /// Run gateway, sandbox and a demonstration site: mailboxes to connect, no account needed
    Demo(Demo),
    /// Run Entra ID and Exchange Online in a box
    Sandbox(Sandbox),
    /// Connect a mailbox from a terminal: a device code, a pasted address, or a refresh token that is there already
    Login(Login),
    /// Print the administrator's steps for an application and its mailboxes
    Setup(Setup),
    /// Print an access token, for mutt, mbsync, msmtp, curl and scripts
    Token(Token),
    /// List, show and remove the connected mailboxes
    Accounts(Accounts),
    /// Manage API keys and the master key
    #[command(subcommand)]
    Keys(Keys),
}

/// Which settings to use.
#[derive(Debug, Args)]
pub(crate) struct Configuration {
    /// The settings file; without it, ./mailgrant.toml if there is one, and the environment
    #[arg(long, value_name = "FILE", env = "MAILGRANT_CONFIG")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub configuration: Configuration,
    /// Write {"gateway": URL} to this file when the gateway answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep everything in this folder; without it, in a temporary one that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The gateway's port; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The demonstration site's port; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub site_port: u16,
    /// Do not open the browser
    #[arg(long)]
    pub no_open: bool,
    /// Write addresses, users and keys to this file, as JSON, when everything answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Keep everything in this folder; without it, in a temporary one that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The tenant's users, mailboxes and applications, as TOML
    #[arg(long, value_name = "FILE")]
    pub tenant: Option<PathBuf>,
    /// Leave new mailboxes empty instead of filling them with sample mail: a tenant of a thousand starts at once
    #[arg(long)]
    pub empty: bool,
    /// A redirect URI for every delegated application, besides its own; may be repeated
    #[arg(long = "redirect-uri", value_name = "URL")]
    pub redirect_uris: Vec<String>,
    /// The authority's port for plain HTTP; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The authority's port for HTTPS
    #[arg(long, default_value_t = 0)]
    pub tls_port: u16,
    /// IMAP with TLS from the first byte
    #[arg(long, default_value_t = 0)]
    pub imap_port: u16,
    /// IMAP with STARTTLS
    #[arg(long, default_value_t = 0)]
    pub imap_starttls_port: u16,
    /// SMTP submission with STARTTLS
    #[arg(long, default_value_t = 0)]
    pub smtp_port: u16,
    /// SMTP submission with TLS from the first byte as well, which Exchange Online does not have
    #[arg(long, value_name = "PORT")]
    pub smtp_tls_port: Option<u16>,
    /// POP3 with TLS from the first byte
    #[arg(long, default_value_t = 0)]
    pub pop3_port: u16,
    /// POP3 with STLS
    #[arg(long, default_value_t = 0)]
    pub pop3_starttls_port: u16,
    /// Write addresses, users and applications to this file, as JSON, when everything answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make an API key and print it: it is shown this once
    Create(CreateKey),
    /// List API keys
    List(ListKeys),
    /// Revoke an API key for good
    Revoke(RevokeKey),
    /// Replace the master key; may be killed and run again, and the gateway may go on running
    RotateMaster(RotateMaster),
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    pub configuration: Configuration,
    /// What the key may be used for, separated by commas: connect, accounts:read, accounts:write,
    /// mail:read, mail:write, tokens, events; or all
    #[arg(long, required = true, value_delimiter = ',', value_parser = scopes)]
    pub scope: Vec<Scopes>,
    /// The site whose accounts and sessions the key opens
    #[arg(long, default_value = "default", value_parser = site)]
    pub site: String,
    /// A note, to tell keys apart
    #[arg(long, default_value = "")]
    pub label: String,
}

/// What one word of `--scope` stands for.
pub(crate) type Scopes = BTreeSet<ApiScope>;

#[derive(Debug, Args)]
pub(crate) struct ListKeys {
    #[command(flatten)]
    pub configuration: Configuration,
    /// Only the keys of this site
    #[arg(long)]
    pub site: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeKey {
    #[command(flatten)]
    pub configuration: Configuration,
    /// The key's identifier, key_…, as `mailgrant keys list` shows it
    pub id: ApiKeyId,
}

#[derive(Debug, Args)]
pub(crate) struct RotateMaster {
    #[command(flatten)]
    pub configuration: Configuration,
    /// Where the master key is given by an environment variable: the variable that holds the new one
    #[arg(long, value_name = "VARIABLE")]
    pub new_env: Option<String>,
}

fn scopes(word: &str) -> Result<Scopes, String> {
    if word == "all" {
        return Ok(ApiScope::ALL.iter().copied().collect());
    }
    word.parse::<ApiScope>()
        .map(|scope| Scopes::from([scope]))
        .map_err(|error| format!("{error}, all"))
}

fn site(name: &str) -> Result<String, String> {
    let fine = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if fine {
        Ok(name.to_owned())
    } else {
        Err("1 to 64 letters, digits, '-', '_' or '.'".to_owned())
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed otherwise
  2  the command line is wrong
  3  a setting, a file named by it or the master key is wrong: the message names it
  4  the database, the authority or a port is not available now: trying again may help
  5  a person has to act: sign in again, agree, or switch the account on

Logging: MAILGRANT_LOG (or RUST_LOG) takes a level or target=level pairs; the default is info.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn scopes_are_a_list_or_all() {
        let Command::Keys(Keys::Create(key)) =
            parse("mailgrant keys create --scope connect,mail:read")
                .unwrap()
                .command
        else {
            panic!("keys create")
        };
        let scopes: Scopes = key.scope.into_iter().flatten().collect();
        assert_eq!(
            scopes,
            Scopes::from([ApiScope::Connect, ApiScope::MailRead])
        );
        assert_eq!(key.site, "default");
        assert_eq!(super::scopes("all").unwrap().len(), ApiScope::ALL.len());
        let refused = parse("mailgrant keys create --scope mail:send")
            .unwrap_err()
            .to_string();
        assert!(refused.contains("mail:write"), "{refused}");
        assert!(
            parse("mailgrant keys create").is_err(),
            "a key that may do nothing is a mistake"
        );
    }

    #[test]
    fn json_is_for_every_command_and_anywhere() {
        assert!(parse("mailgrant keys list --json").unwrap().json);
        assert!(parse("mailgrant --json serve --config x").unwrap().json);
    }
}
