//! Whose people an application takes: of one organisation, of many, personal ones.

use mailgrant_oauth::{ErrorKind, IdTokenProblem};
use mailgrant_storage::{Account, ConnectSession};

use super::ending::Ending;
use crate::{diagnosis::Diagnosis, settings::Application, tokens::Registration};

/// What an error means that comes down to the person's belonging elsewhere.
pub(super) fn answered(kind: &ErrorKind, application: &Application) -> Option<Diagnosis> {
    match kind {
        // Signed by the authority, but in another tenant's name.
        ErrorKind::IdToken(IdTokenProblem::Issuer) if application.provider.has_tenants() => {
            Some(elsewhere(
                application,
                "the proof of identity is of another organisation",
            ))
        }
        _ => None,
    }
}

/// The tenant of whoever is to sign in: that of the account, or the one that has the domain of the address. The
/// authority knows whose domains are whose and tells everybody.
pub(super) async fn of_person(
    registration: &Registration,
    session: &ConnectSession,
    mended: Option<&Account>,
) -> Option<String> {
    if let Some(tenant) = mended.and_then(|account| account.tenant.clone()) {
        return Some(tenant);
    }
    if !["common", "organizations"].contains(&registration.client(None).ok()?.tenant()) {
        return None;
    }
    let (_, domain) = session.login_hint.as_deref()?.rsplit_once('@')?;
    let client = registration.client(Some(domain)).ok()?;
    let metadata = client.metadata().await.ok()?;
    let tenant = tenant_of(metadata.issuer.as_deref()?)?;
    (!tenant.contains('{')).then(|| tenant.to_owned())
}

/// `https://login.example.com/{tenant}/v2.0` -> the tenant.
pub(super) fn tenant_of(issuer: &str) -> Option<&str> {
    let (_, path) = issuer.split_once("://")?.1.split_once('/')?;
    path.strip_suffix("/v2.0")
        .filter(|tenant| !tenant.contains('/'))
}

/// Whether the operator takes people of that tenant.
pub(super) fn check_allowed(tenant: Option<&str>, application: &Application) -> Result<(), Ending> {
    if application.allows_tenant(tenant.unwrap_or_default()) {
        return Ok(());
    }
    let seen = match tenant {
        Some(tenant) => {
            format!("the account is of tenant {tenant}, which allowed_tenants does not name")
        }
        None => "the authority did not say of which tenant the account is".to_owned(),
    };
    Err(Diagnosis::new(
        "tenant_not_allowed",
        "The account belongs to another organisation",
        seen,
        &[
            "Sign in with an account of an organisation that the site takes.",
            "Or the operator adds the tenant's id to allowed_tenants of the application.",
        ],
    )
    .into())
}

fn elsewhere(application: &Application, seen: &str) -> Diagnosis {
    let tenant = application
        .tenant
        .as_deref()
        .or(application.provider.default_tenant.as_deref());
    let (taken, mend) = match tenant {
        Some("consumers") => ("a personal account".to_owned(), WIDER),
        Some("organizations") => ("a work or school account".to_owned(), WIDER),
        Some("common") | None => (
            "an account that the application takes".to_owned(),
            "Or the operator checks which accounts the registration supports.",
        ),
        Some(tenant) => (
            format!("an account of {tenant}"),
            "Or the operator lets the registration take accounts of any organisation, and sets tenant = \"organizations\".",
        ),
    };
    Diagnosis::new(
        "tenant_not_allowed",
        "The account belongs to another organisation",
        format!("this sign-in wants {taken}; {seen}"),
        &[&format!("Sign in with {taken}."), mend],
    )
}

const WIDER: &str = "Or the operator lets the registration take work and personal accounts, and sets tenant = \"common\".";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mailgrant_core::provider::Provider;

    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn the_tenant_is_read_from_an_issuer_of_its_form() {
        assert_eq!(
            tenant_of("https://login.example.com/contoso/v2.0"),
            Some("contoso")
        );
        for other in [
            "https://login.example.com",
            "https://login.example.com/v2.0",
            "https://login.example.com/a/b/v2.0",
        ] {
            assert_eq!(tenant_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_proof_of_another_tenant_is_no_broken_proof() {
        for (tenant, wanted) in [
            (Some("contoso.com"), "an account of contoso.com"),
            (Some("organizations"), "a work or school account"),
            (Some("consumers"), "a personal account"),
            (None, "a work or school account"),
        ] {
            let application = Application {
                provider: Arc::new(Provider::preset("microsoft365").unwrap()),
                tenant: tenant.map(str::to_owned),
                ..fixture::application("openid")
            };
            let diagnosis = answered(&ErrorKind::IdToken(IdTokenProblem::Issuer), &application);
            let diagnosis = diagnosis.unwrap();
            assert_eq!(diagnosis.code, "tenant_not_allowed");
            assert!(diagnosis.detail.contains(wanted), "{diagnosis:?}");
        }
        let elsewhere = fixture::application("openid");
        let issuer = ErrorKind::IdToken(IdTokenProblem::Issuer);
        assert_eq!(answered(&issuer, &elsewhere), None, "it has no tenants");
    }
}
