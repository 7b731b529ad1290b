//! PKCE, client authentication, token and device responses.

use super::Table;
use crate::device::{DeviceAuthorizationResponse, DevicePoll};
use crate::pkce::{CodeChallenge, CodeVerifier};
use crate::token::{
    AuthorizationCode, ClientAuthentication, ClientId, ClientSecret, GrantRequest, TokenError,
    TokenRequest, TokenResponse,
};

pub(super) fn check(table: &mut Table) {
    pkce(table);
    table.equal(
        "RFC 6749 §2.3.1 and §4.1.3: code exchange with Basic",
        code_exchange(),
        (
            "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW".to_owned(),
            // The RFC escapes the dots too, which says the same.
            "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA\
         &redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb"
                .to_owned(),
        ),
    );
    for (name, body, expected) in RESPONSES {
        table.equal(
            name,
            TokenResponse::parse(200, body.as_bytes()).map(|found| summary(&found)),
            (
                expected.0.to_owned(),
                expected.1,
                expected.2.map(str::to_owned),
                expected.3.map(str::to_owned),
            ),
        );
    }
    for (name, status, body, expected) in ERRORS {
        let found = match TokenResponse::parse(*status, body.as_bytes()) {
            Err(TokenError::Refused(refused)) => Ok((
                refused.error.as_str().to_owned(),
                refused.aadsts(),
                refused.suberror,
            )),
            other => Err(other),
        };
        table.equal(
            name,
            found,
            (
                expected.0.to_owned(),
                expected.1,
                expected.2.map(str::to_owned),
            ),
        );
    }
    for (name, status, body) in PAGES {
        let found = match TokenResponse::parse(*status, body.as_bytes()) {
            Err(TokenError::NotJson { status }) => Ok(status),
            other => Err(other),
        };
        table.equal(name, found, *status);
    }
    device(table);
}

fn pkce(table: &mut Table) {
    let octets = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37,
        77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];
    let verifier = CodeVerifier::from_random(octets);
    table.equal::<_, ()>(
        "RFC 7636 appendix B: verifier",
        Ok(verifier.expose()),
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
    let challenge = verifier.challenge();
    table.equal::<_, ()>(
        "RFC 7636 appendix B: challenge",
        Ok(challenge.as_str()),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
    table.equal(
        "RFC 7636 appendix B: verified",
        CodeChallenge::parse(challenge.as_str()).map(|challenge| challenge.verify(&verifier)),
        true,
    );
}

fn code_exchange() -> Result<(String, String), String> {
    let client_id = ClientId::new("s6BhdRkqt3").map_err(|error| error.to_string())?;
    let secret = ClientSecret::new("gX1fBat3bV").map_err(|error| error.to_string())?;
    let code =
        AuthorizationCode::new("SplxlOBeZQQYbYS6WxSbIA").map_err(|error| error.to_string())?;
    let verifier = CodeVerifier::from_random([0; 32]);
    let request = TokenRequest {
        client_id: &client_id,
        authentication: ClientAuthentication::SecretBasic(&secret),
        grant: GrantRequest::AuthorizationCode {
            code: &code,
            redirect_uri: "https://client.example.com/cb",
            code_verifier: &verifier,
        },
    };
    let header = request.authorization_header().ok_or("no header")?;
    let body = request.body();
    // The RFC's example is older than PKCE.
    let (before, _) = body.split_once("&code_verifier=").ok_or("no verifier")?;
    Ok((header.to_string(), before.to_owned()))
}

type Summary = (String, Option<u64>, Option<String>, Option<String>);

/// Access token, lifetime, refresh token, scopes.
fn summary(found: &TokenResponse) -> Summary {
    (
        found.access_token.expose().to_owned(),
        found.expires_in.map(|lifetime| lifetime.as_secs()),
        found
            .refresh_token
            .as_ref()
            .map(|token| token.expose().to_owned()),
        found.scope.as_ref().map(ToString::to_string),
    )
}

fn device(table: &mut Table) {
    table.equal(
        "RFC 8628 §3.2: device authorization response",
        DeviceAuthorizationResponse::parse(200, DEVICE_RFC.as_bytes()).map(|found| {
            let complete = found.verification_uri_complete.map(|uri| uri.to_string());
            (
                found.user_code,
                complete,
                found.expires_in.as_secs(),
                found.interval.as_secs(),
            )
        }),
        (
            "WDJB-MJHT".to_owned(),
            Some("https://example.com/device?user_code=WDJB-MJHT".to_owned()),
            1800,
            5,
        ),
    );
    table.equal(
        "Entra: device authorization response",
        DeviceAuthorizationResponse::parse(200, DEVICE_ENTRA.as_bytes()).map(|found| {
            (
                found.user_code,
                found.verification_uri.to_string(),
                found.expires_in.as_secs(),
            )
        }),
        (
            "CZJ9RXLQW".to_owned(),
            "https://microsoft.com/devicelogin".to_owned(),
            900,
        ),
    );
    let pending = TokenResponse::parse(400, DEVICE_PENDING.as_bytes()).into();
    table.equal::<_, ()>(
        "Entra: device poll pending",
        Ok(matches!(pending, DevicePoll::Pending)),
        true,
    );
}

/// Access token, lifetime, refresh token, scopes.
type Expected = (
    &'static str,
    Option<u64>,
    Option<&'static str>,
    Option<&'static str>,
);

const RESPONSES: &[(&str, &str, Expected)] = &[
    (
        "RFC 6749 §5.1: token response",
        r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,
            "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#,
        (
            "2YotnFZFEjr1zCsicMWpAA",
            Some(3600),
            Some("tGzv3JOkF0XG5Qx2TlKWIA"),
            None,
        ),
    ),
    (
        "Entra: delegated token response",
        r#"{"token_type":"Bearer",
            "scope":"https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
            "expires_in":4235,"ext_expires_in":4235,
            "access_token":"eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJodHRwczovL291dGxvb2sub2ZmaWNlLmNvbSJ9.c2ln",
            "refresh_token":"1.AXkA_0Tp-S5fT0mbG0x5cW1hVg.AgABAwEAAAC5una0EUFgTIF8ElaxtWjTAwDs",
            "id_token":"eyJ0eXAiOiJKV1QifQ.eyJ2ZXIiOiIyLjAifQ.c2ln"}"#,
        (
            "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJodHRwczovL291dGxvb2sub2ZmaWNlLmNvbSJ9.c2ln",
            Some(4235),
            Some("1.AXkA_0Tp-S5fT0mbG0x5cW1hVg.AgABAwEAAAC5una0EUFgTIF8ElaxtWjTAwDs"),
            Some(
                "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
            ),
        ),
    ),
    (
        "Entra: app-only token response",
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,
            "access_token":"eyJ0eXAiOiJKV1QifQ.eyJyb2xlcyI6WyJJTUFQLkFjY2Vzc0FzQXBwIl19.c2ln"}"#,
        (
            "eyJ0eXAiOiJKV1QifQ.eyJyb2xlcyI6WyJJTUFQLkFjY2Vzc0FzQXBwIl19.c2ln",
            Some(3599),
            None,
            None,
        ),
    ),
    (
        "Outlook.com: opaque token response",
        r#"{"token_type":"bearer","expires_in":3600,"ext_expires_in":3600,
            "scope":"https://outlook.office.com/IMAP.AccessAsUser.All",
            "access_token":"EwA4BOl3BAAUcDnR9grBJokeAHaUV8R3+rVHX+IAAQ+u/k8h=",
            "refresh_token":"M.C5_BAY.0.U.-CQ*xyz!abc$$"}"#,
        (
            "EwA4BOl3BAAUcDnR9grBJokeAHaUV8R3+rVHX+IAAQ+u/k8h=",
            Some(3600),
            Some("M.C5_BAY.0.U.-CQ*xyz!abc$$"),
            Some("https://outlook.office.com/IMAP.AccessAsUser.All"),
        ),
    ),
    (
        "Entra 1.0: lifetime as a string",
        r#"{"token_type":"Bearer","expires_in":"3599","expires_on":"1700003599",
            "resource":"https://outlook.office365.com","access_token":"eyJ0.eyJh.c2ln"}"#,
        ("eyJ0.eyJh.c2ln", Some(3599), None, None),
    ),
    (
        "Google: refresh without a new refresh token",
        r#"{"access_token":"ya29.a0AfH6SMBx","expires_in":3599,
            "scope":"https://mail.google.com/ openid https://www.googleapis.com/auth/userinfo.email",
            "token_type":"Bearer"}"#,
        (
            "ya29.a0AfH6SMBx",
            Some(3599),
            None,
            Some("https://mail.google.com/ openid https://www.googleapis.com/auth/userinfo.email"),
        ),
    ),
];

/// Error, number, suberror.
type ExpectedError = (&'static str, Option<u32>, Option<&'static str>);

const ERRORS: &[(&str, u16, &str, ExpectedError)] = &[
    (
        "RFC 6749 §5.2: error response",
        400,
        r#"{"error":"invalid_request"}"#,
        ("invalid_request", None, None),
    ),
    (
        "Entra: refresh token idle for 90 days",
        400,
        r#"{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to inactivity. The token was issued on 2026-01-02T03:04:05.0000000Z and was inactive for 90.00:00:00.\r\nTrace ID: 0a1b2c3d-0000-4000-8000-000000000000\r\nCorrelation ID: 1a2b3c4d-0000-4000-8000-000000000000\r\nTimestamp: 2026-06-07 08:09:10Z","error_codes":[700082],"timestamp":"2026-06-07 08:09:10Z","trace_id":"0a1b2c3d-0000-4000-8000-000000000000","correlation_id":"1a2b3c4d-0000-4000-8000-000000000000","error_uri":"https://login.microsoftonline.com/error?code=700082"}"#,
        ("invalid_grant", Some(700_082), None),
    ),
    (
        "Entra: wrong client secret",
        401,
        r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '6731de76-14a6-49ae-97bc-6eba6914391e'.\r\nTrace ID: 0a1b2c3d-0000-4000-8000-000000000000\r\nCorrelation ID: 1a2b3c4d-0000-4000-8000-000000000000\r\nTimestamp: 2026-06-07 08:09:10Z","error_codes":[7000215],"timestamp":"2026-06-07 08:09:10Z","trace_id":"0a1b2c3d-0000-4000-8000-000000000000","correlation_id":"1a2b3c4d-0000-4000-8000-000000000000","error_uri":"https://login.microsoftonline.com/error?code=7000215"}"#,
        ("invalid_client", Some(7_000_215), None),
    ),
    (
        "Entra: multi-factor authentication is wanted",
        400,
        r#"{"error":"interaction_required","error_description":"AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000002-0000-0ff1-ce00-000000000000'.\r\nTrace ID: x","error_codes":[50076],"suberror":"basic_action","claims":"{\"access_token\":{\"capolids\":{\"essential\":true,\"values\":[\"f00df00d\"]}}}"}"#,
        ("interaction_required", Some(50_076), Some("basic_action")),
    ),
    (
        "Entra: revoked grant with suberror",
        400,
        r#"{"error":"invalid_grant","error_description":"AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed.","error_codes":[50173],"suberror":"bad_token"}"#,
        ("invalid_grant", Some(50_173), Some("bad_token")),
    ),
    (
        "Google: revoked refresh token",
        400,
        r#"{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}"#,
        ("invalid_grant", None, None),
    ),
];

const PAGES: &[(&str, u16, &str)] = &[
    (
        "a proxy's page with status 200",
        200,
        "<!DOCTYPE html><html><body>Sign in to the network</body></html>",
    ),
    (
        "a gateway's page with status 502",
        502,
        "<html><head><title>502 Bad Gateway</title></head></html>",
    ),
    ("an empty answer", 503, ""),
];

const DEVICE_RFC: &str = r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code":"WDJB-MJHT","verification_uri":"https://example.com/device",
    "verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT",
    "expires_in":1800,"interval":5}"#;

const DEVICE_ENTRA: &str = r#"{"user_code":"CZJ9RXLQW","device_code":"CAQABAAEAAADnfolhJpSnRYB1SVj",
    "verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":5,
    "message":"To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code CZJ9RXLQW to authenticate."}"#;

const DEVICE_PENDING: &str = r#"{"error":"authorization_pending",
    "error_description":"AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    "error_codes":[70016]}"#;
