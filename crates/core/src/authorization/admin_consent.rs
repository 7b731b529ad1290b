//! Entra's admin consent: the link for a tenant's administrator.

use super::State;
use crate::InvalidValue;
use crate::endpoint::Endpoint;
use crate::scope::Scopes;
use crate::token::ClientId;
use crate::value::{self, Problem};

/// What an administrator is asked to agree to, for everybody in the tenant.
#[derive(Clone, Copy, Debug)]
pub struct AdminConsentRequest<'a> {
    /// Tenant id or verified domain; `organizations` when not known.
    pub tenant: &'a str,
    /// Whose registration it is.
    pub client_id: &'a ClientId,
    /// Where the administrator's browser goes afterwards; one of the registered ones.
    pub redirect_uri: &'a str,
    /// None: all permissions that the registration lists.
    pub scopes: Option<&'a Scopes>,
    /// Comes back in the callback.
    pub state: Option<&'a State>,
}

/// The admin consent link.
///
/// ```text
/// https://login.microsoftonline.com/{tenant}/v2.0/adminconsent?client_id=…&scope=…&redirect_uri=…&state=…
/// https://login.microsoftonline.com/{tenant}/adminconsent?client_id=…&redirect_uri=…&state=…
/// ```
///
/// `authority` is the login host of the cloud: only its origin is used.
///
/// # Errors
///
/// When the tenant is neither an id nor a domain name.
///
/// ```
/// use mailgrant_core::authorization::{AdminConsentRequest, admin_consent_url};
/// use mailgrant_core::endpoint::Endpoint;
/// use mailgrant_core::token::ClientId;
///
/// let url = admin_consent_url(
///     &Endpoint::new("https://login.microsoftonline.com").unwrap(),
///     &AdminConsentRequest {
///         tenant: "contoso.onmicrosoft.com",
///         client_id: &ClientId::new("6731de76").unwrap(),
///         redirect_uri: "https://mail.example.com/oauth/callback",
///         scopes: None,
///         state: None,
///     },
/// )
/// .unwrap();
/// assert_eq!(
///     url,
///     "https://login.microsoftonline.com/contoso.onmicrosoft.com/adminconsent\
///      ?client_id=6731de76&redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback"
/// );
/// ```
pub fn admin_consent_url(
    authority: &Endpoint,
    request: &AdminConsentRequest<'_>,
) -> Result<String, InvalidValue> {
    check_tenant(request.tenant)?;
    let scope = request.scopes.map(Scopes::to_string);
    let path = if scope.is_some() {
        "v2.0/adminconsent"
    } else {
        "adminconsent"
    };
    let endpoint = Endpoint::new(format!("{}/{}/{path}", authority.origin(), request.tenant))?;
    let mut pairs = vec![("client_id", request.client_id.as_str())];
    if let Some(scope) = &scope {
        pairs.push(("scope", scope));
    }
    pairs.push(("redirect_uri", request.redirect_uri));
    if let Some(state) = request.state {
        pairs.push(("state", state.expose()));
    }
    Ok(endpoint.with_query(pairs.iter().copied()))
}

/// A tenant is one path segment: an id, a domain name, or one of Entra's aliases.
pub(crate) fn check_tenant(tenant: &str) -> Result<(), InvalidValue> {
    const NAME: &str = "tenant";
    value::graphic(NAME, tenant)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if let Some(at) = tenant.bytes().position(|byte| !allowed(byte)) {
        return Err(InvalidValue::new(NAME, Problem::Character { at }));
    }
    if tenant.bytes().all(|byte| byte == b'.') {
        return Err(InvalidValue::new(
            NAME,
            Problem::Form("a tenant id or domain name"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_use_the_second_form() {
        let url = admin_consent_url(
            &Endpoint::new("http://127.0.0.1:9/anything").unwrap(),
            &AdminConsentRequest {
                tenant: "8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd",
                client_id: &ClientId::new("id").unwrap(),
                redirect_uri: "http://127.0.0.1/cb",
                scopes: Some(&Scopes::parse("https://ps.outlook.com/.default").unwrap()),
                state: Some(&State::parse("s").unwrap()),
            },
        )
        .unwrap();
        assert_eq!(
            url,
            "http://127.0.0.1:9/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/v2.0/adminconsent?client_id=id\
             &scope=https%3A%2F%2Fps.outlook.com%2F.default&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&state=s"
        );
    }

    #[test]
    fn tenants_stay_in_their_segment() {
        for tenant in ["", "..", ".", "a/b", "a?b", "a#b", "a b", "a%2fb", "a\r\n"] {
            assert!(check_tenant(tenant).is_err(), "{tenant:?}");
        }
        assert!(check_tenant("contoso.onmicrosoft.com").is_ok());
    }
}
