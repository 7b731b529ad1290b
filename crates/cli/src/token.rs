//! `mailgrant token`: an access token on standard output, for scripts and for looking at.

use std::sync::Arc;

use mailgrant_core::sasl::InitialResponse;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::{AccessToken, TokenResponse};
use mailgrant_oauth::{Client, ErrorKind, Policy, Registration, http_client};
use mailgrant_server::{Application, Environment, Settings};
use mailgrant_storage::{Account, AccountId, AccountState, Flow, NewGrant, Replacement, Storage};
use serde::Serialize;
use serde_json::json;

use crate::arguments::{Format, Token};
use crate::environment::{self, moment, now};
use crate::failure::{Exit, Failure};

/// Obtains a token and prints it.
///
/// # Errors
/// When there is none to be had; the exit code tells whose turn it is.
pub(crate) async fn run(arguments: Token, surroundings: Environment) -> Result<(), Failure> {
    let settings = environment::settings(&arguments.configuration)?;
    let found = match (&arguments.whose.account, &arguments.whose.application) {
        (Some(id), _) => of_account(&settings, &surroundings, id).await?,
        (None, Some(id)) => {
            let application = application(&settings, id)?;
            Found::new(
                app_only(application, &surroundings).await?,
                application,
                None,
                now(&surroundings),
            )
        }
        // clap demands one of the two.
        (None, None) => {
            return Err(Failure::new(
                Exit::Usage,
                "--account or --application is needed",
            ));
        }
    };
    let user = arguments.mailbox.or(found.user);
    println!(
        "{}",
        text(
            arguments.format,
            &found.token,
            found.expires_at,
            user.as_deref(),
            &found.host
        )?
    );
    Ok(())
}

struct Found {
    token: AccessToken,
    expires_at: Option<UnixTime>,
    user: Option<String>,
    host: (String, u16),
}

impl Found {
    fn new(
        response: TokenResponse,
        application: &Application,
        user: Option<String>,
        asked: UnixTime,
    ) -> Self {
        let imap = &application.provider.imap;
        Self {
            token: response.access_token,
            expires_at: response.expires_in.map(|lifetime| asked + lifetime),
            user,
            host: (imap.host.clone(), imap.port),
        }
    }
}

async fn of_account(
    settings: &Settings,
    surroundings: &Environment,
    id: &AccountId,
) -> Result<Found, Failure> {
    let storage = environment::storage(settings, surroundings).await?;
    let account = storage
        .accounts()
        .lookup_any_site(id)
        .await?
        .ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                format!(
                    "--account: there is no account {id} in {}",
                    settings.storage.url
                ),
            )
        })?;
    if account.state == AccountState::Disabled {
        return Err(Failure::new(
            Exit::PersonNeeded,
            format!("{id} is switched off; switch it on by the API first"),
        ));
    }
    let application = application(settings, &account.application)?;
    let asked = now(surroundings);
    let response = match account.flow {
        Flow::AppOnly => app_only(application, surroundings).await?,
        Flow::Delegated => refreshed(&*storage, application, &account, surroundings).await?,
    };
    storage.close().await;
    Ok(Found::new(
        response,
        application,
        Some(account.imap_user),
        asked,
    ))
}

/// Refreshes under the rule that the gateway keeps, which may be running beside this: a new refresh
/// token is on disk before its access token is shown, and only in place of the one it came from.
async fn refreshed(
    storage: &dyn Storage,
    application: &Application,
    account: &Account,
    surroundings: &Environment,
) -> Result<TokenResponse, Failure> {
    let client = client(application, surroundings)?;
    for _ in 0..RACES {
        let grant = storage.grants().lookup(&account.id).await?.ok_or_else(|| {
            Failure::new(
                Exit::PersonNeeded,
                format!(
                    "{} has no grant; its person has to connect again",
                    account.id
                ),
            )
        })?;
        let response = client
            .refresh(&grant.refresh_token, None)
            .await
            .map_err(refused)?;
        let next = NewGrant {
            refresh_token: response
                .refresh_token
                .clone()
                .unwrap_or(grant.refresh_token),
            scopes: response.scope.clone().unwrap_or(grant.scopes),
        };
        let stored = storage
            .grants()
            .replace(&account.id, grant.generation, next, now(surroundings))
            .await?;
        if matches!(stored, Replacement::Stored { .. }) {
            return Ok(response);
        }
    }
    Err(Failure::new(
        Exit::Unavailable,
        "the grant is being replaced by others all the time; try again",
    ))
}

async fn app_only(
    application: &Application,
    surroundings: &Environment,
) -> Result<TokenResponse, Failure> {
    let scopes = application.app_only_scopes();
    if scopes.is_empty() {
        return Err(Failure::configuration(format!(
            "the provider of application `{}` has no app_only_scopes; name them in the settings",
            application.id
        )));
    }
    client(application, surroundings)?
        .app_only(scopes, None)
        .await
        .map_err(refused)
}

fn client(application: &Application, surroundings: &Environment) -> Result<Client, Failure> {
    let wrong =
        |error| Failure::configuration(format!("application `{}`: {error}", application.id));
    let policy = Policy::default();
    let http = http_client(application.extra_ca_pem.as_deref(), &policy).map_err(wrong)?;
    let registration = Registration {
        provider: Arc::clone(&application.provider),
        tenant: application.tenant.clone(),
        client_id: application.client_id.clone(),
        credential: application.credential.clone(),
        // Neither flow here sends it.
        redirect_uri: "http://localhost/oauth/callback".to_owned(),
    };
    Client::new(http, registration, policy, surroundings.surroundings()).map_err(wrong)
}

fn application<'a>(settings: &'a Settings, id: &str) -> Result<&'a Application, Failure> {
    settings.application(id).ok_or_else(|| {
        let known: Vec<&str> = settings
            .applications
            .iter()
            .map(|application| application.id.as_str())
            .collect();
        Failure::configuration(format!(
            "there is no application `{id}` in the settings; there is: {}",
            known.join(", ")
        ))
    })
}

fn refused(error: mailgrant_oauth::Error) -> Failure {
    let exit = match error.kind() {
        _ if error.is_transient() => Exit::Unavailable,
        ErrorKind::Refused(answer)
            if matches!(
                answer.error.as_str(),
                "invalid_grant" | "interaction_required" | "consent_required"
            ) =>
        {
            Exit::PersonNeeded
        }
        ErrorKind::Configuration | ErrorKind::Credential(_) => Exit::Configuration,
        _ => Exit::Failed,
    };
    let message = match error.kind() {
        // The authority's own words name its error code and what to do about it.
        ErrorKind::Refused(answer) => match &answer.error_description {
            Some(description) => format!(
                "the authority refused: {}: {description}",
                answer.error.as_str()
            ),
            None => format!("the authority refused: {}", answer.error.as_str()),
        },
        _ => error.to_string(),
    };
    Failure::new(exit, message)
}

fn text(
    format: Format,
    token: &AccessToken,
    expires_at: Option<UnixTime>,
    user: Option<&str>,
    host: &(String, u16),
) -> Result<String, Failure> {
    let user_for = |format: &str| {
        user.ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("--format {format} names a mailbox: add --mailbox ADDRESS"),
            )
        })
    };
    let unusable = |error| {
        Failure::new(
            Exit::Failed,
            format!("the token cannot be sent by SASL: {error}"),
        )
    };
    let xoauth2 = |user: &str| {
        InitialResponse::xoauth2(user, token)
            .map(|response| response.base64().to_string())
            .map_err(unusable)
    };
    let oauthbearer = |user: &str| {
        let host = Some((host.0.as_str(), host.1));
        InitialResponse::oauthbearer(user, token, host)
            .map(|response| response.base64().to_string())
            .map_err(unusable)
    };
    Ok(match format {
        Format::AccessToken => token.expose().to_owned(),
        Format::Xoauth2 => xoauth2(user_for("xoauth2")?)?,
        Format::Oauthbearer => oauthbearer(user_for("oauthbearer")?)?,
        Format::Json => {
            let view = TokenView {
                access_token: token.expose(),
                token_type: "Bearer",
                expires_at: expires_at.map(moment),
                user,
                xoauth2: user.map(xoauth2).transpose()?,
                oauthbearer: user.map(oauthbearer).transpose()?,
            };
            json!(view).to_string()
        }
    })
}

/// As the gateway's API shows it; without a mailbox there are no SASL strings.
#[derive(Serialize)]
struct TokenView<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xoauth2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauthbearer: Option<String>,
}

/// How often the running gateway may be first.
const RACES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: Format, user: Option<&str>) -> Result<String, Failure> {
        let token = AccessToken::new("token").unwrap();
        text(
            format,
            &token,
            Some(UnixTime(1_790_000_000)),
            user,
            &("imap.example".to_owned(), 993),
        )
    }

    #[test]
    fn each_format_is_what_a_script_wants() {
        assert_eq!(shown(Format::AccessToken, None).unwrap(), "token");
        // "user=ada@example.com\x01auth=Bearer token\x01\x01"
        assert_eq!(
            shown(Format::Xoauth2, Some("ada@example.com")).unwrap(),
            "dXNlcj1hZGFAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgdG9rZW4BAQ=="
        );
        let json: serde_json::Value =
            serde_json::from_str(&shown(Format::Json, Some("ada@example.com")).unwrap()).unwrap();
        assert_eq!(json["expires_at"], "2026-09-21T14:13:20Z");
        assert_eq!(json["user"], "ada@example.com");
    }

    #[test]
    fn sasl_strings_need_a_mailbox() {
        let failure = shown(Format::Oauthbearer, None).unwrap_err();
        assert!(failure.message.contains("--mailbox"), "{}", failure.message);
        assert_eq!(failure.exit, Exit::Usage);
        let json: serde_json::Value =
            serde_json::from_str(&shown(Format::Json, None).unwrap()).unwrap();
        assert!(json.get("xoauth2").is_none());
    }
}
