//! Imports under way in one process while another has the same token.

use serde_json::json;

use super::authority::Authority;
use super::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_stopped_in_the_middle_of_an_import_keeps_its_token() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (stopped, other) = (world.gateway("a"), world.gateway("b"));
    authority.hold();
    let first = world.caller(&stopped);
    let first = tokio::spawn(async move { first.import().await });
    authority.arrived().await;
    stopped.signal("-STOP");
    // Some rounds of the other gateway, and somebody who gives it the same token.
    let caller = world.caller(&other);
    let (status, body) = caller.import().await.expect("an answer");
    assert_eq!((status, &body["code"]), (503, &json!("busy")), "{body:#}");
    assert_eq!(authority.seen().refreshes, 1);
    stopped.signal("-CONT");
    authority.release();
    let (_, body) = first.await.unwrap().expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    // The other one goes on with what the first one was given.
    let (_, body) = caller.import().await.expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    let seen = authority.seen();
    assert_eq!(
        (seen.refreshes, seen.repeated, seen.dead),
        (2, 0, false),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_the_token_to_nobody_who_would_use_it_too() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (left, other) = (world.gateway("a"), world.gateway("b"));
    authority.hold();
    let gone = world.caller(&left);
    let gone = tokio::spawn(async move { gone.import().await });
    authority.arrived().await;
    gone.abort();
    let caller = world.caller(&other);
    let (status, body) = caller.import().await.expect("an answer");
    assert_eq!((status, &body["code"]), (503, &json!("busy")), "{body:#}");
    assert_eq!(authority.seen().refreshes, 1);
    authority.release();
    // What the authority gave is on disk although nobody waited for it.
    let (_, body) = caller.import().await.expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    let seen = authority.seen();
    assert_eq!((seen.repeated, seen.dead), (0, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_that_is_not_on_disk_yet_keeps_the_import() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (first, other) = (world.gateway("a"), world.gateway("b"));
    let (caller, next) = (world.caller(&first), world.caller(&other));
    let refused = world
        .answered_without_a_database(&authority, async move { caller.import().await })
        .await;
    assert_eq!(refused["code"], "storage_unavailable", "{refused:#}");
    let (_, body) = next.import().await.expect("an answer");
    assert_eq!(body["code"], "mail_server_unavailable", "{body:#}");
    let seen = authority.seen();
    assert_eq!(
        (seen.refreshes, seen.repeated, seen.dead),
        (2, 0, false),
        "{seen:?}"
    );
}
