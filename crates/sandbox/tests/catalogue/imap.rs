//! What IMAP says.

use serde_json::{Value, json};

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

#[actix_web::test]
async fn imap_basic_login_failed() {
    let world = World::start().await;
    let mut line = Line::tls(&world, world.running.description().imap.port).await;
    line.read().await;
    line.send(&format!("t LOGIN {ADA} \"{PASSWORD}\"")).await;
    let answer = line.until("t ").await;
    assert_rule("imap-basic-login-failed", "t NO LOGIN failed.", &answer);
    for (preset, words) in [
        (
            "basic_auth_disabled",
            "t NO Basic authentication is disabled.",
        ),
        ("basic_auth_blocked", "LogonDenied-BasicAuthBlocked"),
    ] {
        rules(&world, json!([{"preset": preset}])).await;
        line.send(&format!("t LOGIN {ADA} \"{PASSWORD}\"")).await;
        let answer = line.until("t ").await;
        assert_rule("imap-basic-login-failed", words, &answer);
    }
}

#[actix_web::test]
async fn imap_throttled() {
    let world = World::start().await;
    // By the mailbox's own limit, which counts.
    world
        .running
        .directory()
        .change(|tenant| tenant.imap_limits.commands_per_minute = Some(2));
    let mut line = opened(&world).await;
    for _ in 0..2 {
        line.send("t NAMESPACE").await;
        assert!(line.until("t ").await.starts_with("t OK"));
    }
    line.send("t NAMESPACE").await;
    assert_rule(
        "imap-throttled",
        "t NO Request is throttled. Suggested Backoff Time: 300000 milliseconds",
        &line.until("t ").await,
    );
    // By a fault, in the other words.
    let world = World::start().await;
    let rule = json!({"preset": "throttled_and_closed", "backoff_ms": 89_117});
    rules(&world, json!([rule])).await;
    let mut line = opened(&world).await;
    line.send("t NAMESPACE").await;
    assert_rule(
        "imap-throttled",
        "t BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds",
        &line.until("t ").await,
    );
}

#[actix_web::test]
async fn imap_token_expired_bye() {
    let world = World::start().await;
    let mut line = opened(&world).await;
    world.clock.advance(std::time::Duration::from_secs(3_600));
    assert_rule(
        "imap-token-expired-bye",
        "* BYE Session invalidated - AccessTokenExpired",
        &line.until("* ").await,
    );
}

#[actix_web::test]
async fn imap_server_unavailable() {
    let world = World::start().await;
    let mut line = opened(&world).await;
    rules(&world, json!([{"preset": "server_unavailable"}])).await;
    line.send("t SELECT INBOX").await;
    assert_rule(
        "imap-server-unavailable",
        "t NO Server Unavailable. 15",
        &line.until("t ").await,
    );
}

#[actix_web::test]
async fn imap_connection_closed_14() {
    let world = World::start().await;
    world
        .running
        .directory()
        .change(|tenant| tenant.imap_limits.connections = 1);
    let _first = opened(&world).await;
    let mut second = opened(&world).await;
    second.send("t NAMESPACE").await;
    assert_rule(
        "imap-connection-closed-14",
        "* BYE Connection closed. 14",
        &second.until("* ").await,
    );
}

#[actix_web::test]
async fn imap_command_argument() {
    let world = World::start().await;
    let mut line = opened(&world).await;
    line.send("t STATUS INBOX (HIGHESTMODSEQ)").await;
    let answer = line.until("t ").await;
    assert!(answer.starts_with("t BAD Command"), "{answer}");
    rules(
        &world,
        json!([{"preset": "argument_error", "at": "SELECT"}]),
    )
    .await;
    line.send("t SELECT INBOX").await;
    assert_rule(
        "imap-command-argument",
        "t BAD Command Argument Error. 11",
        &line.until("t ").await,
    );
}

#[actix_web::test]
async fn imap_unavailable() {
    let world = World::start().await;
    let mut line = opened(&world).await;
    rules(&world, json!([{"preset": "unavailable"}])).await;
    line.send("t SELECT INBOX").await;
    assert_rule(
        "imap-unavailable",
        "t NO [UNAVAILABLE] Temporary System Problem. Try again later",
        &line.until("t ").await,
    );
}

/// Any words can be put into the server's mouth: what Google's says is told apart by the same rules.
async fn says(world: &World, id: &str, at: &str, reply: &str) {
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    rules(world, json!([{"at": at, "reply": reply}])).await;
    let (mut line, mut answer) = imap_login(world, ADA, token).await;
    if at != "AUTHENTICATE" {
        line.send(&format!("t {at} INBOX")).await;
        answer = line.until("t ").await;
    }
    assert_rule(id, &format!("t {reply}"), &answer);
}

#[actix_web::test]
async fn imap_gmail_invalid() {
    let reply = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)";
    says(
        &World::start().await,
        "imap-gmail-invalid",
        "AUTHENTICATE",
        reply,
    )
    .await;
}

#[actix_web::test]
async fn imap_gmail_weblogin() {
    let reply = "NO [ALERT] Web login required (Failure)";
    says(
        &World::start().await,
        "imap-gmail-weblogin",
        "AUTHENTICATE",
        reply,
    )
    .await;
}

#[actix_web::test]
async fn imap_gmail_app_password() {
    let reply = "NO [ALERT] Application-specific password required";
    says(
        &World::start().await,
        "imap-gmail-app-password",
        "AUTHENTICATE",
        reply,
    )
    .await;
}

#[actix_web::test]
async fn imap_gmail_connections() {
    let reply = "NO [ALERT] Too many simultaneous connections. (Failure)";
    says(
        &World::start().await,
        "imap-gmail-connections",
        "AUTHENTICATE",
        reply,
    )
    .await;
}

#[actix_web::test]
async fn imap_gmail_bandwidth() {
    let reply = "NO [LIMIT] Bandwidth limit exceeded for this account";
    says(
        &World::start().await,
        "imap-gmail-bandwidth",
        "SELECT",
        reply,
    )
    .await;
}

#[actix_web::test]
async fn sasl_error_challenge() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let challenge = "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K";
    let rule = json!({"at": "AUTHENTICATE", "raw": format!("+ {challenge}\r\n"), "reply": "NO AUTHENTICATE failed."});
    rules(&world, json!([rule])).await;
    let mut line = Line::tls(&world, world.running.description().imap.port).await;
    line.read().await;
    let answer = line
        .ask(&format!("t AUTHENTICATE XOAUTH2 {}", xoauth2(ADA, token)))
        .await;
    assert_rule("sasl-error-challenge", &format!("+ {challenge}"), &answer);
}

#[actix_web::test]
async fn backslash_user() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let user = format!("{ADA}\\support");
    let (_, answer) = imap_login(&world, &user, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(answer, "t NO AUTHENTICATE failed.");
    let log = world.running.requests().entries();
    let refused = log
        .iter()
        .rev()
        .find(|entry| entry.kind == "imap_login")
        .unwrap();
    assert_eq!(
        refused.detail.as_deref(),
        Some("there is no mailbox of that address")
    );
    assert_rule(
        "backslash-user",
        "\\support",
        refused.user.as_deref().unwrap(),
    );
}

/// A session that is logged in to Ada's mailbox.
async fn opened(world: &World) -> Line {
    let tokens = world.connected().await;
    let (line, answer) = imap_login(world, ADA, tokens["access_token"].as_str().unwrap()).await;
    assert!(answer.starts_with("t OK"), "{answer}");
    line
}

/// Puts rules for IMAP in force.
async fn rules(world: &World, rules: Value) {
    world
        .control("/faults", json!({"imap": {"rules": rules}}))
        .await
        .ok();
}
