//! What went wrong, what it means and how to mend it, in the words shown to people.
//!
//! The one seam through which faults of the authority and the mail server become diagnoses.

#[cfg(test)]
pub(crate) mod fixture;
mod mailbox;
mod refusal;
mod unfinished;

use mailgrant_core::{
    scope::{Scope, Scopes},
    token::ErrorResponse,
};
use mailgrant_oauth::{Client, Credential, ErrorKind, Step};
use mailgrant_storage::Account;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{scopes, settings::Application};

pub(crate) use self::mailbox::{
    Login, THROTTLED, is_mail_servers, is_not_connected, is_of_the_token, lacks_by_itself,
    mail_server, of_this_mailbox, throttled, unusable,
};
pub(crate) use self::unfinished::{Unfinished, is_of_an_expired_session};

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

/// Who asked the authority, and where, so that a remedy can name it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) application: &'a Application,
    /// The tenant that was asked, when it is not the application's own.
    pub(crate) tenant: Option<&'a str>,
    /// Who makes the administrator's link.
    pub(crate) client: Option<&'a Client>,
}

impl<'a> Asked<'a> {
    /// The application, at its own tenant.
    pub(crate) const fn by(application: &'a Application) -> Self {
        Self {
            application,
            tenant: None,
            client: None,
        }
    }

    /// The tenant's name in words.
    fn tenant(&self) -> &'a str {
        self.tenant
            .or(self.application.tenant.as_deref())
            .or(self.application.provider.default_tenant.as_deref())
            .unwrap_or("the authority's own")
    }

    fn admin_consent_url(&self) -> Option<String> {
        let client = self.client?;
        client.admin_consent_url(self.tenant, None, None).ok()
    }
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
        | "unauthorized_client" => refusal::numbers(refusal)
            .iter()
            .any(|number| ADMIN.contains(number)),
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

/// The authority asks to come back later, in the form of a refusal. Entra says `invalid_grant` to whoever asks too often,
/// too, though the grant is as good as it was: there only the number tells.
pub(crate) fn is_passing(refusal: &ErrorResponse) -> bool {
    const LOOP: u32 = 50_196;
    matches!(
        refusal.error.as_str(),
        "temporarily_unavailable" | "server_error" | "slow_down"
    ) || refusal.error_codes.contains(&LOOP)
}

/// Whether waiting helps, by the diagnosis's code.
pub(crate) fn is_passing_fault(code: &str) -> bool {
    const PASSING: [&str; 6] = [
        "authority_loop_detected",
        "authority_not_json",
        "authority_throttled",
        "authority_unavailable",
        BUSY,
        "mail_server_unavailable",
    ];
    PASSING.contains(&code)
}

/// Whether a refusal is about the scopes that were asked for, so that less may be given.
pub(crate) fn is_of_the_scopes(refusal: &ErrorResponse) -> bool {
    const SCOPES: [u32; 7] = [65_001, 70_011, 28_002, 28_003, 650_053, 650_056, 650_057];
    let unauthorized = refusal
        .error_description
        .as_deref()
        .is_some_and(|text| text.contains("scopes requested are unauthorized"));
    refusal.error.as_str() == "invalid_scope"
        || unauthorized
        || refusal::numbers(refusal)
            .iter()
            .any(|number| SCOPES.contains(number))
}

/// Whether no person stands behind a request of that step.
pub(crate) const fn is_app_only(step: Step) -> bool {
    matches!(step, Step::ClientCredentials)
}

/// What a refusal that came with a redirect means.
pub(crate) fn refusal(answer: &ErrorResponse, asked: &Asked<'_>) -> Diagnosis {
    refusal::explained(answer, asked, Step::Callback)
}

/// What an error of the authority client means.
pub(crate) fn authority(error: &mailgrant_oauth::Error, asked: &Asked<'_>) -> Diagnosis {
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
    match error.kind() {
        ErrorKind::Refused(answer) => refusal::explained(answer, asked, error.step()),
        ErrorKind::Credential(problem) => Diagnosis::new(
            "credential_unusable",
            "The application's own credential cannot be used",
            problem.to_string(),
            &[
                &format!(
                    "Mend the file that application `{}` of the settings names; it is read again for the next request.",
                    asked.application.id
                ),
                "Then try again.",
            ],
        ),
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
            // The client's own words: they name the setting, and hold no secret.
            error.to_string(),
            &[&unfit(asked.application)],
        ),
        _ => unreachable("the authority could not be used".to_owned()),
    }
}

/// The account cannot be used by that protocol: its token would lack these scopes.
pub(crate) fn not_granted(
    application: &Application,
    account: &Account,
    protocol: &str,
    missing: &Scopes,
) -> Diagnosis {
    let id = &application.id;
    let is_asked = |scope: &Scope| {
        application
            .scopes()
            .iter()
            .any(|all| scopes::same(all, scope))
    };
    let again = format!(
        "The person signs in again: POST /v1/connect-sessions with {{\"account\": \"{}\"}}, or `mailgrant login --application {id}`.",
        account.id
    );
    if missing.iter().all(is_asked) {
        return Diagnosis::new(
            SCOPE_NOT_GRANTED,
            "The person has not agreed to this",
            format!(
                "{protocol} needs {missing}, to which nobody agreed when this account was connected; application `{id}` asks for it today"
            ),
            &[&again],
        );
    }
    let unasked: Vec<&str> = missing
        .iter()
        .filter(|scope| !is_asked(scope))
        .map(Scope::as_str)
        .collect();
    let all = application.scopes().iter().map(Scope::as_str);
    let all: Vec<String> = all
        .chain(unasked)
        .map(|scope| format!("\"{scope}\""))
        .collect();
    Diagnosis::new(
        SCOPE_NOT_ASKED,
        "The application does not ask people for this",
        format!("{protocol} needs {missing}, which `scopes` of application `{id}` does not name"),
        &[
            &format!(
                "Write into the settings of application `{id}`: scopes = [{}], and start the gateway again.",
                all.join(", ")
            ),
            &again,
        ],
    )
}

/// What to mend in an application's settings.
fn unfit(application: &Application) -> String {
    let id = &application.id;
    if !application.is_registered() {
        return format!(
            "Application `{id}` is not registered yet: `mailgrant setup --application {id}` prints how to; then write its client_id and credential into the settings."
        );
    }
    if matches!(application.credential, Credential::None) {
        return format!(
            "Give application `{id}` a client_secret_file, a certificate or a federated credential in the settings; `mailgrant setup --application {id}` prints how to get one."
        );
    }
    format!("Check provider, tenant, scopes and credential of application `{id}` in the settings.")
}

/// The settings do not ask people for it: the operator's turn.
pub(crate) const SCOPE_NOT_ASKED: &str = "scope_not_asked";
/// The settings do, but the person has not agreed yet.
const SCOPE_NOT_GRANTED: &str = "scope_not_granted";
/// No fault of the mailbox's: all of the gateway's connections are in use.
pub(crate) const BUSY: &str = "gateway_busy";

#[cfg(test)]
mod tests;
