//! The directory while it is used: every collection, what a restart keeps, and the tenant file there and back.

mod kept;
mod refused;
mod shortened;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::*;

const NEW_APP: &str = "0c9e6c1c-5b5e-4a3b-9f0d-2f6a7f6b1c01";
const EXCHANGE_IMAP: &str = "https://outlook.office.com/IMAP.AccessAsApp";

async fn get(world: &World, path: &str) -> Reply {
    world.control_as(Method::GET, path, None).await
}

async fn put(world: &World, path: &str, body: Value) -> Reply {
    world.control_as(Method::PUT, path, Some(body)).await
}

async fn patch(world: &World, path: &str, body: Value) -> Reply {
    world.control_as(Method::PATCH, path, Some(body)).await
}

async fn delete(world: &World, path: &str) -> Reply {
    world.control_as(Method::DELETE, path, None).await
}

async fn whole(world: &World) -> Value {
    get(world, "/directory").await.ok()
}

#[actix_web::test]
async fn every_collection_is_made_changed_and_removed() {
    let world = World::start().await;
    let user = json!({"address": "cleo@quillmere.test", "display_name": "Cleo"});
    let personal = json!({"address": "dora@else.test", "display_name": "Dora"});
    let shared = json!({"address": "info@quillmere.test", "display_name": "Info"});
    let application = json!({"client_id": NEW_APP, "display_name": "New", "flow": "app_only"});
    let principal = json!({"application": APP_ONLY, "object_id": NEW_APP});
    let permission = json!({"mailbox": ADA, "trustee": BRUNO});
    let consent = json!({"application": DELEGATED, "user": ADA, "permissions": ["openid"]});
    for (collection, key, entry, change, changed, created) in [
        (
            "users",
            "cleo@quillmere.test",
            user,
            json!({"enabled": false, "mailbox": {"imap": false}}),
            json!(false),
            201,
        ),
        (
            "personal_accounts",
            "dora@else.test",
            personal,
            json!({"enabled": false}),
            json!(false),
            201,
        ),
        (
            "shared_mailboxes",
            "info@quillmere.test",
            shared,
            json!({"display_name": "Enquiries"}),
            json!("Enquiries"),
            201,
        ),
        (
            "applications",
            NEW_APP,
            application,
            json!({"admin_consent": [EXCHANGE_IMAP]}),
            json!([EXCHANGE_IMAP]),
            201,
        ),
        (
            "service_principals",
            APP_ONLY,
            principal,
            json!({"display_name": "Shown"}),
            json!("Shown"),
            // Replaces the one of the tenant file.
            200,
        ),
        (
            "mailbox_permissions",
            "ada@quillmere.test/bruno@quillmere.test",
            permission,
            json!({"rights": ["send_as"]}),
            json!(["send_as"]),
            201,
        ),
        (
            "consents",
            "3f0b9f4e-6d58-4c1b-9a57-8e21c4d7b605/ada@quillmere.test",
            consent,
            json!({"permissions": ["openid", "email"]}),
            json!(["email", "openid"]),
            201,
        ),
    ] {
        let one = format!("/directory/{collection}/{key}");
        let made = put(&world, &format!("/directory/{collection}"), entry).await;
        assert_eq!(made.status, created, "{collection}: {made:?}");
        assert_eq!(get(&world, &one).await.ok(), made.body, "{collection}");
        // What is shown, put back, changes nothing.
        let before = whole(&world).await;
        assert_eq!(put(&world, &one, made.body).await.status, 200);
        assert_eq!(whole(&world).await, before, "{collection}");

        let after = patch(&world, &one, change.clone()).await.ok();
        let name = change.as_object().unwrap().keys().next().unwrap().clone();
        assert_eq!(after[&name], changed, "{collection}");
        assert_eq!(delete(&world, &one).await.status, 204, "{collection}");
        assert_eq!(get(&world, &one).await.status, 404, "{collection}");
        assert_eq!(delete(&world, &one).await.status, 404, "{collection}");
        assert_eq!(patch(&world, &one, change).await.status, 404);
    }
    let renamed = patch(
        &world,
        "/directory/tenant",
        json!({"display_name": "Other"}),
    )
    .await;
    assert_eq!(renamed.ok()["display_name"], "Other");
    assert_eq!(delete(&world, "/directory/tenant").await.status, 405);
}

#[actix_web::test]
async fn people_may_be_named_by_their_user_principal_name() {
    let world = World::start().await;
    let upn = "bruno.keller@quillmere.test";
    let permission = json!({"mailbox": ADA, "trustee": upn});
    let made = put(&world, "/directory/mailbox_permissions", permission).await;
    assert_eq!((made.status, &made.body["trustee"]), (201, &json!(BRUNO)));
    let tenant = |right| {
        let directory = world.running.directory();
        directory.tenant().has_right(ADA, BRUNO, right)
    };
    assert!(tenant(
        mailgrant_sandbox::directory::MailboxRight::FullAccess
    ));
    let consent = json!({"application": DELEGATED, "user": upn, "permissions": ["openid"]});
    let made = put(&world, "/directory/consents", consent.clone()).await;
    assert_eq!((made.status, &made.body["user"]), (201, &json!(BRUNO)));
    let again = put(&world, "/directory/consents", consent).await;
    assert_eq!(again.status, 200);
}

#[actix_web::test]
async fn a_replaced_user_keeps_what_is_left_out_and_a_new_password_ends_refresh_tokens() {
    let world = World::start().await;
    let before = get(&world, &format!("/directory/users/{NO_IMAP}"))
        .await
        .ok();
    let replaced = put(
        &world,
        "/directory/users",
        json!({"address": NO_IMAP, "display_name": "Renamed"}),
    )
    .await
    .ok();
    assert_eq!(replaced["display_name"], "Renamed");
    for kept in ["password", "object_id", "user_principal_name", "mailbox"] {
        assert_eq!(replaced[kept], before[kept], "{kept}");
    }
    let tokens = world.connected().await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let ada = format!("/directory/users/{ADA}");
    patch(&world, &ada, json!({"display_name": "Ada F."}))
        .await
        .ok();
    world.refresh(refresh_token, &[]).await.ok();
    patch(&world, &ada, json!({"password": "another"}))
        .await
        .ok();
    let refused = world.refresh(refresh_token, &[]).await;
    assert_eq!(refused.refusal(), (50173, "invalid_grant", 400));
}

#[actix_web::test]
async fn secrets_come_end_and_go() {
    let world = World::start().await;
    let path = format!("/directory/applications/{APP_ONLY}/secrets");
    let added = world
        .control_as(Method::POST, &path, Some(json!({"display_name": "second"})))
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let (id, value) = (
        added.body["id"].as_str().unwrap().to_owned(),
        added.body["value"].as_str().unwrap().to_owned(),
    );
    assert_eq!(value.len(), 40);
    let token = |secret: String| {
        let world = &world;
        async move {
            world
                .token(&[
                    ("grant_type", "client_credentials"),
                    ("client_id", APP_ONLY),
                    ("client_secret", &secret),
                    ("scope", "https://outlook.office365.com/.default"),
                ])
                .await
        }
    };
    token(value.clone()).await.ok();
    token(world.secret(APP_ONLY)).await.ok();
    let one = format!("{path}/{id}");
    let ended = patch(&world, &one, json!({"expires": "2027-01-01T00:00:00Z"})).await;
    assert_eq!(ended.ok()["expires"], "2027-01-01T00:00:00Z");
    assert_eq!(token(value.clone()).await.refusal().0, 7_000_222);
    let refused = patch(&world, &one, json!({"expires": "soon"})).await;
    assert_eq!(refused.status, 400);
    assert_eq!(delete(&world, &one).await.status, 204);
    assert_eq!(token(value).await.refusal().0, 7_000_215);
    assert_eq!(delete(&world, &one).await.status, 404);
    let nobody = format!("/directory/applications/{NEW_APP}/secrets");
    let refused = world
        .control_as(Method::POST, &nobody, Some(json!({})))
        .await;
    assert_eq!(refused.status, 404);
    // Without its last secret it is still no public client.
    let first = get(&world, &format!("/directory/applications/{APP_ONLY}"))
        .await
        .ok();
    let first = first["secrets"][0]["id"].as_str().unwrap().to_owned();
    let secret = world.secret(APP_ONLY);
    assert_eq!(delete(&world, &format!("{path}/{first}")).await.status, 204);
    assert_eq!(token(secret).await.refusal().0, 7_000_215);
}

#[actix_web::test]
async fn a_new_mailbox_is_empty_or_filled_as_wished() {
    let world = World::start().await;
    let messages = |address: &str| {
        let mailbox = world.running.mail().mailbox(address).unwrap();
        mailbox.folder("INBOX").unwrap().entries().len()
    };
    let user = |address: &str| json!({"address": address, "display_name": "New"});
    put(&world, "/directory/users", user("empty@quillmere.test")).await;
    assert!(world.running.mail().contains("empty@quillmere.test"));
    assert_eq!(messages("empty@quillmere.test"), 0);
    let path = "/directory/users?sample_mail=true";
    assert_eq!(
        put(&world, path, user("full@quillmere.test")).await.status,
        201
    );
    assert!(messages("full@quillmere.test") > 10);
}

#[actix_web::test]
async fn what_hangs_on_an_entry_goes_with_it() {
    let world = World::start().await;
    world.connected().await;
    let has = |whole: &Value, collection: &str, key: &str, value: &str| {
        let entries = whole[collection].as_array().unwrap();
        entries.iter().any(|entry| entry[key] == value)
    };
    assert!(has(&whole(&world).await, "consents", "user", ADA));
    delete(&world, &format!("/directory/users/{ADA}")).await;
    delete(&world, &format!("/directory/users/{BRUNO}")).await;
    let after = whole(&world).await;
    assert!(!has(&after, "consents", "user", ADA));
    assert!(!has(&after, "mailbox_permissions", "trustee", BRUNO));
    // Exchange is not told of an application's end.
    delete(&world, &format!("/directory/applications/{APP_ONLY}")).await;
    let after = whole(&world).await;
    assert!(has(&after, "service_principals", "application", APP_ONLY));
    assert!(has(&after, "mailbox_permissions", "trustee", APP_ONLY));
    delete(&world, &format!("/directory/service_principals/{APP_ONLY}")).await;
    assert!(!has(
        &whole(&world).await,
        "mailbox_permissions",
        "trustee",
        APP_ONLY
    ));
}

#[actix_web::test]
async fn the_log_names_what_was_changed_and_no_password() {
    let world = World::start().await;
    let path = format!("/directory/users/{ADA}");
    patch(&world, &path, json!({"password": "hunter2 hunter2"}))
        .await
        .ok();
    patch(&world, &path, json!({"pasword": "hunter2 hunter2"})).await;
    get(&world, &path).await.ok();
    let entries = world.running.requests().entries();
    let told: Vec<(&str, Option<&str>, &str)> = entries
        .iter()
        .map(|entry| (entry.kind, entry.detail.as_deref(), entry.outcome.as_str()))
        .collect();
    let detail = format!("PATCH /control/directory/users/{ADA}");
    assert_eq!(
        told,
        [
            ("control", Some(detail.as_str()), "ok"),
            ("control", Some(detail.as_str()), "refused"),
        ]
    );
    let journal = std::fs::read_to_string(world.dir.path().join("directory.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 2, "the change and the revocation");
    assert!(!format!("{entries:?}").contains("hunter2"));
}
