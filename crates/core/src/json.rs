//! Tolerant reading of small JSON objects.
//!
//! `serde_json::Value` and these few functions instead of a derived deserializer for each
//! response: a fifth of the size in WebAssembly, and an odd type in one optional field does not
//! cost the whole answer.

use serde_json::{Map, Value};

pub(crate) type Object = Map<String, Value>;

pub(crate) fn object(bytes: &[u8]) -> Option<Object> {
    // Some answers begin with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A string that is there and not empty.
pub(crate) fn string(object: &Object, name: &str) -> Option<String> {
    match object.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// A whole number, also when it is written as a string or with a fraction.
pub(crate) fn integer(object: &Object, name: &str) -> Option<i64> {
    match object.get(name)? {
        Value::Number(number) => number.as_i64().or_else(|| {
            // Casts of floats saturate: an absurd lifetime becomes a long one.
            number
                .as_f64()
                .filter(|float| float.is_finite())
                .map(|float| float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(crate) fn boolean(object: &Object, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Strings, given as an array or as one string.
pub(crate) fn strings(object: &Object, name: &str) -> Option<Vec<String>> {
    match object.get(name)? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => Some(
            values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        ),
        _ => None,
    }
}
