//! What a login shows: sentences and a spinner for people, one object a line for programs.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mailgrant_storage::Connected;
use serde_json::{Value, json};
use url::Url;

use crate::failure::{Failure, shown};
use crate::output::{print, show, tell};

/// Where a login is shown. Standard output is for the account's id, or for the objects; the rest goes to standard error.
pub(super) struct Screen {
    json: bool,
    terminal: bool,
}

impl Screen {
    pub fn new(json: bool) -> Self {
        Self {
            json,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// A sentence for a person.
    pub fn say(&self, text: &str) {
        if !self.json {
            tell(shown(text));
        }
    }

    /// An object for a program: `{"event": NAME, …}`.
    pub fn event(&self, name: &str, fields: &Value) {
        if self.json {
            let mut object = json!({"event": name});
            if let (Some(object), Some(fields)) = (object.as_object_mut(), fields.as_object()) {
                object.extend(fields.clone());
            }
            // Whoever stops listening stops no sign-in: a refresh token may be under way.
            show(object);
        }
    }

    /// Begins to show that something is waited for.
    pub fn waiting(&self) -> Waiting {
        let bar = if self.terminal && !self.json {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            ProgressBar::hidden()
        };
        Waiting {
            bar,
            lines: !self.terminal && !self.json,
            told: None,
        }
    }

    /// The account, and what can be done with it.
    ///
    /// # Errors
    /// When nobody reads its id; it is connected all the same.
    pub fn connected(&self, connected: &Connected, gateway: Option<&Url>) -> Result<(), Failure> {
        let account = &connected.account;
        self.event(
            "connected",
            &json!({
                "account_id": account.id.as_str(),
                "reconnected": connected.reconnected,
                "imap_user": account.imap_user,
                "state": account.state.as_str(),
            }),
        );
        if self.json {
            return Ok(());
        }
        let again = if connected.reconnected {
            ", the same account as before"
        } else {
            ""
        };
        let user = shown(&account.imap_user);
        tell(format_args!("Connected {user} as {}{again}.", account.id));
        tell("Next:");
        tell(format_args!(
            "  mailgrant token --account {} --format access-token",
            account.id
        ));
        if let Some(url) = gateway {
            let base = url.as_str().trim_end_matches('/');
            tell(format_args!(
                "  GET {base}/v1/accounts/{}/emails",
                account.id
            ));
        }
        print(&account.id)
    }
}

/// Something is waited for, until this is dropped.
pub(super) struct Waiting {
    bar: ProgressBar,
    lines: bool,
    told: Option<u64>,
}

impl Waiting {
    /// Tells how much time is left: by the second on a terminal, by the minute in lines.
    pub fn left(&mut self, what: &str, left: Duration) {
        let seconds = left.as_secs();
        self.bar
            .set_message(format!("{what}; {}:{:02} left", seconds / 60, seconds % 60));
        let minutes = seconds.div_ceil(60);
        if self.lines && self.told != Some(minutes) {
            self.told = Some(minutes);
            tell(format_args!("{what}; {minutes} min left"));
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
