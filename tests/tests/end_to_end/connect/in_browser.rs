//! The refusal and the blocked consent as people meet them: site, widget, sign-in window and result pages in Chromium.

use std::fs;

use mailgrant_tests::{
    browser, needs,
    process::{Server, mailgrant, root},
};

#[test]
fn a_refusal_and_an_administrators_consent() {
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
    let printed = browser::run("connect.mjs", &[&arguments[0], &arguments[1]]).unwrap();
    assert_eq!(printed.lines().count(), 2, "{printed}");
}
