//! AUTHENTICATE with XOAUTH2 or OAUTHBEARER.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use mailgrant_core::sasl::{FailureChallenge, InitialResponse, Mechanism};
use mailgrant_core::token::AccessToken;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::connection::{Connection, ask_capabilities};
use super::driver::Exchange;
use super::error::{Error, is_transient_code};
use super::response::{Condition, ConditionKind, Reply};
use super::session::Session;

impl Connection {
    /// Logs in as `user`, whose mailbox it will be: for a shared mailbox its address, not that of
    /// the person who signed in.
    ///
    /// ```text
    /// C: M0002 AUTHENTICATE XOAUTH2 <base64>            with SASL-IR (RFC 4959), else after "+ "
    /// S: + eyJzdGF0dXMiOiI0MDEi…                        a refusal, explained
    /// C:                                                 (empty line; AQ== for OAUTHBEARER)
    /// S: M0002 NO [AUTHENTICATIONFAILED] Authentication failed.
    /// ```
    ///
    /// A login that succeeds does not prove that the mailbox can be read: Exchange says so only at
    /// the first mailbox command.
    ///
    /// # Errors
    ///
    /// [`Error::Authentication`] when the token is refused, [`Error::NoMechanism`] when the server
    /// takes no token at all, [`Error::No`] or [`Error::Bad`] when it refuses for reasons of its own
    /// (throttling, an outage), and those of the connection.
    pub async fn authenticate(mut self, user: &str, token: &AccessToken) -> Result<Session, Error> {
        let deadline = Instant::now() + self.driver.limits().login_timeout;
        let timed_out = |_| Error::Timeout {
            during: "the login".into(),
        };
        let offered = timeout_at(deadline, self.capabilities())
            .await
            .map_err(timed_out)??;
        let Some(mechanism) = Mechanism::choose(offered.iter().map(String::as_str)) else {
            return Err(Error::NoMechanism {
                offered: offered.to_vec(),
            });
        };
        let at_once = offered.iter().any(|capability| capability == "SASL-IR");
        let response = match mechanism {
            Mechanism::OauthBearer => {
                InitialResponse::oauthbearer(user, token, Some((&self.host, self.port)))
            }
            _ => InitialResponse::xoauth2(user, token),
        };
        let response = response.map_err(|_| Error::InvalidInput {
            what: "the mail user",
            reason: "it is empty or holds a control character; give the mailbox's address",
        })?;

        let mut handshake = Handshake {
            mechanism,
            response: response.base64(),
            sent: false,
            challenge: None,
            exchange: self.driver.begin("AUTHENTICATE", deadline)?,
        };
        let result = handshake.run(at_once).await;
        result.map_err(|error| redact(error, &[token.expose(), &handshake.response]))?;
        self.driver.finish();

        let capabilities = timeout_at(deadline, ask_capabilities(&mut self.driver))
            .await
            .map_err(timed_out)??;
        Ok(Session::new(self.driver, capabilities))
    }
}

struct Handshake<'a> {
    mechanism: Mechanism,
    response: Zeroizing<String>,
    sent: bool,
    challenge: Option<Box<FailureChallenge>>,
    exchange: Exchange<'a>,
}

impl Handshake<'_> {
    async fn run(&mut self, at_once: bool) -> Result<(), Error> {
        let mut line = Zeroizing::new(Vec::with_capacity(self.response.len() + 32));
        line.extend_from_slice(b"AUTHENTICATE ");
        line.extend_from_slice(self.mechanism.as_str().as_bytes());
        if at_once {
            line.push(b' ');
            line.extend_from_slice(self.response.as_bytes());
            self.sent = true;
        }
        self.exchange.send_tagged(&line).await?;

        let mut rounds = 0;
        loop {
            match self.exchange.next().await.map_err(|e| self.explain(e))? {
                Reply::Untagged(_) => {}
                Reply::Continue(_) if rounds >= MAX_ROUNDS => {
                    return Err(self.exchange.protocol("challenges without an end"));
                }
                Reply::Continue(challenge) => {
                    rounds += 1;
                    self.answer(&challenge).await?;
                }
                Reply::Done { outcome, .. } => return self.conclude(outcome),
            }
        }
    }

    async fn answer(&mut self, challenge: &str) -> Result<(), Error> {
        if !std::mem::replace(&mut self.sent, true) {
            return self.exchange.send_line(self.response.as_bytes()).await;
        }
        if let Ok(parsed) = FailureChallenge::parse_base64(challenge.trim()) {
            self.challenge = Some(Box::new(parsed));
        }
        let abort = BASE64_STANDARD.encode(self.mechanism.abort());
        self.exchange.send_line(abort.as_bytes()).await
    }

    fn conclude(&mut self, outcome: Condition) -> Result<(), Error> {
        let transient = outcome.code.as_deref().is_some_and(is_transient_code);
        if outcome.kind == ConditionKind::Ok {
            if self.challenge.is_some() {
                return Err(self.exchange.protocol("OK after it had refused the token"));
            }
            return Ok(());
        }
        if outcome.kind != ConditionKind::No || transient {
            return Err(self.exchange.refused(outcome));
        }
        let text = match &outcome.code {
            Some(code) => format!("[{code}] {}", outcome.text),
            None => outcome.text.clone(),
        };
        let error = Error::Authentication {
            mechanism: self.mechanism,
            challenge: self.challenge.take(),
            text,
        };
        match error.backoff() {
            Some(Duration::ZERO) | None => Err(error),
            Some(_) => Err(self.exchange.refused(outcome)),
        }
    }

    /// Servers with a limit on the SASL line hang up without a word (measured on Dovecot 2.3).
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::Closed { during, hint: None } if self.sent => {
                let octets = self.response.len();
                let hint = if octets > MAX_SASL_OCTETS {
                    format!(
                        "the access token may be too long: its SASL form has {octets} octets, and servers with a limit take no more than {MAX_SASL_OCTETS}. Ask for fewer scopes or claims"
                    )
                } else {
                    "the server hung up instead of answering the login".into()
                };
                Error::Closed {
                    during,
                    hint: Some(hint),
                }
            }
            other => other,
        }
    }
}

/// A server that repeats the token in its refusal does not get it into a log.
fn redact(error: Error, secrets: &[&str]) -> Error {
    let clean = |text: String| {
        secrets
            .iter()
            .fold(text, |text, secret| hide(&text, secret))
    };
    match error {
        Error::Authentication {
            mechanism,
            challenge,
            text,
        } => Error::Authentication {
            mechanism,
            challenge: challenge.map(|mut challenge| {
                challenge.status = clean(std::mem::take(&mut challenge.status));
                for field in [
                    &mut challenge.schemes,
                    &mut challenge.scope,
                    &mut challenge.openid_configuration,
                ] {
                    *field = field.take().map(&clean);
                }
                challenge
            }),
            text: clean(text),
        },
        Error::No {
            command,
            text,
            code,
        } => Error::No {
            command,
            text: clean(text),
            code,
        },
        Error::Bad { command, text } => Error::Bad {
            command,
            text: clean(text),
        },
        Error::Bye { text } => Error::Bye { text: clean(text) },
        other => other,
    }
}

/// Takes `secret` out of `text`, and its beginning where the text breaks off or goes on otherwise.
fn hide(text: &str, secret: &str) -> String {
    let start = secret.get(..START_OF_SECRET).unwrap_or(secret);
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = rest.split_once(start).filter(|_| !start.is_empty()) {
        hidden.push_str(before);
        hidden.push_str("(token)");
        let tail = secret.get(start.len()..).unwrap_or_default();
        let common = found.bytes().zip(tail.bytes()).take_while(|(a, b)| a == b);
        // Secrets are ASCII, so that what equals one ends at a character.
        rest = found.get(common.count()..).unwrap_or_default();
    }
    hidden.push_str(rest);
    hidden
}

/// More than chance makes alike.
const START_OF_SECRET: usize = 12;

/// Dovecot 2.3's limit on the base64 form.
const MAX_SASL_OCTETS: usize = 8192;

/// One for the response, one for the refusal, and some slack.
const MAX_ROUNDS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::hide;

    #[test]
    fn hides_whole_and_broken_secrets() {
        let secret = "0123456789abcdefghij";
        for (text, shown) in [
            ("bad 0123456789abcdefghij!", "bad (token)!"),
            ("bad 0123456789abcdef", "bad (token)"),
            ("0123456789abXX 0123456789abcdefghij", "(token)XX (token)"),
            ("0123456789a", "0123456789a"),
            ("", ""),
        ] {
            assert_eq!(hide(text, secret), shown);
        }
        assert_eq!(hide("a short one", "short"), "a (token) one");
    }
}
