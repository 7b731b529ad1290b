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
            unknown => Err(Self::unknown(authority, unknown)),
        }
    }

    fn unknown(authority: &Authority, name: &str) -> Problem {
        let tenant = authority.directory.tenant();
        if let Some(foreign) = tenant.policies.foreign_tenant(name) {
            let here = "microsoftonline.com";
            return tenant::NATIONAL_CLOUD.with([name, &foreign.cloud, here, &foreign.cloud]);
        }
        match name.contains('.') || uuid::Uuid::try_parse(name).is_ok() {
            true => tenant::NOT_FOUND.with([name]),
            false => tenant::NOT_A_NAME.with([name]),
        }
    }

    /// The application of that id, if it may be used under this segment.
    pub(crate) fn application(
        self,
        authority: &Authority,
        client_id: &str,
    ) -> Result<Application, Problem> {
        let tenant = authority.directory.tenant();
        let found = tenant.application(client_id).ok_or_else(|| match self {
            Self::Consumers => application::NOT_FOUND.with([client_id, "Personal accounts"]),
            Self::Organizations => application::NOT_INSTALLED.with([client_id]),
            _ => application::NOT_FOUND.with([client_id, &tenant.display_name]),
        })?;
        let named = [found.client_id.as_str(), found.display_name.as_str()];
        if !found.enabled {
            return Err(application::DISABLED.with(named));
        }
        if found.conditions.sign_in_disabled {
            return Err(application::DISABLED_HERE.with([&found.display_name]));
        }
        if self == Self::Consumers && found.audience != Audience::AnyOrganizationAndPersonal {
            return Err(application::NOT_FOR_CONSUMERS.with(named));
        }
        if self == Self::Common && found.conditions.organizations_only {
            return Err(application::NOT_ON_COMMON.with(named));
        }
        if self != Self::Named && found.audience == Audience::MyOrganization {
            return Err(application::SINGLE_TENANT.with(named));
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
