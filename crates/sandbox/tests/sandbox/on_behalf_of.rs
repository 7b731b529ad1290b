//! A server gets a token in a person's name, with the token that the person's client sent to it.

use serde_json::json;

use crate::support::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const MAIL: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";

async fn exchange(world: &World, assertion: &str, changes: &[(&str, &str)]) -> Reply {
    let secret = world.secret(DELEGATED);
    let mut form = std::collections::BTreeMap::from([
        ("grant_type", GRANT),
        ("client_id", DELEGATED),
        ("client_secret", &secret),
        ("assertion", assertion),
        ("requested_token_use", "on_behalf_of"),
        ("scope", MAIL),
    ]);
    form.extend(changes.iter().copied());
    let form: Vec<_> = form.into_iter().collect();
    world.token(&form).await
}

#[actix_web::test]
async fn a_persons_token_becomes_one_for_mail() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let identity = tokens["id_token"].as_str().unwrap();
    let answer = exchange(&world, identity, &[]).await.ok();
    let access = claims(&answer["access_token"]);
    assert_eq!(access["upn"], ADA);
    assert_eq!(access["aud"], "https://outlook.office.com");
    let next = answer["refresh_token"].as_str().unwrap();
    world.refresh(next, &[]).await.ok();
    let token = answer["access_token"].as_str().unwrap();
    let directory = world.running.directory();
    assert_eq!(
        directory
            .check_access_token(token, ADA, NOW)
            .unwrap()
            .mailbox,
        ADA
    );
}

#[actix_web::test]
async fn tokens_that_do_not_fit_are_refused() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let identity = tokens["id_token"].as_str().unwrap();
    let for_exchange = tokens["access_token"].as_str().unwrap();
    let app_only = world
        .client_credentials(APP_ONLY, "https://outlook.office365.com/.default")
        .await
        .ok();
    let app_only = app_only["access_token"].as_str().unwrap();
    let mut altered = identity.to_owned();
    altered.truncate(identity.len() - 8);
    altered.push_str("AAAAAAAA");
    let grant = "invalid_grant";
    for (assertion, changes, expected) in [
        (altered.as_str(), vec![], (50013, grant, 400)),
        ("nonsense", vec![], (50027, "invalid_request", 400)),
        (for_exchange, vec![], (500_131, grant, 400)),
        (app_only, vec![], (500_131, grant, 400)),
        ("", vec![], (900_144, "invalid_request", 400)),
        (
            identity,
            vec![("requested_token_use", "")],
            (900_144, "invalid_request", 400),
        ),
        (
            identity,
            vec![("requested_token_use", "x")],
            (9_002_313, "invalid_request", 400),
        ),
        (
            identity,
            vec![("scope", "")],
            (900_144, "invalid_request", 400),
        ),
        (identity, vec![("scope", "User.Read")], (65001, grant, 400)),
        (
            identity,
            vec![("client_secret", "x")],
            (7_000_215, "invalid_client", 401),
        ),
    ] {
        let reply = exchange(&world, assertion, &changes).await;
        assert_eq!(reply.refusal(), expected, "{changes:?}: {reply:?}");
    }
    world.clock.advance(std::time::Duration::from_secs(3600));
    let late = exchange(&world, identity, &[]).await;
    assert_eq!(late.refusal(), (500_133, grant, 400));
    let text = late.body["error_description"].as_str().unwrap();
    assert!(
        text.contains("Assertion is not within its valid time range."),
        "{text}"
    );
    // A rotated-away key no longer vouches.
    let tokens = world.connected().await;
    world.control("/keys/rotate", json!({"retire": true})).await;
    let reply = exchange(&world, tokens["id_token"].as_str().unwrap(), &[]).await;
    assert_eq!(reply.refusal(), (50013, grant, 400));
}
