//! Where a list of emails goes on: opaque to the caller, bound to the list it came from.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mailgrant_storage::SecretHash;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The place in a mailbox where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailCursor {
    /// The mailbox's UIDVALIDITY when the page before was read.
    #[serde(rename = "v")]
    pub(crate) uid_validity: u32,
    /// The first email of the next page.
    #[serde(rename = "u")]
    pub(crate) uid: u32,
    /// Its sequence number at that time, a hint.
    #[serde(rename = "s")]
    pub(crate) sequence: u32,
    /// Which list: mailbox and filters, digested.
    #[serde(rename = "l")]
    list: String,
}

/// The text is not a cursor of this list.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "is not a cursor of this list; take next_cursor from a page with the same mailbox and filters"
)]
pub(crate) struct NotACursor;

impl EmailCursor {
    pub(crate) fn new(list: &impl Serialize, uid_validity: u32, uid: u32, sequence: u32) -> Self {
        Self {
            uid_validity,
            uid,
            sequence,
            list: digest(list),
        }
    }

    pub(crate) fn encode(&self) -> String {
        // A struct of numbers and one string always serialises.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a cursor given out for the same list.
    pub(crate) fn decode(text: &str, list: &impl Serialize) -> Result<Self, NotACursor> {
        if text.len() > LONGEST {
            return Err(NotACursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| NotACursor)?;
        if cursor.uid == 0 || cursor.uid_validity == 0 || cursor.list != digest(list) {
            return Err(NotACursor);
        }
        Ok(cursor)
    }
}

fn digest(list: &impl Serialize) -> String {
    let hash = SecretHash::of(&serde_json::to_string(list).unwrap_or_default());
    URL_SAFE_NO_PAD.encode(hash.as_bytes().get(..12).unwrap_or_default())
}

const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_back_to_its_own_list_only() {
        let cursor = EmailCursor::new(&("INBOX", "from=anna"), 14, 99, 40);
        let text = cursor.encode();
        assert_eq!(
            EmailCursor::decode(&text, &("INBOX", "from=anna")),
            Ok(cursor)
        );
        assert_eq!(
            EmailCursor::decode(&text, &("INBOX", "from=otto")),
            Err(NotACursor)
        );
        assert_eq!(
            EmailCursor::decode(&text, &("Sent", "from=anna")),
            Err(NotACursor)
        );
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "",
            "0",
            "e30",
            "%%%",
            &"A".repeat(600),
            &URL_SAFE_NO_PAD.encode(r#"{"v":1,"u":0,"s":0,"l":""}"#),
        ] {
            assert_eq!(EmailCursor::decode(text, &()), Err(NotACursor), "{text}");
        }
    }
}
