//! Federated identity credentials: the token of another issuer stands for the application.

use super::issuer::IssuerKeys;
use super::{Assertion, Claims};
use crate::authority::problem::{Problem, assertion as problem};
use crate::authority::state::Authority;
use crate::authority::workload;
use crate::directory::{Application, FederatedCredential};

/// The credential whose issuer's keys must be fetched before the assertion can be checked: none where nothing is
/// trusted, or the keys are here.
pub(super) fn to_fetch(
    authority: &Authority,
    application: &Application,
    claims: &Claims,
) -> Option<FederatedCredential> {
    let credential = of_issuer(authority, application, &claims.iss).next()?;
    let known = credential.jwks.is_some() || is_own(authority, &claims.iss);
    (!known).then_some(credential)
}

/// Checks issuer, subject and audience exactly, then the signature.
pub(super) fn check(
    assertion: &Assertion,
    authority: &Authority,
    application: &Application,
) -> Result<(), Problem> {
    let claims = &assertion.claims;
    let trusted: Vec<FederatedCredential> =
        of_issuer(authority, application, &claims.iss).collect();
    if application.federated_credentials.is_empty() {
        return Err(problem::NO_FEDERATED_CREDENTIALS
            .with([&application.client_id, &application.display_name]));
    }
    if trusted.is_empty() {
        return Err(problem::FEDERATED_ISSUER.with([&claims.iss]));
    }
    let of_subject: Vec<&FederatedCredential> = trusted
        .iter()
        .filter(|credential| credential.subject == claims.sub)
        .collect();
    if of_subject.is_empty() {
        return Err(problem::FEDERATED_SUBJECT.with([&claims.sub]));
    }
    let credential = of_subject
        .into_iter()
        .find(|credential| claims.aud.list().contains(&credential.audience))
        .ok_or_else(|| problem::FEDERATED_AUDIENCE.with([&claims.aud.list().join(", ")]))?;
    let app_only = claims.idtyp.as_deref() == Some("app") && claims.scp.is_none();
    if is_tenant(authority, &claims.iss) && !app_only {
        return Err(problem::FEDERATED_TOKEN_KIND.problem());
    }
    let keys = match (&credential.jwks, &assertion.issuer_keys) {
        (Some(jwks), _) => IssuerKeys::parse(jwks.clone())?,
        (None, _) if is_own(authority, &claims.iss) => IssuerKeys::own(authority)?,
        (None, Some(fetched)) => fetched.clone()?,
        (None, None) => return Err(problem::FEDERATED_DISCOVERY.problem()),
    };
    let kid = assertion.header.kid.as_deref().unwrap_or_default();
    let key = keys
        .find(kid, assertion.header.alg)
        .ok_or_else(|| problem::FEDERATED_KEY_NOT_FOUND.with([kid, &claims.iss]))?;
    if !assertion.is_signed_by(&key) {
        return Err(problem::FEDERATED_SIGNATURE.problem());
    }
    assertion.check_time(authority.now())
}

/// The application's credentials of that issuer, with this sandbox's address put in.
fn of_issuer(
    authority: &Authority,
    application: &Application,
    issuer: &str,
) -> impl Iterator<Item = FederatedCredential> {
    application
        .federated_credentials
        .iter()
        .map(|credential| FederatedCredential {
            issuer: credential
                .issuer
                .replace("{authority}", &authority.addresses.plain),
            ..credential.clone()
        })
        .filter(move |credential| credential.issuer == issuer)
}

/// Whether the issuer is this sandbox, whose keys need not be fetched.
fn is_own(authority: &Authority, issuer: &str) -> bool {
    is_tenant(authority, issuer) || issuer == workload::issuer(authority)
}

fn is_tenant(authority: &Authority, issuer: &str) -> bool {
    let Authority { addresses, .. } = authority;
    authority.directory.tenants().organizations().any(|tenant| {
        issuer == tenant.access_token_issuer()
            || [&addresses.plain, &addresses.tls]
                .iter()
                .any(|base| issuer == format!("{base}/{}/v2.0", tenant.id))
    })
}
