//! Whether the settings of today still take an account that was connected under those of yesterday.
//!
//! Who is not taken loses nothing: the grant stays where it is, is sent to nobody, and serves again when the settings do.

use mailgrant_core::discovery::is_guid;
use mailgrant_storage::Account;
use url::Url;

use super::{PERSONAL, Registration};
use crate::{diagnosis::Diagnosis, settings::Application};

/// The settings take no mailboxes of the tenant.
pub(crate) const TENANT_NOT_ALLOWED: &str = "tenant_not_allowed";
/// The settings have no such application.
const APPLICATION_MISSING: &str = "application_missing";
/// The application asks another authority than the one that gave the grant.
const PROVIDER_CHANGED: &str = "provider_changed";

/// There is no application of that name.
pub(crate) fn no_application(id: &str) -> Diagnosis {
    Diagnosis::new(
        APPLICATION_MISSING,
        "The settings have no such application",
        format!("the settings have no application `{id}`"),
        &[
            &format!(
                "Put the [[application]] with id = \"{id}\" back into the settings and start the gateway again: its accounts go on by themselves, nothing of them is lost."
            ),
            "Or delete the account.",
        ],
    )
}

impl Registration {
    /// Whether the account is one that this application takes, by what is known without asking anybody.
    ///
    /// # Errors
    /// What the settings have against it.
    pub(crate) fn admit(&self, account: &Account) -> Result<(), Box<Diagnosis>> {
        let known = account.tenant.as_deref();
        let told = || account.identity.as_ref()?.tenant_id.as_deref();
        self.admit_authority(account)?;
        self.admit_tenant(known.or_else(told))
    }

    /// Whether the application takes mailboxes of that tenant. `None`: of its own, or of one that nobody knows.
    ///
    /// # Errors
    /// What the settings have against it.
    pub(crate) fn admit_tenant(&self, tenant: Option<&str>) -> Result<(), Box<Diagnosis>> {
        let application = &self.application;
        let id = &application.id;
        let own = self.own();
        if let (Some(tenant), Some(configured)) = (tenant, self.configured())
            && !takes(configured, tenant)
        {
            return Err(elsewhere(application, tenant, configured));
        }
        // By its domain alone no list of ids knows it; the operator has named it all the same.
        let Some(tenant) = tenant.or_else(|| own.filter(|own| is_guid(own))) else {
            return match own {
                None if !application.allowed_tenants.is_empty() => Err(not_allowed(
                    "nobody knows of which tenant the account is, and allowed_tenants names those that are taken"
                        .to_owned(),
                    "Let the person connect the mailbox again: then the tenant is known.".to_owned(),
                )),
                _ => Ok(()),
            };
        };
        if application.allows_tenant(tenant) {
            return Ok(());
        }
        Err(not_allowed(
            format!(
                "allowed_tenants of application `{id}` does not name tenant {tenant}, to which this belongs"
            ),
            format!(
                "Write {tenant} into allowed_tenants of application `{id}` and start the gateway again: its accounts go on by themselves, nothing of them is lost."
            ),
        ))
    }

    /// Whether a tenant's id is that of the tenant whose domain the settings name. Only the authority knows that; where it
    /// does not answer, what is asked of it next says more.
    ///
    /// # Errors
    /// That it is another's.
    pub(crate) async fn admit_by_domain(&self, tenant: &str) -> Result<(), Box<Diagnosis>> {
        let Some(own) = self.own().filter(|own| !is_guid(own)) else {
            return Ok(());
        };
        if !is_guid(tenant) {
            return Ok(());
        }
        match self.tenant_id(own).await {
            Ok(id) if is_guid(&id) && !id.eq_ignore_ascii_case(tenant) => {
                Err(elsewhere(&self.application, tenant, own))
            }
            _ => Ok(()),
        }
    }

    /// A grant is for the authority that gave it: another one would learn it, and call it dead.
    fn admit_authority(&self, account: &Account) -> Result<(), Box<Diagnosis>> {
        let application = &self.application;
        let (id, provider) = (&application.id, &application.provider);
        let (Some(identity), Some(now)) = (&account.identity, provider.endpoints.issuer()) else {
            return Ok(());
        };
        // Of several tenants' issuers the tenant is looked at by itself.
        let is_same = same(now, &identity.issuer, !provider.has_tenants());
        if is_same {
            return Ok(());
        }
        Err(Box::new(Diagnosis::new(
            PROVIDER_CHANGED,
            "The application is another authority's now",
            format!(
                "the account was connected at {}; application `{id}` of the settings belongs to {now}, to which nothing of it is sent",
                identity.issuer
            ),
            &[
                &format!(
                    "Set `provider` of application `{id}` (or the provider's issuer) back and start the gateway again: the account goes on by itself, nothing of it is lost."
                ),
                "Or let the person connect the mailbox again, at the new authority.",
            ],
        )))
    }

    /// The one tenant that the application is for, where it is for one.
    pub(super) fn own(&self) -> Option<&str> {
        self.configured().filter(|own| !self.is_many(own))
    }

    fn configured(&self) -> Option<&str> {
        let provider = &self.application.provider;
        let named = self.application.tenant.as_deref();
        named
            .or(provider.default_tenant.as_deref())
            .filter(|_| provider.has_tenants())
    }
}

/// Whether `tenant = "…"` takes the tenant of that id, as far as the words tell: of a domain they do not.
fn takes(configured: &str, tenant: &str) -> bool {
    let is = |word: &str| configured.eq_ignore_ascii_case(word);
    let is_personal = tenant.eq_ignore_ascii_case(PERSONAL);
    if is("consumers") || is(PERSONAL) {
        return is_personal || !is_guid(tenant);
    }
    if is("organizations") {
        return !is_personal;
    }
    !is_guid(configured) || !is_guid(tenant) || is(tenant)
}

/// Whether two issuers are one authority. A port is no other authority.
fn same(one: &str, other: &str, by_path: bool) -> bool {
    let parsed = |issuer: &str| {
        // Google leaves the scheme out.
        let whole = if issuer.contains("://") {
            Url::parse(issuer)
        } else {
            Url::parse(&format!("https://{issuer}"))
        };
        let whole = whole.ok()?;
        let path = whole.path().trim_end_matches('/').to_owned();
        Some((whole.host_str()?.to_owned(), path))
    };
    match (parsed(one), parsed(other)) {
        (Some((host, path)), Some((other_host, other_path))) => {
            host == other_host && (!by_path || path == other_path)
        }
        _ => one == other,
    }
}

fn elsewhere(application: &Application, tenant: &str, configured: &str) -> Box<Diagnosis> {
    let id = &application.id;
    not_allowed(
        format!(
            "`tenant` of application `{id}` is {configured}, which does not take tenant {tenant}, to which this belongs"
        ),
        format!(
            "Set `tenant` of application `{id}` back to what takes {tenant} and start the gateway again: its accounts go on by themselves, nothing of them is lost."
        ),
    )
}

fn not_allowed(seen: String, mend: String) -> Box<Diagnosis> {
    Box::new(Diagnosis::new(
        TENANT_NOT_ALLOWED,
        "The settings do not take the account's tenant",
        seen,
        &[
            &mend,
            "Or delete what is connected of that tenant, if it is not to come back.",
        ],
    ))
}

#[cfg(test)]
mod tests;
