//! Entries that are not valid: each is refused with its key.

use reqwest::Method;
use serde_json::{Value, json};

use super::{EXCHANGE_IMAP, NEW_APP, put, whole};
use crate::support::*;

#[actix_web::test]
async fn bad_entries_are_refused_with_the_key_and_change_nothing() {
    let world = World::start().await;
    let before = whole(&world).await;
    let user = |more: Value| {
        let mut user = json!({"address": "cleo@quillmere.test", "display_name": "Cleo"});
        user.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        user
    };
    let application = |more: Value| {
        let mut application =
            json!({"client_id": NEW_APP, "display_name": "N", "flow": "app_only"});
        application
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        application
    };
    for (collection, entry, named) in [
        ("users", user(json!({"pasword": "x"})), "pasword"),
        ("users", user(json!({"enabled": "yes"})), "boolean"),
        (
            "users",
            user(json!({"address": "no at sign"})),
            "[[user]] address",
        ),
        ("users", user(json!({"address": SHARED})), "there twice"),
        (
            "users",
            user(json!({"user_principal_name": ADA})),
            "there twice",
        ),
        ("users", user(json!({"object_id": "x"})), "object_id"),
        ("users", user(json!({"mailbox": {"impa": true}})), "impa"),
        ("users", json!([1]), "invalid type"),
        (
            "shared_mailboxes",
            json!({"address": ADA, "display_name": "A"}),
            "there twice",
        ),
        (
            "shared_mailboxes",
            json!({"address": "x@y.test"}),
            "display_name",
        ),
        (
            "applications",
            application(json!({"client_id": "x"})),
            "client_id",
        ),
        (
            "applications",
            application(json!({"flow": "sideways"})),
            "sideways",
        ),
        (
            "applications",
            application(json!({"redirect_uris": ["https://*.test/"]})),
            "redirect_uris",
        ),
        (
            "applications",
            application(json!({"permissions": ["IMAP.AccessAsApp"]})),
            "IMAP.AccessAsApp",
        ),
        (
            "applications",
            application(json!({"secrets": [{"value": "v", "expires": "soon"}]})),
            "secrets.expires",
        ),
        (
            "applications",
            application(json!({"public": true, "secrets": [{"value": "v"}]})),
            "public",
        ),
        (
            "applications",
            application(json!({"enterprise_application": false, "admin_consent": [EXCHANGE_IMAP]})),
            "admin_consent",
        ),
        (
            "service_principals",
            json!({"application": "x", "object_id": NEW_APP}),
            "application",
        ),
        (
            "service_principals",
            json!({"application": APP_ONLY, "object_id": "x"}),
            "object_id",
        ),
        (
            "mailbox_permissions",
            json!({"mailbox": "x@y.test", "trustee": BRUNO}),
            "mailbox",
        ),
        (
            "mailbox_permissions",
            json!({"mailbox": ADA, "trustee": "nobody"}),
            "trustee",
        ),
        (
            "mailbox_permissions",
            json!({"mailbox": ADA, "trustee": BRUNO, "rights": []}),
            "rights",
        ),
        (
            "consents",
            json!({"application": NEW_APP, "user": ADA, "permissions": []}),
            "application",
        ),
        (
            "consents",
            json!({"application": DELEGATED, "user": "x", "permissions": []}),
            "user",
        ),
        (
            "tenant",
            json!({"id": "x", "display_name": "T", "domains": ["t.test"]}),
            "id",
        ),
        (
            "tenant",
            json!({"id": NEW_APP, "display_name": "T", "domains": []}),
            "domains",
        ),
    ] {
        let refused = put(&world, &format!("/directory/{collection}"), entry).await;
        assert_eq!(refused.status, 400, "{collection} {named}: {refused:?}");
        let error = refused.body["error"].as_str().unwrap();
        assert!(error.contains(named), "{collection}: {error}");
    }
    for (method, path, body, status, named) in [
        (Method::GET, "/directory/people", None, 404, "users"),
        (
            Method::PUT,
            "/directory/users/x@y.test",
            Some(user(json!({}))),
            400,
            "cleo@",
        ),
        (
            Method::PATCH,
            "/directory/users",
            Some(json!({})),
            400,
            "path",
        ),
        (
            Method::PATCH,
            "/directory/users/ada@quillmere.test",
            Some(json!([])),
            400,
            "object",
        ),
        (
            Method::PATCH,
            "/directory/users/ada@quillmere.test",
            Some(json!({"address": "b@quillmere.test"})),
            400,
            "cannot change",
        ),
        (Method::GET, "/directory?format=yaml", None, 400, "yaml"),
        (
            Method::PUT,
            "/directory/users?sample=1",
            Some(user(json!({}))),
            400,
            "sample",
        ),
    ] {
        let refused = world.control_as(method.clone(), path, body).await;
        assert_eq!(refused.status, status, "{method} {path}: {refused:?}");
        assert!(
            refused.body["error"].as_str().unwrap().contains(named),
            "{path}: {refused:?}"
        );
    }
    assert_eq!(whole(&world).await, before);
}

#[actix_web::test]
async fn nobody_is_both_a_user_and_a_personal_account() {
    let world = World::start().await;
    let dora = json!({"address": "dora@else.test", "display_name": "Dora"});
    let ada = json!({"address": ADA, "display_name": "Ada"});
    let made = put(&world, "/directory/personal_accounts", dora.clone()).await;
    assert_eq!(made.status, 201);
    for (collection, entry) in [("users", dora), ("personal_accounts", ada)] {
        let refused = put(&world, &format!("/directory/{collection}"), entry).await;
        let error = refused.body["error"].as_str().unwrap();
        assert!(error.contains("there twice"), "{collection}: {error}");
    }
}
