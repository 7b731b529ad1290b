//! The make-believe tenants: people, mailboxes, applications, consents, and what may open what.

mod access;
mod application;
mod certificate;
mod change;
mod check;
mod compact;
mod entry;
mod expiry;
mod file;
mod guid;
mod journal;
mod keys;
mod mailbox;
mod of_tenant;
mod opaque;
mod permission;
mod policy;
mod refresh_tokens;
mod secrets;
mod state;
mod submission;
mod tenant;
mod tenants;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use mailgrant_core::time::UnixTime;
use tokio::sync::watch;

pub use access::{Holder, MailboxAccess, Refusal};
pub(crate) use change::ChangeRefusal;
pub(crate) use entry::{
    ApplicationEntry, COLLECTIONS, Collection, ConsentEntry, EnterpriseApplicationEntry, Entry,
    MailboxPermissionEntry, RedirectUriEntry, SecretEntry, ServicePrincipalEntry,
    SharedMailboxEntry, TenantEntry, UserEntry,
};
pub(crate) use expiry::IssuedTo;
pub(crate) use guid::derived_guid;

pub use application::{Application, ApplicationSecret, Audience, Flow, Platform, RedirectUri};
pub(crate) use certificate::CertificateEntry;
pub use certificate::{ApplicationCertificate, FederatedCredential};
pub use file::TenantFile;
pub use keys::{KeySet, PublicKey};
pub use mailbox::{Mailbox, MailboxPermission, MailboxRight, MailboxSwitches, ServicePrincipal};
pub(crate) use of_tenant::TenantDirectory;
pub use of_tenant::TenantGuard;
pub use permission::{Permission, PermissionKind, Resource, UnknownPermission};
pub use policy::{
    ApplicationConditions, ConditionalAccess, ForeignTenant, Grant, Mfa, Policies, ResourceState,
    SignInConditions, SignInFlow,
};
pub use refresh_tokens::{NewRefreshToken, RefreshRefusal, RefreshTokenGrant};
pub use submission::{PasswordSubmission, Submission};
pub(crate) use tenant::access_token_issuer;
pub use tenant::{EnterpriseApplication, ImapLimits, PERSONAL_TENANT, Tenant, User};
pub use tenants::Tenants;

use crate::{Error, Random};
use expiry::Ended;
use journal::{Event, Journal};
use opaque::Seal;
use refresh_tokens::RefreshTokens;
use secrets::Secrets;
use state::State;
use tenants::TenantKey;

/// The tenants of a running sandbox. Clones share them.
///
/// What the authority learns (consents, refresh tokens, revocations) is written to the sandbox's directory before it
/// is answered, and read again at the next start.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

struct Inner {
    tenants: RwLock<Tenants>,
    /// Counts the changes of the tenants.
    changes: watch::Sender<u64>,
    keys: KeySet,
    seal: Seal,
    refresh_tokens: Mutex<RefreshTokens>,
    ended: Mutex<Ended>,
    journal: Mutex<Journal>,
    random: Arc<dyn Random>,
    secrets: Arc<Secrets>,
    /// Those that the settings give to every delegated application.
    redirect_uris: Vec<String>,
}

/// A mail protocol, with the permission and the switch that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// IMAP
    Imap,
    /// POP
    Pop,
    /// SMTP submission
    Smtp,
}

impl Directory {
    /// Opens the tenants that `file` describes, with what an earlier run left in `directory`.
    ///
    /// # Errors
    ///
    /// When the file contradicts itself, or the directory cannot be read or written.
    pub fn open(
        directory: &Path,
        file: TenantFile,
        redirect_uris: &[String],
        now: UnixTime,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        crate::files::create_directory(directory)?;
        let secrets = Arc::new(Secrets::open(directory, &*random)?);
        let mut state = State::of(file.clone(), &secrets, redirect_uris)?;
        let keys = KeySet::open(directory, now)?;
        let seal = Seal::new(&secrets.token_key())?;
        let same = state::comparison(file, Arc::clone(&secrets), redirect_uris.to_vec());
        let journal = Journal::open(directory, now, same, &mut |event| {
            state.tell(event, &secrets, redirect_uris);
        })?;
        Ok(Self(Arc::new(Inner {
            tenants: RwLock::new(state.tenants),
            changes: watch::Sender::new(0),
            keys,
            seal,
            refresh_tokens: Mutex::new(state.refresh_tokens),
            ended: Mutex::new(state.ended),
            journal: Mutex::new(journal),
            random,
            secrets,
            redirect_uris: redirect_uris.to_vec(),
        })))
    }

    /// Changes the first organization, for this run only. What shall last goes through the entries.
    pub fn change<T>(&self, change: impl FnOnce(&mut Tenant) -> T) -> T {
        self.change_all(|tenants| change(tenants.first_mut()))
    }

    fn change_all<T>(&self, change: impl FnOnce(&mut Tenants) -> T) -> T {
        let changed = change(
            &mut self
                .0
                .tenants
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.changed();
        changed
    }

    /// Tells of changes of the tenant: the receiver's value moves on with each one.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn changed(&self) {
        self.0.changes.send_modify(|count| *count += 1);
    }

    /// The keys that tokens are signed with.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.0.keys
    }

    /// Where this directory takes its randomness from.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    /// Remembers that a person, or an administrator of a tenant for everybody there (`person` is none), agreed to
    /// permissions.
    ///
    /// # Errors
    ///
    /// When it cannot be written down; then nothing was agreed to.
    pub fn consent(
        &self,
        tenant: &str,
        client_id: &str,
        person: Option<&str>,
        permissions: &[Permission],
    ) -> Result<(), Error> {
        self.agree(tenant, |key| Event::Consented {
            tenant: key.written(),
            client_id: client_id.to_owned(),
            person: person.map(str::to_owned),
            permissions: permissions.to_vec(),
        })
    }

    /// Forgets every consent that an application was given in a tenant, those of the tenant file included.
    ///
    /// # Errors
    ///
    /// When it cannot be written down.
    pub fn withdraw_consent(&self, tenant: &str, client_id: &str) -> Result<(), Error> {
        self.agree(tenant, |key| Event::ConsentWithdrawn {
            tenant: key.written(),
            client_id: client_id.to_owned(),
        })
    }

    /// Writes down, and does, what was agreed or withdrawn.
    fn agree(&self, tenant: &str, event: impl FnOnce(&TenantKey) -> Event) -> Result<(), Error> {
        self.change_all(|tenants| {
            let key = tenants
                .key(tenant)
                .ok_or_else(|| Error::tenant(format!("there is no tenant {tenant}")))?;
            let event = event(&key);
            self.journal().append(&event)?;
            if let Some(tenant) = tenants.get_mut(&key) {
                tenant.take_in(&event);
            }
            Ok(())
        })
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refresh_tokens(&self) -> MutexGuard<'_, RefreshTokens> {
        self.0
            .refresh_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Directory")
            .field("tenant", &self.tenant().id)
            .finish_non_exhaustive()
    }
}

impl Protocol {
    /// The delegated permission it needs in `scp`.
    #[must_use]
    pub fn delegated_permission(self) -> &'static str {
        match self {
            Self::Imap => "IMAP.AccessAsUser.All",
            Self::Pop => "POP.AccessAsUser.All",
            Self::Smtp => "SMTP.Send",
        }
    }

    /// The application permission it needs in `roles`.
    #[must_use]
    pub fn application_permission(self) -> &'static str {
        match self {
            Self::Imap => "IMAP.AccessAsApp",
            Self::Pop => "POP.AccessAsApp",
            Self::Smtp => "SMTP.SendAsApp",
        }
    }

    pub(crate) fn enabled(self, mailbox: &Mailbox, tenant: &Tenant) -> bool {
        match self {
            Self::Imap => mailbox.switches.imap,
            Self::Pop => mailbox.switches.pop,
            Self::Smtp => mailbox.switches.smtp_auth.unwrap_or(tenant.smtp_auth),
        }
    }
}
