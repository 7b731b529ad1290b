//! Settings that no longer take an account: it stops, says why, loses nothing, and goes on when they do again.

use mailgrant_core::{scope::Scopes, token::RefreshToken};
use mailgrant_storage::{AccountState, Flow, Identity, NewAccount, NewGrant};
use serde_json::{Value, json};

use crate::{
    events::kinds,
    world::{ALLOWED_TENANT, World, tokens},
};

const OTHER_TENANT: &str = "22222222-2222-3333-4444-555555555555";
const DAY: i64 = 86_400;

#[tokio::test]
async fn a_tenant_taken_off_the_list_stops_its_accounts_until_it_is_put_back() {
    let mut world = World::start().await;
    world
        .authority_answers("client_credentials", 200, tokens("app", None))
        .await;
    world.refresh_gives("mine", "access-0", "second").await;
    world.refresh_gives("second", "access-1", "third").await;
    let app_only = added(&world, json!({"address": "support@example.com"})).await;
    let delegated = signed_in(
        &world,
        "guests",
        &format!("http://127.0.0.1:1/{ALLOWED_TENANT}/v2.0"),
    )
    .await;
    for account in [&app_only, &delegated] {
        works(&world, account).await;
    }
    let asked = world.token_requests().await.len();

    world
        .settings_become(|text| text.replace(ALLOWED_TENANT, OTHER_TENANT))
        .await;
    for _ in 0..2 {
        world.gateway.round().await;
        for account in [&app_only, &delegated] {
            let diagnosis = stopped(&world, account, "tenant_not_allowed").await;
            let said = diagnosis.to_string();
            assert_eq!(diagnosis["code"], "tenant_not_allowed");
            assert!(
                said.contains(ALLOWED_TENANT) && said.contains("allowed_tenants"),
                "{said}"
            );
        }
        world.clock.forward(DAY);
    }
    assert_eq!(
        world.token_requests().await.len(),
        asked,
        "nobody was asked for anything"
    );
    assert_eq!(
        told(&world).await[2..],
        ["account.degraded", "account.degraded"]
    );

    world
        .settings_become(|text| text.replace(OTHER_TENANT, ALLOWED_TENANT))
        .await;
    world.gateway.round().await;
    for account in [&app_only, &delegated] {
        let seen = look(&world, account).await;
        assert_eq!(
            (&seen["state"], &seen["diagnosis"]),
            (&json!("connected"), &Value::Null),
            "{seen:#}"
        );
        works(&world, account).await;
    }
    assert_eq!(
        told(&world).await[4..],
        ["account.recovered", "account.recovered"]
    );
}

#[tokio::test]
async fn the_first_request_after_the_start_is_refused_as_well() {
    let mut world = World::start().await;
    world
        .authority_answers("client_credentials", 200, tokens("app", None))
        .await;
    let account = added(&world, json!({"address": "support@example.com"})).await;
    works(&world, &account).await;
    // No round: a token that was kept on disk serves nobody either.
    world
        .settings_become(|text| text.replace(ALLOWED_TENANT, OTHER_TENANT))
        .await;
    stopped(&world, &account, "tenant_not_allowed").await;
    world
        .settings_become(|text| text.replace(OTHER_TENANT, ALLOWED_TENANT))
        .await;
    works(&world, &account).await;
    assert_eq!(look(&world, &account).await["state"], "connected");
}

#[tokio::test]
async fn an_application_for_one_tenant_takes_no_other_ones_accounts() {
    let mut world = World::start().await;
    world
        .authority_answers("client_credentials", 200, tokens("app", None))
        .await;
    let account = added(&world, json!({"address": "support@example.com"})).await;
    let narrower = format!("tenant = \"{OTHER_TENANT}\"");
    world
        .settings_become(|text| {
            let text = text.replace("tenant = \"organizations\"", &narrower);
            text.replace(&format!("allowed_tenants = [\"{ALLOWED_TENANT}\"]\n"), "")
        })
        .await;
    let diagnosis = stopped(&world, &account, "tenant_not_allowed").await;
    let said = diagnosis.to_string();
    assert!(
        said.contains(ALLOWED_TENANT) && said.contains(OTHER_TENANT),
        "{said}"
    );
}

#[tokio::test]
async fn an_application_that_was_taken_out_is_named_and_comes_back() {
    let mut world = World::start().await;
    let account = world.account().await;
    world.refresh_gives("second", "access-1", "third").await;
    works(&world, &account).await;
    world
        .settings_become(|text| text.replace("id = \"contoso\"", "id = \"renamed\""))
        .await;
    world.gateway.round().await;
    world.clock.forward(DAY);
    world.gateway.round().await;
    let diagnosis = stopped(&world, &account, "misconfigured").await;
    assert_eq!(diagnosis["code"], "application_missing");
    assert!(diagnosis.to_string().contains("contoso"), "{diagnosis:#}");
    // What needs no authority works.
    let path = format!("/v1/accounts/{account}");
    let changed = world
        .call("PATCH", &path, Some(json!({"metadata": {"a": 1}})))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let renamed = world
        .call("PATCH", &path, Some(json!({"imap_user": "b@example.com"})))
        .await;
    assert_eq!(renamed.status, 409, "{}", renamed.text());
    let session = json!({"account": account, "origin": crate::world::ORIGIN});
    let session = world
        .call("POST", "/v1/connect-sessions", Some(session))
        .await;
    assert!((400..500).contains(&session.status), "{}", session.text());
    assert!(session.text().contains("contoso"), "{}", session.text());

    world
        .settings_become(|text| text.replace("id = \"renamed\"", "id = \"contoso\""))
        .await;
    world.refresh_gives("third", "access-2", "fourth").await;
    world.gateway.round().await;
    works(&world, &account).await;
    assert_eq!(
        told(&world).await,
        ["account.connected", "account.degraded", "account.recovered"]
    );
}

#[tokio::test]
async fn a_grant_goes_to_no_other_authority() {
    let mut world = World::start().await;
    let account = signed_in(&world, "contoso", "http://127.0.0.1:1/tenant/v2.0").await;
    world.refresh_gives("mine", "access-0", "next").await;
    works(&world, &account).await;
    let asked = world.token_requests().await.len();
    // Another host, and at the same host another realm.
    for (from, to) in [
        ("//127.0.0.1:", "//localhost:"),
        ("/tenant/v2.0", "/realms/other"),
    ] {
        let own = |text: &str, from: &str, to: &str| {
            let (before, corp) = text.split_once("id = \"corp\"\ndisplay_name").unwrap();
            format!(
                "{before}id = \"corp\"\ndisplay_name{}",
                corp.replacen(from, to, 1)
            )
        };
        world.settings_become(|text| own(&text, from, to)).await;
        world.clock.forward(DAY);
        world.gateway.round().await;
        let diagnosis = stopped(&world, &account, "misconfigured").await;
        assert_eq!(diagnosis["code"], "provider_changed");
        assert_eq!(
            world.token_requests().await.len(),
            asked,
            "nothing was sent"
        );
        world.settings_become(|text| own(&text, to, from)).await;
    }
    world.refresh_gives("next", "access-1", "third").await;
    world.gateway.round().await;
    works(&world, &account).await;
}

#[tokio::test]
async fn what_is_dead_or_switched_off_stays_so() {
    let mut world = World::start().await;
    let account = world.account().await;
    let path = format!("/v1/accounts/{account}");
    world
        .call("PATCH", &path, Some(json!({"disabled": true})))
        .await;
    world
        .settings_become(|text| text.replace("id = \"contoso\"", "id = \"renamed\""))
        .await;
    world.gateway.round().await;
    assert_eq!(look(&world, &account).await["state"], "disabled");
    let refused = world
        .call("POST", &format!("{path}/access-token"), None)
        .await;
    assert_eq!(refused.json()["code"], "account_disabled");
}

/// An account of the application `guests`, in the tenant that it takes.
async fn added(world: &World, mut body: Value) -> String {
    body["application"] = "guests".into();
    body["tenant"] = ALLOWED_TENANT.into();
    let answer = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// An account of somebody whom that issuer has vouched for.
async fn signed_in(world: &World, application: &str, issuer: &str) -> String {
    let tenant = (application == "guests").then(|| ALLOWED_TENANT.to_owned());
    let account = NewAccount {
        site: "default".to_owned(),
        application: application.to_owned(),
        flow: Flow::Delegated,
        tenant: tenant.clone(),
        state: AccountState::Connected,
        imap_user: "anna@example.com".to_owned(),
        smtp_user: "anna@example.com".to_owned(),
        from_address: "anna@example.com".to_owned(),
        identity: Some(Identity {
            issuer: issuer.to_owned(),
            subject: "anna".to_owned(),
            tenant_id: tenant,
            object_id: None,
            email: None,
            preferred_username: None,
            name: None,
        }),
        diagnosis: None,
        metadata: json!({}),
    };
    let grant = NewGrant {
        refresh_token: RefreshToken::new("mine").unwrap(),
        scopes: Scopes::parse("offline_access mail").unwrap(),
    };
    let storage = world.gateway.storage();
    let now = mailgrant_server::Clock::now(&*world.clock);
    let connected = storage
        .accounts()
        .connect(account, grant, now)
        .await
        .unwrap();
    connected.account.id.to_string()
}

async fn works(world: &World, account: &str) {
    for (method, path) in [("POST", "access-token"), ("GET", "mailboxes")] {
        let path = format!("/v1/accounts/{account}/{path}");
        let answer = world.call(method, &path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

/// Whatever needs the grant is refused by that code, and the account says why. Gives its diagnosis.
async fn stopped(world: &World, account: &str, code: &str) -> Value {
    for (method, path) in [
        ("POST", "access-token"),
        ("POST", "access-token?min_lifetime=3600"),
        ("GET", "mailboxes"),
        ("GET", "emails"),
    ] {
        let path = format!("/v1/accounts/{account}/{path}");
        let refused = world.call(method, &path, None).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (409, &json!(code)),
            "{path}: {}",
            refused.text()
        );
        assert!(
            refused.json()["diagnosis"]["remedy"][0].is_string(),
            "{}",
            refused.text()
        );
    }
    let seen = look(world, account).await;
    assert_eq!(seen["state"], "degraded", "{seen:#}");
    assert_eq!(
        seen["next_attempt_at"],
        Value::Null,
        "waiting mends no settings"
    );
    seen["diagnosis"].clone()
}

async fn look(world: &World, account: &str) -> Value {
    world
        .call("GET", &format!("/v1/accounts/{account}"), None)
        .await
        .json()
}

async fn told(world: &World) -> Vec<String> {
    let events = world.call("GET", "/v1/events", None).await.json();
    kinds(&events).into_iter().map(str::to_owned).collect()
}
