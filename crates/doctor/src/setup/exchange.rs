//! Exchange: the application told of, mailboxes opened to it, protocols switched on.

use super::{Access, Address, Place, SetUp, Step, cloud::Cloud};
use crate::cmdlets::{
    add_mailbox_permission, add_recipient_permission, get_cas_mailbox, get_mailbox_permission,
    get_service_principal, imap_on, new_service_principal, submission_on,
};
use crate::powershell::{Command, Condition, Source, Statement, Value};

/// Connects to the organization.
pub(super) fn sign_in(set_up: &SetUp<'_>, cloud: &Cloud) -> Step {
    let mut connect = Command::new("Connect-ExchangeOnline");
    if let Some(tenant) = set_up
        .tenant()
        .filter(|tenant| names_an_organization(tenant))
    {
        connect = connect.with("Organization", Value::text(tenant));
    }
    let connect = connect
        .with("ExchangeEnvironmentName", Value::Word(cloud.exchange))
        .with("DisableWAM", Value::Switch(true))
        .with("ShowBanner", Value::Switch(false));
    Step::new(
        "exchange-sign-in",
        Place::Exchange,
        "Sign in to Exchange Online PowerShell",
        "Exchange keeps its own list of applications and decides itself who may open which mailbox",
    )
    .by_hand([match set_up.access {
        Access::AppOnly => "Microsoft Graph PowerShell and Exchange Online PowerShell do not get on well in one window: sign in to Graph first. If signing in here fails all the same (Method not found, RuntimeBroker), go on in a new window, where you type first, with the two ids that were shown: $clientId = '<client_id>'; $principal = @{ Id = '<object id of the Enterprise application>' }",
        Access::Delegated => "Microsoft Graph PowerShell and Exchange Online PowerShell do not get on well in one window: sign in to Graph first. If signing in here fails all the same (Method not found, RuntimeBroker), go on in a new window.",
    }])
    .run([Statement::Run(connect)])
    .without(None, "every following command is not recognized as the name of a cmdlet")
}

/// Whether `-Organization` takes it: a tenant's id or its first domain, not another domain of it. Left out, the
/// organization is that of whoever signs in.
fn names_an_organization(tenant: &str) -> bool {
    let is_id = tenant.len() == 36 && tenant.split('-').count() == 5;
    let first = [".onmicrosoft.com", ".onmicrosoft.us", ".onmschina.cn"];
    let tenant = tenant.to_ascii_lowercase();
    is_id || first.iter().any(|suffix| tenant.ends_with(suffix))
}

/// Tells Exchange of the application; what it was told wrongly before is taken back.
pub(super) fn service_principal(set_up: &SetUp<'_>) -> Step {
    Step::new(
        "service-principal",
        Place::Exchange,
        "Tell Exchange of the application",
        "Exchange admits only applications that it was told of, under the object id of the Enterprise application. It takes any id without complaint; with a wrong one every login fails",
    )
    .run([
        Statement::Set("known", Value::Null),
        Statement::ForEach(
            "candidate",
            Source::Command(get_service_principal(None)),
            vec![Statement::If(
                Condition::Equal(Value::Variable("candidate.AppId"), Value::Variable("clientId")),
                vec![Statement::Set("known", Value::Variable("candidate"))],
                Vec::new(),
            )],
        ),
        Statement::If(
            Condition::Is(Value::Variable("known")),
            vec![Statement::If(
                Condition::Differ(Value::Variable("known.ObjectId"), Value::Variable("principal.Id")),
                vec![
                    Statement::Say(
                        "Exchange was told another object id, which does not work; it is taken back:".to_owned(),
                        Some(Value::Variable("known.ObjectId")),
                    ),
                    Statement::Run(
                        Command::new("Remove-ServicePrincipal")
                            .with("Identity", Value::Variable("known.ObjectId"))
                            .with("Confirm", Value::Switch(false)),
                    ),
                    Statement::Set("known", Value::Null),
                ],
                Vec::new(),
            )],
            Vec::new(),
        ),
        Statement::If(
            Condition::Not(Value::Variable("known")),
            vec![Statement::Keep(
                "null",
                new_service_principal(
                    Value::Variable("clientId"),
                    Value::Variable("principal.Id"),
                    Value::text(set_up.name()),
                ),
            )],
            Vec::new(),
        ),
    ])
    .check(
        get_service_principal(Some(Value::Variable("clientId"))),
        &["DisplayName", "AppId", "ObjectId"],
        "one application (Exchange shows all of them when it does not know the one); its ObjectId is $principal.Id, its AppId the client_id of the settings",
    )
    .without(
        Some("service_principal_missing"),
        "the login fails although the token is in order; with a wrong object id it says the same. The gateway may say so for a while after this step, too, until all of Exchange knows",
    )
}

/// Full Access on each mailbox.
pub(super) fn permissions(set_up: &SetUp<'_>) -> Step {
    let gives = set_up.mailboxes.iter().map(|mailbox| {
        Statement::Keep(
            "null",
            add_mailbox_permission(value(mailbox), Value::Variable("principal.Id")),
        )
    });
    let mut step = Step::new(
        "mailbox-permission",
        Place::Exchange,
        "Open the mailboxes to the application",
        "the consent is for the whole tenant, but opens nothing by itself: IMAP and POP are limited to the mailboxes given here, and by nothing else (access policies and RBAC for Applications do not reach them, and Test-ServicePrincipalAuthorization says nothing about them)",
    )
    .run(gives);
    for mailbox in set_up.mailboxes {
        step = step.check(
            get_mailbox_permission(value(mailbox), Value::Variable("principal.Id")),
            &["Identity", "User", "AccessRights"],
            "AccessRights has FullAccess",
        );
    }
    step.without(
        Some("mailbox_permission_missing"),
        "the login succeeds and then there is no mailbox: User is authenticated but not connected. A person's mailbox without an Exchange licence answers the same; a shared mailbox needs none up to 50 GB",
    )
}

/// Send As on each mailbox.
pub(super) fn send_as(set_up: &SetUp<'_>) -> Step {
    let gives = set_up.mailboxes.iter().map(|mailbox| {
        Statement::Keep(
            "null",
            add_recipient_permission(value(mailbox), Value::Variable("principal.Id")),
        )
    });
    let mut step = Step::new(
        "send-as",
        Place::Exchange,
        "Let the application send as the mailboxes",
        "Full Access reads; to send under a mailbox's address is a permission of its own",
    )
    .run(gives);
    for mailbox in set_up.mailboxes {
        step = step.check(
            Command::new("Get-RecipientPermission")
                .with("Identity", value(mailbox))
                .with("Trustee", Value::Variable("principal.Id")),
            &["Identity", "Trustee", "AccessRights"],
            "AccessRights has SendAs",
        );
    }
    step.without(
        None,
        "the mail server refuses the sender: 5.2.252 SendAsDenied",
    )
}

/// IMAP on for each mailbox.
pub(super) fn imap(set_up: &SetUp<'_>) -> Step {
    let on = set_up
        .mailboxes
        .iter()
        .map(|mailbox| Statement::Run(imap_on(value(mailbox))));
    let mut step = Step::new(
        "imap",
        Place::Exchange,
        "Switch IMAP on",
        "it is on unless somebody switched it off, which many organizations do for every mailbox. Security Defaults and authentication policies may stay as they are: they stop passwords, not OAuth",
    )
    .run(on);
    if set_up.mailboxes.is_empty() {
        step = step.by_hand(["For each mailbox that shall be read: Set-CASMailbox -Identity <mailbox> -ImapEnabled $true"]);
    }
    for mailbox in set_up.mailboxes {
        step = step.check(
            get_cas_mailbox(value(mailbox)),
            &["ImapEnabled"],
            "ImapEnabled is True",
        );
    }
    match set_up.access {
        Access::AppOnly => step.without(
            Some("service_principal_missing"),
            "Exchange answers as it does to an application that it does not know; the remedy names the switch too",
        ),
        Access::Delegated => step.without(Some("imap_disabled"), "the login fails although the token is in order"),
    }
}

/// SMTP submission on for each mailbox.
pub(super) fn submission(set_up: &SetUp<'_>) -> Step {
    let on = set_up
        .mailboxes
        .iter()
        .map(|mailbox| Statement::Run(submission_on(value(mailbox))));
    let mut step = Step::new(
        "submission",
        Place::Exchange,
        "Switch SMTP submission on",
        "switching SMTP AUTH off switches submission by OAuth off too. The switch of a mailbox has three positions: False (on), True (off), and empty, which means as the whole organization has it",
    )
    .by_hand([
        "The organization's switch is SmtpClientAuthenticationDisabled of Get-TransportConfig. It may stay True: the commands below switch submission on for these mailboxes alone. For all: Set-TransportConfig -SmtpClientAuthenticationDisabled $false.",
    ])
    .run(on)
    .check(
        Command::new("Get-TransportConfig"),
        &["SmtpClientAuthenticationDisabled"],
        "SmtpClientAuthenticationDisabled, the organization's switch, for those mailboxes whose own is empty",
    );
    for mailbox in set_up.mailboxes {
        step = step.check(
            get_cas_mailbox(value(mailbox)),
            &["SmtpClientAuthenticationDisabled"],
            "SmtpClientAuthenticationDisabled is False",
        );
    }
    step.without(
        None,
        "the mail server refuses the login: 5.7.139 SmtpClientAuthentication is disabled",
    )
}

/// A delegate on a shared mailbox.
pub(super) fn delegate() -> Step {
    Step::new(
        "shared-mailbox",
        Place::Exchange,
        "For a shared mailbox: give Full Access to whoever signs in for it",
        "a shared mailbox has no password; a person signs in and opens it in their own name",
    )
    .by_hand([
        format!(
            "For each: {}",
            add_mailbox_permission(Value::Blank("<shared mailbox>"), Value::Blank("<person>"))
        ),
        "The connect session then names the shared mailbox in `mailbox`.".to_owned(),
    ])
    .without(
        Some("mailbox_permission_missing"),
        "the person may not open the mailbox",
    )
}

fn value(mailbox: &Address) -> Value {
    Value::text(mailbox.as_str())
}
