//! Whether a person may use an application now, in this way: the state of the account, then the organization's
//! policies.

use serde_json::json;

use super::problem::{Problem, application, person, policy, scope, service, timestamp};
use super::state::Authority;
use crate::directory::{
    Application, ConditionalAccess, Grant, RefreshTokenGrant, Resource, ResourceState, SignInFlow,
    Tenant, User,
};
use mailgrant_core::time::UnixTime;

/// Somebody who wants to use an application.
pub(crate) struct Visit<'a> {
    pub application: &'a Application,
    pub person: &'a User,
    pub flow: SignInFlow,
    /// The API that the token is for.
    pub audience: &'a str,
    /// When the person last did a second step.
    pub second_step_at: Option<UnixTime>,
}

impl Visit<'_> {
    /// # Errors
    ///
    /// What stands in the way; see [`second_step_mends`].
    pub(crate) fn check(&self, authority: &Authority) -> Result<(), Problem> {
        let tenants = authority.directory.tenants();
        let tenant = tenants.of(self.person);
        check_account(tenant, self.application, self.person)?;
        let application = tenants.application_in(tenant, &self.application.client_id);
        let application = application.as_ref().unwrap_or(self.application);
        if application.conditions.sign_in_disabled {
            return Err(application::DISABLED_HERE.with([&application.display_name]));
        }
        if self.person.sign_in.risky {
            return Err(policy::SUSPICIOUS.with(["Unknown"]));
        }
        self.check_assignment(application)?;
        if tenant.policies.security_defaults && self.flow == SignInFlow::Password {
            return Err(policy::SECURITY_DEFAULTS.problem());
        }
        let mut demanding = None;
        for rule in tenant.conditional_access(self.application, Some(self.person), self.flow) {
            match refusal(rule) {
                Some(problem) => return Err(problem),
                None => demanding = demanding.or(Some(rule)),
            }
        }
        if demanding.is_some() || self.person.sign_in.mfa.is_required() {
            self.check_second_step(tenant, authority.now(), demanding)?;
        }
        Ok(())
    }

    /// `application` is as the person's tenant has it.
    fn check_assignment(&self, application: &Application) -> Result<(), Problem> {
        let conditions = &application.conditions;
        let assigned = conditions
            .assigned
            .iter()
            .any(|name| self.person.is_called(name));
        if conditions.assignment_required && !assigned {
            return Err(person::NOT_ASSIGNED.with([
                &self.application.display_name,
                &self.application.client_id,
                &self.person.user_principal_name,
            ]));
        }
        Ok(())
    }

    fn check_second_step(
        &self,
        tenant: &Tenant,
        now: UnixTime,
        demanding: Option<&ConditionalAccess>,
    ) -> Result<(), Problem> {
        let problem = match (self.person.sign_in.mfa.is_set_up(), self.second_step_at) {
            (false, _) if self.person.sign_in.home.is_some() => foreign(
                &person::GUEST_SECOND_STEP,
                tenant,
                self.application,
                self.person,
            ),
            (false, _) if self.flow == SignInFlow::Browser => {
                person::SECOND_STEP_ENROLMENT.with([self.audience])
            }
            (false, _) => person::SECOND_STEP_UNKNOWN.with([self.audience]),
            (true, None) => person::SECOND_STEP.with([self.audience]),
            (true, Some(at)) => {
                let hours = tenant.policies.mfa_lifetime_hours;
                if hours.is_none_or(|hours| now.since(at) < hours_long(hours)) {
                    return Ok(());
                }
                person::SECOND_STEP_EXPIRED.with([self.audience])
            }
        };
        Err(match demanding {
            Some(rule) => problem.with_claims(challenge(rule)),
            None => problem,
        })
    }
}

/// Whether a second step would help, where there are pages.
pub(crate) fn second_step_mends(problem: &Problem) -> bool {
    problem.is(&person::SECOND_STEP) || problem.is(&person::SECOND_STEP_EXPIRED)
}

/// The state of the account by itself: what a right password does not help against.
pub(crate) fn check_account(
    tenant: &Tenant,
    application: &Application,
    person: &User,
) -> Result<(), Problem> {
    if person.sign_in.home.is_some() && !person.sign_in.guest {
        return Err(foreign(
            &person::OF_OTHER_PROVIDER,
            tenant,
            application,
            person,
        ));
    }
    if !person.enabled {
        return Err(person::DISABLED.problem());
    }
    if person.sign_in.locked {
        return Err(person::LOCKED.problem());
    }
    Ok(())
}

/// What is asked of a refresh token besides: that its sign-in is not too long ago.
pub(crate) fn check_age(authority: &Authority, grant: &RefreshTokenGrant) -> Result<(), Problem> {
    let hours = authority
        .directory
        .tenant()
        .policies
        .sign_in_frequency_hours;
    match hours {
        Some(hours) if authority.now().since(grant.first_issued_at) >= hours_long(hours) => {
            let seconds = u64::from(hours).saturating_mul(3600);
            Err(policy::SIGN_IN_FREQUENCY
                .with([&timestamp(grant.first_issued_at), &seconds.to_string()]))
        }
        _ => Ok(()),
    }
}

/// An application by itself: Conditional Access for workload identities.
pub(crate) fn check_workload(tenant: &Tenant, asking: &Application) -> Result<(), Problem> {
    let refused = tenant
        .conditional_access(asking, None, SignInFlow::ClientCredentials)
        .find_map(refusal);
    refused.map_or(Ok(()), Err)
}

/// Whether an API is there.
pub(crate) fn check_resource(
    tenant: &Tenant,
    asking: &Application,
    resource: Resource,
) -> Result<(), Problem> {
    match tenant.policies.resource(resource) {
        None => Ok(()),
        Some(ResourceState::Disabled) => {
            Err(scope::RESOURCE_DISABLED.with([resource.application_id()]))
        }
        Some(ResourceState::NotSubscribed) => Err(application::RESOURCE_NOT_SUBSCRIBED.with([
            resource.application_id(),
            resource.display_name(),
            &tenant.display_name,
        ])),
        Some(ResourceState::Removed) => {
            Err(application::RESOURCE_REMOVED
                .with([&asking.display_name, resource.application_id()]))
        }
    }
}

/// Whether the organization is being throttled.
pub(crate) fn check_load(tenant: &Tenant) -> Result<(), Problem> {
    match tenant.policies.throttled {
        true => Err(service::TOO_MANY_REQUESTS.problem()),
        false => Ok(()),
    }
}

/// What a policy says to a server, which is no device; nothing when it wants a second step.
fn refusal(rule: &ConditionalAccess) -> Option<Problem> {
    let problem = match rule.grant {
        Grant::Mfa => return None,
        Grant::Block => policy::BLOCKED.problem(),
        Grant::SecurityPolicy => policy::SECURITY_POLICY.problem(),
        Grant::CompliantDevice => policy::DEVICE_NOT_COMPLIANT.with(["unregistered"]),
        Grant::JoinedDevice => policy::DEVICE_NOT_JOINED.with(["unregistered"]),
        Grant::ApprovedApplication => policy::APPLICATION_NOT_APPROVED.problem(),
        Grant::KnownDevice => policy::DEVICE_REQUIRED.problem(),
        Grant::RegisteredDevice => policy::DEVICE_NOT_REGISTERED.problem(),
    };
    Some(problem.with_claims(challenge(rule)))
}

/// The claims that a new sign-in must carry to satisfy a policy.
fn challenge(rule: &ConditionalAccess) -> String {
    let policies = json!({"essential": true, "values": [rule.id()]});
    json!({"access_token": {"capolids": policies}}).to_string()
}

fn foreign(
    kind: &'static super::problem::Kind,
    tenant: &Tenant,
    application: &Application,
    person: &User,
) -> Problem {
    let home = person.sign_in.home.as_deref().unwrap_or_default();
    kind.with([
        &person.address,
        home,
        &tenant.display_name,
        &application.client_id,
        &application.display_name,
    ])
}

fn hours_long(hours: u32) -> std::time::Duration {
    std::time::Duration::from_secs(u64::from(hours).saturating_mul(3600))
}
