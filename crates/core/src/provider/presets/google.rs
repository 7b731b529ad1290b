//! Gmail and Google Workspace.

use super::super::{AddressClaim, AppOnly, CredentialKind, Endpoints, Provider};
use super::{days, implicit, parameters, scopes};

pub(super) fn google() -> Option<Provider> {
    Some(Provider {
        display_name: "Gmail".to_owned(),
        // Workspace only: a super administrator delegates the whole domain to it.
        app_only: AppOnly::ServiceAccount,
        app_only_scopes: scopes(MAIL)?,
        smtp: implicit("smtp.gmail.com", 465),
        pop3: implicit("pop.gmail.com", 995),
        // Without both there is no refresh token for somebody who has consented before.
        authorization_parameters: parameters(&[("access_type", "offline"), ("prompt", "consent")]),
        credentials: &[CredentialKind::Secret, CredentialKind::ServiceAccount],
        // Six months; seven days while the consent screen is in testing.
        refresh_token_idle_lifetime: days(182),
        opaque_access_tokens: true,
        address_claims: vec![AddressClaim::Email],
        ..Provider::custom(
            "google",
            Endpoints::Discovery {
                issuer: "https://accounts.google.com".to_owned(),
            },
            scopes(&format!("openid email profile {MAIL}"))?,
            implicit("imap.gmail.com", 993)?,
        )
    })
}

const MAIL: &str = "https://mail.google.com/";
