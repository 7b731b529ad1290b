//! A grant has died, and the person who gave it signs in again: the same account goes on.

use mailgrant_tests::{
    gateway::Answer,
    office::{ADA, BRUNO, CORP, Office, PASSWORD, SUPPORT, Settings},
    person::{Page, Person},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_person_mends_the_account_after_a_new_password() {
    let office = Office::start(Settings::default()).unwrap();
    let account = connected(&office, ADA, None).await;
    let url = dead(&office, ADA, &account).await;
    let told = events(&office, "account.reauth_required").await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["data"]["reauth_url"], url);
    let password = json!({"password": "another horse"});
    let path = format!("directory/users/{ADA}");
    office.sandbox.change(&path, &password).await.unwrap();

    // Whatever looks at mail for links looks at this one too.
    let mut scanner = Person::default();
    for _ in 0..3 {
        let page = scanner.open(&url, None).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        for text in [ADA, "Office", "127.0.0.1:9", "Sign in again"] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
    }
    assert_eq!(look(&office, &account).await["state"], "reauth_required");
    assert_eq!(
        events(&office, "connect_session.completed").await.len(),
        1,
        "the first connect's"
    );

    assert_kept_secret(&office, &url);

    let mut person = Person::default();
    let page = authority(&office, &mut person, &url).await;
    assert!(
        page.body.contains(&format!("value=\"{ADA}\"")),
        "{}",
        page.body
    );
    let page = person
        .submit(&page, &[("login", ADA), ("password", "another horse")])
        .await;
    for text in [
        "The mailbox works again",
        "<dt>Signed in as</dt><dd>ada@quillmere.test</dd>",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let mended = look(&office, &account).await;
    assert_eq!(mended["state"], "connected", "{mended:#}");
    for field in [
        "id",
        "identity",
        "imap_user",
        "smtp_user",
        "from",
        "metadata",
        "created_at",
    ] {
        assert_eq!(mended[field], account[field], "{field}");
    }
    assert!(mended["reauth_url"].is_null() && mended["diagnosis"].is_null());
    reads(&office, &account).await;
    assert_eq!(events(&office, "account.recovered").await.len(), 1);

    assert_kept_secret(&office, &url);

    let mut late = Person::default();
    let page = late.open(&url, None).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(!page.body.contains(ADA), "{}", page.body);
    let told = events(&office, "account.reauth_required").await;
    assert!(told[0]["data"]["reauth_url"].is_null(), "{told:#?}");
}

#[tokio::test]
async fn nobody_else_mends_it_and_the_link_stays_good() {
    let office = Office::start(Settings::default()).unwrap();
    let account = connected(&office, ADA, None).await;
    let url = dead(&office, ADA, &account).await;
    let before = look(&office, &account).await;
    let logins = office
        .sandbox
        .requests_of("imap_login")
        .await
        .unwrap()
        .len();

    let mut browser = Person::default();
    let page = authority(&office, &mut browser, &url).await;
    let page = office.sign_in(&mut browser, page, BRUNO).await;
    let page = office.decide(&mut browser, page, "accept").await;
    for text in [
        "Somebody else signed in",
        "Sign in as ada@quillmere.test",
        "wrong_person",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(look(&office, &account).await, before, "nothing has changed");
    let after = office
        .sandbox
        .requests_of("imap_login")
        .await
        .unwrap()
        .len();
    assert_eq!(after, logins, "their token opened nothing");
    let ended = events(&office, "connect_session.completed").await;
    let ended = ended.last().unwrap();
    assert_eq!(ended["data"]["status"], "failed", "{ended:#}");
    let session = format!(
        "/v1/connect-sessions/{}",
        ended["connect_session_id"].as_str().unwrap()
    );
    let session = office.gateway.get(&session).await;
    assert_eq!(
        session.body["diagnosis"]["code"], "wrong_person",
        "{}",
        session.text
    );
    assert_eq!(session.body["mends"], account["id"]);
    assert!(
        !session.text.contains(BRUNO),
        "the site learns nothing of them: {}",
        session.text
    );
    let accounts = office.gateway.get("/v1/accounts").await.body;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);

    // In the same browser, where the other one is still signed in: the authority is told whom to ask for.
    let page = authority(&office, &mut browser, &url).await;
    let page = office.sign_in(&mut browser, page, ADA).await;
    assert!(
        page.body.contains("The mailbox works again"),
        "{}",
        page.body
    );
    reads(&office, &account).await;
}

#[tokio::test]
async fn in_two_browsers_at_once() {
    let office = Office::start(Settings::default()).unwrap();
    let account = connected(&office, ADA, None).await;
    let url = dead(&office, ADA, &account).await;
    let (mut first, mut second) = (Person::default(), Person::default());
    let here = authority(&office, &mut first, &url).await;
    let there = authority(&office, &mut second, &url).await;
    for (person, page) in [(&mut first, here), (&mut second, there)] {
        let page = office.sign_in(person, page, ADA).await;
        assert!(
            page.body.contains("The mailbox works again"),
            "{}",
            page.body
        );
        reads(&office, &account).await;
    }
    let accounts = office.gateway.get("/v1/accounts").await.body;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
    assert_eq!(events(&office, "account.recovered").await.len(), 1, "once");
}

#[tokio::test]
async fn a_shared_mailbox_is_mended_by_its_delegate_and_by_no_other() {
    let office = Office::start(Settings::default()).unwrap();
    let delegate = json!({"Identity": SUPPORT, "User": ADA, "AccessRights": "FullAccess"});
    office
        .sandbox
        .control("cmdlets/Add-MailboxPermission", &delegate)
        .await
        .unwrap();
    let account = connected(&office, BRUNO, Some(SUPPORT)).await;
    let change = json!({"smtp_user": "other@quillmere.test", "metadata": {"desk": 3}});
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let changed = Answer::of(office.gateway.request(Method::PATCH, &path).json(&change)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let url = dead(&office, BRUNO, &account).await;

    let page = Person::default().open(&url, None).await;
    for text in [SUPPORT, BRUNO] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    // Ada may open the mailbox, but did not connect it.
    let page = sign_in(&office, &url, ADA).await;
    assert!(
        page.body.contains("Somebody else signed in"),
        "{}",
        page.body
    );
    let page = sign_in(&office, &url, BRUNO).await;
    assert!(
        page.body.contains("The mailbox works again"),
        "{}",
        page.body
    );
    let mended = reads(&office, &account).await;
    assert_eq!(
        (&mended["imap_user"], &mended["from"]),
        (&SUPPORT.into(), &SUPPORT.into())
    );
    assert_eq!(
        mended["smtp_user"], "other@quillmere.test",
        "what the site has set stays"
    );
    assert_eq!(mended["metadata"], json!({"desk": 3}));
}

#[tokio::test]
async fn a_person_renews_early_by_the_widgets_session() {
    let office = Office::start(Settings::default()).unwrap();
    let account = connected(&office, ADA, None).await;
    let (session, _) = office
        .connect(BRUNO, json!({"account": account["id"]}))
        .await
        .unwrap();
    assert_eq!(session["diagnosis"]["code"], "wrong_person", "{session:#}");
    assert_eq!(session["login_hint"], ADA);
    reads(&office, &account).await;

    let (session, page) = office
        .connect(ADA, json!({"account": account["id"]}))
        .await
        .unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
    assert_eq!(session["account_id"], account["id"]);
    reads(&office, &account).await;
    assert!(
        events(&office, "account.recovered").await.is_empty(),
        "it was never broken"
    );
}

#[tokio::test]
async fn an_imported_account_is_mended_by_the_person_whose_token_it_was() {
    let office = Office::start(Settings::default()).unwrap();
    let account = imported(&office).await;
    let url = dead(&office, ADA, &account).await;
    let page = sign_in(&office, &url, BRUNO).await;
    assert!(
        page.body.contains("Somebody else signed in"),
        "{}",
        page.body
    );
    let page = sign_in(&office, &url, ADA).await;
    assert!(
        page.body.contains("The mailbox works again"),
        "{}",
        page.body
    );
    let mended = reads(&office, &account).await;
    assert_eq!(mended["identity"]["preferred_username"], ADA);
    // By the widget it is the same account, too.
    assert_eq!(connected(&office, ADA, None).await["id"], account["id"]);
}

async fn imported(office: &Office) -> Value {
    let body = json!({"application": "corp", "address": ADA, "refresh_token": refresh_token(office).await});
    let added = office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    added.body
}

async fn connected(office: &Office, person: &str, mailbox: Option<&str>) -> Value {
    let more = mailbox.map_or_else(|| json!({}), |mailbox| json!({"mailbox": mailbox}));
    let (session, page) = office.connect(person, more).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
    let path = format!("/v1/accounts/{}", session["account_id"].as_str().unwrap());
    office.gateway.get(&path).await.body
}

/// Everything that the person was given ends, and the gateway learns of it: the link for the person.
pub(super) async fn dead(office: &Office, person: &str, account: &Value) -> String {
    for (path, body) in [
        ("revoke", json!({"user": person})),
        ("expire", json!({"access_tokens": true})),
        ("imap/end", json!({})),
    ] {
        office.sandbox.control(path, &body).await.unwrap();
    }
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let refused = office.gateway.get(&format!("{path}/emails")).await;
    assert_eq!(refused.code(), "reauth_required", "{}", refused.text);
    let seen = look(office, account).await;
    assert_eq!(seen["state"], "reauth_required", "{seen:#}");
    seen["reauth_url"].as_str().expect("a link").to_owned()
}

/// Opens the link in a browser, answers the question: the authority's first page.
async fn authority(office: &Office, person: &mut Person, url: &str) -> Page {
    let page = person.open(url, None).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let page = person.submit(&page, &[]).await;
    let authority = office.sandbox.text("/authority");
    assert!(
        page.url.as_str().starts_with(authority),
        "{} {}",
        page.url,
        page.body
    );
    page
}

/// The whole way, in a browser of its own.
async fn sign_in(office: &Office, url: &str, address: &str) -> Page {
    let mut person = Person::default();
    let page = authority(office, &mut person, url).await;
    let page = office.sign_in(&mut person, page, address).await;
    office.decide(&mut person, page, "accept").await
}

/// Neither the logs, at trace level, nor the database can be read for the link.
fn assert_kept_secret(office: &Office, url: &str) {
    let (_, secret) = url.rsplit_once('/').unwrap();
    assert!(secret.len() >= 43, "{secret}");
    let logs = office.gateway.logs();
    assert!(logs.len() > 1000 && !logs.contains(secret));
    let mut databases = 0;
    for file in std::fs::read_dir(office.dir.path().join("gateway")).unwrap() {
        let path = file.unwrap().path();
        if path.display().to_string().contains(".db") {
            databases += 1;
            let content = std::fs::read(&path).unwrap();
            let mut windows = content.windows(secret.len());
            assert!(
                !windows.any(|window| window == secret.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
    assert!(databases > 0);
}

async fn look(office: &Office, account: &Value) -> Value {
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    office.gateway.get(&path).await.body
}

async fn reads(office: &Office, account: &Value) -> Value {
    let path = format!("/v1/accounts/{}/emails", account["id"].as_str().unwrap());
    let emails = office.gateway.get(&path).await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    let seen = look(office, account).await;
    assert_eq!(seen["state"], "connected", "{seen:#}");
    seen
}

async fn events(office: &Office, kind: &str) -> Vec<Value> {
    let events = office.gateway.get("/v1/events?limit=100").await.body;
    let items = events["items"].as_array().expect("events");
    items
        .iter()
        .filter(|event| event["type"] == kind)
        .cloned()
        .collect()
}

/// One that another program of the same registration obtained.
async fn refresh_token(office: &Office) -> Value {
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        office.sandbox.text("/authority"),
        office.sandbox.text("/tenant")
    );
    // A person must have agreed before a program may send a password.
    let agreed = connected(office, ADA, None).await;
    let fields = [
        ("grant_type", "password"),
        ("client_id", CORP),
        ("client_secret", "new~secret"),
        ("username", ADA),
        ("password", PASSWORD),
        (
            "scope",
            "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
        ),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let path = format!("/v1/accounts/{}", agreed["id"].as_str().unwrap());
    office.gateway.delete(&path).await;
    answer.body["refresh_token"].clone()
}
