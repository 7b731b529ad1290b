//! Where a provider of the settings has its authority.

use mailgrant_core::{
    endpoint::Endpoint,
    provider::{Endpoints, PRESETS, Provider},
};

use crate::settings::{SettingsError, application::Table, file};

/// What is written of endpoints; `None`: nothing.
pub(super) fn read(
    written: &file::Provider,
    table: &Table,
) -> Result<Option<Endpoints>, SettingsError> {
    // The tenant's place holder may not stand in an endpoint, so it is filled before looking.
    let filled = written
        .issuer
        .as_deref()
        .map(|issuer| issuer.replace("{tenant}", "tenant"));
    endpoint(filled.as_deref(), "issuer", table)?;
    let issuer = written.issuer.clone();
    let read = |text: &Option<String>, key| endpoint(text.as_deref(), key, table);
    let authorization_endpoint = read(&written.authorization_endpoint, "authorization_endpoint")?;
    let token_endpoint = read(&written.token_endpoint, "token_endpoint")?;
    let jwks_uri = read(&written.jwks_uri, "jwks_uri")?;
    let device_authorization_endpoint = read(
        &written.device_authorization_endpoint,
        "device_authorization_endpoint",
    )?;
    let userinfo_endpoint = read(&written.userinfo_endpoint, "userinfo_endpoint")?;
    match (authorization_endpoint, token_endpoint) {
        (Some(authorization_endpoint), Some(token_endpoint)) => Ok(Some(Endpoints::Explicit {
            issuer,
            authorization_endpoint,
            token_endpoint,
            jwks_uri,
            device_authorization_endpoint,
            userinfo_endpoint,
        })),
        (Some(_), None) => Err(table.wrong(
            "token_endpoint",
            "is missing beside `authorization_endpoint`",
        )),
        (None, Some(_)) => Err(table.wrong(
            "authorization_endpoint",
            "is missing beside `token_endpoint`",
        )),
        (None, None) => {
            for (key, given) in [
                ("jwks_uri", jwks_uri),
                (
                    "device_authorization_endpoint",
                    device_authorization_endpoint,
                ),
                ("userinfo_endpoint", userinfo_endpoint),
            ] {
                if given.is_some() {
                    return Err(table.wrong(
                        key,
                        "would not be used: the issuer's discovery document tells it; leave it out, or give \
                         `authorization_endpoint` and `token_endpoint` too",
                    ));
                }
            }
            Ok(issuer.map(|issuer| Endpoints::Discovery { issuer }))
        }
    }
}

/// The preset that has the same authority.
pub(super) fn preset_of(endpoints: &Endpoints) -> Option<&'static str> {
    let origin = |endpoints: &Endpoints| {
        let issuer = endpoints.issuer()?.replace("{tenant}", "tenant");
        Some(Endpoint::new(issuer).ok()?.origin().to_ascii_lowercase())
    };
    let found = origin(endpoints)?;
    PRESETS.into_iter().find(|id| {
        Provider::preset(id).and_then(|preset| origin(&preset.endpoints)) == Some(found.clone())
    })
}

fn endpoint(
    text: Option<&str>,
    key: &str,
    table: &Table,
) -> Result<Option<Endpoint>, SettingsError> {
    let Some(text) = text else { return Ok(None) };
    Endpoint::new(text).map(Some).map_err(|problem| {
        table.wrong(
            key,
            format!("`{text}`: {problem}; write an https URL (plain http only on localhost)"),
        )
    })
}
