//! What somebody may do to a sign-in that is not theirs, and that it gets them nothing.

use mailgrant_tests::{
    gateway::SITE,
    needs,
    person::{Page, Person},
    stack::{Options, Stack},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

#[tokio::test]
async fn an_answer_brought_by_another_browser_never_reaches_the_authority() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let mut stranger = Person::default();
    let strangers = stack.gateway.connect_session("mallory@corp.test").await;
    let strangers_callback = stack
        .gateway
        .sign_in_up_to_callback(&mut stranger, &strangers)
        .await;

    // One browser without any cookie, one with its own.
    for other in [&mut Person::default(), &mut stranger] {
        let session = stack.gateway.connect_session("alice@corp.test").await;
        let mut person = Person::default();
        let callback = stack
            .gateway
            .sign_in_up_to_callback(&mut person, &session)
            .await;
        let page = other.open(callback.as_str(), None).await;
        assert_error_page(&page);
        assert!(
            !page.body.contains(session["id"].as_str().unwrap()),
            "a stranger learns nothing about the session: {}",
            page.body
        );
        assert_failed(&stack, &session, "browser_mismatch").await;

        // The state is used up, whoever brought it.
        person.open(callback.as_str(), None).await;
        assert_failed(&stack, &session, "browser_mismatch").await;
    }
    assert_eq!(codes_sent(&stack).await, 0);
    assert_no_account(&stack).await;

    // The stranger's own sign-in was not touched by any of it.
    stranger.open(strangers_callback.as_str(), None).await;
    let own = stack.gateway.session(&strangers).await;
    assert_eq!(own["status"], "connected", "{own:#}");
}

#[tokio::test]
async fn an_answer_to_no_attempt_changes_no_session_and_sends_no_code() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.gateway.connect_session("alice@corp.test").await;
    let mut person = Person::default();
    let callback = stack
        .gateway
        .sign_in_up_to_callback(&mut person, &session)
        .await;
    let unknown = "A".repeat(43);
    let long = "x".repeat(6000);
    let state = parameter(&callback, "state");

    for query in [
        with(&callback, "state", Some(&unknown)),
        with(&callback, "state", Some(&state.to_uppercase())),
        with(&callback, "state", Some("")),
        with(&callback, "state", Some("a\r\nSet-Cookie: x=y")),
        with(&callback, "state", Some(&long)),
        with(&callback, "state", None),
        with(&callback, "code", None),
        with(&callback, "code", Some("a b\0")),
        format!("{}&state={state}", callback.query().unwrap()),
        format!("state={state}&admin_consent=True&tenant=t"),
        format!("state={unknown}&admin_consent=True&tenant=t"),
        format!("state={unknown}&error=access_denied"),
        "error=access_denied".to_owned(),
        "%zz=%&&&=%ff".to_owned(),
        String::new(),
    ] {
        let page = person
            .open(&format!("{}?{query}", without_query(&callback)), None)
            .await;
        assert_error_page(&page);
        let now = stack.gateway.session(&session).await;
        assert_eq!(now["status"], "pending", "{query}: {now:#}");
    }
    assert_eq!(codes_sent(&stack).await, 0);
    assert_no_account(&stack).await;

    person.open(callback.as_str(), None).await;
    let now = stack.gateway.session(&session).await;
    assert_eq!(now["status"], "connected", "{now:#}");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused_before_the_code_is_sent() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    // Left out counts too: this authority says that it always names itself (RFC 9207 §2.4).
    for issuer in [Some("https://login.evil.test"), None] {
        let session = stack.gateway.connect_session("alice@corp.test").await;
        let mut person = Person::default();
        let callback = stack
            .gateway
            .sign_in_up_to_callback(&mut person, &session)
            .await;
        assert_eq!(parameter(&callback, "iss"), stack.authority.issuer);
        let query = with(&callback, "iss", issuer);
        let url = format!("{}?{query}", without_query(&callback));
        let page = person.open(&url, None).await;
        assert!(page.body.contains("another authority"), "{}", page.body);
        assert_failed(&stack, &session, "issuer_mismatch").await;
    }
    assert_eq!(codes_sent(&stack).await, 0);
    assert_no_account(&stack).await;
}

#[tokio::test]
async fn a_callback_that_was_used_is_not_used_again() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.gateway.connect_session("alice@corp.test").await;
    let mut person = Person::default();
    let callback = stack
        .gateway
        .sign_in_up_to_callback(&mut person, &session)
        .await;
    person.open(callback.as_str(), None).await;
    let connected = stack.gateway.session(&session).await;
    assert_eq!(connected["status"], "connected", "{connected:#}");
    assert_eq!(codes_sent(&stack).await, 1);

    let mut stranger = Person::default();
    for again in [&mut person, &mut stranger] {
        let page = again.open(callback.as_str(), None).await;
        assert_error_page(&page);
    }
    assert_eq!(
        codes_sent(&stack).await,
        1,
        "an authority revokes the grant of a code that it sees twice"
    );
    assert_eq!(stack.gateway.session(&session).await, connected);
    let account = connected["account_id"].as_str().unwrap();
    let mailboxes = format!("/v1/accounts/{account}/mailboxes");
    assert_eq!(stack.gateway.get(&mailboxes).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_worth_nothing() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let victims = stack.gateway.connect_session("victim@corp.test").await;
    let stolen = stack
        .gateway
        .sign_in_up_to_callback(&mut Person::default(), &victims)
        .await;
    let session = stack.gateway.connect_session("mallory@corp.test").await;
    let mut mallory = Person::default();
    let callback = stack
        .gateway
        .sign_in_up_to_callback(&mut mallory, &session)
        .await;

    let injected = with(&callback, "code", Some(&parameter(&stolen, "code")));
    let url = format!("{}?{injected}", without_query(&callback));
    mallory.open(&url, None).await;

    // The verifier is another one (RFC 7636 §4.6): the authority itself refuses.
    let failed = stack.gateway.session(&session).await;
    assert_eq!(failed["status"], "failed", "{failed:#}");
    assert_eq!(stack.authority.count("authorization_code:error").await, 1);
    assert_eq!(stack.authority.count("authorization_code:success").await, 0);
    assert_no_account(&stack).await;
}

#[tokio::test]
async fn an_id_token_with_another_nonce_connects_nothing() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    stack.authority.forge_nonce(&"n".repeat(43)).await;
    let session = stack.gateway.connect_session("alice@corp.test").await;
    stack
        .gateway
        .sign_in(&mut Person::default(), &session)
        .await;
    assert_failed(&stack, &session, "id_token_invalid").await;
    assert_no_account(&stack).await;
}

#[tokio::test]
async fn a_person_who_says_no_is_taken_at_their_word() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let session = stack.gateway.connect_session("deny@corp.test").await;
    let page = stack
        .gateway
        .sign_in(&mut Person::default(), &session)
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("What to do"), "{}", page.body);
    assert_failed(&stack, &session, "access_denied").await;
    assert_eq!(codes_sent(&stack).await, 0);
    assert_no_account(&stack).await;
}

#[tokio::test]
async fn a_link_mailed_to_somebody_asks_before_it_leads_on() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let label = "Mallory <b>& Co</b>";
    for origin in [
        None,
        Some("https://mail.evil.test"),
        Some("http://127.0.0.1:90"),
        Some("https://127.0.0.1:9"),
        Some("http://127.0.0.1:9@evil.test"),
    ] {
        let body = json!({"application": "corp", "origin": SITE, "user_label": label, "login_hint": "alice@corp.test"});
        let answer = stack.gateway.post("/v1/connect-sessions", &body).await;
        let session = answer.body;
        let mut person = Person::default();
        let page = person.open(connect_url(&session), origin).await;

        assert_eq!(page.status, StatusCode::OK, "{origin:?}");
        assert_eq!(page.url.as_str(), connect_url(&session), "{origin:?}");
        assert_is_closed(&page);
        assert!(page.body.contains(SITE), "{}", page.body);
        assert!(!page.body.contains(label), "as text, not as HTML");
        let shown = page.body.replace("&#60;", "<").replace("&#62;", ">");
        assert!(shown.replace("&#38;", "&").contains(label), "{shown}");

        // No other browser can say yes in their place: neither one without a cookie nor one with its own.
        let mut other = Person::default();
        other.open(connect_url(&session), origin).await;
        for mut other in [Person::default(), other] {
            let refused = other.submit(&page, &[]).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin:?}");
        }
        let now = stack.gateway.session(&session).await;
        assert_eq!(now["status"], "pending", "{origin:?}: {now:#}");

        person.submit(&page, &[]).await;
        let now = stack.gateway.session(&session).await;
        assert_eq!(now["status"], "connected", "{origin:?}: {now:#}");
    }
}

#[tokio::test]
async fn people_are_sent_to_allowed_origins_only() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let cases = [
        ("return_url", "https://evil.test/"),
        ("return_url", "http://127.0.0.1:9.evil.test/"),
        ("return_url", "http://127.0.0.1:9@evil.test/"),
        ("return_url", "http://user@127.0.0.1:9/"),
        ("return_url", "http://127.0.0.1:90/"),
        ("return_url", "https://127.0.0.1:9/"),
        ("return_url", "//evil.test/"),
        ("return_url", "/relative"),
        ("return_url", "javascript:alert(1)//http://127.0.0.1:9/"),
        ("return_url", "data:text/html,x"),
        ("return_url", "http://127.0.0.1:9/\r\nSet-Cookie: a=b"),
        ("return_url", ""),
        ("origin", "https://evil.test"),
        ("origin", "http://127.0.0.1:9/path"),
        ("origin", "http://127.0.0.1:9.evil.test"),
        ("origin", "null"),
        ("origin", "*"),
        ("origin", ""),
    ];
    for (field, value) in cases {
        let mut body = json!({"application": "corp", "origin": SITE});
        body[field] = value.into();
        let refused = stack.gateway.post("/v1/connect-sessions", &body).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{field}={value}: {}",
            refused.text
        );
        assert_eq!(refused.body["field"], field, "{}", refused.text);
    }
    let body =
        json!({"application": "corp", "origin": SITE, "return_url": format!("{SITE}/done?a=b#c")});
    let made = stack.gateway.post("/v1/connect-sessions", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
}

fn connect_url(session: &Value) -> &str {
    session["connect_url"].as_str().unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(each, _)| each == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
}

/// The query of `url` with one parameter replaced or left out.
fn with(url: &Url, name: &str, value: Option<&str>) -> String {
    let others = url.query_pairs().filter(|(each, _)| each != name);
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .extend_pairs(value.map(|value| (name, value)))
        .finish()
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

fn assert_error_page(page: &Page) {
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.body);
    assert!(page.body.contains("<h1"), "{}", page.body);
    assert_is_closed(page);
}

/// Nothing can frame the page, or bring scripts of its own into it.
fn assert_is_closed(page: &Page) {
    let header = |name: &str| page.headers[name].to_str().unwrap();
    assert!(header("content-type").starts_with("text/html"));
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-store");
}

async fn assert_failed(stack: &Stack, session: &Value, code: &str) {
    let now = stack.gateway.session(session).await;
    assert_eq!(now["status"], "failed", "{now:#}");
    assert_eq!(now["diagnosis"]["code"], code, "{now:#}");
    assert!(now["account_id"].is_null(), "{now:#}");
}

async fn assert_no_account(stack: &Stack) {
    let accounts = stack.gateway.get("/v1/accounts").await.body;
    assert_eq!(accounts["items"], json!([]));
}

/// How many codes the authority was asked to redeem.
async fn codes_sent(stack: &Stack) -> u64 {
    stack.authority.count("authorization_code:success").await
        + stack.authority.count("authorization_code:error").await
}
