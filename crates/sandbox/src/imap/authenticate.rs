//! AUTHENTICATE (RFC 3501 §6.2.2) with XOAUTH2, with and without an initial response (RFC 4959), and LOGIN.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imap_codec::imap_types::auth::AuthMechanism;
use tokio::time::timeout;

use super::connection::{Connection, Open, State};
use super::reply::Reply;
use super::{MailboxAccess, Refusal};
use crate::net::Security;

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
                match response(&line) {
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

/// The user and token of an XOAUTH2 response. The token is shown to nobody.
#[derive(PartialEq, Eq)]
struct Credentials {
    user: String,
    token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// ```text
    /// user= U ^A auth=Bearer T ^A ^A
    /// ```
    fn parse(response: &[u8]) -> Option<Credentials> {
        let response = std::str::from_utf8(response).ok()?;
        let rest = response.strip_prefix("user=")?;
        let (user, rest) = rest.split_once('\x01')?;
        let (auth, end) = rest.split_once('\x01')?;
        let (scheme, token) = auth.strip_prefix("auth=")?.split_once(' ')?;
        let good = end == "\x01"
            && scheme.eq_ignore_ascii_case("Bearer")
            && !user.is_empty()
            && !token.is_empty();
        good.then(|| Credentials {
            user: user.to_owned(),
            token: token.to_owned(),
        })
    }
}

/// A line of a SASL exchange: base64. A `*` (the client gives up) is none.
fn response(line: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_microsofts_page() {
        let response = response(b"dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==").unwrap();
        let credentials = Credentials::parse(&response).unwrap();
        assert_eq!(credentials.user, "test@contoso.onmicrosoft.com");
        assert_eq!(
            credentials.token,
            "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"
        );
        assert!(!format!("{credentials:?}").contains("EwBA"));
    }

    #[test]
    fn what_is_no_xoauth2_response() {
        for bad in [
            "",
            "user=a@x.test",
            "user=a@x.test\x01auth=Bearer t",
            "user=a@x.test\x01auth=Bearer t\x01",
            "user=a@x.test\x01auth=Basic t\x01\x01",
            "user=\x01auth=Bearer t\x01\x01",
            "user=a@x.test\x01auth=Bearer \x01\x01",
            "user=a@x.test\x01auth=Bearer t\x01\x01x",
            "n,a=a@x.test,\x01auth=Bearer t\x01\x01",
        ] {
            assert_eq!(Credentials::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert!(Credentials::parse(b"user=\xff\x01auth=Bearer t\x01\x01").is_none());
        assert_eq!(response(b"*"), None);
    }
}
