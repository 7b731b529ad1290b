//! Whose people an application takes: of one organisation, of many, personal ones.

use mailgrant_core::token::ErrorResponse;
use mailgrant_oauth::{ErrorKind, IdTokenProblem};

use crate::{
    diagnosis::{self, Diagnosis},
    settings::Application,
};

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

/// The same of a refusal.
pub(super) fn refused(refusal: &ErrorResponse, application: &Application) -> Option<Diagnosis> {
    let numbers = diagnosis::numbers(refusal);
    let said = refusal
        .error_description
        .as_deref()
        .and_then(|text| text.lines().next())
        .unwrap_or("nothing more");
    numbers
        .iter()
        .any(|number| ELSEWHERE.contains(number))
        .then(|| Diagnosis {
            error_codes: numbers,
            ..elsewhere(application, &format!("the authority said: {}", said.trim()))
        })
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
/// AADSTS numbers: of another provider or organisation, never added here, the wrong kind of account.
const ELSEWHERE: [u32; 6] = [50_020, 16_000, 16_003, 51_004, 90_072, 500_208];
