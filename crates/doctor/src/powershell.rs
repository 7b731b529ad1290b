//! PowerShell, as far as set-ups need it: commands and statements that print themselves.
//!
//! ```text
//! Add-MailboxPermission -Identity 'orders@contoso.example' -User $principal.Id -AccessRights FullAccess
//! ```
//!
//! Everything printed is ASCII in one line a statement, and a text from outside is a literal whatever it holds:
//! Windows PowerShell reads a file without a byte order mark in the machine's code page, where the bytes of a foreign
//! letter can be a quotation mark.
//!
//! ```
//! use mailgrant_doctor::powershell::{Command, Value};
//!
//! let command = Command::new("Set-CASMailbox")
//!     .with("Identity", Value::text("o'brien@contoso.example"))
//!     .with("ImapEnabled", Value::Bool(true));
//! assert_eq!(command.to_string(), "Set-CASMailbox -Identity \"o'brien@contoso.example\" -ImapEnabled $true");
//! ```

mod quote;
mod statement;

use std::fmt;

use serde_json::{Map, Value as Json, json};

pub use quote::{comment, quoted};
pub use statement::{Condition, Source, Statement};

/// A cmdlet with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// `Verb-Noun`.
    pub cmdlet: &'static str,
    /// In the order they are printed.
    pub parameters: Vec<(&'static str, Value)>,
}

impl Command {
    /// A cmdlet without parameters.
    #[must_use]
    pub fn new(cmdlet: &'static str) -> Self {
        Self {
            cmdlet,
            parameters: Vec::new(),
        }
    }

    /// The same with a parameter more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.parameters.push((name, value));
        self
    }

    /// `{"cmdlet", "parameters", "text"}`; what only PowerShell can work out is `{"expression": "$principal.Id"}`.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Json> {
        let parameters: Map<String, Json> = self
            .parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_json()))
            .collect();
        [
            ("cmdlet".to_owned(), json!(self.cmdlet)),
            ("parameters".to_owned(), Json::Object(parameters)),
            ("text".to_owned(), json!(self.to_string())),
        ]
        .into_iter()
        .collect()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.cmdlet)?;
        for (name, value) in &self.parameters {
            match value {
                Value::Switch(true) => write!(formatter, " -{name}")?,
                Value::Switch(false) => write!(formatter, " -{name}:$false")?,
                value => write!(formatter, " -{name} {value}")?,
            }
        }
        Ok(())
    }
}

/// What a parameter or variable is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text from outside: always quoted.
    Text(String),
    /// One of a cmdlet's own words, such as `FullAccess`.
    Word(&'static str),
    /// What the reader has to fill in, in angle brackets: PowerShell refuses a command that still has it.
    Blank(&'static str),
    /// `$true` or `$false`.
    Bool(bool),
    /// `$null`
    Null,
    /// `-Name`, or `-Name:$false`.
    Switch(bool),
    /// A variable or a property of one, without its dollar sign: `principal.Id`.
    Variable(&'static str),
    /// The words of a variable's text: `($granted -split ' ')`.
    Words(&'static str),
    /// Text of our own with variables in it, in double quotes: `appId eq '$clientId'`.
    Expanded(&'static str),
    /// `@(…, …)`
    List(Vec<Value>),
    /// `@{ name = …; … }`
    Table(Vec<(&'static str, Value)>),
    /// Octets, given in base64.
    Bytes(String),
}

impl Value {
    /// A text from outside.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    #[must_use]
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => json!(text),
            Self::Word(word) | Self::Blank(word) => json!(word),
            Self::Bool(value) | Self::Switch(value) => json!(value),
            Self::Null => Json::Null,
            Self::Variable(_) | Self::Words(_) | Self::Expanded(_) => {
                json!({"expression": self.to_string()})
            }
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Table(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.to_json()))
                    .collect(),
            ),
            Self::Bytes(base64) => json!(base64),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(&quoted(text)),
            Self::Word(word) | Self::Blank(word) => formatter.write_str(word),
            Self::Bool(value) | Self::Switch(value) => write!(formatter, "${value}"),
            Self::Null => formatter.write_str("$null"),
            Self::Variable(name) => write!(formatter, "${name}"),
            Self::Words(name) => write!(formatter, "(${name} -split ' ')"),
            Self::Expanded(text) => write!(formatter, "\"{text}\""),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(formatter, "@({})", items.join(", "))
            }
            Self::Table(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(name, value)| format!("{name} = {value}"))
                    .collect();
                write!(formatter, "@{{ {} }}", entries.join("; "))
            }
            // The alphabet of base64 has nothing that ends a quotation.
            Self::Bytes(base64) => {
                write!(
                    formatter,
                    "[System.Convert]::FromBase64String({})",
                    quoted(base64)
                )
            }
        }
    }
}
