//! A public client, as a program on a person's own machine is: PKCE is all it has.

use reqwest::StatusCode;
use serde_json::json;

use super::Stage;
use mailgrant_tests::office::{CORP, SUPPORT};

#[tokio::test]
async fn a_public_client_is_enough_for_people_and_not_for_itself() {
    let stage = Stage::start("", async |sandbox, _| {
        let path = format!("directory/applications/{CORP}");
        let public = json!({"public": true, "secrets": []});
        sandbox.change(&path, &public).await
    })
    .await;
    let [code, refresh] = stage.delegated().await;
    for request in [&code, &refresh] {
        println!("{}", request.shown());
        assert!(request.shown().ends_with(&format!(" client_id={CORP}")));
        assert_eq!(request.authorization, None);
    }
    assert!(code.value("code_verifier").is_some());

    let body = json!({"application": "archive", "address": SUPPORT});
    let refused = stage.office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains("credential"), "{}", refused.text);
}
