//! Persons of several organizations under one registration: each is taken at home, and nowhere else.

use mailgrant_tests::{
    customers::{DORA, FINN, HARROWGATE, RAVENGLASS},
    office::{ADA, CORP, GWEN, Office, Settings},
    person::Person,
    process::mailgrant,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn persons_of_two_organizations_are_asked_about_at_home() {
    for registered in ["organizations", "common"] {
        let office = office(Some(registered), "").await;
        let own = office.sandbox.text("/tenant").to_owned();
        let mut accounts = Vec::new();
        for (address, tenant) in [(ADA, own.as_str()), (DORA, HARROWGATE)] {
            let account = connected(&office, address).await;
            assert_eq!(account["tenant"], tenant, "{registered}: {account:#}");
            assert_eq!(account["identity"]["tenant_id"], tenant);
            assert_eq!(account["imap_user"], address);
            accounts.push(account);
        }
        // From the sign-in on each is asked about at home: what is at home can be broken for one of them alone.
        end_tokens(&office).await;
        for account in &accounts {
            assert_eq!(emails(&office, account).await, StatusCode::OK);
        }
        let tokens = office.sandbox.requests_of("token").await.unwrap();
        let asked = |grant: &str| -> Vec<&str> {
            let of_grant = tokens.iter().filter(|token| token["grant_type"] == grant);
            of_grant
                .map(|token| token["tenant"].as_str().unwrap())
                .collect()
        };
        assert_eq!(asked("authorization_code"), [registered, registered]);
        assert_eq!(asked("refresh_token"), [own.as_str(), HARROWGATE]);
    }
}

#[tokio::test]
async fn an_operator_takes_people_of_two_organizations_and_names_the_third() {
    let more = "allowed_tenants = [\"7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943\", \"2b1f3c60-7d2e-4a55-8c11-90ab54cd7e02\"]";
    let office = office(Some("organizations"), more).await;
    let (session, page) = office.connect(FINN, json!({})).await.unwrap();
    let diagnosis = &session["diagnosis"];
    assert_eq!(diagnosis["code"], "tenant_not_allowed", "{session:#}");
    let detail = diagnosis["detail"].as_str().unwrap();
    assert!(detail.contains(RAVENGLASS), "{detail}");
    assert!(page.body.contains("another organisation"), "{}", page.body);
    office.assert_nothing_kept().await;
    for address in [ADA, DORA] {
        connected(&office, address).await;
    }
    let logins = office.sandbox.requests_of("imap_login").await.unwrap();
    assert!(
        logins.iter().all(|login| login["user"] != FINN),
        "{logins:#?}"
    );
}

#[tokio::test]
async fn a_customer_taken_off_the_list_stops_and_comes_back_with_it() {
    let both = "allowed_tenants = [\"7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943\", \"2b1f3c60-7d2e-4a55-8c11-90ab54cd7e02\"]";
    let one = "allowed_tenants = [\"7c1e6a52-90d4-4b3f-a6c8-2d5b81f0e943\"]";
    let mut office = office(Some("organizations"), both).await;
    let ada = connected(&office, ADA).await;
    let dora = connected(&office, DORA).await;
    let asked = async |office: &Office| {
        let tokens = office.sandbox.requests_of("token").await.unwrap();
        let of_doras = |token: &&Value| token["tenant"] == HARROWGATE;
        tokens.iter().filter(of_doras).count()
    };
    let before = asked(&office).await;

    office.mend(|settings| settings.more = one).unwrap();
    let path = |account: &Value| format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let token = format!("{}/access-token", path(&dora));
    for refused in [
        office.gateway.get(&format!("{}/emails", path(&dora))).await,
        office.gateway.post(&token, &json!({})).await,
    ] {
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
        assert_eq!(refused.body["code"], "tenant_not_allowed");
        let remedy = &refused.body["diagnosis"]["remedy"][0];
        assert!(remedy.as_str().unwrap().contains(HARROWGATE), "{remedy}");
    }
    // The command line beside it says the same, and that it is the operator's turn.
    let typed = mailgrant()
        .args(["token", "--account", DORA, "--config"])
        .arg(&office.gateway.configuration)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&typed.stderr);
    assert_eq!(typed.status.code(), Some(3), "{said}");
    assert!(
        typed.stdout.is_empty() && said.contains("allowed_tenants"),
        "{said}"
    );
    let stopped = look(&office, &dora).await;
    assert_eq!(stopped["state"], "degraded", "{stopped:#}");
    assert_eq!(stopped["diagnosis"]["code"], "tenant_not_allowed");
    assert_eq!(emails(&office, &ada).await, StatusCode::OK);
    assert_eq!(asked(&office).await, before, "nothing was asked");

    office.mend(|settings| settings.more = both).unwrap();
    assert_eq!(emails(&office, &dora).await, StatusCode::OK);
    assert_eq!(look(&office, &dora).await["state"], "connected");
    let events = office.gateway.get("/v1/events").await.body;
    let of_dora: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["account_id"] == dora["id"])
        .map(|event| event["type"].as_str().unwrap())
        .filter(|kind| kind.starts_with("account."))
        .collect();
    assert_eq!(
        of_dora,
        ["account.connected", "account.degraded", "account.recovered"]
    );
}

#[tokio::test]
async fn a_domain_in_the_settings_is_the_tenant_that_the_authority_knows_it_as() {
    let mut office = office(Some("organizations"), "").await;
    let ada = connected(&office, ADA).await;
    let dora = connected(&office, DORA).await;
    office
        .mend(|settings| settings.tenant = Some("harrowgate.test"))
        .unwrap();
    end_tokens(&office).await;
    let path = format!("/v1/accounts/{}/emails", ada["id"].as_str().unwrap());
    let refused = office.gateway.get(&path).await;
    assert_eq!(
        refused.body["code"], "tenant_not_allowed",
        "{}",
        refused.text
    );
    assert_eq!(look(&office, &ada).await["state"], "degraded");
    assert_eq!(emails(&office, &dora).await, StatusCode::OK);
}

#[tokio::test]
async fn the_same_object_id_in_another_organization_is_somebody_else() {
    let office = office(Some("organizations"), "").await;
    let account = connected(&office, DORA).await;
    // Dora leaves; somebody at Ravenglass turns out to have her object id, and even her name.
    let whole = office
        .sandbox
        .look("directory?tenant=harrowgate.test")
        .await;
    let whole = whole.unwrap();
    let people = whole["users"].as_array().unwrap();
    let dora = people.iter().find(|user| user["address"] == DORA).unwrap();
    let path = format!("directory/users/{DORA}?tenant=harrowgate.test");
    office.sandbox.remove(&path).await.unwrap();
    let twin = json!({
        "address": "dora@ravenglass.test",
        "display_name": "Dora Linn",
        "object_id": dora["object_id"],
        "password": dora["password"],
    });
    office
        .sandbox
        .put("directory/users?tenant=ravenglass.test", &twin)
        .await
        .unwrap();
    end_tokens(&office).await;
    assert_eq!(emails(&office, &account).await, StatusCode::CONFLICT);
    let dead = look(&office, &account).await;
    assert_eq!(dead["state"], "reauth_required", "{dead:#}");

    let url = dead["reauth_url"].as_str().unwrap();
    let mut twin = Person::default();
    let page = twin.open(url, None).await;
    let page = twin.submit(&page, &[]).await;
    let page = office
        .sign_in(&mut twin, page, "dora@ravenglass.test")
        .await;
    let page = office.decide(&mut twin, page, "accept").await;
    // She is asked at the account's own tenant, which does not know the other one.
    let refused = ["AADSTS50020", "wrong_person"]
        .iter()
        .any(|name| page.body.contains(name));
    assert!(refused, "{}", page.body);
    assert_eq!(look(&office, &account).await["state"], "reauth_required");
    // By the widget, where everybody may sign in, neither.
    let again = json!({"account": account["id"]});
    let mut twin = Person::default();
    let (session, page) = office.begin(&mut twin, again).await.unwrap();
    let page = office
        .sign_in(&mut twin, page, "dora@ravenglass.test")
        .await;
    office.decide(&mut twin, page, "accept").await;
    let session = office.gateway.session(&session).await;
    assert_ne!(session["status"], "connected", "{session:#}");
    assert_eq!(look(&office, &account).await["state"], "reauth_required");
}

#[tokio::test]
async fn a_stranger_to_a_registration_of_one_organization_is_told_so() {
    let office = office(None, "").await;
    let single = json!({"audience": "my_organization"});
    office.register(CORP, &single).await.unwrap();
    let mut person = Person::default();
    let (session, page) = office.begin(&mut person, json!({})).await.unwrap();
    let page = office.sign_in(&mut person, page, DORA).await;
    assert!(page.body.contains("AADSTS50020"), "{}", page.body);
    // The page lets her try again; Ada, at the same page, gets in.
    let page = office.sign_in(&mut person, page, ADA).await;
    office.decide(&mut person, page, "accept").await;
    let session = office.gateway.session(&session).await;
    assert_eq!(session["status"], "connected", "{session:#}");

    // The same registration under the address for everybody.
    let office = self::office(Some("organizations"), "").await;
    office.register(CORP, &single).await.unwrap();
    let mut person = Person::default();
    let (_, page) = office.begin(&mut person, json!({})).await.unwrap();
    assert!(page.body.contains("AADSTS50194"), "{}", page.body);
}

#[tokio::test]
async fn the_outlook_preset_takes_personal_accounts_and_no_others() {
    let settings = Settings {
        customers: true,
        preset: "outlook",
        tenant: Some("consumers"),
        ..Settings::default()
    };
    let office = Office::start(settings).unwrap();
    let personal = json!({"audience": "personal"});
    office.register(CORP, &personal).await.unwrap();
    let account = connected(&office, GWEN).await;
    assert_eq!(account["tenant"], "9188040d-6c67-4c5b-b112-36a304b66dad");
    end_tokens(&office).await;
    assert_eq!(emails(&office, &account).await, StatusCode::OK);
    let mut person = Person::default();
    let (_, page) = office.begin(&mut person, json!({})).await.unwrap();
    let page = office.sign_in(&mut person, page, DORA).await;
    assert!(page.body.contains("AADSTS500208"), "{}", page.body);
}

/// A gateway whose registration takes people of every organization.
async fn office(tenant: Option<&'static str>, more: &'static str) -> Office {
    let settings = Settings {
        tenant,
        more,
        customers: true,
        ..Settings::default()
    };
    let office = Office::start(settings).unwrap();
    let audience = json!({"audience": "any_organization"});
    office.register(CORP, &audience).await.unwrap();
    office
}

async fn connected(office: &Office, address: &str) -> Value {
    let (session, page) = office.connect(address, json!({})).await.unwrap();
    assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
    look(office, &json!({"id": session["account_id"]})).await
}

async fn look(office: &Office, account: &Value) -> Value {
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    office.gateway.get(&path).await.body
}

async fn emails(office: &Office, account: &Value) -> StatusCode {
    let path = format!("/v1/accounts/{}/emails", account["id"].as_str().unwrap());
    office.gateway.get(&path).await.status
}

/// Access tokens end, and with them the sessions.
async fn end_tokens(office: &Office) {
    for (path, body) in [
        ("expire", json!({"access_tokens": true})),
        ("imap/end", json!({})),
    ] {
        office.sandbox.control(path, &body).await.unwrap();
    }
}
