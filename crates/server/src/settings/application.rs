//! `[[application]]`: the operator's client registrations.

use std::{collections::BTreeMap, sync::Arc};

use super::{Application, SettingsError, credential, file, provider, source::Context};
use mailgrant_core::{
    provider::{AppOnly, PRESETS, Provider},
    scope::Scopes,
    time::UnixTime,
};

pub(super) fn all(
    written: Vec<file::Application>,
    providers: Vec<file::Provider>,
    context: &Context<'_>,
) -> Result<Vec<Application>, SettingsError> {
    let custom = provider::all(providers, context)?;
    let mut applications: Vec<Application> = Vec::with_capacity(written.len());
    for (index, application) in written.into_iter().enumerate() {
        let table = Table(format!("application[{index}]"));
        if applications.iter().any(|other| other.id == application.id) {
            return Err(table.wrong("id", format!("`{}` is used twice", application.id)));
        }
        applications.push(one(application, &table, &custom, context)?);
    }
    Ok(applications)
}

/// The table in whose name problems are reported.
pub(super) struct Table(pub(super) String);

impl Table {
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.0)
    }

    pub(super) fn wrong(&self, key: &str, problem: impl Into<String>) -> SettingsError {
        SettingsError::key(self.key(key), problem)
    }
}

fn one(
    written: file::Application,
    table: &Table,
    custom: &BTreeMap<String, provider::Custom>,
    context: &Context<'_>,
) -> Result<Application, SettingsError> {
    check_id(&written.id).map_err(|problem| table.wrong("id", problem))?;
    let (mut provider, extra_ca_pem) = match custom.get(&written.provider) {
        Some(custom) => (custom.provider.clone(), custom.extra_ca_pem.clone()),
        None => (preset(&written.provider, custom, table)?, None),
    };
    provider
        .tenant(written.tenant.as_deref())
        .map_err(|problem| table.wrong("tenant", problem.to_string()))?;
    if !written.scopes.is_empty() {
        provider.scopes = scopes(&written.scopes, &provider, &table.key("scopes"))?;
    }
    if !written.app_only_scopes.is_empty() {
        let key = table.key("app_only_scopes");
        provider.app_only_scopes = scopes(&written.app_only_scopes, &provider, &key)?;
        if provider.app_only == AppOnly::None {
            return Err(SettingsError::key(
                key,
                format!("{} has no app-only access", provider.display_name),
            ));
        }
    }
    let allowed_tenants = written
        .allowed_tenants
        .iter()
        .map(|tenant| tenant_id(tenant, &table.key("allowed_tenants")))
        .collect::<Result<_, _>>()?;
    let (credential, client_id) = credential::read(&written, table, context)?;
    credential::check_fits(&credential, &provider, &written, table)?;
    if let Some(method) = credential::secret_method(&written, table)? {
        provider.secret_method = Some(method);
    }
    Ok(Application {
        credential,
        client_secret_expires: written
            .client_secret_expires
            .as_deref()
            .map(|date| {
                day(date).ok_or_else(|| {
                    table.wrong(
                        "client_secret_expires",
                        format!("`{date}` is not a date; write for example 2027-06-01"),
                    )
                })
            })
            .transpose()?,
        id: written.id,
        provider: Arc::new(provider),
        tenant: written.tenant,
        allowed_tenants,
        client_id,
        extra_ca_pem,
    })
}

/// As a token's `tid` has it: a domain may be another organisation's tomorrow.
fn tenant_id(written: &str, key: &str) -> Result<String, SettingsError> {
    let groups = written.split('-').map(str::len);
    let hex = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
    if groups.eq([8, 4, 4, 4, 12]) && written.chars().all(hex) {
        Ok(written.to_ascii_lowercase())
    } else {
        Err(SettingsError::key(
            key,
            format!(
                "`{written}` is not the id of a tenant, such as 9188040d-6c67-4c5b-b112-36a304b66dad (personal accounts); Microsoft Entra admin center > Overview > Tenant ID"
            ),
        ))
    }
}

fn preset(
    id: &str,
    custom: &BTreeMap<String, provider::Custom>,
    table: &Table,
) -> Result<Provider, SettingsError> {
    Provider::preset(id).ok_or_else(|| {
        let known: Vec<&str> = PRESETS
            .into_iter()
            .chain(custom.keys().map(String::as_str))
            .collect();
        table.wrong(
            "provider",
            format!(
                "`{id}` is not known; one of {}, or add a [[provider]] with this id",
                known.join(", ")
            ),
        )
    })
}

/// Refuses scopes that would yield a token for another resource than the provider's mail.
pub(super) fn scopes(
    written: &[String],
    provider: &Provider,
    key: &str,
) -> Result<Scopes, SettingsError> {
    for (index, scope) in written.iter().enumerate() {
        let wrong = |problem: String| SettingsError::key(format!("{key}[{index}]"), problem);
        let scope = Scopes::parse(scope).map_err(|problem| wrong(problem.to_string()))?;
        provider
            .check_scopes(&scope)
            .map_err(|problem| wrong(problem.to_string()))?;
    }
    Scopes::parse(&written.join(" "))
        .map_err(|problem| SettingsError::key(key, problem.to_string()))
}

pub(super) fn check_id(id: &str) -> Result<(), String> {
    let fine = !id.is_empty()
        && id.len() <= 64
        && id
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    if fine {
        Ok(())
    } else {
        Err(format!(
            "`{id}` must be 1 to 64 letters, digits, `-`, `_` or `.`"
        ))
    }
}

/// Midnight UTC of that day.
fn day(text: &str) -> Option<UnixTime> {
    let date: jiff::civil::Date = text
        .get(..10)
        .filter(|_| {
            text.len() == 10
                || text
                    .as_bytes()
                    .get(10)
                    .is_some_and(|mark| matches!(mark, b'T' | b' '))
        })?
        .parse()
        .ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(UnixTime(midnight.timestamp().as_second()))
}
