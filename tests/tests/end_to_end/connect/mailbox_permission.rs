//! Whoever holds the token may not open that mailbox: a delegate without Full Access, an application without a permission.

use mailgrant_tests::office::{ADA, Office, SUPPORT, Settings};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_delegate_without_full_access_is_told_so_and_the_command_mends_it() {
    let office = Office::start(Settings::default()).unwrap();
    let wanted = json!({"mailbox": SUPPORT});
    let (session, page) = office.connect(ADA, wanted.clone()).await.unwrap();
    assert_eq!(session["status"], "failed", "{session:#}");
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "mailbox_permission_missing");
    let detail = diagnosis["detail"].as_str().unwrap();
    assert!(detail.contains(ADA) && detail.contains(SUPPORT), "{detail}");
    for text in [
        "The person who signed in may not open this mailbox",
        "Add-MailboxPermission",
        SUPPORT,
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    office.assert_nothing_kept().await;
    let seen = office.sandbox.requests_of("imap_login").await.unwrap();
    assert!(
        seen[0]["detail"]
            .as_str()
            .unwrap()
            .contains("no full access"),
        "{seen:#?}"
    );

    office
        .type_command(diagnosis, "Add-MailboxPermission")
        .await
        .unwrap();
    let (session, page) = office.connect(ADA, wanted).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
}

#[tokio::test]
async fn an_application_without_a_permission_on_the_mailbox_is_told_so_and_the_command_mends_it() {
    let office = Office::start(Settings::default()).unwrap();
    let body = json!({"application": "archive", "address": ADA});
    let refused = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(refused.code(), "mailbox_access_refused");
    let diagnosis = &refused.body["diagnosis"];
    assert_eq!(
        diagnosis["code"], "mailbox_permission_missing",
        "{}",
        refused.text
    );
    let detail = diagnosis["detail"].as_str().unwrap();
    assert!(
        detail.contains("authenticated but not connected"),
        "{detail}"
    );
    office.assert_nothing_kept().await;
    assert_eq!(
        office.seen().await.unwrap(),
        ["token ok", "imap_login not_connected"]
    );

    office
        .type_command(diagnosis, "Add-MailboxPermission")
        .await
        .unwrap();
    let added = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let path = format!(
        "/v1/accounts/{}/mailboxes",
        added.body["id"].as_str().unwrap()
    );
    assert_eq!(office.gateway.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_application_that_exchange_does_not_know_is_told_how_to_register_it() {
    let office = Office::start(Settings::default()).unwrap();
    let unknown = json!({"Identity": "a84d2c17-15e3-47f9-b0d6-5c9f3e7a1288"});
    office
        .sandbox
        .control("cmdlets/Remove-ServicePrincipal", &unknown)
        .await
        .unwrap();
    let body = json!({"application": "archive", "address": SUPPORT});
    let refused = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let diagnosis = &refused.body["diagnosis"];
    assert_eq!(
        diagnosis["code"], "service_principal_missing",
        "{}",
        refused.text
    );
    office.assert_nothing_kept().await;

    office
        .type_command(diagnosis, "New-ServicePrincipal")
        .await
        .unwrap();
    office
        .type_command(diagnosis, "Add-MailboxPermission")
        .await
        .unwrap();
    let added = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
}
