//! How Exchange says no, in its own words.

/// Why a login is refused, and how it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// `535 5.7.3 Authentication unsuccessful`: the token or password does not fit the user.
    Credentials,
    /// `535 5.7.139 …, SmtpClientAuthentication is disabled for the Tenant.`
    DisabledForTenant,
    /// `535 5.7.139 …, SmtpClientAuthentication is disabled for the Mailbox.`
    DisabledForMailbox,
    /// `535 5.7.139 …, basic authentication is disabled.`
    PasswordsDisabled,
    /// `535 5.7.139 …, the request did not meet the criteria to be authenticated successfully.`
    Policy,
    /// `550 5.7.30 Basic authentication is not supported for Client Submission.`
    PasswordsRetired,
}

impl LoginRefusal {
    /// The reply without what Exchange adds in brackets.
    pub(super) fn reply(self) -> &'static str {
        match self {
            Self::Credentials => "535 5.7.3 Authentication unsuccessful",
            Self::DisabledForTenant => {
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. \
                 Visit https://aka.ms/smtp_auth_disabled for more information."
            }
            Self::DisabledForMailbox => {
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. \
                 Visit https://aka.ms/smtp_auth_disabled for more information."
            }
            Self::PasswordsDisabled => {
                "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."
            }
            Self::Policy => {
                "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated \
                 successfully. Contact your administrator."
            }
            Self::PasswordsRetired => {
                "550 5.7.30 Basic authentication is not supported for Client Submission."
            }
        }
    }
}

/// Why a message is refused, and how it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendRefusal {
    /// The login was good, yet the mailbox cannot be opened: no permission on it, or no licence.
    MailboxLogon,
    /// The mailbox holds more than `ProhibitSendQuota`.
    MailboxFull,
    /// `From` is an address that the mailbox may not send as.
    From {
        /// The mailbox that logged in.
        user: String,
        /// The address in `From`.
        from: String,
        /// Whether an application logged in by itself.
        app_only: bool,
    },
    /// `MAIL FROM` is an address that the mailbox may not send as, while `From` is fine.
    MailFrom,
    /// The message could not be stored.
    Storage,
}

impl SendRefusal {
    /// The reply without what Exchange adds in brackets.
    pub(super) fn reply(&self) -> String {
        match self {
            Self::MailboxLogon => {
                "430 4.2.0 STOREDRV; mailbox logon failure; \
                 STOREDRV.Submission.Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed; Failed to \
                 process message due to a transient exception with message Cannot open mailbox."
                    .to_owned()
            }
            Self::MailboxFull => {
                "554 5.2.2 mailbox full; \
                 STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to \
                 process message due to a permanent exception with message Cannot submit message."
                    .to_owned()
            }
            Self::From {
                user,
                from,
                app_only: false,
            } => format!(
                "554 5.2.252 SendAsDenied; {user} not allowed to send as {from}; \
                 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process \
                 message due to a permanent exception with message Cannot submit message."
            ),
            Self::From { app_only: true, .. } => {
                "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to \
                 process message due to a permanent exception with message Cannot submit message."
                    .to_owned()
            }
            Self::MailFrom => {
                "550 5.7.60 SMTP; Client does not have permissions to send as this sender".to_owned()
            }
            Self::Storage => "452 4.3.1 Insufficient system resources".to_owned(),
        }
    }
}
