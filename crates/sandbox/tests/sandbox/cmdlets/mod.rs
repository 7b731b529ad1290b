//! The administrator's PowerShell steps, called one by one.

mod exchange;
mod graph;
mod set_up;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::*;

const SCOPE: &str = "https://outlook.office365.com/.default";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const IMAP_ROLE: &str = "5e5addcd-3e8d-4e90-baf5-964efab2b20a";

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

fn text(object: &Value, name: &str) -> String {
    object[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {object}"))
        .to_owned()
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
