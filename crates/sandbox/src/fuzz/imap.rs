//! A whole IMAP session.

use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;

use super::{MESSAGES, NOW, folder, pipe};
use crate::Clock;
use crate::imap::{self as service, Authenticator, MailboxAccess, Refusal, Refused};
use crate::mailstore::MailStore;
use crate::net::Security;

/// The first octet says how the session begins and how the octets arrive, the others are what the client says.
///
/// `A` in the clear, `B` encrypted, `C` logged in, `D` with the inbox selected, `E` logged in to nothing; the next five
/// letters the same octet by octet, then in pieces of 7, then of 64.
pub fn imap(input: &[u8]) {
    let Some((choice, said)) = input.split_first() else {
        return;
    };
    let choice = choice.wrapping_sub(b'A');
    let beginning: &[u8] = match choice % 5 {
        0 | 1 => b"",
        2 => b"z1 AUTHENTICATE XOAUTH2 dXNlcj1hZGFAdGFybmJyb29rLnRlc3QBYXV0aD1CZWFyZXIgZ29vZAEB\r\n",
        3 => b"z1 AUTHENTICATE XOAUTH2 dXNlcj1hZGFAdGFybmJyb29rLnRlc3QBYXV0aD1CZWFyZXIgZ29vZAEB\r\nz2 SELECT INBOX\r\n",
        _ => b"z1 AUTHENTICATE XOAUTH2 dXNlcj1hZGFAdGFybmJyb29rLnRlc3QBYXV0aD1CZWFyZXIgc3RyYW5nZXIBAQ==\r\n",
    };
    let folder = folder();
    let store = Arc::new(MailStore::open(folder.path(), NOW).expect("a store"));
    let mailbox = store.mailbox("ada@tarnbrook.test").expect("a mailbox");
    for message in MESSAGES {
        mailbox.deliver(message, NOW).expect("a message");
    }
    let (tokens, clock) = (Arc::new(Tokens), Clock::fixed(NOW));
    let heard = pipe::session(
        service::portless(pipe::tls(), store, tokens, clock),
        if choice % 5 == 0 {
            Security::Plain
        } else {
            Security::Encrypted
        },
        &[beginning, said].concat(),
        pipe::pieces(choice / 5),
    );
    assert!(heard.starts_with(b"* OK "), "no greeting");
    if choice % 5 != 0 {
        assert!(heard.ends_with(b"\r\n"), "the last line is whole");
    }
}

/// Knows two tokens.
struct Tokens;

impl Authenticator for Tokens {
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refused> {
        let refused = |refusal| {
            Err(Refused {
                refusal,
                reason: "not a good token".to_owned(),
            })
        };
        match token {
            "good" => Ok(MailboxAccess {
                mailbox: user.to_owned(),
                expires_at: now + Duration::from_secs(3600),
                holder: None,
            }),
            "stranger" => refused(Refusal::NotConnected),
            _ => refused(Refusal::Authentication),
        }
    }
}
