//! What the mail services share: taking connections in, encrypting them, reading lines and writing octets,
//! everything under limits.

mod door;
pub mod fault;
pub mod rule;
mod sasl;
mod server;
#[cfg(test)]
pub(crate) mod test_tls;
mod wire;

use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use door::{Door, Service, Tls};
pub(crate) use sasl::{Credentials, sasl_response};
pub use server::Server;
pub(crate) use wire::{Line, Wire};

/// A connection, with or without TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Whether what passes is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    Encrypted,
}

/// A host name as Exchange's IMAP and POP3 greetings show it: base64 of its UTF-16LE.
pub(crate) fn hidden_host_name(host_name: &str) -> String {
    use base64::Engine as _;
    let utf16: Vec<u8> = host_name
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    base64::engine::general_purpose::STANDARD.encode(utf16)
}
