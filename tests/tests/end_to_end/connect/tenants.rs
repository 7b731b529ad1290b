//! Whose people an application takes: those of one organisation, of any, and personal accounts.

use mailgrant_tests::{
    office::{ADA, ADMIN, CORP, GWEN, Office, Settings},
    person::Person,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn somebody_of_another_organisation_is_told_so() {
    let office = Office::start(Settings::default()).unwrap();
    // Entra mostly says this on its own page; what comes back to the gateway is the refusal of the code.
    let fault = json!({"authority": {"error": 50020, "path": "/token", "times": 1}});
    office.sandbox.control("faults", &fault).await.unwrap();
    let (session, page) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "failed", "{session:#}");
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "person_not_in_tenant", "{session:#}");
    assert_eq!(diagnosis["error_codes"], json!([50020]));
    assert!(
        page.body.contains("The tenant does not know the person"),
        "{}",
        page.body
    );
    office.assert_nothing_kept().await;

    let (session, _) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}");
}

#[tokio::test]
async fn a_persons_tenant_is_asked_from_the_first_sign_in_on() {
    for (registered, address, tenant) in [
        ("organizations", ADA, None),
        ("common", ADA, None),
        ("common", GWEN, Some(PERSONAL)),
        ("consumers", GWEN, Some(PERSONAL)),
    ] {
        let office = multi_tenant(registered).await;
        let tenant = tenant.unwrap_or(office.sandbox.text("/tenant"));
        let (session, page) = office.connect(address, json!({})).await.unwrap();
        assert_eq!(
            session["status"], "connected",
            "{registered}: {session:#}\n{}",
            page.body
        );
        let path = format!("/v1/accounts/{}", session["account_id"].as_str().unwrap());
        let account = office.gateway.get(&path).await.body;
        assert_eq!(account["tenant"], tenant, "{registered}: {account:#}");
        assert_eq!(account["identity"]["tenant_id"], tenant);
        assert_eq!(
            (&account["imap_user"], &account["smtp_user"]),
            (&address.into(), &address.into())
        );

        // Its tokens come from there: where everybody is asked to sign in, nothing answers any more.
        let fault = json!({"authority": {"status": 500, "path": format!("/{registered}/oauth2/v2.0/token")}});
        office.sandbox.control("faults", &fault).await.unwrap();
        for (path, body) in [
            ("expire", json!({"access_tokens": true})),
            ("imap/end", json!({})),
        ] {
            office.sandbox.control(path, &body).await.unwrap();
        }
        let emails = office.gateway.get(&format!("{path}/emails")).await;
        assert_eq!(
            emails.status,
            StatusCode::OK,
            "{registered}: {}",
            emails.text
        );
        let tokens = office.sandbox.requests_of("token").await.unwrap();
        let last = tokens.last().unwrap();
        assert_eq!(
            (&last["grant_type"], &last["outcome"]),
            (&json!("refresh_token"), &json!("ok"))
        );
    }
}

#[tokio::test]
async fn an_operator_takes_people_of_some_tenants_only() {
    let settings = Settings {
        tenant: Some("common"),
        more: "allowed_tenants = [\"7C1E6A52-90D4-4B3F-A6C8-2D5B81F0E943\"]",
        ..Settings::default()
    };
    let office = Office::start(settings).unwrap();
    for_everybody(&office).await;
    let (session, page) = office.connect(GWEN, json!({})).await.unwrap();
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "tenant_not_allowed", "{session:#}");
    assert!(
        diagnosis["detail"].as_str().unwrap().contains(PERSONAL),
        "{session:#}"
    );
    assert!(
        page.body.contains("belongs to another organisation"),
        "{}",
        page.body
    );
    office.assert_nothing_kept().await;
    assert!(
        office
            .sandbox
            .requests_of("imap_login")
            .await
            .unwrap()
            .is_empty()
    );

    let (session, _) = office.connect(ADA, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}");
}

#[tokio::test]
async fn the_administrators_link_leads_to_the_persons_own_tenant() {
    let office = multi_tenant("organizations").await;
    let policy = json!({"require_admin": true});
    office.sandbox.control("consent", &policy).await.unwrap();
    let own = office.sandbox.text("/tenant");
    for (hint, tenant) in [
        (None, "organizations"),
        (Some(ADA), own),
        (Some("ada@elsewhere.test"), "organizations"),
    ] {
        let link = blocked(&office, hint).await;
        assert!(
            link.contains(&format!("/{tenant}/v2.0/adminconsent?")),
            "{hint:?}: {link}"
        );
        let mut administrator = Person::default();
        let page = administrator.open(&link, None).await;
        let page = office.sign_in(&mut administrator, page, ADMIN).await;
        assert!(page.body.contains("Approve for everybody"), "{}", page.body);
    }
}

/// A gateway whose registration takes people of many tenants.
async fn multi_tenant(tenant: &'static str) -> Office {
    let settings = Settings {
        tenant: Some(tenant),
        ..Settings::default()
    };
    let office = Office::start(settings).unwrap();
    for_everybody(&office).await;
    office
}

/// The registration is one for accounts of all kinds.
async fn for_everybody(office: &Office) {
    let audience = json!({"audience": "any_organization_and_personal"});
    office.register(CORP, &audience).await.unwrap();
}

/// The link that Ada is given for her administrator.
async fn blocked(office: &Office, hint: Option<&str>) -> String {
    let mut person = Person::default();
    let hint = hint.map_or_else(|| json!({}), |hint| json!({"login_hint": hint}));
    let (session, page) = office.begin(&mut person, hint).await.unwrap();
    let page = office.sign_in(&mut person, page, ADA).await;
    office.decide(&mut person, page, "decline").await;
    let session: Value = office.gateway.session(&session).await;
    assert_eq!(session["status"], "awaiting_admin_consent", "{session:#}");
    session["admin_consent_url"].as_str().unwrap().to_owned()
}

/// The tenant of all personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
