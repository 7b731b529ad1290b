//! People, mailboxes and applications as the page shows them.

use std::collections::BTreeSet;

use mailgrant_core::time::UnixTime;
use serde_json::json;

use super::Switch;
use crate::directory::{
    Application, Audience, Flow, Mailbox, MailboxRight, Permission, Platform, Protocol, Tenant,
    Tenants,
};

/// A mailbox, with the person it belongs to.
pub(in crate::console) struct MailboxCard {
    pub id: String,
    pub name: String,
    pub address: String,
    /// The tenant it is in, where that is not the first.
    pub tenant: Option<String>,
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

/// A tenant among all of them.
#[derive(Clone, Copy)]
struct Place<'t> {
    tenants: &'t Tenants,
    tenant: &'t Tenant,
}

impl<'t> Place<'t> {
    fn all(tenants: &'t Tenants) -> impl Iterator<Item = Self> {
        tenants.iter().map(move |tenant| Self { tenants, tenant })
    }

    fn is_first(self) -> bool {
        self.tenant.id == self.tenants.first().id
    }

    /// Its name, where it is not the first.
    fn name(self) -> Option<String> {
        (!self.is_first()).then(|| self.tenant.display_name.clone())
    }

    /// A path below the directory's.
    fn path(self, parts: &[&str]) -> String {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| url::form_urlencoded::byte_serialize(part.as_bytes()).collect())
            .collect();
        let path = format!("/control/directory/{}", parts.join("/"));
        match self.is_first() || self.tenant.is_personal() {
            true => path,
            false => format!("{path}?tenant={}", self.tenant.id),
        }
    }
}

pub(super) fn mailboxes(tenants: &Tenants) -> Vec<MailboxCard> {
    let cards = Place::all(tenants).flat_map(|place| {
        let mailboxes = place.tenant.mailboxes.iter();
        mailboxes.map(move |mailbox| (place, mailbox))
    });
    cards
        .enumerate()
        .map(|(number, (place, mailbox))| {
            let id = format!("mailbox-{number}");
            MailboxCard {
                name: mailbox.display_name.clone(),
                address: mailbox.address.clone(),
                tenant: place.name(),
                owner: owner(place.tenant, mailbox),
                switches: switches(place, mailbox, &id),
                applications: may_open(place, mailbox, &id),
                others: others(place.tenant, mailbox),
                id,
            }
        })
        .collect()
}

pub(super) fn applications(tenants: &Tenants, now: UnixTime) -> Vec<ApplicationCard> {
    let cards = Place::all(tenants).flat_map(|place| {
        let applications = place.tenant.applications.iter();
        applications.map(move |application| (place, application))
    });
    cards
        .enumerate()
        .map(|(number, (place, application))| ApplicationCard {
            registrations: registrations(place, application, number),
            switches: vec![Switch {
                id: format!("application-{number}-enabled"),
                name: "May be used".to_owned(),
                on: application.enabled,
                method: "PATCH",
                path: place.path(&["applications", &application.client_id]),
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
            secrets: secrets(place, application, number, now),
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
            consents: consents(place, application),
            service_principal: service_principal(place.tenant, application),
            service_principal_id: application.service_principal_id.clone(),
            is_app_only: application.flow == Flow::AppOnly,
            withdraw: json!({"withdraw": application.client_id, "tenant": place.tenant.id})
                .to_string(),
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

fn switches(place: Place<'_>, mailbox: &Mailbox, id: &str) -> Vec<Switch> {
    let tenant = place.tenant;
    let collection = match mailbox.owner {
        Some(_) if tenant.is_personal() => "personal_accounts",
        Some(_) => "users",
        None => "shared_mailboxes",
    };
    let of = |name: &str, key: &str, on: bool| Switch {
        id: format!("{id}-{key}"),
        name: name.to_owned(),
        on,
        method: "PATCH",
        path: place.path(&[collection, &mailbox.address]),
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
            path: place.path(&[collection, &user.address]),
            body: json!({"enabled": !user.enabled}).to_string(),
        });
    }
    switches
}

/// The applications that work without a person, each with `Add-MailboxPermission` and its reverse.
fn may_open(place: Place<'_>, mailbox: &Mailbox, id: &str) -> Vec<Switch> {
    let tenant = place.tenant;
    let own = tenant.applications.iter().cloned();
    let installed = place.tenants.enterprise_applications_of(tenant).into_iter();
    let foreign = installed.filter(|known| tenant.application(&known.client_id).is_none());
    let applications = own
        .chain(foreign)
        .filter(|application| application.flow == Flow::AppOnly)
        .enumerate();
    applications
        .map(|(number, application)| {
            let (address, trustee) = (&mailbox.address, &application.client_id);
            let on = tenant.has_right(address, trustee, MailboxRight::FullAccess);
            let (method, path, body) = match on {
                true => (
                    "DELETE",
                    place.path(&["mailbox_permissions", address, trustee]),
                    String::new(),
                ),
                false => (
                    "PUT",
                    place.path(&["mailbox_permissions"]),
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
fn registrations(place: Place<'_>, application: &Application, number: usize) -> Vec<Switch> {
    let state = service_principal(place.tenant, application);
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
    let all = || place.path(&["service_principals"]);
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
            place.path(&["service_principals", client_id]),
            String::new(),
        ),
    ]
}

fn others(tenant: &Tenant, mailbox: &Mailbox) -> Vec<Other> {
    let of_people = tenant.mailbox_permissions.iter().filter(|permission| {
        permission.mailbox.eq_ignore_ascii_case(&mailbox.address)
            && tenant.user(&permission.trustee).is_some()
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

fn secrets(
    place: Place<'_>,
    application: &Application,
    number: usize,
    now: UnixTime,
) -> Vec<SecretLine> {
    let secrets = application.secrets.iter().enumerate();
    secrets
        .map(|(at, secret)| SecretLine {
            id: format!("application-{number}-secret-{at}"),
            path: place.path(&[
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

/// What was agreed to where the application is registered, then by customers and personal accounts.
fn consents(place: Place<'_>, application: &Application) -> Vec<ConsentLine> {
    let elsewhere = Place::all(place.tenants).filter(|other| other.tenant.id != place.tenant.id);
    let mut lines = consents_in(place.tenant, None, application);
    for other in elsewhere {
        let name = &other.tenant.display_name;
        lines.extend(consents_in(other.tenant, Some(name), application));
    }
    lines
}

fn consents_in(
    tenant: &Tenant,
    organization: Option<&str>,
    application: &Application,
) -> Vec<ConsentLine> {
    let who = |name: &str| match organization {
        None => name.to_owned(),
        Some(organization) => format!("{name} ({organization})"),
    };
    let everybody = tenant.consented(&application.client_id, None);
    let mut lines = Vec::new();
    if !everybody.is_empty() {
        lines.push(ConsentLine {
            who: who("An administrator, for everybody"),
            permissions: names(&everybody),
        });
    }
    for user in &tenant.users {
        let all = tenant.consented(&application.client_id, Some(&user.object_id));
        let own: BTreeSet<Permission> = all.difference(&everybody).copied().collect();
        if !own.is_empty() {
            lines.push(ConsentLine {
                who: who(&user.display_name),
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
