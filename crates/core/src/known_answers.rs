//! The vectors of the documents, checked wherever core runs.

/// Checks every vector: its name, and what is wrong if anything is.
#[must_use]
pub fn check() -> Vec<(String, Result<(), String>)> {
    Vec::new()
}
