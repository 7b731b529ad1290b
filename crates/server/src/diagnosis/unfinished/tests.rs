use mailgrant_core::provider::Provider;
use mailgrant_storage::ConnectSessionId;
use serde_json::json;

use super::*;
use crate::diagnosis::fixture;

const SENT: UnixTime = UnixTime(1_795_305_600);

fn session(sent_at: Option<UnixTime>) -> ConnectSession {
    ConnectSession {
        id: ConnectSessionId::try_from(format!("cs_{:032x}", 7)).unwrap(),
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        origin: "https://app.example.com".to_owned(),
        user_label: None,
        login_hint: None,
        mailbox: None,
        mends: None,
        return_url: None,
        metadata: json!({}),
        status: ConnectStatus::Pending,
        phase: ConnectPhase::Started,
        account: None,
        diagnosis: None,
        created_at: SENT,
        expires_at: SENT + Duration::from_secs(900),
        completed_at: None,
        sent_at,
    }
}

fn application(provider: &str) -> Application {
    Application {
        id: "contoso".to_owned(),
        provider: Provider::preset(provider).unwrap().into(),
        ..fixture::application("openid")
    }
}

fn of<'a>(session: &'a ConnectSession, application: &'a Application) -> Unfinished<'a> {
    Unfinished {
        session,
        application: Some(application),
        redirect_uri: "https://mail.example.com/oauth/callback",
    }
}

#[test]
fn microsofts_pages_are_told_by_their_numbers() {
    let (session, application) = (session(Some(SENT)), application("microsoft365"));
    let diagnosis = of(&session, &application).expired();
    assert_eq!(diagnosis.code, "not_returned");
    assert!(
        diagnosis.detail.contains("at 2026-11-22T00:00:00Z"),
        "{}",
        diagnosis.detail
    );
    let remedy = diagnosis.remedy.join("\n");
    for part in [
        "AADSTS50011: the redirect URI registered must be exactly https://mail.example.com/oauth/callback (type Web)",
        application.client_id.as_str(),
        "`mailgrant setup --application contoso --flow delegated`",
        "Start a new connect session.",
    ] {
        assert!(remedy.contains(part), "{part}: {remedy}");
    }
    assert!(is_of_an_expired_session(&diagnosis));
}

#[test]
fn googles_pages_are_told_by_their_names() {
    let session = session(Some(SENT));
    let application = application("google");
    let remedy = of(&session, &application).expired().remedy.join("\n");
    for part in [
        "redirect_uri_mismatch",
        "org_internal",
        "admin_policy_enforced",
        "Test users",
    ] {
        assert!(remedy.contains(part), "{part}: {remedy}");
    }
    assert!(!remedy.contains("AADSTS"), "{remedy}");
}

#[test]
fn only_a_sign_in_that_lasts_is_spoken_of() {
    let application = application("microsoft365");
    let started = session(Some(SENT));
    let after = |session: &ConnectSession, seconds| {
        let waiting = of(session, &application).waiting(SENT + Duration::from_secs(seconds));
        waiting.map(|diagnosis| diagnosis.code)
    };
    assert_eq!(after(&started, 179), None);
    assert_eq!(after(&started, 180).as_deref(), Some("not_returned"));
    assert_eq!(after(&session(None), 600), None);
    let returned = ConnectSession {
        phase: ConnectPhase::Returned,
        ..started
    };
    assert_eq!(after(&returned, 600), None);
}

#[test]
fn a_consent_that_nobody_gave_keeps_its_link() {
    let application = application("microsoft365");
    let asked = Diagnosis {
        admin_consent_url: Some("https://login.example/adminconsent".to_owned()),
        error_codes: vec![90_094],
        ..Diagnosis::new("admin_consent_required", "", "", &[])
    };
    let waited = ConnectSession {
        diagnosis: Some(asked.to_json()),
        ..session(None)
    };
    let diagnosis = of(&waited, &application).expired();
    assert_eq!(diagnosis.code, "expired");
    assert_eq!(diagnosis.admin_consent_url, asked.admin_consent_url);
    assert_eq!(diagnosis.error_codes, [90_094]);
}
