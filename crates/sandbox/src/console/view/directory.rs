//! People, mailboxes and applications as the page shows them.

use std::collections::BTreeSet;

use mailgrant_core::time::UnixTime;
use serde_json::json;

use super::Switch;
use crate::directory::{
    Application, Audience, Flow, Mailbox, MailboxRight, Permission, Platform, Protocol, Tenant,
};

/// A mailbox, with the person it belongs to.
pub(in crate::console) struct MailboxCard {
    pub id: String,
    pub name: String,
    pub address: String,
    pub owner: Option<Owner>,
    /// What is on, and the call that turns it over.
    pub switches: Vec<Switch>,
    /// The applications that could open it by themselves, and whether they may.
    pub applications: Vec<Switch>,
    /// Other people who may open it.
    pub others: Vec<Other>,
}

pub(in crate::console) struct Owner {
    pub sign_in: Option<String>,
    pub password: String,
    pub administrator: bool,
    pub enabled: bool,
    /// The call that ends the person's refresh tokens.
    pub revoke: String,
    /// The call that ends the person's access tokens.
    pub expire: String,
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
    /// The three states that the service principal in Exchange can be in, with the calls that bring them about.
    pub registrations: Vec<Switch>,
    pub switches: Vec<Switch>,
    /// The call that forgets what was agreed to.
    pub withdraw: String,
}

pub(in crate::console) struct SecretLine {
    pub id: String,
    pub path: String,
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
            Self::Wrong => "registered with another object’s id: every login is refused",
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
        .map(|(number, mailbox)| {
            let id = format!("mailbox-{number}");
            MailboxCard {
                name: mailbox.display_name.clone(),
                address: mailbox.address.clone(),
                owner: owner(tenant, mailbox),
                switches: switches(tenant, mailbox, &id),
                applications: may_open(tenant, mailbox, &id),
                others: others(tenant, mailbox),
                id,
            }
        })
        .collect()
}

pub(super) fn applications(tenant: &Tenant, now: UnixTime) -> Vec<ApplicationCard> {
    let cards = tenant.applications.iter().enumerate();
    cards
        .map(|(number, application)| ApplicationCard {
            registrations: registrations(tenant, application, number),
            switches: vec![Switch {
                id: format!("application-{number}-enabled"),
                name: "May be used".to_owned(),
                on: application.enabled,
                method: "PATCH",
                path: path(&["applications", &application.client_id]),
                body: json!({"enabled": !application.enabled}).to_string(),
            }],
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
                Audience::Personal => "personal accounts only",
            },
            enabled: application.enabled,
            secrets: secrets(application, number, now),
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
        revoke: json!({"user": user.address}).to_string(),
        expire: json!({"user": user.address, "access_tokens": true}).to_string(),
    })
}

fn switches(tenant: &Tenant, mailbox: &Mailbox, id: &str) -> Vec<Switch> {
    let collection = match mailbox.owner {
        Some(_) => "users",
        None => "shared_mailboxes",
    };
    let of = |name: &str, key: &str, on: bool| Switch {
        id: format!("{id}-{key}"),
        name: name.to_owned(),
        on,
        method: "PATCH",
        path: path(&[collection, &mailbox.address]),
        body: json!({"mailbox": {key: !on}}).to_string(),
    };
    let protocol = |name, key, protocol: Protocol| of(name, key, protocol.enabled(mailbox, tenant));
    let mut switches = vec![
        protocol("IMAP", "imap", Protocol::Imap),
        protocol("POP", "pop", Protocol::Pop),
        protocol("SMTP", "smtp_auth", Protocol::Smtp),
        of("Licence", "licensed", mailbox.switches.licensed),
    ];
    let owner = mailbox.owner.as_deref();
    if let Some(user) = owner.and_then(|owner| tenant.user_by_object_id(owner)) {
        switches.push(Switch {
            id: format!("{id}-enabled"),
            name: "May sign in".to_owned(),
            on: user.enabled,
            method: "PATCH",
            path: path(&["users", &user.address]),
            body: json!({"enabled": !user.enabled}).to_string(),
        });
    }
    switches
}

/// The applications that work without a person, each with `Add-MailboxPermission` and its reverse.
fn may_open(tenant: &Tenant, mailbox: &Mailbox, id: &str) -> Vec<Switch> {
    let applications = tenant
        .applications
        .iter()
        .filter(|application| application.flow == Flow::AppOnly)
        .enumerate();
    applications
        .map(|(number, application)| {
            let (address, trustee) = (&mailbox.address, &application.client_id);
            let on = tenant.has_right(address, trustee, MailboxRight::FullAccess);
            let (method, path, body) = match on {
                true => (
                    "DELETE",
                    path(&["mailbox_permissions", address, trustee]),
                    String::new(),
                ),
                false => (
                    "PUT",
                    path(&["mailbox_permissions"]),
                    json!({"mailbox": address, "trustee": trustee, "rights": ["full_access", "send_as"]})
                        .to_string(),
                ),
            };
            Switch {
                id: format!("{id}-application-{number}"),
                name: application.display_name.clone(),
                on,
                method,
                path,
                body,
            }
        })
        .collect()
}

/// Right, wrong as people often get it (the object id of the App registration's page), and missing.
fn registrations(tenant: &Tenant, application: &Application, number: usize) -> Vec<Switch> {
    let state = service_principal(tenant, application);
    let client_id = &application.client_id;
    let told =
        |object_id: &str| json!({"application": client_id, "object_id": object_id}).to_string();
    let of = |name: &str, wanted, method, path, body| Switch {
        id: format!("application-{number}-{name}"),
        name: name.to_owned(),
        on: state == wanted,
        method,
        path,
        body,
    };
    let all = || path(&["service_principals"]);
    vec![
        of(
            "Right",
            ServicePrincipalState::Right,
            "PUT",
            all(),
            told(&application.service_principal_id),
        ),
        of(
            "Wrong",
            ServicePrincipalState::Wrong,
            "PUT",
            all(),
            told(&application.object_id),
        ),
        of(
            "Missing",
            ServicePrincipalState::Missing,
            "DELETE",
            path(&["service_principals", client_id]),
            String::new(),
        ),
    ]
}

fn others(tenant: &Tenant, mailbox: &Mailbox) -> Vec<Other> {
    let of_people = tenant.mailbox_permissions.iter().filter(|permission| {
        permission.mailbox.eq_ignore_ascii_case(&mailbox.address)
            && tenant.application(&permission.trustee).is_none()
    });
    of_people
        .map(|permission| {
            let rights: Vec<&str> = permission
                .rights
                .iter()
                .map(|right| match right {
                    MailboxRight::FullAccess => "full access",
                    MailboxRight::SendAs => "send as",
                })
                .collect();
            Other {
                name: tenant.user(&permission.trustee).map_or_else(
                    || permission.trustee.clone(),
                    |user| user.display_name.clone(),
                ),
                rights: rights.join(", "),
            }
        })
        .collect()
}

fn secrets(application: &Application, number: usize, now: UnixTime) -> Vec<SecretLine> {
    let secrets = application.secrets.iter().enumerate();
    secrets
        .map(|(at, secret)| SecretLine {
            id: format!("application-{number}-secret-{at}"),
            path: path(&[
                "applications",
                &application.client_id,
                "secrets",
                &secret.id,
            ]),
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

/// A path below the directory's.
fn path(parts: &[&str]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| url::form_urlencoded::byte_serialize(part.as_bytes()).collect())
        .collect();
    format!("/control/directory/{}", parts.join("/"))
}

fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Web => "Web",
        Platform::Spa => "single-page application",
        Platform::Native => "installed program",
    }
}
