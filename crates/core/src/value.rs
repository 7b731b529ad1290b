//! What a protocol string may hold, and the error for one that does not.

use std::fmt;

/// A value that the protocol forbids.
///
/// Names the value and what is wrong with it, and never shows the value: it may be a secret.
///
/// ```
/// use mailgrant_core::token::AccessToken;
///
/// let error = AccessToken::new("ey\r\nA1 LOGOUT").unwrap_err();
/// assert_eq!(error.to_string(), "access token: holds a control character at byte 2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    name: &'static str,
    problem: Problem,
}

impl InvalidValue {
    /// What was refused, in words (`"access token"`, `"redirect URI"`).
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Why it was refused.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    pub(crate) fn new(name: &'static str, problem: Problem) -> Self {
        Self { name, problem }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.name)?;
        match self.problem {
            Problem::Empty => formatter.write_str("is empty"),
            Problem::TooLong { limit } => write!(formatter, "is longer than {limit} bytes"),
            Problem::Control { at } => write!(formatter, "holds a control character at byte {at}"),
            Problem::Character { at } => {
                write!(
                    formatter,
                    "holds a character that is not allowed at byte {at}"
                )
            }
            Problem::Form(expected) => write!(formatter, "is not {expected}"),
        }
    }
}

impl std::error::Error for InvalidValue {}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing in it.
    Empty,
    /// Longer than any genuine value.
    TooLong {
        /// The most bytes that are accepted.
        limit: usize,
    },
    /// CR, LF, NUL, SOH or another control character: on the wire it would end the field.
    Control {
        /// Offset in bytes.
        at: usize,
    },
    /// A character outside the set that the protocol names.
    Character {
        /// Offset in bytes.
        at: usize,
    },
    /// Not of the form that is expected, which is named.
    Form(&'static str),
}

/// No genuine token comes near: Entra's are 2-4 KiB, with many groups 8 KiB.
pub(crate) const LONGEST: usize = 64 * 1024;

/// RFC 6749 appendix A: `1*VSCHAR`, printable ASCII with the space.
pub(crate) fn vschar(name: &'static str, value: &str) -> Result<(), InvalidValue> {
    ascii(name, value, b' ')
}

/// Printable ASCII without the space: what `Authorization: Bearer` and SASL can carry whole.
pub(crate) fn graphic(name: &'static str, value: &str) -> Result<(), InvalidValue> {
    ascii(name, value, b'!')
}

/// Any text without control characters.
pub(crate) fn text(name: &'static str, value: &str) -> Result<(), InvalidValue> {
    length(name, value)?;
    match value.bytes().position(|byte| byte.is_ascii_control()) {
        Some(at) => Err(InvalidValue::new(name, Problem::Control { at })),
        None => Ok(()),
    }
}

fn ascii(name: &'static str, value: &str, lowest: u8) -> Result<(), InvalidValue> {
    text(name, value)?;
    match value.bytes().position(|byte| byte < lowest || byte > b'~') {
        Some(at) => Err(InvalidValue::new(name, Problem::Character { at })),
        None => Ok(()),
    }
}

fn length(name: &'static str, value: &str) -> Result<(), InvalidValue> {
    if value.is_empty() {
        return Err(InvalidValue::new(name, Problem::Empty));
    }
    if value.len() > LONGEST {
        return Err(InvalidValue::new(name, Problem::TooLong { limit: LONGEST }));
    }
    Ok(())
}
