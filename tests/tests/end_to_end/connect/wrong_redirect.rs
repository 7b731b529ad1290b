//! The registration does not have the gateway's redirect URI: only the authority can say so, and only to the person.

use mailgrant_tests::{
    gateway::{Answer, SITE},
    office::{ADA, CORP, Office, Settings},
    person::Person,
};
use reqwest::{Method, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn the_authority_tells_the_person_and_the_session_stays_open() {
    let office = Office::start(Settings {
        redirect_uri_registered: false,
        ..Settings::default()
    })
    .unwrap();
    let mut person = Person::default();
    let (session, page) = office.begin(&mut person, json!({})).await.unwrap();

    assert!(
        page.url
            .as_str()
            .starts_with(office.sandbox.text("/authority"))
    );
    let uri = format!("{}/oauth/callback", office.gateway.url);
    for text in ["AADSTS50011", uri.as_str(), "Trace ID", "Correlation ID"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.headers.contains_key(header::LOCATION));
    assert_eq!(office.seen().await.unwrap(), ["authorize AADSTS50011"]);

    // Nothing has come back, so nothing has ended: the person may still be in front of the page.
    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "pending", "{seen:#}");
    assert_eq!(seen["phase"], "started");
    let standing = office.standing(&session, 0).await;
    assert_eq!(standing["phase"], "started");
    office.assert_nothing_kept().await;

    // The operator registers it, and the same link leads through.
    let uris = json!({"redirect_uris": [uri]});
    office.register(CORP, &uris).await.unwrap();
    let link = session["connect_url"].as_str().unwrap();
    let page = person.open(link, Some(SITE)).await;
    let page = office.sign_in(&mut person, page, ADA).await;
    office.decide(&mut person, page, "accept").await;
    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "connected", "{seen:#}");
}

#[tokio::test]
async fn a_person_who_closes_the_authoritys_page_ends_the_session() {
    let office = Office::start(Settings {
        redirect_uri_registered: false,
        ..Settings::default()
    })
    .unwrap();
    let (session, _) = office
        .begin(&mut Person::default(), json!({}))
        .await
        .unwrap();
    // The widget gives up for them when it sees the window closed.
    let path = format!("/connect/{}", session["client_token"].as_str().unwrap());
    let request = office
        .gateway
        .request(Method::DELETE, &path)
        .header(header::ORIGIN, SITE);
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let seen = office.gateway.session(&session).await;
    assert_eq!(seen["status"], "failed", "{seen:#}");
    assert_eq!(seen["diagnosis"]["code"], "cancelled");
    office.assert_nothing_kept().await;
}
