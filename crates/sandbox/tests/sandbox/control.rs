//! The control API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

async fn requests(world: &World) -> Value {
    let request = world
        .http
        .get(format!("{}/control/requests", world.base))
        .header("X-Sandbox-Control", "1");
    Reply::of(request.send().await.unwrap()).await.ok()
}

#[actix_web::test]
async fn it_is_for_programs_of_this_machine() {
    let world = World::start().await;
    let url = format!("{}/control/requests", world.base);
    let refused = |request: reqwest::RequestBuilder| async {
        Reply::of(request.send().await.unwrap()).await.status
    };
    assert_eq!(refused(world.http.get(&url)).await, 403);
    let with_header = || world.http.get(&url).header("X-Sandbox-Control", "1");
    assert_eq!(
        refused(with_header().header("Origin", "https://evil.test")).await,
        403
    );
    assert_eq!(
        refused(with_header().header("Host", "evil.test")).await,
        403
    );
    let by_address = world
        .http
        .get(url.replace("localhost", "127.0.0.1"))
        .header("X-Sandbox-Control", "1");
    assert_eq!(refused(by_address).await, 200);
    let tls = world.running.description().authority_tls;
    let ca = std::fs::read(world.running.description().ca_file).unwrap();
    let over_tls = http(Some(&ca))
        .get(format!("{tls}/control/requests"))
        .header("X-Sandbox-Control", "1");
    assert_eq!(refused(over_tls).await, 200);
}

#[actix_web::test]
async fn the_log_tells_what_happened_and_no_secret() {
    let world = World::start().await;
    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await.ok();
    world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
    world.refresh("nonsense", &[]).await;
    let log = requests(&world).await;
    assert_eq!(log["counts"]["token.authorization_code"], 1);
    assert_eq!(log["counts"]["token.refresh_token"], 2);
    assert_eq!(log["counts"]["authorize"], 1);
    assert_eq!(log["counts"]["sign_in"], 1);
    let last = log["requests"].as_array().unwrap().last().unwrap();
    assert_eq!(last["client_id"], DELEGATED);
    assert_eq!(last["outcome"], "invalid_grant");
    assert_eq!(last["code"], 9_002_313);
    let text = log.to_string();
    for secret in [
        &code,
        tokens["access_token"].as_str().unwrap(),
        PASSWORD,
        &world.secret(DELEGATED),
    ] {
        assert!(!text.contains(secret));
    }
    let cleared = world
        .http
        .delete(format!("{}/control/requests", world.base))
        .header("X-Sandbox-Control", "1");
    assert_eq!(cleared.send().await.unwrap().status().as_u16(), 204);
    assert_eq!(requests(&world).await["counts"], json!({}));
}

#[actix_web::test]
async fn every_request_is_explained_in_plain_words() {
    let world = World::start().await;
    world.connected().await;
    world.refresh("nonsense", &[]).await;
    let log = requests(&world).await;
    let all = log["requests"].as_array().unwrap();
    let ids: Vec<_> = all.iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, (1..=all.len()).collect::<Vec<_>>());
    assert_eq!(
        (&log["last"], &log["oldest"]),
        (&json!(all.len()), &json!(1))
    );
    for entry in all {
        assert!(entry["explanation"]["asked"].as_str().unwrap().len() > 20);
        assert!(entry["explanation"]["decided"].is_string());
    }
    let last = all.last().unwrap();
    assert_eq!(last["application"], "Reader \"one\"");
    assert_eq!(
        last["explanation"]["decided"],
        "Refused with AADSTS9002313 (invalid_grant)."
    );
    assert_eq!(
        last["explanation"]["why"],
        "The request is not in the form that the authority understands."
    );
}

#[actix_web::test]
async fn a_test_waits_for_the_next_request() {
    let world = World::start().await;
    let url = |query: &str| format!("{}/control/requests?{query}", world.base);
    let ask = |query: &str| {
        let request = world.http.get(url(query)).header("X-Sandbox-Control", "1");
        async { Reply::of(request.send().await.unwrap()).await }
    };
    let before = ask("after=0&wait=0").await.ok();
    assert_eq!(before["last"], 0);
    let (waited, _) = tokio::join!(ask("after=0&wait=30"), async {
        // Asked once the other one is on its way, or before: it is answered either way.
        world.token(&[]).await
    });
    let waited = waited.ok();
    assert_eq!(waited["requests"][0]["kind"], "token");
    let after = ask("after=1&wait=0").await.ok();
    assert_eq!(
        (after["requests"].as_array().unwrap().len(), &after["last"]),
        (0, &json!(1))
    );
    for (query, named) in [
        ("wait=31", "wait"),
        ("since=4", "since"),
        ("after=-1", "invalid digit"),
    ] {
        let refused = ask(query).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(
            refused.body["error"].as_str().unwrap().contains(named),
            "{refused:?}"
        );
    }
}

#[actix_web::test]
async fn faults_come_and_go() {
    let world = World::start().await;
    let keys = world.url("/discovery/v2.0/keys");
    let get = || world.http.get(&keys).send();

    world
        .control(
            "/faults",
            json!({"authority": {"status": 503, "retry_after": 7}}),
        )
        .await
        .ok();
    let response = get().await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["retry-after"]
        ),
        (503, &"7".parse().unwrap())
    );

    world
        .control("/faults", json!({"authority": {"html": true}}))
        .await
        .ok();
    let response = get().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .starts_with("<!doctype html>")
    );

    world
        .control("/faults", json!({"authority": {"down": true}}))
        .await
        .ok();
    let error = get().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");

    world
        .control(
            "/faults",
            json!({"authority": {"status": 500, "path": "/token", "times": 1}}),
        )
        .await
        .ok();
    assert_eq!(get().await.unwrap().status().as_u16(), 200);
    assert_eq!(world.token(&[]).await.status, 500);
    assert_eq!(world.token(&[]).await.refusal().0, 900_144);

    world
        .control("/faults", json!({"authority": {"delay_ms": 60_000}}))
        .await
        .ok();
    let slow = world
        .http
        .get(&keys)
        .timeout(Duration::from_millis(200))
        .send()
        .await;
    assert!(slow.unwrap_err().is_timeout());

    world.control("/faults", json!({})).await.ok();
    assert_eq!(get().await.unwrap().status().as_u16(), 200);
}

#[actix_web::test]
async fn time_passes_on_request() {
    let world = World::start().await;
    let clock = world
        .control("/clock", json!({"advance_seconds": 60}))
        .await
        .ok();
    assert_eq!(clock, json!({"now": NOW.0 + 60, "offset_seconds": 60}));
    assert_eq!(world.clock.now().0, NOW.0 + 60);
    let clock = world
        .control("/clock", json!({"offset_seconds": 0}))
        .await
        .ok();
    assert_eq!(clock["now"], NOW.0);
    assert_eq!(world.control("/clock", json!({})).await.status, 400);
}

#[actix_web::test]
async fn the_lifetime_of_tokens_changes() {
    let world = World::start().await;
    assert_eq!(
        world
            .control("/token-lifetime", json!({"seconds": 5}))
            .await
            .status,
        204
    );
    let tokens = world.connected().await;
    assert_eq!(tokens["expires_in"], 5);
    let directory = world.running.directory();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        directory
            .check_access_token(token, ADA, NOW)
            .unwrap()
            .until
            .0,
        NOW.0 + 5
    );
    world.clock.advance(Duration::from_secs(5));
    assert!(
        directory
            .check_access_token(token, ADA, world.clock.now())
            .is_err()
    );
    assert_eq!(
        world
            .control("/token-lifetime", json!({"seconds": 0}))
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn keys_rotate() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let token = tokens["access_token"].as_str().unwrap();
    let directory = world.running.directory();
    assert_eq!(world.control("/keys/rotate", json!({})).await.status, 204);
    directory.check_access_token(token, ADA, NOW).unwrap();
    let new = world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid;
    assert_ne!(kid(token), kid(new["access_token"].as_str().unwrap()));
    assert_eq!(
        world
            .control("/keys/rotate", json!({"retire": true}))
            .await
            .status,
        204
    );
    assert!(directory.check_access_token(token, ADA, NOW).is_err());
}

#[actix_web::test]
async fn bad_bodies_are_refused_with_the_key() {
    let world = World::start().await;
    for (path, body, named) in [
        ("/faults", json!({"authority": {"dwon": true}}), "dwon"),
        ("/faults", json!({"authority": {"status": 7}}), "status"),
        ("/clock", json!({"advance_seconds": -1}), "-1"),
        ("/consent", json!({}), "require_admin"),
        ("/keys/rotate", json!({"retired": true}), "retired"),
    ] {
        let reply = world.control(path, body).await;
        assert_eq!(reply.status, 400, "{path}");
        assert!(
            reply.body["error"].as_str().unwrap().contains(named),
            "{path}: {reply:?}"
        );
    }
    for (path, body) in [
        ("/revoke", json!({"user": "x@y.test"})),
        ("/consent", json!({"withdraw": "x"})),
    ] {
        assert_eq!(world.control(path, body).await.status, 404, "{path}");
    }
}
