//! Authorization URLs and callbacks.

use super::Table;
use crate::authorization::{
    AdminConsentRequest, AuthorizationRequest, Callback, Nonce, State, admin_consent_url,
};
use crate::endpoint::Endpoint;
use crate::pkce::CodeVerifier;
use crate::provider::Provider;
use crate::scope::Scopes;
use crate::token::ClientId;

pub(super) fn check(table: &mut Table) {
    table.equal(
        "Entra: authorization URL",
        authorization_url(),
        AUTHORIZATION_URL.to_owned(),
    );
    for (name, scopes, expected) in CONSENT_URLS {
        table.equal(name, consent_url(*scopes), (*expected).to_owned());
    }
    for (name, query, expected) in CALLBACKS {
        table.equal(
            name,
            Callback::parse(query).map(|found| summary(&found)),
            (*expected).to_owned(),
        );
    }
    for (name, query) in REFUSED {
        table.refused(name, Callback::parse(query));
    }
}

fn authorization_url() -> Result<String, String> {
    let provider = Provider::preset("microsoft365").ok_or("no preset")?;
    let endpoint =
        Endpoint::new("https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize");
    let request = AuthorizationRequest {
        client_id: &client_id()?,
        redirect_uri: "https://mail.example.com/oauth/callback",
        scopes: &provider.scopes,
        state: &State::parse("12345").map_err(|error| error.to_string())?,
        nonce: Some(&Nonce::parse("678910").map_err(|error| error.to_string())?),
        code_challenge: &CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
            .map_err(|error| error.to_string())?
            .challenge(),
        login_hint: Some("ada@contoso.onmicrosoft.com"),
        prompt: None,
        extra: &provider.authorization_parameters,
    };
    Ok(request.url(&endpoint.map_err(|error| error.to_string())?))
}

fn consent_url(scopes: Option<&str>) -> Result<String, String> {
    let authority = Endpoint::new("https://login.microsoftonline.com/organizations/v2.0");
    let scopes = scopes
        .map(Scopes::parse)
        .transpose()
        .map_err(|error| error.to_string())?;
    let request = AdminConsentRequest {
        tenant: "8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd",
        client_id: &client_id()?,
        redirect_uri: "https://mail.example.com/oauth/callback",
        scopes: scopes.as_ref(),
        state: Some(&State::parse("12345").map_err(|error| error.to_string())?),
    };
    admin_consent_url(&authority.map_err(|error| error.to_string())?, &request)
        .map_err(|error| error.to_string())
}

fn client_id() -> Result<ClientId, String> {
    ClientId::new("6731de76-14a6-49ae-97bc-6eba6914391e").map_err(|error| error.to_string())
}

fn summary(callback: &Callback) -> String {
    let state = callback.state().map_or("-", State::expose);
    let iss = callback.iss().unwrap_or("-");
    match callback {
        Callback::Code { code, .. } => format!("code {} {state} {iss}", code.expose()),
        Callback::Refused { error, .. } => {
            let text = error.error_description.as_deref().unwrap_or("-");
            format!("refused {} {state} {iss}: {text}", error.error)
        }
        Callback::AdminConsent {
            tenant, granted, ..
        } => {
            format!(
                "admin consent {granted} {} {state}",
                tenant.as_deref().unwrap_or("-")
            )
        }
    }
}

const AUTHORIZATION_URL: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize\
    ?response_type=code&client_id=6731de76-14a6-49ae-97bc-6eba6914391e\
    &redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback\
    &scope=openid+profile+email+offline_access+https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All\
    &state=12345&nonce=678910&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
    &code_challenge_method=S256&login_hint=ada%40contoso.onmicrosoft.com";

const CONSENT_URLS: &[(&str, Option<&str>, &str)] = &[
    (
        "Entra: admin consent to all permissions",
        None,
        "https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/adminconsent\
         ?client_id=6731de76-14a6-49ae-97bc-6eba6914391e\
         &redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback&state=12345",
    ),
    (
        "Entra: admin consent for IMAP and POP as an application",
        Some("https://ps.outlook.com/.default"),
        "https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/v2.0/adminconsent\
         ?client_id=6731de76-14a6-49ae-97bc-6eba6914391e&scope=https%3A%2F%2Fps.outlook.com%2F.default\
         &redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback&state=12345",
    ),
    (
        "Entra: admin consent for SMTP as an application",
        Some("https://outlook.office365.com/.default"),
        "https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/v2.0/adminconsent\
         ?client_id=6731de76-14a6-49ae-97bc-6eba6914391e&scope=https%3A%2F%2Foutlook.office365.com%2F.default\
         &redirect_uri=https%3A%2F%2Fmail.example.com%2Foauth%2Fcallback&state=12345",
    ),
];

const CALLBACKS: &[(&str, &str, &str)] = &[
    (
        "RFC 6749 §4.1.2: callback with a code",
        "code=SplxlOBeZQQYbYS6WxSbIA&state=xyz",
        "code SplxlOBeZQQYbYS6WxSbIA xyz -",
    ),
    (
        "RFC 9207 §2.2: callback with iss",
        "code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58&state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI\
         &iss=https%3A%2F%2Fhonest.as.example",
        "code x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58 ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI \
         https://honest.as.example",
    ),
    (
        "Entra: callback with session_state",
        "?code=1.AXkA_0Tp-S5fT0mb.AgABBAIAAAAm&state=12345&session_state=fe1540c3-a69a-469a-9fa3-8a2470936421#",
        "code 1.AXkA_0Tp-S5fT0mb.AgABBAIAAAAm 12345 -",
    ),
    (
        "RFC 6749 §4.1.2.1: access denied",
        "error=access_denied&state=xyz",
        "refused access_denied xyz -: -",
    ),
    (
        "RFC 9207 §2.3: error with iss",
        "error=access_denied&state=N2JjNGJmMGFhZjAzNGI3ZjA4ZTFjYmE0YTM&iss=https%3A%2F%2Fhonest.as.example",
        "refused access_denied N2JjNGJmMGFhZjAzNGI3ZjA4ZTFjYmE0YTM https://honest.as.example: -",
    ),
    (
        "Entra: administrator approval is wanted",
        "error=access_denied&error_subcode=cancel&error_description=AADSTS90094%3a+The+grant+requires+admin+permission.&state=12345",
        "refused access_denied 12345 -: AADSTS90094: The grant requires admin permission.",
    ),
    (
        "Entra: administrator agreed",
        "admin_consent=True&tenant=8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd&state=12345\
         &scope=https%3a%2f%2foutlook.office.com%2fIMAP.AccessAsUser.All",
        "admin consent true 8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd 12345",
    ),
    (
        "Entra: administrator refused",
        "error=permission_denied&error_description=The+admin+canceled+the+request",
        "refused permission_denied - -: The admin canceled the request",
    ),
    (
        "Entra: administrator refused, and admin_consent all the same",
        "error=access_denied&error_description=AADSTS65004%3a+User+declined&admin_consent=True\
         &tenant=8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd&state=12345",
        "refused access_denied 12345 -: AADSTS65004: User declined",
    ),
];

const REFUSED: &[(&str, &str)] = &[
    ("a callback with two codes", "code=a&code=b&state=s"),
    ("a callback without state", "code=a"),
    (
        "a callback with a line break in its code",
        "code=a%0d%0ab&state=s",
    ),
    (
        "a callback with neither code nor error",
        "state=s&session_state=x",
    ),
];
