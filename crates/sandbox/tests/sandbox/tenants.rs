//! Several organizations in one sandbox.

use std::sync::Arc;

use mailgrant_sandbox::directory::{Refusal, TenantFile};
use mailgrant_sandbox::{Clock, Sandbox, SandboxSettings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::*;

const OTHER: &str = "2b1f3c60-7d2e-4a55-8c11-90ab54cd7e02";
const DORA: &str = "dora@harrowgate.test";
const CHIEF: &str = "chief@harrowgate.test";
const INBOX: &str = "inbox@harrowgate.test";
/// An application that works without a person, for every organization.
const ROBOT: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2bb01";
const PERSONAL_ONLY: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2bb02";
const EXCHANGE: &str = "https://outlook.office365.com/.default";

const HARROWGATE: &str = r#"
[[application]]
client_id = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2bb01"
display_name = "Robot"
flow = "app_only"
audience = "any_organization"
redirect_uris = ["http://localhost:8080/oauth/callback"]
permissions = ["https://outlook.office365.com/IMAP.AccessAsApp"]

[[application]]
client_id = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2bb02"
display_name = "Hobby"
flow = "delegated"
audience = "personal"
permissions = ["openid"]

[[organization]]
[organization.tenant]
id = "2b1f3c60-7d2e-4a55-8c11-90ab54cd7e02"
display_name = "Harrowgate Bakery"
domains = ["harrowgate.test"]
show_accounts = true

[[organization.user]]
address = "dora@harrowgate.test"
display_name = "Dora Linn"
password = "correct horse <battery> & staple"

[[organization.user]]
address = "chief@harrowgate.test"
display_name = "The Chief"
administrator = true
password = "correct horse <battery> & staple"

[[organization.shared_mailbox]]
address = "inbox@harrowgate.test"
display_name = "Inbox"
"#;

async fn world() -> World {
    World::start_with(HARROWGATE).await
}

fn at(world: &World, tenant: &str, path: &str) -> String {
    format!("{}/{tenant}{path}", world.base)
}

/// What client credentials give at a tenant.
async fn robot(world: &World, tenant: &str) -> Reply {
    let secret = world.secret(ROBOT);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", ROBOT),
        ("client_secret", &secret),
        ("scope", EXCHANGE),
    ];
    let url = at(world, tenant, "/oauth2/v2.0/token");
    world.token_at(&url, &form).await
}

/// The usual authorization request at another address.
fn authorize(world: &World, tenant: &str, changes: &[(&str, &str)]) -> String {
    let url = world.authorize_url(changes);
    url.replace(&format!("/{}/", world.tenant), &format!("/{tenant}/"))
}

async fn approve(world: &World, tenant: &str, client_id: &str) -> Page {
    let mut browser = Browser::new(world);
    let path = format!("/adminconsent?client_id={client_id}&redirect_uri={REDIRECT}&state=s");
    let page = browser.get(&at(world, tenant, &path)).await;
    let page = browser.sign_in(&page, CHIEF).await;
    browser
        .submit(&page, "/consent", &[("decision", "accept")])
        .await
}

async fn cmdlet(world: &World, name: &str, parameters: Value) -> Reply {
    let path = format!("/cmdlets/{name}?tenant=harrowgate.test");
    world.control(&path, parameters).await
}

/// What a token opens.
fn opens(world: &World, token: &Value, mailbox: &str) -> Result<bool, Refusal> {
    let directory = world.running.directory();
    directory
        .check_access_token(token.as_str().unwrap(), mailbox, NOW)
        .map(|access| access.connected)
}

/// Signs somebody in and redeems the code, both at that address.
async fn tokens(world: &World, tenant: &str, address: &str) -> Value {
    let mut browser = Browser::new(world);
    let url = authorize(world, tenant, &[]);
    let answer = browser.connect(&url, address).await;
    let code = answer
        .parameter("code")
        .unwrap_or_else(|| panic!("{answer:?}"));
    let secret = world.secret(DELEGATED);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", DELEGATED),
        ("client_secret", &secret),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let url = at(world, tenant, "/oauth2/v2.0/token");
    world.token_at(&url, &form).await.ok()
}

async fn refresh(world: &World, tenant: &str, token: &Value) -> Reply {
    let secret = world.secret(DELEGATED);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", DELEGATED),
        ("client_secret", &secret),
        ("refresh_token", token.as_str().unwrap()),
    ];
    let url = at(world, tenant, "/oauth2/v2.0/token");
    world.token_at(&url, &form).await
}

#[actix_web::test]
async fn each_tenant_has_its_own_metadata() {
    let world = world().await;
    for name in [OTHER, "harrowgate.test", "HARROWGATE.test"] {
        let url = at(&world, name, "/v2.0/.well-known/openid-configuration");
        let reply = Reply::of(world.http.get(url).send().await.unwrap()).await;
        let issuer = format!("{}/{OTHER}/v2.0", world.base);
        assert_eq!(reply.ok()["issuer"], issuer);
    }
    let token = robot(&world, "elsewhere.test").await;
    assert_eq!(token.refusal(), (90002, "invalid_request", 400));
}

#[actix_web::test]
async fn an_application_gets_a_tenant_only_by_its_administrator() {
    let world = world().await;
    let refused = robot(&world, OTHER).await;
    assert_eq!(refused.refusal(), (7_000_229, "invalid_client", 401));
    // One that is for its own organization only is not known elsewhere at all.
    let secret = world.secret(APP_ONLY);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", APP_ONLY),
        ("client_secret", &secret),
        ("scope", EXCHANGE),
    ];
    world
        .control_as(
            Method::PATCH,
            &format!("/directory/applications/{APP_ONLY}"),
            Some(json!({"audience": "my_organization"})),
        )
        .await
        .ok();
    let url = at(&world, OTHER, "/oauth2/v2.0/token");
    let unknown = world.token_at(&url, &form).await;
    assert_eq!(unknown.refusal(), (700_016, "unauthorized_client", 400));
    world.token(&form).await.ok();

    let answer = approve(&world, OTHER, ROBOT).await;
    assert_eq!(answer.parameter("admin_consent").as_deref(), Some("True"));
    assert_eq!(answer.parameter("tenant").as_deref(), Some(OTHER));
    let token = robot(&world, "harrowgate.test").await.ok();
    let access = claims(&token["access_token"]);
    assert_eq!(access["tid"], OTHER);
    assert_eq!(access["iss"], format!("https://sts.windows.net/{OTHER}/"));
    assert_eq!(access["roles"], json!(["IMAP.AccessAsApp"]));
    // At home nobody has agreed, and the enterprise application is another object.
    let home = robot(&world, &world.tenant).await.ok();
    let at_home = claims(&home["access_token"]);
    assert_eq!(at_home["tid"], world.tenant);
    assert!(at_home.get("roles").is_none(), "{at_home}");
    assert_ne!(at_home["oid"], access["oid"]);
}

#[actix_web::test]
async fn exchange_of_each_tenant_is_told_by_itself() {
    let world = world().await;
    approve(&world, OTHER, ROBOT).await;
    let principal = cmdlet(
        &world,
        "Get-MgServicePrincipal",
        json!({"Filter": format!("appId eq '{ROBOT}'")}),
    )
    .await
    .ok();
    let principal = &principal["output"][0];
    assert_eq!(principal["AppOwnerOrganizationId"], world.tenant);
    let token = robot(&world, OTHER).await.ok()["access_token"].clone();
    assert_eq!(
        opens(&world, &token, INBOX),
        Err(Refusal::NoServicePrincipal)
    );
    let told = json!({"AppId": ROBOT, "ObjectId": principal["Id"], "DisplayName": "Robot"});
    cmdlet(&world, "New-ServicePrincipal", told).await.ok();
    assert_eq!(opens(&world, &token, INBOX), Ok(false));
    let right = json!({"Identity": INBOX, "User": principal["Id"], "AccessRights": "FullAccess"});
    cmdlet(&world, "Add-MailboxPermission", right).await.ok();
    assert_eq!(opens(&world, &token, INBOX), Ok(true));

    // None of it is known in the first tenant, and no mailbox there is opened by that token.
    let listed = world
        .control("/cmdlets/Get-ServicePrincipal", json!({}))
        .await;
    assert!(!listed.ok().to_string().contains(ROBOT));
    for mailbox in [ADA, SHARED] {
        assert_eq!(opens(&world, &token, mailbox), Err(Refusal::OtherTenant));
    }
    let stranger = json!({"Identity": ADA, "User": DORA, "AccessRights": "FullAccess"});
    let refused = cmdlet(&world, "Add-MailboxPermission", stranger).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let switched = json!({"Identity": INBOX, "ImapEnabled": false});
    cmdlet(&world, "Set-CASMailbox", switched).await.ok();
    assert_eq!(opens(&world, &token, INBOX), Err(Refusal::ProtocolDisabled));
    let unknown = world
        .control("/cmdlets/Get-Mailbox?tenant=no.test", json!({}))
        .await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
}

#[actix_web::test]
async fn people_of_every_tenant_sign_in_where_all_may() {
    let world = world().await;
    for tenant in ["organizations", "common"] {
        for (address, home) in [(ADA, world.tenant.as_str()), (DORA, OTHER)] {
            let given = tokens(&world, tenant, address).await;
            let identity = claims(&given["id_token"]);
            assert_eq!(identity["tid"], home, "{tenant} {address}");
            assert_eq!(identity["iss"], format!("{}/{home}/v2.0", world.base));
            let access = claims(&given["access_token"]);
            assert_eq!(access["iss"], format!("https://sts.windows.net/{home}/"));
            assert_eq!(opens(&world, &given["access_token"], address), Ok(true));
            let (own, others) = match address {
                ADA => (world.tenant.as_str(), OTHER),
                _ => (OTHER, world.tenant.as_str()),
            };
            let refresh_token = &given["refresh_token"];
            refresh(&world, own, refresh_token).await.ok();
            refresh(&world, tenant, refresh_token).await.ok();
            let refused = refresh(&world, others, refresh_token).await;
            assert_eq!(refused.refusal(), (50020, "invalid_grant", 400));
        }
    }
    let theirs = tokens(&world, OTHER, DORA).await["access_token"].clone();
    assert_eq!(opens(&world, &theirs, ADA), Err(Refusal::OtherTenant));
    let installed = world
        .control_as(
            Method::GET,
            "/directory/enterprise_applications?tenant=harrowgate.test",
            None,
        )
        .await
        .ok();
    assert_eq!(
        installed[0]["application"], DELEGATED,
        "the first consent makes it"
    );
}

#[actix_web::test]
async fn a_stranger_is_told_so() {
    let world = world().await;
    // Dora, at the address of the first tenant.
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.sign_in(&page, DORA).await;
    assert!(page.html.contains("AADSTS50020"), "{}", page.html);
    // An application of the first tenant only.
    let single = [("client_id", SINGLE_TENANT)];
    for (tenant, code) in [
        (OTHER, "AADSTS700016"),
        ("organizations", "AADSTS50194"),
        ("common", "AADSTS50194"),
    ] {
        let page = browser.get(&authorize(&world, tenant, &single)).await;
        assert!(page.html.contains(code), "{tenant}: {}", page.html);
    }
    let hobby = [("client_id", PERSONAL_ONLY)];
    for tenant in [OTHER, "organizations", "common"] {
        let page = browser.get(&authorize(&world, tenant, &hobby)).await;
        assert!(
            page.html.contains("AADSTS9002331"),
            "{tenant}: {}",
            page.html
        );
    }
    // Only an administrator of that tenant agrees for it.
    let path = format!("/adminconsent?client_id={ROBOT}");
    let page = browser.get(&at(&world, OTHER, &path)).await;
    let page = browser.sign_in(&page, ADMIN).await;
    assert!(page.html.contains("AADSTS50020"), "{}", page.html);
}

#[actix_web::test]
async fn an_enterprise_application_that_is_switched_off_is_so_in_its_tenant_only() {
    let world = world().await;
    approve(&world, OTHER, ROBOT).await;
    let path = format!("/directory/enterprise_applications/{ROBOT}?tenant={OTHER}");
    let off = json!({"enabled": false});
    let changed = world.control_as(Method::PATCH, &path, Some(off)).await.ok();
    assert_eq!(changed["enabled"], false);
    let refused = robot(&world, OTHER).await;
    assert_eq!(refused.refusal(), (1_000_031, "unauthorized_client", 400));
    robot(&world, &world.tenant).await.ok();
    let gone = world.control_as(Method::DELETE, &path, None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(robot(&world, OTHER).await.refusal().0, 7_000_229);
}

#[actix_web::test]
async fn what_changed_in_each_tenant_outlives_the_run() {
    let world = world().await;
    approve(&world, OTHER, ROBOT).await;
    let given = tokens(&world, "organizations", DORA).await;
    for (path, body) in [
        (
            "/directory/users?tenant=harrowgate.test",
            json!({"address": "erik@harrowgate.test", "display_name": "Erik"}),
        ),
        (
            "/directory/users",
            json!({"address": "cleo@quillmere.test", "display_name": "Cleo"}),
        ),
    ] {
        let made = world.control_as(Method::PUT, path, Some(body)).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let whole = |world: &World| {
        let directory = world.running.directory();
        TenantFile::of(&directory.tenants()).to_toml().unwrap()
    };
    let before = whole(&world);
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let world = World::start_of(&format!("{TENANT}\n{HARROWGATE}"), dir, clock).await;
    assert_eq!(whole(&world), before);
    refresh(&world, OTHER, &given["refresh_token"]).await.ok();
    robot(&world, OTHER).await.ok();
    // The file that is written out gives the same tenants again.
    let mut settings = SandboxSettings::new(Arc::new(tempfile::tempdir().unwrap()).path());
    settings.tenant = Some(TenantFile::parse(&before).unwrap());
    settings.clock = Clock::fixed(NOW);
    settings.sample_mail = false;
    let again = Sandbox::start(settings).await.unwrap();
    let written = TenantFile::of(&again.directory().tenants()).to_toml();
    assert_eq!(written.unwrap(), before);
    again.stop().await;
}

#[actix_web::test]
async fn the_ready_file_and_the_control_call_name_the_others() {
    let world = world().await;
    let ready = serde_json::to_value(world.running.description()).unwrap();
    assert_eq!(ready["tenant"], world.tenant);
    let others = &ready["organizations"];
    assert_eq!(others[0]["tenant"], OTHER);
    assert_eq!(others[0]["users"][0]["address"], DORA);
    assert!(!ready["users"].to_string().contains("harrowgate"));
    let whole = world.control_as(Method::GET, "/directory", None).await.ok();
    assert_eq!(whole["organizations"][0]["tenant"]["id"], OTHER);
    let path = "/directory?tenant=harrowgate.test";
    let other = world.control_as(Method::GET, path, None).await.ok();
    assert_eq!(other["users"][0]["address"], DORA);
    assert_eq!(whole["organizations"][0], other);
    // One tenant alone is told of as ever.
    let alone = World::start().await;
    let ready = serde_json::to_value(alone.running.description()).unwrap();
    assert!(ready.get("organizations").is_none(), "{ready}");
}

#[test]
fn tenants_that_get_in_each_others_way_are_refused() {
    let started = |more: &str| {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("{TENANT}\n{HARROWGATE}\n{more}");
        let file = TenantFile::parse(&text).map_err(|error| error.to_string())?;
        let random = Arc::new(mailgrant_sandbox::SystemRandom);
        mailgrant_sandbox::Directory::open(dir.path(), file, &[], NOW, random)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    started("").unwrap();
    let third = |id: &str, domain: &str| {
        format!(
            "[[organization]]\n[organization.tenant]\nid = \"{id}\"\ndisplay_name = \"T\"\ndomains = [\"{domain}\"]\n"
        )
    };
    let other_id = "2b1f3c60-7d2e-4a55-8c11-90ab54cd7e03";
    for (more, expected) in [
        (third(OTHER, "third.test"), "there twice"),
        (third(other_id, "Quillmere.test"), "there twice"),
        (
            third(other_id, "third.test")
                + "[[organization.user]]\naddress = \"ada@quillmere.test\"\ndisplay_name = \"A\"\n",
            "ada@quillmere.test is there twice",
        ),
        (
            third(other_id, "third.test")
                + "[[organization.personal_account]]\naddress = \"p@p.test\"\ndisplay_name = \"P\"\n",
            "organization.personal_account",
        ),
        (
            third(other_id, "third.test")
                + "[[organization.organization]]\n[organization.organization.tenant]\nid = \"x\"\ndisplay_name = \"T\"\ndomains = [\"d.test\"]\n",
            "not nested",
        ),
        (
            third(other_id, "third.test")
                + "[[organization.enterprise_application]]\napplication = \"00000000-0000-0000-0000-000000000001\"\n",
            "no tenant has an [[application]]",
        ),
    ] {
        let refused = started(&more).unwrap_err();
        assert!(refused.contains(expected), "{more}: {refused}");
    }
}
