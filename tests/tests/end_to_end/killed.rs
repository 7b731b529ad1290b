//! kill -9 at any moment is a normal event.

use std::{fs, time::Duration};

use mailgrant_tests::{
    gateway::{Configuration, Gateway},
    person::Person,
    port::free_port,
    sandbox::Sandbox,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const KILLS: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_while_tokens_rotate_lose_no_grant() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let redirect = Configuration::redirect_uri(port);
    let sandbox = Sandbox::start(&dir.path().join("sandbox"), &redirect).unwrap();
    let mut gateway = gateway(&dir.path().join("gateway"), port, &sandbox);
    let accounts = [
        connect(&gateway, &sandbox, 0).await,
        connect(&gateway, &sandbox, 1).await,
    ];

    let told = events(&gateway).await;
    assert_eq!(told.len(), 4, "two connected, two sessions completed");

    // Every access token is as good as expired when it arrives, so every request rotates the refresh token.
    sandbox
        .control("token-lifetime", &json!({"seconds": 1}))
        .await
        .unwrap();
    let mut served = 0_u64;
    // However busy the machine is, about half of the kills are to fall before the answer.
    let mut window = Duration::from_millis(60);
    for kill in 0..KILLS {
        // A different moment each time, between the first byte and long after the answer.
        let moment = window.mul_f64((kill.wrapping_mul(7919) % 1000) as f64 / 500.0);
        let requests: Vec<_> = accounts
            .iter()
            .map(|account| {
                let path = format!("/v1/accounts/{account}/access-token");
                tokio::spawn(gateway.request(Method::POST, &path).send())
            })
            .collect();
        tokio::time::sleep(moment).await;
        gateway.server.kill();
        let mut answered = false;
        for request in requests {
            if request
                .await
                .unwrap()
                .is_ok_and(|answer| answer.status() == StatusCode::OK)
            {
                served += 1;
                answered = true;
            }
        }
        window = window
            .mul_f64(if answered { 0.9 } else { 1.1 })
            .clamp(Duration::from_millis(5), Duration::from_secs(2));
        gateway.restart().unwrap();
    }

    for account in &accounts {
        let path = format!("/v1/accounts/{account}/access-token");
        let answer = gateway.post(&path, &json!({})).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "after {KILLS} kills: {}",
            answer.text
        );
        let shown = gateway.get(&format!("/v1/accounts/{account}")).await.body;
        assert_eq!(shown["state"], "connected");
    }
    let all = events(&gateway).await;
    assert_eq!(all[..4], told, "what happened before is still told");
    for account in &accounts {
        // Nothing that happened is missing and nothing is told twice: each event goes on where the last one ended.
        let mut state = json!(null);
        for event in all.iter().filter(|event| {
            event["account_id"] == json!(account) && event["connect_session_id"].is_null()
        }) {
            assert_eq!(event["data"]["previous_state"], state, "{all:#?}");
            state = event["data"]["state"].clone();
        }
        assert_eq!(state, "connected");
    }
    let rotations = sandbox.requests().await.unwrap()["counts"]["token.refresh_token"]
        .as_u64()
        .unwrap();
    println!(
        "{served} of {} requests were answered before the kill; the authority rotated {rotations} times",
        KILLS * 2
    );
    assert!(
        served > 0 && served < KILLS * 2,
        "the kills must fall before and after the answer: {served}"
    );
    assert!(
        rotations > served,
        "some kills must fall between the authority's answer and ours"
    );
}

/// All that happened, page by page.
async fn events(gateway: &Gateway) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().and_then(|event| event["id"].as_str());
        let after = after.map_or(String::new(), |id| format!("&after={id}"));
        let page = gateway
            .get(&format!("/v1/events?limit=100{after}"))
            .await
            .body;
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().cloned());
        if page["next_cursor"].is_null() {
            return all;
        }
    }
}

fn gateway(dir: &std::path::Path, port: u16, sandbox: &Sandbox) -> Gateway {
    fs::create_dir(dir).unwrap();
    let application = sandbox.application("delegated");
    let text = |name: &str| application[name].as_str().unwrap().to_owned();
    Gateway::start(&Configuration {
        dir: dir.to_path_buf(),
        port,
        issuer: format!(
            "{}/{}/v2.0",
            sandbox.text("/authority"),
            sandbox.text("/tenant")
        ),
        client_id: text("client_id"),
        client_secret: text("client_secret"),
        scope: "https://outlook.office.com/IMAP.AccessAsUser.All",
        imap_host: sandbox.text("/imap/host").to_owned(),
        imap_port: sandbox.ready["imap"]["port"]
            .as_u64()
            .unwrap()
            .try_into()
            .unwrap(),
        tls: "implicit",
        ca: sandbox.text("/ca_file").into(),
        more: "like = \"microsoft365\"".to_owned(),
    })
    .unwrap()
}

/// The whole way in, through the sandbox's own pages.
async fn connect(gateway: &Gateway, sandbox: &Sandbox, user: usize) -> String {
    let address = sandbox.ready["users"][user]["address"].as_str().unwrap();
    let session = gateway.connect_session(address).await;
    let mut person = Person::default();
    let page = gateway.sign_in(&mut person, &session).await;
    let page = sandbox.sign_in(&mut person, page, user).await.unwrap();
    let session = gateway.session(&session).await;
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
    session["account_id"].as_str().unwrap().to_owned()
}
