//! Client authentication by a signed assertion (RFC 7521 §4.2, RFC 7523 §3): with a certificate of the application, or
//! with the token of a federated issuer.
//!
//! ```text
//! client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
//! client_assertion={"alg":"PS256","x5t#S256":…}.{"iss":CLIENT_ID,"sub":CLIENT_ID,"aud":TOKEN_ENDPOINT,"exp":…}.…
//! ```
//!
//! `jti` is read and not remembered: MSAL sends one assertion many times until it ends, and Entra accepts that.

mod federated;
mod issuer;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use serde::Deserialize;
use serde_json::Value;

use super::params::Params;
use super::problem::{Problem, assertion, request};
use super::state::Authority;
use crate::directory::{Application, ApplicationCertificate};
use issuer::IssuerKeys;

/// An assertion that a client sent: read, not yet believed.
#[derive(Debug)]
pub(crate) struct Assertion {
    token: Secret,
    header: Header,
    claims: Claims,
    /// The keys of a federated issuer, once they were fetched.
    issuer_keys: Option<Result<IssuerKeys, Problem>>,
}

/// The claims that are looked at (RFC 7523 §3).
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    #[serde(rename = "jti", default)]
    _jti: Option<String>,
    /// Entra's own tokens: `app` where nobody signed in.
    #[serde(default)]
    idtyp: Option<String>,
    #[serde(default)]
    scp: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

impl Assertion {
    /// The assertion of a request, if it has one.
    pub(crate) fn of(params: &Params) -> Result<Option<Self>, Problem> {
        let Some(token) = params.get("client_assertion") else {
            return Ok(None);
        };
        match params.required("client_assertion_type")? {
            ASSERTION_TYPE => {}
            _ => return Err(request::MALFORMED.problem()),
        }
        Ok(Some(Self::parse(token)?))
    }

    fn parse(token: &str) -> Result<Self, Problem> {
        let malformed = || assertion::MALFORMED.problem();
        let header = jsonwebtoken::decode_header(token).map_err(|_| malformed())?;
        let payload = token.split('.').nth(1).ok_or_else(malformed)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| malformed())?;
        let claims = serde_json::from_slice(&payload).map_err(|_| malformed())?;
        Ok(Self {
            token: Secret::new(token),
            header,
            claims,
            issuer_keys: None,
        })
    }

    /// Fetches what the check will need: the keys of a federated issuer that the application trusts.
    pub(crate) async fn prepare(&mut self, authority: &Authority, application: &Application) {
        if let Some(credential) = federated::to_fetch(authority, application, &self.claims) {
            self.issuer_keys = Some(issuer::fetch(authority, &credential).await);
        }
    }

    /// Checks the assertion against what is registered for the application.
    ///
    /// `segment` is the tenant as the client wrote it in the address, which may be part of the audience.
    pub(crate) fn check(
        &self,
        authority: &Authority,
        application: &Application,
        segment: &str,
    ) -> Result<(), Problem> {
        let own = self.claims.iss.eq_ignore_ascii_case(&application.client_id);
        if !own && self.claims.iss.contains("://") {
            return federated::check(self, authority, application);
        }
        self.check_signature(application, authority.now())?;
        if self.claims.sub != self.claims.iss {
            return Err(assertion::SUBJECT.problem());
        }
        if !own {
            return Err(assertion::CLIENT.problem());
        }
        if !self.is_for(authority, segment) {
            return Err(assertion::AUDIENCE.problem());
        }
        self.check_time(authority.now())
    }

    fn check_signature(&self, application: &Application, now: UnixTime) -> Result<(), Problem> {
        if !matches!(
            self.header.alg,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ) {
            return Err(assertion::ALGORITHM.problem());
        }
        let named = NamedKey::of(&self.header).ok_or_else(|| assertion::NO_THUMBPRINT.problem())?;
        let thumbprint = named.in_hexadecimal();
        let certificate = application
            .certificates
            .iter()
            .find(|certificate| named.is(certificate))
            .ok_or_else(|| assertion::KEY_NOT_FOUND.with([&thumbprint, &application.client_id]))?;
        let (start, end) = (
            american(certificate.not_before),
            american(certificate.not_after),
        );
        let key = DecodingKey::from_rsa_raw_components(&certificate.modulus, &certificate.exponent);
        if !self.is_signed_by(&key) {
            return Err(assertion::SIGNATURE.with([&thumbprint, &start, &end]));
        }
        if now >= certificate.not_after || now < certificate.not_before {
            return Err(assertion::KEY_EXPIRED.with([&thumbprint, &start, &end]));
        }
        Ok(())
    }

    fn is_signed_by(&self, key: &DecodingKey) -> bool {
        let token = self.token.expose();
        let Some((message, signature)) = token.rsplit_once('.') else {
            return false;
        };
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, self.header.alg)
            .unwrap_or(false)
    }

    /// Entra accepts the token endpoint and the issuer of the tenant, in whatever way the client wrote the tenant.
    fn is_for(&self, authority: &Authority, segment: &str) -> bool {
        let tenants = authority.directory.tenants();
        let tenant = tenants.named(segment).unwrap_or(tenants.first());
        let mut names = vec![segment, &tenant.id, "common", "organizations"];
        names.extend(tenant.domains.iter().map(String::as_str));
        let addresses = [&authority.addresses.plain, &authority.addresses.tls];
        self.claims.aud.list().iter().any(|audience| {
            let audience = audience
                .trim_end_matches('/')
                .replace("//127.0.0.1:", "//localhost:");
            addresses.iter().any(|base| {
                names.iter().any(|name| {
                    ["/oauth2/v2.0/token", "/oauth2/token", "/v2.0", ""]
                        .iter()
                        .any(|path| audience.eq_ignore_ascii_case(&format!("{base}/{name}{path}")))
                })
            })
        })
    }

    fn check_time(&self, now: UnixTime) -> Result<(), Problem> {
        let (from, until) = (self.claims.nbf, self.claims.exp);
        if now.0 < from.saturating_sub(SKEW) || now.0 >= until.saturating_add(SKEW) {
            return Err(assertion::TIME.with([&precise(now.0), &precise(from), &precise(until)]));
        }
        Ok(())
    }
}

impl Audiences {
    fn list(&self) -> &[String] {
        match self {
            Self::One(audience) => std::slice::from_ref(audience),
            Self::Several(audiences) => audiences,
        }
    }
}

/// How the header names the key it was signed with.
struct NamedKey(Vec<u8>);

impl NamedKey {
    fn of(header: &Header) -> Option<Self> {
        let of_base64 = |text: &String| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let named = header.x5t_s256.as_ref().or(header.x5t.as_ref());
        let named = named.and_then(of_base64);
        named
            .or_else(|| {
                header
                    .kid
                    .as_ref()
                    .and_then(|kid| of_hexadecimal(kid).or_else(|| of_base64(kid)))
            })
            .map(Self)
    }

    fn is(&self, certificate: &ApplicationCertificate) -> bool {
        self.0 == certificate.thumbprint || self.0 == certificate.thumbprint_sha256
    }

    fn in_hexadecimal(&self) -> String {
        self.0
            .iter()
            .take(64)
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }
}

fn of_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let whole = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !whole {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| {
            text.get(at..at.saturating_add(2))
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

/// `06/24/2026 07:10:23`, as Entra writes a certificate's dates.
fn american(at: UnixTime) -> String {
    written(at.0, "%m/%d/%Y %H:%M:%S")
}

/// `2026-06-24T07:10:23.0000000Z`
pub(crate) fn precise(at: i64) -> String {
    written(at, "%Y-%m-%dT%H:%M:%S.0000000Z")
}

fn written(at: i64, format: &str) -> String {
    jiff::Timestamp::from_second(at)
        .map_or_else(|_| at.to_string(), |at| at.strftime(format).to_string())
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far clocks may differ, in seconds.
const SKEW: i64 = 5 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_assertion_is_malformed() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"a","sub":"a"}"#);
        for token in [
            "",
            "a",
            "a.b.c",
            &header,
            &format!("{header}..x"),
            &format!("{header}.{claims}.x"),
            &format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)),
        ] {
            assert_eq!(
                Assertion::parse(token).unwrap_err(),
                assertion::MALFORMED.problem(),
                "{token}"
            );
        }
    }

    #[test]
    fn a_key_is_named_in_base64_or_in_hexadecimal() {
        let named = |header: Header| NamedKey::of(&header).map(|named| named.0);
        let mut header = Header::new(Algorithm::RS256);
        assert_eq!(named(header.clone()), None);
        header.kid = Some("0AfF".to_owned());
        assert_eq!(named(header.clone()), Some(vec![0x0a, 0xff]));
        header.x5t = Some("AQI=".to_owned());
        assert_eq!(named(header.clone()), Some(vec![1, 2]));
        header.x5t_s256 = Some("AwQ".to_owned());
        assert_eq!(named(header), Some(vec![3, 4]));
    }

    #[test]
    fn dates_are_written_as_entra_writes_them() {
        assert_eq!(american(UnixTime(1_800_000_000)), "01/15/2027 08:00:00");
        assert_eq!(precise(0), "1970-01-01T00:00:00.0000000Z");
    }
}
