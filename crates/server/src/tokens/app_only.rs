//! Tokens for mailboxes that need not be accounts yet.

use std::time::Duration;

use super::{Error, LiveToken, TokenKeeper, slot, wanted::Wanted};

impl TokenKeeper {
    /// An app-only token for a mailbox that need not be an account: the one that the application's accounts of that tenant
    /// share. `tenant`: the tenant whose authority is asked; none is the application's own.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`].
    pub async fn app_only_token(
        &self,
        application: &str,
        tenant: Option<&str>,
        mailbox: &str,
    ) -> Result<LiveToken, Error> {
        let wanted = self.app_only(application, tenant, mailbox)?;
        self.token(&wanted, None).await
    }

    /// Another app-only token than the one that was refused, as [`TokenKeeper::renewed`] gives for an account; the same
    /// again when it was renewed for that reason lately.
    ///
    /// # Errors
    /// As [`TokenKeeper::access_token`].
    pub async fn renewed_app_only(
        &self,
        application: &str,
        tenant: Option<&str>,
        mailbox: &str,
        refused: &LiveToken,
    ) -> Result<LiveToken, Error> {
        let wanted = self.app_only(application, tenant, mailbox)?;
        let pause = if wanted.key.is_shared() {
            slot::between_refusals(true)
        } else {
            // Whoever adds a mailbox has often just mended something.
            Duration::ZERO
        };
        self.token(&wanted, Some((refused, pause))).await
    }

    /// Hands this app-only token out no more: it says of itself that no mailbox opens for it.
    pub(crate) fn give_up_app_only(
        &self,
        application: &str,
        tenant: Option<&str>,
        mailbox: &str,
        refused: &LiveToken,
    ) {
        if let Ok(wanted) = self.app_only(application, tenant, mailbox) {
            let slot = self.0.slot(&wanted.key);
            slot.refuse(refused, Duration::ZERO, self.0.clock.now());
        }
    }

    fn app_only(
        &self,
        application: &str,
        tenant: Option<&str>,
        mailbox: &str,
    ) -> Result<Wanted, Error> {
        let registration = self.0.registration(application)?;
        registration.admit_tenant(tenant).map_err(Error::Excluded)?;
        Ok(Wanted::app_only(&registration.application, tenant, mailbox))
    }
}
