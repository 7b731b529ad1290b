//! Text that must not be seen.

use std::fmt;

use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret string: overwritten when dropped, compared in constant time, never shown.
///
/// It has no `Display` and no `Serialize`, and its `Debug` tells nothing, not even the length:
///
/// ```
/// use mailgrant_core::secret::Secret;
///
/// let secret = Secret::new("tr0ub4dor&3");
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// assert_eq!(secret.expose(), "tr0ub4dor&3");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over. What the caller copied elsewhere is the caller's to overwrite.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(Zeroizing::new(secret.into()))
    }

    /// The text itself, for the one place that sends or seals it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A secret newtype: checked when made, hidden in `Debug`, compared in constant time.
macro_rules! secret_newtype {
    ($(#[$documentation:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name($crate::secret::Secret);

        impl $name {
            /// Takes the value over.
            ///
            /// # Errors
            ///
            /// Refuses what the wire cannot carry: nothing at all, control characters, and
            /// whatever else the grammar of this value excludes.
            pub fn new(value: impl Into<String>) -> Result<Self, $crate::InvalidValue> {
                // Wrapped before it is checked, so that a refused secret is overwritten too.
                let secret = $crate::secret::Secret::new(value);
                $check($what, secret.expose())?;
                Ok(Self(secret))
            }

            /// The value itself, for the one place that sends or seals it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(value).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use secret_newtype;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_whole_values() {
        assert_eq!(Secret::new("abc"), Secret::new("abc"));
        assert_ne!(Secret::new("abc"), Secret::new("abd"));
        assert_ne!(Secret::new("abc"), Secret::new("ab"));
    }

    #[test]
    fn debug_hides_the_text_in_containers_too() {
        let shown = format!("{:#?}", Some(vec![Secret::new("canary")]));
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn reads_from_json() {
        let secret: Secret = serde_json::from_str("\"a\\u0062c\"").unwrap();
        assert_eq!(secret.expose(), "abc");
        assert_eq!(secret.len(), 3);
    }
}
