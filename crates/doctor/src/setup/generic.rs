//! Any other authority: what the standards leave to its administrator.

use mailgrant_core::provider::{CredentialKind, Endpoints, Provider, Tls};

use super::{Access, Guide, Place, SetUp, Step, finish, registration};

pub(super) fn guide(set_up: &SetUp<'_>) -> Guide {
    let provider = set_up.provider;
    let title = match set_up.access {
        Access::Delegated => format!(
            "Sign-in of people for application {} ({})",
            set_up.application, provider.display_name
        ),
        Access::AppOnly => format!(
            "App-only access of application {} ({})",
            set_up.application, provider.display_name
        ),
    };
    let mut guide = Guide::new(set_up, title);
    guide.needed = vec![format!(
        "Somebody who may register OAuth clients at {}.",
        provider.display_name
    )];
    guide.steps = vec![
        endpoints(set_up),
        client(set_up),
        mail(set_up),
        finish::settings(set_up),
    ];
    guide.steps.push(match set_up.access {
        Access::Delegated => finish::prove_delegated(set_up),
        Access::AppOnly => finish::prove_app_only(set_up),
    });
    guide
}

fn endpoints(set_up: &SetUp<'_>) -> Step {
    let step = Step::new(
        "discovery",
        Place::Mailgrant,
        "See that the authority answers",
        "everything else is asked of it",
    );
    match &set_up.provider.endpoints {
        Endpoints::Discovery { issuer } => {
            let issuer = issuer.replace("{tenant}", set_up.tenant.unwrap_or_default());
            let url = format!(
                "{}/.well-known/openid-configuration",
                issuer.trim_end_matches('/')
            );
            step.shell(format!("curl -sS '{}'", url.replace('\'', "%27")))
                .open("Discovery document", url)
                .see(format!(
                    "issuer is {issuer}, letter by letter; token_endpoint and jwks_uri are there"
                ))
        }
        Endpoints::Explicit {
            authorization_endpoint,
            token_endpoint,
            ..
        } => step.by_hand([format!(
            "People are sent to {}, codes are redeemed at {}.",
            authorization_endpoint.as_str(),
            token_endpoint.as_str()
        )]),
    }
    .without(Some("authority_unavailable"), "the gateway cannot reach it")
}

fn client(set_up: &SetUp<'_>) -> Step {
    let provider = set_up.provider;
    let step = Step::new(
        "registration",
        Place::Portal,
        "Register the client",
        "the authority knows mailgrant by it",
    );
    match set_up.access {
        Access::Delegated => {
            let scopes = match set_up.sends {
                true => provider.scopes.union(&provider.smtp_scopes),
                false => provider.scopes.clone(),
            };
            let step = match office(&provider.id) {
                Some(office) => step.by_hand(office.words.iter().copied()),
                None => step,
            };
            let step = match office(&provider.id).and_then(|office| office.page) {
                Some(page) => step.open("Registration", page),
                None => step,
            };
            step.by_hand([
                kind_of_client(provider).to_owned(),
                format!("Redirect URI: {}", set_up.redirect_uri()),
                format!("Scopes: {scopes}"),
            ])
            .without(
                Some(registration::NOT_RETURNED),
                "the authority stops people on a page of its own and does not send them back",
            )
        }
        Access::AppOnly => step
            .by_hand([
                "A confidential client for the client credentials grant.".to_owned(),
                format!("Scopes: {}", provider.app_only_scopes),
            ])
            .without(
                Some("authority_unauthorized_client"),
                "the authority does not know the client",
            ),
    }
}

fn kind_of_client(provider: &Provider) -> &'static str {
    match provider.credentials {
        [CredentialKind::None] => {
            "A public client, without a secret, for the authorization code flow with PKCE (S256), and refresh tokens."
        }
        _ => {
            "A confidential client (a web application) for the authorization code flow with PKCE (S256), and refresh tokens."
        }
    }
}

/// Where clients are registered, for those who have an office of their own.
struct Office {
    words: &'static [&'static str],
    page: Option<&'static str>,
}

fn office(provider: &str) -> Option<Office> {
    let office = |words, page| Some(Office { words, page });
    match provider {
        "yahoo" | "aol" => office(
            &[
                "Anybody can make an application at Yahoo, but without the scope mail-w. Yahoo gives that one to companies that ask for it (Mail API Access form, API: IMAP) and sign its terms; ask before you plan with it. The redirect URI must begin with https.",
            ],
            Some("https://senders.yahooinc.com/developer/developer-access/"),
        ),
        "fastmail" => office(
            &[
                "There is no page for it: ask Fastmail's support for an OAuth client, with its name, redirect URI and scopes.",
            ],
            Some("https://www.fastmail.com/dev/"),
        ),
        "yandex" => office(
            &[
                "Create an application of the platform Web services, not one for API access or debugging: that one's redirect URI cannot be changed. Take the mail permissions among Access to data.",
            ],
            Some("https://oauth.yandex.com/client/new"),
        ),
        "mailru" => office(
            &["Create a site application, and keep its Client ID and Client Secret."],
            Some("https://o2.mail.ru/app/"),
        ),
        "comcast" => office(
            &[
                "No page for registration is known; the clients that read Xfinity mail by OAuth were admitted by Comcast itself. Ask before you plan with it.",
            ],
            None,
        ),
        _ => None,
    }
}

fn mail(set_up: &SetUp<'_>) -> Step {
    let imap = &set_up.provider.imap;
    let tls = match imap.tls {
        Tls::Implicit => "TLS from the first byte",
        Tls::StartTls => "STARTTLS",
    };
    Step::new(
        "imap",
        Place::Portal,
        format!("See that {} takes the authority's tokens", imap.host),
        match office(&set_up.provider.id) {
            Some(_) => "where IMAP is off, the login fails although the token is in order",
            None => "a mail server has to be told whose tokens it accepts, and which claim names the mailbox",
        },
    )
    .by_hand([match office(&set_up.provider.id) {
        Some(_) => format!(
            "{}:{} ({tls}) takes them; each person may have to switch IMAP on in the settings of their mailbox.",
            imap.host, imap.port
        ),
        None => format!(
            "{}:{} ({tls}) offers AUTH=XOAUTH2 or AUTH=OAUTHBEARER before login, and IMAP is on for the mailbox.",
            imap.host, imap.port
        ),
    }])
    .without(Some("imap_refused"), "the mail server refuses the token")
}
