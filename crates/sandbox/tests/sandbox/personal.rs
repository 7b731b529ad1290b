//! Personal accounts: where they may sign in, and their opaque tokens.

use mailgrant_sandbox::directory::Refusal;
use serde_json::json;

use crate::support::*;

const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const GWEN: &str = "gwen@freemail.test";
const WIDE: &str = "6b3f0c1e-8a52-4d7f-9c11-0f2e5a7d9004";

async fn world() -> World {
    World::start_with(&format!(
        r#"
[[personal_account]]
address = "{GWEN}"
display_name = "Gwen Hale"
password = "{PASSWORD}"

[[application]]
client_id = "{WIDE}"
display_name = "Wide"
flow = "delegated"
audience = "any_organization_and_personal"
permissions = ["openid", "profile", "email", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"]
"#
    ))
    .await
}

fn at(world: &World, segment: &str, changes: &[(&str, &str)]) -> String {
    let mut all = vec![("client_id", WIDE)];
    all.extend_from_slice(changes);
    let url = world.authorize_url(&all);
    url.replace(&format!("/{}/", world.tenant), &format!("/{segment}/"))
}

/// Signs Gwen in under `consumers`.
async fn tokens(world: &World, changes: &[(&str, &str)]) -> serde_json::Value {
    let url = at(world, "consumers", changes);
    let answer = Browser::new(world).connect(&url, GWEN).await;
    let code = answer
        .parameter("code")
        .unwrap_or_else(|| panic!("{answer:?}"));
    let secret = world.secret(WIDE);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", WIDE),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_info", "1"),
    ];
    let url = format!("{}/consumers/oauth2/v2.0/token", world.base);
    world.token_at(&url, &form).await.ok()
}

#[actix_web::test]
async fn the_access_token_is_opaque_and_opens_the_mailbox() {
    let world = world().await;
    let tokens = tokens(&world, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!(token.starts_with("EwB"), "{token}");
    assert!(
        token.len() >= 600 && !token.contains('.'),
        "{}",
        token.len()
    );
    let directory = world.running.directory();
    let access = directory.check_access_token(token, GWEN, NOW).unwrap();
    assert_eq!(access.mailbox, GWEN);
    assert!(access.connected);
    let refused = |user: &str, at| directory.check_access_token(token, user, at).unwrap_err();
    assert_eq!(refused(ADA, NOW), Refusal::OtherTenant);
    let later = NOW + std::time::Duration::from_secs(3599);
    assert_eq!(refused(GWEN, later), Refusal::Expired);
    let (head, tail) = token.split_at(100);
    let altered = format!(
        "{head}{}{}",
        if tail.starts_with('A') { "B" } else { "A" },
        &tail[1..]
    );
    let refusal = directory.check_access_token(&altered, GWEN, NOW);
    assert_eq!(refusal.unwrap_err(), Refusal::Signature);

    let identity = claims(&tokens["id_token"]);
    for (claim, expected) in [
        ("tid", json!(CONSUMERS)),
        ("iss", json!(format!("{}/{CONSUMERS}/v2.0", world.base))),
        ("preferred_username", json!(GWEN)),
        ("email", json!(GWEN)),
        ("name", json!("Gwen Hale")),
    ] {
        assert_eq!(identity[claim], expected, "{claim}");
    }
    let oid = identity["oid"].as_str().unwrap();
    assert!(oid.starts_with("00000000-0000-0000-"), "{oid}");
    // A restart and a change of the signing keys leave it alone: it is sealed, not signed.
    world.control("/keys/rotate", json!({"retire": true})).await;
    directory.check_access_token(token, GWEN, NOW).unwrap();
    let token = token.to_owned();
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let other = World::start().await;
    let foreign = other
        .running
        .directory()
        .check_access_token(&token, GWEN, NOW);
    assert_eq!(foreign.unwrap_err(), Refusal::Signature);
    drop((dir, clock));
}

#[actix_web::test]
async fn a_refresh_token_gives_the_next_and_userinfo_answers() {
    let world = world().await;
    let first = tokens(
        &world,
        &[("scope", "openid profile email offline_access User.Read")],
    )
    .await;
    let token = first["access_token"].as_str().unwrap();
    let request = world.http.get(format!("{}/oidc/userinfo", world.base));
    let person = Reply::of(request.bearer_auth(token).send().await.unwrap())
        .await
        .ok();
    assert_eq!(person["email"], GWEN);
    let secret = world.secret(WIDE);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", WIDE),
        ("client_secret", &secret),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ];
    let url = |segment: &str| format!("{}/{segment}/oauth2/v2.0/token", world.base);
    for segment in ["consumers", "common"] {
        let next = world.token_at(&url(segment), &form).await.ok();
        assert!(
            next["access_token"].as_str().unwrap().starts_with("EwB"),
            "{segment}"
        );
    }
    let reply = world.token_at(&url(&world.tenant), &form).await;
    assert_eq!(reply.refusal(), (50020, "invalid_grant", 400));
}

#[actix_web::test]
async fn they_sign_in_where_personal_accounts_may() {
    let world = world().await;
    for (segment, client_id, address, expected) in [
        ("consumers", WIDE, GWEN, None),
        ("common", WIDE, GWEN, None),
        (CONSUMERS, WIDE, GWEN, None),
        (world.tenant.as_str(), WIDE, GWEN, Some("AADSTS50020")),
        ("organizations", WIDE, GWEN, Some("AADSTS50020")),
        ("common", DELEGATED, GWEN, Some("AADSTS50020")),
        ("consumers", WIDE, ADA, Some("AADSTS500208")),
        (
            "consumers",
            WIDE,
            "nobody@freemail.test",
            Some("AADSTS50034"),
        ),
    ] {
        let mut browser = Browser::new(&world);
        let page = browser
            .get(&at(&world, segment, &[("client_id", client_id)]))
            .await;
        let page = browser.sign_in(&page, address).await;
        match expected {
            None => assert!(
                page.html.contains("Permissions requested"),
                "{segment}: {page:?}"
            ),
            Some(code) => assert!(
                page.html.contains(code),
                "{segment} {address}: {}",
                page.html
            ),
        }
    }
}

#[actix_web::test]
async fn one_browser_keeps_both_kinds_apart() {
    let world = world().await;
    let mut browser = Browser::new(&world);
    browser.connect(&at(&world, "common", &[]), GWEN).await;
    // Signed in as a personal account only: the organization's address asks for somebody else.
    let page = browser.get(&world.authorize_url(&[])).await;
    assert!(page.html.contains("name=\"password\""), "{}", page.html);
    browser.connect(&world.authorize_url(&[]), ADA).await;
    let page = browser.get(&at(&world, "common", &[])).await;
    assert!(page.html.contains("Choose an account"), "{}", page.html);
    let hinted = browser
        .get(&at(&world, "common", &[("domain_hint", "consumers")]))
        .await;
    assert!(hinted.parameter("code").is_some(), "{hinted:?}");
    let silent = browser
        .get(&at(&world, "consumers", &[("prompt", "none")]))
        .await;
    assert!(silent.parameter("code").is_some(), "{silent:?}");
}

#[actix_web::test]
async fn the_organizations_policy_and_consent_are_not_theirs() {
    let world = world().await;
    world
        .control("/consent", json!({"require_admin": true}))
        .await;
    let wide = [("client_id", WIDE)];
    let rule = mailgrant_sandbox::directory::ConditionalAccess {
        name: "Only the administrator".to_owned(),
        applications: Vec::new(),
        users: vec![ADA.to_owned(), GWEN.to_owned()],
        flows: Vec::new(),
        grant: mailgrant_sandbox::directory::Grant::Block,
    };
    let directory = world.running.directory();
    directory.change(|tenant| tenant.conditional_access.push(rule));
    let blocked = Browser::new(&world)
        .connect(&world.authorize_url(&wide), ADA)
        .await;
    assert!(blocked.html.contains("53003"), "{blocked:?}");
    let admin = Browser::new(&world)
        .connect(&world.authorize_url(&wide), ADMIN)
        .await;
    assert!(admin.parameter("code").is_some());
    let mut browser = Browser::new(&world);
    let page = browser.get(&at(&world, "consumers", &[])).await;
    let page = browser.sign_in(&page, GWEN).await;
    assert!(page.html.contains("Permissions requested"), "{}", page.html);
    let answer = browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await;
    assert!(answer.parameter("code").is_some());
}

#[actix_web::test]
async fn the_built_in_tenant_has_one_and_the_entry_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = mailgrant_sandbox::SandboxSettings::new(dir.path());
    settings.sample_mail = false;
    let running = mailgrant_sandbox::Sandbox::start(settings).await.unwrap();
    let description = running.description();
    assert_eq!(description.personal_accounts.len(), 1);
    let personal = &description.personal_accounts[0].address;
    assert!(
        description
            .users
            .iter()
            .all(|user| user.address != *personal)
    );
    running.stop().await;

    let twice =
        format!("{TENANT}\n[[personal_account]]\naddress = \"{ADA}\"\ndisplay_name = \"x\"\n");
    let file = mailgrant_sandbox::directory::TenantFile::parse(&twice).unwrap();
    let mut settings = mailgrant_sandbox::SandboxSettings::new(dir.path());
    settings.tenant = Some(file);
    let error = mailgrant_sandbox::Sandbox::start(settings)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("there twice"), "{error}");
}
