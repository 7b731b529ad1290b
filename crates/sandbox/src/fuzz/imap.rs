//! A whole IMAP session.

use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;

use super::{NOW, folder, pipe};
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

const MESSAGES: [&[u8]; 3] = [
    b"From: Ada <ada@tarnbrook.test>\r\nTo: bruno@tarnbrook.test, Chiara <chiara@tarnbrook.test>\r\nSubject: Hello\r\nDate: Tue, 17 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@tarnbrook.test>\r\n\r\nHello, Bruno.\r\n",
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@x.test>\r\nSubject: =?utf-8?b?w6TDtsO8?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: within\r\n\r\nbody\r\n--b\r\nContent-Type: application/pdf; name*=utf-8''a%20b.pdf\r\nContent-Disposition: attachment; filename=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n",
    b"\xff\xfe: \0 broken\r\nContent-Type: multipart/alternative; boundary=\r\n\r\n--\r\n\r\n--",
];
