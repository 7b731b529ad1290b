//! App-only access to Exchange Online: client credentials.

use super::{
    Error, Guide, SetUp, cloud::Cloud, consent, credential, exchange, finish, guide::modules,
    permissions, registration,
};

pub(super) fn guide(set_up: &SetUp<'_>, cloud: &Cloud) -> Result<Guide, Error> {
    let tenant = match set_up.tenant() {
        None | Some("organizations" | "common" | "consumers") => return Err(Error::NoTenant),
        Some(tenant) => tenant,
    };
    let several = if set_up.mailboxes.len() == 1 {
        ""
    } else {
        "es"
    };
    let title = format!(
        "App-only access of application {} to {} mailbox{several} of {tenant} ({})",
        set_up.application,
        set_up.mailboxes.len(),
        set_up.provider.display_name
    );
    let mut guide = Guide::new(set_up, title);
    let task = match set_up.foreign {
        true => "admits applications to",
        false => "registers applications and consents for",
    };
    guide.needed = vec![
        format!(
            "Somebody who {task} the tenant (Cloud Application Administrator is enough: the permissions are Exchange's, not Microsoft Graph's) and who administers Exchange (Exchange Administrator). They need no access to mailgrant."
        ),
        modules(&["Microsoft.Graph.Applications", "ExchangeOnlineManagement"]),
    ];
    let scopes = [
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
    ];
    guide
        .steps
        .push(registration::sign_in(set_up, cloud, &scopes));
    if set_up.foreign {
        guide.needed.push(format!(
            "The app registration {} is in the operator's own tenant: of multitenant type, with the application permission and the credential. Here it is only admitted, and mailgrant's settings stay as they are (allowed_tenants, where they have it, must name this tenant).",
            set_up.client_id.as_str()
        ));
    } else {
        guide
            .steps
            .push(registration::registration(set_up, cloud, "AzureADMyOrg"));
        guide.steps.push(permissions::of_application(set_up, cloud));
    }
    guide
        .steps
        .push(registration::enterprise_application(set_up, cloud));
    guide.steps.push(consent::to_application(set_up, cloud)?);
    if !set_up.foreign {
        guide.steps.extend(credential::step(set_up, cloud));
    }
    guide.steps.push(exchange::sign_in(set_up, cloud));
    guide.steps.push(exchange::service_principal(set_up));
    guide.steps.push(exchange::permissions(set_up));
    if set_up.sends {
        guide.steps.push(exchange::send_as(set_up));
    }
    guide.steps.push(exchange::imap(set_up));
    if set_up.sends {
        guide.steps.push(exchange::submission(set_up));
    }
    if !set_up.foreign {
        guide.steps.push(finish::settings(set_up));
    }
    guide.steps.push(finish::prove_app_only(set_up));
    Ok(guide)
}
