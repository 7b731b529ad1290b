//! Accounts: connected mailboxes.

use async_trait::async_trait;
use mailgrant_core::scope::Scopes;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::hash::SecretHash;
use crate::id::AccountId;
use crate::page::Page;
use crate::words::words;

/// A connected mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its identifier.
    pub id: AccountId,
    /// Whose it is: the site of the API key that made it.
    pub site: String,
    /// The application (OAuth registration) it was connected with.
    pub application: String,
    /// How access was granted.
    pub flow: Flow,
    /// The tenant whose token endpoint is asked; `None`: the application's.
    pub tenant: Option<String>,
    /// The origin of the page on which it was last connected; `None` where no page was.
    pub origin: Option<String>,
    /// Whether it works.
    pub state: AccountState,
    /// The user name for IMAP: the shared mailbox's address where it is one.
    pub imap_user: String,
    /// The user name for SMTP: the person's own address even for a shared mailbox.
    pub smtp_user: String,
    /// The address that sent mail carries.
    pub from_address: String,
    /// Who agreed; app-only accounts have nobody.
    pub identity: Option<Identity>,
    /// How old the grant is, of a delegated account.
    pub grant: Option<GrantAge>,
    /// What the doctor knows about the present fault.
    pub diagnosis: Option<Value>,
    /// When the next try is due, while degraded.
    pub next_attempt_at: Option<UnixTime>,
    /// The site's own data, a JSON object.
    pub metadata: Value,
    /// When it was first connected.
    pub created_at: UnixTime,
    /// When a field last changed.
    pub updated_at: UnixTime,
}

/// How old a grant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantAge {
    /// When the person last agreed.
    pub obtained_at: UnixTime,
    /// When the authority last answered a refresh.
    pub refreshed_at: UnixTime,
}

/// The person who agreed, from the verified `id_token`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `iss`.
    pub issuer: String,
    /// `sub`: differs per application at Entra ID.
    pub subject: String,
    /// `tid`, Entra ID.
    pub tenant_id: Option<String>,
    /// `oid`, Entra ID: the same for all applications of the tenant.
    pub object_id: Option<String>,
    /// `email`; to show, never to identify.
    pub email: Option<String>,
    /// `preferred_username`; to show, never to identify.
    pub preferred_username: Option<String>,
    /// `name`; to show.
    pub name: Option<String>,
}

impl Identity {
    /// What tells this person from any other: tenant and object id where the issuer is that tenant, as at Entra ID, else
    /// issuer and subject (OpenID Connect Core §5.7). Elsewhere `tid` and `oid` may be what people write into their profile.
    pub fn key(&self) -> String {
        match (&self.tenant_id, &self.object_id) {
            (Some(tenant), Some(object)) if self.is_of(tenant) => {
                format!("entra\n{tenant}\n{object}")
            }
            _ => format!("oidc\n{}\n{}", self.issuer, self.subject),
        }
    }

    /// `https://login.example.com/{tenant}/v2.0`
    fn is_of(&self, tenant: &str) -> bool {
        let mut segments = self.issuer.split('/').skip(3);
        segments
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(tenant))
    }
}

impl Identity {
    /// Whether this is the person's own mailbox, by what the authority calls them.
    ///
    /// An account without an identity is taken for theirs then. That is safe: their grant has just opened this very
    /// mailbox, so they gain nothing by it; and a delegate, whose own name is another, does not take over what the
    /// owner's token was imported for.
    pub fn owns(&self, imap_user: &str) -> bool {
        [&self.preferred_username, &self.email]
            .into_iter()
            .flatten()
            .any(|name| name.contains('@') && name.to_lowercase() == imap_user.to_lowercase())
    }
}

words! {
    /// How access to a mailbox was granted.
    pub enum Flow {
        /// A person signed in and agreed: there is a refresh token.
        Delegated = "delegated",
        /// An administrator agreed for the application: client credentials.
        AppOnly = "app_only",
    }
}

words! {
    /// Whether an account works, and whose turn it is if not.
    pub enum AccountState {
        /// Waits for an administrator.
        PendingConsent = "pending_consent",
        /// Works.
        Connected = "connected",
        /// A passing fault; tried again at `next_attempt_at`.
        Degraded = "degraded",
        /// The grant is dead: the person has to connect again.
        ReauthRequired = "reauth_required",
        /// Switched off by the site.
        Disabled = "disabled",
    }
}

impl AccountState {
    /// Every state but [`Disabled`](Self::Disabled): what a token or mail fault may change.
    pub const ENABLED: &'static [Self] = &[
        Self::PendingConsent,
        Self::Connected,
        Self::Degraded,
        Self::ReauthRequired,
    ];

    /// Whether an account in this state gets no access token, not even one that was kept: its grant is known to be
    /// dead, or it is switched off.
    pub fn is_barred(self) -> bool {
        matches!(self, Self::ReauthRequired | Self::Disabled)
    }
}

/// An account to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAccount {
    /// Whose it is.
    pub site: String,
    /// The application it is connected with.
    pub application: String,
    /// How access was granted.
    pub flow: Flow,
    /// The tenant whose token endpoint is asked; `None`: the application's. A reconnect without one keeps the old.
    pub tenant: Option<String>,
    /// The state to begin in.
    pub state: AccountState,
    /// The user name for IMAP.
    pub imap_user: String,
    /// The user name for SMTP.
    pub smtp_user: String,
    /// The address that sent mail carries.
    pub from_address: String,
    /// Who agreed.
    pub identity: Option<Identity>,
    /// What is wrong from the beginning, where the state says that something is.
    pub diagnosis: Option<Value>,
    /// The site's own data, a JSON object. Empty keeps what an account had before a reconnect.
    pub metadata: Value,
}

impl NewAccount {
    /// The account's identity key: see [`Identity::key`].
    pub(crate) fn identity_key(&self) -> String {
        self.identity
            .as_ref()
            .map(Identity::key)
            .unwrap_or_default()
    }
}

/// What the authority granted, to be sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewGrant {
    /// The refresh token.
    pub refresh_token: RefreshToken,
    /// The scopes granted with it.
    pub scopes: Scopes,
}

/// An account that has just been connected.
#[derive(Clone, Debug, PartialEq)]
pub struct Connected {
    /// The account, new or as it is now.
    pub account: Account,
    /// Whether it existed before.
    pub reconnected: bool,
}

/// Fields to change; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountUpdate {
    /// A new user name for IMAP.
    pub imap_user: Option<String>,
    /// A new user name for SMTP.
    pub smtp_user: Option<String>,
    /// A new sender address.
    pub from_address: Option<String>,
    /// New metadata, whole.
    pub metadata: Option<Value>,
}

/// A change of state with its conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The states it may start from, usually [`AccountState::ENABLED`].
    pub from: &'static [AccountState],
    /// Only while the grant is of this generation: a refusal of a token that a reconnect has
    /// replaced meanwhile says nothing about the account.
    pub generation: Option<i64>,
    /// The new state.
    pub to: AccountState,
    /// The new diagnosis; `None` clears it.
    pub diagnosis: Option<Value>,
    /// When the next try is due; `None` clears it.
    pub next_attempt_at: Option<UnixTime>,
}

impl Transition {
    /// Whether it may start from this state. A passing fault does not revive a dead grant: a replica that was slow to
    /// ask would hide what another has learnt.
    pub(crate) fn may_follow(&self, before: AccountState) -> bool {
        self.from.contains(&before)
            && (before, self.to) != (AccountState::ReauthRequired, AccountState::Degraded)
    }

    /// To `connected`, with no diagnosis.
    pub fn recovered() -> Self {
        Self {
            from: AccountState::ENABLED,
            generation: None,
            to: AccountState::Connected,
            diagnosis: None,
            next_attempt_at: None,
        }
    }
}

/// Which accounts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only those of this site.
    pub site: Option<String>,
    /// Only those of this application.
    pub application: Option<String>,
    /// Only those in this state.
    pub state: Option<AccountState>,
    /// Only those of this mailbox: its IMAP user name, without regard to case.
    pub imap_user: Option<String>,
}

/// Accounts.
#[async_trait]
pub trait AccountRepository: Send + Sync {
    /// The account of that site.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and the errors of a damaged database, as everywhere in this crate.
    async fn lookup(&self, site: &str, id: &AccountId) -> Result<Option<Account>, Error>;

    /// The account whatever its site: for the gateway's own work, never on a caller's word.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    async fn lookup_any_site(&self, id: &AccountId) -> Result<Option<Account>, Error>;

    /// At most `limit` accounts, oldest first, that come after `after`.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    async fn list(
        &self,
        filter: &AccountFilter,
        after: Option<&AccountId>,
        limit: u32,
    ) -> Result<Page<Account, AccountId>, Error>;

    /// Adds an account and, for the delegated flow, its grant, in one transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the same person's same mailbox is there already.
    async fn add(
        &self,
        account: NewAccount,
        grant: Option<NewGrant>,
        now: UnixTime,
    ) -> Result<Account, Error>;

    /// Adds a delegated account with its grant, in one transaction. The same person's same mailbox becomes the same
    /// account again, whatever state it was in. An account of which nobody knows whose it is (imported) becomes the
    /// person's whose own mailbox it is; see [`Identity::owns`].
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup); nothing is stored then.
    async fn connect(
        &self,
        account: NewAccount,
        grant: NewGrant,
        now: UnixTime,
    ) -> Result<Connected, Error>;

    /// Changes fields; `None` when there is no such account.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another account has the new `imap_user`.
    async fn update(
        &self,
        site: &str,
        id: &AccountId,
        update: AccountUpdate,
        now: UnixTime,
    ) -> Result<Option<Account>, Error>;

    /// Changes the state under the transition's conditions and returns the state before;
    /// `None` when a condition does not hold or there is no such account: nothing was changed.
    ///
    /// A real change is told as an event. What leads to [`ReauthRequired`](AccountState::ReauthRequired) makes the
    /// person's way back, of a delegated account; what leads away from it makes that link void. A passing fault
    /// ([`Degraded`](AccountState::Degraded)) does not revive a dead grant: from there it is `None`. What leads to a
    /// state that [is barred](AccountState::is_barred) forgets the account's own access token.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    async fn transition(
        &self,
        id: &AccountId,
        transition: Transition,
        now: UnixTime,
    ) -> Result<Option<AccountState>, Error>;

    /// The secret of the link by which the person can mend the account, while it is in
    /// [`ReauthRequired`](AccountState::ReauthRequired).
    ///
    /// # Errors
    /// [`Error::Sealed`] when the stored value was tampered with; else as everywhere.
    async fn reauth_link(&self, id: &AccountId) -> Result<Option<Secret>, Error>;

    /// The account that such a link mends, whatever its site.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    async fn find_by_reauth_link(&self, link: &SecretHash) -> Result<Option<Account>, Error>;

    /// Deletes the account with its grant, tokens and link, and tells of it; returns what it was.
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    async fn remove(
        &self,
        site: &str,
        id: &AccountId,
        now: UnixTime,
    ) -> Result<Option<Account>, Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(issuer: &str, tenant: &str, subject: &str) -> String {
        let identity = Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            tenant_id: Some(tenant.to_owned()),
            object_id: Some("the object".to_owned()),
            email: None,
            preferred_username: None,
            name: None,
        };
        identity.key()
    }

    #[test]
    fn an_object_of_a_tenant_is_one_person_for_every_application() {
        let tenant = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943";
        for issuer in [
            format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            format!("https://sts.windows.net/{tenant}/"),
        ] {
            let one = key(&issuer, tenant, "pairwise for one application");
            assert_eq!(one, format!("entra\n{tenant}\nthe object"));
            assert_eq!(one, key(&issuer, tenant, "and for another"));
        }
    }

    #[test]
    fn whoever_writes_anothers_object_into_their_profile_is_somebody_else() {
        for issuer in [
            "https://keys.example.com/realms/corp",
            "https://corp.example.com",
            "",
        ] {
            for tenant in ["corp", "", "keys.example.com", "https:"] {
                assert_ne!(key(issuer, tenant, "ada"), key(issuer, tenant, "eve"));
            }
        }
    }
}
