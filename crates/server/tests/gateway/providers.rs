//! `[[provider]]`: presets at other hosts, and what is said to a provider that cannot work.

use std::time::Duration;

use mailgrant_core::provider::{AddressClaim, AppOnly, Provider, SecretMethod};
use mailgrant_server::Settings;

/// The provider of the one application.
fn provider(keys: &str) -> Result<Provider, String> {
    provider_of("client_secret_env = \"SECRET\"", keys)
}

fn provider_of(application: &str, keys: &str) -> Result<Provider, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mailgrant.toml");
    let text = format!(
        "[[application]]\nid = \"one\"\nprovider = \"office\"\nclient_id = \"x\"\n{application}\n\
         [[provider]]\nid = \"office\"\n{keys}\n"
    );
    std::fs::write(&file, text).unwrap();
    let environment = [("SECRET".to_owned(), "s3cret".to_owned())];
    let settings =
        Settings::load(Some(&file), environment.into_iter()).map_err(|error| error.to_string())?;
    Ok((*settings.application("one").unwrap().provider).clone())
}

#[test]
fn a_preset_at_other_hosts_keeps_its_quirks() {
    let office = provider_of(
        "tenant = \"contoso.com\"",
        r#"
like = "microsoft365"
issuer = "https://login.proxy.test/{tenant}/v2.0"
imap = { host = "imap.proxy.test", port = 1993, tls = "implicit" }
"#,
    )
    .unwrap();
    let preset = Provider::preset("microsoft365").unwrap();
    assert_eq!(office.id, "office");
    assert_eq!(office.display_name, "office");
    assert_eq!(
        office.issuer("contoso.com").unwrap(),
        "https://login.proxy.test/contoso.com/v2.0"
    );
    assert_eq!(office.imap.host, "imap.proxy.test");
    assert_eq!(
        (office.smtp, office.pop3),
        (None, None),
        "tokens for a mailbox here must not go to servers there"
    );
    assert_eq!(office.scopes, preset.scopes);
    assert_eq!(office.app_only_scopes, preset.app_only_scopes);
    assert_eq!(office.cloud, preset.cloud);
    assert!(office.refresh_names_scopes && office.admin_consent);
    assert_eq!(
        office.refresh_token_idle_lifetime,
        Some(Duration::from_secs(90 * 86_400))
    );
    assert_eq!(office.default_tenant.as_deref(), Some("organizations"));
}

#[test]
fn a_preset_with_one_thing_changed() {
    let google = provider("like = \"google\"\nscopes = [\"openid\", \"email\", \"https://mail.google.com/\"]\nauthorization_parameters = { prompt = \"consent select_account\" }\nclient_secret = 1").unwrap_err();
    assert!(google.contains("client_secret"), "{google}");
    let google = provider(
        "like = \"google\"\nauthorization_parameters = { prompt = \"consent select_account\", hd = \"corp.test\" }",
    );
    let google = google.unwrap();
    assert_eq!(google.imap.host, "imap.gmail.com");
    let written = [
        "access_type=offline",
        "hd=corp.test",
        "prompt=consent select_account",
    ];
    let pairs: Vec<String> = google
        .authorization_parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(pairs, written);
}

#[test]
fn a_tenant_of_its_own_needs_no_usual_one() {
    let office = provider(
        r#"
like = "microsoft365"
issuer = "https://login.proxy.test/contoso/v2.0"
imap = { host = "imap.proxy.test", port = 993, tls = "implicit" }
"#,
    )
    .unwrap();
    assert_eq!(office.tenant(None), Ok(""));
    assert!(!office.is_tenant_alias("organizations"));
}

#[test]
fn an_issuer_of_entras_form_has_entras_quirks() {
    let office = provider(
        r#"
issuer = "https://login.proxy.test/contoso/v2.0"
scopes = ["openid", "https://outlook.office.com/IMAP.AccessAsUser.All"]
imap = { host = "imap.proxy.test", port = 993, tls = "implicit" }
"#,
    )
    .unwrap();
    assert!(office.refresh_names_scopes && office.admin_consent);
    assert_eq!(office.imap.host, "imap.proxy.test");
    assert_eq!(office.smtp, None);
    assert_eq!(
        office.scopes.to_string(),
        "openid https://outlook.office.com/IMAP.AccessAsUser.All"
    );
    let elsewhere = provider(
        r#"
issuer = "https://login.proxy.test/contoso/v2.0"
admin_consent = false
imap = { host = "imap.proxy.test", port = 993, tls = "implicit" }
"#,
    );
    assert!(!elsewhere.unwrap().admin_consent);
}

#[test]
fn quirks_of_ones_own() {
    let corp = provider(&format!(
        "{CORP}{}",
        r#"
userinfo_endpoint = "https://login.corp.test/me"
smtp_scopes = ["smtp"]
pop3_scopes = ["pop"]
app_only = "service_account"
app_only_scopes = ["mail"]
address_claims = ["email"]
refresh_names_scopes = true
refresh_token_idle_days = 30
"#
    ))
    .unwrap();
    assert_eq!(corp.app_only, AppOnly::ServiceAccount);
    assert_eq!(corp.address_claims, [AddressClaim::Email]);
    assert_eq!(corp.smtp_scopes.to_string(), "smtp");
    assert_eq!(corp.pop3_scopes.to_string(), "pop");
    assert!(corp.refresh_names_scopes && !corp.admin_consent);
    assert_eq!(
        corp.refresh_token_idle_lifetime,
        Some(Duration::from_secs(30 * 86_400))
    );
    let plain = provider(CORP).unwrap();
    assert_eq!(plain.app_only, AppOnly::None);
    let with_scopes = provider(&format!("{CORP}app_only_scopes = [\"mail\"]")).unwrap();
    assert_eq!(with_scopes.app_only, AppOnly::ClientCredentials);
}

#[test]
fn what_cannot_work_is_said() {
    let imap = "imap = { host = \"imap.corp.test\", port = 993, tls = \"implicit\" }\n";
    for (application, keys, key, words) in [
        (
            "",
            "like = \"microsoft\"",
            "provider[0].like",
            "microsoft365-gcc-high",
        ),
        ("", "", "provider[0].issuer", "`like`"),
        (
            "",
            "issuer = \"https://login.corp.test\"",
            "provider[0].imap",
            "imap.corp.test",
        ),
        (
            "",
            &format!("issuer = \"https://login.microsoftonline.com/contoso.com/v2.0\"\n{imap}"),
            "provider[0].issuer",
            "like = \"microsoft365\"",
        ),
        (
            "",
            &format!("issuer = \"https://accounts.google.com\"\n{imap}"),
            "provider[0].issuer",
            "like = \"google\"",
        ),
        (
            "",
            "like = \"microsoft365-china\"\nscopes = [\"IMAP.AccessAsUser.All\"]",
            "provider[0].scopes[0]",
            "https://partner.outlook.cn/IMAP.AccessAsUser.All",
        ),
        (
            "scopes = [\"IMAP.AccessAsUser.All\"]",
            "like = \"microsoft365-gcc-high\"",
            "application[0].scopes[0]",
            "https://outlook.office365.us/IMAP.AccessAsUser.All",
        ),
        (
            "",
            "like = \"google\"\ndefault_tenant = \"x\"",
            "provider[0].default_tenant",
            "{tenant}",
        ),
        (
            "",
            "like = \"microsoft365\"\ndefault_tenant = \"../x\"",
            "provider[0].default_tenant",
            "tenant",
        ),
        (
            "",
            &format!("{CORP}app_only = \"password\""),
            "provider[0].app_only",
            "client_credentials",
        ),
        (
            "",
            &format!("{CORP}app_only = \"client_credentials\""),
            "provider[0].app_only_scopes",
            "missing",
        ),
        (
            "",
            &format!("{CORP}app_only = \"none\"\napp_only_scopes = [\"x\"]"),
            "provider[0].app_only_scopes",
            "contradicts",
        ),
        (
            "app_only_scopes = [\"mail\"]",
            CORP,
            "application[0].app_only_scopes",
            "no app-only access",
        ),
        (
            "",
            &format!("{CORP}address_claims = [\"upn\"]"),
            "provider[0].address_claims",
            "preferred_username",
        ),
        (
            "",
            &format!("{CORP}refresh_token_idle_days = 0"),
            "provider[0].refresh_token_idle_days",
            "at least 1",
        ),
        (
            "",
            &format!(
                "issuer = \"https://login.corp.test\"\njwks_uri = \"https://login.corp.test/keys\"\n{imap}"
            ),
            "provider[0].jwks_uri",
            "discovery",
        ),
        (
            "",
            &format!("{CORP}userinfo_endpoint = \"http://login.corp.test/me\""),
            "provider[0].userinfo_endpoint",
            "https",
        ),
    ] {
        let error = provider_of(application, keys).unwrap_err();
        assert!(
            error.starts_with(key) && error.contains(words),
            "{keys}: {error}"
        );
    }
}

const CORP: &str = r#"
authorization_endpoint = "https://login.corp.test/authorize"
token_endpoint = "https://login.corp.test/token"
scopes = ["mail"]
imap = { host = "imap.corp.test", port = 993, tls = "implicit" }
"#;

#[test]
fn credentials_and_the_way_they_are_sent() {
    for (application, keys, key, words) in [
        (
            "client_secret_env = \"SECRET\"",
            "like = \"fastmail\"",
            "application[0].client_secret_env",
            "no credential (a public client)",
        ),
        (
            "",
            "like = \"google\"",
            "application[0].client_secret_file",
            "a client secret",
        ),
        (
            "client_secret_env = \"SECRET\"\nclient_secret_method = \"basic\"",
            CORP,
            "application[0].client_secret_method",
            "client_secret_basic",
        ),
        (
            "client_secret_method = \"client_secret_basic\"",
            CORP,
            "application[0].client_secret_method",
            "leave it out",
        ),
    ] {
        let error = provider_of(application, keys).unwrap_err();
        assert!(
            error.starts_with(key) && error.contains(words),
            "{keys}: {error}"
        );
    }
    let secret = "client_secret_env = \"SECRET\"\nclient_secret_method = \"client_secret_basic\"";
    let corp = provider_of(secret, CORP).unwrap();
    assert_eq!(corp.secret_method, Some(SecretMethod::Basic));
    assert_eq!(provider(CORP).unwrap().secret_method, None);
}
