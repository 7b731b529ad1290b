//! A mailbox that belongs to nobody, connected by somebody who may open it.

use mailgrant_tests::office::{ADA, BRUNO, ORDERS, Office, SUPPORT, Settings};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use mailgrant_tests::gateway::Answer;

#[tokio::test]
async fn a_delegate_connects_shared_mailboxes_each_an_account() {
    let office = Office::start(Settings::default()).unwrap();
    let support = account(&office, BRUNO, Some(SUPPORT)).await;
    let orders = account(&office, BRUNO, Some(ORDERS)).await;
    let own = account(&office, BRUNO, None).await;
    for (account, imap_user, from) in [
        (&support, SUPPORT, SUPPORT),
        (&orders, ORDERS, ORDERS),
        (&own, BRUNO, BRUNO),
    ] {
        assert_eq!(account["imap_user"], imap_user, "opened by its name");
        assert_eq!(account["smtp_user"], BRUNO, "mail is sent by the person's");
        assert_eq!(account["from"], from);
        assert_eq!(account["identity"]["preferred_username"], BRUNO);
        let to = first_email(&office, account).await;
        assert!(to.contains(imap_user), "{to}");
    }
    let accounts = office.gateway.get("/v1/accounts").await.body;
    assert_eq!(
        accounts["items"].as_array().unwrap().len(),
        3,
        "{accounts:#}"
    );

    let again = account(&office, BRUNO, Some(SUPPORT)).await;
    assert_eq!(again["id"], support["id"], "the same person's same mailbox");
}

#[tokio::test]
async fn two_people_connect_one_shared_mailbox_and_have_an_account_each() {
    let office = Office::start(Settings::default()).unwrap();
    let delegate = json!({"Identity": SUPPORT, "User": ADA, "AccessRights": "FullAccess"});
    office
        .sandbox
        .control("cmdlets/Add-MailboxPermission", &delegate)
        .await
        .unwrap();
    let brunos = account(&office, BRUNO, Some(SUPPORT)).await;
    let adas = account(&office, ADA, Some(SUPPORT)).await;
    assert_ne!(brunos["id"], adas["id"]);
    assert_eq!(
        (&brunos["smtp_user"], &adas["smtp_user"]),
        (&BRUNO.into(), &ADA.into())
    );

    // Each goes on without the other.
    let gone = office.gateway.delete(&path(&brunos)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    first_email(&office, &adas).await;
}

#[tokio::test]
async fn each_of_the_three_names_can_be_set_by_itself() {
    let office = Office::start(Settings::default()).unwrap();
    let account = account(&office, BRUNO, Some(SUPPORT)).await;
    let mut wanted = account.clone();
    for (field, value) in [("smtp_user", ADA), ("from", ORDERS), ("imap_user", ORDERS)] {
        let changed = change(&office, &account, json!({field: value})).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
        wanted[field] = value.into();
        for name in ["imap_user", "smtp_user", "from", "identity"] {
            assert_eq!(changed.body[name], wanted[name], "{name} after {field}");
        }
    }
    let to = first_email(&office, &account).await;
    assert!(
        to.contains(ORDERS),
        "the mailbox that imap_user names: {to}"
    );
    for value in ["", "a\u{1}b", "a\r\nb"] {
        let refused = change(&office, &account, json!({"smtp_user": value})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["field"], "smtp_user");
    }
}

#[tokio::test]
async fn the_pages_say_which_mailbox_and_whose_sign_in() {
    let office = Office::start(Settings::default()).unwrap();
    let wanted = json!({"mailbox": SUPPORT, "login_hint": BRUNO});
    let body = json!({"application": "corp", "mailbox": SUPPORT, "login_hint": BRUNO});
    let made = office
        .gateway
        .post("/v1/connect-sessions", &body)
        .await
        .body;
    // A mailed link, which asks first.
    let mut person = mailgrant_tests::person::Person::default();
    let question = person
        .open(made["connect_url"].as_str().unwrap(), None)
        .await;
    for text in [
        "<dt>Mailbox</dt><dd>support@quillmere.test</dd>",
        "<dd>bruno@quillmere.test</dd>",
    ] {
        assert!(question.body.contains(text), "{text}: {}", question.body);
    }

    let (session, page) = office.connect(BRUNO, wanted).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}");
    for text in [
        "<dt>Mailbox</dt><dd>support@quillmere.test</dd>",
        "<dt>Signed in as</dt><dd>bruno@quillmere.test</dd>",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
}

async fn account(office: &Office, person: &str, mailbox: Option<&str>) -> Value {
    let more = mailbox.map_or_else(|| json!({}), |mailbox| json!({"mailbox": mailbox}));
    let (session, page) = office.connect(person, more).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
    let path = format!("/v1/accounts/{}", session["account_id"].as_str().unwrap());
    office.gateway.get(&path).await.body
}

async fn change(office: &Office, account: &Value, change: Value) -> Answer {
    let request = office.gateway.request(Method::PATCH, &path(account));
    Answer::of(request.json(&change)).await
}

/// The recipients of the newest email, for whoever wants to know whose mailbox it is.
async fn first_email(office: &Office, account: &Value) -> String {
    let emails = office
        .gateway
        .get(&format!("{}/emails?limit=1", path(account)))
        .await;
    assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
    emails.body["items"][0]["to"].to_string()
}

fn path(account: &Value) -> String {
    format!("/v1/accounts/{}", account["id"].as_str().unwrap())
}
