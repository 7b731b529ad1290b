//! What IMAP says.

use crate::harness::assert_rule;
use crate::line::{Line, imap_login, xoauth2};
use crate::support::*;

#[actix_web::test]
async fn imap_authenticate_failed() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let (_, answer) = imap_login(&world, BRUNO, token).await;
    assert_rule(
        "imap-authenticate-failed",
        "t NO AUTHENTICATE failed.",
        &answer,
    );
    // The same in two steps, as a client without SASL-IR sends it.
    let mut line = Line::tls(&world, world.running.description().imap.port).await;
    line.read().await;
    assert_eq!(line.ask("t AUTHENTICATE XOAUTH2").await, "+ ");
    let answer = line.ask(&xoauth2(BRUNO, token)).await;
    assert_rule(
        "imap-authenticate-failed",
        "t NO AUTHENTICATE failed.",
        &answer,
    );
}

#[actix_web::test]
async fn imap_not_connected() {
    let world = World::start().await;
    let reply = world
        .client_credentials(APP_ONLY, "https://outlook.office365.com/.default")
        .await
        .ok();
    let token = reply["access_token"].as_str().unwrap();
    let (mut line, answer) = imap_login(&world, ADA, token).await;
    assert!(answer.starts_with("t OK"), "{answer}");
    line.send("t LIST \"\" \"*\"").await;
    let answer = line.until("t ").await;
    assert_rule(
        "imap-not-connected",
        "t BAD User is authenticated but not connected.",
        &answer,
    );
}
