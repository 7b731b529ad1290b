//! Reading of messages through the public interface of the crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod bodies;
mod headers;
mod hostile;

use mailgrant_mail::message::{self, Email, Facts, HtmlForm};

/// A message as it is on the wire: CRLF, the indentation of the test taken off.
fn wire(text: &str) -> Vec<u8> {
    let lines = text
        .trim_start_matches('\n')
        .lines()
        .map(|line| line.strip_prefix("        ").unwrap_or(line));
    lines
        .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
        .collect()
}

fn read(text: &str) -> Email {
    read_bytes(&wire(text))
}

fn read_bytes(raw: &[u8]) -> Email {
    message::email(raw, Facts::default(), HtmlForm::Raw)
}
