//! `@azure/msal-node`.

use mailgrant_tests::{client::Client, needs};
use serde_json::json;

use super::{assert_printed, sandbox};

#[tokio::test]
async fn a_person_signs_in_by_code_and_pkce_and_is_refreshed_silently() {
    needs!("node");
    let (sandbox, _dir) = sandbox();
    let mut client = Client::start(&sandbox, "msal_code.mjs", &[]).unwrap();
    let url = client.line("sign in at ").unwrap();
    let mut person = sandbox.person().unwrap();
    let page = person.open(&url, None).await;
    let page = sandbox.sign_in(&mut person, page, 0).await.unwrap();
    assert!(
        page.body.contains("Signed in"),
        "{} {}",
        page.url,
        page.body
    );

    let printed = client.finish().unwrap();
    let token =
        "aud=https://outlook.office.com scp=\"IMAP.AccessAsUser.All\" upn=ada.finch@tarnbrook.test";
    assert_printed(
        &printed,
        &[
            &format!("by code: ada.finch@tarnbrook.test fromCache=false {token}"),
            &format!("from the cache: ada.finch@tarnbrook.test fromCache=true {token}"),
            &format!("by refresh token: ada.finch@tarnbrook.test fromCache=false {token}"),
            "renewed: true",
            "after the revocation: InteractionRequiredAuthError invalid_grant 50173",
        ],
    );
    // msal's own key of the account: object id and tenant, out of the answer's client_info.
    let tenant = sandbox.text("/tenant");
    let accounts: Vec<_> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("account "))
        .collect();
    let [account] = accounts[..] else {
        panic!("one account, not {accounts:?}")
    };
    assert!(
        account.starts_with("ada.finch@tarnbrook.test "),
        "{account}"
    );
    assert!(
        account.ends_with(&format!(".{tenant} of tenant {tenant}")),
        "{account}"
    );

    let tokens = sandbox.requests_of("token").await.unwrap();
    let seen: Vec<_> = tokens
        .iter()
        .map(|entry| json!([entry["grant_type"], entry["outcome"], entry["code"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([
            ["authorization_code", "ok", null],
            ["refresh_token", "ok", null],
            ["refresh_token", "invalid_grant", 50173],
        ])
    );
}

#[tokio::test]
async fn an_application_authenticates_by_its_secret() {
    needs!("node");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "msal_secret.mjs", &[]).unwrap();
    let client_id = sandbox.application("app_only")["client_id"]
        .as_str()
        .unwrap();
    assert_printed(
        &printed,
        &[
            &format!(
                "Bearer for https://outlook.office365.com to {client_id}, \
                 roles IMAP.AccessAsApp POP.AccessAsApp SMTP.SendAsApp, until 2"
            ),
            "ServerError invalid_client 7000215: ",
        ],
    );
    assert!(
        printed.contains("AADSTS7000215: Invalid client secret provided."),
        "{printed}"
    );

    let tokens = sandbox.requests_of("token").await.unwrap();
    let seen: Vec<_> = tokens
        .iter()
        .map(|entry| json!([entry["client_id"], entry["outcome"], entry["code"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([
            [client_id, "ok", null],
            [client_id, "invalid_client", 7_000_215]
        ])
    );
}

#[tokio::test]
async fn an_application_authenticates_by_certificate() {
    needs!("node", "openssl");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "msal_certificate.mjs", &[]).unwrap();
    let client_id = sandbox.application("app_only")["client_id"]
        .as_str()
        .unwrap();
    let token = format!("{client_id} appidacr=2 roles IMAP.AccessAsApp ");
    assert_printed(
        &printed,
        &[
            "uploaded: 200",
            &format!("SHA-256: {token}"),
            &format!("SHA-1: {token}"),
            "ServerError invalid_client 700027: ",
        ],
    );
    assert!(
        printed.contains("[Reason - The key was not found., Thumbprint of key used by client: '"),
        "{printed}"
    );

    let tokens = sandbox.requests_of("token").await.unwrap();
    let seen: Vec<_> = tokens
        .iter()
        .map(|entry| json!([entry["outcome"], entry["code"]]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([["ok", null], ["ok", null], ["invalid_client", 700_027]])
    );
}
