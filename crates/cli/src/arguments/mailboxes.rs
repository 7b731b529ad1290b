//! The commands about connected mailboxes: login, token, accounts.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use mailgrant_storage::AccountId;
use url::Url;

use super::{Configuration, site};

#[derive(Debug, Args)]
#[command(after_help = LOGIN_HELP)]
pub(crate) struct Login {
    #[command(flatten)]
    pub configuration: Configuration,
    /// Which application of the settings to sign in with
    #[arg(long, value_name = "ID")]
    pub application: String,
    /// The shared mailbox to open instead of the person's own
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub mailbox: Option<String>,
    /// The site that the account belongs to, as API keys do
    #[arg(long, default_value = "default", value_parser = site)]
    pub site: String,
    /// A note, kept as `label` in the account's metadata
    #[arg(long)]
    pub label: Option<String>,
    /// Show an address to open in any browser; the address that it ends at is pasted here
    #[arg(long, conflicts_with = "import")]
    pub paste: bool,
    /// Where the authority sends the browser back to, as registered; nothing has to listen there
    #[arg(
        long,
        value_name = "URL",
        requires = "paste",
        default_value = "http://localhost"
    )]
    pub redirect_uri: Url,
    /// Take over a refresh token of this application, from a file or (-) from standard input
    #[arg(long, value_name = "FILE")]
    pub import: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(crate) struct Token {
    #[command(flatten)]
    pub configuration: Configuration,
    #[command(flatten)]
    pub whose: Whose,
    /// The mailbox to name in xoauth2 and oauthbearer; an account has its own
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub mailbox: Option<String>,
    /// The tenant whose mailbox it is, by id or domain, where the application is one for many
    #[arg(long, value_name = "TENANT", requires = "application")]
    pub tenant: Option<String>,
    /// Which server it is for: decides the user name, and the host in oauthbearer
    #[arg(long, value_enum, default_value_t = Protocol::Imap)]
    pub protocol: Protocol,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,
    /// How long the token must still be good, at least
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub min_lifetime: u64,
    /// How long to go on trying while the authority or the database is not available
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,
    /// Ask this running gateway, which needs no settings file here and no database
    #[arg(long, value_name = "URL", conflicts_with = "application")]
    pub gateway: Option<Url>,
    /// The gateway's API key (scope tokens) in a file; otherwise in MAILGRANT_API_KEY
    #[arg(long, value_name = "FILE", requires = "gateway")]
    pub api_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// A token for this account: its id, or its address where that is unambiguous
    #[arg(long, value_name = "ID|ADDRESS")]
    pub account: Option<AccountName>,
    /// An app-only token of this application (client credentials)
    #[arg(long, value_name = "ID")]
    pub application: Option<String>,
}

/// How an account is called on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccountName {
    Id(AccountId),
    Address(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Imap,
    Smtp,
    Pop3,
}

impl From<Protocol> for mailgrant_server::Protocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Imap => Self::Imap,
            Protocol::Smtp => Self::Smtp,
            Protocol::Pop3 => Self::Pop3,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Token, end and SASL strings, as one JSON object
    Json,
    /// The access token alone
    AccessToken,
    /// The initial response of AUTHENTICATE XOAUTH2, in base64
    Xoauth2,
    /// The initial response of AUTHENTICATE OAUTHBEARER, in base64
    Oauthbearer,
}

#[derive(Debug, Args)]
pub(crate) struct Accounts {
    /// The settings file; without it, ./mailgrant.toml if there is one, and the environment
    #[arg(long, value_name = "FILE", env = "MAILGRANT_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<AccountsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// One line for each: id, state, flow, application, address
    List {
        /// Only accounts of this site
        #[arg(long)]
        site: Option<String>,
    },
    /// Add mailboxes that an application opens by itself (app-only): each is opened, and its folders are listed, first
    #[command(after_help = ADD_HELP)]
    Add(AddAccounts),
    /// Everything about one: state, what is wrong and what to do, ages, ends
    Show {
        /// Its id, or its address where that is unambiguous
        #[arg(value_name = "ID|ADDRESS")]
        account: AccountName,
    },
    /// Forget an account with its grant; the person's consent at the authority stays
    Remove {
        /// Its id, or its address where that is unambiguous
        #[arg(value_name = "ID|ADDRESS")]
        account: AccountName,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddAccounts {
    /// Which application of the settings opens them
    #[arg(long, value_name = "ID")]
    pub application: String,
    /// The tenant of the mailboxes, where the application serves many
    #[arg(long)]
    pub tenant: Option<String>,
    /// The site that the accounts belong to, as API keys do
    #[arg(long, default_value = "default", value_parser = site)]
    pub site: String,
    /// A note, kept as `label` in the accounts' metadata
    #[arg(long)]
    pub label: Option<String>,
    /// The mailboxes, one or many
    #[arg(value_name = "ADDRESS", required = true, value_parser = address)]
    pub addresses: Vec<String>,
}

impl FromStr for AccountName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("acc_") {
            return text.parse().map(Self::Id).map_err(|_| {
                "an account's id is acc_ and 32 letters or digits; `mailgrant accounts` shows it"
                    .to_owned()
            });
        }
        address(text).map(Self::Address)
    }
}

fn address(text: &str) -> Result<String, String> {
    let fine = text.len() <= 320
        && !text
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace())
        && text
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if fine {
        Ok(text.to_owned())
    } else {
        Err("must be an address such as ada@example.com".to_owned())
    }
}

const LOGIN_HELP: &str = "\
Standard output is the account's id and nothing else; with --json one object a line, the last of which has the id.
Nothing is stored before the mailbox has been opened, and it may be interrupted at any moment.";

const ADD_HELP: &str = "\
Standard output is one account id a line; with --json one object a line for each mailbox, with what is wrong and what to do.
One that was added before is opened again, so this is also the check of a set-up: exit code 0 says that all of them open.";

const TOKEN_HELP: &str = "\
Standard output is what --format names and one line end, or nothing. Tokens are kept, sealed, in the database and
shared with a running gateway: asking every minute costs one request to the authority in the token's lifetime.
Exit code 4: try again later (or --wait); 5: a person has to act, see `mailgrant accounts show`.";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::arguments::{Arguments, Command};

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn a_token_is_somebodys() {
        assert!(parse("mailgrant token").is_err());
        assert!(
            parse("mailgrant token --application a --account acc_0123456789abcdef0123456789abcdef")
                .is_err()
        );
        assert!(parse("mailgrant token --account nonsense").is_err());
        assert!(parse("mailgrant token --account acc_nonsense").is_err());
        assert!(parse("mailgrant token --account ada@example.com --protocol smtp").is_ok());
        assert!(parse("mailgrant token --application a --format xoauth2").is_ok());
    }

    #[test]
    fn a_gateway_is_asked_for_accounts_only() {
        let gateway = "--gateway https://mail.example.com --api-key-file key";
        assert!(
            parse(&format!(
                "mailgrant token --account ada@example.com {gateway}"
            ))
            .is_ok()
        );
        assert!(parse(&format!("mailgrant token --application a {gateway}")).is_err());
        assert!(parse("mailgrant token --account ada@example.com --api-key-file key").is_err());
    }

    #[test]
    fn a_login_goes_one_way() {
        let login = |more: &str| parse(&format!("mailgrant login --application a {more}"));
        assert!(login("").is_ok() && login("--paste").is_ok() && login("--import -").is_ok());
        assert!(login("--paste --import token").is_err());
        assert!(
            login("--redirect-uri http://localhost/x").is_err(),
            "nothing is sent back"
        );
        assert!(login("--paste --redirect-uri http://localhost/x").is_ok());
        assert!(login("--mailbox ada").is_err());
    }

    #[test]
    fn accounts_are_listed_unless_something_else_is_asked() {
        let Command::Accounts(bare) = parse("mailgrant accounts --config x").unwrap().command
        else {
            panic!("accounts")
        };
        assert!(bare.command.is_none());
        let Command::Accounts(shown) = parse("mailgrant accounts show ada@example.com --config x")
            .unwrap()
            .command
        else {
            panic!("accounts")
        };
        assert!(shown.config.is_some());
        assert!(parse("mailgrant accounts remove").is_err());
        assert!(
            parse("mailgrant accounts add --application a ada@example.com b@example.com").is_ok()
        );
        assert!(parse("mailgrant accounts add --application a").is_err());
        assert!(parse("mailgrant accounts add --application a ada").is_err());
    }
}
