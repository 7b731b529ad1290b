//! `mailgrant token`: an access token on standard output, for the programs that open a mailbox by one.

mod kept;
mod remote;

use std::io::Write as _;
use std::time::Duration;

use mailgrant_core::provider::MailHost;
use mailgrant_core::sasl::InitialResponse;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::AccessToken;
use mailgrant_server::Environment;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::arguments::{Format, Token};
use crate::environment::{moment, now};
use crate::failure::{Exit, Failure};
use crate::shutdown::Signals;

/// Obtains a token and prints it, and nothing else.
///
/// # Errors
/// When there is none to be had; the exit code tells whose turn it is.
pub(crate) async fn run(arguments: Token, surroundings: Environment) -> Result<(), Failure> {
    let names_a_mailbox = matches!(arguments.format, Format::Xoauth2 | Format::Oauthbearer);
    if names_a_mailbox && arguments.whose.application.is_some() && arguments.mailbox.is_none() {
        return Err(mailbox_missing());
    }
    let found = patiently(&arguments, &surroundings).await?;
    let left = found
        .expires_at
        .map(|end| end.since(now(&surroundings)).as_secs());
    if let Some(left) = left.filter(|left| *left < arguments.min_lifetime) {
        return Err(Failure::new(
            Exit::Failed,
            format!(
                "--min-lifetime {}: the newest token is good for {left} s",
                arguments.min_lifetime
            ),
        ));
    }
    let text = found.text(arguments.format)?;
    // A reader that has gone away is an error here, not a panic.
    writeln!(std::io::stdout().lock(), "{text}").map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("the token cannot be written: {error}"),
        )
    })
}

/// A token, and what else is needed to log in with it.
#[derive(Debug)]
struct Found {
    token: AccessToken,
    expires_at: Option<UnixTime>,
    user: Option<String>,
    host: Option<MailHost>,
}

/// Why there was no token this time.
struct Refusal {
    failure: Failure,
    /// How long to wait, where somebody asked for it.
    retry_after: Option<Duration>,
}

impl<F: Into<Failure>> From<F> for Refusal {
    fn from(failure: F) -> Self {
        Self {
            failure: failure.into(),
            retry_after: None,
        }
    }
}

/// Tries again while the fault may pass and `--wait` lasts.
async fn patiently(arguments: &Token, surroundings: &Environment) -> Result<Found, Failure> {
    let deadline = Instant::now() + Duration::from_secs(arguments.wait.min(LONGEST_WAIT));
    let mut pause = FIRST_PAUSE;
    let mut signals = Signals::listen()?;
    loop {
        let tried = match &arguments.gateway {
            Some(gateway) => tokio::select! {
                tried = remote::ask(arguments, gateway) => tried,
                () = signals.received() => Err(interrupted().into()),
            },
            None => kept::ask(arguments, surroundings, &mut signals).await,
        };
        let refusal = match tried {
            Ok(found) => return Ok(found),
            Err(refusal) => refusal,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let wanted = refusal.retry_after.unwrap_or(pause).max(FIRST_PAUSE);
        if refusal.failure.exit != Exit::Unavailable || left < wanted {
            return Err(refusal.failure);
        }
        tracing::warn!(
            seconds = wanted.as_secs(),
            "{}; trying again",
            refusal.failure.message
        );
        tokio::select! {
            () = sleep(wanted) => {}
            () = signals.received() => return Err(interrupted()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Found {
    fn text(&self, format: Format) -> Result<String, Failure> {
        let user = || self.user.as_deref().ok_or_else(mailbox_missing);
        Ok(match format {
            Format::AccessToken => self.token.expose().to_owned(),
            Format::Xoauth2 => self.xoauth2(user()?)?,
            Format::Oauthbearer => self.oauthbearer(user()?)?,
            Format::Json => {
                let user = self.user.as_deref();
                let view = TokenView {
                    access_token: self.token.expose(),
                    token_type: "Bearer",
                    expires_at: self.expires_at.map(moment),
                    user,
                    xoauth2: user.map(|user| self.xoauth2(user)).transpose()?,
                    oauthbearer: user.map(|user| self.oauthbearer(user)).transpose()?,
                };
                json!(view).to_string()
            }
        })
    }

    fn xoauth2(&self, user: &str) -> Result<String, Failure> {
        InitialResponse::xoauth2(user, &self.token)
            .map(|response| response.base64().to_string())
            .map_err(unusable)
    }

    fn oauthbearer(&self, user: &str) -> Result<String, Failure> {
        let host = self
            .host
            .as_ref()
            .map(|MailHost { host, port, .. }| (host.as_str(), *port));
        InitialResponse::oauthbearer(user, &self.token, host)
            .map(|response| response.base64().to_string())
            .map_err(unusable)
    }
}

/// What can be typed next, a line each.
fn with_steps<'a>(mut message: String, steps: impl IntoIterator<Item = &'a String>) -> String {
    for step in steps {
        message.push_str("\n  - ");
        message.push_str(step);
    }
    message
}

fn interrupted() -> Failure {
    Failure::new(Exit::Failed, "interrupted before there was a token")
}

fn mailbox_missing() -> Failure {
    Failure::new(
        Exit::Usage,
        "--format: xoauth2 and oauthbearer name a mailbox; add --mailbox ADDRESS",
    )
}

fn unusable(error: mailgrant_core::sasl::SaslError) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the token cannot be sent by SASL: {error}"),
    )
}

/// As the gateway's API shows it; without a mailbox there are no SASL strings.
#[derive(Serialize)]
struct TokenView<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xoauth2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauthbearer: Option<String>,
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A day: who waits longer has another plan.
const LONGEST_WAIT: u64 = 86_400;

#[cfg(test)]
mod tests {
    use mailgrant_core::provider::Tls;

    use super::*;

    fn shown(format: Format, user: Option<&str>) -> Result<String, Failure> {
        Found {
            token: AccessToken::new("token").unwrap(),
            expires_at: Some(UnixTime(1_790_000_000)),
            user: user.map(str::to_owned),
            host: MailHost::new("imap.example", 993, Tls::Implicit).ok(),
        }
        .text(format)
    }

    #[test]
    fn each_format_is_what_a_script_wants() {
        assert_eq!(shown(Format::AccessToken, None).unwrap(), "token");
        // "user=ada@example.com\x01auth=Bearer token\x01\x01"
        assert_eq!(
            shown(Format::Xoauth2, Some("ada@example.com")).unwrap(),
            "dXNlcj1hZGFAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdG9rZW4BAQ=="
        );
        // "n,a=ada@example.com,\x01host=imap.example\x01port=993\x01auth=Bearer token\x01\x01"
        assert_eq!(
            shown(Format::Oauthbearer, Some("ada@example.com")).unwrap(),
            "bixhPWFkYUBleGFtcGxlLmNvbSwBaG9zdD1pbWFwLmV4YW1wbGUBcG9ydD05OTMBYXV0aD1CZWFyZXIgdG9rZW4BAQ=="
        );
        let json: serde_json::Value =
            serde_json::from_str(&shown(Format::Json, Some("ada@example.com")).unwrap()).unwrap();
        assert_eq!(json["expires_at"], "2026-09-21T14:13:20Z");
        assert_eq!(json["user"], "ada@example.com");
    }

    #[test]
    fn sasl_strings_need_a_mailbox() {
        let failure = shown(Format::Oauthbearer, None).unwrap_err();
        assert!(failure.message.contains("--mailbox"), "{}", failure.message);
        assert_eq!(failure.exit, Exit::Usage);
        let json: serde_json::Value =
            serde_json::from_str(&shown(Format::Json, None).unwrap()).unwrap();
        assert!(json.get("xoauth2").is_none());
    }
}
