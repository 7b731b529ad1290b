//! The operator's applications, each with the client that speaks for it.

use mailgrant_oauth::{Client, Error};

use crate::{diagnosis::Asked, settings::Application};

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

    /// Who asks, for the words of a diagnosis.
    pub(crate) const fn asked<'a>(&'a self, tenant: Option<&'a str>) -> Asked<'a> {
        Asked {
            application: &self.application,
            tenant,
            client: Some(&self.client),
        }
    }
}
