//! The application's client secret has ended: the person can do nothing, the operator everything.

use std::time::{Duration, Instant};

use mailgrant_tests::office::{ADA, ARCHIVE, Office, Settings};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn the_session_names_the_cause_and_a_new_secret_mends_it() {
    let mut office = Office::start(Settings {
        client_secret: "old~secret",
        ..Settings::default()
    })
    .unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();

    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "The application&#39;s client secret has expired",
        "client_secret_file",
        "client_secret_expired AADSTS7000222",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("old~secret"));
    assert_eq!(session["status"], "failed", "{session:#}");
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "client_secret_expired");
    assert_eq!(diagnosis["error_codes"], json!([7000222]));
    let remedy = diagnosis["remedy"].to_string();
    assert!(remedy.contains("Certificates & secrets"), "{remedy}");
    assert!(session["account_id"].is_null());
    office.assert_nothing_kept().await;
    assert_eq!(
        office.seen().await.unwrap(),
        [
            "authorize ok",
            "sign_in ok",
            "consent ok",
            "token AADSTS7000222"
        ],
        "asked once: to ask again would not help"
    );

    office
        .mend(|settings| settings.client_secret = "new~secret")
        .unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
}

#[tokio::test]
async fn an_app_only_account_tells_the_same() {
    let office = Office::start(Settings::default()).unwrap();
    let ended = json!({"secrets": [{"id": "11111111-2222-3333-4444-555555555553", "value": "archive~secret", "expires": "2026-01-01T00:00:00Z"}]});
    office.register(ARCHIVE, &ended).await.unwrap();
    let body = json!({"application": "archive", "address": "support@quillmere.test"});
    let refused = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert_eq!(refused.code(), "authority_refused");
    assert_eq!(refused.body["diagnosis"]["code"], "client_secret_expired");
    office.assert_nothing_kept().await;

    let new = json!({"secrets": [{"id": "11111111-2222-3333-4444-555555555553", "value": "archive~secret"}]});
    office.register(ARCHIVE, &new).await.unwrap();
    // The authority is not asked again before the pause after its refusal is over.
    let begun = Instant::now();
    let added = loop {
        let added = office.gateway.post("/v1/accounts", &body).await;
        if added.status == StatusCode::CREATED || begun.elapsed() > Duration::from_secs(20) {
            break added;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
}
