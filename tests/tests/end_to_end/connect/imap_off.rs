//! IMAP is switched off for the mailbox: Exchange says no more than that the login failed.

use mailgrant_tests::office::{ADA, Office, Settings};
use serde_json::json;

#[tokio::test]
async fn the_diagnosis_names_the_switch_and_its_command_mends_it() {
    let office = Office::start(Settings::default()).unwrap();
    let off = json!({"Identity": ADA, "ImapEnabled": false});
    office
        .sandbox
        .control("cmdlets/Set-CASMailbox", &off)
        .await
        .unwrap();

    let (session, page) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "failed", "{session:#}");
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "imap_disabled");
    let detail = diagnosis["detail"].as_str().unwrap();
    assert!(
        detail.contains("AUTHENTICATE failed"),
        "what was seen: {detail}"
    );
    for text in [
        "IMAP is switched off for this mailbox",
        "Set-CASMailbox -Identity",
        "imap_disabled",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    office.assert_nothing_kept().await;
    let seen = office.sandbox.requests_of("imap_login").await.unwrap();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert!(
        seen[0]["detail"].as_str().unwrap().contains("switched off"),
        "{seen:#?}"
    );

    office
        .type_command(diagnosis, "Set-CASMailbox")
        .await
        .unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
}
