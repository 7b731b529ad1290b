//! An account whose grant is known to be dead, or that is switched off: nothing that was kept of it serves any more.

use mailgrant_storage::{AccountId, Storage};
use serde_json::{Value, json};

use crate::{
    events::kinds,
    world::{World, tokens},
};

/// An account with a token in memory, in the storage, and an idle mail session.
async fn in_use(world: &World) -> String {
    let account = world.account().await;
    world
        .authority_answers_times(
            "refresh_token=second",
            200,
            tokens("access-1", Some("third")),
            1,
        )
        .await;
    for (method, path) in [("GET", "mailboxes"), ("POST", "access-token")] {
        assert_eq!(asked(world, method, &account, path).await.0, 200);
    }
    assert!(is_kept(world, &account).await);
    account
}

async fn asked(world: &World, method: &str, account: &str, what: &str) -> (u16, Value) {
    let path = format!("/v1/accounts/{account}/{what}");
    let answer = world.call(method, &path, None).await;
    (answer.status, answer.json()["code"].clone())
}

async fn is_kept(world: &World, account: &str) -> bool {
    let storage = world.gateway.storage();
    let key = format!("account\n{account}");
    storage
        .access_tokens()
        .lookup(&key)
        .await
        .unwrap()
        .is_some()
}

async fn nothing_serves(world: &World, account: &str, code: &str) {
    let asked_before = world.token_requests().await.len();
    for (method, what) in [
        ("POST", "access-token"),
        ("POST", "access-token?min_lifetime=3600"),
        ("GET", "mailboxes"),
        ("GET", "emails"),
    ] {
        let answer = asked(world, method, account, what).await;
        assert_eq!(answer, (409, json!(code)), "{method} {what}");
    }
    assert!(!is_kept(world, account).await);
    world.gateway.round().await;
    assert_eq!(world.token_requests().await.len(), asked_before);
}

#[tokio::test]
async fn a_grant_that_dies_while_its_token_is_good_takes_the_token_along() {
    let world = World::start().await;
    let account = in_use(&world).await;
    world
        .authority_answers(
            "refresh_token=third",
            400,
            json!({"error": "invalid_grant"}),
        )
        .await;
    // The token is renewed ahead of its end, twenty minutes before.
    world.clock.forward(2500);
    world.gateway.round().await;
    nothing_serves(&world, &account, "reauth_required").await;
}

#[tokio::test]
async fn what_another_process_found_out_counts_at_once() {
    let mut world = World::start().await;
    let account = in_use(&world).await;
    let replica = world.replica().await;
    world
        .authority_answers(
            "refresh_token=third",
            400,
            json!({"error": "invalid_grant"}),
        )
        .await;
    let first = std::mem::replace(&mut world.gateway, replica);
    // The second asks for a token that lives longer than the one that is kept, and learns that the grant is dead.
    let longer = "access-token?min_lifetime=3601";
    assert_eq!(asked(&world, "POST", &account, longer).await.0, 409);
    let second = std::mem::replace(&mut world.gateway, first);
    nothing_serves(&world, &account, "reauth_required").await;
    second.stop().await;
}

#[tokio::test]
async fn a_disabled_account_gives_nothing_and_an_enabled_one_a_new_token() {
    let world = World::start().await;
    let account = in_use(&world).await;
    let path = format!("/v1/accounts/{account}");
    let switch = async |disabled: bool| {
        let answer = world.call("PATCH", &path, Some(json!({"disabled": disabled})));
        assert_eq!(answer.await.status, 200);
    };
    switch(true).await;
    switch(true).await;
    nothing_serves(&world, &account, "account_disabled").await;
    switch(false).await;
    world.refresh_gives("third", "access-2", "fourth").await;
    let token = format!("{path}/access-token");
    let token = world.call("POST", &token, None).await.json();
    assert_eq!(token["access_token"], "access-2");

    assert_eq!(world.call("DELETE", &path, None).await.status, 204);
    assert_eq!(asked(&world, "POST", &account, "access-token").await.0, 404);
    assert_eq!(asked(&world, "GET", &account, "mailboxes").await.0, 404);
    assert!(!is_kept(&world, &account).await);
    assert_eq!(world.call("DELETE", &path, None).await.status, 404);

    let told = world.call("GET", "/v1/events", None).await.json();
    assert_eq!(
        kinds(&told),
        [
            "account.connected",
            "account.disabled",
            "account.enabled",
            "account.deleted"
        ]
    );
    let deleted = &told["items"][3];
    assert_eq!(deleted["account_id"], account.as_str());
    assert_eq!(
        deleted["data"],
        json!({"application": "contoso", "flow": "delegated", "imap_user": "anna@example.com", "state": null,
            "previous_state": "connected"})
    );
}

#[tokio::test]
async fn a_token_from_before_the_person_agreed_anew_is_not_handed_out() {
    let world = World::start().await;
    let account = in_use(&world).await;
    world.clock.forward(60);
    // Somewhere else the person agrees anew; this process has not been told.
    let storage = world.gateway.storage();
    let id: AccountId = account.parse().unwrap();
    let known = storage.accounts().lookup_any_site(&id).await.unwrap();
    agree_anew(&*storage, known.unwrap(), &world).await;
    world.refresh_gives("anew", "access-new", "after").await;
    let path = format!("/v1/accounts/{account}/access-token");
    let token = world.call("POST", &path, None).await.json();
    assert_eq!(token["access_token"], "access-new");
}

async fn agree_anew(storage: &dyn Storage, known: mailgrant_storage::Account, world: &World) {
    use mailgrant_core::{scope::Scopes, token::RefreshToken};
    use mailgrant_server::Clock;

    let account = mailgrant_storage::NewAccount {
        site: known.site,
        application: known.application,
        flow: known.flow,
        tenant: known.tenant,
        state: known.state,
        imap_user: known.imap_user,
        smtp_user: known.smtp_user,
        from_address: known.from_address,
        identity: known.identity,
        diagnosis: None,
        metadata: known.metadata,
    };
    let grant = mailgrant_storage::NewGrant {
        refresh_token: RefreshToken::new("anew").unwrap(),
        scopes: Scopes::parse("mail offline_access").unwrap(),
    };
    let connected = storage
        .accounts()
        .connect(account, grant, world.clock.now())
        .await
        .unwrap();
    assert!(connected.reconnected);
}
