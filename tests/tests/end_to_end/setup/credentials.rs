//! The same set-up where the application proves itself by a certificate or by another issuer's token.

use std::fs;

use reqwest::StatusCode;
use serde_json::json;

use super::{ORDERS, Walk, add, code, if_left_out, printed, spoiled, without};

#[tokio::test]
async fn the_script_uploads_the_settings_certificate_and_mail_is_read() {
    let mut walk = with_certificate();
    let (script, _) = printed(&walk);
    assert!(!script.contains("Add-MgApplicationPassword"));
    let followed = walk.follow(&script).await;
    assert_eq!(followed.stopped, None, "{script}");
    walk.note(&followed);
    read(&walk).await;

    // The certificate is replaced in good time: the old one stays until the new one is in use.
    fs::write(walk.file("app.pem"), certificate()).unwrap();
    let (script, _) = printed(&walk);
    let followed = walk.follow(&script).await;
    assert_eq!(followed.stopped, None);
    let tenant = walk.sandbox.look("directory").await.unwrap();
    let registered = tenant["applications"][0]["certificates"]
        .as_array()
        .unwrap();
    assert_eq!(registered.len(), 2, "{registered:#?}");
    assert_eq!(walk.follow(&script).await.stopped, None);
    let tenant = walk.sandbox.look("directory").await.unwrap();
    assert_eq!(
        tenant["applications"][0]["certificates"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    read(&walk).await;
}

#[tokio::test]
async fn a_certificate_that_is_not_uploaded_or_another_one_is_refused() {
    let mut walk = with_certificate();
    let (script, guide) = printed(&walk);
    let followed = walk.follow(&without(&script, "credential")).await;
    assert_eq!(followed.stopped, None);
    walk.note(&followed);
    let refused = add(&walk).await;
    assert_eq!(
        code(&refused),
        if_left_out(&guide, "credential"),
        "{}",
        refused.text
    );

    let mut walk = with_certificate();
    let (script, _) = printed(&walk);
    let followed = walk.follow(&script).await;
    walk.note(&followed);
    fs::write(walk.file("app.pem"), certificate()).unwrap();
    let refused = add(&walk).await;
    assert_eq!(code(&refused), "certificate_unknown", "{}", refused.text);
}

#[tokio::test]
async fn the_script_trusts_the_issuer_of_the_settings_token_and_mail_is_read() {
    let mut walk = with_token().await;
    let (script, _) = printed(&walk);
    let followed = walk.follow(&script).await;
    assert_eq!(followed.stopped, None, "{script}");
    walk.note(&followed);
    read(&walk).await;
    assert_eq!(
        walk.follow(&printed(&walk).0).await.stopped,
        None,
        "it may be run again"
    );
}

#[tokio::test]
async fn a_token_whose_issuer_or_subject_is_not_trusted_is_refused() {
    let mut walk = with_token().await;
    let (script, guide) = printed(&walk);
    walk.note(&walk.follow(&without(&script, "credential")).await);
    let refused = add(&walk).await;
    assert_eq!(
        code(&refused),
        if_left_out(&guide, "credential"),
        "{}",
        refused.text
    );

    for (word, other, expected) in [
        (
            "system:serviceaccount:mail:gateway",
            "system:serviceaccount:Mail:gateway",
            "federated_subject",
        ),
        (
            "api://AzureADTokenExchange",
            "api://AzureADTokenExchangeUSGov",
            "federated_audience",
        ),
    ] {
        let mut walk = with_token().await;
        let (script, _) = printed(&walk);
        walk.note(
            &walk
                .follow(&spoiled(&script, "credential", word, other))
                .await,
        );
        let refused = add(&walk).await;
        assert_eq!(code(&refused), expected, "{}", refused.text);
    }
}

#[tokio::test]
async fn the_script_for_sending_too_shows_what_it_says() {
    let mut walk = Walk::start();
    let script = walk.setup(&["--mailbox", ORDERS, "--send", "--format", "ps1"]);
    let followed = walk.follow(&script).await;
    assert_eq!(followed.stopped, None, "{script}");
    walk.note(&followed);
    for shown in [
        json!({"AccessRights": ["SendAs"]}),
        json!({"SmtpClientAuthenticationDisabled": false}),
    ] {
        let (name, value) = shown.as_object().unwrap().iter().next().unwrap();
        let is_there = followed
            .output
            .iter()
            .any(|object| object.get(name) == Some(value));
        assert!(is_there, "{shown} in {:#?}", followed.output);
    }
    let tenant = walk.sandbox.look("directory").await.unwrap();
    let consented = tenant["applications"][0]["admin_consent"].to_string();
    assert!(
        consented.contains("SMTP.SendAsApp") && consented.contains("IMAP.AccessAsApp"),
        "{consented}"
    );
}

fn with_certificate() -> Walk {
    let mut walk = Walk::start();
    fs::write(walk.file("app.pem"), certificate()).unwrap();
    walk.settings.credential = "certificate = { file = \"app.pem\" }".to_owned();
    walk.write();
    walk
}

async fn with_token() -> Walk {
    let mut walk = Walk::start();
    let subject = json!({"subject": "system:serviceaccount:mail:gateway"});
    let made = walk
        .sandbox
        .control("workload-token", &subject)
        .await
        .unwrap();
    fs::write(walk.file("token"), made["token"].as_str().unwrap()).unwrap();
    walk.settings.credential = "federated = { token_file = \"token\" }".to_owned();
    walk.write();
    walk
}

/// A new certificate with its key, in PEM.
fn certificate() -> String {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let parameters = rcgen::CertificateParams::new(["mailgrant.test".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    format!("{}{}", certificate.pem(), key.serialize_pem())
}

/// The mailbox is opened and its newest email read.
async fn read(walk: &Walk) {
    walk.deliver(ORDERS, "Two copies of Middlemarch").await;
    let gateway = walk.gateway();
    let body = json!({"application": "contoso", "address": ORDERS});
    let added = gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let account = format!("/v1/accounts/{}", added.body["id"].as_str().unwrap());
    let emails = gateway.get(&format!("{account}/emails?limit=1")).await;
    assert_eq!(
        emails.body["items"][0]["subject"], "Two copies of Middlemarch",
        "{}",
        emails.text
    );
    let gone = gateway.delete(&account).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
}
