//! The API's description, read by a validator that others wrote.

use std::{fs, process::Command};

use mailgrant_tests::{client::python, needs};

#[test]
fn it_is_valid_openapi() {
    needs!("msal");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    fs::write(&file, mailgrant_server::description()).unwrap();
    let validator = ["-m", "openapi_spec_validator", "--errors", "all"];
    let output = Command::new(python())
        .args(validator)
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
