//! Two gateways on one database, and an authority that gives each refresh token's successor once.

mod authority;
mod imports;
mod world;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use self::authority::Authority;
use self::world::World;
use crate::process::mailgrant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_never_use_a_refresh_token_twice() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let gateways = [world.gateway("a"), world.gateway("b")];
    let mut callers = Vec::new();
    for number in 0..8 {
        let caller = world.caller(&gateways[number % 2]);
        callers.push(tokio::spawn(async move {
            for _ in 0..12 {
                caller.gets_a_token().await;
            }
        }));
    }
    // The command line is a third process.
    for _ in 0..4 {
        let home = world.home.path("a");
        let output = mailgrant()
            .args(["token", "--account", &world.account])
            .args(["--min-lifetime", "0", "--config"])
            .arg(home.join("mailgrant.toml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let seen = authority.seen();
    assert!(seen.refreshes >= 12, "{seen:?}");
    assert_eq!((seen.repeated, seen.dead), (0, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_in_the_middle_of_a_refresh_leaves_the_grant_to_the_other() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (killed, other) = (world.gateway("a"), world.gateway("b"));
    world.caller(&other).gets_a_token().await;

    // The authority has used up the token, and its answer will reach nobody.
    authority.hold();
    let lost = world.caller(&killed);
    let lost = tokio::spawn(async move { lost.ask().await });
    authority.arrived().await;
    let waiting = world.caller(&other);
    let waiting = tokio::spawn(async move { waiting.gets_a_token().await });
    let before = authority.seen();
    let status = killed.end("-KILL");
    assert!(!status.success());
    authority.release();
    assert!(lost.await.unwrap().is_none());

    // It has waited until then, not longer, and asks with the token that is on disk: the only one there is.
    waiting.await.unwrap();
    assert_eq!(before.repeated, 0);
    let seen = authority.seen();
    assert_eq!((seen.repeated, seen.dead), (1, false), "{seen:?}");
    let again = world.gateway("a");
    for gateway in [&again, &other, &again] {
        world.caller(gateway).gets_a_token().await;
    }
    let seen = authority.seen();
    assert_eq!((seen.repeated, seen.dead), (1, false), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_stopped_in_the_middle_of_a_refresh_keeps_the_grant() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (stopped, other) = (world.gateway("a"), world.gateway("b"));
    authority.hold();
    let first = world.caller(&stopped);
    let first = tokio::spawn(async move { first.gets_a_token().await });
    authority.arrived().await;
    stopped.signal("-STOP");
    let waiting = world.caller(&other);
    let mut waiting = tokio::spawn(async move { waiting.gets_a_token().await });
    let passed = tokio::time::timeout(Duration::from_secs(2), &mut waiting).await;
    assert!(passed.is_err(), "it did not wait");
    assert_eq!(authority.seen().refreshes, 1);
    stopped.signal("-CONT");
    authority.release();
    first.await.unwrap();
    waiting.await.unwrap();
    let seen = authority.seen();
    assert_eq!(
        (seen.refreshes, seen.repeated, seen.dead),
        (2, 0, false),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_interrupted_in_the_middle_of_a_refresh_keeps_the_grant() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    for (refreshes, signal) in [(1, "-INT"), (2, "-TERM")] {
        authority.hold();
        let mut child = mailgrant()
            .env("MAILGRANT_LOG", "info")
            .args(["token", "--account", &world.account])
            .args(["--min-lifetime", "86000", "--config"])
            .arg(world.home.path("a").join("mailgrant.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        authority.arrived().await;
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        // The answer comes after the signal.
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        tokio::task::block_in_place(|| {
            while !said.contains("ending") && errors.read_line(&mut said).unwrap() > 0 {}
        });
        authority.release();
        let ended = tokio::task::block_in_place(|| {
            errors.read_to_string(&mut said).unwrap();
            child.wait_with_output().unwrap()
        });
        assert_eq!(ended.status.code(), Some(1), "{signal}: {said}");
        assert!(
            ended.stdout.is_empty() && said.contains("interrupted"),
            "{said}"
        );
        let seen = authority.seen();
        assert_eq!(seen.refreshes, refreshes, "{seen:?}");
        assert_eq!((seen.repeated, seen.dead), (0, false), "{signal}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_that_is_not_on_disk_yet_keeps_the_grant() {
    let authority = Authority::start().await;
    let world = World::new(&authority).await;
    let (first, other) = (world.gateway("a"), world.gateway("b"));
    let (caller, next) = (world.caller(&first), world.caller(&other));
    let refused = world
        .answered_without_a_database(&authority, async move { caller.ask().await })
        .await;
    assert_eq!(refused["code"], "storage_unavailable", "{refused:#}");
    // The first one stores it by itself, soon; until then nobody shows the authority the token that is on disk.
    next.gets_a_token().await;
    let seen = authority.seen();
    assert!(seen.refreshes >= 2, "{seen:?}");
    assert_eq!((seen.repeated, seen.dead), (0, false), "{seen:?}");
}
