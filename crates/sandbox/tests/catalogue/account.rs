//! What is the matter with an account.

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn user_from_other_idp() {
    let stranger = "eve@contoso.test";
    let guest = "gwen@contoso.test";
    let world = World::start_with(&format!(
        "{}{}",
        user(stranger, "home = \"contoso.test\""),
        user(
            guest,
            "home = \"contoso.test\", guest = true, mfa = \"required_enrollment\""
        ),
    ))
    .await;
    let page = connect(&world, stranger, &[]).await;
    assert_page("user-from-other-idp", 50020, &page);
    let page = connect(&world, guest, &[]).await;
    assert_page("user-from-other-idp", 90072, &page);
}

#[actix_web::test]
async fn account_locked_or_bad_ip() {
    let world = World::start_with(&user("locked@quillmere.test", "locked = true")).await;
    let page = connect(&world, "locked@quillmere.test", &[]).await;
    assert_page("account-locked-or-bad-ip", 50053, &page);
    // Ten wrong passwords lock an account for a minute.
    let mut browser = Browser::new(&world);
    let mut page = browser.get(&world.authorize_url(&[])).await;
    let typed = |password| [("login", ADA), ("password", password)];
    for _ in 0..10 {
        page = browser.submit(&page, "/login", &typed("wrong")).await;
        assert!(page.html.contains("AADSTS50126"), "{}", page.html);
    }
    let page = browser.submit(&page, "/login", &typed(PASSWORD)).await;
    assert_page("account-locked-or-bad-ip", 50053, &page);
    world.clock.advance(std::time::Duration::from_secs(60));
    let page = browser.submit(&page, "/login", &typed(PASSWORD)).await;
    assert!(page.html.contains("Permissions requested"), "{}", page.html);
}

#[actix_web::test]
async fn password_expired() {
    let world = World::start_with(&format!(
        "{}{}",
        user("late@quillmere.test", "password_expired = true"),
        user(
            "later@quillmere.test",
            "password_expired = true, synchronized = true"
        ),
    ))
    .await;
    let page = connect(&world, "late@quillmere.test", &[]).await;
    assert_page("password-expired", 50055, &page);
    let page = connect(&world, "later@quillmere.test", &[]).await;
    assert_page("password-expired", 50144, &page);
}

#[actix_web::test]
async fn user_not_assigned() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa50";
    let world = World::start_with(&delegated(
        application,
        &format!("conditions = {{ assignment_required = true, assigned = [\"{BRUNO}\"] }}"),
    ))
    .await;
    let asked = [("client_id", application)];
    let page = connect(&world, ADA, &asked).await;
    assert_page("user-not-assigned", 50105, &page);
    let page = connect(&world, BRUNO, &asked).await;
    assert!(page.parameter("code").is_some(), "{page:?}");
    let page = connect_silently(&world, ADA, &asked).await;
    assert_redirect("user-not-assigned", "interaction_required", 50105, &page);
}

#[actix_web::test]
async fn mfa_required() {
    let enrolled = "mia@quillmere.test";
    let unknown = "max@quillmere.test";
    let world = World::start_with(&format!(
        "{}{}",
        user(enrolled, "mfa = \"required\""),
        user(unknown, "mfa = \"required_enrollment\""),
    ))
    .await;
    let page = connect(&world, unknown, &[]).await;
    assert_page("mfa-required", 50072, &page);
    let mut browser = Browser::new(&world);
    let page = browser.connect(&world.authorize_url(&[]), enrolled).await;
    assert!(
        page.html.contains("Confirm that it is you"),
        "{}",
        page.html
    );
    let declined = browser
        .submit(&page, "/second-step", &[("decision", "decline")])
        .await;
    assert_page("mfa-required", 50074, &declined);
    let page = browser
        .submit(&page, "/second-step", &[("decision", "approve")])
        .await;
    assert!(page.html.contains("Permissions requested"), "{}", page.html);

    // A policy that comes after the connection: the refresh cannot do a second step.
    let token = world.connected().await;
    let rule = serde_json::json!({"name": "Second step", "grant": "mfa"});
    put(&world, "conditional_access", rule).await;
    let reply = world
        .refresh(token["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_refusal("mfa-required", 50079, &reply);
    let person =
        serde_json::json!({"address": ADA, "display_name": "Ada", "sign_in": {"mfa": "enrolled"}});
    put(&world, "users", person).await;
    let reply = world
        .refresh(token["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_refusal("mfa-required", 50076, &reply);
    assert_eq!(reply.body["suberror"], "basic_action");
    let claims = reply.body["claims"].as_str().unwrap();
    let claims: serde_json::Value = serde_json::from_str(claims).unwrap();
    assert_eq!(claims["access_token"]["capolids"]["essential"], true);
}

#[actix_web::test]
async fn mfa_expired() {
    let world = World::start_with(&format!(
        "{}[policies]\nmfa_lifetime_hours = 12\n",
        user("mia@quillmere.test", "mfa = \"required\"")
    ))
    .await;
    let mut browser = Browser::new(&world);
    let page = browser
        .connect(&world.authorize_url(&[]), "mia@quillmere.test")
        .await;
    let page = browser
        .submit(&page, "/second-step", &[("decision", "approve")])
        .await;
    let page = browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    let code = page.parameter("code").unwrap();
    let tokens = world.redeem(&code, &[]).await.ok();
    let token = tokens["refresh_token"].as_str().unwrap();
    world.refresh(token, &[]).await.ok();
    world
        .clock
        .advance(std::time::Duration::from_secs(12 * 3600));
    let reply = world.refresh(token, &[]).await;
    assert_refusal("mfa-expired", 50078, &reply);
    let page = browser
        .get(&world.authorize_url(&[("prompt", "none")]))
        .await;
    assert_redirect("mfa-expired", "interaction_required", 50078, &page);
}

#[actix_web::test]
async fn account_type_not_allowed() {
    let application = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa51";
    let world = World::start_with(&delegated(
        application,
        "audience = \"any_organization_and_personal\"",
    ))
    .await;
    let url = world
        .authorize_url(&[("client_id", application)])
        .replace(&world.tenant, "consumers");
    let page = Browser::new(&world).connect(&url, ADA).await;
    assert_page("account-type-not-allowed", 500_208, &page);
}

#[actix_web::test]
async fn shared_mailbox_wrong_signin() {
    let world = World::start().await;
    let page = connect(&world, SHARED, &[]).await;
    assert_page("shared-mailbox-wrong-signin", 50034, &page);
}

fn user(address: &str, sign_in: &str) -> String {
    format!(
        "[[user]]\naddress = \"{address}\"\ndisplay_name = \"Somebody\"\npassword = \"{PASSWORD}\"\n\
         sign_in = {{ {sign_in} }}\n"
    )
}
