//! Exchange's half of the directory: mailboxes, service principals, permissions.

use serde::{Deserialize, Serialize};

/// A mailbox, a person's or a shared one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mailbox {
    /// Its primary address.
    pub address: String,
    /// The name shown beside the address.
    pub display_name: String,
    /// The object id of the person it belongs to; a shared mailbox has none.
    pub owner: Option<String>,
    /// What is switched on.
    pub switches: MailboxSwitches,
}

/// The switches of a mailbox (`Set-CASMailbox`, and whether a licence is assigned).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailboxSwitches {
    /// `ImapEnabled`
    pub imap: bool,
    /// `PopEnabled`
    pub pop: bool,
    /// `SmtpClientAuthenticationDisabled`, the other way round; absent means as the tenant has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smtp_auth: Option<bool>,
    /// Whether a licence gives it a mailbox behind the sign-in.
    pub licensed: bool,
    /// `ProhibitSendQuota`, in octets: a mailbox that holds as much cannot send; absent means no limit.
    pub send_quota: Option<u64>,
    /// `MessageCopyForSMTPClientSubmissionEnabled`: whether what is sent by SMTP is kept in Sent Items.
    pub save_sent: bool,
}

impl Default for MailboxSwitches {
    fn default() -> Self {
        Self {
            imap: true,
            pop: true,
            smtp_auth: None,
            licensed: true,
            send_quota: None,
            save_sent: true,
        }
    }
}

/// What Exchange was told of an application with `New-ServicePrincipal -AppId … -ObjectId …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServicePrincipal {
    /// The application's client id.
    pub application: String,
    /// The object id given; right only when it is the enterprise application's.
    pub object_id: String,
    /// The name given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A permission on a mailbox (`Add-MailboxPermission`, `Add-RecipientPermission`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxPermission {
    /// The mailbox's address.
    pub mailbox: String,
    /// Who holds it: a user's address, or the client id of an application.
    pub trustee: String,
    /// What it allows.
    #[serde(default = "full_access")]
    pub rights: Vec<MailboxRight>,
}

/// A right on a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxRight {
    /// Open it and read everything.
    FullAccess,
    /// Send with its address.
    SendAs,
}

fn full_access() -> Vec<MailboxRight> {
    vec![MailboxRight::FullAccess]
}
