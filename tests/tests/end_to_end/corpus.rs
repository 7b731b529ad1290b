//! Three hundred real messages through a real mail server and the REST API, beside Python's reading of them.

use std::{collections::BTreeMap, fs};

use mailgrant_tests::{
    corpus, needs,
    stack::{Options, Stack},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

#[tokio::test]
async fn every_message_is_listed_once_and_read_as_another_reader_reads_it() {
    needs!("node", "dovecot", "python3");
    let Some(folder) = corpus::folder() else {
        eprintln!("left out: there is no folder of real messages beside the repository");
        return;
    };
    let stack = Stack::start(Options::default()).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    let base = format!("/v1/accounts/{account}");
    let token = stack
        .gateway
        .request(Method::POST, &format!("{base}/access-token"));
    let token: Value = token.send().await.unwrap().json().await.unwrap();
    let held = stack.dir.path().join("held");
    let appended = stack
        .dovecot
        .append(
            "alice@corp.test",
            token["access_token"].as_str().unwrap(),
            &folder,
            &held,
        )
        .unwrap();
    assert_eq!(appended.len(), 298);

    let ids = listed(&stack, &base).await;
    assert_eq!(ids.len(), appended.len(), "each message once");

    let python: BTreeMap<String, Value> = corpus::python(&folder)
        .unwrap()
        .into_iter()
        .map(|read| (read["file"].as_str().unwrap().to_owned(), read))
        .collect();
    let mut differences = Vec::new();
    // The list is newest first, and a later APPEND is newer.
    for ((uid, file), id) in appended.iter().zip(ids.iter().rev()) {
        let raw = bytes(&stack, &format!("{base}/emails/{id}/raw")).await;
        assert_eq!(
            raw,
            fs::read(held.join(uid.to_string())).unwrap(),
            "raw of {file}"
        );
        let email = stack
            .gateway
            .get(&format!("{base}/emails/{id}?html=raw"))
            .await;
        assert_eq!(email.status, StatusCode::OK, "{file}: {}", email.text);
        let mut contents = Vec::new();
        for attachment in email.body["attachments"].as_array().unwrap() {
            let part = attachment["partId"].as_str().unwrap();
            contents.push(bytes(&stack, &format!("{base}/emails/{id}/attachments/{part}")).await);
        }
        differences.extend(corpus::compare(file, &python[file], &email.body, &contents));
    }

    let (defects, unused) = corpus::judge(&differences);
    assert!(defects.is_empty(), "{defects:#?}");
    assert!(
        unused.is_empty(),
        "accepted but not found any more: {unused:#?}"
    );
}

/// Every id, page by page, newest first.
async fn listed(stack: &Stack, base: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = format!("{base}/emails?limit=37");
    loop {
        let page = stack.gateway.get(&next).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        for email in page.body["items"].as_array().unwrap() {
            let id = email["id"].as_str().unwrap().to_owned();
            assert!(!ids.contains(&id), "{id} was listed twice");
            ids.push(id);
        }
        match page.body["next_cursor"].as_str() {
            Some(cursor) => next = format!("{base}/emails?limit=37&cursor={cursor}"),
            None => return ids,
        }
    }
}

async fn bytes(stack: &Stack, path: &str) -> Vec<u8> {
    let answer = stack
        .gateway
        .request(Method::GET, path)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.bytes().await.unwrap().to_vec()
}
