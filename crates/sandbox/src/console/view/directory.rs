//! People, mailboxes and applications as the page shows them.

use std::collections::BTreeSet;

use mailgrant_core::time::UnixTime;
use serde_json::json;

use crate::directory::{
    Application, Audience, Flow, Mailbox, MailboxRight, Permission, Platform, Protocol, Tenant,
};

/// A mailbox, with the person it belongs to.
pub(in crate::console) struct MailboxCard {
    pub id: String,
    pub name: String,
    pub address: String,
    pub owner: Option<Owner>,
    pub switches: Vec<Switch>,
    pub others: Vec<Other>,
    /// The call that ends the owner's refresh tokens.
    pub revoke: String,
}

pub(in crate::console) struct Owner {
    pub sign_in: Option<String>,
    pub password: String,
    pub administrator: bool,
    pub enabled: bool,
}

/// Something that is on or off.
pub(in crate::console) struct Switch {
    pub name: &'static str,
    pub on: bool,
}

/// Somebody else who has rights on a mailbox.
pub(in crate::console) struct Other {
    pub name: String,
    pub rights: String,
}

/// An application registration, with what Exchange and the people here have granted it.
pub(in crate::console) struct ApplicationCard {
    pub id: String,
    pub name: String,
    pub client_id: String,
    pub flow: &'static str,
    pub audience: &'static str,
    pub enabled: bool,
    pub secrets: Vec<SecretLine>,
    pub redirect_uris: Vec<(String, &'static str)>,
    pub permissions: Vec<String>,
    pub consents: Vec<ConsentLine>,
    pub service_principal: ServicePrincipalState,
    pub service_principal_id: String,
    pub is_app_only: bool,
    /// The call that forgets what was agreed to.
    pub withdraw: String,
}

pub(in crate::console) struct SecretLine {
    pub value: String,
    pub expires: Option<String>,
    pub expired: bool,
}

pub(in crate::console) struct ConsentLine {
    pub who: String,
    pub permissions: String,
}

/// What Exchange was told of an application.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum ServicePrincipalState {
    Right,
    Wrong,
    Missing,
}

impl ServicePrincipalState {
    pub(in crate::console) fn words(self) -> &'static str {
        match self {
            Self::Right => "registered, with the right object id",
            Self::Wrong => "registered with another object's id: every login is refused",
            Self::Missing => "not registered: every login is refused",
        }
    }

    pub(in crate::console) fn is_right(self) -> bool {
        self == Self::Right
    }
}

pub(super) fn mailboxes(tenant: &Tenant) -> Vec<MailboxCard> {
    let cards = tenant.mailboxes.iter().enumerate();
    cards
        .map(|(number, mailbox)| MailboxCard {
            id: format!("mailbox-{number}"),
            name: mailbox.display_name.clone(),
            address: mailbox.address.clone(),
            owner: owner(tenant, mailbox),
            switches: switches(tenant, mailbox),
            others: others(tenant, mailbox),
            revoke: json!({"user": mailbox.address}).to_string(),
        })
        .collect()
}

pub(super) fn applications(tenant: &Tenant, now: UnixTime) -> Vec<ApplicationCard> {
    let cards = tenant.applications.iter().enumerate();
    cards
        .map(|(number, application)| ApplicationCard {
            id: format!("application-{number}"),
            name: application.display_name.clone(),
            client_id: application.client_id.clone(),
            flow: match application.flow {
                Flow::Delegated => "A person signs in",
                Flow::AppOnly => "Nobody signs in",
                Flow::Device => "Device code",
            },
            audience: match application.audience {
                Audience::MyOrganization => "this organization only",
                Audience::AnyOrganization => "any organization",
                Audience::AnyOrganizationAndPersonal => "any organization and personal accounts",
            },
            enabled: application.enabled,
            secrets: secrets(application, now),
            redirect_uris: application
                .redirect_uris
                .iter()
                .map(|redirect| (redirect.uri.clone(), platform(redirect.platform)))
                .collect(),
            permissions: application
                .permissions
                .iter()
                .map(ToString::to_string)
                .collect(),
            consents: consents(tenant, application),
            service_principal: service_principal(tenant, application),
            service_principal_id: application.service_principal_id.clone(),
            is_app_only: application.flow == Flow::AppOnly,
            withdraw: json!({"withdraw": application.client_id}).to_string(),
        })
        .collect()
}

fn owner(tenant: &Tenant, mailbox: &Mailbox) -> Option<Owner> {
    let user = tenant.user_by_object_id(mailbox.owner.as_deref()?)?;
    let differs = !user.user_principal_name.eq_ignore_ascii_case(&user.address);
    Some(Owner {
        sign_in: differs.then(|| user.user_principal_name.clone()),
        password: user.password.expose().to_owned(),
        administrator: user.administrator,
        enabled: user.enabled,
    })
}

fn switches(tenant: &Tenant, mailbox: &Mailbox) -> Vec<Switch> {
    let of = |name, protocol: Protocol| Switch {
        name,
        on: protocol.enabled(mailbox, tenant),
    };
    vec![
        of("IMAP", Protocol::Imap),
        of("POP", Protocol::Pop),
        of("SMTP", Protocol::Smtp),
        Switch {
            name: "Licence",
            on: mailbox.switches.licensed,
        },
    ]
}

fn others(tenant: &Tenant, mailbox: &Mailbox) -> Vec<Other> {
    let of_mailbox = tenant
        .mailbox_permissions
        .iter()
        .filter(|permission| permission.mailbox.eq_ignore_ascii_case(&mailbox.address));
    of_mailbox
        .map(|permission| {
            let application = tenant
                .application(&permission.trustee)
                .map(|application| application.display_name.clone());
            let person = || {
                tenant
                    .user(&permission.trustee)
                    .map(|user| user.display_name.clone())
            };
            let rights: Vec<&str> = permission
                .rights
                .iter()
                .map(|right| match right {
                    MailboxRight::FullAccess => "full access",
                    MailboxRight::SendAs => "send as",
                })
                .collect();
            Other {
                name: application
                    .or_else(person)
                    .unwrap_or_else(|| permission.trustee.clone()),
                rights: rights.join(", "),
            }
        })
        .collect()
}

fn secrets(application: &Application, now: UnixTime) -> Vec<SecretLine> {
    let secrets = application.secrets.iter();
    secrets
        .map(|secret| SecretLine {
            value: secret.value.expose().to_owned(),
            expires: secret.expires.map(|expires| super::moment(expires.0)),
            expired: secret.expires.is_some_and(|expires| expires <= now),
        })
        .collect()
}

fn consents(tenant: &Tenant, application: &Application) -> Vec<ConsentLine> {
    let everybody = tenant.consented(&application.client_id, None);
    let mut lines = Vec::new();
    if !everybody.is_empty() {
        lines.push(ConsentLine {
            who: "An administrator, for everybody".to_owned(),
            permissions: names(&everybody),
        });
    }
    for user in &tenant.users {
        let all = tenant.consented(&application.client_id, Some(&user.object_id));
        let own: BTreeSet<Permission> = all.difference(&everybody).copied().collect();
        if !own.is_empty() {
            lines.push(ConsentLine {
                who: user.display_name.clone(),
                permissions: names(&own),
            });
        }
    }
    lines
}

fn names(permissions: &BTreeSet<Permission>) -> String {
    let names: Vec<&str> = permissions
        .iter()
        .map(|permission| permission.name())
        .collect();
    names.join(", ")
}

fn service_principal(tenant: &Tenant, application: &Application) -> ServicePrincipalState {
    match tenant.service_principal(&application.client_id) {
        None => ServicePrincipalState::Missing,
        Some(told)
            if told
                .object_id
                .eq_ignore_ascii_case(&application.service_principal_id) =>
        {
            ServicePrincipalState::Right
        }
        Some(_) => ServicePrincipalState::Wrong,
    }
}

fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Web => "Web",
        Platform::Spa => "single-page application",
        Platform::Native => "installed program",
    }
}
