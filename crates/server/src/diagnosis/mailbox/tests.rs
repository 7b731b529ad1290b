use mailgrant_core::sasl::Mechanism;
use serde_json::{Value, json};

use super::*;
use crate::diagnosis::fixture::application;

const NOW: UnixTime = UnixTime(1_800_000_000);
const ADA: &str = "ada@tarnbrook.test";
const EXCHANGE_SCOPE: &str = "openid https://outlook.office.com/IMAP.AccessAsUser.All";

fn token(claims: &Value) -> AccessToken {
    use base64::Engine as _;
    let part = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let header = part(json!({"alg": "RS256"}).to_string());
    AccessToken::new(format!("{header}.{}.c2ln", part(claims.to_string()))).unwrap()
}

fn refused() -> imap::Error {
    imap::Error::Authentication {
        mechanism: Mechanism::Xoauth2,
        challenge: None,
        text: "AUTHENTICATE failed.".to_owned(),
    }
}

fn not_connected() -> imap::Error {
    imap::Error::Bad {
        command: "LIST",
        text: "User is authenticated but not connected.".to_owned(),
    }
}

fn diagnosed(scopes: &str, error: &imap::Error, token: &AccessToken, user: &str) -> Diagnosis {
    let login = Login {
        application: &application(scopes),
        user,
        token,
        now: NOW,
    };
    mail_server(error, &login)
}

/// What a person's token for Exchange says, with changes.
fn persons(changes: Value) -> AccessToken {
    with(
        json!({"aud": "https://outlook.office.com", "scp": "IMAP.AccessAsUser.All", "upn": ADA, "exp": NOW.0 + 60}),
        changes,
    )
}

fn applications(changes: Value) -> AccessToken {
    let oid = "e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3";
    with(
        json!({"aud": "https://outlook.office365.com", "roles": ["IMAP.AccessAsApp"], "oid": oid, "exp": NOW.0 + 60}),
        changes,
    )
}

fn with(mut claims: Value, changes: Value) -> AccessToken {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    token(&claims)
}

#[test]
fn a_refusal_is_explained_by_what_the_token_says() {
    for (token, user, code, remedy) in [
        (
            persons(json!({"aud": "https://graph.microsoft.com"})),
            ADA,
            "token_wrong_audience",
            "https://outlook.office.com/IMAP.AccessAsUser.All in scopes",
        ),
        (
            persons(json!({"aud": "00000003-0000-0000-c000-000000000000"})),
            ADA,
            "token_wrong_audience",
            "and nothing of 00000003-0000-0000-c000-000000000000",
        ),
        (
            applications(json!({"aud": "https://graph.microsoft.com/"})),
            ADA,
            "token_wrong_audience",
            "https://outlook.office365.com/.default in app_only_scopes",
        ),
        (persons(json!({"exp": NOW.0})), ADA, "token_ended", "clock"),
        (
            persons(json!({"scp": "SMTP.Send"})),
            ADA,
            "token_lacks_permission",
            "delegated permissions > IMAP.AccessAsUser.All",
        ),
        (
            applications(json!({"roles": []})),
            ADA,
            "token_lacks_permission",
            "application permissions > IMAP.AccessAsApp",
        ),
        (
            persons(json!({})),
            "support@tarnbrook.test",
            "mailbox_permission_missing",
            "Add-MailboxPermission -Identity 'support@tarnbrook.test' -User 'ada@tarnbrook.test' -AccessRights FullAccess",
        ),
        (
            persons(json!({"upn": "ADA@tarnbrook.test"})),
            ADA,
            "imap_disabled",
            "Set-CASMailbox -Identity 'ada@tarnbrook.test' -ImapEnabled $true",
        ),
        (
            applications(json!({})),
            ADA,
            "service_principal_missing",
            "New-ServicePrincipal -AppId '6731de76-14a6-49ae-97bc-6eba6914391e' -ObjectId 'e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3'",
        ),
    ] {
        let diagnosis = diagnosed(EXCHANGE_SCOPE, &refused(), &token, user);
        assert_eq!(diagnosis.code, code);
        let steps = diagnosis.remedy.join("\n");
        assert!(steps.contains(remedy), "{code}: {steps}");
        assert!(diagnosis.detail.contains(user), "{}", diagnosis.detail);
        assert!(is_mail_servers(code));
    }
}

#[test]
fn a_login_to_nothing_is_explained_too() {
    for (token, user, code, remedy) in [
        (persons(json!({})), ADA, "mailbox_not_connected", "licence"),
        (
            persons(json!({})),
            "support@tarnbrook.test",
            "mailbox_permission_missing",
            "-User 'ada@tarnbrook.test'",
        ),
        (
            applications(json!({})),
            ADA,
            "mailbox_permission_missing",
            "-User 'e2c57d90-3b1a-4f68-8c2e-71a9d4065bf3'",
        ),
        (
            AccessToken::new("EwBAAl3B").unwrap(),
            ADA,
            "mailbox_not_connected",
            "licence",
        ),
    ] {
        let diagnosis = diagnosed(EXCHANGE_SCOPE, &not_connected(), &token, user);
        assert_eq!(diagnosis.code, code);
        let steps = diagnosis.remedy.join("\n");
        assert!(steps.contains(remedy), "{code}: {steps}");
    }
}

#[test]
fn where_little_is_known_nothing_is_made_up() {
    let opaque = AccessToken::new("EwBAAl3B").unwrap();
    assert_eq!(
        diagnosed(EXCHANGE_SCOPE, &refused(), &opaque, ADA).code,
        "imap_refused"
    );
    // Another provider's servers have their own reasons; only Graph's tokens are no mail server's for sure.
    let other = token(&json!({"aud": "mail", "scope": "mail.imap"}));
    assert_eq!(
        diagnosed("openid mail.imap", &refused(), &other, ADA).code,
        "imap_refused"
    );
    let graph = token(&json!({"aud": "https://graph.microsoft.com", "scp": "User.Read"}));
    assert_eq!(
        diagnosed("openid User.Read", &refused(), &graph, ADA).code,
        "token_wrong_audience"
    );
    let closed = imap::Error::Bye {
        text: "Server Unavailable. 15".to_owned(),
    };
    assert_eq!(
        diagnosed(EXCHANGE_SCOPE, &closed, &opaque, ADA).code,
        "mail_server_unavailable"
    );
}

#[test]
fn what_a_token_says_never_becomes_part_of_a_command() {
    for hostile in [
        "a@x.test\"; Remove-Mailbox *; \"",
        "a@x.test\r\nRemove-Mailbox",
        "$(x)@y",
        "x\u{2019}; Remove-Mailbox *; \u{2018}@y",
    ] {
        let token = persons(json!({"upn": hostile}));
        let diagnosis = diagnosed(EXCHANGE_SCOPE, &refused(), &token, ADA);
        let steps = diagnosis.remedy.join("\n");
        assert!(steps.contains("-User <as shown above>"), "{steps}");
        assert!(!diagnosis.detail.contains(['\r', '\n']));
    }
    // What may stand in an address stays in its quotation marks.
    for (strange, literal) in [
        ("o'brien@tarnbrook.test", "\"o'brien@tarnbrook.test\""),
        ("$x`'@tarnbrook.test", "'$x`''@tarnbrook.test'"),
    ] {
        let diagnosis = diagnosed(
            EXCHANGE_SCOPE,
            &refused(),
            &persons(json!({"upn": strange})),
            ADA,
        );
        let steps = diagnosis.remedy.join("\n");
        assert!(
            steps.contains(&format!("-User {literal} -AccessRights")),
            "{steps}"
        );
    }
}

#[test]
fn national_clouds_are_exchange_too() {
    let scopes = "openid https://outlook.office365.us/IMAP.AccessAsUser.All";
    let code = |audience: &str| {
        let token = applications(json!({"aud": audience}));
        diagnosed(scopes, &refused(), &token, ADA).code
    };
    assert_eq!(
        code("https://outlook.office365.us"),
        "service_principal_missing"
    );
    assert_eq!(code("https://graph.microsoft.us/"), "token_wrong_audience");
}
