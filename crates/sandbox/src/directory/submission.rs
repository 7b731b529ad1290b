//! How the tenant lets programs hand in mail by SMTP.

use serde::{Deserialize, Serialize};

/// Exchange Online's limits of client submission, and what becomes of passwords there.
///
/// `[tenant.submission]` of the tenant file; what is left out is as at Exchange Online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Submission {
    /// Messages that one mailbox may hand in at the same time; the next gets `432 4.3.2`.
    pub concurrent: u32,
    /// Messages that one mailbox may hand in within a minute; the next has to wait.
    pub messages_per_minute: u32,
    /// Recipients that one mailbox may write to within 24 hours; then `SubmissionQuotaExceededException`.
    pub recipients_per_day: u32,
    /// Recipients of one message; the next gets `452 4.5.3`.
    pub recipients_per_message: u32,
    /// Octets of one message; a larger one gets `552 5.3.4`.
    pub message_bytes: u32,
    /// What a password is told.
    pub passwords: PasswordSubmission,
}

impl Default for Submission {
    fn default() -> Self {
        Self {
            concurrent: 3,
            messages_per_minute: 30,
            recipients_per_day: 10_000,
            recipients_per_message: 500,
            message_bytes: 157_286_400,
            passwords: PasswordSubmission::default(),
        }
    }
}

/// What SMTP says to `AUTH LOGIN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PasswordSubmission {
    /// `535 5.7.139 Authentication unsuccessful, basic authentication is disabled.`
    #[default]
    Disabled,
    /// `535 5.7.139 Authentication unsuccessful, the request did not meet the criteria …`: security defaults,
    /// Conditional Access or an authentication policy.
    BlockedByPolicy,
    /// `550 5.7.30 Basic authentication is not supported for Client Submission.`
    Retired,
    /// The right password is let in, as until 2026.
    Allowed,
}
