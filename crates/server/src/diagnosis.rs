//! What went wrong, what it means and how to mend it, in the words shown to people.
//!
//! The one seam through which faults of the authority and the mail server become diagnoses.

#[cfg(test)]
mod fixture;
mod mailbox;

use mailgrant_core::token::ErrorResponse;
use mailgrant_oauth::ErrorKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::settings::Application;

pub(crate) use self::mailbox::{Login, is_mail_servers, mail_server, unusable};

/// Why something does not work, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diagnosis {
    /// Stable; programs decide on it.
    pub code: String,
    /// The finding in one line.
    pub title: String,
    /// What was seen.
    pub detail: String,
    /// What to do, in order.
    #[serde(default)]
    pub remedy: Vec<String>,
    /// The link by which an administrator agrees for the whole tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_consent_url: Option<String>,
    /// The authority's own numbers (`AADSTS…`), to look up or to give to its support.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error_codes: Vec<u32>,
}

impl Diagnosis {
    /// A finding.
    pub fn new(code: &str, title: &str, detail: impl Into<String>, remedy: &[&str]) -> Self {
        Self {
            code: code.to_owned(),
            title: title.to_owned(),
            detail: detail.into(),
            remedy: remedy.iter().map(|&step| step.to_owned()).collect(),
            admin_consent_url: None,
            error_codes: Vec::new(),
        }
    }

    /// As it is stored beside an account or a connect session.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        // A struct of strings and numbers always serialises.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads what [`Diagnosis::to_json`] wrote.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }
}

/// Who asked the authority, so that a remedy can name it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) application: &'a Application,
    /// The tenant that was asked, when it is not the application's own.
    pub(crate) tenant: Option<&'a str>,
}

/// The tenant's rules stop the person: an administrator must agree first.
///
/// Decided on `error`; the numbers are looked at only where the authority says no more than `access_denied`.
pub(crate) fn needs_admin_consent(refusal: &ErrorResponse) -> bool {
    const ADMIN: [u32; 5] = [90_094, 90_095, 90_093, 900_941, 65_001];
    match refusal.error.as_str() {
        "consent_required" => true,
        "interaction_required"
        | "access_denied"
        | "invalid_grant"
        | "invalid_request"
        | "unauthorized_client" => numbers(refusal).iter().any(|number| ADMIN.contains(number)),
        _ => false,
    }
}

/// The grant is dead: only the person can renew it. Decided on `error` alone (RFC 6749 §5.2, OpenID Connect Core §3.1.2.6).
pub(crate) fn needs_reauthentication(refusal: &ErrorResponse) -> bool {
    matches!(
        refusal.error.as_str(),
        "invalid_grant"
            | "interaction_required"
            | "consent_required"
            | "login_required"
            | "account_selection_required"
    )
}

/// The authority asks to come back later, in the form of a refusal.
pub(crate) fn is_passing(refusal: &ErrorResponse) -> bool {
    matches!(
        refusal.error.as_str(),
        "temporarily_unavailable" | "server_error" | "slow_down"
    )
}

/// `error_codes`, or what is written as `AADSTSnnnnn` in the description of a redirect.
pub(crate) fn numbers(refusal: &ErrorResponse) -> Vec<u32> {
    if !refusal.error_codes.is_empty() {
        return refusal.error_codes.clone();
    }
    let description = refusal.error_description.as_deref().unwrap_or_default();
    description
        .split("AADSTS")
        .skip(1)
        .filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect()
}

/// What a refusal by the authority means.
pub(crate) fn refusal(refusal: &ErrorResponse, asked: &Asked<'_>) -> Diagnosis {
    let error = refusal.error.as_str();
    let said = match &refusal.error_description {
        Some(description) => format!(
            "the authority answered {error}: {}",
            first_line(description)
        ),
        None => format!("the authority answered {error}"),
    };
    let diagnosis = if needs_admin_consent(refusal) {
        Diagnosis::new(
            "admin_consent_required",
            "An administrator must agree first",
            said,
            &[
                "Send the administrator consent link to an administrator of your organisation.",
                "When the administrator has agreed, press the button again.",
            ],
        )
    } else {
        match error {
            "access_denied" => Diagnosis::new(
                "access_denied",
                "Access was not granted",
                said,
                &["Try again and agree to the permissions that are shown."],
            ),
            "invalid_client" if numbers(refusal).contains(&SECRET_EXPIRED) => Diagnosis::new(
                "client_secret_expired",
                "The application's client secret has expired",
                said,
                &[
                    "The operator makes a new client secret in the app registration (Certificates & secrets), puts its value into client_secret_file and restarts the gateway.",
                    "Then start again.",
                ],
            ),
            "invalid_client" if numbers(refusal).contains(&SECRET_WRONG) => Diagnosis::new(
                "client_secret_wrong",
                "The application's client secret is wrong",
                said,
                &[
                    "The operator puts the secret's value, not its id, into client_secret_file and restarts the gateway.",
                    "Then start again.",
                ],
            ),
            "invalid_client" => Diagnosis::new(
                "authority_invalid_client",
                "The authority does not accept the application's credential",
                said,
                &[
                    "Check that the credential in the settings is the secret's value, not its id.",
                    "Check that it has not expired; if so make a new one and put it into client_secret_file.",
                ],
            ),
            "unauthorized_client" => Diagnosis::new(
                "authority_unauthorized_client",
                "The authority does not know the application, or not for this",
                said,
                &[
                    &format!(
                        "Check client_id ({}) and tenant ({}) in the settings.",
                        asked.application.client_id.as_str(),
                        asked
                            .tenant
                            .or(asked.application.tenant.as_deref())
                            .unwrap_or("the provider's usual one")
                    ),
                    "Check that the registration allows this flow.",
                ],
            ),
            "invalid_scope" => Diagnosis::new(
                "authority_invalid_scope",
                "The authority does not know a requested scope",
                said,
                &["Check the scopes in the settings against the permissions of the registration."],
            ),
            _ if needs_reauthentication(refusal) => Diagnosis::new(
                "reauth_required",
                "The person must sign in again",
                said,
                &["Start a new connect session for this person."],
            ),
            _ => Diagnosis::new(
                "authority_refused",
                "The authority refused",
                said,
                &[
                    "Look the authority's numbers up in its documentation, or run `mailgrant doctor`.",
                ],
            ),
        }
    };
    Diagnosis {
        error_codes: numbers(refusal),
        ..diagnosis
    }
}

/// What an error of the authority client means.
pub(crate) fn authority(kind: &ErrorKind, asked: &Asked<'_>) -> Diagnosis {
    let unreachable = |detail: String| {
        Diagnosis::new(
            "authority_unavailable",
            "The authority cannot be reached",
            detail,
            &[
                "This passes by itself when the authority answers again.",
                "If it lasts, check the network and the provider's endpoints in the settings.",
            ],
        )
    };
    match kind {
        ErrorKind::Refused(answer) => refusal(answer, asked),
        ErrorKind::Network => {
            unreachable("no connection to the authority could be made or kept".to_owned())
        }
        ErrorKind::Timeout => unreachable("the authority did not answer in time".to_owned()),
        ErrorKind::Unavailable { status } => {
            unreachable(format!("the authority answered with HTTP status {status}"))
        }
        ErrorKind::Throttled => Diagnosis::new(
            "authority_throttled",
            "The authority asks for a pause",
            "the authority answered with HTTP status 429",
            &["Wait; the gateway tries again by itself."],
        ),
        ErrorKind::NotJson { status } => Diagnosis::new(
            "authority_not_json",
            "Something else than the authority answered",
            format!("the answer with HTTP status {status} was not JSON; often a proxy's page"),
            &["Check the provider's endpoints in the settings, and proxies on the way."],
        ),
        ErrorKind::IdToken(problem) => Diagnosis::new(
            "id_token_invalid",
            "The proof of identity is not valid",
            problem.to_string(),
            &[
                "Try again. If it happens again, check issuer and client_id in the settings, and the gateway's clock.",
            ],
        ),
        ErrorKind::Issuer => Diagnosis::new(
            "issuer_mismatch",
            "The answer came from another authority",
            "the issuer is not the one that was asked (RFC 9207)",
            &[
                "Check `issuer` in the settings. If it is right, the attempt was tampered with: start again from the site.",
            ],
        ),
        ErrorKind::KeysUnavailable => {
            unreachable("the authority's signing keys could not be fetched".to_owned())
        }
        ErrorKind::Malformed => Diagnosis::new(
            "authority_malformed",
            "The authority's answer cannot be read",
            "a required member is missing or of the wrong type",
            &[
                "Check that the provider's endpoints in the settings are those of an OAuth 2.0 authority.",
            ],
        ),
        ErrorKind::Configuration => Diagnosis::new(
            "authority_configuration",
            "The application's settings do not fit the authority",
            "the request could not be made from the settings",
            &["Check provider, tenant and scopes of the application in the settings."],
        ),
        _ => unreachable("the authority could not be used".to_owned()),
    }
}

/// A session that nobody finished in time. What an authority refuses on its own page never comes back.
pub(crate) fn expired(redirect_uri: &str) -> Diagnosis {
    Diagnosis::new(
        "expired",
        "The sign-in was not finished in time",
        "the person did not come back from the authority; what it refuses on its own page, such as a redirect URI \
         (AADSTS50011), does not reach the gateway",
        &[
            "Start a new connect session.",
            &format!(
                "If the authority showed AADSTS50011, add exactly {redirect_uri} to the registration's redirect URIs (platform Web)."
            ),
        ],
    )
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// AADSTS7000222
const SECRET_EXPIRED: u32 = 7_000_222;
/// AADSTS7000215
const SECRET_WRONG: u32 = 7_000_215;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(refusal: &ErrorResponse) -> Diagnosis {
        let asked = Asked {
            application: &fixture::application("openid"),
            tenant: None,
        };
        super::refusal(refusal, &asked)
    }

    fn answer(error: &str, description: &str) -> ErrorResponse {
        serde_json::from_value(
            serde_json::json!({"error": error, "error_description": description}),
        )
        .unwrap()
    }

    #[test]
    fn admin_consent_is_recognised() {
        for (error, description) in [
            (
                "consent_required",
                "AADSTS90094: The grant requires admin permission.",
            ),
            ("consent_required", ""),
            ("access_denied", "AADSTS90095: Admin consent is required"),
            (
                "interaction_required",
                "AADSTS65001: The user or administrator has not consented",
            ),
            (
                "invalid_grant",
                "AADSTS65001: The user or administrator has not consented",
            ),
        ] {
            assert!(
                needs_admin_consent(&answer(error, description)),
                "{error} {description}"
            );
        }
        for (error, description) in [
            ("access_denied", "AADSTS65004: User declined to consent"),
            ("access_denied", ""),
            ("interaction_required", "AADSTS50076: MFA"),
            (
                "invalid_grant",
                "AADSTS700082: The refresh token has expired",
            ),
        ] {
            assert!(
                !needs_admin_consent(&answer(error, description)),
                "{error} {description}"
            );
        }
    }

    #[test]
    fn a_refusal_names_code_and_remedy() {
        for (error, code) in [
            ("access_denied", "access_denied"),
            ("invalid_client", "authority_invalid_client"),
            ("unauthorized_client", "authority_unauthorized_client"),
            ("invalid_scope", "authority_invalid_scope"),
            ("invalid_grant", "reauth_required"),
            ("login_required", "reauth_required"),
            ("something_new", "authority_refused"),
        ] {
            let diagnosis = refusal(&answer(error, "AADSTS700082: x\r\nTrace ID: y"));
            assert_eq!(diagnosis.code, code);
            assert_eq!(diagnosis.error_codes, [700_082]);
            assert!(!diagnosis.remedy.is_empty());
            assert!(!diagnosis.detail.contains("Trace ID"));
        }
    }

    #[test]
    fn a_secret_that_is_refused_is_told_apart_by_its_number() {
        for (description, code) in [
            (
                "AADSTS7000222: The provided client secret keys are expired.",
                "client_secret_expired",
            ),
            (
                "AADSTS7000215: Invalid client secret provided.",
                "client_secret_wrong",
            ),
            ("AADSTS700027: key", "authority_invalid_client"),
            ("", "authority_invalid_client"),
        ] {
            assert_eq!(refusal(&answer("invalid_client", description)).code, code);
        }
    }

    #[test]
    fn a_diagnosis_survives_storage() {
        let diagnosis = refusal(&answer("invalid_grant", "AADSTS50173: gone"));
        assert_eq!(Diagnosis::from_json(&diagnosis.to_json()), Some(diagnosis));
    }
}
