//! Providers without ID tokens: who starts the sign-in has to name the mailbox.

use super::super::{CredentialKind, Endpoints, HttpRedirects, MailHost, Provider};
use super::{explicit, implicit, parameters, scopes};
use crate::scope::Scopes;

pub(super) fn yahoo() -> Option<Provider> {
    let yahoo = ("yahoo", "Yahoo Mail");
    yahoo_like(yahoo, "api.login.yahoo.com", "mail.yahoo.com")
}

pub(super) fn aol() -> Option<Provider> {
    yahoo_like(("aol", "AOL Mail"), "api.login.aol.com", "aol.com")
}

fn yahoo_like((id, name): (&str, &str), login: &str, domain: &str) -> Option<Provider> {
    Some(Provider {
        display_name: name.to_owned(),
        smtp: implicit(&format!("smtp.{domain}"), 465),
        pop3: implicit(&format!("pop.{domain}"), 995),
        http_redirects: HttpRedirects::Never,
        registration_closed: true,
        ..without_identity(
            id,
            explicit(
                None,
                &format!("https://{login}/oauth2/request_auth"),
                &format!("https://{login}/oauth2/get_token"),
            )?,
            scopes("mail-w")?,
            implicit(&format!("imap.{domain}"), 993)?,
        )
    })
}

pub(super) fn fastmail() -> Option<Provider> {
    Some(Provider {
        display_name: "Fastmail".to_owned(),
        smtp_scopes: scopes("https://www.fastmail.com/dev/protocol-smtp")?,
        pop3_scopes: scopes("https://www.fastmail.com/dev/protocol-pop")?,
        smtp: implicit("smtp.fastmail.com", 465),
        pop3: implicit("pop.fastmail.com", 995),
        // PKCE instead.
        credentials: &[CredentialKind::None],
        ..without_identity(
            "fastmail",
            // What an `iss` in the callback is compared with (RFC 9207).
            explicit(
                Some("https://api.fastmail.com"),
                "https://api.fastmail.com/oauth/authorize",
                "https://api.fastmail.com/oauth/refresh",
            )?,
            scopes("https://www.fastmail.com/dev/protocol-imap")?,
            implicit("imap.fastmail.com", 993)?,
        )
    })
}

pub(super) fn yandex() -> Option<Provider> {
    Some(Provider {
        display_name: "Yandex Mail".to_owned(),
        smtp_scopes: scopes("mail:smtp")?,
        smtp: implicit("smtp.yandex.com", 465),
        pop3: implicit("pop.yandex.com", 995),
        authorization_parameters: parameters(&[("force_confirm", "yes")]),
        credentials: &[CredentialKind::Secret],
        ..without_identity(
            "yandex",
            explicit(
                None,
                "https://oauth.yandex.com/authorize",
                "https://oauth.yandex.com/token",
            )?,
            scopes("mail:imap_full")?,
            implicit("imap.yandex.com", 993)?,
        )
    })
}

pub(super) fn mailru() -> Option<Provider> {
    Some(Provider {
        display_name: "Mail.ru".to_owned(),
        smtp: implicit("smtp.mail.ru", 465),
        pop3: implicit("pop.mail.ru", 995),
        authorization_parameters: parameters(&[("prompt_force", "1")]),
        credentials: &[CredentialKind::Secret],
        ..without_identity(
            "mailru",
            explicit(None, "https://o2.mail.ru/login", "https://o2.mail.ru/token")?,
            scopes("userinfo mail.imap")?,
            implicit("imap.mail.ru", 993)?,
        )
    })
}

/// Its ID tokens are not asked for: where their keys are is not documented.
pub(super) fn comcast() -> Option<Provider> {
    Some(Provider {
        display_name: "Xfinity (Comcast)".to_owned(),
        smtp: implicit("smtp.comcast.net", 465),
        ..without_identity(
            "comcast",
            explicit(
                None,
                "https://oauth.xfinity.com/oauth/authorize",
                "https://oauth.xfinity.com/oauth/token",
            )?,
            scopes("https://email.comcast.net/")?,
            implicit("imap.comcast.net", 993)?,
        )
    })
}

fn without_identity(id: &str, endpoints: Endpoints, scopes: Scopes, imap: MailHost) -> Provider {
    Provider {
        credentials: &[CredentialKind::None, CredentialKind::Secret],
        opaque_access_tokens: true,
        address_claims: Vec::new(),
        userinfo: false,
        ..Provider::custom(id, endpoints, scopes, imap)
    }
}
