//! What the organization demands, and what is the matter with an account or an application.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::application::Application;
use super::permission::Resource;
use super::tenant::{Tenant, User};

/// `[policies]`: what the organization demands of everybody. Nothing, when it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policies {
    /// Whether signing in with a password alone is forbidden to programs (AADSTS530035).
    pub security_defaults: bool,
    /// Whether people who may not agree can ask their administrators to (AADSTS90095 instead of 90094).
    pub consent_workflow: bool,
    /// After how many hours people must sign in again (AADSTS70043).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in_frequency_hours: Option<u32>,
    /// How many hours a second step counts (AADSTS50078).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_lifetime_hours: Option<u32>,
    /// How many equal token requests in five minutes are taken for a loop (AADSTS50196; Entra speaks of 15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loop_detection: Option<u32>,
    /// Whether the whole organization is being throttled (AADSTS90055, status 429).
    pub throttled: bool,
    /// APIs, by URI, that are not simply there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, ResourceState>,
    /// Organizations of other clouds that are known by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foreign_tenants: Vec<ForeignTenant>,
}

/// What is the matter with an API in this tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// Its service principal is switched off (AADSTS500014).
    Disabled,
    /// The organization has no subscription to it (AADSTS650052).
    NotSubscribed,
    /// It was removed (AADSTS650054).
    Removed,
}

/// An organization in another cloud (AADSTS90038).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignTenant {
    /// Its domain or GUID.
    pub name: String,
    /// Its cloud, such as `microsoftonline.us`.
    pub cloud: String,
}

/// `[[conditional_access]]`: a Conditional Access policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionalAccess {
    /// Its name, by which it is found.
    pub name: String,
    /// Client ids of the applications it is for; all when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
    /// Addresses of the people it is for; everybody when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// The ways of signing in it is for; all that have a person when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<SignInFlow>,
    /// What it demands.
    pub grant: Grant,
}

/// A way to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInFlow {
    /// The pages.
    Browser,
    /// A refresh token.
    Refresh,
    /// A device code.
    DeviceCode,
    /// A password sent by a program.
    Password,
    /// An application by itself.
    ClientCredentials,
}

/// What a Conditional Access policy demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Nobody passes (AADSTS53003).
    Block,
    /// Nobody passes, for the organization's security policy (AADSTS530032).
    SecurityPolicy,
    /// A second step (AADSTS50072, 50076, 50079).
    Mfa,
    /// A device that is managed and compliant (AADSTS53000).
    CompliantDevice,
    /// A device of the organization's domain (AADSTS53001).
    JoinedDevice,
    /// One of the approved applications (AADSTS53002).
    ApprovedApplication,
    /// A device that proves itself (AADSTS50097).
    KnownDevice,
    /// A device that is registered (AADSTS50129).
    RegisteredDevice,
}

/// `[[user]] sign_in = { … }`: what is the matter with an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConditions {
    /// The second step.
    pub mfa: Mfa,
    /// Locked after too many wrong passwords (AADSTS50053).
    pub locked: bool,
    /// Its sign-ins look suspicious (AADSTS50131).
    pub risky: bool,
    /// The password must be changed first (AADSTS50055).
    pub password_expired: bool,
    /// It comes from the organization's own Active Directory (an expired password is AADSTS50144).
    pub synchronized: bool,
    /// It has no password (AADSTS50056).
    pub no_password: bool,
    /// The identity provider it belongs to, such as `live.com`, when that is not this tenant (AADSTS50020).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Whether an account of elsewhere was invited here.
    pub guest: bool,
}

/// Whether an account has a second step, and whether one is demanded of it whatever the policies say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// Not set up, not demanded.
    #[default]
    None,
    /// Set up.
    Enrolled,
    /// Set up and demanded (AADSTS50076 where there is no page).
    Required,
    /// Demanded and not set up (AADSTS50072 in a browser, 50079 elsewhere).
    RequiredEnrollment,
}

/// `[[application]] conditions = { … }`: what is the matter with an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApplicationConditions {
    /// Only people to whom it is assigned may use it (AADSTS50105).
    pub assignment_required: bool,
    /// The addresses of those people.
    pub assigned: Vec<String>,
    /// It looks risky, so that only administrators may agree (AADSTS900941).
    pub risky: bool,
    /// It was registered before `common` took applications of organizations (AADSTS90130).
    pub organizations_only: bool,
    /// Its enterprise application is not enabled for sign-in (AADSTS1000031).
    pub sign_in_disabled: bool,
    /// Permission ids that its registration lists and the API does not have (AADSTS65006).
    pub unknown_permissions: Vec<String>,
}

impl Mfa {
    /// Whether the person can do a second step.
    #[must_use]
    pub fn is_set_up(self) -> bool {
        matches!(self, Self::Enrolled | Self::Required)
    }

    /// Whether one is demanded whatever the policies say.
    #[must_use]
    pub fn is_required(self) -> bool {
        matches!(self, Self::Required | Self::RequiredEnrollment)
    }
}

impl ConditionalAccess {
    /// Whether it is for this.
    #[must_use]
    pub fn applies(
        &self,
        application: &Application,
        person: Option<&User>,
        flow: SignInFlow,
    ) -> bool {
        let of_application = self.applications.is_empty()
            || self
                .applications
                .iter()
                .any(|id| id.eq_ignore_ascii_case(&application.client_id));
        let of_person = match person {
            Some(person) => {
                self.users.is_empty() || self.users.iter().any(|name| person.is_called(name))
            }
            None => self.users.is_empty(),
        };
        let of_flow = match self.flows.is_empty() {
            true => flow != SignInFlow::ClientCredentials,
            false => self.flows.contains(&flow),
        };
        of_application && of_person && of_flow
    }

    /// The policy's id, as a claims challenge names it.
    #[must_use]
    pub fn id(&self) -> String {
        super::guid::derived_guid("", "conditional access", &self.name)
    }
}

impl Policies {
    /// What is the matter with an API.
    #[must_use]
    pub fn resource(&self, resource: Resource) -> Option<ResourceState> {
        self.resources
            .iter()
            .find(|(uri, _)| Resource::find(uri).is_some_and(|(found, _)| found == resource))
            .map(|(_, state)| *state)
    }

    /// The organization of another cloud of that name.
    #[must_use]
    pub fn foreign_tenant(&self, name: &str) -> Option<&ForeignTenant> {
        self.foreign_tenants
            .iter()
            .find(|foreign| foreign.name.eq_ignore_ascii_case(name))
    }
}

impl Tenant {
    /// The Conditional Access policies that are for this, in order.
    pub fn conditional_access<'a>(
        &'a self,
        application: &'a Application,
        person: Option<&'a User>,
        flow: SignInFlow,
    ) -> impl Iterator<Item = &'a ConditionalAccess> {
        self.conditional_access
            .iter()
            .filter(move |policy| policy.applies(application, person, flow))
    }
}
