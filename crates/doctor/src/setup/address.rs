//! Mailbox addresses, as they are given on a command line.

use std::fmt;
use std::str::FromStr;

/// A mailbox's address: one `@` with something before and after it, and no spaces or control characters.
///
/// ```
/// use mailgrant_doctor::setup::Address;
///
/// assert_eq!(Address::new("o'brien@contoso.example").unwrap().as_str(), "o'brien@contoso.example");
/// assert!(Address::new("orders").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Checks the form.
    ///
    /// # Errors
    ///
    /// When it is no address.
    pub fn new(address: impl Into<String>) -> Result<Self, InvalidAddress> {
        let address = address.into();
        let strange = |letter: char| {
            letter.is_whitespace() || letter.is_control() || "<>,;\"".contains(letter)
        };
        let fine = matches!(address.split_once('@'), Some((local, domain))
            if !local.is_empty() && !domain.contains('@') && domain.len() > 1
                && !domain.starts_with('.') && !domain.ends_with('.'))
            && address.len() <= 254
            && !address.contains(strange);
        match fine {
            true => Ok(Self(address)),
            false => Err(InvalidAddress(address.escape_debug().take(254).collect())),
        }
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        Self::new(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A text that is no address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the address of a mailbox; write for example orders@contoso.example")]
pub struct InvalidAddress(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_words() {
        for fine in [
            "a@b.c",
            "o'brien@contoso.example",
            "$x`y@z.example",
            "m\u{fc}ller@x.example",
        ] {
            assert!(Address::new(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c.d",
            "a@b\r\n",
            "a@b.",
            "a@.b",
            "Ada <a@b.c>",
            "a@b.c,d@e.f",
        ] {
            assert!(Address::new(wrong).is_err(), "{wrong:?}");
        }
        let long = format!("{}@b.example", "a".repeat(250));
        assert!(Address::new(long).is_err());
    }
}
