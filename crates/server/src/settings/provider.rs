//! `[[provider]]`: authorities and mail hosts that no preset covers.

use std::{collections::BTreeMap, sync::Arc};

use mailgrant_core::{
    endpoint::Endpoint,
    provider::{Endpoints, Provider},
    scope::Scopes,
};

use super::{
    SettingsError,
    application::{Table, check_id, scopes},
    file,
    source::Context,
};

/// A provider from the settings, with the certificates it needs.
pub(super) struct Custom {
    pub(super) provider: Provider,
    pub(super) extra_ca_pem: Option<Arc<[u8]>>,
}

pub(super) fn all(
    written: Vec<file::Provider>,
    context: &Context<'_>,
) -> Result<BTreeMap<String, Custom>, SettingsError> {
    let mut providers = BTreeMap::new();
    for (index, provider) in written.into_iter().enumerate() {
        let table = Table(format!("provider[{index}]"));
        let id = provider.id.clone();
        if Provider::preset(&id).is_some() {
            return Err(table.wrong("id", format!("`{id}` is a preset; choose another id")));
        }
        if providers
            .insert(id.clone(), one(provider, &table, context)?)
            .is_some()
        {
            return Err(table.wrong("id", format!("`{id}` is used twice")));
        }
    }
    Ok(providers)
}

fn one(
    written: file::Provider,
    table: &Table,
    context: &Context<'_>,
) -> Result<Custom, SettingsError> {
    check_id(&written.id).map_err(|problem| table.wrong("id", problem))?;
    let extra_ca_pem = written
        .tls_ca_file
        .as_deref()
        .map(|path| context.file(path, &table.key("tls_ca_file")))
        .transpose()?
        .map(|pem| Arc::from(pem.into_bytes()));
    let endpoints = endpoints(&written, table)?;
    let scopes = optional_scopes(&written.scopes, &table.key("scopes"))?;
    let mut provider = Provider::custom(&written.id, endpoints, scopes, written.imap);
    provider.admin_consent = written
        .admin_consent
        .unwrap_or_else(|| is_entra_like(&provider.endpoints));
    provider.display_name = written.display_name.unwrap_or(written.id);
    provider.app_only_scopes =
        optional_scopes(&written.app_only_scopes, &table.key("app_only_scopes"))?;
    provider.smtp = written.smtp;
    provider.pop3 = written.pop3;
    provider.authorization_parameters = written.authorization_parameters.into_iter().collect();
    Ok(Custom {
        provider,
        extra_ca_pem,
    })
}

/// Entra ID's issuers end so, in all clouds; such an authority has an admin consent page.
fn is_entra_like(endpoints: &Endpoints) -> bool {
    endpoints
        .issuer()
        .is_some_and(|issuer| issuer.ends_with("/v2.0"))
}

fn optional_scopes(written: &[String], key: &str) -> Result<Scopes, SettingsError> {
    if written.is_empty() {
        Ok(Scopes::default())
    } else {
        scopes(written, key)
    }
}

fn endpoints(written: &file::Provider, table: &Table) -> Result<Endpoints, SettingsError> {
    let endpoint = |key: &str, text: &Option<String>| -> Result<Option<Endpoint>, SettingsError> {
        text.as_deref()
            .map(|text| {
                Endpoint::new(text).map_err(|problem| {
                    table.wrong(
                        key,
                        format!(
                            "`{text}`: {problem}; write an https URL (plain http only on localhost)"
                        ),
                    )
                })
            })
            .transpose()
    };
    // The tenant's place holder may not stand in an endpoint, so it is filled before looking.
    let filled = written
        .issuer
        .as_deref()
        .map(|issuer| issuer.replace("{tenant}", "tenant"));
    endpoint("issuer", &filled)?;
    let issuer = written.issuer.clone();
    let authorization_endpoint =
        endpoint("authorization_endpoint", &written.authorization_endpoint)?;
    let token_endpoint = endpoint("token_endpoint", &written.token_endpoint)?;
    let jwks_uri = endpoint("jwks_uri", &written.jwks_uri)?;
    let device_authorization_endpoint = endpoint(
        "device_authorization_endpoint",
        &written.device_authorization_endpoint,
    )?;
    match (authorization_endpoint, token_endpoint) {
        (Some(authorization_endpoint), Some(token_endpoint)) => Ok(Endpoints::Explicit {
            issuer,
            authorization_endpoint,
            token_endpoint,
            jwks_uri,
            device_authorization_endpoint,
        }),
        (None, None) => match issuer {
            Some(issuer) => Ok(Endpoints::Discovery { issuer }),
            None => Err(table.wrong(
                "issuer",
                "is missing; give `issuer`, or `authorization_endpoint` and `token_endpoint`",
            )),
        },
        (Some(_), None) => Err(table.wrong(
            "token_endpoint",
            "is missing beside `authorization_endpoint`",
        )),
        (None, Some(_)) => Err(table.wrong(
            "authorization_endpoint",
            "is missing beside `token_endpoint`",
        )),
    }
}
