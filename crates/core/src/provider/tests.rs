use super::*;
use crate::endpoint::Endpoint;
use proptest::prelude::*;

fn preset(id: &str) -> Provider {
    Provider::preset(id).unwrap()
}

#[test]
fn every_preset_is_sound() {
    for id in PRESETS {
        let provider = preset(id);
        assert_eq!(provider.id, id);
        let groups = [
            &provider.scopes,
            &provider.smtp_scopes,
            &provider.pop3_scopes,
            &provider.app_only_scopes,
        ];
        for scopes in groups {
            assert_eq!(provider.check_scopes(scopes), Ok(()), "{id}");
        }
        assert!(!provider.scopes.is_empty(), "{id}");
        for host in [
            Some(&provider.imap),
            provider.smtp.as_ref(),
            provider.pop3.as_ref(),
        ] {
            let Some(host) = host else { continue };
            MailHost::new(host.host.clone(), host.port, host.tls).unwrap();
        }
        let tenant = provider.tenant(None).unwrap();
        if let Some(issuer) = provider.issuer(tenant) {
            Endpoint::new(issuer).unwrap();
        }
        let has_app_only = provider.app_only != AppOnly::None;
        assert_eq!(has_app_only, !provider.app_only_scopes.is_empty(), "{id}");
        // Where there is an id_token, it tells whose mailbox it is.
        assert!(
            !provider.scopes.contains("openid") || !provider.address_claims.is_empty(),
            "{id}"
        );
        assert!(
            provider
                .credentials
                .iter()
                .any(|&kind| provider.check_credential(kind).is_ok())
        );
    }
    assert!(Provider::preset("unknown").is_none());
    assert!(Provider::preset("").is_none());
}

#[test]
fn every_cloud_is_a_preset_of_its_own() {
    for cloud in &CLOUDS {
        let provider = preset(cloud.id);
        assert_eq!(provider.cloud, Some(cloud));
        assert_eq!(provider.imap.host, cloud.mail);
        assert!(provider.admin_consent);
        assert!(cloud.is_mail_audience(cloud.resource));
        assert!(cloud.is_mail_audience(cloud.app_only_resource));
        assert!(!cloud.is_mail_audience(cloud.graph));
        assert!(cloud.is_graph_audience(&format!("{}/", cloud.graph)));
        assert!(!cloud.is_graph_audience(cloud.resource));
        for other in CLOUDS.iter().filter(|other| other.id != cloud.id) {
            assert_ne!(cloud.graph_environment, other.graph_environment);
            assert_ne!(cloud.exchange_environment, other.exchange_environment);
        }
    }
}

#[test]
fn scopes_are_corrected_in_their_cloud() {
    let scopes = Scopes::parse("openid IMAP.AccessAsUser.All").unwrap();
    let corrected = |id| preset(id).check_scopes(&scopes).unwrap_err().corrected;
    assert_eq!(
        corrected("microsoft365"),
        "https://outlook.office.com/IMAP.AccessAsUser.All"
    );
    assert_eq!(
        corrected("microsoft365-gcc-high"),
        "https://outlook.office365.us/IMAP.AccessAsUser.All"
    );
    assert_eq!(
        corrected("microsoft365-china"),
        "https://partner.outlook.cn/IMAP.AccessAsUser.All"
    );
}

#[test]
fn tenants() {
    let entra = preset("microsoft365");
    assert_eq!(entra.tenant(None), Ok("organizations"));
    assert_eq!(entra.tenant(Some("contoso.com")), Ok("contoso.com"));
    assert!(entra.tenant(Some("../evil")).is_err());
    assert!(entra.is_tenant_alias("Common"));
    assert!(!entra.is_tenant_alias("contoso.com"));
    let google = preset("google");
    assert_eq!(google.tenant(None), Ok(""));
    assert!(!google.has_tenants() && !google.is_tenant_alias("common"));
}

#[test]
fn credentials_that_a_provider_does_not_take() {
    let refused = |id, kind| preset(id).check_credential(kind).unwrap_err().to_string();
    assert_eq!(
        refused("fastmail", CredentialKind::Secret),
        "Fastmail does not take a client secret, but no credential (a public client)"
    );
    assert_eq!(
        refused("google", CredentialKind::Certificate),
        "Gmail does not take a certificate, but a client secret or a service account's key"
    );
    assert_eq!(
        refused("microsoft365", CredentialKind::ServiceAccount),
        "Microsoft 365 does not take a service account's key, but no credential (a public client), \
         a client secret, a certificate or a federated credential"
    );
    let mut custom = preset("google");
    custom.app_only = AppOnly::None;
    assert!(
        custom
            .check_credential(CredentialKind::ServiceAccount)
            .is_err()
    );
}

#[test]
fn redirect_uris_that_cannot_be_registered() {
    let check = |id, uri| {
        preset(id)
            .check_redirect_uri(uri)
            .map_err(|unfit| unfit.to_string())
    };
    for id in PRESETS {
        assert_eq!(check(id, "https://mail.example.com/oauth/callback"), Ok(()));
    }
    assert_eq!(
        check("yahoo", "http://127.0.0.1:8080/oauth/callback").unwrap_err(),
        "Yahoo Mail takes redirect URIs with https only, even on this machine"
    );
    assert_eq!(
        check("microsoft365", "http://127.0.0.1:8080/oauth/callback"),
        Ok(())
    );
    assert_eq!(
        check("microsoft365", "http://[::1]:8080/oauth/callback").unwrap_err(),
        "Microsoft 365 does not take [::1] in a redirect URI: write localhost"
    );
    assert_eq!(check("google", "http://[::1]:8080/oauth/callback"), Ok(()));
}

#[test]
fn prompts() {
    let prompt = |id, hint, prompt| preset(id).prompt(hint, prompt);
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(prompt("microsoft365", None, None), None);
    assert_eq!(
        prompt("microsoft365", None, Some("select_account")),
        said("select_account")
    );
    assert_eq!(
        prompt("microsoft365", Some("a@b.test"), Some("select_account")),
        None
    );
    assert_eq!(
        prompt("microsoft365", Some(""), Some("select_account")),
        said("select_account")
    );
    assert_eq!(
        prompt("microsoft365", Some("a@b.test"), Some("login")),
        said("login")
    );
    // Nobody who has consented before gets a refresh token from Google without it.
    assert_eq!(prompt("google", Some("a@b.test"), None), said("consent"));
    assert_eq!(
        prompt("google", Some("a@b.test"), Some("select_account")),
        said("consent select_account")
    );
    assert_eq!(prompt("google", None, Some("none")), said("none"));
}

#[test]
fn addresses() {
    let entra = preset("microsoft365");
    assert_eq!(
        entra.addresses(Some("ada@contoso.com"), Some("ada.l@contoso.com")),
        ["ada@contoso.com", "ada.l@contoso.com"]
    );
    assert_eq!(
        entra.addresses(Some("ada@contoso.com"), Some("ADA@contoso.com")),
        ["ada@contoso.com"]
    );
    assert_eq!(entra.addresses(Some("+49 89 1234"), None), [""; 0]);
    assert_eq!(
        entra.addresses(None, Some("live.com#ada@outlook.com")),
        ["ada@outlook.com"]
    );
    let google = preset("google");
    assert_eq!(
        google.addresses(Some("ada@x.test"), Some("ada@gmail.com")),
        ["ada@gmail.com"]
    );
    assert_eq!(
        preset("yahoo").addresses(Some("a@b.test"), Some("a@b.test")),
        [""; 0]
    );
}

proptest! {
    #[test]
    fn nothing_panics(text: String, other: String) {
        let provider = preset("microsoft365");
        let _ = provider.tenant(Some(&text));
        let _ = provider.check_redirect_uri(&text);
        let _ = provider.prompt(Some(&text), Some(&other));
        let _ = provider.addresses(Some(&text), Some(&other));
        let _ = Provider::preset(&text);
    }
}
