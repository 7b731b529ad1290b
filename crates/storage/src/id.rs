//! Identifiers: a prefix that tells what it names, and a time-ordered UUID (RFC 9562 §5.7).

use std::fmt;
use std::str::FromStr;

use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::random::{Random, random_bytes};

/// A text that is not an identifier of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}_ and 32 lower-case hexadecimal digits")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        ///
        /// Identifiers sort by the time they were made, so a list is continued after the last one seen.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new identifier.
            pub fn generate(now: UnixTime, random: &dyn Random) -> Self {
                Self(generate($prefix, now, random))
            }

            /// The identifier as it is written everywhere.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_id($prefix, &text) { Ok(Self(text)) } else { Err(InvalidId { prefix: $prefix }) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names an account: `acc_` and 32 hexadecimal digits.
    AccountId,
    "acc"
);
id!(
    /// Names a connect session: `cs_` and 32 hexadecimal digits.
    ConnectSessionId,
    "cs"
);
id!(
    /// Names an API key: `key_` and 32 hexadecimal digits. It is not the secret.
    ApiKeyId,
    "key"
);

id!(
    /// Names an import: `imp_` and 32 hexadecimal digits.
    ImportId,
    "imp"
);

id!(
    /// Names an event: `evt_` and 32 hexadecimal digits. Later events have greater identifiers, also within a second
    /// and when the clock goes back.
    EventId,
    "evt"
);

impl EventId {
    /// Comes before every event: a position where nothing has happened yet.
    pub fn beginning() -> Self {
        Self(format!("evt_{:032}", 0))
    }

    /// An identifier at this many milliseconds since 1970.
    pub(crate) fn at(milliseconds: u64, random: &dyn Random) -> Self {
        Self(at("evt", milliseconds, random))
    }
}

fn generate(prefix: &str, now: UnixTime, random: &dyn Random) -> String {
    let milliseconds = u64::try_from(now.0).unwrap_or(0).saturating_mul(1000);
    at(prefix, milliseconds, random)
}

fn at(prefix: &str, milliseconds: u64, random: &dyn Random) -> String {
    let uuid =
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &random_bytes(random)).into_uuid();
    format!("{prefix}_{}", uuid.simple())
}

fn is_id(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|digits| {
            digits.len() == 32
                && digits
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn an_identifier_reads_back() {
        let id = AccountId::generate(UnixTime(1_700_000_000), &SystemRandom);
        assert_eq!(id.as_str().parse::<AccountId>().unwrap(), id);
        assert_eq!(
            serde_json::from_str::<AccountId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
    }

    #[test]
    fn identifiers_sort_by_time() {
        let early = ApiKeyId::generate(UnixTime(1_700_000_000), &SystemRandom);
        let late = ApiKeyId::generate(UnixTime(1_700_000_001), &SystemRandom);
        assert!(early < late);
    }

    #[test]
    fn another_kind_and_odd_texts_are_refused() {
        let session = ConnectSessionId::generate(UnixTime(1), &SystemRandom);
        for text in [
            session.as_str(),
            "",
            "acc_",
            "acc_0",
            "acc_ABCDEF0123456789ABCDEF0123456789",
            "acc_' OR 1=1 --",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
