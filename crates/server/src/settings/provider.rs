//! `[[provider]]`: authorities and mail hosts that no preset covers, or a preset's at other hosts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mailgrant_core::{
    provider::{AddressClaim, AppOnly, Endpoints, PRESETS, Provider},
    scope::Scopes,
};

use super::{
    SettingsError,
    application::{Table, check_id, scopes},
    file,
    source::Context,
};

mod endpoints;

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
    let mut provider = match like(&written, table)? {
        Some(preset) => of_preset(preset, &written, table)?,
        None => of_its_own(&written, table)?,
    };
    set_scopes(&mut provider, &written, table)?;
    set_app_only(&mut provider, &written, table)?;
    set_quirks(&mut provider, &written, table)?;
    provider.display_name = written.display_name.unwrap_or_else(|| written.id.clone());
    provider.id = written.id;
    Ok(Custom {
        provider,
        extra_ca_pem,
    })
}

/// The preset whose quirks it has.
fn like(written: &file::Provider, table: &Table) -> Result<Option<Provider>, SettingsError> {
    let Some(id) = &written.like else {
        return Ok(None);
    };
    Provider::preset(id).map(Some).ok_or_else(|| {
        let known = PRESETS.join(", ");
        table.wrong("like", format!("`{id}` is no preset; one of {known}"))
    })
}

/// A preset at other hosts.
fn of_preset(
    mut provider: Provider,
    written: &file::Provider,
    table: &Table,
) -> Result<Provider, SettingsError> {
    if let Some(endpoints) = endpoints::read(written, table)? {
        provider.endpoints = endpoints;
    }
    if !provider.has_tenants() {
        provider.default_tenant = None;
    }
    if let Some(imap) = &written.imap {
        // Nothing of a mailbox at one place goes to the preset's servers at another.
        provider.imap = imap.clone();
        provider.smtp = None;
        provider.pop3 = None;
    }
    Ok(provider)
}

fn of_its_own(written: &file::Provider, table: &Table) -> Result<Provider, SettingsError> {
    let endpoints = endpoints::read(written, table)?.ok_or_else(|| {
        table.wrong(
            "issuer",
            "is missing; give `issuer`, or `authorization_endpoint` and `token_endpoint`, or `like` with a preset",
        )
    })?;
    let imap = written.imap.clone().ok_or_else(|| {
        table.wrong(
            "imap",
            "is missing; write for example imap = { host = \"imap.corp.test\", port = 993, tls = \"implicit\" }",
        )
    })?;
    if let Some(id) = endpoints::preset_of(&endpoints) {
        return Err(table.wrong(
            "issuer",
            format!("this authority needs what the preset `{id}` knows: add like = \"{id}\""),
        ));
    }
    match Provider::preset(ENTRA) {
        Some(entra) if is_entras(&endpoints) => of_preset(entra, written, table),
        _ => Ok(Provider::custom(
            &written.id,
            endpoints,
            Scopes::default(),
            imap,
        )),
    }
}

/// Issuers of Entra ID end so, in all clouds; whoever writes such a one without `like` has its test server or a proxy.
fn is_entras(endpoints: &Endpoints) -> bool {
    endpoints
        .issuer()
        .is_some_and(|issuer| issuer.ends_with("/v2.0"))
}

fn set_scopes(
    provider: &mut Provider,
    written: &file::Provider,
    table: &Table,
) -> Result<(), SettingsError> {
    let read = |list: &[String], key: &str| {
        (!list.is_empty())
            .then(|| scopes(list, provider, &table.key(key)))
            .transpose()
    };
    let delegated = read(&written.scopes, "scopes")?;
    let smtp = read(&written.smtp_scopes, "smtp_scopes")?;
    let pop3 = read(&written.pop3_scopes, "pop3_scopes")?;
    let app_only = read(&written.app_only_scopes, "app_only_scopes")?;
    for (place, given) in [
        (&mut provider.scopes, delegated),
        (&mut provider.smtp_scopes, smtp),
        (&mut provider.pop3_scopes, pop3),
        (&mut provider.app_only_scopes, app_only),
    ] {
        if let Some(given) = given {
            *place = given;
        }
    }
    Ok(())
}

fn set_app_only(
    provider: &mut Provider,
    written: &file::Provider,
    table: &Table,
) -> Result<(), SettingsError> {
    provider.app_only = match written.app_only.as_deref() {
        Some("none") => {
            provider.app_only_scopes = Scopes::default();
            AppOnly::None
        }
        Some("client_credentials") => AppOnly::ClientCredentials,
        Some("service_account") => AppOnly::ServiceAccount,
        Some(word) => {
            return Err(table.wrong(
                "app_only",
                format!("`{word}` is not known; write none, client_credentials or service_account"),
            ));
        }
        None if provider.app_only == AppOnly::None && !provider.app_only_scopes.is_empty() => {
            AppOnly::ClientCredentials
        }
        None => provider.app_only,
    };
    if provider.app_only == AppOnly::None && !written.app_only_scopes.is_empty() {
        return Err(table.wrong(
            "app_only_scopes",
            "contradicts app_only = \"none\"; leave one of them out",
        ));
    }
    if provider.app_only != AppOnly::None && provider.app_only_scopes.is_empty() {
        return Err(table.wrong(
            "app_only_scopes",
            "is missing beside `app_only`; write what app-only tokens are asked for",
        ));
    }
    Ok(())
}

fn set_quirks(
    provider: &mut Provider,
    written: &file::Provider,
    table: &Table,
) -> Result<(), SettingsError> {
    if let Some(tenant) = &written.default_tenant {
        if !provider.has_tenants() {
            return Err(table.wrong(
                "default_tenant",
                "is of no use: the issuer has no {tenant} in it",
            ));
        }
        provider.default_tenant = Some(tenant.clone());
        provider
            .tenant(None)
            .map_err(|problem| table.wrong("default_tenant", problem.to_string()))?;
    }
    if written.smtp.is_some() {
        provider.smtp.clone_from(&written.smtp);
    }
    if written.pop3.is_some() {
        provider.pop3.clone_from(&written.pop3);
    }
    for (name, value) in &written.authorization_parameters {
        provider
            .authorization_parameters
            .retain(|(known, _)| known != name);
        provider
            .authorization_parameters
            .push((name.clone(), value.clone()));
    }
    if let Some(admin_consent) = written.admin_consent {
        provider.admin_consent = admin_consent;
    }
    if let Some(names_scopes) = written.refresh_names_scopes {
        provider.refresh_names_scopes = names_scopes;
    }
    if let Some(days) = written.refresh_token_idle_days {
        if days == 0 {
            return Err(table.wrong("refresh_token_idle_days", "must be at least 1"));
        }
        let lifetime = Duration::from_secs(u64::from(days) * 86_400);
        provider.refresh_token_idle_lifetime = Some(lifetime);
    }
    if !written.address_claims.is_empty() {
        provider.address_claims = written
            .address_claims
            .iter()
            .map(|word| {
                AddressClaim::parse(word).ok_or_else(|| {
                    table.wrong(
                        "address_claims",
                        format!("`{word}` is not known; write preferred_username or email"),
                    )
                })
            })
            .collect::<Result<_, _>>()?;
    }
    Ok(())
}

const ENTRA: &str = "microsoft365";
