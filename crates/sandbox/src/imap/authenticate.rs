//! AUTHENTICATE (RFC 3501 §6.2.2) with XOAUTH2, with and without an initial response (RFC 4959), and LOGIN.

use std::io;

use imap_codec::imap_types::auth::AuthMechanism;
use tokio::time::timeout;

use super::connection::{Answer, Connection, NOT_CONNECTED, State};
use super::open::Open;
use super::reply::Reply;
use super::sessions::Full;
use super::staged::throttled;
use super::{PasswordRefusal, Refusal, Refused};
use crate::control::Entry;
use crate::directory::Holder;
use crate::net::{Credentials, Security, sasl_response};

impl Connection {
    /// Basic authentication is advertised and refused, as at Exchange Online.
    pub(super) fn login(&self, user: &str) -> Reply {
        if !matches!(self.state, State::NotAuthenticated) {
            return Reply::invalid_state();
        }
        self.refuse(
            user,
            "a password was sent (LOGIN): Exchange takes tokens only",
        );
        match self.service.authenticator.refuse_password(user) {
            PasswordRefusal::Failed => Reply::No("LOGIN failed.".into()),
            PasswordRefusal::Disabled => Reply::No("Basic authentication is disabled.".into()),
        }
    }

    pub(super) async fn authenticate(
        &mut self,
        tag: &str,
        mechanism: &AuthMechanism<'_>,
        initial: Option<Vec<u8>>,
    ) -> io::Result<Answer> {
        if !matches!(self.state, State::NotAuthenticated) {
            return Ok(Reply::invalid_state().into());
        }
        if self.security == Security::Plain {
            self.refuse(
                "",
                "AUTHENTICATE was sent in the clear: STARTTLS comes first",
            );
            return Ok(failed().into());
        }
        let response = match initial {
            Some(response) => Some(response),
            None if matches!(mechanism, AuthMechanism::Plain | AuthMechanism::XOAuth2) => {
                self.wire.push(b"+ \r\n");
                self.wire.flush().await?;
                let silence = self.service.limits.login_timeout;
                let line = timeout(silence, self.wire.line()).await??;
                let Some(line) = line else {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                };
                if line == b"*" {
                    let canceled = "The AUTHENTICATE exchange was canceled.";
                    return Ok(Reply::Bad(canceled.into()).into());
                }
                sasl_response(&line)
            }
            None => None,
        };
        let credentials = response
            .as_deref()
            .filter(|_| *mechanism == AuthMechanism::XOAuth2)
            .and_then(Credentials::parse);
        let user = credentials
            .as_ref()
            .map(|credentials| credentials.user.clone());
        let staged = self.strike(AUTHENTICATE, user, None);
        if let Some(staged) = staged {
            staged.wait().await;
            if staged.rule.replaces() {
                return Ok(self.play(&staged, Some(tag)));
            }
        }
        let Some(credentials) = credentials else {
            let (user, reason) = match mechanism {
                AuthMechanism::XOAuth2 => (
                    String::new(),
                    "the response is not base64 of user=…^Aauth=Bearer …^A^A",
                ),
                AuthMechanism::Plain => (
                    response.as_deref().map(plain_user).unwrap_or_default(),
                    "a password was sent (AUTHENTICATE PLAIN): Exchange takes tokens only",
                ),
                _ => (String::new(), "a mechanism other than XOAUTH2"),
            };
            self.refuse(&user, reason);
            return Ok(match self.service.authenticator.refuse_password(&user) {
                PasswordRefusal::Disabled if *mechanism == AuthMechanism::Plain => {
                    Reply::No("Basic authentication is disabled.".into()).into()
                }
                _ => failed().into(),
            });
        };
        Ok(self.open(credentials).await.into())
    }

    async fn open(&mut self, credentials: Credentials) -> Reply {
        let service = self.service.clone();
        let user = credentials.user.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let Credentials { user, token } = credentials;
            let now = service.clock.now();
            let access = service.authenticator.authenticate(&user, &token, now)?;
            let mailbox = service.store.mailbox(&access.mailbox).map_err(|error| {
                tracing::error!(%error, "IMAP: the mailbox cannot be opened");
                Refused {
                    refusal: Refusal::NotConnected,
                    reason: "the mailbox cannot be read from the disk".to_owned(),
                }
            })?;
            Ok((mailbox, access))
        })
        .await;
        let now = self.service.clock.now();
        let mut entry = Entry::new(now, "imap_login");
        entry.user = Some(user);
        let (mailbox, access) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(Refused { refusal, reason })) => {
                entry.detail = Some(reason);
                let reply = match refusal {
                    Refusal::NotConnected => {
                        entry.outcome = "not_connected".to_owned();
                        self.state = State::NotConnected(NOT_CONNECTED.into());
                        Reply::done(AUTHENTICATE)
                    }
                    Refusal::Authentication => {
                        entry.outcome = "refused".to_owned();
                        failed()
                    }
                };
                self.service.authenticator.record(entry);
                return reply;
            }
            Err(_) => return failed(),
        };
        if let Some(Holder::Application(client_id)) = &access.holder {
            entry.client_id = Some(client_id.clone());
        }
        self.wire.belongs_to(&access.mailbox);
        let limits = self.service.authenticator.limits(&access.mailbox);
        let entered = self
            .service
            .sessions
            .enter(&access, &limits, self.service.clock.now());
        self.state = match entered {
            Ok(session) => State::Open(Box::new(Open {
                changes: mailbox.changes(),
                mailbox,
                selected: None,
                expires_at: access.expires_at,
                session,
                structure: None,
                staged: None,
            })),
            Err(Full::Connections(limit)) => {
                entry.outcome = "not_connected".to_owned();
                entry.detail = Some(format!(
                    "{limit} connections to this mailbox are open already (tenant.imap_limits.connections)"
                ));
                State::NotConnected(NOT_CONNECTED.into())
            }
            Err(Full::Throttled(left)) => {
                entry.outcome = "not_connected".to_owned();
                entry.detail = Some(format!(
                    "the mailbox is throttled for {left} ms more (tenant.imap_limits)"
                ));
                State::NotConnected(throttled(left).into())
            }
        };
        self.service.authenticator.record(entry);
        Reply::done(AUTHENTICATE)
    }

    /// Writes down why a login was refused that no token came with.
    fn refuse(&self, user: &str, reason: &str) {
        let now = self.service.clock.now();
        let mut entry = Entry::new(now, "imap_login");
        entry.user = (!user.is_empty()).then(|| user.to_owned());
        entry.outcome = "refused".to_owned();
        entry.detail = Some(reason.to_owned());
        self.service.authenticator.record(entry);
    }
}

fn failed() -> Reply {
    Reply::No("AUTHENTICATE failed.".into())
}

/// `[authzid] NUL authcid NUL passwd` (RFC 4616): the authcid.
fn plain_user(response: &[u8]) -> String {
    let user = response.split(|byte| *byte == 0).nth(1);
    String::from_utf8_lossy(user.unwrap_or_default()).into_owned()
}

const AUTHENTICATE: &str = "AUTHENTICATE";
