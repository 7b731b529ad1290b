//! The device flow: the device's code, the person's page, the device's questions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::*;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A public application, as programs on devices are.
const DEVICE: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9003";
const ENTRIES: &str = r#"
[[application]]
client_id = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9003"
display_name = "Kitchen <radio>"
flow = "device"
public = true
permissions = ["openid", "profile", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"]
"#;

async fn world() -> World {
    World::start_with(ENTRIES).await
}

async fn start(world: &World, client_id: &str) -> Value {
    let url = world.url("/oauth2/v2.0/devicecode");
    let form = [("client_id", client_id), ("scope", SCOPE)];
    world.token_at(&url, &form).await.ok()
}

async fn poll(world: &World, started: &Value, changes: &[(&str, &str)]) -> Reply {
    let mut form = std::collections::BTreeMap::from([
        ("grant_type", GRANT),
        ("client_id", DEVICE),
        ("device_code", started["device_code"].as_str().unwrap()),
    ]);
    form.extend(changes.iter().copied());
    let form: Vec<_> = form.into_iter().collect();
    world.token(&form).await
}

/// Opens the page and types the code.
async fn enter(browser: &mut Browser, started: &Value, code: &str) -> Page {
    let page = browser
        .get(started["verification_uri"].as_str().unwrap())
        .await;
    browser.submit(&page, "/device", &[("otc", code)]).await
}

fn user_code(started: &Value) -> &str {
    started["user_code"].as_str().unwrap()
}

#[actix_web::test]
async fn a_person_lets_a_device_in() {
    let world = world().await;
    let started = start(&world, DEVICE).await;
    assert_eq!(user_code(&started).len(), 9);
    assert_eq!(started["expires_in"], 900);
    assert_eq!(started["interval"], 5);
    assert!(started.get("verification_uri_complete").is_none());
    let message = started["message"].as_str().unwrap();
    let uri = started["verification_uri"].as_str().unwrap();
    assert!(message.contains(uri) && message.contains(user_code(&started)));
    let pending = poll(&world, &started, &[]).await;
    assert_eq!(pending.refusal(), (70016, "authorization_pending", 400));

    let mut browser = Browser::new(&world);
    let page = enter(&mut browser, &started, &user_code(&started).to_lowercase()).await;
    let page = browser.sign_in(&page, ADA).await;
    assert!(
        page.html
            .contains("Are you trying to sign in to Kitchen &#60;radio&#62;?"),
        "{}",
        page.html
    );
    // Until the person has said so, the device is not let in.
    world.clock.advance(Duration::from_secs(5));
    let pending = poll(&world, &started, &[]).await;
    assert_eq!(pending.refusal().1, "authorization_pending");
    let page = browser
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    assert!(page.html.contains("Permissions requested"), "{}", page.html);
    let page = browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    assert!(page.html.contains("You have signed in to"), "{}", page.html);

    let tokens = poll(&world, &started, &[("client_info", "1")]).await.ok();
    let access = claims(&tokens["access_token"]);
    assert_eq!(access["appidacr"], "0");
    assert_eq!(access["upn"], ADA);
    assert_eq!(access["scp"], "IMAP.AccessAsUser.All");
    assert_eq!(claims(&tokens["id_token"])["preferred_username"], ADA);
    assert!(tokens["client_info"].is_string());
    let refreshed = world
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", DEVICE),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ])
        .await
        .ok();
    assert_eq!(claims(&refreshed["access_token"])["upn"], ADA);
    let access = world.running.directory().check_access_token(
        tokens["access_token"].as_str().unwrap(),
        ADA,
        NOW + Duration::from_secs(10),
    );
    assert_eq!(access.unwrap().mailbox, ADA);
    // Once.
    let again = poll(&world, &started, &[]).await;
    assert_eq!(again.refusal(), (54005, "invalid_grant", 400));
    let page = enter(&mut browser, &started, user_code(&started)).await;
    assert!(page.html.contains("AADSTS70018"), "{}", page.html);
}

#[actix_web::test]
async fn who_is_signed_in_picks_the_account_and_is_still_asked() {
    let world = world().await;
    let mut browser = Browser::new(&world);
    browser.connect(&world.authorize_url(&[]), ADA).await;
    let started = start(&world, DEVICE).await;
    let page = enter(&mut browser, &started, user_code(&started)).await;
    assert!(page.html.contains("Choose an account"), "{}", page.html);
    let directory = world.running.directory();
    let ada = directory.tenant().user(ADA).unwrap().object_id.clone();
    let page = browser.submit(&page, "/select", &[("account", &ada)]).await;
    assert!(page.html.contains("Are you trying"), "{}", page.html);
    let page = browser
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    poll(&world, &started, &[]).await.ok();
    // Agreed once, the next device asks for nothing more than the confirmation.
    let started = start(&world, DEVICE).await;
    let page = enter(&mut browser, &started, user_code(&started)).await;
    let page = browser.submit(&page, "/select", &[("account", &ada)]).await;
    let page = browser
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    assert!(page.html.contains("You have signed in to"), "{}", page.html);
    poll(&world, &started, &[]).await.ok();
}

#[actix_web::test]
async fn a_person_can_say_no() {
    let world = world().await;
    for refuse_the_consent in [false, true] {
        let mut browser = Browser::new(&world);
        let started = start(&world, DEVICE).await;
        let page = enter(&mut browser, &started, user_code(&started)).await;
        let mut page = browser.sign_in(&page, ADA).await;
        let mut form = "/deviceconfirm";
        if refuse_the_consent {
            page = browser.submit(&page, form, &[("decision", "accept")]).await;
            form = "/consent";
        }
        let page = browser
            .submit(&page, form, &[("decision", "decline")])
            .await;
        assert!(page.html.contains("not let in"), "{}", page.html);
        let declined = poll(&world, &started, &[]).await;
        assert_eq!(declined.refusal(), (65004, "authorization_declined", 400));
    }
}

#[actix_web::test]
async fn where_only_an_administrator_may_agree_the_page_says_so() {
    let world = world().await;
    let policy = json!({"require_admin": true});
    assert_eq!(world.control("/consent", policy).await.status, 204);
    let mut browser = Browser::new(&world);
    let started = start(&world, DEVICE).await;
    let page = enter(&mut browser, &started, user_code(&started)).await;
    let page = browser.sign_in(&page, ADA).await;
    let page = browser
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    assert!(
        page.html.contains("adminconsent?client_id="),
        "{}",
        page.html
    );
    let pending = poll(&world, &started, &[]).await;
    assert_eq!(pending.refusal().1, "authorization_pending");
}

#[actix_web::test]
async fn codes_end_after_a_quarter_of_an_hour() {
    let world = world().await;
    let started = start(&world, DEVICE).await;
    let mut browser = Browser::new(&world);
    let page = enter(&mut browser, &started, user_code(&started)).await;
    let page = browser.sign_in(&page, ADA).await;
    world.clock.advance(Duration::from_secs(900));
    let late = poll(&world, &started, &[]).await;
    assert_eq!(late.refusal(), (70020, "expired_token", 400));
    let page = browser
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    let page = browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    assert!(page.html.contains("AADSTS70019"), "{}", page.html);
    let page = enter(&mut browser, &started, user_code(&started)).await;
    assert!(page.html.contains("AADSTS70019"), "{}", page.html);
}

#[actix_web::test]
async fn too_much_haste_is_slowed_down() {
    let world = world().await;
    let started = start(&world, DEVICE).await;
    poll(&world, &started, &[]).await.refusal();
    let hasty = poll(&world, &started, &[]).await;
    assert_eq!(hasty.refusal(), (70016, "slow_down", 400));
    world.clock.advance(Duration::from_secs(5));
    let patient = poll(&world, &started, &[]).await;
    assert_eq!(patient.refusal(), (70016, "authorization_pending", 400));
}

#[actix_web::test]
async fn bad_requests_are_refused() {
    let world = world().await;
    let url = world.url("/oauth2/v2.0/devicecode");
    for (form, expected) in [
        (vec![("scope", SCOPE)], (900_144, "invalid_request", 400)),
        (
            vec![("client_id", DEVICE)],
            (900_144, "invalid_request", 400),
        ),
        (
            vec![
                ("client_id", "5d0f7a31-0000-0000-0000-000000000000"),
                ("scope", SCOPE),
            ],
            (700_016, "unauthorized_client", 400),
        ),
        (
            vec![("client_id", DISABLED), ("scope", SCOPE)],
            (7_000_112, "unauthorized_client", 400),
        ),
        (
            vec![
                ("client_id", DEVICE),
                ("scope", "https://outlok.office.com/x"),
            ],
            (500_011, "invalid_resource", 400),
        ),
        (
            vec![
                ("client_id", DEVICE),
                ("client_id", DEVICE),
                ("scope", SCOPE),
            ],
            (9_002_313, "invalid_request", 400),
        ),
    ] {
        let reply = world.token_at(&url, &form).await;
        assert_eq!(reply.refusal(), expected, "{form:?}");
    }
    let common = format!("{}/common/oauth2/v2.0/devicecode", world.base);
    let form = [("client_id", SINGLE_TENANT), ("scope", SCOPE)];
    let reply = world.token_at(&common, &form).await;
    assert_eq!(reply.refusal(), (50194, "invalid_request", 400));

    let started = start(&world, DEVICE).await;
    for (changes, expected) in [
        (
            vec![("device_code", "nonsense")],
            (70018, "bad_verification_code", 400),
        ),
        // The person's code is not the device's.
        (
            vec![("device_code", user_code(&started))],
            (70018, "bad_verification_code", 400),
        ),
        (vec![("device_code", "")], (900_144, "invalid_request", 400)),
        (vec![("client_id", PUBLIC)], (70000, "invalid_grant", 400)),
        (
            vec![("client_secret", "x")],
            (700_025, "invalid_client", 401),
        ),
    ] {
        let reply = poll(&world, &started, &changes).await;
        assert_eq!(reply.refusal(), expected, "{changes:?}");
    }
    // An application that keeps secrets must show one.
    let confidential = start(&world, DELEGATED).await;
    let reply = poll(&world, &confidential, &[("client_id", DELEGATED)]).await;
    assert_eq!(reply.refusal(), (7_000_218, "invalid_client", 401));
}

#[actix_web::test]
async fn the_page_refuses_codes_and_forms_that_are_not_its_own() {
    let world = world().await;
    let started = start(&world, DEVICE).await;
    let mut browser = Browser::new(&world);
    for code in ["", "BCDFGHJKL", "<script>"] {
        let page = enter(&mut browser, &started, code).await;
        assert!(page.html.contains("AADSTS70018"), "{code}: {}", page.html);
        assert!(page.html.contains("role=\"alert\""));
        assert!(!page.html.contains("<script>"));
    }
    // The code in the address fills the form in and does no more.
    let uri = started["verification_uri"].as_str().unwrap();
    let code = user_code(&started);
    let page = browser.get(&format!("{uri}?otc={code}")).await;
    assert!(page.html.contains(&format!("value=\"{code}\"")));
    let forged = browser
        .submit(&page, "/device", &[("otc", code), ("csrf", "x")])
        .await;
    assert_eq!(forged.status, 400);
    let page = browser.submit(&page, "/device", &[("otc", code)]).await;
    let page = browser.sign_in(&page, ADA).await;
    let mut stranger = Browser::new(&world);
    let stolen = stranger
        .submit(&page, "/deviceconfirm", &[("decision", "accept")])
        .await;
    assert_eq!(stolen.status, 400);
    let odd = browser
        .submit(&page, "/deviceconfirm", &[("decision", "perhaps")])
        .await;
    assert_eq!(odd.status, 400);
    let address = format!("{}/common/oauth2/deviceauth", world.base);
    assert!(browser.get(&address).await.html.contains("Enter code"));
}

#[actix_web::test]
async fn the_built_in_tenant_has_an_application_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = mailgrant_sandbox::SandboxSettings::new(dir.path());
    settings.sample_mail = false;
    let running = mailgrant_sandbox::Sandbox::start(settings).await.unwrap();
    let description = running.description();
    let application = description
        .applications
        .iter()
        .find(|application| application.id == "device")
        .unwrap();
    assert_eq!(application.client_secret, None);
    running.stop().await;
}
