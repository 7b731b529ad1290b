//! The cmdlets of Microsoft Graph PowerShell.

use serde_json::{Value, json};

use super::{EXCHANGE, IMAP_ROLE, SCOPE, error, run, text};
use crate::support::*;

#[actix_web::test]
async fn graph_grants_and_withdraws_permissions() {
    let world = World::start().await;
    let principal = |app_id: &'static str| {
        let world = &world;
        async move {
            let filter = format!("appId eq '{app_id}'");
            text(
                &run(world, "Get-MgServicePrincipal", json!({"Filter": filter})).await[0],
                "Id",
            )
        }
    };
    let (application, exchange) = (principal(NO_ROLES).await, principal(EXCHANGE).await);
    let give = json!({"ServicePrincipalId": application, "PrincipalId": application, "ResourceId": exchange,
        "AppRoleId": IMAP_ROLE});
    let given = run(
        &world,
        "New-MgServicePrincipalAppRoleAssignment",
        give.clone(),
    )
    .await;
    assert_eq!(
        given[0]["ResourceDisplayName"],
        "Office 365 Exchange Online"
    );
    let roles = async || {
        let answer = world.client_credentials(NO_ROLES, SCOPE).await.ok();
        claims(&answer["access_token"])["roles"].clone()
    };
    assert_eq!(roles().await, json!(["IMAP.AccessAsApp"]));
    let twice = error(
        &world,
        "New-MgServicePrincipalAppRoleAssignment",
        give.clone(),
    )
    .await;
    assert!(twice.contains("already exists"), "{twice}");
    for (key, value, expected) in [
        ("AppRoleId", NO_ROLES, "not found on application"),
        ("ResourceId", NO_ROLES, "Request_ResourceNotFound"),
        ("ServicePrincipalId", NO_ROLES, "Request_ResourceNotFound"),
    ] {
        let mut wrong = give.clone();
        wrong[key] = json!(value);
        let written = error(&world, "New-MgServicePrincipalAppRoleAssignment", wrong).await;
        assert!(written.contains(expected), "{key}: {written}");
    }
    let listed = run(
        &world,
        "Get-MgServicePrincipalAppRoleAssignment",
        json!({"ServicePrincipalId": application}),
    )
    .await;
    assert_eq!(listed, given);
    let take = json!({"ServicePrincipalId": application, "AppRoleAssignmentId": given[0]["Id"]});
    run(&world, "Remove-MgServicePrincipalAppRoleAssignment", take).await;
    assert_eq!(roles().await, Value::Null);

    let (client, graph) = (
        principal(DELEGATED).await,
        principal("00000003-0000-0000-c000-000000000000").await,
    );
    let grant = json!({"ClientId": client, "ConsentType": "AllPrincipals", "ResourceId": exchange,
        "Scope": "IMAP.AccessAsUser.All"});
    let id = text(
        &run(&world, "New-MgOauth2PermissionGrant", grant.clone()).await[0],
        "Id",
    );
    let twice = error(&world, "New-MgOauth2PermissionGrant", grant).await;
    assert!(twice.contains("Permission entry already exists"), "{twice}");
    run(
        &world,
        "Update-MgOauth2PermissionGrant",
        json!({"OAuth2PermissionGrantId": id, "Scope": "SMTP.Send IMAP.AccessAsUser.All"}),
    )
    .await;
    let identity = json!({"ClientId": client, "ConsentType": "AllPrincipals", "ResourceId": graph,
        "Scope": "openid profile email offline_access"});
    run(&world, "New-MgOauth2PermissionGrant", identity).await;
    let filter = format!("clientId eq '{client}'");
    let listed = run(
        &world,
        "Get-MgOauth2PermissionGrant",
        json!({"Filter": filter}),
    )
    .await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["Scope"], "IMAP.AccessAsUser.All SMTP.Send");
    // Nobody is asked any more.
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, BRUNO).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
    run(
        &world,
        "Remove-MgOauth2PermissionGrant",
        json!({"OAuth2PermissionGrantId": id}),
    )
    .await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, BRUNO).await;
    assert!(answer.html.contains("Permissions requested"), "{answer:?}");
    let own = json!({"ClientId": client, "ConsentType": "Principal", "ResourceId": exchange,
        "PrincipalId": world.running.directory().tenant().user(BRUNO).unwrap().object_id,
        "Scope": "IMAP.AccessAsUser.All"});
    run(&world, "New-MgOauth2PermissionGrant", own).await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, BRUNO).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
}

#[actix_web::test]
async fn secrets_and_people_change() {
    let world = World::start().await;
    let filter = format!("appId eq '{APP_ONLY}'");
    let registration = text(
        &run(&world, "Get-MgApplication", json!({"Filter": filter})).await[0],
        "Id",
    );
    let by_client_id = error(
        &world,
        "Get-MgApplication",
        json!({"ApplicationId": APP_ONLY}),
    )
    .await;
    assert!(
        by_client_id.contains("Request_ResourceNotFound"),
        "{by_client_id}"
    );
    let add = |end: &str| json!({"ApplicationId": registration, "PasswordCredential": {"displayName": "n", "endDateTime": end}});
    let late = run(
        &world,
        "Add-MgApplicationPassword",
        add("2027-01-01T00:00:00Z"),
    )
    .await;
    assert_eq!(late[0]["EndDateTime"], "2027-01-01T00:00:00Z");
    let form = |secret: &str| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", APP_ONLY),
            ("scope", SCOPE),
        ]
        .into_iter()
        .map(|(key, value)| (key, value.to_owned()))
        .chain([("client_secret", secret.to_owned())])
        .collect::<Vec<_>>()
    };
    let token = |secret: String| {
        let world = &world;
        let form = form(&secret);
        async move {
            let form: Vec<(&str, &str)> = form
                .iter()
                .map(|(key, value)| (*key, value.as_str()))
                .collect();
            world.token(&form).await
        }
    };
    assert_eq!(
        token(text(&late[0], "SecretText")).await.refusal().0,
        7_000_222
    );
    let good = run(
        &world,
        "Add-MgApplicationPassword",
        json!({"ApplicationId": registration}),
    )
    .await;
    token(text(&good[0], "SecretText")).await.ok();
    let shown = run(
        &world,
        "Get-MgApplication",
        json!({"ApplicationId": registration}),
    )
    .await;
    assert_eq!(shown[0]["PasswordCredentials"].as_array().unwrap().len(), 3);
    assert!(!shown[0].to_string().contains(&text(&good[0], "SecretText")));
    let take = json!({"ApplicationId": registration, "KeyId": good[0]["KeyId"]});
    run(&world, "Remove-MgApplicationPassword", take.clone()).await;
    assert_eq!(
        token(text(&good[0], "SecretText")).await.refusal().0,
        7_000_215
    );
    error(&world, "Remove-MgApplicationPassword", take).await;
    let soon = error(&world, "Add-MgApplicationPassword", add("soon")).await;
    assert!(soon.contains("endDateTime"), "{soon}");

    let tokens = world.connected().await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let revoked = run(&world, "Revoke-MgUserSignInSession", json!({"UserId": ADA})).await;
    assert_eq!(revoked[0]["Value"], true);
    assert_eq!(world.refresh(refresh_token, &[]).await.refusal().0, 50173);
    run(
        &world,
        "Update-MgUser",
        json!({"UserId": ADA, "AccountEnabled": false, "PasswordProfile": {"Password": "another"}}),
    )
    .await;
    {
        let tenant = world.running.directory().tenant();
        let ada = tenant.user(ADA).unwrap();
        assert!(!ada.enabled && ada.password.expose() == "another");
    }
    let nobody = error(&world, "Update-MgUser", json!({"UserId": "x@y.test"})).await;
    assert!(nobody.contains("Request_ResourceNotFound"), "{nobody}");
}

#[actix_web::test]
async fn certificates_are_replaced_as_a_whole_and_kept_by_their_id() {
    let world = World::start().await;
    let made = run(
        &world,
        "New-MgApplication",
        json!({"DisplayName": "Signer"}),
    )
    .await;
    let id = text(&made[0], "Id");
    let certificate = || {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let made = rcgen::CertificateParams::default()
            .self_signed(&key)
            .unwrap();
        let pem = made.pem();
        pem.lines()
            .filter(|line| !line.starts_with("---"))
            .collect::<String>()
    };
    let key = |name: &str, base64: &str| json!({"displayName": name, "type": "AsymmetricX509Cert", "usage": "Verify", "key": base64});
    let registered = async || {
        let found = run(
            &world,
            "Get-MgApplication",
            json!({"ApplicationId": id, "Property": ["Id", "KeyCredentials"]}),
        )
        .await;
        found[0]["KeyCredentials"].as_array().unwrap().clone()
    };
    let set = async |keys: Value| {
        run(
            &world,
            "Update-MgApplication",
            json!({"ApplicationId": id, "KeyCredentials": keys}),
        )
        .await
    };
    let (first, second) = (certificate(), certificate());
    set(json!([key("first", &first)])).await;
    let keys = registered().await;
    assert_eq!(
        (&keys[0]["DisplayName"], &keys[0]["Key"]),
        (&json!("first"), &json!(first))
    );

    // Not asked for by name, the certificate itself is not shown; its id is enough to keep it.
    let shown = run(&world, "Get-MgApplication", json!({"ApplicationId": id})).await;
    let mut kept = shown[0]["KeyCredentials"][0].clone();
    assert_eq!(kept["Key"], Value::Null);
    set(json!([kept.clone(), key("second", &second)])).await;
    let names: Vec<String> = registered()
        .await
        .iter()
        .map(|key| text(key, "DisplayName"))
        .collect();
    assert_eq!(names, ["first", "second"]);
    set(json!([key("second", &second)])).await;
    assert_eq!(registered().await.len(), 1, "what is not given is gone");

    kept["KeyId"] = json!("00000000-0000-0000-0000-000000000000");
    for (wrong, expected) in [
        (kept, "A value is required for property 'key'"),
        (key("no certificate", "AAAA"), "not a certificate"),
        (
            json!({"type": "Symmetric", "usage": "Sign", "key": second}),
            "keyCredentials",
        ),
    ] {
        let update = json!({"ApplicationId": id, "KeyCredentials": [wrong]});
        let written = error(&world, "Update-MgApplication", update).await;
        assert!(written.contains(expected), "{written}");
    }
}

#[actix_web::test]
async fn federated_credentials_are_added_listed_and_removed() {
    let world = World::start().await;
    let made = run(
        &world,
        "New-MgApplication",
        json!({"DisplayName": "Workload"}),
    )
    .await;
    let id = text(&made[0], "Id");
    let wanted = json!({"ApplicationId": id, "Name": "gateway", "Issuer": "https://issuer.test",
        "Subject": "system:serviceaccount:mail:gateway", "Audiences": ["api://AzureADTokenExchange"]});
    let name = "MgApplicationFederatedIdentityCredential";
    let added = run(&world, &format!("New-{name}"), wanted.clone()).await;
    assert_eq!(added[0]["Audiences"], wanted["Audiences"]);
    let twice = error(&world, &format!("New-{name}"), wanted.clone()).await;
    assert!(twice.contains("already exists"), "{twice}");
    let mut several = wanted;
    several["Audiences"] = json!(["a", "b"]);
    let refused = error(&world, &format!("New-{name}"), several).await;
    assert!(refused.contains("exactly one"), "{refused}");
    let listed = run(&world, &format!("Get-{name}"), json!({"ApplicationId": id})).await;
    assert_eq!(listed, added);
    let gone = json!({"ApplicationId": id, "FederatedIdentityCredentialId": added[0]["Id"]});
    run(&world, &format!("Remove-{name}"), gone.clone()).await;
    assert!(
        run(&world, &format!("Get-{name}"), json!({"ApplicationId": id}))
            .await
            .is_empty()
    );
    error(&world, &format!("Remove-{name}"), gone).await;
}
