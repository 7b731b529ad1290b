//! Lets POP3 ask the directory.

use std::sync::Arc;

use mailgrant_core::time::UnixTime;

use crate::authority::Authority;
use crate::control::{Entry, Faults, RequestLog};
use crate::directory::{Directory, Protocol};
use crate::mailstore::MailStore;
use crate::pki::Pki;
use crate::pop3::{self, Authenticator, MailboxAccess, Refusal};
use crate::{Error, SandboxSettings};

/// Starts POP3.
///
/// # Errors
/// When a port cannot be had.
pub(super) async fn serve(
    settings: &SandboxSettings,
    authority: &Authority,
    store: &Arc<MailStore>,
    pki: &Pki,
) -> Result<pop3::Server, Error> {
    let login = Pop3Login {
        directory: authority.directory.clone(),
        log: authority.log.clone(),
        faults: authority.faults.clone(),
    };
    let pop3_settings = pop3::Settings {
        port: settings.pop3_port,
        starttls_port: settings.pop3_starttls_port,
        faults: authority.faults.clone(),
        ..Default::default()
    };
    pop3::serve(
        pop3_settings,
        pki.server(),
        Arc::clone(store),
        Arc::new(login),
        settings.clock.clone(),
    )
    .await
    .map_err(|source| Error::Listen {
        service: "POP3",
        port: settings.pop3_port,
        source,
    })
}

/// Who may open which mailbox by POP3, with every decision and its reason in the log.
struct Pop3Login {
    directory: Directory,
    log: RequestLog,
    faults: Faults,
}

impl Authenticator for Pop3Login {
    fn authenticate(
        &self,
        user: &str,
        token: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refusal> {
        let mut entry = Entry::new(now, "pop3_login");
        entry.user = Some(user.to_owned());
        let (refuse, connects) = self
            .faults
            .look(|plan| (plan.pop3.refuse_login, !plan.pop3.not_connected));
        let answer = if refuse {
            Err((
                Refusal::Authentication,
                "told to refuse every login".to_owned(),
            ))
        } else {
            match self
                .directory
                .check_access_token_for(Protocol::Pop, token, user, now)
            {
                Ok(access) if access.connected && connects => {
                    entry.client_id = Some(access.client_id);
                    Ok(MailboxAccess {
                        mailbox: access.mailbox,
                        expires_at: access.until,
                    })
                }
                Ok(_) => Err((
                    Refusal::NotConnected,
                    "no permission on the mailbox, or no licence: nothing is behind the login"
                        .to_owned(),
                )),
                Err(refusal) => Err((Refusal::Authentication, refusal.to_string())),
            }
        };
        if let Err((refusal, why)) = &answer {
            entry.detail = Some(why.clone());
            entry.outcome = match refusal {
                Refusal::Authentication => "refused".to_owned(),
                Refusal::NotConnected => "not_connected".to_owned(),
            };
        }
        self.log.record(entry);
        answer.map_err(|(refusal, _)| refusal)
    }
}
