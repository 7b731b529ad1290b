//! No token, secret or code anywhere but where it belongs.

use std::{collections::BTreeSet, fs};

use mailgrant_tests::{
    needs,
    person::Person,
    stack::{Options, Stack},
};
use serde_json::json;

#[tokio::test]
async fn no_secret_in_the_database_the_logs_the_errors_or_the_arguments() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options {
        access_token_seconds: 2,
        ..Options::default()
    })
    .await
    .unwrap();
    let mut canaries = BTreeSet::new();
    let mut seen = Vec::new();

    // A good sign-in, a refused one, one with a forged state, one whose code is used twice.
    let session = stack.gateway.connect_session("alice@corp.test").await;
    canaries.insert(session["client_token"].as_str().unwrap().to_owned());
    let mut person = Person::default();
    seen.push(stack.gateway.sign_in(&mut person, &session).await.body);
    let account = stack.gateway.session(&session).await["account_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let callback = person
        .visited
        .iter()
        .find(|url| url.path() == "/oauth/callback")
        .unwrap()
        .to_string();
    seen.push(person.open(&callback, None).await.body);
    let forged = callback.replace("state=", "state=x");
    seen.push(person.open(&forged, None).await.body);
    let refused = stack.gateway.connect_session("deny@corp.test").await;
    seen.push(
        stack
            .gateway
            .sign_in(&mut Person::default(), &refused)
            .await
            .body,
    );
    seen.push(stack.gateway.session(&refused).await.to_string());

    // Tokens handed out, rotated, revoked; requests that fail in every room.
    let token = stack
        .gateway
        .post(&format!("/v1/accounts/{account}/access-token"), &json!({}))
        .await
        .body;
    for form in ["xoauth2", "oauthbearer"] {
        canaries.insert(token[form].as_str().unwrap().to_owned());
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    seen.push(
        stack
            .gateway
            .get(&format!("/v1/accounts/{account}/mailboxes"))
            .await
            .text,
    );
    stack.authority.down(true).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    seen.push(
        stack
            .gateway
            .get(&format!("/v1/accounts/{account}/emails"))
            .await
            .text,
    );
    stack.authority.down(false).await;
    stack.authority.revoke("alice@corp.test").await;
    seen.push(
        stack
            .gateway
            .get(&format!("/v1/accounts/{account}/emails"))
            .await
            .text,
    );
    for path in [
        "/v1/accounts",
        "/v1/connect-sessions/none",
        "/v1/accounts/none/emails",
        "/openapi.json",
        "/readyz",
    ] {
        seen.push(stack.gateway.get(path).await.text);
    }

    canaries.extend(stack.authority.secrets().await);
    canaries.insert(stack.gateway.key.clone());
    for url in &person.visited {
        canaries.extend(
            url.query_pairs()
                .filter(|(name, _)| ["state", "nonce", "code"].contains(&name.as_ref()))
                .map(|(_, value)| value.into_owned()),
        );
    }
    assert!(
        canaries.len() > 12,
        "the test must know what to look for: {}",
        canaries.len()
    );

    let folder = stack.dir.path().join("gateway");
    let mut places = vec![("an answer".to_owned(), seen.join("\n").into_bytes())];
    places.push((
        "the logs at trace level".to_owned(),
        stack.gateway.logs().into_bytes(),
    ));
    let pid = stack.gateway.server.id();
    places.push((
        "the process's arguments".to_owned(),
        fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default(),
    ));
    let mut databases = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains(".db") {
            databases += 1;
            places.push((name, fs::read(&path).unwrap()));
        }
    }
    assert!(databases > 0, "no database in {}", folder.display());
    for (place, bytes) in &places {
        for canary in &canaries {
            assert!(
                !contains(bytes, canary.as_bytes()),
                "{place} holds a secret of {} characters beginning {}",
                canary.len(),
                &canary[..4]
            );
        }
    }
    let log = stack.gateway.logs();
    assert!(log.len() > 1000, "trace logging was on");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
