//! The gateway as a whole: its description, its files, its end.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_description_lists_the_words_that_there_are() {
    let world = World::start().await;
    let api = world.send("GET", "/openapi.json", &[], None).await.json();
    let schemas = &api["components"]["schemas"];
    let words = |schema: &str, property: &str, of: &str| {
        let listed = schemas[schema]["properties"][property][of].as_array();
        let listed = listed.unwrap_or_else(|| panic!("{schema}.{property} has no {of}"));
        listed
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(words("Account", "state", "enum").contains(&"reauth_required".to_owned()));
    assert_eq!(words("Account", "flow", "enum"), ["delegated", "app_only"]);
    assert!(words("Credential", "kind", "enum").contains(&"federated".to_owned()));
    assert!(
        words("ConnectSession", "status", "enum").contains(&"awaiting_admin_consent".to_owned())
    );
    assert!(words("Standing", "status", "enum").contains(&"given_up".to_owned()));
    // There will be more kinds of events; a client made from a closed list would break.
    assert!(words("Event", "type", "examples").contains(&"credential.expiring".to_owned()));
    assert!(schemas["Event"]["properties"]["type"]["enum"].is_null());
    for schema in [
        "Event",
        "NewAccountBody",
        "NewSession",
        "TokenView",
        "Change",
    ] {
        assert!(schemas[schema]["example"].is_object(), "{schema}");
    }
}

#[tokio::test]
async fn the_description_is_complete() {
    let world = World::start().await;
    let api = world.send("GET", "/openapi.json", &[], None).await.json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = api["paths"].as_object().unwrap();
    for path in [
        "/v1/connect-sessions",
        "/v1/accounts/{account}/emails/{email}/attachments/{part}",
        "/connect/{client_token}/status",
        "/oauth/callback",
        "/readyz",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|responses| !responses.is_empty()),
                "{method} {path}"
            );
            if path.starts_with("/v1") {
                assert_eq!(
                    operation["security"][0]["api_key"]
                        .as_array()
                        .unwrap()
                        .len(),
                    1,
                    "{method} {path}"
                );
                let problem = &operation["responses"]["4XX"]["content"]["application/problem+json"]
                    ["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/Problem", "{method} {path}");
            }
        }
    }
    // Every reference leads somewhere.
    let text = api.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
    for file in [
        "/docs",
        "/docs/assets/docs.js",
        "/docs/assets/docs.css",
        "/docs/assets/icon.svg",
        "/connect/assets/connect.css",
        "/connect/assets/icon.svg",
        "/connect/assets/result.js",
    ] {
        assert_eq!(
            world.send("GET", file, &[], None).await.status,
            200,
            "{file}"
        );
    }
    assert_eq!(
        world
            .send("GET", "/docs/assets/..%2findex.html", &[], None)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn stopping_does_not_wait_for_those_who_wait() {
    let world = World::start().await;
    let session = world
        .call(
            "POST",
            "/v1/connect-sessions",
            Some(json!({"application": "contoso", "origin": "https://app.example.com"})),
        )
        .await
        .json();
    let url = format!(
        "{}connect/{}/status?wait=60",
        world.gateway.url(),
        session["client_token"].as_str().unwrap()
    );
    let http = mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap();
    let waiting = tokio::spawn(async move { http.get(url).send().await });
    tokio::task::yield_now().await;
    world.send("GET", "/healthz", &[], None).await;
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(5), world.gateway.stop());
    stopped.await.expect("stopped within five seconds");
    // Answered or cut, but not left hanging.
    let _ = waiting.await.unwrap();
}
