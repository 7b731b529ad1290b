//! `/control/expire`: what was issued so far ends before its time.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::directory::refused;
use super::{failure, refusal};
use crate::authority::Authority;
use crate::directory::{ChangeRefusal, IssuedTo};

/// What ends, and whose; of everybody when nobody is named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expiry {
    /// Only what this person was given.
    user: Option<String>,
    /// Only what this application was given, by client id.
    application: Option<String>,
    /// Exchange refuses them from now on, at logins; who is logged in stays so.
    #[serde(default)]
    access_tokens: bool,
    /// As if they had not been used for 90 days: AADSTS700082.
    #[serde(default)]
    refresh_tokens: bool,
    /// As if ten minutes had passed: AADSTS70008.
    #[serde(default)]
    authorization_codes: bool,
}

pub(super) async fn post(
    authority: web::Data<Authority>,
    expiry: web::Json<Expiry>,
) -> HttpResponse {
    if !(expiry.access_tokens || expiry.refresh_tokens || expiry.authorization_codes) {
        return refusal("send access_tokens, refresh_tokens or authorization_codes with true");
    }
    let issued_to = match issued_to(&authority, &expiry) {
        Ok(issued_to) => issued_to,
        Err(reason) => return refused(&reason),
    };
    let (directory, now) = (&authority.directory, authority.now());
    if expiry.authorization_codes {
        authority.codes.expire(&issued_to, now);
    }
    let mut written = Ok(());
    if expiry.access_tokens {
        written = written.and_then(|()| directory.expire_access_tokens(&issued_to, now));
    }
    if expiry.refresh_tokens {
        written = written.and_then(|()| directory.expire_refresh_tokens(&issued_to, now));
    }
    match written {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => failure(&error),
    }
}

fn issued_to(authority: &Authority, expiry: &Expiry) -> Result<IssuedTo, ChangeRefusal> {
    let tenants = authority.directory.tenants();
    let unknown = |problem: &str| ChangeRefusal::NotFound(problem.to_owned());
    let person = match &expiry.user {
        None => None,
        Some(name) => {
            let user = tenants.user(name);
            let user = user.ok_or_else(|| unknown("user: nobody has this address"))?;
            Some(user.object_id.clone())
        }
    };
    let application = match &expiry.application {
        None => None,
        Some(client_id) => {
            let application = tenants.application(client_id);
            let application = application
                .ok_or_else(|| unknown("application: no application has this client id"))?;
            Some(application.client_id.clone())
        }
    };
    Ok(IssuedTo {
        person,
        application,
    })
}
