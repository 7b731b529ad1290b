//! What a tenant file may say: forms of values, and references that lead somewhere.

use std::collections::BTreeSet;

use url::Url;

use super::tenant::Tenant;
use super::tenants::Tenants;
use crate::Error;

pub(super) fn check_address(key: &str, address: &str) -> Result<(), Error> {
    let valid = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    let plain =
        |character: char| character.is_ascii_graphic() && !"\"\\/<>(),;:".contains(character);
    if valid && address.chars().all(plain) {
        return Ok(());
    }
    Err(Error::tenant(format!(
        "{key}: \"{address}\" is not an address such as ada@tarnbrook.test"
    )))
}

pub(super) fn check_redirect_uri(uri: &str) -> Result<(), Error> {
    let short = uri.len() <= 256;
    let whole = Url::parse(uri).is_ok_and(|url| url.fragment().is_none());
    if short && whole && !uri.contains('*') {
        return Ok(());
    }
    Err(Error::tenant(format!(
        "[[application]] redirect_uris: \"{uri}\" is not an absolute URI of at most 256 characters without * and #"
    )))
}

/// No two of a kind in the whole, and nothing that points nowhere.
pub(super) fn check_tenants(tenants: &Tenants) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for tenant in tenants.iter() {
        check_twice(tenant, &mut seen)?;
        check_references(tenant)?;
    }
    Ok(())
}

/// Enterprise applications are of applications that are registered somewhere. One whose registration goes later stays,
/// as in Entra, and is of no use.
pub(super) fn check_installed(tenants: &Tenants) -> Result<(), Error> {
    let mut installed = tenants
        .organizations()
        .flat_map(|tenant| &tenant.enterprise_applications);
    match installed.find(|known| tenants.application(&known.application).is_none()) {
        None => Ok(()),
        Some(strange) => Err(Error::tenant(format!(
            "[[enterprise_application]] application: no tenant has an [[application]] with client_id {}",
            strange.application
        ))),
    }
}

/// Addresses, names to sign in with, domains and ids are each somebody's or nobody's, in all tenants together.
fn check_twice(tenant: &Tenant, seen: &mut BTreeSet<String>) -> Result<(), Error> {
    for name in std::iter::once(&tenant.id).chain(&tenant.domains) {
        if !seen.insert(format!("tenant {}", name.to_ascii_lowercase())) {
            return Err(Error::tenant(format!(
                "the tenant {name} is there twice: ids and domains are one tenant's only"
            )));
        }
    }
    for mailbox in &tenant.mailboxes {
        if !seen.insert(mailbox.address.to_ascii_lowercase()) {
            return Err(Error::tenant(format!("{} is there twice", mailbox.address)));
        }
    }
    for user in &tenant.users {
        let name = user.user_principal_name.to_ascii_lowercase();
        let own = name == user.address.to_ascii_lowercase();
        if !own && !seen.insert(name) {
            return Err(Error::tenant(format!(
                "{} is there twice",
                user.user_principal_name
            )));
        }
    }
    for application in &tenant.applications {
        if !seen.insert(application.client_id.clone()) {
            return Err(Error::tenant(format!(
                "application {} is there twice",
                application.client_id
            )));
        }
    }
    for user in &tenant.users {
        if !seen.insert(format!("person {}", user.object_id)) {
            return Err(Error::tenant(format!(
                "{}: the object id {} is somebody else's too",
                user.address, user.object_id
            )));
        }
    }
    Ok(())
}

fn check_references(tenant: &Tenant) -> Result<(), Error> {
    for permission in &tenant.mailbox_permissions {
        if tenant.mailbox(&permission.mailbox).is_none() {
            return Err(Error::tenant(format!(
                "[[mailbox_permission]] mailbox: there is no mailbox {}",
                permission.mailbox
            )));
        }
        if !tenant.has_trustee(&permission.trustee) {
            return Err(Error::tenant(format!(
                "[[mailbox_permission]] trustee: \"{}\" is neither a user's address nor a client id",
                permission.trustee
            )));
        }
    }
    for policy in &tenant.conditional_access {
        let strange = policy.applications.iter().find(|id| !tenant.knows(id));
        let strange = strange.or_else(|| {
            let mut users = policy.users.iter();
            users.find(|name| tenant.user(name).is_none())
        });
        if let Some(strange) = strange {
            return Err(Error::tenant(format!(
                "[[conditional_access]] {}: \"{strange}\" is neither an application's client id nor a user's address",
                policy.name
            )));
        }
    }
    Ok(())
}
