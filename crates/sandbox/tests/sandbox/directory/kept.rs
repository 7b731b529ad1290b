//! What outlives the run: changes at the next start, and the tenant file that is written out.

use std::sync::Arc;

use mailgrant_sandbox::directory::TenantFile;
use mailgrant_sandbox::{Clock, Sandbox, SandboxSettings};
use serde_json::json;

use super::{NEW_APP, delete, get, patch, put, whole};
use crate::support::*;

/// Makes a change of each kind.
async fn change_everything(world: &World) {
    for (path, body) in [
        (
            "/directory/users",
            json!({"address": "cleo@quillmere.test", "display_name": "Cleo"}),
        ),
        (
            "/directory/shared_mailboxes",
            json!({"address": "info@quillmere.test", "display_name": "I"}),
        ),
        (
            "/directory/applications",
            json!({"client_id": NEW_APP, "display_name": "N", "flow": "delegated",
                   "redirect_uris": ["https://n.test/", {"uri": "https://s.test/", "platform": "spa"}],
                   "permissions": ["openid", "https://outlook.office.com/SMTP.Send"]}),
        ),
        (
            "/directory/service_principals",
            json!({"application": NEW_APP, "object_id": DELEGATED}),
        ),
        (
            "/directory/mailbox_permissions",
            json!({"mailbox": "info@quillmere.test", "trustee": NEW_APP, "rights": ["full_access", "send_as"]}),
        ),
        (
            "/directory/consents",
            json!({"application": NEW_APP, "user": "cleo@quillmere.test", "permissions": ["openid"]}),
        ),
    ] {
        assert_eq!(put(world, path, body).await.status, 201, "{path}");
    }
    patch(world, "/directory/tenant", json!({"smtp_auth": true}))
        .await
        .ok();
    let shared = format!("/directory/shared_mailboxes/{SHARED}");
    patch(world, &shared, json!({"mailbox": {"smtp_auth": false}}))
        .await
        .ok();
    let delegated = format!("/directory/applications/{DELEGATED}");
    patch(world, &delegated, json!({"display_name": "Changed"}))
        .await
        .ok();
    assert_eq!(
        delete(world, &format!("/directory/users/{NO_IMAP}"))
            .await
            .status,
        204
    );
}

#[actix_web::test]
async fn a_restart_keeps_every_change() {
    let world = World::start().await;
    change_everything(&world).await;
    world.connected().await;
    let before = whole(&world).await;
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let world = World::start_in(dir, clock).await;
    assert_eq!(whole(&world).await, before);
}

#[actix_web::test]
async fn a_change_that_no_longer_fits_the_tenant_file_does_not_stop_the_start() {
    let world = World::start().await;
    let permission = json!({"mailbox": SHARED, "trustee": ADA});
    put(&world, "/directory/mailbox_permissions", permission).await;
    patch(
        &world,
        &format!("/directory/users/{BRUNO}"),
        json!({"display_name": "B."}),
    )
    .await
    .ok();
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let without_shared = {
        let start = TENANT.find("[[shared_mailbox]]").unwrap();
        let end = TENANT.find("[[application]]").unwrap();
        format!("{}{}", &TENANT[..start], &TENANT[end..])
    };
    let mut settings = SandboxSettings::new(dir.path());
    settings.tenant = Some(TenantFile::parse(&without_shared).unwrap());
    settings.clock = clock;
    settings.sample_mail = false;
    let running = Sandbox::start(settings).await.unwrap();
    {
        let tenant = running.directory().tenant();
        assert!(tenant.mailbox_permissions.is_empty());
        assert_eq!(tenant.user(BRUNO).unwrap().display_name, "B.");
    }
    running.stop().await;
}

#[actix_web::test]
async fn the_settings_redirect_uri_follows_the_settings() {
    let world = World::start().await;
    let path = format!("/directory/applications/{DELEGATED}");
    let kept = json!({"redirect_uris": ["https://own.test/", REDIRECT]});
    patch(&world, &path, kept).await.ok();
    let without = format!("/directory/applications/{SINGLE_TENANT}");
    patch(&world, &without, json!({"redirect_uris": []}))
        .await
        .ok();
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let mut settings = SandboxSettings::new(dir.path());
    settings.tenant = Some(TenantFile::parse(TENANT).unwrap());
    settings.redirect_uris = vec!["http://localhost:9999/cb".to_owned()];
    settings.clock = clock;
    settings.sample_mail = false;
    let running = Sandbox::start(settings).await.unwrap();
    let uris = |client_id: &str| -> Vec<String> {
        let tenant = running.directory().tenant();
        let application = tenant.application(client_id).unwrap();
        application
            .redirect_uris
            .iter()
            .map(|known| known.uri.clone())
            .collect()
    };
    assert_eq!(
        uris(DELEGATED),
        ["https://own.test/", "http://localhost:9999/cb"]
    );
    assert_eq!(uris(SINGLE_TENANT), Vec::<String>::new());
    running.stop().await;
}

#[actix_web::test]
async fn the_export_starts_another_sandbox_with_the_same_tenant() {
    let world = World::start().await;
    change_everything(&world).await;
    world.connected().await;
    let exported = get(&world, "/directory?format=toml").await;
    assert_eq!(exported.status, 200);
    let before = whole(&world).await;
    world.running.stop().await;

    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mut settings = SandboxSettings::new(dir.path());
    settings.tenant = Some(TenantFile::parse(exported.body.as_str().unwrap()).unwrap());
    settings.clock = Clock::fixed(NOW);
    settings.sample_mail = false;
    let running = Sandbox::start(settings).await.unwrap();
    let base = running.description().authority;
    let again = http(None)
        .get(format!("{base}/control/directory"))
        .header("X-Sandbox-Control", "1");
    assert_eq!(Reply::of(again.send().await.unwrap()).await.ok(), before);
    running.stop().await;
}
