//! How an attempt to connect a mailbox ends without an account.

use mailgrant_core::token::ErrorResponse;
use mailgrant_oauth::ErrorKind;

use super::tenants;
use crate::{
    diagnosis::{self, Asked, Diagnosis},
    settings::Application,
};

/// Why a sign-in makes no account. Nothing was stored.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It did not work.
    Failed(Box<Diagnosis>),
    /// An administrator of the tenant has to agree first.
    AdminConsent(Box<Diagnosis>),
}

impl Ending {
    /// What an authority's refusal of that application, or its silence, means.
    #[must_use]
    pub fn of(error: &mailgrant_oauth::Error, application: &Application) -> Self {
        match error.kind() {
            ErrorKind::Refused(refusal) => Self::refused(refusal, application),
            kind => tenants::answered(kind, application)
                .unwrap_or_else(|| diagnosis::authority(error, &Asked::by(application)))
                .into(),
        }
    }

    /// What a refusal means, wherever the authority said it.
    #[must_use]
    pub fn refused(refusal: &ErrorResponse, application: &Application) -> Self {
        let asked = Asked::by(application);
        if application.provider.admin_consent && diagnosis::needs_admin_consent(refusal) {
            Self::AdminConsent(Box::new(diagnosis::refusal(refusal, &asked)))
        } else {
            diagnosis::refusal(refusal, &asked).into()
        }
    }
}

impl From<Diagnosis> for Ending {
    fn from(diagnosis: Diagnosis) -> Self {
        Self::Failed(Box::new(diagnosis))
    }
}
