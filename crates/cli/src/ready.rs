//! The ready file: one JSON object that appears whole, when everything answers.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::failure::{Exit, Failure};

/// Writes `object` beside `path` and renames it into place; private, since it may hold keys.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(path: Option<&Path>, object: &impl Serialize) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Failed,
            format!("--ready-file: cannot write {}: {error}", path.display()),
        )
    };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // A named temporary file is made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    serde_json::to_writer(&mut file, object).map_err(|error| failed(error.into()))?;
    file.write_all(b"\n").map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replaces_what_was_there_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready.json");
        for number in 0..2 {
            write(Some(&path), &json!({"number": number})).unwrap();
            let read: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!(read["number"], number);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let failure = write(Some(Path::new("/nowhere/ready.json")), &json!({})).unwrap_err();
        assert!(
            failure.message.contains("/nowhere/ready.json"),
            "{}",
            failure.message
        );
    }
}
