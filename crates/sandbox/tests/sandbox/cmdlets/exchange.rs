//! Exchange Online's cmdlets.

use reqwest::Method;
use serde_json::{Value, json};

use super::{error, run, text};
use crate::support::*;

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
