//! Claims of both of Entra's versions, of Google, and tokens without any.

use super::Table;
use crate::claims::{Claims, TokenKind};
use crate::encoding::base64url;
use crate::time::UnixTime;

pub(super) fn check(table: &mut Table) {
    table.equal(
        "RFC 7519 §3.1: example",
        read_raw(RFC_7519),
        Claims {
            iss: text("joe"),
            exp: Some(UnixTime(1_300_819_380)),
            ..Claims::default()
        },
    );
    table.equal(
        "Entra 1.0: app-only token for Exchange",
        read(APP_ONLY),
        Claims {
            aud: vec!["https://outlook.office365.com".to_owned()],
            iss: text("https://sts.windows.net/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/"),
            sub: text("0b0f9c9c-9ef1-4b5e-9c64-3bf1a42f8d7d"),
            iat: Some(UnixTime(1_764_000_000)),
            nbf: Some(UnixTime(1_764_000_000)),
            exp: Some(UnixTime(1_764_003_900)),
            appid: text("6731de76-14a6-49ae-97bc-6eba6914391e"),
            oid: text("0b0f9c9c-9ef1-4b5e-9c64-3bf1a42f8d7d"),
            roles: vec!["IMAP.AccessAsApp".to_owned(), "SMTP.SendAsApp".to_owned()],
            tid: text("8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd"),
            ver: text("1.0"),
            ..Claims::default()
        },
    );
    table.equal(
        "Entra: app-only token without roles",
        read(r#"{"aud":"https://outlook.office365.com","appid":"6731de76","ver":"1.0"}"#)
            .map(|claims| claims.roles.len()),
        0,
    );
    table.equal(
        "Entra 1.0: delegated token for Exchange",
        read(DELEGATED).map(|claims| (claims.upn, claims.scp.map(|scp| scp.to_string()))),
        (
            text("ada@contoso.onmicrosoft.com"),
            text("IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send"),
        ),
    );
    table.equal(
        "Entra 2.0: ID token",
        read(ID_TOKEN),
        Claims {
            aud: vec!["6731de76-14a6-49ae-97bc-6eba6914391e".to_owned()],
            iss: text(
                "https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/v2.0",
            ),
            sub: text("AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ"),
            exp: Some(UnixTime(1_764_003_900)),
            nbf: Some(UnixTime(1_764_000_000)),
            iat: Some(UnixTime(1_764_000_000)),
            name: text("Ada Lovelace"),
            preferred_username: text("ada@contoso.onmicrosoft.com"),
            oid: text("00000000-0000-0000-66f3-3332eca7ea81"),
            tid: text("8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd"),
            nonce: text("n-0S6_WzA2Mj"),
            ver: text("2.0"),
            ..Claims::default()
        },
    );
    table.equal(
        "Google: ID token",
        read(
            r#"{"iss":"accounts.google.com","azp":"1234.apps.googleusercontent.com",
                "aud":"1234.apps.googleusercontent.com","sub":"10769150350006150715113082367",
                "email":"someuser@example.com","email_verified":true,"iat":1353601026,"exp":1353604926}"#,
        )
        .map(|claims| (claims.email, claims.azp)),
        (text("someuser@example.com"), text("1234.apps.googleusercontent.com")),
    );
    for (name, token) in OPAQUE {
        table.equal::<_, ()>(name, Ok(Claims::unverified(token)), TokenKind::Opaque);
    }
}

fn read(payload: &str) -> Result<Claims, &'static str> {
    let header = base64url(br#"{"typ":"JWT","alg":"RS256","kid":"key-1"}"#);
    read_raw(&format!(
        "{header}.{}.c2lnbmF0dXJl",
        base64url(payload.as_bytes())
    ))
}

fn read_raw(token: &str) -> Result<Claims, &'static str> {
    match Claims::unverified(token) {
        TokenKind::Jwt(claims) => Ok(*claims),
        TokenKind::Opaque => Err("opaque"),
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

const RFC_7519: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
    .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
    .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

const APP_ONLY: &str = r#"{"aud":"https://outlook.office365.com",
    "iss":"https://sts.windows.net/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/",
    "iat":1764000000,"nbf":1764000000,"exp":1764003900,"aio":"k2RgYPi","app_displayname":"mailgrant",
    "appid":"6731de76-14a6-49ae-97bc-6eba6914391e","appidacr":"1",
    "idp":"https://sts.windows.net/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/",
    "oid":"0b0f9c9c-9ef1-4b5e-9c64-3bf1a42f8d7d","rh":"1.AXkA","roles":["IMAP.AccessAsApp","SMTP.SendAsApp"],
    "sid":"x","sub":"0b0f9c9c-9ef1-4b5e-9c64-3bf1a42f8d7d","tid":"8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd",
    "uti":"x","ver":"1.0","wids":["0997a1d0-0d1d-4acb-b408-d5ca73121e90"]}"#;

const DELEGATED: &str = r#"{"aud":"https://outlook.office.com",
    "iss":"https://sts.windows.net/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/",
    "iat":1764000000,"nbf":1764000000,"exp":1764004500,"acct":0,"acr":"1","amr":["pwd","mfa"],
    "appid":"6731de76-14a6-49ae-97bc-6eba6914391e","appidacr":"1","name":"Ada Lovelace",
    "scp":"IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send",
    "unique_name":"ada@contoso.onmicrosoft.com","upn":"ada@contoso.onmicrosoft.com","ver":"1.0"}"#;

const ID_TOKEN: &str = r#"{"ver":"2.0",
    "iss":"https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/v2.0",
    "sub":"AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ","aud":"6731de76-14a6-49ae-97bc-6eba6914391e",
    "exp":1764003900,"iat":1764000000,"nbf":1764000000,"name":"Ada Lovelace",
    "preferred_username":"ada@contoso.onmicrosoft.com","oid":"00000000-0000-0000-66f3-3332eca7ea81",
    "tid":"8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd","nonce":"n-0S6_WzA2Mj","aio":"Df2UVXL1ix"}"#;

const OPAQUE: [(&str, &str); 4] = [
    (
        "Outlook.com: opaque token EwA",
        "EwA4BOl3BAAUcDnR9grBJokeAHaUV8R3+rVHX+IAAQ+u/k8h=",
    ),
    (
        "Microsoft: opaque token EwB",
        "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA",
    ),
    (
        "Google: opaque token",
        "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
    ),
    (
        "RFC 7516: an encrypted token is opaque",
        "eyJhbGciOiJSU0EtT0FFUCJ9.a2V5.aXY.Y2lwaGVy.dGFn",
    ),
];
