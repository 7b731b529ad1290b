//! An application of the operator's own organization, admitted by customers: what `mailgrant setup --tenant` prints is
//! followed in the customer's tenant, and each step of it left out.

use std::process::Output;

use mailgrant_tests::{
    customers::{CAKES, HARROWGATE, LOAVES, RAVENGLASS, TICKETS},
    gateway::Answer,
    office::{ARCHIVE, Office, SUPPORT, Settings},
    powershell::Session,
    process::mailgrant,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{code, if_left_out, lines, without};

/// The operator's own organization.
const QUILLMERE: &str = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943";

#[tokio::test]
async fn the_script_followed_in_a_customers_tenant_ends_in_mail() {
    let office = office().await;
    deliver(&office, LOAVES, "A dozen of the usual").await;
    let script = ask(&office, "harrowgate.test", &[LOAVES], &["--format", "ps1"]);
    for never in ["New-MgApplication ", "PasswordCredential"] {
        assert!(!script.contains(never), "{never} in a customer's tenant");
    }
    let shown = follow(&office, &script).await;
    let said = |text: &str| shown.iter().any(|line| line.contains(text));
    assert!(!said("taken back"), "{shown:#?}");
    let account = add(&office, LOAVES, "harrowgate.test").await;
    assert_eq!(account.status, StatusCode::CREATED, "{}", account.text);
    assert_eq!(account.body["state"], "connected", "{}", account.text);
    assert_eq!(newest(&office, &account.body).await, "A dozen of the usual");
    // Run again it finds everything there.
    follow(&office, &script).await;
    // The operator's own tenant has been told nothing.
    let known = office.sandbox.look("directory/service_principals").await;
    assert_eq!(known.unwrap().as_array().unwrap().len(), 1);

    // So is a token for another tool.
    let words = [
        "token",
        "--application",
        "archive",
        "--tenant",
        "harrowgate.test",
    ];
    let token = run(&office, &words);
    let error = String::from_utf8_lossy(&token.stderr).into_owned();
    assert!(token.status.success(), "{error}");
    let token: Value = serde_json::from_slice(&token.stdout).unwrap();
    assert_eq!(tenant_of(&token), HARROWGATE);
}

#[tokio::test]
async fn the_printed_line_adds_a_customers_mailbox() {
    let office = office().await;
    deliver(&office, LOAVES, "A dozen of the usual").await;
    let script = ask(&office, "harrowgate.test", &[LOAVES], &["--format", "ps1"]);
    follow(&office, &script).await;
    let guide = guide(&office);
    let line = lines(&guide, "prove")[0];
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let added = run(&office, &words);
    let error = String::from_utf8_lossy(&added.stderr).into_owned();
    assert!(added.status.success(), "{line}: {error}");
    let accounts = office.gateway.get("/v1/accounts").await.body;
    let account = &accounts["items"][0];
    assert_eq!(account["tenant"], HARROWGATE, "{accounts:#}");
    assert_eq!(newest(&office, account).await, "A dozen of the usual");
}

#[tokio::test]
async fn each_step_left_out_in_a_customers_tenant_ends_in_the_refusal_that_the_guide_names() {
    for step in [
        "enterprise-application",
        "consent",
        "service-principal",
        "mailbox-permission",
        "imap",
    ] {
        let office = office().await;
        let script = ask(&office, "harrowgate.test", &[LOAVES], &["--format", "ps1"]);
        let mut session = Session::new(&office.sandbox);
        let stopped = session.run_on(&without(&script, step)).await.unwrap();
        let refused = add(&office, LOAVES, HARROWGATE).await;
        assert_eq!(
            code(&refused),
            if_left_out(&guide(&office), step),
            "{step}; the script: {stopped:?}; {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn another_tenants_approval_and_the_operators_own_mailboxes_are_not_a_customers() {
    let office = office().await;
    let script = ask(&office, "ravenglass.test", &[TICKETS], &["--format", "ps1"]);
    follow(&office, &script).await;
    // Ravenglass agreed, Harrowgate did not.
    let refused = add(&office, LOAVES, "harrowgate.test").await;
    assert_eq!(
        code(&refused),
        "application_not_in_tenant",
        "{}",
        refused.text
    );
    assert!(refused.text.contains(HARROWGATE), "{}", refused.text);
    // A mailbox named with a tenant that is not its own.
    for (mailbox, tenant) in [
        (LOAVES, "ravenglass.test"),
        (TICKETS, QUILLMERE),
        (SUPPORT, "ravenglass.test"),
    ] {
        let refused = add(&office, mailbox, tenant).await;
        assert_eq!(refused.code(), "mailbox_access_refused", "{}", refused.text);
    }
    // Which customer's it is, nobody guesses.
    let body = json!({"application": "archive", "address": TICKETS});
    let unnamed = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(unnamed.body["field"], "tenant", "{}", unnamed.text);
    let unknown = add(&office, LOAVES, "hargate.test").await;
    assert_eq!(code(&unknown), "tenant_unknown", "{}", unknown.text);
}

#[tokio::test]
async fn two_customers_cost_one_token_request_each_and_are_never_mixed() {
    let office = office().await;
    for (tenant, mailboxes) in [
        ("harrowgate.test", &[LOAVES, CAKES][..]),
        ("ravenglass.test", &[TICKETS]),
    ] {
        let script = ask(&office, tenant, mailboxes, &["--format", "ps1"]);
        follow(&office, &script).await;
    }
    let mut accounts = Vec::new();
    for (address, tenant) in [
        (LOAVES, HARROWGATE),
        (TICKETS, RAVENGLASS),
        (CAKES, HARROWGATE),
        (SUPPORT, QUILLMERE),
    ] {
        deliver(&office, address, &format!("For {address}")).await;
        let added = add(&office, address, tenant).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
        accounts.push((address, added.body));
    }
    for (address, account) in accounts.iter().chain(accounts.iter().rev()) {
        assert_eq!(newest(&office, account).await, format!("For {address}"));
    }
    let tokens = office.sandbox.requests_of("token").await.unwrap();
    for tenant in [HARROWGATE, RAVENGLASS, QUILLMERE] {
        let asked = tokens.iter().filter(|token| token["tenant"] == tenant);
        assert_eq!(asked.count(), 1, "{tenant}: {tokens:#?}");
    }
    assert_eq!(tokens.len(), 3, "{tokens:#?}");
    let logins = office.sandbox.requests_of("imap_login").await.unwrap();
    let details: Vec<&Value> = logins
        .iter()
        .filter(|login| login["outcome"] != "ok" && login["detail"].to_string().contains("tenant"))
        .collect();
    assert!(details.is_empty(), "{details:#?}");
}

/// A customer's administrator is not asked for what only its own organization may have.
#[tokio::test]
async fn an_application_of_one_organization_is_refused_elsewhere_by_name() {
    let office = office().await;
    let single = json!({"audience": "my_organization"});
    office.register(ARCHIVE, &single).await.unwrap();
    let script = ask(&office, "harrowgate.test", &[LOAVES], &["--format", "ps1"]);
    let mut session = Session::new(&office.sandbox);
    let stopped = session.run(&script).await.unwrap_err();
    assert!(format!("{stopped:#}").contains("doesn't reference a valid application"));
    let refused = add(&office, LOAVES, "harrowgate.test").await;
    assert_eq!(
        code(&refused),
        "application_not_in_tenant",
        "{}",
        refused.text
    );
    let own = add(&office, SUPPORT, QUILLMERE).await;
    assert_eq!(own.status, StatusCode::CREATED, "{}", own.text);
}

/// The operator's registration is one for every organization.
async fn office() -> Office {
    let settings = Settings {
        customers: true,
        archive_tenant: Some("organizations"),
        ..Settings::default()
    };
    let office = Office::start(settings).unwrap();
    let audience = json!({"audience": "any_organization"});
    office.register(ARCHIVE, &audience).await.unwrap();
    office
}

/// What `mailgrant setup` prints for a customer.
fn ask(office: &Office, tenant: &str, mailboxes: &[&str], form: &[&str]) -> String {
    let mut words = vec!["setup", "--application", "archive", "--tenant", tenant];
    for mailbox in mailboxes {
        words.extend(["--mailbox", mailbox]);
    }
    words.extend(form);
    let output = run(office, &words);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn guide(office: &Office) -> Value {
    let text = ask(office, "harrowgate.test", &[LOAVES], &["--json"]);
    serde_json::from_str(&text).unwrap()
}

fn run(office: &Office, words: &[&str]) -> Output {
    mailgrant()
        .args(words)
        .env("MAILGRANT_CONFIG", &office.gateway.configuration)
        .env_remove("SSL_CERT_FILE")
        .output()
        .unwrap()
}

/// The customer's administrator runs the script to its end; what was shown.
async fn follow(office: &Office, script: &str) -> Vec<String> {
    let mut session = Session::new(&office.sandbox);
    if let Err(stopped) = session.run(script).await {
        panic!("{stopped:#}\n{script}");
    }
    session.shown
}

async fn add(office: &Office, address: &str, tenant: &str) -> Answer {
    let body = json!({"application": "archive", "address": address, "tenant": tenant});
    office.gateway.post("/v1/accounts", &body).await
}

async fn deliver(office: &Office, mailbox: &str, subject: &str) {
    let letter =
        json!({"mailbox": mailbox, "from": "you@else.test", "subject": subject, "text": "Hello."});
    office.sandbox.control("deliver", &letter).await.unwrap();
}

async fn newest(office: &Office, account: &Value) -> String {
    let path = format!("/v1/accounts/{}/emails", account["id"].as_str().unwrap());
    let emails = office.gateway.get(&path).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    emails.body["items"][0]["subject"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// `tid` of an access token.
fn tenant_of(token: &Value) -> String {
    use base64::Engine;
    let payload = token["access_token"].as_str().unwrap().split('.').nth(1);
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload.unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    claims["tid"].as_str().unwrap().to_owned()
}
