//! What is wrong with a request is answered with a problem that names it.

use serde_json::{Value, json};

use crate::world::World;

/// Method, path and body; status, code and field of the problem. `NOBODY` is an account that does not exist, `{+…}` a
/// connect session with that member.
const ROWS: &str = r#"
POST /v1/connect-sessions | { | 400 malformed_body
POST /v1/connect-sessions | [] | 422 invalid_field body
POST /v1/connect-sessions | {} | 422 invalid_field application
POST /v1/connect-sessions | {+"orgin": 1} | 422 invalid_field orgin
POST /v1/connect-sessions | {+"origin": 1} | 422 invalid_field origin
POST /v1/connect-sessions | {+"origin": "https://evil.test"} | 422 invalid_field origin
POST /v1/connect-sessions | {+"application": "nobody"} | 422 invalid_field application
POST /v1/connect-sessions | {+"metadata": "x"} | 422 invalid_field metadata
POST /v1/connect-sessions | {+"metadata": {"x": "LONG"}} | 422 invalid_field metadata
POST /v1/connect-sessions | {+"user_label": "a\nb"} | 422 invalid_field user_label
POST /v1/connect-sessions | {+"login_hint": "LONG"} | 422 invalid_field login_hint
POST /v1/connect-sessions | {+"application": "nameless"} | 422 invalid_field login_hint
POST /v1/connect-sessions | {+"mailbox": "nobody"} | 422 invalid_field mailbox
POST /v1/connect-sessions | {+"return_url": "https://evil.test/"} | 422 invalid_field return_url
POST /v1/connect-sessions | {+"return_url": "/relative"} | 422 invalid_field return_url
POST /v1/connect-sessions | {+"return_url": "javascript:alert(1)"} | 422 invalid_field return_url
POST /v1/connect-sessions | {+"return_url": "https://app.example.com@evil.test/"} | 422 invalid_field return_url
POST /v1/connect-sessions | "LONG LONG LONG LONG" | 413 body_too_large
POST /v1/accounts | {"application":"contoso","address":"nobody"} | 422 invalid_field address
POST /v1/accounts | {"application":"nobody","address":"a@b"} | 422 invalid_field application
GET /v1/accounts?limit=0 | | 422 invalid_field limit
GET /v1/accounts?limit=101 | | 422 invalid_field limit
GET /v1/accounts?limit=many | | 422 invalid_field limit
GET /v1/accounts?lmit=1 | | 422 invalid_field lmit
GET /v1/accounts?cursor=x | | 422 invalid_field cursor
GET /v1/accounts?state=happy | | 422 invalid_field state
GET /v1/accounts/nobody | | 404 not_found
GET NOBODY | | 404 not_found
GET NOBODY/mailboxes | | 404 not_found
GET NOBODY/emails | | 404 not_found
GET NOBODY/emails?limit=1000 | | 422 invalid_field limit
GET NOBODY/emails?mailbox=a%0D%0Ab | | 422 invalid_field mailbox
GET NOBODY/emails?from=a%00b | | 422 invalid_field from
GET NOBODY/emails?since=yesterday | | 422 invalid_field since
GET NOBODY/emails?keyword=a%20b | | 422 invalid_field keyword
GET NOBODY/emails?cursor=AAAA | | 422 invalid_field cursor
GET NOBODY/emails/xyz | | 404 not_found
GET NOBODY/emails/xyz/raw | | 404 not_found
PATCH NOBODY | {"disabled":"yes"} | 422 invalid_field disabled
PATCH NOBODY | {} | 404 not_found
DELETE NOBODY | | 404 not_found
GET /v1/connect-sessions/cs_00000000000000000000000000000000 | | 404 not_found
GET /v1/nothing | | 404 not_found
GET /nothing | | 404 not_found
PUT /v1/accounts | {} | 405 method_not_allowed
DELETE /healthz | | 405 method_not_allowed
"#;

#[tokio::test]
async fn every_row_gets_its_problem() {
    let world = World::start().await;
    let key = format!("Bearer {}", world.key);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    for row in ROWS.trim().lines() {
        let [request, body, expected] = row.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        let (method, path) = request.split_once(' ').unwrap();
        let path = path.replace(
            "NOBODY",
            "/v1/accounts/acc_00000000000000000000000000000000",
        );
        let answer = world
            .send(method, &path, &headers, Some(body_of(body)))
            .await;
        let problem = answer.json();
        let mut expected = expected.split(' ');
        assert_eq!(
            answer.status.to_string(),
            expected.next().unwrap(),
            "{row}: {problem}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{row}"
        );
        assert_eq!(problem["status"], answer.status, "{row}");
        assert_eq!(
            problem["code"],
            expected.next().unwrap(),
            "{row}: {problem}"
        );
        if let Some(field) = expected.next() {
            assert_eq!(problem["field"], field, "{row}: {problem}");
        }
    }
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
async fn what_would_do_is_told() {
    let world = World::start().await;
    let answer = world.call("PUT", "/v1/accounts", None).await;
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    let key = format!("Bearer {}", world.key);
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
}

fn body_of(row: &str) -> String {
    let row = row.trim().replace("LONG", &"x".repeat(17_000));
    let Some(member) = row.strip_prefix("{+") else {
        return row;
    };
    let mut body = json!({"application": "contoso", "origin": "https://app.example.com"});
    let more: Value = serde_json::from_str(&format!("{{{member}")).unwrap();
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body.to_string()
}
