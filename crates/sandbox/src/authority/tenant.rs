//! The first segment of every path: which tenant, or which kind of account.

use super::problem::{Problem, application, person, tenant};
use super::state::Authority;
pub(crate) use crate::directory::PERSONAL_TENANT as CONSUMERS;
use crate::directory::{Application, Audience, Tenant, User};

/// What `{tenant}` in a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TenantSegment {
    /// The sandbox's tenant, by GUID or domain.
    Named,
    /// `common`: work and personal accounts.
    Common,
    /// `organizations`: work accounts.
    Organizations,
    /// `consumers`: personal accounts.
    Consumers,
}

impl TenantSegment {
    pub(crate) fn parse(authority: &Authority, segment: &str) -> Result<Self, Problem> {
        match segment {
            "common" => Ok(Self::Common),
            "organizations" => Ok(Self::Organizations),
            "consumers" | CONSUMERS => Ok(Self::Consumers),
            named if authority.directory.tenant().is_named(named) => Ok(Self::Named),
            unknown => Err(tenant::NOT_FOUND.with([unknown])),
        }
    }

    /// The application of that id, if it may be used under this segment.
    pub(crate) fn application(
        self,
        authority: &Authority,
        client_id: &str,
    ) -> Result<Application, Problem> {
        let tenant = authority.directory.tenant();
        let directory = match self {
            Self::Consumers => "Personal accounts".to_owned(),
            _ => tenant.display_name.clone(),
        };
        let found = tenant
            .application(client_id)
            .filter(|application| {
                self != Self::Consumers
                    || application.audience == Audience::AnyOrganizationAndPersonal
            })
            .ok_or_else(|| application::NOT_FOUND.with([client_id, &directory]))?;
        if !found.enabled {
            return Err(application::DISABLED.with([&found.client_id, &found.display_name]));
        }
        if self != Self::Named && found.audience == Audience::MyOrganization {
            return Err(application::SINGLE_TENANT.with([&found.client_id, &found.display_name]));
        }
        Ok(found.clone())
    }

    /// Whether a person may sign in to the application under this segment.
    pub(crate) fn admits(
        self,
        tenant: &Tenant,
        application: &Application,
        user: &User,
    ) -> Result<(), Problem> {
        let wide = application.audience == Audience::AnyOrganizationAndPersonal;
        match (user.personal, self) {
            (false, Self::Consumers) => Err(person::ACCOUNT_TYPE.problem()),
            (false, _) => Ok(()),
            (true, Self::Common | Self::Consumers) if wide => Ok(()),
            (true, _) => Err(person::OF_OTHER_PROVIDER.with([
                &user.address,
                "live.com",
                &tenant.display_name,
                &application.client_id,
                &application.display_name,
            ])),
        }
    }
}
