//! The core's known answers, natively and as wasm in a real browser: one table.

use mailgrant_tests::{browser, needs, process::root};
use serde_json::{Value, json};

#[test]
fn the_known_answers_hold_in_the_browser_too() {
    needs!("node", "chromium");
    let folder = root().join("target/web/tests");
    assert!(
        folder.is_dir(),
        "`cargo xtask web` makes {}",
        folder.display()
    );
    let printed = browser::run("known_answers.mjs", &[&folder.display().to_string()]).unwrap();
    let answers: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(answers["failures"], json!([]));
    assert_eq!(answers["count"], answers["expected"]);
    assert!(answers["count"].as_u64().unwrap() > 50, "{answers}");
}
