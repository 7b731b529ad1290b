//! Rights on a mailbox, given and taken one at a time.

use super::super::call::{Call, CmdletError};
use super::{find_mailbox, find_service_principal};
use crate::directory::{Entry, MailboxPermission, MailboxPermissionEntry, MailboxRight, Tenant};

/// A mailbox and somebody who holds, or shall hold, a right on it.
pub(super) struct Pair {
    pub mailbox: String,
    /// As a mailbox permission names it.
    pub trustee: String,
}

impl Pair {
    /// The mailbox `-Identity`, and the trustee in the parameter of that name.
    pub(super) fn of(call: &Call<'_>, trustee: &str) -> Result<Self, CmdletError> {
        let tenant = call.directory.tenant();
        Ok(Self {
            mailbox: find_mailbox(&tenant, call.required("Identity"))?
                .address
                .clone(),
            trustee: self::trustee(&tenant, call.required(trustee))?,
        })
    }

    /// Gives the right; it may be there already.
    pub(super) fn give(&self, call: &Call<'_>, right: MailboxRight) -> Result<(), CmdletError> {
        let mut entry = self.entry(call).unwrap_or_else(|| MailboxPermission {
            mailbox: self.mailbox.clone(),
            trustee: self.trustee.clone(),
            rights: Vec::new(),
        });
        if entry.rights.contains(&right) || call.what_if {
            return Ok(());
        }
        entry.rights.push(right);
        Ok(call.directory.put_entry(entry)?)
    }

    /// Takes the right away; whether it was there.
    pub(super) fn take(&self, call: &Call<'_>, right: MailboxRight) -> Result<bool, CmdletError> {
        let Some(mut entry) = self
            .entry(call)
            .filter(|entry| entry.rights.contains(&right))
        else {
            return Ok(false);
        };
        if call.what_if {
            return Ok(true);
        }
        entry.rights.retain(|known| *known != right);
        let directory = &call.directory;
        match entry.rights.is_empty() {
            true => directory.remove_entry::<MailboxPermissionEntry>(&entry.key())?,
            false => directory.put_entry(entry)?,
        }
        Ok(true)
    }

    fn entry(&self, call: &Call<'_>) -> Option<MailboxPermission> {
        let tenant = call.directory.tenant();
        tenant
            .mailbox_permissions
            .iter()
            .find(|known| {
                known.mailbox.eq_ignore_ascii_case(&self.mailbox)
                    && known.trustee.eq_ignore_ascii_case(&self.trustee)
            })
            .cloned()
    }
}

/// Who holds a right on a mailbox, under the name that Exchange shows.
pub(super) fn holders<'t>(
    tenant: &'t Tenant,
    mailbox: &'t str,
    right: MailboxRight,
) -> impl Iterator<Item = (&'t str, String)> {
    tenant
        .mailbox_permissions
        .iter()
        .filter(move |permission| {
            permission.mailbox.eq_ignore_ascii_case(mailbox) && permission.rights.contains(&right)
        })
        .map(|permission| {
            let trustee = permission.trustee.as_str();
            let shown = match (tenant.user(trustee), tenant.service_principal(trustee)) {
                (Some(user), _) => user.user_principal_name.clone(),
                (None, Some(principal)) => principal.object_id.clone(),
                (None, None) => trustee.to_owned(),
            };
            (trustee, shown)
        })
}

/// What a mailbox permission calls the person, or the application that Exchange was told of.
pub(super) fn trustee(tenant: &Tenant, name: &str) -> Result<String, CmdletError> {
    if let Some(user) = tenant.user(name).or_else(|| tenant.user_by_object_id(name)) {
        return Ok(user.address.clone());
    }
    if let Some(principal) = find_service_principal(tenant, name) {
        return Ok(principal.application.clone());
    }
    let mut named = tenant
        .users
        .iter()
        .filter(|user| user.display_name.eq_ignore_ascii_case(name));
    match (named.next(), named.next()) {
        (Some(user), None) => Ok(user.address.clone()),
        _ => Err(CmdletError::Written(format!(
            "User or group \"{name}\" couldn't be found. Please make sure that it exists and was typed correctly."
        ))),
    }
}
