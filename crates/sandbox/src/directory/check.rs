//! What a tenant file may say: forms of values, and references that lead somewhere.

use std::collections::BTreeSet;

use url::Url;

use super::tenant::Tenant;
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

/// No two of a kind, and nothing that points nowhere.
pub(super) fn check_references(tenant: &Tenant) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
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
        let strange = policy
            .applications
            .iter()
            .find(|id| tenant.application(id).is_none());
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
