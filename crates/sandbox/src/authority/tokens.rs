//! The claims of the tokens that the authority signs.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::problem::{Problem, service};
use super::state::Authority;
use super::token::ClientProof;
use crate::directory::{Application, Permission, User, access_token_issuer};

/// Access token for a person, in Entra's version 1.0, which Exchange and Graph demand; opaque for a personal account.
pub(crate) fn delegated(
    authority: &Authority,
    application: &Application,
    proof: ClientProof,
    person: &User,
    audience: &str,
    scopes: &[Permission],
) -> Result<String, Problem> {
    let mut names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    names.sort_unstable();
    let claims = AccessToken {
        common: Common::of(authority, &person.tenant, audience),
        appid: &application.client_id,
        app_displayname: &application.display_name,
        appidacr: proof.claim(),
        idtyp: "user",
        oid: &person.object_id,
        sub: subject(authority, &application.client_id, &person.object_id),
        amr: Some(["pwd"]),
        name: Some(&person.display_name),
        scp: Some(names.join(" ")),
        roles: None,
        unique_name: Some(&person.user_principal_name),
        upn: Some(&person.user_principal_name),
    };
    if !person.is_personal() {
        return sign(authority, &claims, true);
    }
    authority.directory.opaque_token(&claims).map_err(|error| {
        tracing::error!(%error, "a token could not be sealed");
        service::DIRECTORY_UNAVAILABLE.problem()
    })
}

/// Access token for an application by itself. Without any permission `roles` is absent, and the token issued all the
/// same.
pub(crate) fn app_only(
    authority: &Authority,
    tenant: &str,
    application: &Application,
    proof: ClientProof,
    audience: &str,
    roles: Vec<&'static str>,
) -> Result<String, Problem> {
    let claims = AccessToken {
        common: Common::of(authority, tenant, audience),
        appid: &application.client_id,
        app_displayname: &application.display_name,
        appidacr: proof.claim(),
        idtyp: "app",
        oid: &application.service_principal_id,
        sub: application.service_principal_id.clone(),
        amr: None,
        name: None,
        scp: None,
        roles: (!roles.is_empty()).then_some(roles),
        unique_name: None,
        upn: None,
    };
    sign(authority, &claims, true)
}

/// What an `id_token` is made of.
pub(crate) struct IdTokenParts<'a> {
    pub base: &'a str,
    pub application: &'a Application,
    pub person: &'a User,
    pub nonce: Option<&'a str>,
    pub profile: bool,
    pub email: bool,
}

/// ID token, version 2.0 (OpenID Connect Core §2).
pub(crate) fn id_token(authority: &Authority, parts: &IdTokenParts<'_>) -> Result<String, Problem> {
    let tenant = &parts.person.tenant;
    let now = authority.now().0;
    let claims = IdToken {
        aud: &parts.application.client_id,
        iss: format!("{}/{tenant}/v2.0", parts.base),
        iat: now,
        nbf: now,
        exp: now.saturating_add(3600),
        tid: tenant,
        oid: &parts.person.object_id,
        sub: subject(
            authority,
            &parts.application.client_id,
            &parts.person.object_id,
        ),
        nonce: parts.nonce,
        name: parts.profile.then_some(&parts.person.display_name),
        preferred_username: parts.profile.then_some(&parts.person.user_principal_name),
        email: parts.email.then_some(&parts.person.address),
        uti: authority.random.token(16),
        ver: "2.0",
    };
    sign(authority, &claims, false)
}

#[derive(Serialize)]
struct Common {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    acr: &'static str,
    tid: String,
    uti: String,
    ver: &'static str,
}

impl Common {
    /// `tenant` is its GUID.
    fn of(authority: &Authority, tenant: &str, audience: &str) -> Self {
        let now = authority.now();
        Self {
            aud: audience.to_owned(),
            iss: access_token_issuer(tenant),
            iat: authority.directory.issue_time(now).0,
            nbf: now.0,
            exp: (now + authority.access_token_lifetime()).0,
            acr: "1",
            tid: tenant.to_owned(),
            uti: authority.random.token(16),
            ver: "1.0",
        }
    }
}

#[derive(Serialize)]
struct AccessToken<'a> {
    #[serde(flatten)]
    common: Common,
    appid: &'a str,
    app_displayname: &'a str,
    appidacr: &'static str,
    idtyp: &'static str,
    oid: &'a str,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_name: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upn: Option<&'a String>,
}

#[derive(Serialize)]
struct IdToken<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    tid: &'a str,
    oid: &'a str,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a String>,
    uti: String,
    ver: &'static str,
}

/// The person as this one application knows them (OpenID Connect Core §8.1).
fn subject(authority: &Authority, client_id: &str, person: &str) -> String {
    let tenant = authority.directory.tenant();
    let text = format!("{client_id}\n{person}\n{}", tenant.pairwise_salt.expose());
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

fn sign(authority: &Authority, claims: &impl Serialize, with_x5t: bool) -> Result<String, Problem> {
    authority
        .directory
        .keys()
        .sign(claims, with_x5t)
        .map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            service::DIRECTORY_UNAVAILABLE.problem()
        })
}
