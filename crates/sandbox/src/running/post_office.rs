//! Lets SMTP ask the directory, and brings what it accepts to the outbox and into mailboxes.

use std::sync::Arc;

use mailgrant_core::time::UnixTime;

use crate::control::{Entry, Faults, RequestLog};
use crate::directory::{
    Directory, Holder, MailboxRight, PasswordSubmission, Protocol, Refusal, Submission, Tenant,
    Tenants,
};
use crate::mailstore::{Flags, MailStore, Mailbox, StoreError};
use crate::outbox::{Outbox, Sent};
use crate::random::Random;
use crate::smtp::message::{Header, delivered, rfc2822};
use crate::smtp::{Envelope, HOST_NAME, Login, LoginRefusal, PostOffice, Proof, SendRefusal};

/// Who may send as whom, with every decision and its reason in the log.
pub(crate) struct Exchange {
    pub directory: Directory,
    pub store: Arc<MailStore>,
    pub outbox: Arc<Outbox>,
    pub log: RequestLog,
    pub faults: Faults,
    pub random: Arc<dyn Random>,
}

impl PostOffice for Exchange {
    fn log_in(&self, user: &str, proof: Proof<'_>, now: UnixTime) -> Result<Login, LoginRefusal> {
        let mut entry = Entry::new(now, "smtp_login");
        entry.user = Some(user.to_owned());
        let answer = if self.faults.look(|plan| plan.smtp.refuse_login) {
            Err((
                LoginRefusal::Credentials,
                "told to refuse every login".to_owned(),
            ))
        } else {
            match proof {
                Proof::Token(token) => self.by_token(user, token, now),
                Proof::Password(password) => self.by_password(user, password),
            }
        };
        match &answer {
            Ok(login) => entry.client_id.clone_from(&login.client_id),
            Err((_, why)) => {
                entry.outcome = "refused".to_owned();
                entry.detail = Some(why.clone());
            }
        }
        self.log.record(entry);
        answer.map_err(|(refusal, _)| refusal)
    }

    fn knows(&self, recipient: &str) -> bool {
        let tenants = self.directory.tenants();
        let own = recipient
            .rsplit_once('@')
            .is_some_and(|(_, domain)| tenants.has_domain(domain));
        !own || tenants.mailbox(recipient).is_some()
    }

    fn send(
        &self,
        login: &Login,
        envelope: &Envelope,
        message: &[u8],
        now: UnixTime,
    ) -> Result<String, SendRefusal> {
        let header = Header::of(message);
        let answer = self
            .judge(login, envelope, &header)
            .and_then(|()| self.deliver(login, envelope, &header, message, now));
        let mut entry = entry(login, envelope, now);
        if let Err((refusal, why)) = &answer {
            entry.outcome = match refusal {
                SendRefusal::Storage => "failed".to_owned(),
                _ => "refused".to_owned(),
            };
            entry.detail = Some(why.clone());
        }
        self.log.record(entry);
        answer.map_err(|(refusal, _)| refusal)
    }

    fn refused(&self, login: &Login, envelope: &Envelope, why: &str, now: UnixTime) {
        let mut entry = entry(login, envelope, now);
        entry.outcome = "refused".to_owned();
        entry.detail = Some(why.to_owned());
        self.log.record(entry);
    }

    fn limits(&self, mailbox: Option<&str>) -> Submission {
        let tenants = self.directory.tenants();
        let tenant = match mailbox {
            Some(mailbox) => tenant_of(&tenants, mailbox),
            None => tenants.first(),
        };
        tenant.submission.clone()
    }
}

impl Exchange {
    fn by_token(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<Login, (LoginRefusal, String)> {
        match self
            .directory
            .check_access_token_for(Protocol::Smtp, token, user, now)
        {
            Ok(access) => Ok(Login {
                mailbox: access.mailbox,
                client_id: Some(access.client_id),
                app_only: matches!(access.holder, Holder::Application(_)),
                connected: access.connected,
            }),
            Err(Refusal::ProtocolDisabled) => {
                let tenants = self.directory.tenants();
                Err(disabled(tenant_of(&tenants, user), user))
            }
            Err(refusal) => Err((LoginRefusal::Credentials, refusal.to_string())),
        }
    }

    fn by_password(&self, user: &str, password: &str) -> Result<Login, (LoginRefusal, String)> {
        let tenants = self.directory.tenants();
        let tenant = tenant_of(&tenants, user);
        let refused = |refusal, why: &str| Err((refusal, why.to_owned()));
        match tenant.submission.passwords {
            PasswordSubmission::Allowed => {}
            PasswordSubmission::BlockedByPolicy => {
                return refused(LoginRefusal::Policy, "a policy keeps passwords out");
            }
            PasswordSubmission::Retired => {
                return refused(
                    LoginRefusal::PasswordsRetired,
                    "passwords are retired for client submission",
                );
            }
            _ => {
                return refused(
                    LoginRefusal::PasswordsDisabled,
                    "a password was sent where only OAuth is accepted",
                );
            }
        }
        let person = tenant.user(user).filter(|person| {
            person.enabled && person.password.expose().as_bytes() == password.as_bytes()
        });
        let mailbox = person.and_then(|person| tenant.mailbox(&person.address));
        let Some(mailbox) = mailbox else {
            return refused(LoginRefusal::Credentials, "unknown user or wrong password");
        };
        if !mailbox.switches.smtp_auth.unwrap_or(tenant.smtp_auth) {
            return Err(disabled(tenant, user));
        }
        Ok(Login {
            mailbox: mailbox.address.clone(),
            client_id: None,
            app_only: false,
            connected: mailbox.switches.licensed,
        })
    }

    /// Whether the message may go at all.
    fn judge(
        &self,
        login: &Login,
        envelope: &Envelope,
        header: &Header,
    ) -> Result<(), (SendRefusal, String)> {
        if !login.connected || self.faults.look(|plan| plan.smtp.not_connected) {
            let why = "no permission on the mailbox (Add-MailboxPermission), or no licence";
            return Err((SendRefusal::MailboxLogon, why.to_owned()));
        }
        let tenants = self.directory.tenants();
        let tenant = tenant_of(&tenants, &login.mailbox);
        let refused = header
            .from
            .iter()
            .find(|from| !may_send_as(tenant, &login.mailbox, from));
        if let Some(from) = refused {
            return Err((
                SendRefusal::From {
                    user: login.mailbox.clone(),
                    from: from.clone(),
                    app_only: login.app_only,
                },
                format!(
                    "{} has no Send As on {from}, which is in From",
                    login.mailbox
                ),
            ));
        }
        let mail_from = &envelope.mail_from;
        if !mail_from.is_empty() && !may_send_as(tenant, &login.mailbox, mail_from) {
            let why = format!(
                "{} has no Send As on {mail_from}, which is in MAIL FROM",
                login.mailbox
            );
            // Without a From of its own the message gets the envelope's.
            let refusal = match header.from.is_empty() {
                true => SendRefusal::From {
                    user: login.mailbox.clone(),
                    from: mail_from.clone(),
                    app_only: login.app_only,
                },
                false => SendRefusal::MailFrom,
            };
            return Err((refusal, why));
        }
        let quota = tenant
            .mailbox(&login.mailbox)
            .and_then(|mailbox| mailbox.switches.send_quota);
        drop(tenants);
        if let Some(quota) = quota
            && self.mailbox(&login.mailbox)?.size() >= quota
        {
            let why = format!("the mailbox holds more than its {quota} octets (ProhibitSendQuota)");
            return Err((SendRefusal::MailboxFull, why));
        }
        Ok(())
    }

    /// Keeps the message, and brings it to those of its recipients who are here.
    fn deliver(
        &self,
        login: &Login,
        envelope: &Envelope,
        header: &Header,
        message: &[u8],
        now: UnixTime,
    ) -> Result<String, (SendRefusal, String)> {
        let (mailboxes, save_sent) = {
            let tenants = self.directory.tenants();
            let mut mailboxes: Vec<String> = envelope
                .recipients
                .iter()
                .filter_map(|recipient| tenants.mailbox(recipient))
                .map(|(_, mailbox)| mailbox.address.clone())
                .collect();
            mailboxes.sort();
            mailboxes.dedup();
            let save_sent = tenants
                .mailbox(&login.mailbox)
                .is_none_or(|(_, mailbox)| mailbox.switches.save_sent);
            (mailboxes, save_sent)
        };
        let id = self.random.uuid();
        let message_id = header
            .message_id
            .clone()
            .unwrap_or_else(|| format!("<{}@{HOST_NAME}>", id.simple()));
        let sent = Sent {
            id: 0,
            at: now,
            user: login.mailbox.clone(),
            client_id: login.client_id.clone(),
            mail_from: envelope.mail_from.clone(),
            recipients: envelope.recipients.clone(),
            message_id: message_id.clone(),
            subject: header.subject.clone(),
            size: u64::try_from(message.len()).unwrap_or(u64::MAX),
        };
        let added = added(login, envelope, header, &message_id, now);
        let number = self
            .outbox
            .add(sent, message)
            .map_err(|error| (SendRefusal::Storage, error.to_string()))?;
        let copies = || -> Result<(), (SendRefusal, String)> {
            let received = received(envelope, &id.simple().to_string(), now);
            let copy = delivered(message, &format!("{received}{added}"));
            for address in &mailboxes {
                self.mailbox(address)?.deliver(&copy, now).map_err(failed)?;
            }
            if save_sent {
                let copy = [added.as_bytes(), message].concat();
                self.mailbox(&login.mailbox)?
                    .append("Sent Items", &copy, Flags::SEEN, now)
                    .map(|_| ())
                    .or_else(|error| match error {
                        // Somebody deleted or renamed the folder: the message was sent all the same.
                        StoreError::NoSuchFolder { .. } => Ok(()),
                        error => Err(error),
                    })
                    .map_err(failed)?;
            }
            Ok(())
        };
        // What is not acknowledged was not sent.
        copies().inspect_err(|_| {
            self.outbox.delete(number);
        })?;
        Ok(message_id)
    }

    fn mailbox(&self, address: &str) -> Result<Arc<Mailbox>, (SendRefusal, String)> {
        self.store.mailbox(address).map_err(failed)
    }
}

/// The tenant that a mailbox or person is in; of somebody unknown the first.
fn tenant_of<'t>(tenants: &'t Tenants, name: &str) -> &'t Tenant {
    let found = tenants.mailbox(name);
    found.map_or(tenants.first(), |(tenant, _)| tenant)
}

/// The sender's own addresses, and those on which the mailbox holds Send As. The right is the mailbox's, not that of
/// the application which uses it.
fn may_send_as(tenant: &Tenant, mailbox: &str, address: &str) -> bool {
    let Some(wanted) = tenant.mailbox(address) else {
        return false;
    };
    let person = tenant.user(mailbox);
    let by_name = person.is_some_and(|person| {
        tenant.has_right(
            &wanted.address,
            &person.user_principal_name,
            MailboxRight::SendAs,
        )
    });
    wanted.address.eq_ignore_ascii_case(mailbox)
        || by_name
        || tenant.has_right(&wanted.address, mailbox, MailboxRight::SendAs)
}

fn disabled(tenant: &Tenant, user: &str) -> (LoginRefusal, String) {
    let of_mailbox = tenant
        .mailbox(user)
        .is_some_and(|mailbox| mailbox.switches.smtp_auth == Some(false));
    match of_mailbox {
        true => (
            LoginRefusal::DisabledForMailbox,
            "SMTP AUTH is switched off for this mailbox (Set-CASMailbox -SmtpClientAuthenticationDisabled)".to_owned(),
        ),
        false => (
            LoginRefusal::DisabledForTenant,
            "SMTP AUTH is switched off for the tenant (Set-TransportConfig -SmtpClientAuthenticationDisabled)".to_owned(),
        ),
    }
}

fn entry(login: &Login, envelope: &Envelope, now: UnixTime) -> Entry {
    let mut entry = Entry::new(now, "smtp_send");
    entry.user = Some(login.mailbox.clone());
    entry.client_id.clone_from(&login.client_id);
    let count = envelope.recipients.len();
    entry.detail = Some(format!(
        "from <{}> to {}{}",
        envelope.mail_from,
        envelope.recipients.first().map_or("nobody", String::as_str),
        match count {
            0 | 1 => String::new(),
            _ => format!(" and {} more", count.saturating_sub(1)),
        }
    ));
    entry
}

/// What Exchange adds where it is missing.
fn added(
    login: &Login,
    envelope: &Envelope,
    header: &Header,
    message_id: &str,
    now: UnixTime,
) -> String {
    let mut added = String::new();
    if header.from.is_empty() {
        let from = match envelope.mail_from.as_str() {
            "" => &login.mailbox,
            from => from,
        };
        added.push_str(&format!("From: <{from}>\r\n"));
    }
    if header.message_id.is_none() {
        added.push_str(&format!("Message-ID: {message_id}\r\n"));
    }
    if !header.dated {
        added.push_str(&format!("Date: {}\r\n", rfc2822(now)));
    }
    added
}

/// RFC 5321 §4.4.
fn received(envelope: &Envelope, id: &str, now: UnixTime) -> String {
    // What the client calls itself is only as long as a name, and without what would end the line.
    let client: String = envelope
        .client
        .chars()
        .filter(|character| character.is_ascii_graphic() && !"()<>;".contains(*character))
        .take(255)
        .collect();
    format!(
        "Return-Path: <{}>\r\n\
         Received: from {client} (127.0.0.1) by {HOST_NAME} (127.0.0.1) with\r\n \
         Microsoft SMTP Server (version=TLS1_3) id {id}; {}\r\n",
        envelope.mail_from,
        rfc2822(now)
    )
}

fn failed(error: StoreError) -> (SendRefusal, String) {
    tracing::error!(%error, "SMTP: a message could not be stored");
    (SendRefusal::Storage, error.to_string())
}
