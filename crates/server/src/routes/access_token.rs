//! `/v1/accounts/{account}/access-token`: a live token, for programs that speak IMAP or SMTP themselves.

use actix_web::{HttpResponse, post, web::Data};
use mailgrant_core::sasl::{InitialResponse, SaslError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account;
use crate::{
    http::{Caller, Path, Tokens},
    problem::{Code, Problem},
    representation::Moment,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    account: String,
}

/// An access token, and the two SASL strings made of it.
#[derive(Serialize, ToSchema)]
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
    /// For `AUTHENTICATE OAUTHBEARER` (RFC 7628) at the IMAP host, base64.
    oauthbearer: String,
}

/// A live access token of the account.
#[utoipa::path(tag = "accounts", operation_id = "get_access_token", params(("account" = String, Path)), security(("api_key" = ["tokens"])),
    responses(
        (status = 200, description = "The token", body = TokenView),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[post("/accounts/{account}/access-token")]
pub(crate) async fn post(
    caller: Caller<Tokens>,
    gateway: Data<Gateway>,
    which: Path<Which>,
) -> Result<HttpResponse, Problem> {
    let account = account::find(&gateway, &caller.site, &which.0.account).await?;
    let live = gateway.tokens.access_token(&account).await?;
    let user = account.imap_user;
    let host = gateway
        .registrations
        .get(&account.application)
        .map(|registration| {
            (
                registration.application.provider.imap.host.as_str(),
                registration.application.provider.imap.port,
            )
        });
    let xoauth2 = InitialResponse::xoauth2(&user, &live.token).map_err(unusable)?;
    let oauthbearer = InitialResponse::oauthbearer(&user, &live.token, host).map_err(unusable)?;
    Ok(HttpResponse::Ok().json(TokenView {
        access_token: live.token.expose().to_owned(),
        token_type: "Bearer",
        expires_at: Moment(live.expires_at),
        xoauth2: xoauth2.base64().to_string(),
        oauthbearer: oauthbearer.base64().to_string(),
        user,
    }))
}

fn unusable(error: SaslError) -> Problem {
    Problem::new(
        Code::AuthorityRefused,
        format!("the account's user name or token cannot be sent by SASL: {error}"),
    )
}
