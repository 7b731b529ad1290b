//! AUTHENTICATE (RFC 3501 §6.2.2) with XOAUTH2, with and without an initial response (RFC 4959), and LOGIN.

use std::io;

use imap_codec::imap_types::auth::AuthMechanism;
use tokio::time::timeout;

use super::connection::{Connection, Open, State};
use super::reply::Reply;
use super::{MailboxAccess, Refusal};
use crate::net::{Credentials, Security, sasl_response};

impl Connection {
    /// Basic authentication is advertised and refused, as at Exchange Online.
    pub(super) fn login(&self) -> Reply {
        match self.state {
            State::NotAuthenticated => Reply::No("LOGIN failed.".into()),
            _ => Reply::invalid_state(),
        }
    }

    pub(super) async fn authenticate(
        &mut self,
        mechanism: &AuthMechanism<'_>,
        initial: Option<Vec<u8>>,
    ) -> io::Result<Reply> {
        let failed = || Reply::No("AUTHENTICATE failed.".into());
        if !matches!(self.state, State::NotAuthenticated) {
            return Ok(Reply::invalid_state());
        }
        if self.security == Security::Plain {
            return Ok(failed());
        }
        let response = match initial {
            Some(response) => response,
            None if matches!(mechanism, AuthMechanism::Plain | AuthMechanism::XOAuth2) => {
                self.wire.push(b"+ \r\n");
                self.wire.flush().await?;
                let silence = self.service.limits.login_timeout;
                let line = timeout(silence, self.wire.line()).await??;
                let Some(line) = line else {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                };
                match sasl_response(&line) {
                    Some(response) => response,
                    None if line == b"*" => {
                        return Ok(Reply::Bad("The AUTHENTICATE exchange was canceled.".into()));
                    }
                    None => return Ok(failed()),
                }
            }
            None => return Ok(failed()),
        };
        if *mechanism != AuthMechanism::XOAuth2 {
            return Ok(failed());
        }
        Ok(match Credentials::parse(&response) {
            Some(credentials) => self.open(credentials).await,
            None => failed(),
        })
    }

    async fn open(&mut self, credentials: Credentials) -> Reply {
        let service = self.service.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let Credentials { user, token } = credentials;
            let access = service
                .authenticator
                .authenticate(&user, &token, service.clock.now())?;
            let mailbox = service.store.mailbox(&access.mailbox).map_err(|error| {
                tracing::error!(%error, "IMAP: the mailbox cannot be opened");
                Refusal::NotConnected
            })?;
            Ok((mailbox, access))
        })
        .await;
        self.state = match opened {
            Ok(Ok((mailbox, MailboxAccess { expires_at, .. }))) => State::Open(Open {
                changes: mailbox.changes(),
                mailbox,
                selected: None,
                expires_at,
            }),
            Ok(Err(Refusal::NotConnected)) => State::NotConnected,
            Ok(Err(Refusal::Authentication)) | Err(_) => {
                return Reply::No("AUTHENTICATE failed.".into());
            }
        };
        Reply::done("AUTHENTICATE")
    }
}
