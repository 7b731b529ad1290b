//! App-only access.

use serde_json::json;

use crate::support::*;

const SCOPE: &str = "https://outlook.office365.com/.default";

#[actix_web::test]
async fn a_secret_gives_a_token_with_roles() {
    let world = World::start().await;
    let answer = world.client_credentials(APP_ONLY, SCOPE).await.ok();
    assert_eq!(answer["expires_in"], 3599);
    assert!(answer.get("refresh_token").is_none() && answer.get("id_token").is_none());
    let access = claims(&answer["access_token"]);
    for (claim, expected) in [
        ("aud", json!("https://outlook.office365.com")),
        ("appid", json!(APP_ONLY)),
        ("roles", json!(["IMAP.AccessAsApp"])),
        ("oid", json!("e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3")),
        ("idtyp", json!("app")),
        ("ver", json!("1.0")),
    ] {
        assert_eq!(access[claim], expected, "{claim}");
    }
    assert!(access.get("scp").is_none() && access.get("upn").is_none());
}

#[actix_web::test]
async fn without_any_grant_the_token_has_no_roles() {
    let world = World::start().await;
    let answer = world.client_credentials(NO_ROLES, SCOPE).await.ok();
    assert!(claims(&answer["access_token"]).get("roles").is_none());
}

#[actix_web::test]
async fn refusals() {
    let world = World::start().await;
    let secret = world.secret(APP_ONLY);
    let base = [
        ("grant_type", "client_credentials"),
        ("client_id", APP_ONLY),
    ];
    let good = ("client_secret", secret.as_str());
    for (fields, expected) in [
        (vec![good], (90014, "invalid_request", 400)),
        (
            vec![
                good,
                ("scope", "https://outlook.office365.com/IMAP.AccessAsApp"),
            ],
            (1_002_012, "invalid_scope", 400),
        ),
        (
            vec![good, ("scope", "https://outlok.office365.com/.default")],
            (500_011, "invalid_resource", 400),
        ),
        (
            vec![("client_secret", "wrong"), ("scope", SCOPE)],
            (7_000_215, "invalid_client", 401),
        ),
        (vec![("scope", SCOPE)], (7_000_218, "invalid_client", 401)),
    ] {
        let form: Vec<_> = base.iter().copied().chain(fields.iter().copied()).collect();
        assert_eq!(world.token(&form).await.refusal(), expected, "{fields:?}");
    }
    let expired = world.client_credentials(EXPIRED, SCOPE).await;
    assert_eq!(expired.refusal(), (7_000_222, "invalid_client", 401));
    let public = [base[0], ("client_id", PUBLIC), ("scope", SCOPE)];
    assert_eq!(
        world.token(&public).await.refusal(),
        (7_000_218, "invalid_client", 401)
    );

    let form = [
        base[0],
        ("client_id", NO_ROLES),
        ("client_secret", "x"),
        ("scope", SCOPE),
    ];
    for (segment, expected) in [
        ("common", 50059),
        ("organizations", 50059),
        ("consumers", 9_002_332),
    ] {
        let url = format!("{}/{segment}/oauth2/v2.0/token", world.base);
        assert_eq!(
            world.token_at(&url, &form).await.refusal().0,
            expected,
            "{segment}"
        );
    }
}

#[actix_web::test]
async fn a_browser_is_refused() {
    let world = World::start().await;
    let secret = world.secret(APP_ONLY);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", APP_ONLY),
        ("client_secret", &secret),
        ("scope", SCOPE),
    ];
    let request = world
        .http
        .post(world.url("/oauth2/v2.0/token"))
        .header("Origin", "https://app.test");
    let response = request.form(&form).send().await.unwrap();
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
    assert_eq!(
        Reply::of(response).await.refusal(),
        (9_002_326, "invalid_request", 400)
    );
}
