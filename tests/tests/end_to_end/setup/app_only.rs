//! App-only access from nothing, and each step of it left out or spoiled.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    ADA, Followed, ORDERS, Walk, add, code, if_left_out, lines, printed, spoiled, without,
};

#[tokio::test]
async fn the_script_followed_from_an_empty_tenant_ends_in_mail() {
    let mut walk = Walk::start();
    walk.deliver(ORDERS, "Two copies of Middlemarch").await;
    let script = walk.setup(&["--mailbox", ORDERS, "--format", "ps1"]);
    let followed = walk.follow(&script).await;
    assert_eq!(followed.stopped, None, "{script}");
    assert_checks(&followed);
    walk.note(&followed);
    let gateway = walk.gateway();

    // The rest is typed as it is printed, now for the application that there is.
    let guide: Value = serde_json::from_str(&walk.setup(&["--mailbox", ORDERS, "--json"])).unwrap();
    assert_eq!(guide["client_id"], walk.settings.client_id);
    let typed = lines(&guide, "prove");
    let [account, emails] = typed[..] else {
        panic!("{typed:#?}")
    };
    let id = walk.type_line(&gateway, account, &[]);
    let id = id.as_str().unwrap();
    let emails = walk.type_line(&gateway, emails, &[("ACCOUNT", id)]);
    assert_eq!(
        emails["items"][0]["subject"], "Two copies of Middlemarch",
        "{emails:#}"
    );
}

#[tokio::test]
async fn the_script_may_be_run_again_and_takes_back_what_was_wrong() {
    let mut walk = Walk::start();
    let script = walk.setup(&["--mailbox", ORDERS, "--format", "ps1"]);
    // The classic: Exchange is told the app registration's object id.
    let wrong = spoiled(
        &script,
        "exchange-sign-in",
        "$principal.Id",
        "$application.Id",
    );
    let followed = walk.follow(&wrong).await;
    // The checks at the script's end see it.
    assert!(
        followed
            .stopped
            .as_ref()
            .is_some_and(|error| error.contains("Get-MailboxPermission"))
    );
    walk.note(&followed);
    let again = walk.follow(&script).await;
    assert_eq!(again.stopped, None);
    assert!(
        again.shown.iter().any(|line| line.contains("taken back")),
        "{:#?}",
        again.shown
    );
    assert_eq!(
        again.client_id, followed.client_id,
        "no second registration"
    );
    assert_eq!(again.secret, None, "no second secret");
    let third = walk.follow(&script).await;
    assert_eq!(third.stopped, None);
    assert!(!third.shown.iter().any(|line| line.contains("taken back")));
    assert_eq!(third.output, again.output);
    let added = add(&walk).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let tenant = walk.sandbox.look("directory").await.unwrap();
    for kind in ["applications", "service_principals", "mailbox_permissions"] {
        assert_eq!(
            tenant[kind].as_array().map(Vec::len),
            Some(1),
            "{kind}: {tenant:#}"
        );
    }
}

#[tokio::test]
async fn each_step_at_entra_left_out_ends_in_the_refusal_that_the_guide_names() {
    for step in [
        "registration",
        "permissions",
        "enterprise-application",
        "consent",
        "credential",
    ] {
        left_out(step).await;
    }
}

#[tokio::test]
async fn each_step_at_exchange_left_out_ends_in_the_refusal_that_the_guide_names() {
    for step in ["service-principal", "mailbox-permission", "imap"] {
        left_out(step).await;
    }
    // The settings, which no script writes.
    let walk = Walk::start();
    let (script, guide) = printed(&walk);
    assert_eq!(walk.follow(&script).await.stopped, None);
    let refused = add(&walk).await;
    assert_eq!(code(&refused), if_left_out(&guide, "settings"));
}

#[tokio::test]
async fn each_step_at_entra_spoiled_ends_in_a_refusal_by_name() {
    let graph = "00000003-0000-0000-c000-000000000000";
    for (step, changes, expected) in [
        // A role of Microsoft Graph, which reads mail by another way only.
        (
            "permissions",
            &[
                ("00000002-0000-0ff1-ce00-000000000000", graph),
                ("IMAP.AccessAsApp", "Mail.ReadBasic.All"),
            ][..],
            "token_lacks_permission",
        ),
        (
            "credential",
            &[("2027-", "2025-"), ("2028-", "2025-")],
            "client_secret_expired",
        ),
        (
            "credential",
            &[("$secret.SecretText", "$secret.KeyId")],
            "client_secret_wrong",
        ),
        // The registration's object id in the place of its client id.
        (
            "registration",
            &[("settings:' $clientId", "settings:' $application.Id")],
            "application_not_in_tenant",
        ),
    ] {
        let mut walk = Walk::start();
        let (script, _) = printed(&walk);
        let wrong = changes.iter().fold(script, |script, (word, other)| {
            match script.contains(word) {
                true => spoiled(&script, step, word, other),
                // Of the years one is that of the end.
                false => script,
            }
        });
        let followed = walk.follow(&wrong).await;
        assert_eq!(followed.stopped, None, "{step}");
        walk.note(&followed);
        let refused = add(&walk).await;
        assert_eq!(
            code(&refused),
            expected,
            "{step} {changes:?}: {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn each_step_at_exchange_spoiled_ends_in_a_refusal_by_name() {
    for (step, word, other) in [
        ("service-principal", "$principal.Id", "$application.Id"),
        ("mailbox-permission", ORDERS, ADA),
        ("imap", "-ImapEnabled $true", "-ImapEnabled $false"),
    ] {
        let mut walk = Walk::start();
        let (script, guide) = printed(&walk);
        let wrong = match step {
            "mailbox-permission" => {
                let line = format!("Add-MailboxPermission -Identity '{word}'");
                spoiled(&script, step, &line, &line.replace(word, other))
            }
            _ => spoiled(&script, step, word, other),
        };
        let followed = walk.follow(&wrong).await;
        walk.note(&followed);
        let refused = add(&walk).await;
        assert_eq!(
            refused.status,
            StatusCode::CONFLICT,
            "{step}: {}",
            refused.text
        );
        assert_eq!(
            code(&refused),
            if_left_out(&guide, step),
            "{step}: {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn a_tenant_that_is_another_stops_the_script_and_the_gateway() {
    let mut walk = Walk::start();
    let (script, _) = printed(&walk);
    let other = "0f5b6f1e-3a54-4c8e-8b1d-5f2f0c9a7d11";
    let wrong = script.replace(&walk.settings.tenant, other);
    let followed = walk.follow(&wrong).await;
    assert!(followed.stopped.unwrap().contains("AADSTS90002"));
    assert_eq!(
        followed.client_id, None,
        "nothing was done in a wrong tenant"
    );

    let followed = walk.follow(&script).await;
    walk.settings.tenant = other.to_owned();
    walk.note(&followed);
    let refused = add(&walk).await;
    assert_eq!(code(&refused), "tenant_unknown", "{}", refused.text);
}

async fn left_out(step: &str) {
    let mut walk = Walk::start();
    let (script, guide) = printed(&walk);
    let followed = walk.follow_on(&without(&script, step)).await;
    if step == "registration" {
        // Without it there is nothing to make a secret for; the operator has one all the same.
        walk.note_secret("made~elsewhere");
    }
    walk.note(&followed);
    let refused = add(&walk).await;
    assert_eq!(
        code(&refused),
        if_left_out(&guide, step),
        "{step}; the script: {:?}; {}",
        followed.stopped,
        refused.text
    );
}

/// The check commands at the script's end show what it says they must.
fn assert_checks(followed: &Followed) {
    let shown = |name: &str, value: Value| {
        let is_it = |object: &&Value| object.get(name) == Some(&value);
        followed
            .output
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("no {name} {value} in {:#?}", followed.output))
            .clone()
    };
    let client_id = json!(followed.client_id);
    let principal = shown("ResourceDisplayName", json!("Office 365 Exchange Online"));
    assert!(principal["AppRoleId"].is_string());
    let enterprise = followed
        .output
        .iter()
        .find(|object| object.get("Id").is_some())
        .unwrap();
    assert_eq!(enterprise["AppId"], client_id);
    let told = shown("ObjectId", enterprise["Id"].clone());
    assert_eq!(told["AppId"], client_id);
    let permission = shown("User", enterprise["Id"].clone());
    assert_eq!(permission["AccessRights"], json!(["FullAccess"]));
    shown("ImapEnabled", json!(true));
    shown("SignInAudience", json!("AzureADMyOrg"));
}
