//! The userinfo endpoint (OpenID Connect Core §5.3): for authorities whose ID token names no address.

use mailgrant_core::claims::Claims;
use mailgrant_core::token::AccessToken;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use zeroize::Zeroizing;

use super::Client;
use crate::error::{Error, ErrorKind, Step};
use crate::id_token::says_unverified;
use crate::transport::Repeat;

/// What the userinfo endpoint says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Userinfo {
    /// `sub`, as in the ID token.
    pub subject: Option<String>,
    /// `email`, unless it is said not to be verified.
    pub email: Option<String>,
    /// `preferred_username`.
    pub preferred_username: Option<String>,
}

impl Client {
    /// Asks the authority whose token it is. `None` where it has no such endpoint, or one that
    /// takes no tokens for mail.
    ///
    /// `subject` is the ID token's: an answer about somebody else is not believed (OpenID Connect
    /// Core §5.3.2).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] when the answer is no JSON object or about somebody else, or the
    /// token is refused; every network fault.
    pub async fn userinfo(
        &self,
        token: &AccessToken,
        subject: Option<&str>,
    ) -> Result<Option<Userinfo>, Error> {
        if !self.shared.registration.provider.userinfo {
            return Ok(None);
        }
        let metadata = self.metadata().await?;
        let Some(endpoint) = &metadata.userinfo_endpoint else {
            return Ok(None);
        };
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut bearer = HeaderValue::from_str(&bearer)
            .map_err(|_| Error::configuration("the access token cannot be sent"))?;
        bearer.set_sensitive(true);
        self.shared
            .transport
            .send(
                Step::Userinfo,
                Repeat::Always,
                |http| {
                    let request = http.get(endpoint.as_str());
                    Ok((request.header(AUTHORIZATION, &bearer), ()))
                },
                |(), status, body| read(status, body, subject),
            )
            .await
            .map(Some)
    }
}

fn read(status: u16, body: &[u8], subject: Option<&str>) -> Result<Userinfo, Error> {
    let malformed = |detail: String| Error::new(Step::Userinfo, ErrorKind::Malformed, detail);
    if status != 200 {
        return Err(malformed(format!(
            "the userinfo endpoint does not take the token (HTTP {status})"
        )));
    }
    // A signed answer (`application/jwt`) is only sent to clients that registered for it.
    let claims = Claims::from_payload(body)
        .ok_or_else(|| malformed("the userinfo endpoint's answer is not JSON".to_owned()))?;
    if subject.is_some() && claims.sub.as_deref() != subject {
        return Err(malformed(
            "the userinfo endpoint tells of somebody else than the ID token".to_owned(),
        ));
    }
    Ok(Userinfo {
        subject: claims.sub,
        email: claims.email.filter(|_| !says_unverified(body)),
        preferred_username: claims.preferred_username,
    })
}
