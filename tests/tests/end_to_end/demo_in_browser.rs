//! `mailgrant demo` as a person meets it: one click, a sign-in, a consent, and the mailbox.

use std::fs;

use mailgrant_tests::{
    browser, needs,
    process::{Server, mailgrant, root},
};

#[test]
fn one_click_a_sign_in_and_a_consent_show_the_mailbox() {
    needs!("node", "chromium");
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready.json");
    let mut command = mailgrant();
    command
        .args(["demo", "--no-open", "--dir"])
        .arg(dir.path().join("demo"))
        .arg("--ready-file")
        .arg(&ready);
    let mut demo = Server::start(&mut command, dir.path().join("demo.log")).unwrap();
    demo.wait_for("the demo's ready file", |_| ready.exists().then_some(()))
        .unwrap();

    // The screenshots stay, to be looked at.
    let shots = root().join("target/screenshots");
    fs::create_dir_all(&shots).unwrap();
    let arguments = [ready.display().to_string(), shots.display().to_string()];
    let printed = browser::run("demo.mjs", &[&arguments[0], &arguments[1]]).unwrap();
    for visit in [
        "desktop, light",
        "desktop, dark",
        "phone, light",
        "phone, dark",
        "a customer's shared mailbox",
    ] {
        assert!(printed.contains(&format!("ok   {visit}")), "{printed}");
    }

    let readme = root().join("README.md").display().to_string();
    let printed = browser::run("readme.mjs", &[&arguments[0], &readme]).unwrap();
    assert!(printed.contains("ok   the README's page"), "{printed}");
    demo.stop_in_time().unwrap();
}
