//! The administrator's PowerShell steps, called one by one.

use std::sync::Arc;

use mailgrant_sandbox::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::imap::Line;
use crate::support::*;

const SCOPE: &str = "https://outlook.office365.com/.default";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const IMAP_ROLE: &str = "5e5addcd-3e8d-4e90-baf5-964efab2b20a";
const EMPTY: &str = "[tenant]\nid = \"9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318\"\ndisplay_name = \"Quillmere\"\n\
    domains = [\"quillmere.test\"]\nsmtp_auth = true\n[[user]]\naddress = \"ada@quillmere.test\"\n\
    display_name = \"Ada Finch\"\n";

async fn call(world: &World, name: &str, parameters: Value) -> Reply {
    world.control(&format!("/cmdlets/{name}"), parameters).await
}

/// The objects that a cmdlet puts out.
async fn run(world: &World, name: &str, parameters: Value) -> Vec<Value> {
    let reply = call(world, name, parameters).await;
    assert_eq!(reply.status, 200, "{name}: {reply:?}");
    reply.body["output"].as_array().unwrap().clone()
}

/// What a cmdlet writes as its error.
async fn error(world: &World, name: &str, parameters: Value) -> String {
    let reply = call(world, name, parameters).await;
    assert_eq!(reply.status, 400, "{name}: {reply:?}");
    reply.body["error"].as_str().unwrap().to_owned()
}

/// A step of the set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    EnterpriseApplication,
    Consent,
    Principal,
    Permission,
    Secret,
    ImapOn,
}

/// How the object id for Exchange is found.
#[derive(Clone, Copy)]
enum ObjectId {
    Enterprise,
    Registration,
}

/// Walks through the set-up from an empty tenant, leaving steps out; what the token endpoint says, and the login.
struct Walk {
    world: World,
    client_id: String,
    secret: String,
}

impl Walk {
    async fn take(left_out: Option<Step>, object_id: ObjectId) -> Self {
        let world = World::start_of(
            EMPTY,
            Arc::new(tempfile::tempdir().unwrap()),
            Clock::fixed(NOW),
        )
        .await;
        let does = |step| left_out != Some(step);
        run(
            &world,
            "Connect-MgGraph",
            json!({"Scopes": ["Application.ReadWrite.All"], "NoWelcome": true}),
        )
        .await;
        let registered = run(
            &world,
            "New-MgApplication",
            json!({"DisplayName": "Reader", "RequiredResourceAccess":
                [{"resourceAppId": EXCHANGE, "resourceAccess": [{"id": IMAP_ROLE, "type": "Role"}]}]}),
        )
        .await;
        let client_id = text(&registered[0], "AppId");
        let registration = text(&registered[0], "Id");
        let mut secret = "none".to_owned();
        if does(Step::Secret) {
            let added = run(
                &world,
                "Add-MgApplicationPassword",
                json!({"ApplicationId": registration, "PasswordCredential": {"DisplayName": "first"}}),
            )
            .await;
            secret = text(&added[0], "SecretText");
        }
        let mut enterprise = "00000000-0000-0000-0000-000000000001".to_owned();
        if does(Step::EnterpriseApplication) {
            run(
                &world,
                "New-MgServicePrincipal",
                json!({"AppId": client_id}),
            )
            .await;
            let filter = format!("appId eq '{client_id}'");
            let found = run(
                &world,
                "Get-MgServicePrincipal",
                json!({"Filter": filter, "Property": ["Id", "AppId", "DisplayName"]}),
            )
            .await;
            assert_eq!(found[0].as_object().unwrap().len(), 3);
            enterprise = text(&found[0], "Id");
            assert_ne!(enterprise, registration);
            if does(Step::Consent) {
                let exchange = run(
                    &world,
                    "Get-MgServicePrincipal",
                    json!({"Filter": format!("appId eq '{EXCHANGE}'")}),
                )
                .await;
                let roles = exchange[0]["AppRoles"].as_array().unwrap();
                let role = roles
                    .iter()
                    .find(|role| role["Value"] == "IMAP.AccessAsApp")
                    .unwrap();
                run(
                    &world,
                    "New-MgServicePrincipalAppRoleAssignment",
                    json!({"ServicePrincipalId": enterprise, "PrincipalId": enterprise,
                        "ResourceId": exchange[0]["Id"], "AppRoleId": role["Id"]}),
                )
                .await;
            }
        }
        run(
            &world,
            "Connect-ExchangeOnline",
            json!({"Organization": "quillmere.test"}),
        )
        .await;
        let shared = run(
            &world,
            "New-Mailbox",
            json!({"Shared": true, "Name": "Support", "PrimarySmtpAddress": SHARED}),
        )
        .await;
        assert_eq!(shared[0]["RecipientTypeDetails"], "SharedMailbox");
        let told = match object_id {
            ObjectId::Enterprise => enterprise,
            ObjectId::Registration => registration,
        };
        if does(Step::Principal) {
            let made = run(
                &world,
                "New-ServicePrincipal",
                json!({"AppId": client_id, "ObjectId": told, "DisplayName": "Reader"}),
            )
            .await;
            assert_eq!(made[0]["ObjectId"], told);
            if does(Step::Permission) {
                let given = run(
                    &world,
                    "Add-MailboxPermission",
                    json!({"Identity": SHARED, "User": told, "AccessRights": "FullAccess"}),
                )
                .await;
                assert_eq!(given[0]["AccessRights"], json!(["FullAccess"]));
            }
        }
        if !does(Step::ImapOn) {
            run(
                &world,
                "Set-CASMailbox",
                json!({"Identity": SHARED, "ImapEnabled": false}),
            )
            .await;
        }
        Self {
            world,
            client_id,
            secret,
        }
    }

    async fn token(&self) -> Reply {
        self.world
            .token(&[
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("client_secret", &self.secret),
                ("scope", SCOPE),
            ])
            .await
    }

    /// The answers to the login and to LIST, and what the log says of it.
    async fn log_in(&self) -> (String, String, String) {
        let token = text(&self.token().await.ok(), "access_token");
        let mut line = Line::open(&self.world).await;
        let login = line.log_in(SHARED, &token).await;
        let list = match login.starts_with("t OK") {
            true => line.command("LIST \"\" \"*\"").await,
            false => String::new(),
        };
        let log = self.world.running.requests().entries();
        let entry = log.iter().rev().find(|entry| entry.kind == "imap_login");
        let detail = entry.and_then(|entry| entry.detail.clone());
        (login, list, detail.unwrap_or_default())
    }
}

fn text(object: &Value, name: &str) -> String {
    object[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {object}"))
        .to_owned()
}

#[actix_web::test]
async fn a_set_up_from_an_empty_tenant_ends_in_a_login() {
    let walk = Walk::take(None, ObjectId::Enterprise).await;
    let token = walk.token().await.ok();
    assert_eq!(
        claims(&token["access_token"])["roles"],
        json!(["IMAP.AccessAsApp"])
    );
    let (login, list, _) = walk.log_in().await;
    assert_eq!(login, "t OK AUTHENTICATE completed.\r\n");
    assert!(list.starts_with("t OK"), "{list}");
}

#[actix_web::test]
async fn each_step_left_out_or_spoiled_is_refused() {
    let refused = "t NO AUTHENTICATE failed.\r\n";
    for (left_out, object_id, expected) in [
        (
            Step::Consent,
            ObjectId::Enterprise,
            "no permission for this protocol",
        ),
        (
            Step::Principal,
            ObjectId::Enterprise,
            "New-ServicePrincipal",
        ),
        (Step::ImapOn, ObjectId::Enterprise, "switched off"),
    ] {
        let walk = Walk::take(Some(left_out), object_id).await;
        let (login, _, detail) = walk.log_in().await;
        assert_eq!(login, refused, "{left_out:?}");
        assert!(detail.contains(expected), "{left_out:?}: {detail}");
    }
    let spoiled = Walk::take(None, ObjectId::Registration).await;
    let (login, _, detail) = spoiled.log_in().await;
    assert_eq!(login, refused);
    assert!(detail.contains("another object id"), "{detail}");

    let walk = Walk::take(Some(Step::Permission), ObjectId::Enterprise).await;
    let (login, list, _) = walk.log_in().await;
    assert!(login.starts_with("t OK"), "{login}");
    assert_eq!(list, "t BAD User is authenticated but not connected.\r\n");

    for (left_out, code) in [
        (Step::EnterpriseApplication, 700_016),
        (Step::Secret, 7_000_215),
    ] {
        let walk = Walk::take(Some(left_out), ObjectId::Enterprise).await;
        assert_eq!(walk.token().await.refusal().0, code, "{left_out:?}");
    }
}

#[actix_web::test]
async fn parameters_are_found_as_powershell_finds_them() {
    let world = World::start().await;
    for (parameters, expected) in [
        (
            json!({"Idenity": ADA}),
            "A parameter cannot be found that matches parameter name 'Idenity'.",
        ),
        (
            json!({}),
            "one or more missing mandatory parameters: Identity.",
        ),
        (
            json!({"Identity": null}),
            "missing mandatory parameters: Identity.",
        ),
        (
            json!({"Identity": ADA, "ImapEnabled": "maybe"}),
            "'ImapEnabled'",
        ),
        (json!({"Identity": [ADA]}), "'Identity'"),
        (
            json!({"Identity": "nobody@quillmere.test"}),
            "couldn't be found",
        ),
    ] {
        let written = error(&world, "Set-CASMailbox", parameters.clone()).await;
        assert!(written.contains(expected), "{parameters}: {written}");
    }
    let written = error(&world, "Get-MgServicePrincipal", json!({"Co": "x"})).await;
    assert!(
        written.contains("ambiguous") && written.contains("-CountVariable"),
        "{written}"
    );
    // In any case, shortened, with a hyphen, and with the parameters that all cmdlets have.
    run(
        &world,
        "set-casmailbox",
        json!({"-identity": ADA, "IMAP": "$false", "Confirm": false, "ErrorAction": "Stop"}),
    )
    .await;
    let shown = run(&world, "Get-CASMailbox", json!({"Identity": ADA})).await;
    assert_eq!(shown[0]["ImapEnabled"], false);
    run(
        &world,
        "Set-CASMailbox",
        json!({"Identity": ADA, "ImapEnabled": true, "WhatIf": true}),
    )
    .await;
    let shown = run(&world, "Get-CASMailbox", json!({"Identity": ADA})).await;
    assert_eq!(shown[0]["ImapEnabled"], false);
    let unknown = call(&world, "Get-Nonsense", json!({})).await;
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.body["error"]
            .as_str()
            .unwrap()
            .contains("not recognized")
    );
    let wrong = error(
        &world,
        "Connect-ExchangeOnline",
        json!({"Organization": "other.test"}),
    )
    .await;
    assert!(wrong.starts_with("AADSTS90002"), "{wrong}");
}

#[actix_web::test]
async fn they_are_listed_with_their_parameters() {
    let world = World::start().await;
    let listed = world.control_as(Method::GET, "/cmdlets", None).await.ok();
    let listed = listed["cmdlets"].as_array().unwrap();
    let named = |name: &str| listed.iter().find(|cmdlet| cmdlet["name"] == name);
    for name in [
        "Connect-ExchangeOnline",
        "New-ServicePrincipal",
        "Get-ServicePrincipal",
        "Set-ServicePrincipal",
        "Remove-ServicePrincipal",
        "Add-MailboxPermission",
        "Get-MailboxPermission",
        "Remove-MailboxPermission",
        "Add-RecipientPermission",
        "Get-RecipientPermission",
        "Remove-RecipientPermission",
        "Set-CASMailbox",
        "Get-CASMailbox",
        "Set-TransportConfig",
        "Get-TransportConfig",
        "New-Mailbox",
        "Get-Mailbox",
        "Test-ServicePrincipalAuthorization",
        "Connect-MgGraph",
        "Get-MgServicePrincipal",
        "New-MgServicePrincipal",
        "Get-MgApplication",
        "New-MgServicePrincipalAppRoleAssignment",
        "Get-MgServicePrincipalAppRoleAssignment",
        "Remove-MgServicePrincipalAppRoleAssignment",
        "New-MgOauth2PermissionGrant",
        "Get-MgOauth2PermissionGrant",
        "Update-MgOauth2PermissionGrant",
        "Remove-MgOauth2PermissionGrant",
        "Add-MgApplicationPassword",
        "Remove-MgApplicationPassword",
        "Update-MgUser",
        "Revoke-MgUserSignInSession",
    ] {
        assert!(named(name).is_some(), "{name}");
    }
    assert_eq!(
        named("New-ServicePrincipal").unwrap()["parameters"][0],
        json!({"name": "AppId", "type": "String", "mandatory": true})
    );
}

#[actix_web::test]
async fn exchange_believes_any_object_id_but_no_application_twice() {
    let world = World::start().await;
    let id = "11111111-2222-3333-4444-555555555555";
    run(
        &world,
        "New-ServicePrincipal",
        json!({"AppId": NO_PRINCIPAL, "ServiceId": id}),
    )
    .await;
    let twice = error(
        &world,
        "New-ServicePrincipal",
        json!({"AppId": NO_PRINCIPAL, "ObjectId": SPA}),
    )
    .await;
    assert!(twice.contains("already exists"), "{twice}");
    // Of an application that no tenant knows, too.
    run(
        &world,
        "New-ServicePrincipal",
        json!({"AppId": "99999999-2222-3333-4444-555555555555", "ObjectId": SPA}),
    )
    .await;
    let bad = error(
        &world,
        "New-ServicePrincipal",
        json!({"AppId": "Reader", "ObjectId": id}),
    )
    .await;
    assert!(bad.contains("AppId") && bad.contains("GUID"), "{bad}");
    let missing = error(&world, "New-ServicePrincipal", json!({"AppId": id})).await;
    assert!(missing.contains("ObjectId"), "{missing}");
    run(
        &world,
        "Set-ServicePrincipal",
        json!({"Identity": NO_PRINCIPAL, "DisplayName": "Mail robot"}),
    )
    .await;
    let found = run(
        &world,
        "Get-ServicePrincipal",
        json!({"Identity": "mail robot"}),
    )
    .await;
    assert_eq!(
        (text(&found[0], "AppId"), text(&found[0], "ObjectId")),
        (NO_PRINCIPAL.to_owned(), id.to_owned())
    );
    let tested = run(
        &world,
        "Test-ServicePrincipalAuthorization",
        json!({"Identity": id, "Resource": ADA}),
    )
    .await;
    assert!(tested.is_empty(), "it says nothing of IMAP");
    run(
        &world,
        "Remove-ServicePrincipal",
        json!({"Identity": "Mail robot"}),
    )
    .await;
    let gone = error(&world, "Get-ServicePrincipal", json!({"Identity": id})).await;
    assert!(gone.contains("couldn't be found"), "{gone}");
}

#[actix_web::test]
async fn rights_on_mailboxes_are_given_shown_and_taken() {
    let world = World::start().await;
    // By address, user principal name, name, and for the application by application id and object id.
    for user in [
        ADA,
        "Ada <b>Finch</b>",
        APP_ONLY,
        "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3",
    ] {
        let give = json!({"Identity": NO_IMAP, "User": user, "AccessRights": ["FullAccess"], "AutoMapping": false});
        assert_eq!(
            run(&world, "Add-MailboxPermission", give).await.len(),
            1,
            "{user}"
        );
    }
    let shown = run(
        &world,
        "Get-MailboxPermission",
        json!({"Identity": NO_IMAP}),
    )
    .await;
    let users: Vec<&str> = shown
        .iter()
        .map(|one| one["User"].as_str().unwrap())
        .collect();
    assert_eq!(
        users,
        [
            "NT AUTHORITY\\SELF",
            ADA,
            "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3"
        ]
    );
    let send = json!({"Identity": NO_IMAP, "Trustee": APP_ONLY, "AccessRights": "SendAs"});
    run(&world, "Add-RecipientPermission", send.clone()).await;
    let shown = run(
        &world,
        "Get-RecipientPermission",
        json!({"Trustee": APP_ONLY}),
    )
    .await;
    assert_eq!(
        (shown.len(), &shown[0]["AccessRights"]),
        (1, &json!(["SendAs"]))
    );
    let take = json!({"Identity": NO_IMAP, "User": APP_ONLY, "AccessRights": "FullAccess", "Confirm": false});
    run(&world, "Remove-MailboxPermission", take.clone()).await;
    assert!(
        error(&world, "Remove-MailboxPermission", take)
            .await
            .contains("couldn't be found")
    );
    // The other right stayed.
    run(&world, "Remove-RecipientPermission", send).await;
    for (name, parameters, expected) in [
        (
            "Add-MailboxPermission",
            json!({"Identity": NO_IMAP, "User": "nobody", "AccessRights": "FullAccess"}),
            "nobody",
        ),
        (
            "Add-MailboxPermission",
            json!({"Identity": "nobox", "User": ADA, "AccessRights": "FullAccess"}),
            "nobox",
        ),
        (
            "Add-MailboxPermission",
            json!({"Identity": NO_IMAP, "User": ADA, "AccessRights": "Everything"}),
            "Everything",
        ),
        // Known to Entra, but Exchange was not told.
        (
            "Add-MailboxPermission",
            json!({"Identity": NO_IMAP, "User": NO_PRINCIPAL, "AccessRights": "FullAccess"}),
            NO_PRINCIPAL,
        ),
        (
            "Add-RecipientPermission",
            json!({"Identity": NO_IMAP, "Trustee": ADA, "AccessRights": "FullAccess"}),
            "SendAs",
        ),
    ] {
        let written = error(&world, name, parameters).await;
        assert!(written.contains(expected), "{written}");
    }
}

#[actix_web::test]
async fn protocols_are_switched_for_a_mailbox_and_for_all() {
    let world = World::start().await;
    let shown = |world: &World| {
        let tenant = world.running.directory().tenant();
        let mailbox = tenant.mailbox(SHARED).unwrap();
        (
            mailbox.switches.imap,
            mailbox.switches.pop,
            mailbox.switches.smtp_auth,
        )
    };
    let set = |more: Value| {
        let mut parameters = json!({"Identity": SHARED});
        parameters
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        parameters
    };
    for (parameters, expected) in [
        (json!({"ImapEnabled": false}), (false, true, None)),
        (
            json!({"PopEnabled": false, "ImapEnabled": true}),
            (true, false, None),
        ),
        (
            json!({"SmtpClientAuthenticationDisabled": true}),
            (true, false, Some(false)),
        ),
        (
            json!({"SmtpClientAuthenticationDisabled": false}),
            (true, false, Some(true)),
        ),
        (
            json!({"SmtpClientAuthenticationDisabled": null}),
            (true, false, None),
        ),
    ] {
        run(&world, "Set-CASMailbox", set(parameters.clone())).await;
        assert_eq!(shown(&world), expected, "{parameters}");
    }
    let listed = run(&world, "Get-CASMailbox", json!({"Identity": SHARED})).await;
    assert_eq!(listed[0]["SmtpClientAuthenticationDisabled"], Value::Null);
    for disabled in [true, false] {
        run(
            &world,
            "Set-TransportConfig",
            json!({"SmtpClientAuthenticationDisabled": disabled}),
        )
        .await;
        let shown = run(&world, "Get-TransportConfig", json!({})).await;
        assert_eq!(shown[0]["SmtpClientAuthenticationDisabled"], disabled);
    }
    let taken = error(
        &world,
        "New-Mailbox",
        json!({"Shared": true, "Name": "X", "PrimarySmtpAddress": ADA}),
    )
    .await;
    assert!(taken.contains("already being used"), "{taken}");
    // A personal account is none of the organization's.
    let dora = json!({"address": "dora@else.test", "display_name": "Dora"});
    let made = world
        .control_as(Method::PUT, "/directory/personal_accounts", Some(dora))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    for (name, parameters) in [
        ("Get-CASMailbox", json!({"Identity": "dora@else.test"})),
        ("Get-MgUser", json!({"UserId": "dora@else.test"})),
    ] {
        error(&world, name, parameters).await;
    }
    let listed = run(
        &world,
        "Get-Mailbox",
        json!({"RecipientTypeDetails": "SharedMailbox"}),
    )
    .await;
    assert_eq!(listed.len(), 1);
}

#[actix_web::test]
async fn graph_grants_and_withdraws_permissions() {
    let world = World::start().await;
    let principal = |app_id: &'static str| {
        let world = &world;
        async move {
            let filter = format!("appId eq '{app_id}'");
            text(
                &run(world, "Get-MgServicePrincipal", json!({"Filter": filter})).await[0],
                "Id",
            )
        }
    };
    let (application, exchange) = (principal(NO_ROLES).await, principal(EXCHANGE).await);
    let give = json!({"ServicePrincipalId": application, "PrincipalId": application, "ResourceId": exchange,
        "AppRoleId": IMAP_ROLE});
    let given = run(
        &world,
        "New-MgServicePrincipalAppRoleAssignment",
        give.clone(),
    )
    .await;
    assert_eq!(
        given[0]["ResourceDisplayName"],
        "Office 365 Exchange Online"
    );
    let roles = async || {
        let answer = world.client_credentials(NO_ROLES, SCOPE).await.ok();
        claims(&answer["access_token"])["roles"].clone()
    };
    assert_eq!(roles().await, json!(["IMAP.AccessAsApp"]));
    let twice = error(
        &world,
        "New-MgServicePrincipalAppRoleAssignment",
        give.clone(),
    )
    .await;
    assert!(twice.contains("already exists"), "{twice}");
    for (key, value, expected) in [
        ("AppRoleId", NO_ROLES, "not found on application"),
        ("ResourceId", NO_ROLES, "Request_ResourceNotFound"),
        ("ServicePrincipalId", NO_ROLES, "Request_ResourceNotFound"),
    ] {
        let mut wrong = give.clone();
        wrong[key] = json!(value);
        let written = error(&world, "New-MgServicePrincipalAppRoleAssignment", wrong).await;
        assert!(written.contains(expected), "{key}: {written}");
    }
    let listed = run(
        &world,
        "Get-MgServicePrincipalAppRoleAssignment",
        json!({"ServicePrincipalId": application}),
    )
    .await;
    assert_eq!(listed, given);
    let take = json!({"ServicePrincipalId": application, "AppRoleAssignmentId": given[0]["Id"]});
    run(&world, "Remove-MgServicePrincipalAppRoleAssignment", take).await;
    assert_eq!(roles().await, Value::Null);

    let (client, graph) = (
        principal(DELEGATED).await,
        principal("00000003-0000-0000-c000-000000000000").await,
    );
    let grant = json!({"ClientId": client, "ConsentType": "AllPrincipals", "ResourceId": exchange,
        "Scope": "IMAP.AccessAsUser.All"});
    let id = text(
        &run(&world, "New-MgOauth2PermissionGrant", grant.clone()).await[0],
        "Id",
    );
    let twice = error(&world, "New-MgOauth2PermissionGrant", grant).await;
    assert!(twice.contains("Permission entry already exists"), "{twice}");
    run(
        &world,
        "Update-MgOauth2PermissionGrant",
        json!({"OAuth2PermissionGrantId": id, "Scope": "SMTP.Send IMAP.AccessAsUser.All"}),
    )
    .await;
    let identity = json!({"ClientId": client, "ConsentType": "AllPrincipals", "ResourceId": graph,
        "Scope": "openid profile email offline_access"});
    run(&world, "New-MgOauth2PermissionGrant", identity).await;
    let filter = format!("clientId eq '{client}'");
    let listed = run(
        &world,
        "Get-MgOauth2PermissionGrant",
        json!({"Filter": filter}),
    )
    .await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["Scope"], "IMAP.AccessAsUser.All SMTP.Send");
    // Nobody is asked any more.
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, BRUNO).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
    run(
        &world,
        "Remove-MgOauth2PermissionGrant",
        json!({"OAuth2PermissionGrantId": id}),
    )
    .await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, BRUNO).await;
    assert!(answer.html.contains("Permissions requested"), "{answer:?}");
    let own = json!({"ClientId": client, "ConsentType": "Principal", "ResourceId": exchange,
        "PrincipalId": world.running.directory().tenant().user(BRUNO).unwrap().object_id,
        "Scope": "IMAP.AccessAsUser.All"});
    run(&world, "New-MgOauth2PermissionGrant", own).await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, BRUNO).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
}

#[actix_web::test]
async fn secrets_and_people_change() {
    let world = World::start().await;
    let filter = format!("appId eq '{APP_ONLY}'");
    let registration = text(
        &run(&world, "Get-MgApplication", json!({"Filter": filter})).await[0],
        "Id",
    );
    let by_client_id = error(
        &world,
        "Get-MgApplication",
        json!({"ApplicationId": APP_ONLY}),
    )
    .await;
    assert!(
        by_client_id.contains("Request_ResourceNotFound"),
        "{by_client_id}"
    );
    let add = |end: &str| json!({"ApplicationId": registration, "PasswordCredential": {"displayName": "n", "endDateTime": end}});
    let late = run(
        &world,
        "Add-MgApplicationPassword",
        add("2027-01-01T00:00:00Z"),
    )
    .await;
    assert_eq!(late[0]["EndDateTime"], "2027-01-01T00:00:00Z");
    let form = |secret: &str| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", APP_ONLY),
            ("scope", SCOPE),
        ]
        .into_iter()
        .map(|(key, value)| (key, value.to_owned()))
        .chain([("client_secret", secret.to_owned())])
        .collect::<Vec<_>>()
    };
    let token = |secret: String| {
        let world = &world;
        let form = form(&secret);
        async move {
            let form: Vec<(&str, &str)> = form
                .iter()
                .map(|(key, value)| (*key, value.as_str()))
                .collect();
            world.token(&form).await
        }
    };
    assert_eq!(
        token(text(&late[0], "SecretText")).await.refusal().0,
        7_000_222
    );
    let good = run(
        &world,
        "Add-MgApplicationPassword",
        json!({"ApplicationId": registration}),
    )
    .await;
    token(text(&good[0], "SecretText")).await.ok();
    let shown = run(
        &world,
        "Get-MgApplication",
        json!({"ApplicationId": registration}),
    )
    .await;
    assert_eq!(shown[0]["PasswordCredentials"].as_array().unwrap().len(), 3);
    assert!(!shown[0].to_string().contains(&text(&good[0], "SecretText")));
    let take = json!({"ApplicationId": registration, "KeyId": good[0]["KeyId"]});
    run(&world, "Remove-MgApplicationPassword", take.clone()).await;
    assert_eq!(
        token(text(&good[0], "SecretText")).await.refusal().0,
        7_000_215
    );
    error(&world, "Remove-MgApplicationPassword", take).await;
    let soon = error(&world, "Add-MgApplicationPassword", add("soon")).await;
    assert!(soon.contains("endDateTime"), "{soon}");

    let tokens = world.connected().await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let revoked = run(&world, "Revoke-MgUserSignInSession", json!({"UserId": ADA})).await;
    assert_eq!(revoked[0]["Value"], true);
    assert_eq!(world.refresh(refresh_token, &[]).await.refusal().0, 50173);
    run(
        &world,
        "Update-MgUser",
        json!({"UserId": ADA, "AccountEnabled": false, "PasswordProfile": {"Password": "another"}}),
    )
    .await;
    {
        let tenant = world.running.directory().tenant();
        let ada = tenant.user(ADA).unwrap();
        assert!(!ada.enabled && ada.password.expose() == "another");
    }
    let nobody = error(&world, "Update-MgUser", json!({"UserId": "x@y.test"})).await;
    assert!(nobody.contains("Request_ResourceNotFound"), "{nobody}");
}
