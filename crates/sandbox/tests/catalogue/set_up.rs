//! Mistakes of the set-up, staged by what they lead to.

use crate::harness::*;
use crate::line::{Line, imap_login, xoauth2};
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
    let token = delegated_token(&world, NO_IMAP, SCOPE).await;
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

#[actix_web::test]
async fn secret_not_encoded() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa42";
    let secret = "a+b%41~c";
    let world = World::start_with(&delegated(
        application,
        &format!("secrets = [{{ value = \"{secret}\" }}]"),
    ))
    .await;
    let send = async |secret: &str| {
        let body = format!(
            "grant_type=client_credentials&client_id={application}&client_secret={secret}&\
             scope=https://outlook.office365.com/.default"
        );
        let request = world.http.post(world.url("/oauth2/v2.0/token"));
        let request = request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
        Reply::of(request.send().await.unwrap()).await
    };
    send("a%2Bb%2541~c").await.ok();
    assert_refusal("secret-not-encoded", 7_000_215, &send(secret).await);
}

#[actix_web::test]
async fn redirect_not_https() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa43";
    let registered = "redirect_uris = [\"https://app.test/cb\"]";
    let world = World::start_with(&delegated(application, registered)).await;
    let asked = [
        ("client_id", application),
        ("redirect_uri", "http://app.test/cb"),
    ];
    let page = authorize(&world, &asked).await;
    assert_page("redirect-not-https", 50011, &page);
}

#[actix_web::test]
async fn redirect_ipv6_loopback() {
    let world = World::start().await;
    let redirect = "http://[::1]:8080/oauth/callback";
    let page = authorize(&world, &[("redirect_uri", redirect)]).await;
    assert_page("redirect-ipv6-loopback", 50011, &page);
}

#[actix_web::test]
async fn redirect_query_msa() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa44";
    let personal = "audience = \"any_organization_and_personal\"";
    let world = World::start_with(&delegated(application, personal)).await;
    let redirect = format!("{REDIRECT}?account=1");
    let asked = [("client_id", application), ("redirect_uri", &redirect)];
    let page = authorize(&world, &asked).await;
    assert_page("redirect-query-msa", 50011, &page);
}

#[actix_web::test]
async fn loopback_name_mix() {
    let world = World::start().await;
    let redirect = REDIRECT.replace("localhost", "127.0.0.1");
    let page = authorize(&world, &[("redirect_uri", &redirect)]).await;
    assert_page("loopback-name-mix", 50011, &page);
}

#[actix_web::test]
async fn cloud_host_mismatch() {
    let world = World::start().await;
    let scope = "https://outlook.office365.us/.default";
    let reply = world.client_credentials(APP_ONLY, scope).await;
    assert_refusal("cloud-host-mismatch", 500_011, &reply);
}

#[actix_web::test]
async fn sasl_wrapped_base64() {
    let world = World::start().await;
    let token = delegated_token(&world, ADA, SCOPE).await;
    let response = xoauth2(ADA, &token);
    let (head, tail) = response.split_at(76);
    let mut line = Line::tls(&world, world.running.description().imap.port).await;
    line.read().await;
    line.send(&format!("t AUTHENTICATE XOAUTH2 {head}")).await;
    line.send(tail).await;
    let answer = line.until("t ").await;
    assert_rule("sasl-wrapped-base64", "t NO AUTHENTICATE failed.", &answer);
}

async fn graph_token_is_refused(world: &World, rule: &str, scope: &str) {
    let token = delegated_token(world, ADA, scope).await;
    let claims = claims(&token.clone().into());
    assert_eq!(claims["scp"], "IMAP.AccessAsUser.All openid");
    let aud = claims["aud"].as_str().unwrap();
    assert_rule(rule, "https://graph.microsoft.com", aud);
    let (_, answer) = imap_login(world, ADA, &token).await;
    assert_eq!(answer, "t NO AUTHENTICATE failed.");
}

async fn delegated_token(world: &World, address: &str, scope: &str) -> String {
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
