//! The administrator's way in: both forms of the endpoint.

use crate::support::*;

async fn approval(world: &World, browser: &mut Browser, path: &str) -> Page {
    let page = browser.get(&world.url(path)).await;
    browser.sign_in(&page, ADMIN).await
}

#[actix_web::test]
async fn approving_sends_tenant_and_state() {
    let world = World::start().await;
    for (path, scope) in [
        (
            format!("/adminconsent?client_id={DELEGATED}&redirect_uri={REDIRECT}&state=s%201"),
            None,
        ),
        (
            format!(
                "/v2.0/adminconsent?client_id={DELEGATED}&redirect_uri={REDIRECT}&state=s%201&scope=https://outlook.office.com/.default"
            ),
            Some("https://outlook.office.com/.default"),
        ),
    ] {
        let mut browser = Browser::new(&world);
        let page = approval(&world, &mut browser, &path).await;
        let answer = browser
            .submit(&page, "/consent", &[("decision", "accept")])
            .await;
        assert_eq!(
            answer.parameter("admin_consent").as_deref(),
            Some("True"),
            "{answer:?}"
        );
        assert_eq!(answer.parameter("tenant"), Some(world.tenant.clone()));
        assert_eq!(answer.parameter("state").as_deref(), Some("s 1"));
        assert_eq!(answer.parameter("scope").as_deref(), scope);
    }
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    assert!(
        browser
            .sign_in(&page, ADA)
            .await
            .parameter("code")
            .is_some(),
        "nobody is asked any more"
    );
}

#[actix_web::test]
async fn refusing_is_permission_denied() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let path = format!("/adminconsent?client_id={DELEGATED}&redirect_uri={REDIRECT}&state=s");
    let page = approval(&world, &mut browser, &path).await;
    let answer = browser
        .submit(&page, "/consent", &[("decision", "decline")])
        .await;
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("permission_denied")
    );
    assert_eq!(answer.parameter("state").as_deref(), Some("s"));
    assert_eq!(answer.parameter("admin_consent"), None);
}

#[actix_web::test]
async fn only_an_administrator_gets_to_the_question() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    browser.connect(&world.authorize_url(&[]), ADMIN).await;
    let path = format!("/adminconsent?client_id={APP_ONLY}");
    let page = browser.get(&world.url(&path)).await;
    assert!(
        page.html.contains("name=\"password\""),
        "the administrator signs in again: {}",
        page.html
    );
    let page = browser.sign_in(&page, ADA).await;
    assert!(page.html.contains("AADSTS90094"), "{}", page.html);
    let forged = browser
        .submit(&page, "/login", &[("login", ADA), ("password", PASSWORD)])
        .await;
    assert!(!forged.html.contains("Approve for everybody"));
}

#[actix_web::test]
async fn app_only_permissions_are_granted_so() {
    let world = World::start().await;
    let scope = "https://outlook.office365.com/.default";
    let before = world.client_credentials(NO_ROLES, scope).await.ok();
    assert!(claims(&before["access_token"]).get("roles").is_none());
    let mut browser = Browser::new(&world);
    let path =
        format!("/v2.0/adminconsent?client_id={NO_ROLES}&scope=https://ps.outlook.com/.default");
    let page = approval(&world, &mut browser, &path).await;
    assert!(
        page.html.contains("with nobody signed in (IMAP)"),
        "{}",
        page.html
    );
    browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    let after = world.client_credentials(NO_ROLES, scope).await.ok();
    assert_eq!(
        claims(&after["access_token"])["roles"],
        serde_json::json!(["IMAP.AccessAsApp"])
    );
}

#[actix_web::test]
async fn wrong_requests_get_a_page() {
    let world = World::start().await;
    for (path, expected) in [
        ("/adminconsent".to_owned(), 900_144),
        (
            "/adminconsent?client_id=00000000-0000-0000-0000-000000000000".to_owned(),
            700_016,
        ),
        (
            format!("/adminconsent?client_id={DELEGATED}&redirect_uri=https://evil.test/"),
            50011,
        ),
        (
            format!(
                "/v2.0/adminconsent?client_id={DELEGATED}&scope=https://outlok.office.com/.default"
            ),
            500_011,
        ),
    ] {
        let page = Browser::new(&world).get(&world.url(&path)).await;
        assert!(
            page.html.contains(&format!("AADSTS{expected}: ")),
            "{path}: {}",
            page.html
        );
        assert_eq!(page.status, 400);
    }
}
