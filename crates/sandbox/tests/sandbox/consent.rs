//! Consent by a person, and the tenants where only an administrator may give it.

use serde_json::json;

use crate::support::*;

#[actix_web::test]
async fn declining_goes_back_with_access_denied() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, ADA).await;
    let answer = browser
        .submit(&page, "/consent", &[("decision", "decline")])
        .await;
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.parameter("error_subcode").as_deref(), Some("cancel"));
    assert_eq!(answer.sent_code().as_deref(), Some("65004"));
    assert_eq!(answer.parameter("state").as_deref(), Some("the state"));
}

#[actix_web::test]
async fn only_what_is_new_is_asked_and_each_person_is() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    browser.connect(&world.authorize_url(&[]), ADA).await;
    let more = format!("{SCOPE} https://outlook.office.com/SMTP.Send");
    let silent = browser
        .get(&world.authorize_url(&[("scope", &more), ("prompt", "none")]))
        .await;
    assert_eq!(silent.sent_code().as_deref(), Some("65001"));
    let page = browser.get(&world.authorize_url(&[("scope", &more)])).await;
    assert!(
        page.html.contains("Send mail in your name"),
        "{}",
        page.html
    );
    let answer = browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    let tokens = world
        .redeem(&answer.parameter("code").unwrap(), &[])
        .await
        .ok();
    assert_eq!(
        claims(&tokens["access_token"])["scp"],
        "IMAP.AccessAsUser.All SMTP.Send"
    );

    let mut other = Browser::new(&world);
    let page = other.get(&world.authorize_url(&[])).await;
    let page = other.sign_in(&page, BRUNO).await;
    assert!(
        page.html.contains("Permissions requested"),
        "Ada's consent is not Bruno's"
    );
}

#[actix_web::test]
async fn an_administrator_may_agree_for_everybody() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, ADMIN).await;
    browser
        .submit(
            &page,
            "/consent",
            &[("decision", "accept"), ("organization", "1")],
        )
        .await;
    let mut other = Browser::new(&world);
    let page = other.get(&world.authorize_url(&[])).await;
    let answer = other.sign_in(&page, ADA).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
}

#[actix_web::test]
async fn a_person_cannot_agree_for_everybody() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, ADA).await;
    assert!(!page.html.contains("name=\"organization\""));
    browser
        .submit(
            &page,
            "/consent",
            &[("decision", "accept"), ("organization", "1")],
        )
        .await;
    let mut other = Browser::new(&world);
    let page = other.get(&world.authorize_url(&[])).await;
    let page = other.sign_in(&page, BRUNO).await;
    assert!(page.html.contains("Permissions requested"));
}

#[actix_web::test]
async fn where_only_administrators_may_agree_a_person_waits_for_one() {
    let world = World::start().await;
    assert_eq!(
        world
            .control("/consent", json!({"require_admin": true}))
            .await
            .status,
        204
    );
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, ADA).await;
    assert!(
        page.html.contains("An administrator must approve"),
        "{}",
        page.html
    );
    let link = page
        .html
        .split("readonly value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(
        link,
        world.url(&format!("/adminconsent?client_id={DELEGATED}"))
    );
    // Not yet.
    let page = browser.submit(&page, "/resume", &[]).await;
    assert!(page.html.contains("An administrator must approve"));
    // A made-up form does not help either.
    let forged = browser
        .submit(&page, "/consent", &[("decision", "accept"), ("reason", "")])
        .await;
    assert!(
        forged.html.contains("An administrator must approve"),
        "{}",
        forged.html
    );

    let mut office = Browser::new(&world);
    let approval = office.get(link).await;
    let approval = office.sign_in(&approval, ADMIN).await;
    assert!(
        approval.html.contains("Approve for everybody"),
        "{}",
        approval.html
    );
    let done = office
        .submit(&approval, "/consent", &[("decision", "accept")])
        .await;
    assert!(done.html.contains("Approved"), "{}", done.html);

    let answer = browser.submit(&page, "/resume", &[]).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
}

#[actix_web::test]
async fn going_back_without_approval_tells_the_client() {
    let world = World::start().await;
    world
        .control("/consent", json!({"require_admin": true}))
        .await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, ADA).await;
    let answer = browser
        .submit(&page, "/consent", &[("decision", "decline")])
        .await;
    assert_eq!(answer.sent_code().as_deref(), Some("90094"));
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("consent_required")
    );
    let log = world.running.requests().entries();
    assert!(
        log.iter()
            .any(|entry| entry.kind == "consent" && entry.code == Some(90094)),
        "{log:?}"
    );
    // Signing in alone needs nobody's approval.
    let answer = browser
        .get(&world.authorize_url(&[("scope", "openid profile")]))
        .await;
    assert!(
        answer.html.contains("Permissions requested"),
        "{}",
        answer.html
    );
}

#[actix_web::test]
async fn a_consent_that_was_withdrawn_is_missed_at_the_next_refresh() {
    let world = World::start().await;
    let tokens = world.connected().await;
    assert_eq!(
        world
            .control("/consent", json!({"withdraw": DELEGATED}))
            .await
            .status,
        204
    );
    let refused = world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_eq!(refused.refusal(), (65001, "invalid_grant", 400));
    assert_eq!(refused.body["suberror"], "consent_required");
}
