//! Every step that an administrator may leave out or get wrong ends in a refusal that names it, and doing it mends it at once.

use mailgrant_tests::{
    gateway::Answer,
    office::{ARCHIVE, Office, SUPPORT, Settings},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

const PERMISSION: &str = "https://outlook.office365.com/IMAP.AccessAsApp";

async fn add(office: &Office) -> Answer {
    let body = json!({"application": "archive", "address": SUPPORT});
    office.gateway.post("/v1/accounts", &body).await
}

async fn refusal(office: &Office, code: &str) -> Value {
    let refused = add(office).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let diagnosis = refused.body["diagnosis"].clone();
    assert_eq!(diagnosis["code"], code, "{}", refused.text);
    office.assert_nothing_kept().await;
    diagnosis
}

async fn change(office: &Office, body: Value) {
    office.register(ARCHIVE, &body).await.unwrap();
}

#[tokio::test]
async fn without_consent_the_token_has_no_roles_and_the_next_one_has() {
    let office = Office::start(Settings::default()).unwrap();
    change(&office, json!({"admin_consent": []})).await;
    let diagnosis = refusal(&office, "token_lacks_permission").await;
    assert!(diagnosis.to_string().contains("IMAP.AccessAsApp"));
    // Impatience costs nothing either.
    refusal(&office, "token_lacks_permission").await;
    change(&office, json!({"admin_consent": [PERMISSION]})).await;
    let added = add(&office).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
}

#[tokio::test]
async fn the_object_id_of_the_wrong_object_is_named_with_the_right_one() {
    let office = Office::start(Settings::default()).unwrap();
    let known = json!({ "Identity": ARCHIVE });
    let control = async |cmdlet: &str, body: &Value| {
        let path = format!("cmdlets/{cmdlet}");
        office.sandbox.control(&path, body).await.unwrap();
    };
    control("Remove-ServicePrincipal", &known).await;
    let wrong = json!({"AppId": ARCHIVE, "ObjectId": "0d3e5a77-1c2b-4f48-9a6d-7be1c05f2a91", "DisplayName": "wrong"});
    control("New-ServicePrincipal", &wrong).await;
    let diagnosis = refusal(&office, "service_principal_missing").await;
    assert!(
        diagnosis
            .to_string()
            .contains("e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3")
    );

    control("Remove-ServicePrincipal", &known).await;
    for cmdlet in ["New-ServicePrincipal", "Add-MailboxPermission"] {
        office.type_command(&diagnosis, cmdlet).await.unwrap();
    }
    let added = add(&office).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
}

#[tokio::test]
async fn imap_switched_off_is_among_the_steps() {
    let office = Office::start(Settings::default()).unwrap();
    let switch = async |on: bool| {
        let body = json!({"Identity": SUPPORT, "ImapEnabled": on});
        office
            .sandbox
            .control("cmdlets/Set-CASMailbox", &body)
            .await
            .unwrap();
    };
    switch(false).await;
    let diagnosis = refusal(&office, "service_principal_missing").await;
    let remedy = diagnosis["remedy"].to_string();
    assert!(
        remedy.contains("Set-CASMailbox") && remedy.contains("ImapEnabled $true"),
        "{remedy}"
    );
    switch(true).await;
    let added = add(&office).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
}

#[tokio::test]
async fn what_the_authority_refuses_names_the_setting() {
    let office = Office::start(Settings::default()).unwrap();
    let secret = |value: &str| json!({"secrets": [{"id": "11111111-2222-3333-4444-555555555553", "value": value}]});
    change(&office, secret("another~secret")).await;
    let diagnosis = refusal(&office, "client_secret_wrong").await;
    assert_eq!(diagnosis["error_codes"], json!([7_000_215]));
    assert!(
        diagnosis["remedy"]
            .to_string()
            .contains("client_secret_file")
    );
    let many = json!({"application": "archive", "addresses": [SUPPORT, "orders@quillmere.test"]});
    let refused = office.gateway.post("/v1/accounts", &many).await;
    assert_eq!(
        refused.status,
        StatusCode::CONFLICT,
        "one cause, one answer: {}",
        refused.text
    );
    assert_eq!(refused.body["diagnosis"]["code"], "client_secret_wrong");
}
