//! Application registrations, what they may do, and who agreed to it.

use std::collections::BTreeSet;

use mailgrant_core::time::UnixTime;
use serde_json::json;

use super::Place;
use crate::console::view::{Switch, moment};
use crate::directory::{Application, Audience, Flow, Permission, Platform, Tenant, Tenants};

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

pub(in crate::console::view) fn applications(
    tenants: &Tenants,
    now: UnixTime,
) -> Vec<ApplicationCard> {
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
            expires: secret.expires.map(|expires| moment(expires.0)),
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
