use std::sync::Arc;

use mailgrant_core::provider::Provider;

use super::*;
use crate::diagnosis::fixture;

const ONE: &str = "7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943";
const OTHER: &str = "2b1f3c60-7d2e-4a55-8c11-90ab54cd7e02";

#[test]
fn what_tenant_says_is_compared_as_far_as_words_tell() {
    for (configured, tenant, taken) in [
        ("common", ONE, true),
        ("common", PERSONAL, true),
        ("organizations", ONE, true),
        ("Organizations", PERSONAL, false),
        ("consumers", PERSONAL, true),
        ("consumers", ONE, false),
        (PERSONAL, ONE, false),
        (ONE, ONE, true),
        (ONE, &ONE.to_uppercase(), true),
        (ONE, OTHER, false),
        (ONE, "contoso.example", true),
        ("contoso.example", ONE, true),
    ] {
        assert_eq!(takes(configured, tenant), taken, "{configured} {tenant}");
    }
}

#[test]
fn an_authority_is_its_host_and_where_there_are_no_tenants_its_path() {
    for (one, other, by_path, is_same) in [
        (
            "https://accounts.google.com",
            "accounts.google.com",
            true,
            true,
        ),
        ("https://a.test/", "https://A.test", true, true),
        (
            "http://localhost:1/t/v2.0",
            "http://localhost:2/t/v2.0",
            true,
            true,
        ),
        (
            "https://a.test/realms/a",
            "https://a.test/realms/b",
            true,
            false,
        ),
        (
            "https://a.test/{tenant}/v2.0",
            &format!("https://a.test/{ONE}/v2.0"),
            false,
            true,
        ),
        ("https://a.test", "https://a.test.evil.test", false, false),
        ("https://a.test", "https://a.test@evil.test", false, false),
    ] {
        assert_eq!(same(one, other, by_path), is_same, "{one} {other}");
    }
}

#[test]
fn no_preset_is_taken_for_another() {
    let issuer = |id: &str| {
        let provider = Arc::new(Provider::preset(id).unwrap());
        provider.endpoints.issuer().map(str::to_owned)
    };
    let (entra, google) = (issuer("microsoft365").unwrap(), issuer("google").unwrap());
    assert!(!same(&entra, &google, false));
    assert!(same(&entra, &issuer("outlook").unwrap(), false));
    let application = fixture::application("openid");
    let refused = elsewhere(&application, ONE, OTHER);
    assert!(refused.detail.contains(ONE) && refused.detail.contains(OTHER));
}
