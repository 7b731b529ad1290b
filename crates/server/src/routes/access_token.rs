//! `/v1/accounts/{account}/access-token`: a live token, for programs that speak IMAP or SMTP themselves.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType},
    post,
    web::Data,
};
use mailgrant_core::sasl::{InitialResponse, SaslError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account;
use crate::{
    http::{Caller, NoBody, Path, Query, Tokens},
    problem::{Code, Problem},
    representation::Moment,
    state::Gateway,
    tools::Protocol,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    account: String,
}

/// An access token, and the two SASL strings made of it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAiOiJKV1Qi…", "token_type": "Bearer", "expires_at": "2026-11-22T15:04:05Z", "user": "ada@contoso.example",
    "xoauth2": "dXNlcj1hZGFAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIGV5Sj…", "oauthbearer": "bixhPWFkYUBjb250b3NvLmV4YW1wbGUsAWhvc3Q9b3V0bG9vay5vZmZp…",
}))]
pub(crate) struct TokenView {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Moment,
    /// The user name that goes with it.
    user: String,
    /// For `AUTHENTICATE XOAUTH2`, base64.
    xoauth2: String,
    /// For `AUTHENTICATE OAUTHBEARER` (RFC 7628) at the protocol's host, base64.
    oauthbearer: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `json`, or one string alone as `text/plain`: `access-token`, `xoauth2`, `oauthbearer`. Left out: JSON; to a caller
    /// that accepts `text/plain` only, the token.
    #[param(inline)]
    format: Option<Format>,
    /// Which server it is for: decides `user`, and the host in `oauthbearer`. Left out: `imap`.
    #[serde(default)]
    #[param(inline)]
    protocol: Protocol,
    /// For how many seconds it must still be good, if the authority gives such tokens.
    #[serde(default)]
    #[param(minimum = 0, maximum = 86400)]
    min_lifetime: u32,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Format {
    Json,
    AccessToken,
    Xoauth2,
    Oauthbearer,
}

/// A live access token of the account.
///
/// Never cached, never logged. It opens the mailbox for as long as it lives: hand it to nobody else.
#[utoipa::path(tag = "accounts", operation_id = "get_access_token", params(("account" = String, Path), Wanted), security(("api_key" = ["tokens"])),
    responses(
        (status = 200, description = "The token", content((TokenView = "application/json"), (String = "text/plain"))),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[post("/accounts/{account}/access-token")]
pub(crate) async fn post(
    caller: Caller<Tokens>,
    gateway: Data<Gateway>,
    which: Path<Which>,
    wanted: Query<Wanted>,
    _: NoBody,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Wanted {
        format,
        protocol,
        min_lifetime,
    } = wanted.0;
    if min_lifetime > DAY {
        return Err(Problem::field("min_lifetime", "must be at most 86400"));
    }
    let account = account::find(&gateway, &caller.site, &which.0.account).await?;
    gateway.check_protocol(&account, protocol).await?;
    let at_least = Duration::from_secs(min_lifetime.into());
    let live = gateway.token_for(&account, at_least).await?;
    let user = protocol.user(&account).to_owned();
    let application = gateway.settings.application(&account.application);
    let host = application
        .and_then(|application| protocol.host(application))
        .map(|host| (host.host.as_str(), host.port));
    let xoauth2 = InitialResponse::xoauth2(&user, &live.token).map_err(unusable)?;
    let oauthbearer = InitialResponse::oauthbearer(&user, &live.token, host).map_err(unusable)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let text = match format.unwrap_or_else(|| accepted(&request)) {
        Format::Json => {
            return Ok(response.json(TokenView {
                access_token: live.token.expose().to_owned(),
                token_type: "Bearer",
                expires_at: Moment(live.expires_at),
                xoauth2: xoauth2.base64().to_string(),
                oauthbearer: oauthbearer.base64().to_string(),
                user,
            }));
        }
        Format::AccessToken => live.token.expose().to_owned(),
        Format::Xoauth2 => xoauth2.base64().to_string(),
        Format::Oauthbearer => oauthbearer.base64().to_string(),
    };
    Ok(response.content_type(ContentType::plaintext()).body(text))
}

/// The form for a caller that names none: text only where nothing else is accepted.
fn accepted(request: &HttpRequest) -> Format {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let is_text = |range: &str| {
        let name = range.split(';').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("text/plain")
    };
    if accept.split(',').all(is_text) {
        Format::AccessToken
    } else {
        Format::Json
    }
}

fn unusable(error: SaslError) -> Problem {
    Problem::new(
        Code::AuthorityRefused,
        format!("the account's user name or token cannot be sent by SASL: {error}"),
    )
}

/// In seconds: no authority's tokens last longer.
const DAY: u32 = 86_400;
