//! `mailgrant sandbox` as a person meets it: its page, and every page of its authority.

use std::fs;

use mailgrant_tests::{
    browser, needs,
    port::free_port,
    process::{Server, mailgrant, root},
};

#[test]
fn every_page_is_usable_by_everybody_and_the_sandboxs_own_shows_what_happens() {
    needs!("node", "chromium");
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready.json");
    let mut command = mailgrant();
    command
        .args(["sandbox", "--dir"])
        .arg(dir.path().join("sandbox"))
        .arg("--ready-file")
        .arg(&ready)
        .arg("--redirect-uri")
        .arg(format!("http://localhost:{}/callback", free_port()));
    let mut sandbox = Server::start(&mut command, dir.path().join("sandbox.log")).unwrap();
    sandbox
        .wait_for("the sandbox's ready file", |_| ready.exists().then_some(()))
        .unwrap();

    // The screenshots stay, to be looked at.
    let shots = root().join("target/screenshots/sandbox");
    fs::create_dir_all(&shots).unwrap();
    let arguments = [ready.display().to_string(), shots.display().to_string()];
    let printed = browser::run("sandbox.mjs", &[&arguments[0], &arguments[1]]).unwrap();
    for done in [
        "everyPage",
        "byKeyboard",
        "live",
        "switches",
        "tenant",
        "shell",
        "withoutScript",
        "otherPages",
    ] {
        assert!(printed.contains(&format!("ok   {done}")), "{printed}");
    }
    sandbox.stop_in_time().unwrap();
}
