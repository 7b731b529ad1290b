//! The whole set-up of an application that works by itself, and what each step is for.

use std::sync::Arc;

use mailgrant_sandbox::Clock;
use serde_json::json;

use super::{EXCHANGE, IMAP_ROLE, SCOPE, run, text};
use crate::imap::Line;
use crate::support::*;

const EMPTY: &str = "[tenant]\nid = \"9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318\"\ndisplay_name = \"Quillmere\"\n\
    domains = [\"quillmere.test\"]\nsmtp_auth = true\n[[user]]\naddress = \"ada@quillmere.test\"\n\
    display_name = \"Ada Finch\"\n";

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
        (Step::EnterpriseApplication, 7_000_229),
        (Step::Secret, 7_000_215),
    ] {
        let walk = Walk::take(Some(left_out), ObjectId::Enterprise).await;
        assert_eq!(walk.token().await.refusal().0, code, "{left_out:?}");
    }
}
