//! How a cmdlet is called: its parameters, found and converted as PowerShell does.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::authority::Authority;
use crate::directory::{ChangeRefusal, TenantDirectory};

/// A cmdlet of the sandbox.
#[derive(Serialize)]
pub(super) struct Cmdlet {
    pub name: &'static str,
    pub module: &'static str,
    pub parameters: &'static [Parameter],
    #[serde(skip)]
    pub run: fn(&Call<'_>) -> Output,
}

/// What a cmdlet puts out: objects, or the error it writes.
pub(super) type Output = Result<Vec<Value>, CmdletError>;

/// A parameter of a cmdlet.
#[derive(Serialize)]
pub(super) struct Parameter {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub mandatory: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    String,
    /// One text or a list of them.
    #[serde(rename = "String[]")]
    Strings,
    #[serde(rename = "Boolean")]
    Boolean,
    /// Tri-state: `$null` means as the organization has it.
    #[serde(rename = "Nullable[Boolean]")]
    NullableBoolean,
    #[serde(rename = "SwitchParameter")]
    Switch,
    Hashtable,
    /// A list of hashtables, or one.
    #[serde(rename = "Hashtable[]")]
    Hashtables,
}

/// A parameter that may be left out.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        mandatory: false,
    }
}

/// A parameter that must be given.
pub(super) const fn mandatory(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        mandatory: true,
    }
}

/// Why a cmdlet failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CmdletError {
    /// What the cmdlet writes to its error stream.
    #[error("{0}")]
    Written(String),
    /// The sandbox could not keep what it was told.
    #[error(transparent)]
    Failed(crate::Error),
}

impl CmdletError {
    pub(super) fn written(text: impl Into<String>) -> Self {
        Self::Written(text.into())
    }
}

impl From<ChangeRefusal> for CmdletError {
    fn from(refusal: ChangeRefusal) -> Self {
        match refusal {
            ChangeRefusal::Invalid(problem) | ChangeRefusal::NotFound(problem) => {
                Self::Written(problem)
            }
            ChangeRefusal::Failed(error) => Self::Failed(error),
        }
    }
}

/// A call whose parameters were understood.
pub(super) struct Call<'a> {
    pub authority: &'a Authority,
    /// The directory as the administrator who called has it.
    pub directory: TenantDirectory,
    given: BTreeMap<&'static str, Value>,
    /// `-WhatIf`: nothing shall happen.
    pub what_if: bool,
}

impl<'a> Call<'a> {
    /// Finds each parameter by its name or the beginning of it, in any case, and converts its value.
    pub(super) fn bind(
        cmdlet: &Cmdlet,
        arguments: &Map<String, Value>,
        authority: &'a Authority,
        directory: TenantDirectory,
    ) -> Result<Self, CmdletError> {
        let mut given = BTreeMap::new();
        let mut what_if = false;
        for (name, value) in arguments {
            let name = name.trim_start_matches('-');
            if let Some(common) = common(name) {
                what_if |=
                    common == "WhatIf" && Kind::Switch.convert(common, value)? == json!(true);
                continue;
            }
            let parameter = find(cmdlet, name)?;
            if value.is_null() && parameter.kind != Kind::NullableBoolean {
                continue;
            }
            given.insert(
                parameter.name,
                parameter.kind.convert(parameter.name, value)?,
            );
        }
        let missing: Vec<&str> = cmdlet
            .parameters
            .iter()
            .filter(|parameter| parameter.mandatory && !given.contains_key(parameter.name))
            .map(|parameter| parameter.name)
            .collect();
        if missing.is_empty() {
            return Ok(Self {
                authority,
                directory,
                given,
                what_if,
            });
        }
        Err(CmdletError::Written(format!(
            "Cannot process command because of one or more missing mandatory parameters: {}.",
            missing.join(" ")
        )))
    }

    /// The parameter's value as it was converted.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.given.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// A mandatory text: [`bind`](Self::bind) has seen to it that it is there.
    pub(super) fn required(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    pub(super) fn switch(&self, name: &str) -> bool {
        self.boolean(name).unwrap_or_default()
    }

    /// Comma-separated texts and lists of texts, taken apart.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let items = match self.value(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text.as_str()],
            _ => Vec::new(),
        };
        items
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect()
    }

    /// An entry of a hashtable, by its key in any case.
    pub(super) fn entry(&self, name: &str, key: &str) -> Option<&Value> {
        self.value(name).and_then(|table| entry(table, key))
    }
}

/// An entry of a hashtable, by its key in any case.
pub(super) fn entry<'a>(table: &'a Value, key: &str) -> Option<&'a Value> {
    table
        .as_object()?
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

impl Kind {
    fn convert(self, name: &str, value: &Value) -> Result<Value, CmdletError> {
        let converted = match self {
            Self::String => text(value),
            Self::Strings => match value {
                Value::Array(items) => items
                    .iter()
                    .map(text)
                    .collect::<Option<Vec<_>>>()
                    .map(Value::Array),
                one => text(one),
            },
            Self::Boolean | Self::Switch => boolean(value),
            Self::NullableBoolean => match value {
                Value::Null => Some(Value::Null),
                Value::String(text) if text == "$null" => Some(Value::Null),
                value => boolean(value),
            },
            Self::Hashtable => value.is_object().then(|| value.clone()),
            Self::Hashtables => match value {
                Value::Array(_) => Some(value.clone()),
                Value::Object(_) => Some(json!([value])),
                _ => None,
            },
        };
        converted.ok_or_else(|| {
            let wanted = match self {
                Self::String => "System.String",
                Self::Strings => "System.String[]",
                Self::Boolean | Self::NullableBoolean => "System.Boolean",
                Self::Switch => "System.Management.Automation.SwitchParameter",
                Self::Hashtable | Self::Hashtables => "System.Collections.Hashtable",
            };
            CmdletError::Written(format!(
                "Cannot bind parameter '{name}'. Cannot convert its value to type \"{wanted}\"."
            ))
        })
    }
}

/// Numbers and booleans become texts, as PowerShell has it; lists and tables do not.
fn text(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Number(number) => Some(Value::String(number.to_string())),
        Value::Bool(true) => Some(json!("True")),
        Value::Bool(false) => Some(json!("False")),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::Number(number) => number.as_i64().map(|number| json!(number != 0)),
        Value::String(text) => match text.trim_start_matches('$').to_ascii_lowercase().as_str() {
            "true" => Some(json!(true)),
            "false" => Some(json!(false)),
            _ => None,
        },
        _ => None,
    }
}

fn find<'c>(cmdlet: &'c Cmdlet, name: &str) -> Result<&'c Parameter, CmdletError> {
    let exact = cmdlet
        .parameters
        .iter()
        .find(|parameter| parameter.name.eq_ignore_ascii_case(name));
    if let Some(parameter) = exact {
        return Ok(parameter);
    }
    let begins = |parameter: &&Parameter| {
        !name.is_empty()
            && parameter
                .name
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let mut matches = cmdlet.parameters.iter().filter(begins);
    match (matches.next(), matches.next()) {
        (Some(parameter), None) => Ok(parameter),
        (None, _) => Err(CmdletError::Written(format!(
            "A parameter cannot be found that matches parameter name '{name}'."
        ))),
        (Some(_), Some(_)) => {
            let possible: Vec<String> = cmdlet
                .parameters
                .iter()
                .filter(begins)
                .map(|parameter| format!("-{}", parameter.name))
                .collect();
            Err(CmdletError::Written(format!(
                "Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches \
                 include: {}.",
                possible.join(" ")
            )))
        }
    }
}

/// What every cmdlet takes; only `-WhatIf` means something here.
fn common(name: &str) -> Option<&'static str> {
    COMMON
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

const COMMON: &[&str] = &[
    "WhatIf",
    "Confirm",
    "Verbose",
    "Debug",
    "ErrorAction",
    "WarningAction",
    "InformationAction",
    "ProgressAction",
    "ErrorVariable",
    "WarningVariable",
    "InformationVariable",
    "OutVariable",
    "OutBuffer",
    "PipelineVariable",
];
