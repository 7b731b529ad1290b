//! An application for the tests of diagnoses.

use std::sync::Arc;

use mailgrant_core::{
    provider::{Endpoints, MailHost, Provider, Tls},
    scope::Scopes,
    token::ClientId,
};

use crate::settings::Application;

/// At an authority like Entra's, asking for these scopes.
pub(crate) fn application(scopes: &str) -> Application {
    let endpoints = Endpoints::Discovery {
        issuer: "https://login.test/t/v2.0".to_owned(),
    };
    let scopes = Scopes::parse(scopes).unwrap();
    let imap = MailHost::new("imap.test", 993, Tls::Implicit).unwrap();
    Application {
        id: "corp".to_owned(),
        provider: Arc::new(Provider::custom("corp", endpoints, scopes, imap)),
        tenant: None,
        allowed_tenants: Vec::new(),
        client_id: ClientId::new("6731de76-14a6-49ae-97bc-6eba6914391e").unwrap(),
        credential: mailgrant_oauth::Credential::None,
        client_secret_expires: None,
        extra_ca_pem: None,
    }
}
