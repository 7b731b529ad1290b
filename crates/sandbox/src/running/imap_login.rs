//! Lets IMAP ask the directory.

use mailgrant_core::time::UnixTime;

use crate::control::{Entry, Faults, RequestLog};
use crate::directory::{Directory, Holder};
use crate::imap::{Authenticator, MailboxAccess, Refusal};

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
    ) -> Result<MailboxAccess, Refusal> {
        let faults = self.faults.plan().imap;
        let mut entry = Entry::new(now, "imap_login");
        entry.user = Some(user.to_owned());
        let answer = if faults.refuse_login {
            entry.detail = Some("told to refuse every login".to_owned());
            Err(Refusal::Authentication)
        } else {
            match self.directory.check_access_token(token, user, now) {
                Ok(access) if access.connected && !faults.not_connected => {
                    if let Holder::Application(client_id) = access.holder {
                        entry.client_id = Some(client_id);
                    }
                    Ok(MailboxAccess {
                        mailbox: access.mailbox,
                        expires_at: access.until,
                    })
                }
                Ok(_) => {
                    entry.detail = Some(
                        "no permission on the mailbox, or no licence: nothing is behind the login"
                            .to_owned(),
                    );
                    Err(Refusal::NotConnected)
                }
                Err(refusal) => {
                    entry.detail = Some(refusal.to_string());
                    Err(Refusal::Authentication)
                }
            }
        };
        if let Err(refusal) = &answer {
            entry.outcome = match refusal {
                Refusal::Authentication => "refused".to_owned(),
                Refusal::NotConnected => "not_connected".to_owned(),
            };
        }
        self.log.record(entry);
        answer
    }
}
