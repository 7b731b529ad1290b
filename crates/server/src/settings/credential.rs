//! How an application proves who it is: exactly one kind.

use std::path::Path;

use mailgrant_core::{
    provider::{CredentialKind, Provider, SecretMethod},
    secret::Secret,
    token::{ClientId, ClientSecret},
};
use mailgrant_doctor::setup::UNREGISTERED;
use mailgrant_oauth::{
    Credential, CredentialError,
    credential::{
        self, Algorithm, Audience, Certificate, CertificateSource, Federated, Part, Password,
        ServiceAccount,
    },
};

use super::{SettingsError, application::Table, file, source::Context};

/// The credential, and the client id that it is for.
pub(super) fn read(
    written: &file::Application,
    table: &Table,
    context: &Context<'_>,
) -> Result<(Credential, ClientId), SettingsError> {
    check_one_kind(written, table)?;
    let credential = if let Some(path) = &written.client_secret_file {
        secret_file(path, table, context)?
    } else if let Some(variable) = &written.client_secret_env {
        secret_variable(variable, table, context)?
    } else if let Some(certificate) = &written.certificate {
        self::certificate(certificate, table, context)?
    } else if let Some(federated) = &written.federated {
        let opened = Federated::file(context.path(&federated.token_file));
        Credential::Federated(opened.map_err(|error| wrong(table, &error))?)
    } else if let Some(account) = &written.service_account {
        let opened = ServiceAccount::file(context.path(&account.file));
        Credential::ServiceAccount(opened.map_err(|error| wrong(table, &error))?)
    } else {
        Credential::None
    };
    let client_id = match (&written.client_id, &credential) {
        (Some(client_id), _) => client_id.clone(),
        // The key file tells.
        (None, Credential::ServiceAccount(account)) => account.client_id(),
        (None, _) => {
            return Err(table.wrong(
                "client_id",
                "is missing: write the application's (client) id as the provider shows it",
            ));
        }
    };
    let client_id = ClientId::new(client_id)
        .map_err(|problem| table.wrong("client_id", problem.to_string()))?;
    Ok((credential, client_id))
}

/// Refuses a kind that the provider does not take.
pub(super) fn check_fits(
    credential: &Credential,
    provider: &Provider,
    written: &file::Application,
    table: &Table,
) -> Result<(), SettingsError> {
    let Some(kind) = CredentialKind::parse(credential.kind()) else {
        return Ok(());
    };
    if kind == CredentialKind::None && written.client_id.as_deref() == Some(UNREGISTERED) {
        // Who has not registered yet can have no credential; `mailgrant setup` tells what it will be.
        return Ok(());
    }
    let key = match kind {
        CredentialKind::Certificate => "certificate",
        CredentialKind::Federated => "federated",
        CredentialKind::ServiceAccount => "service_account",
        _ if written.client_secret_env.is_some() => "client_secret_env",
        _ => "client_secret_file",
    };
    provider
        .check_credential(kind)
        .map_err(|unfit| table.wrong(key, unfit.to_string()))
}

/// How the secret is sent, where the operator knows what is registered.
pub(super) fn secret_method(
    written: &file::Application,
    table: &Table,
) -> Result<Option<SecretMethod>, SettingsError> {
    let Some(word) = &written.client_secret_method else {
        return Ok(None);
    };
    if written.client_secret_file.is_none() && written.client_secret_env.is_none() {
        return Err(table.wrong(
            "client_secret_method",
            "belongs to a client secret: leave it out",
        ));
    }
    SecretMethod::parse(word).map(Some).ok_or_else(|| {
        table.wrong(
            "client_secret_method",
            format!(
                "`{word}` is not known: write \"client_secret_post\" or \"client_secret_basic\""
            ),
        )
    })
}

fn check_one_kind(written: &file::Application, table: &Table) -> Result<(), SettingsError> {
    let kinds = [
        ("client_secret_file", written.client_secret_file.is_some()),
        ("client_secret_env", written.client_secret_env.is_some()),
        ("certificate", written.certificate.is_some()),
        ("federated", written.federated.is_some()),
        ("service_account", written.service_account.is_some()),
    ];
    let mut given = kinds
        .iter()
        .filter(|(_, given)| *given)
        .map(|(key, _)| *key);
    let (first, second) = (given.next(), given.next());
    if let (Some(first), Some(second)) = (first, second) {
        return Err(table.wrong(
            first,
            format!("give either `{first}` or `{second}`, not both: a request proves one thing"),
        ));
    }
    let is_secret = first.is_none_or(|key| key.starts_with("client_secret"));
    if written.client_secret_expires.is_some() && !is_secret {
        return Err(table.wrong(
            "client_secret_expires",
            "belongs to a client secret: leave it out (a certificate tells its end itself)",
        ));
    }
    Ok(())
}

fn secret_file(
    path: &Path,
    table: &Table,
    context: &Context<'_>,
) -> Result<Credential, SettingsError> {
    credential::Secret::file(context.path(path))
        .map(Credential::Secret)
        .map_err(|error| match looks_like_a_secret(path) && !context.path(path).exists() {
            // It is not said again: this goes to logs.
            true => table.wrong(
                "client_secret_file",
                "must name a file that holds the secret, and seems to be the secret itself: put it into a file",
            ),
            false => wrong(table, &error),
        })
}

/// Whether somebody wrote a secret where its file belongs: Entra's have a tilde, Google's a beginning of their own, and
/// the others look like nobody's name for a file.
fn looks_like_a_secret(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let has = |kind: fn(&char) -> bool| text.chars().any(|letter| kind(&letter));
    let random = text.len() >= 32
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit);
    !text.contains(['/', '\\']) && (text.contains('~') || text.starts_with("GOCSPX-") || random)
}

fn secret_variable(
    variable: &str,
    table: &Table,
    context: &Context<'_>,
) -> Result<Credential, SettingsError> {
    let key = "client_secret_env";
    let secret = context.variable(variable, &table.key(key))?;
    ClientSecret::new(secret)
        .map(Credential::from)
        .map_err(|problem| table.wrong(key, problem.to_string()))
}

fn certificate(
    written: &file::Certificate,
    table: &Table,
    context: &Context<'_>,
) -> Result<Credential, SettingsError> {
    let password = match (&written.password_file, &written.password_env) {
        (None, None) => Password::None,
        (Some(path), None) => Password::File(context.path(path)),
        (None, Some(variable)) => {
            let key = table.key("certificate.password_env");
            Password::Value(Secret::new(context.variable(variable, &key)?))
        }
        (Some(_), Some(_)) => {
            return Err(table.wrong(
                "certificate.password_file",
                "give either `password_file` or `password_env`, not both",
            ));
        }
    };
    let algorithm = match written.algorithm.as_deref() {
        None | Some("PS256") => Algorithm::Ps256,
        Some("RS256") => Algorithm::Rs256,
        Some(other) => {
            return Err(table.wrong(
                "certificate.algorithm",
                format!("`{other}` is not known: write \"PS256\" (the default) or \"RS256\""),
            ));
        }
    };
    let audience = match written.audience.as_deref() {
        None | Some("token_endpoint") => Audience::TokenEndpoint,
        Some("issuer") => Audience::Issuer,
        Some(other) => {
            return Err(table.wrong(
                "certificate.audience",
                format!(
                    "`{other}` is not known: write \"token_endpoint\" (the default) or \"issuer\""
                ),
            ));
        }
    };
    let key_id = written.key_id.clone();
    if key_id.as_ref().is_some_and(String::is_empty) {
        return Err(table.wrong("certificate.key_id", "is empty: leave it out"));
    }
    let password_env = written.password_env.is_some();
    Certificate::open(CertificateSource {
        file: context.path(&written.file),
        key_file: written.key_file.as_ref().map(|path| context.path(path)),
        password,
        algorithm,
        audience,
        key_id,
    })
    .map(Credential::Certificate)
    .map_err(|error| match error.part() {
        Part::Password if password_env => {
            table.wrong("certificate.password_env", error.to_string())
        }
        Part::Password if written.password_file.is_none() => table.wrong(
            "certificate",
            format!("{error} by `password_file` or `password_env`"),
        ),
        _ => wrong(table, &error),
    })
}

/// Names the key of the file at fault.
fn wrong(table: &Table, error: &CredentialError) -> SettingsError {
    table.wrong(credential_key(error.part()), error.to_string())
}

/// The key, within an application's table, that names the part's file.
pub(crate) const fn credential_key(part: Part) -> &'static str {
    match part {
        Part::Secret => "client_secret_file",
        Part::Certificate => "certificate.file",
        Part::Key => "certificate.key_file",
        Part::Password => "certificate.password_file",
        Part::Token => "federated.token_file",
        Part::ServiceAccount => "service_account.file",
        _ => "credential",
    }
}
