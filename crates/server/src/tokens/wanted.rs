//! Whose token is wanted, and under which name it is kept.

use mailgrant_core::time::UnixTime;
use mailgrant_storage::{Account, AccountId, Flow};

use super::{Authority, Registration};
use crate::settings::Application;

/// A token that somebody wants.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: Key,
    pub(super) application: String,
    /// The tenant whose token endpoint is asked; none is the application's own.
    pub(super) tenant: Option<String>,
    /// The account that it is wanted for, whose state tells how it went.
    pub(super) account: Option<Account>,
}

/// Whose token: an account's own, one that all app-only accounts of an application and tenant share, or, with a service
/// account, a mailbox's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Account(AccountId),
    Application {
        application: String,
        tenant: Option<String>,
    },
    Mailbox {
        application: String,
        tenant: Option<String>,
        user: String,
    },
}

impl Wanted {
    /// The token of an account of this application.
    pub(super) fn by(account: &Account, application: &Application) -> Self {
        let wanted = Self::app_only(application, account.tenant.as_deref(), &account.imap_user);
        Self {
            key: match account.flow {
                Flow::Delegated => Key::Account(account.id.clone()),
                Flow::AppOnly => wanted.key,
            },
            account: Some(account.clone()),
            ..wanted
        }
    }

    /// An app-only token for a mailbox, whether it is an account or not.
    pub(super) fn app_only(application: &Application, tenant: Option<&str>, user: &str) -> Self {
        // The application's own tenant, named or not, is the same authority. Names of tenants and mailboxes are compared
        // without regard to case.
        let own = application.tenant.as_deref();
        let tenant = tenant
            .filter(|tenant| !own.is_some_and(|own| own.eq_ignore_ascii_case(tenant)))
            .map(str::to_ascii_lowercase);
        let key = if application.credential.is_per_mailbox() {
            Key::Mailbox {
                application: application.id.clone(),
                tenant: tenant.clone(),
                user: user.to_lowercase(),
            }
        } else {
            Key::Application {
                application: application.id.clone(),
                tenant: tenant.clone(),
            }
        };
        Self {
            key,
            application: application.id.clone(),
            tenant,
            account: None,
        }
    }

    /// When the person last agreed: whatever is older came with a grant that has been replaced.
    pub(super) fn agreed_at(&self) -> Option<UnixTime> {
        let account = self.account.as_ref();
        Some(account?.grant.as_ref()?.obtained_at)
    }

    /// Under which name the token is in the storage. With the client, its kind of credential and the scopes in it, a token
    /// of the settings of yesterday is not taken for one of today's.
    pub(super) fn stored_name(&self, registration: &Registration) -> String {
        let application = &registration.application;
        let asked = || {
            format!(
                "{}\n{}\n{}\n{}\n{}",
                application.id,
                self.tenant
                    .as_deref()
                    .or(application.tenant.as_deref())
                    .unwrap_or_default(),
                application.client_id.as_str(),
                application.credential.kind(),
                application.app_only_scopes(),
            )
        };
        match &self.key {
            Key::Account(account) => format!("account\n{account}"),
            Key::Application { .. } => format!("application\n{}", asked()),
            Key::Mailbox { user, .. } => format!("mailbox\n{}\n{user}", asked()),
        }
    }

    /// Who is asked for it.
    pub(super) fn authority(&self) -> Authority {
        Authority {
            application: self.application.clone(),
            tenant: self.tenant.clone(),
        }
    }
}

impl Key {
    /// Whether other accounts live on the same token.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Application { .. })
    }

    /// The mailbox that the token is for, where it is for one alone.
    pub(super) fn mailbox(&self) -> Option<&str> {
        match self {
            Self::Mailbox { user, .. } => Some(user),
            Self::Account(_) | Self::Application { .. } => None,
        }
    }
}
