//! Refresh tokens: new ones each time, old ones alive, and every way in which they end.

use std::time::Duration;

use serde_json::json;

use crate::support::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[actix_web::test]
async fn each_use_gives_a_new_one_and_leaves_the_old_one() {
    let world = World::start().await;
    let first = world.connected().await;
    let first_token = first["refresh_token"].as_str().unwrap();
    let second = world.refresh(first_token, &[]).await.ok();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(
        second["scope"],
        "https://outlook.office.com/IMAP.AccessAsUser.All"
    );
    assert!(second["id_token"].is_string());
    assert!(claims(&second["id_token"]).get("nonce").is_none());
    world.refresh(first_token, &[]).await.ok();
    world
        .refresh(second["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
}

#[actix_web::test]
async fn it_is_not_tied_to_a_resource() {
    let world = World::start().await;
    let scope = format!("{SCOPE} User.Read");
    let code = world.code(&[("scope", &scope)]).await;
    let tokens = world.redeem(&code, &[]).await.ok();
    let token = tokens["refresh_token"].as_str().unwrap();
    for (scope, audience) in [
        ("User.Read", "https://graph.microsoft.com"),
        (
            "https://outlook.office365.com/IMAP.AccessAsUser.All",
            "https://outlook.office365.com",
        ),
        (
            "https://outlook.office.com/.default",
            "https://outlook.office.com",
        ),
    ] {
        let tokens = world.refresh(token, &[("scope", scope)]).await.ok();
        assert_eq!(claims(&tokens["access_token"])["aud"], audience, "{scope}");
        assert!(tokens["refresh_token"].is_string(), "{scope}");
    }
    for (scope, expected) in [
        (
            "User.Read https://outlook.office.com/IMAP.AccessAsUser.All",
            (700_022, "invalid_scope", 400),
        ),
        (
            "https://outlook.office.com/SMTP.Send",
            (65001, "invalid_grant", 400),
        ),
        (
            "https://outlok.office.com/SMTP.Send",
            (500_011, "invalid_resource", 400),
        ),
    ] {
        assert_eq!(
            world.refresh(token, &[("scope", scope)]).await.refusal(),
            expected,
            "{scope}"
        );
    }
}

#[actix_web::test]
async fn ninety_days_without_use_end_it() {
    let world = World::start().await;
    let first = world.connected().await;
    world.clock.advance(DAY * 89);
    let second = world
        .refresh(first["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
    world.clock.advance(DAY);
    let late = world
        .refresh(first["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_eq!(late.refusal(), (700_082, "invalid_grant", 400));
    assert_eq!(late.body["suberror"], "bad_token");
    world
        .refresh(second["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
}

#[actix_web::test]
async fn revoking_ends_all_of_a_person_until_they_sign_in_again() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let successor = world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
    assert_eq!(
        world.control("/revoke", json!({"user": ADA})).await.status,
        204
    );
    for old in [&tokens, &successor] {
        let refused = world
            .refresh(old["refresh_token"].as_str().unwrap(), &[])
            .await;
        assert_eq!(refused.refusal(), (50173, "invalid_grant", 400));
    }
    let again = world.connected().await;
    world
        .refresh(again["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
}

#[actix_web::test]
async fn it_belongs_to_its_client() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let secret = world.secret(SINGLE_TENANT);
    for (changes, expected) in [
        (
            vec![("client_id", SINGLE_TENANT), ("client_secret", &*secret)],
            (70000, "invalid_grant", 400),
        ),
        (
            vec![("client_secret", "wrong")],
            (7_000_215, "invalid_client", 401),
        ),
        (
            vec![("client_secret", "")],
            (7_000_218, "invalid_client", 401),
        ),
        (
            vec![("refresh_token", "")],
            (900_144, "invalid_request", 400),
        ),
        (
            vec![("refresh_token", "nonsense")],
            (9_002_313, "invalid_grant", 400),
        ),
    ] {
        assert_eq!(
            world.refresh(token, &changes).await.refusal(),
            expected,
            "{changes:?}"
        );
    }
}

#[actix_web::test]
async fn a_blocked_person_gets_no_more_tokens() {
    let world = World::start().await;
    let tokens = world.connected().await;
    world.running.directory().change(|tenant| {
        tenant
            .users
            .iter_mut()
            .for_each(|user| user.enabled = false);
    });
    let refused = world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_eq!(refused.refusal(), (50057, "invalid_grant", 400));
}
