//! From a running gateway, by its API: no settings and no database are needed here.

use std::path::Path;
use std::time::Duration;

use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::AccessToken;
use mailgrant_oauth::{Policy, http_client};
use mailgrant_storage::AccountId;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::{Found, Refusal, with_steps};
use crate::arguments::{AccountName, Protocol, Token};
use crate::environment::variable;
use crate::failure::{Exit, Failure};
use crate::mailbox;

pub(super) async fn ask(arguments: &Token, gateway: &Url) -> Result<Found, Refusal> {
    let gateway = Gateway::new(gateway, arguments.api_key_file.as_deref())?;
    let id = match &arguments.whose.account {
        Some(AccountName::Id(id)) => id.clone(),
        Some(AccountName::Address(address)) => gateway.find(address).await?,
        // clap demands it beside --gateway.
        None => return Err(Failure::new(Exit::Usage, "--gateway needs --account").into()),
    };
    let protocol = match arguments.protocol {
        Protocol::Imap => "imap",
        Protocol::Smtp => "smtp",
        Protocol::Pop3 => "pop3",
    };
    let path = format!(
        "/v1/accounts/{id}/access-token?protocol={protocol}&min_lifetime={}",
        arguments.min_lifetime
    );
    let answer: TokenAnswer = gateway.call(Method::POST, &path).await?;
    let expires_at: jiff::Timestamp = answer.expires_at.parse().map_err(|_| unreadable())?;
    Ok(Found {
        token: AccessToken::new(answer.access_token).map_err(|_| unreadable())?,
        expires_at: Some(UnixTime(expires_at.as_second())),
        user: Some(arguments.mailbox.clone().unwrap_or(answer.user)),
        host: None,
    })
}

struct Gateway {
    http: reqwest::Client,
    base: String,
    key: Secret,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_at: String,
    user: String,
}

#[derive(Deserialize)]
struct Accounts {
    items: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: AccountId,
    application: String,
    state: String,
}

/// RFC 9457, as far as it is needed.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    code: String,
    detail: Option<String>,
    title: Option<String>,
    diagnosis: Option<Finding>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Finding {
    code: String,
    remedy: Vec<String>,
}

impl Gateway {
    fn new(url: &Url, key_file: Option<&Path>) -> Result<Self, Failure> {
        // A key does not travel in the clear.
        Endpoint::new(url.as_str())
            .map_err(|problem| Failure::new(Exit::Usage, format!("--gateway: {problem}")))?;
        let key = match key_file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::configuration(format!(
                    "--api-key-file: cannot read {}: {error}",
                    path.display()
                ))
            })?,
            None => variable("MAILGRANT_API_KEY").ok_or_else(|| {
                Failure::configuration(
                    "the gateway wants an API key with scope tokens: name its file by --api-key-file, or set \
                     MAILGRANT_API_KEY",
                )
            })?,
        };
        let http = http_client(None, &Policy::default())
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        Ok(Self {
            http,
            base: url.as_str().trim_end_matches('/').to_owned(),
            key: Secret::new(key.trim()),
        })
    }

    async fn find(&self, address: &str) -> Result<AccountId, Refusal> {
        let address_of =
            url::form_urlencoded::byte_serialize(address.as_bytes()).collect::<String>();
        let path = format!("/v1/accounts?limit=100&address={address_of}");
        // More than a page of them are no less ambiguous than the first.
        let found = self.call::<Accounts>(Method::GET, &path).await?.items;
        let described = found
            .iter()
            .map(|one| {
                format!(
                    "{} ({}, application {})",
                    one.id, one.state, one.application
                )
            })
            .collect();
        Ok(mailbox::only(address, found, described)?.id)
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, Refusal> {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(self.key.expose());
        let (status, retry_after, body) = sent(request).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| unreadable().into());
        }
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        Err(Refusal {
            failure: refused(status, &problem),
            retry_after,
        })
    }
}

async fn sent(request: RequestBuilder) -> Result<(StatusCode, Option<Duration>, Vec<u8>), Failure> {
    let broken = |error: reqwest::Error| {
        let why = if error.is_timeout() {
            "did not answer in time"
        } else {
            "cannot be reached: check name, port and TLS trust"
        };
        Failure::new(Exit::Unavailable, format!("the gateway {why}"))
    };
    let mut answer = request.send().await.map_err(broken)?;
    let retry_after = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(unreadable());
        }
    }
    Ok((answer.status(), retry_after, body))
}

fn refused(status: StatusCode, problem: &Problem) -> Failure {
    let found = |code: &str| {
        let diagnosis = problem.diagnosis.as_ref();
        diagnosis.is_some_and(|found| found.code == code)
    };
    let exit = match (status.as_u16(), problem.code.as_str()) {
        (401 | 403, _) | (_, "misconfigured" | "tenant_not_allowed" | "authority_refused") => {
            Exit::Configuration
        }
        (_, "scope_missing") if found("scope_not_asked") => Exit::Configuration,
        (
            _,
            "scope_missing"
            | "reauth_required"
            | "consent_required"
            | "account_disabled"
            | "mailbox_access_refused",
        ) => Exit::PersonNeeded,
        (429 | 502..=504, _) => Exit::Unavailable,
        _ => Exit::Failed,
    };
    let said = problem
        .detail
        .as_deref()
        .or(problem.title.as_deref())
        .unwrap_or("something else than a mailgrant gateway answered");
    let message = format!("the gateway answers {}: {said}", status.as_u16());
    let steps = problem.diagnosis.iter().flat_map(|found| &found.remedy);
    Failure::new(exit, with_steps(message, steps))
}

fn unreadable() -> Failure {
    Failure::new(
        Exit::Failed,
        "the gateway's answer cannot be read; is --gateway the address of a mailgrant gateway?",
    )
}

const LARGEST: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_whose_turn_it_is() {
        for (status, code, exit) in [
            (401, "unauthenticated", Exit::Configuration),
            (403, "insufficient_scope", Exit::Configuration),
            (404, "not_found", Exit::Failed),
            (409, "reauth_required", Exit::PersonNeeded),
            (409, "account_disabled", Exit::PersonNeeded),
            (409, "authority_refused", Exit::Configuration),
            (409, "tenant_not_allowed", Exit::Configuration),
            (409, "scope_missing", Exit::PersonNeeded),
            (429, "throttled", Exit::Unavailable),
            (500, "internal", Exit::Failed),
            (502, "authority_unavailable", Exit::Unavailable),
            (502, "", Exit::Unavailable),
        ] {
            let problem = Problem {
                code: code.to_owned(),
                ..Problem::default()
            };
            let failure = refused(StatusCode::from_u16(status).unwrap(), &problem);
            assert_eq!(failure.exit, exit, "{status} {code}");
        }
    }

    #[test]
    fn what_to_type_next_comes_along() {
        let problem: Problem = serde_json::from_str(
            r#"{"code": "scope_missing", "detail": "SMTP needs more",
                "diagnosis": {"code": "scope_not_asked", "remedy": ["Write it."]}}"#,
        )
        .unwrap();
        let failure = refused(StatusCode::CONFLICT, &problem);
        assert_eq!(failure.exit, Exit::Configuration);
        assert_eq!(
            failure.message,
            "the gateway answers 409: SMTP needs more\n  - Write it."
        );
    }

    #[test]
    fn a_key_does_not_travel_in_the_clear() {
        let far = Url::parse("http://mail.example.com").unwrap();
        let failure = Gateway::new(&far, None).err().unwrap();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.contains("https"), "{}", failure.message);
    }
}
