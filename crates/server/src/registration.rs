//! The operator's applications, each with the client that speaks for it.

mod admission;

use mailgrant_core::discovery::is_guid;
use mailgrant_oauth::{Client, Error, ErrorKind};

pub(crate) use self::admission::{TENANT_NOT_ALLOWED, no_application};
use crate::{diagnosis::Asked, problem::Problem, settings::Application, tokens};

/// An application and the client that speaks for it.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) application: Application,
    client: Client,
}

impl Registration {
    pub(crate) const fn new(application: Application, client: Client) -> Self {
        Self {
            application,
            client,
        }
    }

    /// The client that asks the authority of that tenant; `None`: of the application's own.
    ///
    /// # Errors
    /// When this is no name of a tenant. A provider that has none is asked as ever.
    pub(crate) fn client(&self, tenant: Option<&str>) -> Result<Client, Error> {
        match tenant {
            Some(tenant) => self.client.in_tenant(tenant),
            None => Ok(self.client.clone()),
        }
    }

    /// The tenant of a mailbox that the application opens by itself, as it is kept: the tenant's id where the authority
    /// tells it, so that a domain and an id are one tenant and share one token. `None`: the application's own.
    ///
    /// # Errors
    /// When the authority has no tenants, this is not the name of one, or the application is another tenant's.
    pub(crate) async fn tenant(&self, given: Option<&str>) -> Result<Option<String>, Problem> {
        let application = &self.application;
        let provider = &application.provider;
        if !provider.has_tenants() {
            return match given {
                Some(_) => Err(wrong(format!(
                    "the provider of application `{}` has no tenants; leave it out",
                    application.id
                ))),
                None => Ok(None),
            };
        }
        let own = self.own();
        let Some(given) = given else {
            return match own {
                Some(own) => self.check_own(own).map(|()| None),
                None => Err(wrong(format!(
                    "application `{}` serves many tenants: give the id or a domain of the mailbox's",
                    application.id
                ))),
            };
        };
        if self.is_many(given) {
            return Err(wrong(
                "must be the id or a domain of one tenant: an application's own access belongs to one",
            ));
        }
        if let Some(own) = own.filter(|own| own.eq_ignore_ascii_case(given)) {
            return self.check_own(own).map(|()| None);
        }
        let id = self.tenant_id(given).await?;
        match own {
            None => self.check_allowed(&id).map(|()| Some(id)),
            Some(own) if self.tenant_id(own).await? == id => Ok(None),
            Some(own) => Err(wrong(format!(
                "application `{}` is registered for tenant {own} only; leave it out, or use an application whose `tenant` is organizations",
                application.id
            ))),
        }
    }

    /// The application's own tenant is on the list where there is one; a list of ids does not know it by its domain.
    fn check_own(&self, own: &str) -> Result<(), Problem> {
        if is_guid(own) {
            self.check_allowed(own)
        } else {
            Ok(())
        }
    }

    /// The operator's list of tenants is for mailboxes without a person, too.
    fn check_allowed(&self, tenant: &str) -> Result<(), Problem> {
        let application = &self.application;
        if application.allows_tenant(tenant) {
            return Ok(());
        }
        Err(wrong(format!(
            "application `{}` takes no mailboxes of {tenant}: allowed_tenants in its settings does not name it",
            application.id
        )))
    }

    /// The tenant's id, as its authority calls itself; what was given, where it has no such name.
    async fn tenant_id(&self, tenant: &str) -> Result<String, Problem> {
        let refused = |error: Error| match error.kind() {
            // Not even asked: a slash or the like.
            ErrorKind::Configuration => wrong(error.to_string()),
            _ => tokens::Error::of(&error, &self.asked(Some(tenant))).into(),
        };
        let metadata = self.client(Some(tenant)).map_err(refused)?.metadata().await;
        let issuer = metadata.map_err(refused)?.issuer.clone();
        let template = self.application.provider.endpoints.issuer();
        let id = issuer
            .as_deref()
            .zip(template)
            .and_then(|(issuer, template)| {
                let (before, after) = template.split_once(TENANT)?;
                issuer.strip_prefix(before)?.strip_suffix(after)
            });
        Ok(id.unwrap_or(tenant).to_ascii_lowercase())
    }

    fn is_many(&self, tenant: &str) -> bool {
        self.application.provider.is_tenant_alias(tenant)
            || MANY.iter().any(|many| many.eq_ignore_ascii_case(tenant))
    }

    /// Who asks, for the words of a diagnosis.
    pub(crate) const fn asked<'a>(&'a self, tenant: Option<&'a str>) -> Asked<'a> {
        Asked {
            application: &self.application,
            tenant,
            client: Some(&self.client),
        }
    }
}

fn wrong(detail: impl Into<String>) -> Problem {
    Problem::field("tenant", detail)
}

/// What stands in the place of the tenant's name in an issuer.
const TENANT: &str = "{tenant}";
/// Entra's words for many tenants, wherever an authority is like Entra.
const MANY: [&str; 4] = ["common", "organizations", "consumers", PERSONAL];
/// The tenant of all personal accounts at Entra.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
