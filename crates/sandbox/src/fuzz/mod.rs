//! What reads other people's octets, as one function for each: for `cargo xtask fuzz` and the smoke test.
//!
//! Each takes one input, runs it through the service's own code (a whole session over a pipe, whole requests through
//! the router) and returns; what must not be is a panic. An input always does the same: clock, randomness and mail are
//! made anew for each, and time only passes when everybody waits.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "to panic is how it tells of a finding"
)]

mod form;
mod imap;
mod pipe;
mod pop3;
mod smtp;
mod tenant;

pub use form::form;
pub use imap::imap;
pub use pop3::pop3;
pub use smtp::smtp;
pub use tenant::tenant;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use mailgrant_core::time::UnixTime;
use tempfile::TempDir;

use crate::Random;

/// The moment of every input.
const NOW: UnixTime = UnixTime(1_795_000_000);

/// A folder that ends with the input, in memory where the machine has that.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}

/// Counts in place of throwing dice.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let (next, _) = next.split_at(chunk.len());
            chunk.copy_from_slice(next);
        }
    }
}

/// Who and what there is.
const TENANT: &str = r#"
[tenant]
id = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943"
display_name = "Tarnbrook Instruments"
domains = ["tarnbrook.test"]

[[user]]
address = "ada@tarnbrook.test"
display_name = "Ada Finch"
password = "pw"

[[user]]
address = "admin@tarnbrook.test"
display_name = "Edda Lindqvist"
password = "pw"
administrator = true

[[application]]
client_id = "3f0b9f4e-6d58-4c1b-9a57-8e21c4d7b605"
display_name = "Reader"
flow = "delegated"
redirect_uris = [{ uri = "http://localhost/spa", platform = "spa" }]
secrets = [{ id = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf4", value = "s" }]
permissions = ["openid", "profile", "email", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"]

[[application]]
client_id = "a84d2c17-15e3-47f9-b0d6-5c9f3e7a1288"
display_name = "Unattended"
flow = "app_only"
audience = "my_organization"
service_principal_id = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3"
secrets = [{ id = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf5", value = "s" }]
permissions = ["https://outlook.office365.com/IMAP.AccessAsApp"]
admin_consent = ["https://outlook.office365.com/IMAP.AccessAsApp"]
"#;

/// What is in the mailbox.
const MESSAGES: [&[u8]; 3] = [
    b"From: Ada <ada@tarnbrook.test>\r\nTo: bruno@tarnbrook.test, Chiara <chiara@tarnbrook.test>\r\nSubject: Hello\r\nDate: Tue, 17 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@tarnbrook.test>\r\n\r\nHello, Bruno.\r\n",
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@x.test>\r\nSubject: =?utf-8?b?w6TDtsO8?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: within\r\n\r\nbody\r\n--b\r\nContent-Type: application/pdf; name*=utf-8''a%20b.pdf\r\nContent-Disposition: attachment; filename=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--b--\r\n",
    b"\xff\xfe: \0 broken\r\nContent-Type: multipart/alternative; boundary=\r\n\r\n--\r\n\r\n--",
];
