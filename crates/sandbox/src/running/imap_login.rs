//! Lets IMAP ask the directory.

use mailgrant_core::time::UnixTime;
use tokio::sync::watch;

use crate::control::{Entry, Faults, RequestLog};
use crate::directory::{Directory, ImapLimits};
use crate::imap::{Authenticator, MailboxAccess, Refusal, Refused};

/// Who may open which mailbox by IMAP, with every decision and its reason in the log.
pub(super) struct ImapLogin {
    pub directory: Directory,
    pub log: RequestLog,
    pub faults: Faults,
}

impl Authenticator for ImapLogin {
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refused> {
        let (refuse_login, not_connected) = self
            .faults
            .look(|plan| (plan.imap.refuse_login, plan.imap.not_connected));
        if refuse_login {
            return refused(Refusal::Authentication, "told to refuse every login");
        }
        let access = match self.directory.check_access_token(token, user, now) {
            Ok(access) => access,
            Err(refusal) => return refused(Refusal::Authentication, &refusal.to_string()),
        };
        if not_connected {
            return refused(Refusal::NotConnected, "told to connect nobody");
        }
        if !access.connected {
            return refused(
                Refusal::NotConnected,
                "no permission on the mailbox, or no licence: nothing is behind the login",
            );
        }
        Ok(MailboxAccess {
            mailbox: access.mailbox,
            expires_at: access.until,
            holder: Some(access.holder),
        })
    }

    fn limits(&self, mailbox: &str) -> ImapLimits {
        let tenants = self.directory.tenants();
        let tenant = tenants.mailbox(mailbox).map(|(tenant, _)| tenant);
        tenant.unwrap_or(tenants.first()).imap_limits
    }

    fn may_stay(&self, access: &MailboxAccess) -> bool {
        access
            .holder
            .as_ref()
            .is_none_or(|holder| self.directory.may_stay(&access.mailbox, holder))
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.directory.changes())
    }

    fn record(&self, entry: Entry) {
        self.log.record(entry);
    }
}

fn refused(refusal: Refusal, reason: &str) -> Result<MailboxAccess, Refused> {
    Err(Refused {
        refusal,
        reason: reason.to_owned(),
    })
}
