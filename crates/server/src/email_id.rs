//! An email's id: mailbox, UIDVALIDITY and UID, so that nothing has to be remembered.
//!
//! ```text
//! base64url( 0x01, UIDVALIDITY as u32 big endian, UID as u32 big endian, mailbox name in UTF-8 )
//! ```

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

/// Which email: valid as long as the mailbox keeps its UIDVALIDITY (RFC 9051 §2.3.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailId {
    /// The mailbox's name, as IMAP gave it.
    pub mailbox: String,
    /// The mailbox's UIDVALIDITY when the id was given out.
    pub uid_validity: u32,
    /// The email's UID; never 0.
    pub uid: u32,
}

/// The text is not an id that this gateway gave out.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not an email's id")]
pub struct NotAnEmailId;

impl EmailId {
    /// As it is sent.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.uid_validity.to_be_bytes());
        bytes.extend(self.uid.to_be_bytes());
        bytes.extend(self.mailbox.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`EmailId::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// When the text is anything that `encode` cannot have written.
    pub fn decode(text: &str) -> Result<Self, NotAnEmailId> {
        if text.len() > LONGEST {
            return Err(NotAnEmailId);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAnEmailId)?;
        let [VERSION, a, b, c, d, e, f, g, h, mailbox @ ..] = bytes.as_slice() else {
            return Err(NotAnEmailId);
        };
        let id = Self {
            mailbox: std::str::from_utf8(mailbox)
                .map_err(|_| NotAnEmailId)?
                .to_owned(),
            uid_validity: u32::from_be_bytes([*a, *b, *c, *d]),
            uid: u32::from_be_bytes([*e, *f, *g, *h]),
        };
        let sound = id.uid != 0 && id.uid_validity != 0 && is_mailbox_name(&id.mailbox);
        if sound { Ok(id) } else { Err(NotAnEmailId) }
    }
}

/// Whether the name may be written to an IMAP server at all.
pub(crate) fn is_mailbox_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_MAILBOX && !name.chars().any(char::is_control)
}

const VERSION: u8 = 1;
const LONGEST_MAILBOX: usize = 1024;
const LONGEST: usize = (LONGEST_MAILBOX + 9) / 3 * 4 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(mailbox: &str) -> EmailId {
        EmailId {
            mailbox: mailbox.to_owned(),
            uid_validity: 14,
            uid: 4_294_967_295,
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        for mailbox in ["INBOX", "Gelöschte Elemente", "a/b c", &"x".repeat(1024)] {
            let id = id(mailbox);
            assert_eq!(EmailId::decode(&id.encode()), Ok(id));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let line_break = id("INBOX\r\na LOGOUT").encode();
        let zero = EmailId {
            uid: 0,
            ..id("INBOX")
        }
        .encode();
        let padded = format!("{}=", id("INBOX").encode());
        let long = id(&"x".repeat(1025)).encode();
        for text in [
            "",
            "AQ",
            "INBOX",
            "%",
            &line_break,
            &zero,
            &padded,
            &long,
            &id("").encode(),
        ] {
            assert_eq!(EmailId::decode(text), Err(NotAnEmailId), "{text}");
        }
    }

    #[test]
    fn every_email_has_one_id_only() {
        // The last character of unpadded base64 has spare bits: a second spelling must not be accepted.
        let text = id("INBO").encode();
        let mut other = text.clone();
        let last = other.pop().unwrap();
        other.push(if last == 'B' { 'A' } else { 'B' });
        assert_ne!(EmailId::decode(&other).map(|id| id.encode()), Ok(text));
    }
}
