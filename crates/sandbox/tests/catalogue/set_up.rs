//! Mistakes of the set-up, staged by what they lead to.

use crate::harness::*;
use crate::line::imap_login;
use crate::support::*;

#[actix_web::test]
async fn sp_object_id_wrong() {
    let world = World::start().await;
    let answer = log_in_as(&world, WRONG_PRINCIPAL, ADA, "another object id").await;
    assert_rule("sp-object-id-wrong", "NO AUTHENTICATE failed.", &answer);
}

#[actix_web::test]
async fn sp_not_registered() {
    let world = World::start().await;
    let answer = log_in_as(&world, NO_PRINCIPAL, ADA, "no service principal").await;
    assert_rule("sp-not-registered", "NO AUTHENTICATE failed.", &answer);
}

#[actix_web::test]
async fn mailbox_permission_missing() {
    let world = World::start().await;
    let token = app_only(&world, APP_ONLY).await;
    let (mut line, answer) = imap_login(&world, ADA, &token).await;
    assert!(answer.starts_with("t OK"), "{answer}");
    line.send("t LIST \"\" \"*\"").await;
    let answer = line.until("t ").await;
    assert_rule(
        "mailbox-permission-missing",
        "BAD User is authenticated but not connected.",
        &answer,
    );
}

#[actix_web::test]
async fn imap_disabled_mailbox() {
    let world = World::start().await;
    let token = delegated(&world, NO_IMAP, SCOPE).await;
    let (_, answer) = imap_login(&world, NO_IMAP, &token).await;
    assert_rule("imap-disabled-mailbox", "NO AUTHENTICATE failed.", &answer);
    assert_eq!(why(&world), "the protocol is switched off for this mailbox");
}

#[actix_web::test]
async fn bare_scopes() {
    let world = World::start().await;
    let scope = "openid IMAP.AccessAsUser.All";
    graph_token_is_refused(&world, "bare-scopes", scope).await;
}

#[actix_web::test]
async fn graph_prefixed_scopes() {
    let world = World::start().await;
    let scope = "openid https://graph.microsoft.com/IMAP.AccessAsUser.All";
    graph_token_is_refused(&world, "graph-prefixed-scopes", scope).await;
}

async fn graph_token_is_refused(world: &World, rule: &str, scope: &str) {
    let token = delegated(world, ADA, scope).await;
    let claims = claims(&token.clone().into());
    assert_eq!(claims["scp"], "IMAP.AccessAsUser.All openid");
    let aud = claims["aud"].as_str().unwrap();
    assert_rule(rule, "https://graph.microsoft.com", aud);
    let (_, answer) = imap_login(world, ADA, &token).await;
    assert_eq!(answer, "t NO AUTHENTICATE failed.");
}

async fn delegated(world: &World, address: &str, scope: &str) -> String {
    let page = connect(world, address, &[("scope", scope)]).await;
    let code = page.parameter("code").unwrap();
    let tokens = world.redeem(&code, &[]).await.ok();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn app_only(world: &World, client_id: &str) -> String {
    let scope = "https://outlook.office365.com/.default";
    let reply = world.client_credentials(client_id, scope).await.ok();
    reply["access_token"].as_str().unwrap().to_owned()
}

async fn log_in_as(world: &World, client_id: &str, mailbox: &str, reason: &str) -> String {
    let token = app_only(world, client_id).await;
    let (_, answer) = imap_login(world, mailbox, &token).await;
    assert!(why(world).contains(reason), "{}", why(world));
    answer
}

/// The log's reason of the last refused login.
fn why(world: &World) -> String {
    let log = world.running.requests().entries();
    let login = log.iter().rev().find(|entry| entry.kind == "imap_login");
    login.unwrap().detail.clone().unwrap()
}
