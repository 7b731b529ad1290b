//! The journal is shortened when it grows, and says the same afterwards.

use mailgrant_core::time::UnixTime;
use mailgrant_sandbox::directory::{NewRefreshToken, Platform, TenantFile};
use reqwest::Method;
use serde_json::json;

use crate::support::*;

fn length(world: &World) -> u64 {
    let path = world.dir.path().join("directory.jsonl");
    std::fs::metadata(path).unwrap().len()
}

fn whole(world: &World) -> String {
    let directory = world.running.directory();
    TenantFile::of(&directory.tenants()).to_toml().unwrap()
}

#[actix_web::test]
async fn a_journal_that_is_written_to_all_day_stays_short() {
    let world = World::start().await;
    let given = world.connected().await;
    let cleo = json!({"address": "cleo@quillmere.test", "display_name": "Cleo", "password": "p"});
    let path = "/directory/users";
    world.control_as(Method::PUT, path, Some(cleo)).await;
    let right = json!({"mailbox": "cleo@quillmere.test", "trustee": ADA});
    let path = "/directory/mailbox_permissions";
    world.control_as(Method::PUT, path, Some(right)).await;
    let path = "/directory/users/cleo@quillmere.test";
    let mut longest = 0;
    for number in 0..900 {
        // Long entries, so that the limit is met soon.
        let name = format!("Cleo {number} {}", "x".repeat(600));
        let change = json!({"display_name": name, "mailbox": {"imap": number % 2 == 0}});
        let changed = world.control_as(Method::PATCH, path, Some(change)).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        longest = longest.max(length(&world));
    }
    // 900 entries of more than 900 octets would be more than 800,000.
    assert!(longest < 300_000, "{longest}");
    let before = whole(&world);
    assert!(before.contains("Cleo 899 ") && before.contains("trustee = \"ada@quillmere.test\""));
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let world = World::start_in(dir, clock).await;
    assert_eq!(whole(&world), before);
    let token = given["refresh_token"].as_str().unwrap();
    world.refresh(token, &[]).await.ok();
}

#[actix_web::test]
async fn of_refresh_tokens_the_newest_are_kept() {
    let world = World::start().await;
    let directory = world.running.directory();
    let new = |person: &str| NewRefreshToken {
        client_id: DELEGATED.to_owned(),
        person: person.to_owned(),
        scopes: Vec::new(),
        audience: "https://outlook.office.com".to_owned(),
        platform: Platform::Web,
        first_issued_at: None,
        second_step_at: None,
        generation: None,
    };
    let other = directory.issue_refresh_token(new("other"), NOW).unwrap();
    let mut last = None;
    for number in 0..1_500 {
        let now = UnixTime(NOW.0 + number);
        last = Some(directory.issue_refresh_token(new("busy"), now).unwrap());
    }
    directory.revoke_refresh_tokens("other").unwrap();
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    let before = length(&world);
    world.running.stop().await;
    let world = World::start_in(dir, clock).await;
    assert!(length(&world) < before, "{before}");
    let directory = world.running.directory();
    let last = last.unwrap();
    directory.refresh_token(last.expose(), NOW).unwrap();
    let refused = directory.refresh_token(other.expose(), NOW).unwrap_err();
    assert_eq!(format!("{refused:?}"), "Revoked");
}
