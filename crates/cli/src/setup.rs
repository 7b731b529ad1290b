//! `mailgrant setup`: the administrator's steps, with the operator's own values.

use std::io::Write as _;

use mailgrant_core::claims::{Claims, TokenKind};
use mailgrant_core::provider::{CredentialKind, Provider};
use mailgrant_doctor::setup::{Access, Error, Guide, Proof, SetUp, UNREGISTERED};
use mailgrant_oauth::Credential;
use mailgrant_oauth::credential::Federated;
use mailgrant_server::{Application, Environment, Settings};

use crate::arguments::{Setup, SetupFlow, SetupFormat};
use crate::environment::{self, now};
use crate::failure::{Exit, Failure};

/// Prints the steps. Asks nobody anything: neither the authority nor the database is needed.
///
/// # Errors
/// When the settings have no such application, or there is no such way in.
pub(crate) fn run(
    arguments: &Setup,
    surroundings: &Environment,
    json: bool,
) -> Result<(), Failure> {
    let settings = environment::settings(&arguments.configuration).map_err(advised)?;
    let guide = guide(arguments, &settings, surroundings)?;
    let format = if json {
        SetupFormat::Json
    } else {
        arguments.format
    };
    let text = match format {
        SetupFormat::Text => guide.to_string(),
        SetupFormat::Ps1 => guide.script(),
        SetupFormat::Json => format!("{:#}\n", guide.to_json()),
    };
    // Whoever reads may stop reading, as `head` does.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// Who begins has no credential yet, and some settings are refused without one.
fn advised(failure: Failure) -> Failure {
    let keys = [
        "client_secret_file",
        "certificate",
        "federated",
        "service_account",
    ];
    match keys.iter().any(|key| failure.message.contains(key)) {
        true => Failure::new(
            failure.exit,
            format!(
                "{} (for mailgrant setup, as long as there is none yet: leave the credential out, or let \
                 client_secret_file name a file with any text)",
                failure.message
            ),
        ),
        false => failure,
    }
}

fn guide(
    arguments: &Setup,
    settings: &Settings,
    surroundings: &Environment,
) -> Result<Guide, Failure> {
    let application = application(settings, &arguments.application)?;
    let access = access(arguments.flow, application);
    if access == Access::AppOnly && arguments.mailboxes.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "--mailbox: app-only access is to mailboxes; name each, as --mailbox orders@contoso.example",
        ));
    }
    let own = application.tenant.as_deref();
    // A registration of no named tenant is one for many: where it is at home, it was made before.
    let foreign = arguments
        .tenant
        .as_deref()
        .is_some_and(|wanted| own.is_none_or(|own| !wanted.eq_ignore_ascii_case(own)))
        && application.client_id.as_str() != UNREGISTERED;
    SetUp {
        application: &application.id,
        provider: &application.provider,
        tenant: tenant(arguments.tenant.as_deref(), own, &application.provider)?,
        foreign,
        client_id: &application.client_id,
        proof: proof(application)?,
        access,
        mailboxes: &arguments.mailboxes,
        sends: arguments.send,
        gateway: &address(settings),
        now: now(surroundings),
    }
    .guide()
    .map_err(|error| {
        let exit = match &error {
            Error::NoAppOnly(_) | Error::NoTenant => Exit::Usage,
            _ => Exit::Configuration,
        };
        Failure::new(exit, format!("application `{}`: {error}", application.id))
    })
}

fn application<'a>(settings: &'a Settings, id: &str) -> Result<&'a Application, Failure> {
    settings.application(id).ok_or_else(|| {
        let known: Vec<&str> = settings
            .applications
            .iter()
            .map(|application| application.id.as_str())
            .collect();
        Failure::configuration(match known.as_slice() {
            [] => format!(
                "the settings have no application yet; write into mailgrant.toml:\n\n[[application]]\nid = \"{id}\"\n\
                 provider = \"microsoft365\"\ntenant = \"contoso.onmicrosoft.com\"      # your own\n\
                 client_id = \"{UNREGISTERED}\"   # as long as there is none"
            ),
            known => format!(
                "--application: there is no application `{id}` in the settings; there is: {}",
                known.join(", ")
            ),
        })
    })
}

/// A person signs in only where it is wished, or where there is no other way.
fn access(wanted: Option<SetupFlow>, application: &Application) -> Access {
    match wanted {
        Some(SetupFlow::Delegated) => Access::Delegated,
        Some(SetupFlow::AppOnly) => Access::AppOnly,
        None if application.credential.is_per_mailbox() => Access::AppOnly,
        None if application.app_only_scopes().is_empty() => Access::Delegated,
        // Without a person only a service account gets in there, and the settings name none.
        None if application.provider.id == "google" => Access::Delegated,
        None => Access::AppOnly,
    }
}

fn tenant<'a>(
    wanted: Option<&'a str>,
    own: Option<&'a str>,
    provider: &'a Provider,
) -> Result<Option<&'a str>, Failure> {
    if let Some(wanted) = wanted {
        provider
            .tenant(Some(wanted))
            .map_err(|problem| Failure::new(Exit::Usage, format!("--tenant: {problem}")))?;
    }
    Ok(wanted.or(own))
}

/// How the application of the settings proves itself; by a secret where they do not say yet and the provider takes one.
fn proof(application: &Application) -> Result<Proof, Failure> {
    match &application.credential {
        Credential::None if application.provider.check_credential(CredentialKind::Secret).is_err() => {
            Ok(Proof::Nothing)
        }
        Credential::None | Credential::Secret(_) => Ok(Proof::Secret),
        Credential::Certificate(certificate) => Ok(Proof::Certificate {
            base64: certificate.base64(),
            fingerprint: certificate.thumbprint(),
        }),
        Credential::Federated(federated) => federated_proof(federated).ok_or_else(|| {
            Failure::configuration(format!(
                "application `{}`: federated.token_file: {} holds no token with iss, sub and aud, which the authority \
                 has to be told",
                application.id,
                federated.token_file().display()
            ))
        }),
        Credential::ServiceAccount(account) => Ok(Proof::ServiceAccount {
            client_id: Some(account.client_id()),
        }),
        other => Err(Failure::configuration(format!(
            "application `{}`: no set-up is known for a credential of the kind {}",
            application.id,
            other.kind()
        ))),
    }
}

/// Whom the authority has to trust, as the token itself says.
fn federated_proof(federated: &Federated) -> Option<Proof> {
    let token = std::fs::read_to_string(federated.token_file()).ok()?;
    let TokenKind::Jwt(claims) = Claims::unverified(token.trim()) else {
        return None;
    };
    Some(Proof::Federated {
        issuer: claims.iss?,
        subject: claims.sub?,
        audience: claims.aud.into_iter().next()?,
    })
}

/// What the gateway is called by, for redirect URIs.
fn address(settings: &Settings) -> String {
    match &settings.server.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{}", settings.server.listen),
    }
}
