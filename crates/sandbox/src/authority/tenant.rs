//! The first segment of every path: which tenant, or which kind of account.

use super::problem::{Problem, application, person, tenant};
use super::state::Authority;
pub(crate) use crate::directory::PERSONAL_TENANT as CONSUMERS;
use crate::directory::{Application, Audience, Tenant, Tenants, User};

/// What `{tenant}` in a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TenantSegment {
    /// An organization, by GUID or domain; this is the GUID.
    Named(String),
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
            named => {
                let tenants = authority.directory.tenants();
                match tenants.named(named) {
                    Some(tenant) => Ok(Self::Named(tenant.id.clone())),
                    None => Err(Self::unknown(&tenants, named)),
                }
            }
        }
    }

    fn unknown(tenants: &Tenants, name: &str) -> Problem {
        let mut organizations = tenants.organizations();
        if let Some(foreign) = organizations.find_map(|known| known.policies.foreign_tenant(name)) {
            let here = "microsoftonline.com";
            return tenant::NATIONAL_CLOUD.with([name, &foreign.cloud, here, &foreign.cloud]);
        }
        match name.contains('.') || uuid::Uuid::try_parse(name).is_ok() {
            true => tenant::NOT_FOUND.with([name]),
            false => tenant::NOT_A_NAME.with([name]),
        }
    }

    /// The tenant that it names. As long as nobody has signed in at an address for everybody, that is the first.
    pub(crate) fn tenant<'t>(&self, tenants: &'t Tenants) -> &'t Tenant {
        match self {
            Self::Named(id) => tenants.named(id).unwrap_or(tenants.first()),
            Self::Consumers => tenants.personal(),
            Self::Common | Self::Organizations => tenants.first(),
        }
    }

    /// The issuer's part that says whose tokens come from here: a template where the person decides.
    pub(crate) fn issuing(&self) -> &str {
        match self {
            Self::Named(id) => id,
            Self::Consumers => CONSUMERS,
            Self::Common | Self::Organizations => "{tenantid}",
        }
    }

    /// The application of that id, if it may be used under this segment, as the tenant has it.
    pub(crate) fn application(
        &self,
        authority: &Authority,
        client_id: &str,
    ) -> Result<Application, Problem> {
        let tenants = authority.directory.tenants();
        let tenant = self.tenant(&tenants);
        let unknown = || match self {
            Self::Organizations => application::NOT_INSTALLED.with([client_id]),
            _ => application::NOT_FOUND.with([client_id, &tenant.display_name]),
        };
        let home = tenants.home_of(client_id).ok_or_else(unknown)?;
        let found = match self {
            Self::Named(_) => tenants.application_in(tenant, client_id),
            _ => tenants.application(client_id).cloned(),
        };
        let found = found.ok_or_else(unknown)?;
        let named = [found.client_id.as_str(), found.display_name.as_str()];
        let elsewhere = matches!(self, Self::Named(id) if *id != home.id);
        if elsewhere && found.audience == Audience::MyOrganization {
            return Err(unknown());
        }
        if !found.enabled {
            return Err(application::DISABLED.with(named));
        }
        if found.conditions.sign_in_disabled {
            return Err(application::DISABLED_HERE.with([&found.display_name]));
        }
        if *self == Self::Consumers && !found.audience.takes_personal_accounts() {
            return Err(application::NOT_FOR_CONSUMERS.with(named));
        }
        if *self != Self::Consumers && !found.audience.takes_organizations() {
            return Err(application::CONSUMERS_ONLY.with(named));
        }
        if *self == Self::Common && found.conditions.organizations_only {
            return Err(application::NOT_ON_COMMON.with(named));
        }
        if !matches!(self, Self::Named(_)) && found.audience == Audience::MyOrganization {
            return Err(application::SINGLE_TENANT.with(named));
        }
        Ok(found)
    }

    /// Whether a person may sign in to the application under this segment.
    pub(crate) fn admits(
        &self,
        tenants: &Tenants,
        application: &Application,
        user: &User,
    ) -> Result<(), Problem> {
        let wide = application.audience.takes_personal_accounts();
        let provider = match (user.is_personal(), self) {
            (false, Self::Consumers) => return Err(person::ACCOUNT_TYPE.problem()),
            (false, Self::Named(id)) if *id != user.tenant => {
                tenants.of(user).access_token_issuer()
            }
            (false, _) => return Ok(()),
            (true, Self::Common | Self::Consumers) if wide => return Ok(()),
            (true, _) => "live.com".to_owned(),
        };
        Err(person::OF_OTHER_PROVIDER.with([
            &user.address,
            &provider,
            &self.tenant(tenants).display_name,
            &application.client_id,
            &application.display_name,
        ]))
    }
}
