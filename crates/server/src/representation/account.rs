//! An account as the API shows it.

use std::time::Duration;

use mailgrant_core::time::UnixTime;
use mailgrant_storage::{Account, AccountState};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Moment, words};
use crate::{connect, diagnosis::Diagnosis, settings::Application, state::Gateway};

/// A connected mailbox.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    /// `acc_…`
    #[schema(example = "acc_0197b4c1a2b37c5e8f9a0b1c2d3e4f50")]
    id: String,
    /// The application it was connected with.
    #[schema(example = "contoso")]
    application: String,
    #[schema(schema_with = words::flow)]
    flow: &'static str,
    /// The tenant whose authority gives the tokens, where the provider has tenants: that of the person who agreed, or the
    /// application's.
    tenant: Option<String>,
    #[schema(schema_with = words::state)]
    state: &'static str,
    /// The name used at the IMAP server: a shared mailbox's own address.
    #[schema(example = "orders@contoso.example")]
    imap_user: String,
    /// The name used at the SMTP server: for a shared mailbox the person's own.
    #[schema(example = "ada@contoso.example")]
    smtp_user: String,
    /// The sender of what is sent.
    #[schema(example = "orders@contoso.example")]
    from: String,
    /// Who agreed; null for app-only accounts.
    identity: Option<IdentityView>,
    /// What is wrong, while something is.
    diagnosis: Option<Diagnosis>,
    /// When the next try is due, while `degraded`.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Moment>,
    /// How old what the person granted is; null for app-only accounts.
    grant: Option<GrantView>,
    /// What the application proves itself with: when that ends, so does access.
    credential: CredentialView,
    /// The link by which the same person can mend the account, while it is `reauth_required`. Good until then.
    reauth_url: Option<String>,
    /// The site's own data.
    #[schema(value_type = Object)]
    metadata: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Moment,
}

/// The person who agreed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct IdentityView {
    issuer: String,
    subject: String,
    tenant_id: Option<String>,
    object_id: Option<String>,
    email: Option<String>,
    preferred_username: Option<String>,
    name: Option<String>,
}

/// How old a person's grant is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GrantAge)]
pub(crate) struct GrantView {
    /// When the person last agreed.
    #[schema(value_type = String, format = DateTime)]
    obtained_at: Moment,
    /// Whole days since then.
    age_days: u64,
    /// When the authority last answered to the refresh token. The gateway uses it at least once a day.
    #[schema(value_type = String, format = DateTime)]
    refreshed_at: Moment,
    /// When the refresh token would end if nobody used it until then; null where the provider does not tell.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_if_unused_at: Option<Moment>,
}

/// What an application proves itself with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Credential)]
pub(crate) struct CredentialView {
    #[schema(schema_with = words::credential_kind)]
    kind: Option<&'static str>,
    /// When it ends, where that is known: a certificate's end, or the operator's `client_secret_expires`.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Moment>,
}

impl AccountView {
    /// The account, with the person's link where one is due.
    ///
    /// # Errors
    /// Those of the storage.
    pub(crate) async fn of(
        gateway: &Gateway,
        account: Account,
    ) -> Result<Self, mailgrant_storage::Error> {
        let link = match account.state {
            AccountState::ReauthRequired => {
                let accounts = gateway.storage.accounts();
                accounts.reauth_link(&account.id).await?
            }
            _ => None,
        };
        let reauth_url = link.map(|link| connect::reauth_url(gateway, &link));
        let application = gateway
            .registrations
            .get(&account.application)
            .map(|registration| &registration.application);
        Ok(Self::told(account, application, reauth_url, gateway.now()))
    }

    /// As [`AccountView::of`], of a page.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn all(
        gateway: &Gateway,
        accounts: Vec<Account>,
    ) -> Result<Vec<Self>, mailgrant_storage::Error> {
        let mut views = Vec::with_capacity(accounts.len());
        for account in accounts {
            views.push(Self::of(gateway, account).await?);
        }
        Ok(views)
    }

    fn told(
        account: Account,
        application: Option<&Application>,
        reauth_url: Option<String>,
        now: UnixTime,
    ) -> Self {
        let unused = application.and_then(|known| known.provider.refresh_token_idle_lifetime);
        Self {
            id: account.id.to_string(),
            tenant: account
                .tenant
                .or_else(|| application.and_then(|known| known.tenant.clone())),
            application: account.application,
            flow: account.flow.as_str(),
            state: account.state.as_str(),
            imap_user: account.imap_user,
            smtp_user: account.smtp_user,
            from: account.from_address,
            identity: account.identity.map(|identity| IdentityView {
                issuer: identity.issuer,
                subject: identity.subject,
                tenant_id: identity.tenant_id,
                object_id: identity.object_id,
                email: identity.email,
                preferred_username: identity.preferred_username,
                name: identity.name,
            }),
            diagnosis: account.diagnosis.as_ref().and_then(Diagnosis::from_json),
            next_attempt_at: account.next_attempt_at.map(Moment),
            grant: account.grant.map(|grant| GrantView {
                obtained_at: Moment(grant.obtained_at),
                age_days: now.since(grant.obtained_at).as_secs() / DAY.as_secs(),
                refreshed_at: Moment(grant.refreshed_at),
                expires_if_unused_at: unused.map(|unused| Moment(grant.refreshed_at + unused)),
            }),
            credential: CredentialView {
                kind: application.map(|known| known.credential.kind()),
                expires_at: application
                    .and_then(Application::credential_ends_at)
                    .map(Moment),
            },
            reauth_url,
            metadata: account.metadata,
            created_at: Moment(account.created_at),
            updated_at: Moment(account.updated_at),
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);
