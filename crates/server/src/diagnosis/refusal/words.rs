//! The names that a remedy is filled with.

use mailgrant_core::claims::{Claims, TokenKind};
use mailgrant_oauth::Credential;

use super::super::Asked;

/// What stands for each `{name}` of a remedy.
pub(super) struct Words<'a> {
    asked: &'a Asked<'a>,
    /// What another authority's token says of itself, unverified.
    presented: Claims,
}

impl<'a> Words<'a> {
    pub(super) fn of(asked: &'a Asked<'a>) -> Self {
        Self {
            asked,
            presented: presented(&asked.application.credential).unwrap_or_default(),
        }
    }

    pub(super) fn fill(&self, text: &str) -> String {
        let application = self.asked.application;
        let claim = |value: Option<&str>| shown(value.unwrap_or("(not in the token)"));
        let scopes = |scopes: &mailgrant_core::scope::Scopes| scopes.to_string();
        let names: [(&str, &dyn Fn() -> String); 10] = [
            ("{application}", &|| application.id.clone()),
            ("{client_id}", &|| application.client_id.as_str().to_owned()),
            ("{tenant}", &|| shown(self.asked.tenant())),
            ("{scopes}", &|| scopes(application.scopes())),
            ("{app_only_scopes}", &|| {
                scopes(application.app_only_scopes())
            }),
            ("{issuer}", &|| claim(self.presented.iss.as_deref())),
            ("{subject}", &|| claim(self.presented.sub.as_deref())),
            ("{audience}", &|| {
                claim(self.presented.aud.first().map(String::as_str))
            }),
            ("{thumbprint}", &|| thumbprint(&application.credential)),
            ("{service_account}", &|| {
                service_account(&application.credential)
            }),
        ];
        let mut filled = text.to_owned();
        for (name, value) in names {
            if filled.contains(name) {
                filled = filled.replace(name, &value());
            }
        }
        filled
    }
}

/// What the federated credential's token says of itself now; the authority was shown the same file.
fn presented(credential: &Credential) -> Option<Claims> {
    let Credential::Federated(federated) = credential else {
        return None;
    };
    let token = std::fs::read_to_string(federated.token_file()).ok()?;
    match Claims::unverified(token.trim()) {
        TokenKind::Jwt(claims) => Some(*claims),
        _ => None,
    }
}

fn service_account(credential: &Credential) -> String {
    match credential {
        Credential::ServiceAccount(account) => shown(&account.client_id()),
        _ => "the client_id in the service account's key file".to_owned(),
    }
}

fn thumbprint(credential: &Credential) -> String {
    match credential {
        Credential::Certificate(certificate) => certificate.thumbprint(),
        _ => "the certificate's".to_owned(),
    }
}

/// One line, not too long, whatever the token holds.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(300)
        .collect()
}
