//! A pipe whose other end is closed, as `| head -1` leaves it.

use std::fs;

use mailgrant_tests::terminal::{ADA, Terminal};

use super::import::obtained_elsewhere;

#[tokio::test]
async fn an_import_that_nobody_watches_is_not_lost() {
    let terminal = Terminal::start().unwrap();
    let refresh_token = obtained_elsewhere(&terminal).await;
    fs::write(terminal.home.join("token"), refresh_token).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let words = ["login", "--application", "terminal", "--import", "token"];
    let status = terminal
        .command(&[&words[..], &["--json"]].concat())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let listed = terminal.line(&["accounts"]);
    assert!(listed.ends_with(ADA), "{listed}");
}
