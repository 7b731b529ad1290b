//! The core's known answers, for a browser to check: natively they pass in the core's own tests.

use wasm_bindgen::prelude::wasm_bindgen;

/// Checks every vector.
///
/// ```text
/// {"count": 145, "expected": 145, "failures": [{"name": "…", "error": "…"}]}
/// ```
#[wasm_bindgen]
#[must_use]
pub fn known_answers() -> String {
    let outcomes = mailgrant_core::known_answers::check();
    let failures: Vec<_> = outcomes
        .iter()
        .filter_map(|(name, outcome)| {
            let error = outcome.as_ref().err()?;
            Some(serde_json::json!({ "name": name, "error": error }))
        })
        .collect();
    serde_json::json!({
        "count": outcomes.len(),
        "expected": mailgrant_core::known_answers::COUNT,
        "failures": failures,
    })
    .to_string()
}
