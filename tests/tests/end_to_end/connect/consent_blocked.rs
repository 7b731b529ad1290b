//! The tenant lets only administrators agree: what happens at most companies since November 2025.

use mailgrant_tests::{
    gateway::SITE,
    office::{ADA, ADMIN, Office, Settings},
    person::Person,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn the_same_session_goes_on_when_an_administrator_has_agreed() {
    let office = Office::start(Settings::default()).unwrap();
    let mut person = Person::default();
    let session = blocked(&office, &mut person).await;

    // The administrator opens the link in a browser of their own.
    let seen = office.gateway.session(&session).await;
    let link = seen["admin_consent_url"].as_str().unwrap();
    let mut administrator = Person::default();
    let page = administrator.open(link, None).await;
    let page = office.sign_in(&mut administrator, page, ADMIN).await;
    assert!(page.body.contains("Approve for everybody"), "{}", page.body);
    let waiting = office.standing(&session, 30);
    let (standing, page) = tokio::join!(waiting, office.decide(&mut administrator, page, "accept"));
    assert!(
        page.body.contains("the permission is given"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Test person"), "{}", page.body);
    assert_eq!(standing["status"], "pending", "{standing:#}");
    assert!(standing["diagnosis"].is_null(), "{standing:#}");

    // The person opens the same link: no page asks them anything any more.
    let link = session["connect_url"].as_str().unwrap();
    let page = person.open(link, Some(SITE)).await;
    assert!(
        page.body.contains("Your mailbox is connected"),
        "{}",
        page.body
    );
    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "connected", "{seen:#}");
    assert!(seen["diagnosis"].is_null() && seen["admin_consent_url"].is_null());
    assert_eq!(seen["id"], session["id"]);
    assert_eq!(
        office.seen().await.unwrap(),
        [
            "authorize ok",
            "sign_in ok",
            "consent AADSTS90094",
            "consent AADSTS90094",
            "admin_consent ok",
            "sign_in ok",
            "consent ok",
            "authorize ok",
            "token ok",
            "imap_login ok",
        ]
    );
}

#[tokio::test]
async fn an_administrator_who_says_no_changes_nothing() {
    let office = Office::start(Settings::default()).unwrap();
    let mut person = Person::default();
    let session = blocked(&office, &mut person).await;
    let seen = office.gateway.session(&session).await;
    let mut administrator = Person::default();
    let page = administrator
        .open(seen["admin_consent_url"].as_str().unwrap(), None)
        .await;
    let page = office.sign_in(&mut administrator, page, ADMIN).await;
    let page = office.decide(&mut administrator, page, "decline").await;
    assert!(
        page.body.contains("The permission was not given"),
        "{}",
        page.body
    );
    assert_eq!(office.gateway.session(&session).await, seen);
    office.assert_nothing_kept().await;

    // Whoever opens the session's link meanwhile is told why it waits, and may try again.
    let link = session["connect_url"].as_str().unwrap();
    let page = person.open(link, Some(SITE)).await;
    for text in [
        "An administrator must agree first",
        "adminconsent",
        "Try again",
        "/connect/assets/copy.js",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let page = person.submit(&page, &[]).await;
    assert!(
        page.body.contains("An administrator must approve"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_link_opened_by_somebody_who_is_no_administrator_approves_nothing() {
    let office = Office::start(Settings::default()).unwrap();
    let session = blocked(&office, &mut Person::default()).await;
    let seen = office.gateway.session(&session).await;
    let mut other = Person::default();
    let page = other
        .open(seen["admin_consent_url"].as_str().unwrap(), None)
        .await;
    let page = office.sign_in(&mut other, page, ADA).await;
    assert!(page.body.contains("AADSTS90094"), "{}", page.body);
    assert_eq!(office.gateway.session(&session).await, seen);
}

/// A session of somebody who met the tenant's policy and went back with what the page told them.
async fn blocked(office: &Office, person: &mut Person) -> Value {
    let policy = json!({"require_admin": true});
    office.sandbox.control("consent", &policy).await.unwrap();
    let (session, page) = office.begin(person, json!({})).await.unwrap();
    let page = office.sign_in(person, page, ADA).await;
    assert!(
        page.body.contains("An administrator must approve"),
        "{}",
        page.body
    );
    let page = office.decide(person, page, "decline").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "An administrator must agree first",
        "Send the administrator consent link",
        "/v2.0/adminconsent?",
        "admin_consent_required AADSTS90094",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }

    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "awaiting_admin_consent", "{seen:#}");
    assert_eq!(seen["diagnosis"]["code"], "admin_consent_required");
    assert_eq!(seen["diagnosis"]["error_codes"], json!([90094]));
    let link = seen["admin_consent_url"].as_str().unwrap();
    assert!(
        link.starts_with(office.sandbox.text("/authority")),
        "{link}"
    );
    let standing = office.standing(&session, 0).await;
    assert_eq!(standing["status"], "awaiting_admin_consent");
    assert_eq!(standing["admin_consent_url"], link);
    office.assert_nothing_kept().await;
    session
}
