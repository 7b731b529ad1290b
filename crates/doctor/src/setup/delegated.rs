//! Delegated access to Exchange Online: people sign in.

use super::{
    Error, Guide, Place, SetUp, Step, cloud::Cloud, consent, credential, exchange, finish,
    guide::modules, permissions, registration,
};
use crate::powershell::{Command, Condition, Source, Statement, Value};

pub(super) fn guide(set_up: &SetUp<'_>, cloud: &Cloud) -> Result<Guide, Error> {
    let (audience, whose) = match set_up.tenant() {
        None | Some("organizations") => (
            "AzureADMultipleOrgs",
            "people of any organization".to_owned(),
        ),
        Some("common") => (
            "AzureADandPersonalMicrosoftAccount",
            "people of any organization and with personal accounts".to_owned(),
        ),
        Some(tenant) => (
            if set_up.foreign {
                "AzureADMultipleOrgs"
            } else {
                "AzureADMyOrg"
            },
            format!("people of {tenant}"),
        ),
    };
    let title = format!(
        "Sign-in of {whose} for application {} ({})",
        set_up.application, set_up.provider.display_name
    );
    let mut guide = Guide::new(set_up, title);
    guide.needed = vec![
        format!(
            "Somebody who may {} the tenant (Cloud Application Administrator), and, for the switches of mailboxes, an Exchange Administrator.",
            if set_up.foreign {
                "admit applications to"
            } else {
                "register applications and consent for"
            }
        ),
        modules(&[
            "Microsoft.Graph.Applications",
            "Microsoft.Graph.Identity.SignIns",
            "ExchangeOnlineManagement",
        ]),
    ];
    guide.steps.push(registration::sign_in(
        set_up,
        cloud,
        &[
            "Application.ReadWrite.All",
            "DelegatedPermissionGrant.ReadWrite.All",
        ],
    ));
    if set_up.foreign {
        guide.needed.push(format!(
            "The app registration {} is in the operator's own tenant, of multitenant type. Here it is only admitted, and mailgrant's settings stay as they are (allowed_tenants, where they have it, must name this tenant).",
            set_up.client_id.as_str()
        ));
    } else {
        guide
            .steps
            .push(registration::registration(set_up, cloud, audience));
        guide.steps.push(redirect_uri(set_up, cloud));
        guide.steps.push(permissions::delegated(set_up, cloud));
    }
    guide
        .steps
        .push(registration::enterprise_application(set_up, cloud));
    guide.steps.push(consent::to_delegated(set_up, cloud)?);
    if !set_up.foreign {
        guide.steps.extend(credential::step(set_up, cloud));
    }
    if !set_up.mailboxes.is_empty() {
        guide.steps.push(exchange::sign_in(set_up, cloud));
    }
    guide.steps.push(exchange::imap(set_up));
    if set_up.sends {
        guide.steps.push(exchange::submission(set_up));
    }
    guide.steps.push(exchange::delegate());
    if !set_up.foreign {
        guide.steps.push(finish::settings(set_up));
    }
    guide.steps.push(finish::prove_delegated(set_up));
    Ok(guide)
}

/// The redirect URI, beside those that are there.
pub(super) fn redirect_uri(set_up: &SetUp<'_>, cloud: &Cloud) -> Step {
    let uri = set_up.redirect_uri();
    Step::new(
        "redirect-uri",
        Place::Graph,
        format!("Register the redirect URI {uri}"),
        "the authority sends people back to registered addresses only, compared letter by letter. Its type must be Web: with Single-page application the gateway could not redeem the code",
    )
    .by_hand([format!(
        "{} > Entra ID > App registrations > {} > Authentication > Add a platform > Web: {uri}",
        cloud.portal,
        set_up.name()
    )])
    .run([
        Statement::Set("uris", Value::List(Vec::new())),
        Statement::ForEach(
            "uri",
            Source::Value(Value::Variable("application.Web.RedirectUris")),
            vec![Statement::Add("uris", Value::Variable("uri"))],
        ),
        Statement::If(
            Condition::LacksSame(Value::Variable("uris"), Value::text(&uri)),
            vec![
                Statement::Add("uris", Value::text(&uri)),
                Statement::Run(
                    Command::new("Update-MgApplication")
                        .with("ApplicationId", Value::Variable("application.Id"))
                        .with("Web", Value::Table(vec![("redirectUris", Value::Variable("uris"))])),
                ),
            ],
            Vec::new(),
        ),
    ])
    .see(format!("on that page, under Web: {uri}"))
    .without(
        Some(registration::NOT_RETURNED),
        "the authority shows the person AADSTS50011 and does not send them back; the connect session ends unfinished",
    )
}
