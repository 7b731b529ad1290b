//! Authorization codes: ten minutes, once, bound to what they were asked for (RFC 6749 §4.1.2, RFC 7636).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;

use super::problem::{Problem, grant, request};
use super::tenant::TenantSegment;
use crate::Random;
use crate::directory::{IssuedTo, Permission, Platform};

/// What a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct CodeGrant {
    pub client_id: String,
    pub redirect_uri: String,
    pub platform: Platform,
    pub segment: TenantSegment,
    pub person: String,
    pub scopes: Vec<Permission>,
    pub audience: String,
    pub nonce: Option<Secret>,
    pub challenge: Option<Challenge>,
    pub issued_at: UnixTime,
    pub second_step_at: Option<UnixTime>,
}

/// A PKCE challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    S256(Secret),
    Plain(Secret),
}

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    pub(crate) fn parse(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, Problem> {
        let Some(challenge) = challenge else {
            return match method {
                None => Ok(None),
                Some(_) => Err(request::CHALLENGE_MISSING.problem()),
            };
        };
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&challenge.len()) || !challenge.bytes().all(unreserved) {
            return Err(request::CHALLENGE_SIZE.problem());
        }
        match method {
            Some("S256") => Ok(Some(Self::S256(Secret::new(challenge)))),
            None | Some("plain") => Ok(Some(Self::Plain(Secret::new(challenge)))),
            Some(other) => Err(request::CHALLENGE_METHOD.with([other])),
        }
    }

    fn is_answered_by(&self, verifier: &str) -> bool {
        let (expected, answer) = match self {
            Self::S256(expected) => {
                let answer = digest::digest(&digest::SHA256, verifier.as_bytes());
                (expected, URL_SAFE_NO_PAD.encode(answer))
            }
            Self::Plain(expected) => (expected, verifier.to_owned()),
        };
        constant_time::verify_slices_are_equal(expected.expose().as_bytes(), answer.as_bytes())
            .is_ok()
    }
}

/// The codes that were issued and are not forgotten.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<Vec<u8>, Issued>>);

struct Issued {
    grant: CodeGrant,
    redeemed: bool,
}

impl Codes {
    pub(crate) fn issue(&self, grant: CodeGrant, random: &dyn Random) -> Secret {
        // As long as Entra's.
        let code = Secret::new(format!("1.{}", random.token(450)));
        let mut codes = self.lock();
        codes.retain(|_, issued| grant.issued_at.since(issued.grant.issued_at) < REMEMBERED);
        codes.insert(
            hash(code.expose()),
            Issued {
                grant,
                redeemed: false,
            },
        );
        code
    }

    /// Redeems a code. A code that is asked for by the wrong client stays; one that is asked for with a wrong
    /// verifier or redirect URI is spent.
    pub(crate) fn redeem(
        &self,
        redemption: &Redemption<'_>,
        now: UnixTime,
    ) -> Result<CodeGrant, Problem> {
        let mut codes = self.lock();
        let issued = codes
            .get_mut(&hash(redemption.code))
            .ok_or(grant::MALFORMED.problem())?;
        let grant = &issued.grant;
        if !grant.client_id.eq_ignore_ascii_case(redemption.client_id) {
            return Err(grant::OF_ANOTHER.problem());
        }
        if issued.redeemed {
            return Err(grant::CODE_REDEEMED.problem());
        }
        if now.since(grant.issued_at) >= LIFETIME {
            return Err(grant::CODE_EXPIRED.problem());
        }
        issued.redeemed = true;
        if grant.segment != *redemption.segment && *redemption.segment == TenantSegment::Consumers {
            return Err(grant::OF_ANOTHER_TENANT.problem());
        }
        if grant.redirect_uri != redemption.redirect_uri {
            return Err(
                request::REDIRECT_URI_CHANGED.with([redemption.redirect_uri, &grant.redirect_uri])
            );
        }
        match (&grant.challenge, redemption.verifier) {
            (None, _) => {}
            (Some(_), None) => return Err(grant::VERIFIER_MISSING.problem()),
            (Some(challenge), Some(verifier)) if challenge.is_answered_by(verifier) => {}
            (Some(_), Some(_)) => return Err(grant::VERIFIER_MISMATCH.problem()),
        }
        Ok(grant.clone())
    }

    /// Ends codes before their time.
    pub(crate) fn expire(&self, issued_to: &IssuedTo, now: UnixTime) {
        let long_ago = UnixTime(now.0.saturating_sub_unsigned(LIFETIME.as_secs()));
        for issued in self.lock().values_mut() {
            let grant = &mut issued.grant;
            if issued_to.is(&grant.person, &grant.client_id) {
                grant.issued_at = grant.issued_at.min(long_ago);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Issued>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a client sends to redeem a code.
pub(crate) struct Redemption<'a> {
    pub code: &'a str,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: Option<&'a str>,
    pub segment: &'a TenantSegment,
}

const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// So long a late or second use is told from nonsense.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

fn hash(code: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, code.as_bytes())
        .as_ref()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_rfc_7636_appendix_b_holds() {
        let challenge = Challenge::parse(
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            Some("S256"),
        )
        .unwrap()
        .unwrap();
        assert!(challenge.is_answered_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_answered_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!challenge.is_answered_by(""));
    }

    #[test]
    fn plain_is_compared_as_it_is() {
        let verifier = "a".repeat(43);
        let challenge = Challenge::parse(Some(&verifier), None).unwrap().unwrap();
        assert!(challenge.is_answered_by(&verifier));
        assert!(!challenge.is_answered_by(&"b".repeat(43)));
    }

    #[test]
    fn bad_challenges_are_refused() {
        assert_eq!(Challenge::parse(None, None), Ok(None));
        let missing = Challenge::parse(None, Some("S256")).unwrap_err();
        assert_eq!(missing.code(), 50147);
        let short = "a".repeat(42);
        let strange = format!("{} ", "a".repeat(43));
        for challenge in [short.as_str(), strange.as_str(), ""] {
            assert_eq!(
                Challenge::parse(Some(challenge), None),
                Err(request::CHALLENGE_SIZE.problem())
            );
        }
        let long = "a".repeat(43);
        assert_eq!(
            Challenge::parse(Some(&long), Some("S512"))
                .unwrap_err()
                .code(),
            50149
        );
    }
}
