//! The token is for another service than the mail server: the settings ask for Graph's permissions only.

use mailgrant_tests::office::{ADA, Office, Settings};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn the_session_says_which_audience_it_was_and_which_scope_to_ask_for() {
    let mut office = Office::start(Settings {
        // Granted, and worth nothing at the mail server. (A mail scope of Graph's stops the gateway's start.)
        scope: "User.Read",
        ..Settings::default()
    })
    .unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();

    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "The token is for another service than the mail server",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "token_wrong_audience",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(session["status"], "failed", "{session:#}");
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "token_wrong_audience");
    let detail = diagnosis["detail"].as_str().unwrap();
    assert!(
        detail.contains("graph.microsoft.com")
            || detail.contains("00000003-0000-0000-c000-000000000000"),
        "{detail}"
    );
    office.assert_nothing_kept().await;
    assert_eq!(
        office.seen().await.unwrap(),
        [
            "authorize ok",
            "sign_in ok",
            "consent ok",
            "token ok",
            "imap_login refused"
        ]
    );

    office
        .mend(|settings| settings.scope = "https://outlook.office.com/IMAP.AccessAsUser.All")
        .unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
}
