//! A whole POP3 session.

use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;

use super::{MESSAGES, NOW, folder, pipe};
use crate::Clock;
use crate::mailstore::MailStore;
use crate::net::Security;
use crate::pop3::{self as service, Authenticator, MailboxAccess, Refusal};

/// The first octet says how the session begins and how the octets arrive, the others are what the client says.
///
/// `A` in the clear, `B` encrypted, `C` logged in, `D` with a message marked as deleted, `E` half-way through the login;
/// the next five letters the same octet by octet, then in pieces of 7, then of 64.
pub fn pop3(input: &[u8]) {
    let Some((choice, said)) = input.split_first() else {
        return;
    };
    let choice = choice.wrapping_sub(b'A');
    let beginning: Vec<u8> = match choice % 5 {
        0 | 1 => Vec::new(),
        2 => LOGIN.to_vec(),
        3 => [LOGIN, b"DELE 2\r\n"].concat(),
        _ => b"AUTH XOAUTH2\r\n".to_vec(),
    };
    let folder = folder();
    let store = Arc::new(MailStore::open(folder.path(), NOW).expect("a store"));
    let mailbox = store.mailbox("ada@tarnbrook.test").expect("a mailbox");
    for message in MESSAGES {
        mailbox.deliver(message, NOW).expect("a message");
    }
    let heard = pipe::session(
        service::portless(pipe::tls(), store, Arc::new(Tokens), Clock::fixed(NOW)),
        if choice % 5 == 0 {
            Security::Plain
        } else {
            Security::Encrypted
        },
        &[&beginning, said].concat(),
        pipe::pieces(choice / 5),
    );
    assert!(heard.starts_with(b"+OK "), "no greeting");
    if choice % 5 != 0 {
        assert!(heard.ends_with(b"\r\n"), "the last line is whole");
    }
}

/// Knows one token.
struct Tokens;

impl Authenticator for Tokens {
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refusal> {
        match token {
            "good" => Ok(MailboxAccess {
                mailbox: user.to_owned(),
                expires_at: now + Duration::from_secs(3600),
            }),
            _ => Err(Refusal::Authentication),
        }
    }
}

const LOGIN: &[u8] =
    b"AUTH XOAUTH2\r\ndXNlcj1hZGFAdGFybmJyb29rLnRlc3QBYXV0aD1CZWFyZXIgZ29vZAEB\r\n";
