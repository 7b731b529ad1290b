//! `mailgrant login`, its three ways.

use std::fs;

use mailgrant_tests::{
    person::{Page, Person},
    terminal::{ADA, BRUNO, SUPPORT, Terminal},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn a_person_signs_in_by_device_code_and_the_running_gateway_serves_their_mail() {
    let terminal = Terminal::start().unwrap();
    // It is there before the account is, on the same database.
    let gateway = terminal.gateway().unwrap();
    let mut login = terminal
        .start_command(&["login", "--application", "terminal", "--label", "laptop"])
        .unwrap();
    let (page, code) = login.code().unwrap();
    let done = terminal.approve(&page, &code, 0).await.unwrap();
    assert!(done.body.contains("close this"), "{}", done.body);
    let (status, out, err) = login.ended().unwrap();
    assert!(status.success(), "{err}");
    let id = out.strip_suffix('\n').unwrap();
    assert!(id.starts_with("acc_") && !id.contains('\n'), "{out}");
    assert!(err.contains(&format!("Connected {ADA} as {id}.")), "{err}");
    assert!(err.contains("mailgrant token --account"), "{err}");

    let path = format!("/v1/accounts/{id}");
    let account = gateway.get(&path).await;
    assert_eq!(account.status, StatusCode::OK, "{}", account.text);
    assert_eq!(account.body["state"], "connected");
    assert_eq!(account.body["identity"]["preferred_username"], ADA);
    assert_eq!(account.body["metadata"], json!({"label": "laptop"}));
    let emails = gateway.get(&format!("{path}/emails")).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    assert!(!emails.body["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_program_reads_one_object_a_line() {
    let terminal = Terminal::start().unwrap();
    let mut login = terminal
        .start_command(&["--json", "login", "--application", "terminal"])
        .unwrap();
    let code = login.event("code").unwrap();
    assert!(code["expires_at"].as_str().unwrap().ends_with('Z'));
    terminal
        .approve(
            code["verification_uri"].as_str().unwrap(),
            code["user_code"].as_str().unwrap(),
            0,
        )
        .await
        .unwrap();
    let (status, out, err) = login.ended().unwrap();
    assert!(status.success(), "{err}");
    let events: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(json!(names), json!(["code", "signed_in", "connected"]));
    assert_eq!(events[2]["imap_user"], ADA);
    assert_eq!(events[2]["reconnected"], false);
}

#[tokio::test]
async fn a_delegate_opens_a_shared_mailbox_and_nobody_else() {
    let terminal = Terminal::start().unwrap();
    // The second user has full access.
    let shared = ["--mailbox", SUPPORT];
    let id = terminal.log_in(1, &shared).await.unwrap();
    let shown: Value =
        serde_json::from_str(&terminal.line(&["--json", "accounts", "show", &id])).unwrap();
    assert_eq!(shown["imap_user"], SUPPORT);
    assert_eq!(shown["smtp_user"], BRUNO);
    assert_eq!(shown["from"], SUPPORT);

    let mut login = terminal
        .start_command(&["login", "--application", "terminal", "--mailbox", SUPPORT])
        .unwrap();
    let (page, code) = login.code().unwrap();
    terminal.approve(&page, &code, 0).await.unwrap();
    let (status, out, err) = login.ended().unwrap();
    assert_eq!((status.code(), out.as_str()), (Some(5), ""), "{err}");
    assert!(err.contains("Add-MailboxPermission"), "{err}");
    assert_eq!(terminal.line(&["accounts"]).lines().count(), 1);
}

#[tokio::test]
async fn who_declines_connects_nothing() {
    let terminal = Terminal::start().unwrap();
    let mut login = terminal
        .start_command(&["login", "--application", "terminal"])
        .unwrap();
    let (page, code) = login.code().unwrap();
    let mut person = terminal.sandbox.person().unwrap();
    let page = person.open(&page, None).await;
    let page = person.submit(&page, &[("otc", &code)]).await;
    let page = sign_in(&terminal, &mut person, &page).await;
    person.submit(&page, &[("decision", "decline")]).await;
    let (status, out, err) = login.ended().unwrap();
    assert_eq!((status.code(), out.as_str()), (Some(5), ""), "{err}");
    assert!(err.contains("The person declined"), "{err}");
    assert!(err.contains("agree to the permissions"), "{err}");
    nothing_is_kept(&terminal);
}

#[tokio::test]
async fn a_code_that_nobody_types_expires() {
    let terminal = Terminal::start().unwrap();
    let mut login = terminal
        .start_command(&["--json", "login", "--application", "terminal"])
        .unwrap();
    login.event("code").unwrap();
    let later = json!({"advance_seconds": 900});
    terminal.sandbox.control("clock", &later).await.unwrap();
    let ended = login.event("failed").unwrap();
    assert_eq!(ended["code"], "expired");
    let (status, _, err) = login.ended().unwrap();
    assert_eq!(status.code(), Some(5), "{err}");
    assert!(err.contains("it shows a new code"), "{err}");
    nothing_is_kept(&terminal);
}

#[tokio::test]
async fn a_policy_against_device_codes_points_to_the_other_way() {
    let terminal = Terminal::start().unwrap();
    let policy = json!({"name": "No device codes", "grant": "block", "flows": ["device_code"]});
    let path = "directory/conditional_access";
    terminal.sandbox.put(path, &policy).await.unwrap();
    let mut login = terminal
        .start_command(&["--json", "login", "--application", "terminal"])
        .unwrap();
    let code = login.event("code").unwrap();
    let (page, user_code) = (&code["verification_uri"], &code["user_code"]);
    terminal
        .approve(page.as_str().unwrap(), user_code.as_str().unwrap(), 0)
        .await
        .unwrap();
    let ended = login.event("failed").unwrap();
    assert_eq!(ended["code"], "blocked_by_policy", "{ended:#}");
    assert_eq!(ended["error_codes"], json!([53003]));
    let (status, _, err) = login.ended().unwrap();
    assert_eq!(status.code(), Some(5), "{err}");
    assert!(err.contains("mailgrant login --paste"), "{err}");

    // As it says: the person's browser is met by no such policy.
    let id = paste(&terminal).await;
    assert!(id.starts_with("acc_"), "{id}");
}

#[tokio::test]
async fn where_an_administrator_has_to_agree_there_is_a_link_for_them() {
    let terminal = Terminal::start().unwrap();
    let rule = json!({"admin_consent_required": true});
    terminal
        .sandbox
        .change("directory/tenant", &rule)
        .await
        .unwrap();
    let mut login = terminal
        .start_command(&["--json", "login", "--application", "terminal"])
        .unwrap();
    let code = login.event("code").unwrap();
    let mut person = terminal.sandbox.person().unwrap();
    let page = person
        .open(code["verification_uri"].as_str().unwrap(), None)
        .await;
    let otc = code["user_code"].as_str().unwrap();
    let page = person.submit(&page, &[("otc", otc)]).await;
    let page = sign_in(&terminal, &mut person, &page).await;
    let page = person.submit(&page, &[("decision", "accept")]).await;
    assert!(
        page.body.contains("An administrator must approve"),
        "{}",
        page.body
    );
    person.submit(&page, &[("decision", "decline")]).await;
    let ended = login.event("failed").unwrap();
    let link = ended["admin_consent_url"]
        .as_str()
        .unwrap_or_else(|| panic!("{ended:#}"));
    assert!(link.contains("/adminconsent?"), "{ended:#}");
    let (status, _, err) = login.ended().unwrap();
    assert_eq!(status.code(), Some(5), "{err}");
    assert!(err.contains(link), "{err}");
}

#[tokio::test]
async fn a_confidential_registration_that_sends_no_secret_is_told_which_switch() {
    let terminal = Terminal::start().unwrap();
    let settings = fs::read_to_string(terminal.config()).unwrap();
    let without = settings.replace("client_secret_file = \"delegated\"\n", "");
    assert_ne!(without, settings);
    fs::write(terminal.config(), without).unwrap();
    let err = terminal.refused(&["login", "--application", "desk"], 3);
    assert!(err.contains("Allow public client flows"), "{err}");
}

#[tokio::test]
async fn an_address_is_pasted_and_only_the_right_one_is_taken() {
    let terminal = Terminal::start().unwrap();
    let words = ["--json", "login", "--application", "desk", "--paste"];
    let mut login = terminal.start_command(&words).unwrap();
    let begun = login.event("authorization_url").unwrap();
    assert_eq!(begun["redirect_uri"], "http://localhost");
    let url = begun["url"].as_str().unwrap();
    for part in ["code_challenge_method=S256", "state=", "nonce="] {
        assert!(url.contains(part), "{url}");
    }
    let callback = signed_in(&terminal, url).await;

    login
        .write("http://localhost/?code=stolen&state=another")
        .unwrap();
    let refused = login.event("not_usable").unwrap();
    let why = refused["detail"].as_str().unwrap();
    assert!(why.contains("another sign-in"), "{why}");
    let redeemed = || terminal.sandbox.requests_of("token");
    assert!(redeemed().await.unwrap().is_empty(), "nothing was sent");

    login.write(&callback).unwrap();
    let connected = login.event("connected").unwrap();
    assert_eq!(connected["imap_user"], ADA);
    let (status, _, err) = login.ended().unwrap();
    assert!(status.success(), "{err}");
    let tokens = redeemed().await.unwrap();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_eq!(tokens[0]["grant_type"], "authorization_code");
}

#[tokio::test]
async fn a_dead_account_is_mended_by_signing_in_again() {
    let terminal = Terminal::start().unwrap();
    let id = terminal.log_in(0, &[]).await.unwrap();
    let revocation = json!({"user": ADA});
    terminal
        .sandbox
        .control("revoke", &revocation)
        .await
        .unwrap();
    let token = ["token", "--account", ADA, "--min-lifetime", "7200"];
    let err = terminal.refused(&token, 5);
    assert!(
        err.contains("mailgrant login --application terminal"),
        "{err}"
    );

    assert_eq!(terminal.log_in(0, &[]).await.unwrap(), id);
    let bare = terminal.line(&["token", "--account", ADA, "--format", "access-token"]);
    assert_eq!(bare.split('.').count(), 3, "a JWT");
}

#[tokio::test]
async fn it_may_be_interrupted_at_any_moment() {
    let terminal = Terminal::start().unwrap();
    for (words, signal) in [
        (&["--application", "terminal"][..], "-INT"),
        (&["--application", "desk", "--paste"][..], "-TERM"),
    ] {
        let words = [&["--json", "login"], words].concat();
        let mut login = terminal.start_command(&words).unwrap();
        login
            .wait_for(|out, _| out.contains('\n').then_some(()))
            .unwrap();
        login.signal(signal).unwrap();
        let (status, out, err) = login.ended().unwrap();
        assert_eq!(status.code(), Some(1), "{err}");
        assert!(out.contains("\"interrupted\""), "{out}");
        assert!(err.contains("nothing was stored"), "{err}");
    }
    nothing_is_kept(&terminal);
}

/// Name and password of the first user.
async fn sign_in(terminal: &Terminal, person: &mut Person, page: &Page) -> Page {
    let user = &terminal.sandbox.ready["users"][0];
    let fields = [
        ("login", user["address"].as_str().unwrap()),
        ("password", user["password"].as_str().unwrap()),
    ];
    person.submit(page, &fields).await
}

/// The whole way by a pasted address; gives the account's id.
async fn paste(terminal: &Terminal) -> String {
    let words = ["--json", "login", "--application", "desk", "--paste"];
    let mut login = terminal.start_command(&words).unwrap();
    let begun = login.event("authorization_url").unwrap();
    let callback = signed_in(terminal, begun["url"].as_str().unwrap()).await;
    login.write(&callback).unwrap();
    let connected = login.event("connected").unwrap();
    connected["account_id"].as_str().unwrap().to_owned()
}

/// Signs in where the address leads; gives the address of the page that does not load.
async fn signed_in(terminal: &Terminal, url: &str) -> String {
    let mut person = terminal.sandbox.person().unwrap();
    person.nothing_answers_at("localhost:80");
    let page = person.open(url, None).await;
    let page = terminal
        .sandbox
        .sign_in(&mut person, page, 0)
        .await
        .unwrap();
    assert!(
        page.url.as_str().contains("code="),
        "{} {}",
        page.url,
        page.body
    );
    page.url.to_string()
}

pub(super) fn nothing_is_kept(terminal: &Terminal) {
    let output = terminal.run(&["accounts"]);
    assert!(output.status.success());
    assert_eq!(output.stdout, b"");
}
