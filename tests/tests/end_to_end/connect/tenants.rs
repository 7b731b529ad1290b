//! Whose people an application takes: those of one organisation, of any, and personal accounts.

use mailgrant_tests::office::{ADA, Office, Settings};
use serde_json::json;

#[tokio::test]
async fn somebody_of_another_organisation_is_told_so() {
    let office = Office::start(Settings::default()).unwrap();
    // Entra mostly says this on its own page; what comes back to the gateway is the refusal of the code.
    let fault = json!({"authority": {"error": 50020, "path": "/token", "times": 1}});
    office.sandbox.control("faults", &fault).await.unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "failed", "{session:#}");
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "person_not_in_tenant", "{session:#}");
    assert_eq!(diagnosis["error_codes"], json!([50020]));
    assert!(
        page.body.contains("The tenant does not know the person"),
        "{}",
        page.body
    );
    office.assert_nothing_kept().await;

    let (session, _) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}");
}
