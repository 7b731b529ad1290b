//! Mailboxes, whose they are, and who else may open them.

use serde_json::json;

use super::Place;
use crate::console::view::Switch;
use crate::directory::{Flow, Mailbox, MailboxRight, Protocol, Tenant, Tenants};

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

pub(in crate::console::view) fn mailboxes(tenants: &Tenants) -> Vec<MailboxCard> {
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
