//! The person looks at the permissions and says no.

use mailgrant_tests::{
    office::{ADA, Office, Settings},
    person::Person,
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_person_who_says_no_is_taken_at_their_word_and_may_change_their_mind() {
    let office = Office::start(Settings::default()).unwrap();
    let mut person = Person::default();
    let (session, page) = office.begin(&mut person, json!({})).await.unwrap();
    let page = office.sign_in(&mut person, page, ADA).await;
    assert!(page.body.contains("Permissions requested"), "{}", page.body);
    let page = office.decide(&mut person, page, "decline").await;

    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "Access was not granted",
        "What to do",
        "access_denied AADSTS65004",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "failed", "{seen:#}");
    assert_eq!(seen["diagnosis"]["code"], "access_denied");
    assert_eq!(seen["diagnosis"]["error_codes"], json!([65004]));
    assert!(seen["completed_at"].is_string(), "{seen:#}");
    let standing = office.standing(&session, 30).await;
    assert_eq!(standing["status"], "failed", "at once: it is over");
    assert_eq!(standing["diagnosis"], seen["diagnosis"]);
    office.assert_nothing_kept().await;
    assert_eq!(
        office.seen().await.unwrap(),
        ["authorize ok", "sign_in ok", "consent AADSTS65004"],
        "no code was asked for or sent"
    );

    // A link that is over leads nowhere; a new one asks again.
    let link = session["connect_url"].as_str().unwrap();
    let page = person
        .open(link, Some(mailgrant_tests::gateway::SITE))
        .await;
    assert!(
        page.body.contains("Access was not granted"),
        "{}",
        page.body
    );
    let (again, page) = office.begin(&mut person, json!({})).await.unwrap();
    assert!(page.body.contains("Permissions requested"), "{}", page.body);
    office.decide(&mut person, page, "accept").await;
    let again = office.gateway.session(&again).await;
    assert_eq!(again["status"], "connected", "{again:#}");
}
