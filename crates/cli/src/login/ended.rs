//! How a login ends without an account: what was seen, what to do, and whose turn it is.

use mailgrant_core::token::ErrorResponse;
use mailgrant_server::{Application, Diagnosis, Ending};

use crate::failure::{Exit, Failure};

/// The end of a login that connected nothing.
#[derive(Debug)]
pub(super) struct Ended {
    pub diagnosis: Box<Diagnosis>,
    pub exit: Exit,
    /// Whether a link for an administrator belongs to it.
    pub needs_admin: bool,
}

impl Ended {
    pub fn new(
        exit: Exit,
        code: &str,
        title: &str,
        detail: impl Into<String>,
        remedy: &[&str],
    ) -> Self {
        Self {
            diagnosis: Box::new(Diagnosis::new(code, title, detail, remedy)),
            exit,
            needs_admin: false,
        }
    }

    /// What the authority refused. Its numbers say more than its `error`, and at a terminal other steps help than on a
    /// page with a button.
    pub fn refused(answer: &ErrorResponse, application: &Application) -> Self {
        let known = answer.aadsts().and_then(|number| {
            POLICIES
                .iter()
                .find(|(numbers, ..)| numbers.contains(&number))
        });
        let ended = Self::from(Ending::refused(answer, application));
        match known {
            Some((_, exit, code, title, remedy)) => Self {
                diagnosis: Box::new(Diagnosis {
                    code: (*code).to_owned(),
                    title: (*title).to_owned(),
                    remedy: remedy.iter().map(|&step| step.to_owned()).collect(),
                    ..*ended.diagnosis
                }),
                exit: *exit,
                needs_admin: false,
            },
            None if ended.needs_admin => ended,
            None => Self {
                exit: turn(answer),
                ..ended
            },
        }
    }

    /// What the authority client could not do.
    pub fn of(error: &mailgrant_oauth::Error, application: &Application) -> Self {
        match error.kind() {
            mailgrant_oauth::ErrorKind::Refused(answer) => Self::refused(answer, application),
            // What is wrong with the settings is said best by the client itself.
            mailgrant_oauth::ErrorKind::Configuration => Self::new(
                Exit::Configuration,
                "authority_configuration",
                "The application's settings do not fit",
                error.to_string(),
                &[],
            ),
            _ => Ending::of(error, application).into(),
        }
    }
}

impl From<Ending> for Ended {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::AdminConsent(diagnosis) => Self {
                diagnosis: Box::new(Diagnosis {
                    remedy: vec![
                        "Send the link for administrators to one of your organisation's."
                            .to_owned(),
                        "When they have agreed, run this command again.".to_owned(),
                    ],
                    ..*diagnosis
                }),
                exit: Exit::PersonNeeded,
                needs_admin: true,
            },
            Ending::Failed(diagnosis) => Self {
                exit: exit(&diagnosis.code),
                diagnosis,
                needs_admin: false,
            },
        }
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        let Diagnosis {
            title,
            detail,
            remedy,
            admin_consent_url,
            ..
        } = *ended.diagnosis;
        let mut message = format!("{title}: {detail}");
        for step in &remedy {
            message.push_str("\n  - ");
            message.push_str(step);
        }
        if let Some(url) = admin_consent_url {
            message.push_str("\n  The link for administrators: ");
            message.push_str(&url);
        }
        Self::new(ended.exit, message)
    }
}

/// Whose turn it is after a refusal: decided on `error`, as always; the words and numbers are for people.
fn turn(answer: &ErrorResponse) -> Exit {
    match answer.error.as_str() {
        "invalid_client"
        | "unauthorized_client"
        | "invalid_scope"
        | "invalid_request"
        | "unsupported_grant_type"
        | "unsupported_response_type" => Exit::Configuration,
        "temporarily_unavailable" | "server_error" => Exit::Unavailable,
        "invalid_grant"
        | "access_denied"
        | "consent_required"
        | "interaction_required"
        | "login_required" => Exit::PersonNeeded,
        _ => Exit::Failed,
    }
}

/// Whose turn it is after what was found about the answer or the mailbox.
fn exit(code: &str) -> Exit {
    match code {
        "authority_unavailable"
        | "authority_throttled"
        | "authority_not_json"
        | "mail_server_unavailable" => Exit::Unavailable,
        "address_unknown"
        | "application_unknown"
        | "authority_configuration"
        | "authority_malformed"
        | "id_token_invalid"
        | "id_token_missing"
        | "issuer_mismatch"
        | "no_refresh_token"
        | "tenant_not_allowed"
        | "token_wrong_audience" => Exit::Configuration,
        "imap_disabled"
        | "imap_refused"
        | "mailbox_not_connected"
        | "mailbox_permission_missing"
        | "scope_missing"
        | "token_lacks_permission" => Exit::PersonNeeded,
        _ => Exit::Failed,
    }
}

type Known = (
    &'static [u32],
    Exit,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// Entra's numbers that mean something else at a terminal than on a page.
const POLICIES: &[Known] = &[
    (
        &[53_003, 530_032, 530_033, 50_131],
        Exit::PersonNeeded,
        "blocked_by_policy",
        "A policy of the organisation blocks this sign-in",
        &[
            "Many organisations block device codes only: try `mailgrant login --paste`, or connect by the gateway's page.",
            "Otherwise the administrator finds the policy in Entra's sign-in log (Conditional Access) and exempts this application.",
        ],
    ),
    (
        &[530_035],
        Exit::PersonNeeded,
        "blocked_by_policy",
        "The organisation's security defaults block this sign-in",
        &["Try `mailgrant login --paste`, or connect by the gateway's page."],
    ),
    (
        &[53_000, 53_001, 53_002, 530_021, 50_097, 50_129],
        Exit::PersonNeeded,
        "device_not_managed",
        "The organisation wants a device that it manages",
        &[
            "Run `mailgrant login --paste` and open the address on a managed device: the browser's device counts, not this one.",
        ],
    ),
    (
        &[50_105],
        Exit::PersonNeeded,
        "not_assigned",
        "The person is not assigned to the application",
        &[
            "The administrator assigns them: Enterprise applications > the application > Users and groups.",
        ],
    ),
    (
        &[50_020],
        Exit::PersonNeeded,
        "wrong_tenant",
        "The person belongs to another organisation",
        &[
            "Sign in with an account of the application's tenant, or set its `tenant` to `organizations` in the settings.",
        ],
    ),
    (
        &[7_000_218],
        Exit::Configuration,
        "public_client_not_allowed",
        "The registration does not allow public clients",
        &[
            "Entra admin center > App registrations > the application > Authentication: set \"Allow public client flows\" to Yes.",
            "Or give the application's client_secret_file in the settings.",
        ],
    ),
    (
        &[70_003],
        Exit::Configuration,
        "flow_not_allowed",
        "The authority does not allow this flow to the application",
        &["Try `mailgrant login --paste`."],
    ),
    (
        &[65_004],
        Exit::PersonNeeded,
        "declined",
        "The person declined",
        &["Run the command again and agree to the permissions that are shown."],
    ),
    (
        &[70_018],
        Exit::PersonNeeded,
        "code_unknown",
        "The authority does not know the code any more",
        &["Run the command again: it shows a new code."],
    ),
];

#[cfg(test)]
mod tests {
    use mailgrant_core::token::ErrorCode;

    use super::*;

    #[test]
    fn no_number_stands_twice() {
        let mut numbers: Vec<_> = POLICIES
            .iter()
            .flat_map(|(numbers, ..)| numbers.iter())
            .collect();
        let all = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn a_failure_reads_as_finding_and_steps() {
        let ended = Ended::new(
            Exit::PersonNeeded,
            "x",
            "It is so",
            "seen thus",
            &["Do this.", "Then that."],
        );
        let failure = Failure::from(ended);
        assert_eq!(
            failure.message,
            "It is so: seen thus\n  - Do this.\n  - Then that."
        );
        assert_eq!(failure.exit, Exit::PersonNeeded);
    }

    #[test]
    fn whose_turn_it_is_stands_in_the_error() {
        for (error, exit) in [
            ("access_denied", Exit::PersonNeeded),
            ("invalid_grant", Exit::PersonNeeded),
            ("invalid_client", Exit::Configuration),
            ("server_error", Exit::Unavailable),
            ("something_new", Exit::Failed),
        ] {
            let answer = ErrorResponse::new(ErrorCode::new(error).unwrap());
            assert_eq!(turn(&answer), exit, "{error}");
        }
    }
}
