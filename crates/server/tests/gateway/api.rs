//! What every endpoint shares: keys, problems, the description.

use mailgrant_storage::ApiScope;
use serde_json::{Value, json};

use crate::world::World;

/// Method, path, body; then status, code and field of the problem.
type Row<'a> = (&'a str, String, String, u16, &'a str, Option<&'a str>);

#[tokio::test]
async fn health_and_readiness() {
    let world = World::start().await;
    assert_eq!(world.send("GET", "/healthz", &[], None).await.status, 200);
    let ready = world.send("GET", "/readyz", &[], None).await;
    assert_eq!(
        (ready.status, ready.json()),
        (200, json!({"storage": "ok"}))
    );
    world.gateway.stop().await;
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let world = World::start().await;
    for path in [
        "/healthz",
        "/nothing",
        "/v1/accounts",
        "/connect/unknown",
        "/docs",
    ] {
        let answer = world.send("GET", path, &[], None).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .contains("default-src 'none'"),
            "{path}"
        );
        assert!(answer.header("referrer-policy").is_some(), "{path}");
        assert!(
            answer
                .header("x-request-id")
                .is_some_and(|id| id.len() >= 32),
            "{path}"
        );
    }
}

#[tokio::test]
async fn bad_input_gets_a_problem_that_names_the_field() {
    let world = World::start().await;
    let session = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({"application": "contoso", "origin": "https://app.example.com"});
        change(&mut body);
        body.to_string()
    };
    let long = "x".repeat(3000);
    let unknown = format!("/v1/accounts/acc_{}", "0".repeat(32));
    let rows: Vec<Row<'_>> = vec![
        (
            "POST",
            "/v1/connect-sessions".into(),
            "{".into(),
            400,
            "malformed_body",
            None,
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            "[]".into(),
            422,
            "invalid_field",
            Some("body"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            "{}".into(),
            422,
            "invalid_field",
            Some("application"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["orgin"] = 1.into()),
            422,
            "invalid_field",
            Some("orgin"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["origin"] = 1.into()),
            422,
            "invalid_field",
            Some("origin"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["origin"] = "https://evil.test".into()),
            422,
            "invalid_field",
            Some("origin"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["application"] = "nobody".into()),
            422,
            "invalid_field",
            Some("application"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["metadata"] = "x".into()),
            422,
            "invalid_field",
            Some("metadata"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["metadata"] = json!({"x": "y".repeat(17_000)})),
            422,
            "invalid_field",
            Some("metadata"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["user_label"] = "a\nb".into()),
            422,
            "invalid_field",
            Some("user_label"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["login_hint"] = long.as_str().into()),
            422,
            "invalid_field",
            Some("login_hint"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["mailbox"] = "nobody".into()),
            422,
            "invalid_field",
            Some("mailbox"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["return_url"] = "https://evil.test/".into()),
            422,
            "invalid_field",
            Some("return_url"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["return_url"] = "/relative".into()),
            422,
            "invalid_field",
            Some("return_url"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["return_url"] = "javascript:alert(1)".into()),
            422,
            "invalid_field",
            Some("return_url"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            session(&|body| body["return_url"] = "https://app.example.com@evil.test/".into()),
            422,
            "invalid_field",
            Some("return_url"),
        ),
        (
            "POST",
            "/v1/connect-sessions".into(),
            format!("\"{}\"", "x".repeat(70_000)),
            413,
            "body_too_large",
            None,
        ),
        (
            "POST",
            "/v1/accounts".into(),
            r#"{"application":"contoso","address":"nobody"}"#.into(),
            422,
            "invalid_field",
            Some("address"),
        ),
        (
            "POST",
            "/v1/accounts".into(),
            r#"{"application":"nobody","address":"a@b"}"#.into(),
            422,
            "invalid_field",
            Some("application"),
        ),
        (
            "GET",
            "/v1/accounts?limit=0".into(),
            String::new(),
            422,
            "invalid_field",
            Some("limit"),
        ),
        (
            "GET",
            "/v1/accounts?limit=101".into(),
            String::new(),
            422,
            "invalid_field",
            Some("limit"),
        ),
        (
            "GET",
            "/v1/accounts?limit=many".into(),
            String::new(),
            422,
            "invalid_field",
            Some("limit"),
        ),
        (
            "GET",
            "/v1/accounts?lmit=1".into(),
            String::new(),
            422,
            "invalid_field",
            Some("lmit"),
        ),
        (
            "GET",
            "/v1/accounts?cursor=x".into(),
            String::new(),
            422,
            "invalid_field",
            Some("cursor"),
        ),
        (
            "GET",
            "/v1/accounts?state=happy".into(),
            String::new(),
            422,
            "invalid_field",
            Some("state"),
        ),
        (
            "GET",
            "/v1/accounts/nobody".into(),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            unknown.clone(),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            format!("{unknown}/mailboxes"),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            format!("{unknown}/emails"),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            format!("{unknown}/emails?limit=1000"),
            String::new(),
            422,
            "invalid_field",
            Some("limit"),
        ),
        (
            "GET",
            format!("{unknown}/emails?mailbox=a%0D%0Ab"),
            String::new(),
            422,
            "invalid_field",
            Some("mailbox"),
        ),
        (
            "GET",
            format!("{unknown}/emails?from=a%00b"),
            String::new(),
            422,
            "invalid_field",
            Some("from"),
        ),
        (
            "GET",
            format!("{unknown}/emails?since=yesterday"),
            String::new(),
            422,
            "invalid_field",
            Some("since"),
        ),
        (
            "GET",
            format!("{unknown}/emails?keyword=a%20b"),
            String::new(),
            422,
            "invalid_field",
            Some("keyword"),
        ),
        (
            "GET",
            format!("{unknown}/emails?cursor=AAAA"),
            String::new(),
            422,
            "invalid_field",
            Some("cursor"),
        ),
        (
            "GET",
            format!("{unknown}/emails/xyz"),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            format!("{unknown}/emails/xyz/raw"),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "PATCH",
            unknown.clone(),
            r#"{"disabled":"yes"}"#.into(),
            422,
            "invalid_field",
            Some("disabled"),
        ),
        (
            "PATCH",
            unknown.clone(),
            "{}".into(),
            404,
            "not_found",
            None,
        ),
        (
            "DELETE",
            unknown.clone(),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            format!("/v1/connect-sessions/cs_{}", "0".repeat(32)),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "GET",
            "/v1/nothing".into(),
            String::new(),
            404,
            "not_found",
            None,
        ),
        (
            "PUT",
            "/v1/accounts".into(),
            "{}".into(),
            405,
            "method_not_allowed",
            None,
        ),
        (
            "DELETE",
            "/healthz".into(),
            String::new(),
            405,
            "method_not_allowed",
            None,
        ),
    ];
    let key = format!("Bearer {}", world.key);
    for (method, path, body, status, code, field) in rows {
        let headers = [
            ("authorization", key.as_str()),
            ("content-type", "application/json"),
        ];
        let shown: String = body.chars().take(90).collect();
        let answer = world.send(method, &path, &headers, Some(body)).await;
        assert_eq!(
            answer.status,
            status,
            "{method} {path} {shown}: {}",
            answer.text()
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{method} {path}"
        );
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{method} {path} {shown}");
        assert_eq!(problem["status"], status);
        if let Some(field) = field {
            assert_eq!(
                problem["field"], field,
                "{method} {path} {shown}: {problem}"
            );
        }
    }
    let answer = world.call("PUT", "/v1/accounts", None).await;
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    let plain = [
        ("authorization", key.as_str()),
        ("content-type", "text/plain"),
    ];
    let answer = world
        .send("POST", "/v1/connect-sessions", &plain, Some("{}".into()))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (415, &json!("unsupported_media_type"))
    );
    assert!(
        world
            .authority
            .received_requests()
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_key_opens_what_it_is_for_and_nothing_else() {
    let world = World::start().await;
    for header in [
        None,
        Some("Bearer mgk_unknown"),
        Some("Basic abc"),
        Some("Bearer "),
    ] {
        let headers: Vec<_> = header
            .iter()
            .map(|value| ("authorization", *value))
            .collect();
        let answer = world.send("GET", "/v1/accounts", &headers, None).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (401, &json!("unauthenticated")),
            "{header:?}"
        );
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
    }
    let reader = format!(
        "Bearer {}",
        world.new_key("default", &[ApiScope::AccountsRead]).await
    );
    let headers = [
        ("authorization", reader.as_str()),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        world
            .send("GET", "/v1/accounts", &headers, None)
            .await
            .status,
        200
    );
    // What the key may not do is said before the body is looked at.
    for (method, path) in [
        ("POST", "/v1/accounts"),
        ("POST", "/v1/connect-sessions"),
        ("GET", "/v1/accounts/x/emails"),
        ("POST", "/v1/accounts/x/access-token"),
        ("DELETE", "/v1/accounts/x"),
    ] {
        let answer = world.send(method, path, &headers, Some("{".into())).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (403, &json!("insufficient_scope")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn another_sites_things_do_not_exist() {
    let world = World::start().await;
    let account = world.account().await;
    let session = world
        .call(
            "POST",
            "/v1/connect-sessions",
            Some(json!({"application": "contoso", "origin": "https://app.example.com"})),
        )
        .await
        .json();
    let other = format!("Bearer {}", world.new_key("other", ApiScope::ALL).await);
    let headers = [
        ("authorization", other.as_str()),
        ("content-type", "application/json"),
    ];
    for (method, path) in [
        ("GET", format!("/v1/accounts/{account}")),
        ("PATCH", format!("/v1/accounts/{account}")),
        ("DELETE", format!("/v1/accounts/{account}")),
        ("POST", format!("/v1/accounts/{account}/access-token")),
        ("GET", format!("/v1/accounts/{account}/mailboxes")),
        (
            "GET",
            format!("/v1/connect-sessions/{}", session["id"].as_str().unwrap()),
        ),
    ] {
        let answer = world.send(method, &path, &headers, Some("{}".into())).await;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    let list = world
        .send("GET", "/v1/accounts", &headers, None)
        .await
        .json();
    assert_eq!(list["items"], json!([]));
    assert_eq!(
        world
            .call("GET", &format!("/v1/accounts/{account}"), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn lists_are_walked_by_cursor() {
    let world = World::start().await;
    world
        .authority_answers(
            "client_credentials",
            200,
            json!({"access_token": "app", "token_type": "Bearer", "expires_in": 3600}),
        )
        .await;
    for name in ["a", "b", "c"] {
        let body = json!({"application": "contoso", "address": format!("{name}@example.com")});
        let answer = world.call("POST", "/v1/accounts", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.json()["flow"], "app_only");
    }
    let first = world.call("GET", "/v1/accounts?limit=2", None).await;
    let link = first.header("link").unwrap().to_owned();
    assert!(link.ends_with("rel=\"next\""));
    let page = first.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = link
        .trim_start_matches('<')
        .split('>')
        .next()
        .unwrap()
        .to_owned();
    assert!(next.contains(page["next_cursor"].as_str().unwrap()));
    let second = world.call("GET", &next, None).await;
    assert_eq!(second.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (second.header("link"), &second.json()["next_cursor"]),
        (None, &Value::Null)
    );
}

#[tokio::test]
async fn the_same_mailbox_is_not_added_twice_and_can_be_deleted() {
    let world = World::start().await;
    let account = world.account().await;
    world
        .authority_answers(
            "refresh_token=first",
            200,
            super::world::tokens("access-1", None),
        )
        .await;
    let body =
        json!({"application": "contoso", "address": "anna@example.com", "refresh_token": "first"});
    let again = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(
        (again.status, &again.json()["code"]),
        (409, &json!("already_connected"))
    );
    assert_eq!(
        world
            .call("DELETE", &format!("/v1/accounts/{account}"), None)
            .await
            .status,
        204
    );
    assert_eq!(
        world
            .call("GET", &format!("/v1/accounts/{account}"), None)
            .await
            .status,
        404
    );
    assert_eq!(
        world
            .call("DELETE", &format!("/v1/accounts/{account}"), None)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn an_account_is_changed_and_switched_off() {
    let world = World::start().await;
    let path = format!("/v1/accounts/{}", world.account().await);
    let changed = world
        .call(
            "PATCH",
            &path,
            Some(json!({"metadata": {"user": 7}, "disabled": true})),
        )
        .await
        .json();
    assert_eq!(
        (&changed["metadata"], &changed["state"]),
        (&json!({"user": 7}), &json!("disabled"))
    );
    let refused = world
        .call("POST", &format!("{path}/access-token"), None)
        .await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (409, &json!("account_disabled"))
    );
    let changed = world
        .call("PATCH", &path, Some(json!({"disabled": false})))
        .await
        .json();
    assert_eq!(
        (&changed["metadata"], &changed["state"]),
        (&json!({"user": 7}), &json!("connected"))
    );
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
        "/connect/assets/connect.css",
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
