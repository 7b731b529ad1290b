//! Microsoft 365 in each of its clouds, and Outlook.com.

use super::super::{
    AddressClaim, AppOnly, CLOUDS, CredentialKind, Endpoints, HttpRedirects, Provider, TENANT,
};
use super::{days, implicit, scopes, submission};
use crate::scope::Scopes;

/// A cloud by its id.
pub(super) fn microsoft365(id: &str) -> Option<Provider> {
    let cloud = CLOUDS.iter().find(|cloud| cloud.id == id)?;
    let resource = cloud.resource;
    let issuer = format!("https://{}/{TENANT}/v2.0", cloud.login);
    Some(Provider {
        display_name: cloud.display_name.to_owned(),
        cloud: Some(cloud),
        // Work accounts of any tenant; single-tenant registrations must name theirs.
        default_tenant: Some("organizations".to_owned()),
        tenant_aliases: &["common", "organizations", "consumers", PERSONAL],
        admin_consent: true,
        smtp_scopes: scopes(&format!("{resource}/SMTP.Send"))?,
        pop3_scopes: scopes(&format!("{resource}/POP.AccessAsUser.All"))?,
        app_only_scopes: scopes(&format!("{}/.default", cloud.app_only_resource))?,
        smtp: submission(cloud.smtp),
        pop3: implicit(cloud.mail, 995),
        login_hint_excludes_account_picker: true,
        http_redirects: HttpRedirects::LoopbackIpv4,
        credentials: &[
            CredentialKind::None,
            CredentialKind::Secret,
            CredentialKind::Certificate,
            CredentialKind::Federated,
        ],
        app_only: AppOnly::ClientCredentials,
        max_secret_lifetime: days(730),
        // A refresh token serves several resources: the one that is meant has to be named.
        refresh_names_scopes: true,
        // The old one stays good all the same.
        refresh_token_rotates: true,
        refresh_token_idle_lifetime: days(90),
        // Not `upn`: it is in access tokens only, and those are not ours to read.
        address_claims: vec![AddressClaim::PreferredUsername, AddressClaim::Email],
        // Graph's, which takes Graph's tokens.
        userinfo: false,
        ..Provider::custom(
            cloud.id,
            Endpoints::Discovery { issuer },
            scopes(&format!(
                "openid profile email offline_access {resource}/IMAP.AccessAsUser.All"
            ))?,
            implicit(cloud.mail, 993)?,
        )
    })
}

/// Personal accounts: no administrator, no app-only flow, opaque tokens.
pub(super) fn outlook() -> Option<Provider> {
    let work = microsoft365("microsoft365")?;
    Some(Provider {
        id: "outlook".to_owned(),
        display_name: "Outlook.com".to_owned(),
        default_tenant: Some("consumers".to_owned()),
        admin_consent: false,
        app_only: AppOnly::None,
        app_only_scopes: Scopes::default(),
        smtp: submission("smtp-mail.outlook.com"),
        opaque_access_tokens: true,
        ..work
    })
}

/// The tenant of all personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
