//! Why a mail server does not let the bearer of a token in: read off the outcome and what the token says of itself.
//!
//! | answer | a person's token for their own mailbox | for another mailbox | an application's |
//! | --- | --- | --- | --- |
//! | login refused | IMAP is off | Full Access is missing | Exchange does not know the application |
//! | let in, not connected | no licence | Full Access is missing | Add-MailboxPermission is missing |
//!
//! Before any of these: the token is for another service, has ended, or lacks the permission. The token is read
//! unverified, to explain; nothing is decided by it.

mod reading;

use mailgrant_core::{claims::Claims, time::UnixTime, token::AccessToken};
use mailgrant_doctor::{cmdlets, powershell::Value};
use mailgrant_mail::imap;

use self::reading::{DELEGATED, Seen, app_only, delegated, name, shown};
use super::Diagnosis;
use crate::settings::Application;

/// Who wanted into which mailbox, and with what.
pub(crate) struct Login<'a> {
    pub(crate) application: &'a Application,
    /// The mailbox.
    pub(crate) user: &'a str,
    pub(crate) token: &'a AccessToken,
    pub(crate) now: UnixTime,
}

/// What a mail server's refusal of a token, or its silence, means.
pub(crate) fn mail_server(error: &imap::Error, login: &Login<'_>) -> Diagnosis {
    let not_connected = is_not_connected(error);
    if !error.is_authentication() && !not_connected {
        return unusable(error);
    }
    let seen = Seen::of(error, login);
    if not_connected {
        seen.not_connected()
    } else {
        seen.refused()
    }
}

/// The same refusal, when the same application opens other mailboxes of the tenant: then Exchange does know it, and what is
/// wrong is the mailbox's own.
pub(crate) fn of_this_mailbox(refusal: Diagnosis, mailbox: &str, other: &str) -> Diagnosis {
    if refusal.code != SERVICE_PRINCIPAL_MISSING {
        return refusal;
    }
    Diagnosis::new(
        "mailbox_closed",
        "There is no such mailbox, or IMAP is switched off for it",
        format!(
            "the mail server did not open {mailbox} for this token: AUTHENTICATE failed; it does open {} for the same application",
            shown(other)
        ),
        &[
            "Check the address: it must be the mailbox's own, or one of its aliases.",
            &format!("An administrator runs: {}", cmdlets::imap_on(name(mailbox))),
            "Then try again; Exchange may take some minutes to notice.",
        ],
    )
}

/// What an error means when it is not known with which token it was met.
pub(crate) fn unusable(error: &imap::Error) -> Diagnosis {
    if is_not_connected(error) {
        return Diagnosis::new(
            "mailbox_not_connected",
            "The login succeeded but the mailbox cannot be opened",
            format!("the mail server accepted the token and then said: {error}"),
            &[NOT_CONNECTED],
        );
    }
    Diagnosis::new(
        "mail_server_unavailable",
        "The mail server cannot be used",
        error.to_string(),
        &[
            "Try again in a moment.",
            "If it lasts, check the provider's imap host in the settings and whether IMAP is enabled.",
        ],
    )
}

/// What it means that a mail server asks for a pause.
pub(crate) fn throttled(error: &imap::Error) -> Diagnosis {
    Diagnosis::new(
        THROTTLED,
        "The mail server asks for a pause",
        error.to_string(),
        &[
            "Wait; the gateway tries again by itself when the pause is over.",
            "If it comes again, read less often, or fewer emails at a time.",
        ],
    )
}

/// Whether a diagnosis of that code came from here, so that a good token alone does not end it.
pub(crate) fn is_mail_servers(code: &str) -> bool {
    CODES.contains(&code)
}

/// Whether another token of the same kind might be let in where this one was refused.
pub(crate) fn is_of_the_token(code: &str) -> bool {
    lacks_by_itself(code) || ["imap_refused", SERVICE_PRINCIPAL_MISSING].contains(&code)
}

/// Whether the token itself shows that no mailbox will ever open for it.
pub(crate) fn lacks_by_itself(code: &str) -> bool {
    [
        "token_ended",
        "token_lacks_permission",
        "token_wrong_audience",
    ]
    .contains(&code)
}

/// Exchange lets somebody in and then has no mailbox for them.
pub(crate) fn is_not_connected(error: &imap::Error) -> bool {
    let detail = error.to_string().to_ascii_lowercase();
    !error.is_authentication() && detail.contains("not connected")
}

impl Seen<'_> {
    fn refused(&self) -> Diagnosis {
        if let Some(audience) = self.foreign_audience() {
            return self.wrong_audience(audience);
        }
        if self.claims.exp.is_some_and(|exp| exp <= self.login.now) {
            return self.finding(
                "token_ended",
                "The token had already ended",
                "its time was over when it was shown",
                &["Check the clock of the gateway's machine, then try again."],
            );
        }
        if self.resources.is_empty() || self.claims == Claims::default() {
            return self.unexplained();
        }
        if let Some(missing) = self.missing_permission() {
            return self.lacks(missing);
        }
        match self.person() {
            Some(person) if !person.eq_ignore_ascii_case(self.login.user) => self.no_full_access(person),
            Some(_) => self.finding(
                "imap_disabled",
                "IMAP is switched off for this mailbox",
                "the token is in order and the person's own, so what is left is the mailbox's switch",
                &[
                    &format!("An administrator runs: {}", cmdlets::imap_on(name(self.login.user))),
                    "Then start again.",
                ],
            ),
            None if self.claims.scp.is_some() => self.unexplained(),
            None => self.application_unknown(),
        }
    }

    fn not_connected(&self) -> Diagnosis {
        match self.person() {
            Some(person) if !person.eq_ignore_ascii_case(self.login.user) => {
                self.no_full_access(person)
            }
            None if self.claims.scp.is_none() && self.claims != Claims::default() => self.finding(
                "mailbox_permission_missing",
                "The application may not open this mailbox",
                "it was let in and then found no mailbox it may open",
                &[&self.add_mailbox_permission(self.principal()), AGAIN],
            ),
            _ => self.finding(
                "mailbox_not_connected",
                "The login succeeded but the mailbox cannot be opened",
                "it was let in and then found no mailbox",
                &[NOT_CONNECTED],
            ),
        }
    }

    fn wrong_audience(&self, audience: &str) -> Diagnosis {
        let (setting, resource, permission) = if self.claims.scp.is_some() {
            let asked = delegated(self.login.application).next();
            let resource = asked.unwrap_or("https://outlook.office.com");
            ("scopes", resource, DELEGATED)
        } else {
            let asked = app_only(self.login.application).next();
            let resource = asked.unwrap_or("https://outlook.office365.com");
            ("app_only_scopes", resource, ".default")
        };
        Diagnosis::new(
            "token_wrong_audience",
            "The token is for another service than the mail server",
            format!(
                "the token's audience is {}, not {resource}; the mail server refused it for {}: {}",
                shown(audience),
                self.login.user,
                self.said
            ),
            &[
                &format!(
                    "The operator asks for the mail server's own scope: {resource}/{permission} in {setting} of the provider in the settings, and nothing of {}.",
                    shown(audience)
                ),
                "Then start again, and agree anew when asked.",
            ],
        )
    }

    fn lacks(&self, permission: &str) -> Diagnosis {
        let kind = if permission == DELEGATED {
            "delegated"
        } else {
            "application"
        };
        self.finding(
            "token_lacks_permission",
            "The token carries no permission for IMAP",
            &format!("the {kind} permission {permission} is not in it"),
            &[
                &format!("In the app registration: API permissions > APIs my organization uses > Office 365 Exchange Online > {kind} permissions > {permission}."),
                "An administrator grants consent there.",
                AGAIN,
            ],
        )
    }

    fn no_full_access(&self, person: &str) -> Diagnosis {
        self.finding(
            "mailbox_permission_missing",
            "The person who signed in may not open this mailbox",
            &format!("{} signed in and has no Full Access on it", shown(person)),
            &[
                &self.add_mailbox_permission(name(person)),
                "Or sign in as somebody who may open the mailbox.",
                AGAIN,
            ],
        )
    }

    fn application_unknown(&self) -> Diagnosis {
        self.finding(
            SERVICE_PRINCIPAL_MISSING,
            "Exchange does not know the application",
            "it has the permission, but no service principal in Exchange, or one with the object id of the wrong object",
            &[
                "An administrator runs what follows, with the object id of the enterprise application, not of the app registration.",
                &cmdlets::new_service_principal(
                    name(self.login.application.client_id.as_str()),
                    self.principal(),
                    Value::text("mailgrant"),
                )
                .to_string(),
                &self.add_mailbox_permission(self.principal()),
                &format!(
                    "If it is refused all the same, IMAP may be off: {}",
                    cmdlets::imap_on(name(self.login.user))
                ),
                &format!(
                    "`mailgrant setup --application {} --mailbox ADDRESS --format ps1` prints all of it, and looks the object id up.",
                    self.login.application.id
                ),
                AGAIN,
            ],
        )
    }

    /// Where too little is known of the server or the token.
    fn unexplained(&self) -> Diagnosis {
        self.finding(
            "imap_refused",
            "The mail server refused the token",
            "the authority gave it all the same",
            &[
                &format!(
                    "Check that IMAP is enabled for the mailbox. Exchange: {}",
                    cmdlets::imap_on(name(self.login.user))
                ),
                "Check that the token's audience is the mail server: the scope must name it (Exchange: https://outlook.office.com/IMAP.AccessAsUser.All).",
                "Check that the person who signed in may open this mailbox (shared mailbox: Full Access).",
            ],
        )
    }

    fn finding(&self, code: &str, title: &str, why: &str, remedy: &[&str]) -> Diagnosis {
        let detail = format!(
            "the mail server did not open {} for this token: {}; {why}",
            self.login.user,
            self.said.trim_end_matches('.')
        );
        Diagnosis::new(code, title, detail, remedy)
    }

    fn add_mailbox_permission(&self, whom: Value) -> String {
        format!(
            "An administrator runs: {}",
            cmdlets::add_mailbox_permission(name(self.login.user), whom)
        )
    }
}

const AGAIN: &str =
    "Then start again; Exchange may take some minutes, at times an hour or two, to notice.";
const NOT_CONNECTED: &str = "Check that the mailbox exists and has a licence, and that whoever signed in may open it: for a shared mailbox Full Access, for app-only access Add-MailboxPermission for the service principal.";
/// The code of a pause that the mail server asked for.
pub(crate) const THROTTLED: &str = "mail_server_throttled";
const SERVICE_PRINCIPAL_MISSING: &str = "service_principal_missing";
const CODES: [&str; 11] = [
    "imap_disabled",
    "imap_refused",
    THROTTLED,
    "mail_server_unavailable",
    "mailbox_closed",
    "mailbox_not_connected",
    "mailbox_permission_missing",
    SERVICE_PRINCIPAL_MISSING,
    "token_ended",
    "token_lacks_permission",
    "token_wrong_audience",
];

#[cfg(test)]
mod tests;
