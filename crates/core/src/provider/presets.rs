//! The providers that are known.

use super::{Endpoints, MailHost, Provider, TENANT, Tls};
use crate::endpoint::Endpoint;
use crate::scope::Scopes;

/// The ids of the presets.
pub const PRESETS: [&str; 11] = [
    "microsoft365",
    "microsoft365-gcc-high",
    "microsoft365-dod",
    "microsoft365-china",
    "outlook",
    "google",
    "yahoo",
    "aol",
    "fastmail",
    "yandex",
    "mailru",
];

pub(super) fn preset(id: &str) -> Option<Provider> {
    match id {
        "microsoft365" => microsoft365(&Cloud {
            id: "microsoft365",
            display_name: "Microsoft 365",
            login: "login.microsoftonline.com",
            resource: "https://outlook.office.com",
            app_only_resource: "https://outlook.office365.com",
            mail: "outlook.office365.com",
            smtp: "smtp.office365.com",
        }),
        "microsoft365-gcc-high" => microsoft365(&Cloud {
            id: "microsoft365-gcc-high",
            display_name: "Microsoft 365 GCC High",
            login: "login.microsoftonline.us",
            resource: "https://outlook.office365.us",
            app_only_resource: "https://outlook.office365.us",
            mail: "outlook.office365.us",
            smtp: "smtp.office365.us",
        }),
        // Known from one public code base only, whose author could not test it.
        "microsoft365-dod" => microsoft365(&Cloud {
            id: "microsoft365-dod",
            display_name: "Microsoft 365 DoD",
            login: "login.microsoftonline.us",
            resource: "https://outlook.office365.us",
            app_only_resource: "https://outlook.office365.us",
            mail: "outlook-dod.office365.us",
            smtp: "outlook-dod.office365.us",
        }),
        "microsoft365-china" => microsoft365(&Cloud {
            id: "microsoft365-china",
            display_name: "Microsoft 365 operated by 21Vianet",
            login: "login.partner.microsoftonline.cn",
            resource: "https://partner.outlook.cn",
            app_only_resource: "https://partner.outlook.cn",
            mail: "partner.outlook.cn",
            smtp: "smtp.partner.outlook.cn",
        }),
        "outlook" => outlook(),
        "google" => google(),
        "yahoo" => yahoo(
            "yahoo",
            "Yahoo Mail",
            "api.login.yahoo.com",
            "mail.yahoo.com",
        ),
        "aol" => yahoo("aol", "AOL Mail", "api.login.aol.com", "aol.com"),
        "fastmail" => fastmail(),
        "yandex" => yandex(),
        "mailru" => mailru(),
        _ => None,
    }
}

/// What differs between Microsoft's clouds.
struct Cloud {
    id: &'static str,
    display_name: &'static str,
    login: &'static str,
    resource: &'static str,
    app_only_resource: &'static str,
    mail: &'static str,
    smtp: &'static str,
}

fn microsoft365(cloud: &Cloud) -> Option<Provider> {
    let resource = cloud.resource;
    let issuer = format!("https://{}/{TENANT}/v2.0", cloud.login);
    Some(Provider {
        display_name: cloud.display_name.to_owned(),
        // Work accounts of any tenant; single-tenant registrations must name theirs.
        default_tenant: Some("organizations".to_owned()),
        smtp_scopes: scopes(&format!("{resource}/SMTP.Send"))?,
        pop3_scopes: scopes(&format!("{resource}/POP.AccessAsUser.All"))?,
        app_only_scopes: scopes(&format!("{}/.default", cloud.app_only_resource))?,
        smtp: submission(cloud.smtp),
        pop3: implicit(cloud.mail, 995),
        admin_consent: true,
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
fn outlook() -> Option<Provider> {
    let work = preset("microsoft365")?;
    Some(Provider {
        id: "outlook".to_owned(),
        display_name: "Outlook.com".to_owned(),
        default_tenant: Some("consumers".to_owned()),
        app_only_scopes: Scopes::default(),
        smtp: submission("smtp-mail.outlook.com"),
        admin_consent: false,
        ..work
    })
}

fn google() -> Option<Provider> {
    Some(Provider {
        display_name: "Gmail".to_owned(),
        smtp: implicit("smtp.gmail.com", 465),
        pop3: implicit("pop.gmail.com", 995),
        // Without both there is no refresh token for somebody who has consented before.
        authorization_parameters: parameters(&[("access_type", "offline"), ("prompt", "consent")]),
        ..Provider::custom(
            "google",
            Endpoints::Discovery {
                issuer: "https://accounts.google.com".to_owned(),
            },
            scopes("openid email profile https://mail.google.com/")?,
            implicit("imap.gmail.com", 993)?,
        )
    })
}

fn yahoo(id: &str, display_name: &str, login: &str, domain: &str) -> Option<Provider> {
    Some(Provider {
        display_name: display_name.to_owned(),
        smtp: implicit(&format!("smtp.{domain}"), 465),
        pop3: implicit(&format!("pop.{domain}"), 995),
        ..Provider::custom(
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

fn fastmail() -> Option<Provider> {
    Some(Provider {
        display_name: "Fastmail".to_owned(),
        smtp_scopes: scopes("https://www.fastmail.com/dev/protocol-smtp")?,
        pop3_scopes: scopes("https://www.fastmail.com/dev/protocol-pop")?,
        smtp: implicit("smtp.fastmail.com", 465),
        pop3: implicit("pop.fastmail.com", 995),
        ..Provider::custom(
            "fastmail",
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

fn yandex() -> Option<Provider> {
    Some(Provider {
        display_name: "Yandex Mail".to_owned(),
        smtp_scopes: scopes("mail:smtp")?,
        smtp: implicit("smtp.yandex.com", 465),
        pop3: implicit("pop.yandex.com", 995),
        authorization_parameters: parameters(&[("force_confirm", "yes")]),
        ..Provider::custom(
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

fn mailru() -> Option<Provider> {
    Some(Provider {
        display_name: "Mail.ru".to_owned(),
        smtp: implicit("smtp.mail.ru", 465),
        pop3: implicit("pop.mail.ru", 995),
        authorization_parameters: parameters(&[("prompt_force", "1")]),
        ..Provider::custom(
            "mailru",
            explicit(None, "https://o2.mail.ru/login", "https://o2.mail.ru/token")?,
            scopes("userinfo mail.imap")?,
            implicit("imap.mail.ru", 993)?,
        )
    })
}

fn explicit(issuer: Option<&str>, authorize: &str, token: &str) -> Option<Endpoints> {
    Some(Endpoints::Explicit {
        issuer: issuer.map(str::to_owned),
        authorization_endpoint: Endpoint::new(authorize).ok()?,
        token_endpoint: Endpoint::new(token).ok()?,
        jwks_uri: None,
        device_authorization_endpoint: None,
    })
}

fn scopes(text: &str) -> Option<Scopes> {
    Scopes::parse(text).ok()
}

fn implicit(host: &str, port: u16) -> Option<MailHost> {
    MailHost::new(host, port, Tls::Implicit).ok()
}

fn submission(host: &str) -> Option<MailHost> {
    MailHost::new(host, 587, Tls::StartTls).ok()
}

fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
