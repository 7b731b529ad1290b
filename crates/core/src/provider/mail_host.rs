//! Mail servers.

use serde::{Deserialize, Serialize};

use crate::InvalidValue;
use crate::value::Problem;

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedMailHost")]
pub struct MailHost {
    /// A DNS name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
}

impl MailHost {
    /// Checks the host.
    ///
    /// # Errors
    ///
    /// When it is neither a DNS name nor an address, or the port is 0.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls) -> Result<Self, InvalidValue> {
        let host = host.into();
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name = !host.is_empty() && host.len() <= 253 && host.bytes().all(letters);
        if !is_name && host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(InvalidValue::new(
                "mail host",
                Problem::Form("a host name or address"),
            ));
        }
        if port == 0 {
            return Err(InvalidValue::new(
                "mail port",
                Problem::Form("between 1 and 65535"),
            ));
        }
        Ok(Self { host, port, tls })
    }
}

/// How a mail connection is protected; there is no way without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte (RFC 8314).
    Implicit,
    /// After a command; nothing that was said before counts.
    StartTls,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedMailHost {
    host: String,
    port: u16,
    tls: Tls,
}

impl TryFrom<UncheckedMailHost> for MailHost {
    type Error = InvalidValue;

    fn try_from(unchecked: UncheckedMailHost) -> Result<Self, InvalidValue> {
        Self::new(unchecked.host, unchecked.port, unchecked.tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mail_hosts_read_from_configuration() {
        let host: MailHost =
            serde_json::from_str(r#"{"host":"imap.corp.test","port":143,"tls":"starttls"}"#)
                .unwrap();
        assert_eq!(
            host,
            MailHost::new("imap.corp.test", 143, Tls::StartTls).unwrap()
        );
        for text in [
            r#"{"host":"a b","port":1,"tls":"implicit"}"#,
            r#"{"host":"a\r\nb","port":1,"tls":"implicit"}"#,
            r#"{"host":"a","port":0,"tls":"implicit"}"#,
            r#"{"host":"a","port":1,"tls":"none"}"#,
            r#"{"host":"a","port":1,"tls":"implicit","ssl":true}"#,
        ] {
            assert!(serde_json::from_str::<MailHost>(text).is_err(), "{text}");
        }
        assert!(MailHost::new("::1", 993, Tls::Implicit).is_ok());
        assert!(MailHost::new("127.0.0.1", 993, Tls::Implicit).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String, port: u16) {
            let _ = MailHost::new(text, port, Tls::Implicit);
        }
    }
}
