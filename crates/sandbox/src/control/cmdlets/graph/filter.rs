//! `-Filter` and `-Property` of the `Get-Mg…` cmdlets.

use serde_json::Value;

use super::super::call::{Call, CmdletError};

/// Of the objects those that `-Filter` leaves, with the properties that `-Property` names.
pub(super) fn apply(call: &Call<'_>, objects: Vec<Value>) -> Result<Vec<Value>, CmdletError> {
    let conditions = match call.text("Filter") {
        Some(filter) => parse(filter)?,
        None => Vec::new(),
    };
    let top = match call.text("Top").map(str::parse::<usize>) {
        Some(Ok(top)) => top,
        Some(Err(_)) => return Err(unsupported("Top")),
        None => usize::MAX,
    };
    let wanted = call.texts("Property");
    let kept = objects
        .into_iter()
        .filter(|object| conditions.iter().all(|condition| condition.holds(object)))
        .take(top);
    Ok(kept.map(|object| select(object, &wanted)).collect())
}

/// Leaves the properties that are wanted; all when none is named.
pub(super) fn select(mut object: Value, wanted: &[&str]) -> Value {
    let all = wanted.is_empty() || wanted.contains(&"*");
    if let (Value::Object(properties), false) = (&mut object, all) {
        properties.retain(|name, _| {
            wanted
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(name))
        });
    }
    object
}

/// `property eq 'value'` or `startswith(property,'value')`
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    property: String,
    value: String,
    start: bool,
}

impl Condition {
    fn holds(&self, object: &Value) -> bool {
        let actual = object.as_object().and_then(|properties| {
            let mut properties = properties.iter();
            properties
                .find(|(name, _)| name.eq_ignore_ascii_case(&self.property))
                .and_then(|(_, value)| value.as_str())
        });
        let (Some(actual), value) = (actual.map(str::to_lowercase), self.value.to_lowercase())
        else {
            return false;
        };
        match self.start {
            true => actual.starts_with(&value),
            false => actual == value,
        }
    }
}

fn parse(filter: &str) -> Result<Vec<Condition>, CmdletError> {
    let mut conditions = Vec::new();
    let mut rest = filter.trim();
    loop {
        let (condition, after) = one(rest).ok_or_else(|| unsupported(filter))?;
        conditions.push(condition);
        rest = after.trim_start();
        match rest.strip_prefix("and ") {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => return Ok(conditions),
            None => return Err(unsupported(filter)),
        }
    }
}

fn one(text: &str) -> Option<(Condition, &str)> {
    let start = text
        .get(.."startswith(".len())
        .is_some_and(|head| head.eq_ignore_ascii_case("startswith("));
    let (property, rest) = match start {
        true => text.get("startswith(".len()..)?.split_once(',')?,
        false => text.split_once(" eq ")?,
    };
    let property = property.trim();
    if property.is_empty() || !property.chars().all(char::is_alphanumeric) {
        return None;
    }
    let (value, rest) = quoted(rest.trim_start())?;
    let rest = match start {
        true => rest.trim_start().strip_prefix(')')?,
        false => rest,
    };
    let condition = Condition {
        property: property.to_owned(),
        value,
        start,
    };
    Some((condition, rest))
}

/// `'it''s'`, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

fn unsupported(filter: &str) -> CmdletError {
    CmdletError::Written(format!(
        "[Request_UnsupportedQuery] : Unsupported or invalid query filter clause: \"{filter}\". The sandbox knows \
         property eq 'value', startswith(property,'value') and and."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        let condition = |property: &str, value: &str, start| Condition {
            property: property.to_owned(),
            value: value.to_owned(),
            start,
        };
        for (filter, expected) in [
            ("appId eq 'a'", vec![condition("appId", "a", false)]),
            (
                "displayName eq 'Ada''s'",
                vec![condition("displayName", "Ada's", false)],
            ),
            (
                "startsWith(displayName, 'Mail') and appId eq 'x'",
                vec![
                    condition("displayName", "Mail", true),
                    condition("appId", "x", false),
                ],
            ),
        ] {
            assert_eq!(parse(filter).unwrap(), expected, "{filter}");
        }
        for filter in [
            "",
            "appId",
            "appId eq a",
            "appId eq 'a",
            "appId ne 'a'",
            "appId eq 'a' or b eq 'c'",
            "startswith(displayName,'x'",
            " eq 'x'",
        ] {
            assert!(parse(filter).is_err(), "{filter}");
        }
    }
}
