//! Exchange Online PowerShell.

mod cas_mailbox;
mod mailbox;
mod mailbox_permission;
mod recipient_permission;
mod rights;
mod service_principal;
mod transport_config;

use super::call::{Cmdlet, CmdletError};
use crate::directory::{Mailbox, ServicePrincipal, Tenant};

pub(super) const CMDLETS: &[&[Cmdlet]] = &[
    service_principal::CMDLETS,
    mailbox_permission::CMDLETS,
    recipient_permission::CMDLETS,
    cas_mailbox::CMDLETS,
    transport_config::CMDLETS,
    mailbox::CMDLETS,
];

const MODULE: &str = "ExchangeOnlineManagement";

/// The mailbox of that address, user principal name, alias, name or object id.
fn find_mailbox<'t>(tenant: &'t Tenant, identity: &str) -> Result<&'t Mailbox, CmdletError> {
    let named = |mailbox: &&Mailbox| {
        mailbox.display_name.eq_ignore_ascii_case(identity)
            || alias(&mailbox.address).eq_ignore_ascii_case(identity)
            || mailbox
                .owner
                .as_ref()
                .is_some_and(|owner| owner.eq_ignore_ascii_case(identity))
    };
    let by_address = tenant.mailbox(identity).map(|mailbox| &mailbox.address);
    mailboxes(tenant)
        .find(|mailbox| Some(&mailbox.address) == by_address)
        .or_else(|| mailboxes(tenant).find(named))
        .ok_or_else(|| not_found(tenant, identity))
}

/// Those of the organization.
fn mailboxes(tenant: &Tenant) -> impl Iterator<Item = &Mailbox> {
    tenant.mailboxes.iter()
}

/// What Exchange was told under that object id, application id or name.
fn find_service_principal<'t>(tenant: &'t Tenant, identity: &str) -> Option<&'t ServicePrincipal> {
    tenant.service_principals.iter().find(|principal| {
        [
            Some(&principal.object_id),
            Some(&principal.application),
            principal.display_name.as_ref(),
        ]
        .into_iter()
        .flatten()
        .any(|name| name.eq_ignore_ascii_case(identity))
    })
}

fn alias(address: &str) -> &str {
    address.split_once('@').map_or(address, |(alias, _)| alias)
}

fn not_found(tenant: &Tenant, identity: &str) -> CmdletError {
    CmdletError::Written(format!(
        "The operation couldn't be performed because object '{identity}' couldn't be found on '{}'.",
        tenant.domain()
    ))
}
