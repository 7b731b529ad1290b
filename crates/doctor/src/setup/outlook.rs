//! Personal accounts: Outlook.com, Hotmail, Live. No administrator, no tenant, no Exchange PowerShell.

use super::{
    Error, Guide, Place, SetUp, Step, cloud::Cloud, credential, delegated, finish, guide::modules,
    registration,
};

pub(super) fn guide(set_up: &SetUp<'_>) -> Result<Guide, Error> {
    let cloud = Cloud::of(set_up.provider).ok_or(Error::NoTenant)?;
    let audience = match set_up.tenant() {
        Some("common") => "AzureADandPersonalMicrosoftAccount",
        _ => "PersonalMicrosoftAccount",
    };
    let title = format!(
        "Sign-in of people with personal Microsoft accounts for application {} ({})",
        set_up.application, set_up.provider.display_name
    );
    let mut guide = Guide::new(set_up, title);
    guide.needed = vec![
        "An Entra tenant to register the application in: Microsoft registers none without a directory any more. A free one will do; its administrator has no say over the personal accounts.".to_owned(),
        modules(&["Microsoft.Graph.Applications"]),
    ];
    // The registration is the operator's; personal accounts sign in under `consumers`, where nobody administers.
    let own = SetUp {
        tenant: None,
        ..set_up.clone()
    };
    guide.steps.push(registration::sign_in(
        &own,
        &cloud,
        &["Application.ReadWrite.All"],
    ));
    guide
        .steps
        .push(registration::registration(&own, &cloud, audience));
    guide.steps.push(delegated::redirect_uri(&own, &cloud));
    guide.steps.push(permissions(&own, &cloud));
    guide.steps.extend(credential::step(&own, &cloud));
    guide.steps.push(imap());
    guide.steps.push(finish::settings(set_up));
    guide.steps.push(finish::prove_delegated(set_up));
    Ok(guide)
}

fn permissions(set_up: &SetUp<'_>, cloud: &Cloud) -> Step {
    let step = super::permissions::delegated(set_up, cloud);
    Step {
        why: "each person then sees beforehand what they agree to; no administrator is asked"
            .to_owned(),
        ..step
    }
}

fn imap() -> Step {
    Step::new(
        "imap",
        Place::Portal,
        "Each person switches IMAP on in their mailbox",
        "new mailboxes at Outlook.com have it off",
    )
    .by_hand([
        "https://outlook.live.com > Settings > Mail > Forwarding and IMAP > Let devices and apps use IMAP (and POP): on. Save.",
    ])
    .open("Outlook.com settings", "https://outlook.live.com/mail/0/options/mail/popImap")
    .without(
        Some("imap_refused"),
        "the login fails. Access tokens of personal accounts cannot be read, so the gateway cannot tell this from other refusals",
    )
}
