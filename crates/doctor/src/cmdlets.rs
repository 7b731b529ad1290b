//! The cmdlets of Microsoft Graph PowerShell and Exchange Online PowerShell that open mailboxes to an application.
//!
//! A builder a cmdlet, so that a set-up and the remedy of a diagnosis say the same.
//!
//! ```
//! use mailgrant_doctor::cmdlets::add_mailbox_permission;
//! use mailgrant_doctor::powershell::Value;
//!
//! let command = add_mailbox_permission(Value::text("orders@contoso.example"), Value::Variable("principal.Id"));
//! assert_eq!(
//!     command.to_string(),
//!     "Add-MailboxPermission -Identity 'orders@contoso.example' -User $principal.Id -AccessRights FullAccess \
//!      -AutoMapping $false"
//! );
//! ```

use crate::powershell::{Command, Value};

/// The application id of Office 365 Exchange Online, the same in every tenant.
pub const EXCHANGE_ONLINE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// The application id of Microsoft Graph.
pub const MICROSOFT_GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Tells Exchange of an application: `object_id` is that of the Enterprise application, never that of the app
/// registration, with which every login fails.
#[must_use]
pub fn new_service_principal(app_id: Value, object_id: Value, name: Value) -> Command {
    Command::new("New-ServicePrincipal")
        .with("AppId", app_id)
        .with("ObjectId", object_id)
        .with("DisplayName", name)
}

/// What Exchange was told of applications.
#[must_use]
pub fn get_service_principal(identity: Option<Value>) -> Command {
    let command = Command::new("Get-ServicePrincipal");
    match identity {
        Some(identity) => command.with("Identity", identity),
        None => command,
    }
}

/// Full Access to a mailbox, for a person or a service principal. Without `AutoMapping` Outlook would show the mailbox
/// in a person's profile from then on.
#[must_use]
pub fn add_mailbox_permission(mailbox: Value, user: Value) -> Command {
    Command::new("Add-MailboxPermission")
        .with("Identity", mailbox)
        .with("User", user)
        .with("AccessRights", Value::Word("FullAccess"))
        .with("AutoMapping", Value::Bool(false))
}

/// Who may open a mailbox.
#[must_use]
pub fn get_mailbox_permission(mailbox: Value, user: Value) -> Command {
    Command::new("Get-MailboxPermission")
        .with("Identity", mailbox)
        .with("User", user)
}

/// Send As for a mailbox; without `Confirm` it would ask.
#[must_use]
pub fn add_recipient_permission(mailbox: Value, trustee: Value) -> Command {
    Command::new("Add-RecipientPermission")
        .with("Identity", mailbox)
        .with("Trustee", trustee)
        .with("AccessRights", Value::Word("SendAs"))
        .with("Confirm", Value::Switch(false))
}

/// Switches IMAP on for a mailbox.
#[must_use]
pub fn imap_on(mailbox: Value) -> Command {
    Command::new("Set-CASMailbox")
        .with("Identity", mailbox)
        .with("ImapEnabled", Value::Bool(true))
}

/// Switches SMTP submission on for a mailbox, whatever the whole organization has it.
#[must_use]
pub fn submission_on(mailbox: Value) -> Command {
    Command::new("Set-CASMailbox")
        .with("Identity", mailbox)
        .with("SmtpClientAuthenticationDisabled", Value::Bool(false))
}

/// A mailbox's protocol switches.
#[must_use]
pub fn get_cas_mailbox(mailbox: Value) -> Command {
    Command::new("Get-CASMailbox").with("Identity", mailbox)
}

/// An Enterprise application by its application id; `filter` is `appId eq '…'`.
#[must_use]
pub fn get_principal(filter: Value) -> Command {
    Command::new("Get-MgServicePrincipal").with("Filter", filter)
}
