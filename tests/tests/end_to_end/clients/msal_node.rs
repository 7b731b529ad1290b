//! `@azure/msal-node`.

use mailgrant_tests::{
    client::Client,
    needs,
    person::{Page, Person},
    sandbox::Sandbox,
};
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
            "mailbox: ",
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

    let logins = sandbox.requests_of("imap_login").await.unwrap();
    let seen: Vec<_> = logins
        .iter()
        .map(|entry| json!([entry["user"], entry["outcome"]]))
        .collect();
    assert_eq!(json!(seen), json!([["ada.finch@tarnbrook.test", "ok"]]));
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

#[tokio::test]
async fn a_person_signs_a_device_in_by_its_code_and_declines_another() {
    needs!("node");
    let (sandbox, _dir) = sandbox();
    let mut client = Client::start(&sandbox, "msal_device.mjs", &[]).unwrap();

    let shown = client.line("attempt 1: ").unwrap();
    let (mut person, page) = type_code(&sandbox, &shown).await;
    let page = sandbox.sign_in(&mut person, page, 0).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.body);

    let shown = client.line("attempt 2: ").unwrap();
    let (mut person, page) = type_code(&sandbox, &shown).await;
    let user = &sandbox.ready["users"][0];
    let fields = ["address", "password"].map(|name| user[name].as_str().unwrap());
    let page = person
        .submit(&page, &[("login", fields[0]), ("password", fields[1])])
        .await;
    assert!(
        page.body.contains("Are you trying to sign in to"),
        "{}",
        page.body
    );
    person.submit(&page, &[("decision", "decline")]).await;

    let client_id = sandbox.application("device")["client_id"].as_str().unwrap();
    let verification = format!("{}/device", sandbox.text("/authority"));
    let printed = client.finish().unwrap();
    assert_printed(
        &printed,
        &[
            &format!(
                "To sign in, use a web browser to open the page {verification} and enter the code "
            ),
            &format!(
                "signed in: ada.finch@tarnbrook.test, token for ada.finch@tarnbrook.test through {client_id}, \
                 scp=\"IMAP.AccessAsUser.All\""
            ),
            "refreshed: fromCache=false",
            "declined: AuthError post_request_failed authorization_declined",
        ],
    );
    let codes = sandbox.requests_of("device_code").await.unwrap();
    assert_eq!(codes.len(), 2, "{codes:?}");
    let tokens = sandbox.requests_of("token").await.unwrap();
    let count = |outcome: &str| {
        tokens
            .iter()
            .filter(|entry| entry["outcome"] == outcome)
            .count()
    };
    assert_eq!(
        count("ok"),
        2,
        "one by code, one by refresh token: {tokens:?}"
    );
    assert_eq!(count("authorization_declined"), 1, "{tokens:?}");
}

/// A person opens the page that the device names, `URI CODE (…)`, and types the code.
async fn type_code(sandbox: &Sandbox, shown: &str) -> (Person, Page) {
    let mut words = shown.split(' ');
    let (uri, code) = (words.next().unwrap(), words.next().unwrap());
    let mut person = sandbox.person().unwrap();
    let page = person.open(uri, None).await;
    let page = person.submit(&page, &[("otc", code)]).await;
    (person, page)
}
