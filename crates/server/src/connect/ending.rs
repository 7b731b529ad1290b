//! How an attempt to connect a mailbox ends without an account.

use mailgrant_oauth::ErrorKind;

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
        let asked = Asked {
            application,
            tenant: None,
        };
        let diagnosis = Box::new(diagnosis::authority(error.kind(), &asked));
        match error.kind() {
            ErrorKind::Refused(answer)
                if application.provider.admin_consent && diagnosis::needs_admin_consent(answer) =>
            {
                Self::AdminConsent(diagnosis)
            }
            _ => Self::Failed(diagnosis),
        }
    }
}

impl From<Diagnosis> for Ending {
    fn from(diagnosis: Diagnosis) -> Self {
        Self::Failed(Box::new(diagnosis))
    }
}
