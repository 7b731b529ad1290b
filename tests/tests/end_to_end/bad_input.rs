//! What cannot be understood is refused by name; what is not the caller's does not exist.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mailgrant_tests::{
    authority::{Authority, Format},
    gateway::{Answer, Configuration, Gateway},
    mail_server::MailServer,
    needs,
    pki::Pki,
    port::free_port,
    stack::{Options, Stack},
};
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_body_that_cannot_be_understood_is_refused_naming_the_field() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    let account = format!("/v1/accounts/{account}");
    let before = stack.gateway.get(&account).await.body;
    let send = |method: &Method, path: &str, body: String| {
        let request = stack.gateway.request(method.clone(), path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        Answer::of(request.body(body))
    };

    for (method, path, table) in [
        (Method::POST, "/v1/connect-sessions", SESSIONS),
        (Method::POST, "/v1/accounts", ACCOUNTS),
        (Method::PATCH, account.as_str(), CHANGES),
    ] {
        for (expected, body) in rows(table) {
            let answer = send(&method, path, body.to_owned()).await;
            assert_problem(&answer, expected, &format!("{method} {path} {body}"));
        }
    }
    for (size, field, expected) in [
        (2049, "user_label", "422 invalid_field user_label"),
        (2049, "return_url", "422 invalid_field return_url"),
        (65536, "user_label", "413 body_too_large -"),
    ] {
        let body = json!({"application": "corp", field: "x".repeat(size)});
        let answer = send(&Method::POST, "/v1/connect-sessions", body.to_string()).await;
        assert_problem(&answer, expected, field);
    }
    let body = json!({"application": "corp", "metadata": {"x": "x".repeat(17_000)}});
    let answer = send(&Method::POST, "/v1/connect-sessions", body.to_string()).await;
    assert_problem(&answer, "422 invalid_field metadata", "large metadata");
    for (name, body) in [
        ("an empty body", String::new()),
        ("deep nesting", "[".repeat(50_000)),
        (
            "deep metadata",
            format!("{{\"metadata\":{}", "[".repeat(50_000)),
        ),
    ] {
        let answer = send(&Method::POST, "/v1/connect-sessions", body).await;
        assert!(answer.status.is_client_error(), "{name}: {}", answer.text);
    }
    let request = stack.gateway.request(Method::POST, "/v1/connect-sessions");
    let form = Answer::of(request.form(&[("application", "corp")])).await;
    assert_problem(&form, "415 unsupported_media_type -", "a form");

    assert_eq!(stack.gateway.get(&account).await.body, before);
}

#[tokio::test]
async fn a_query_that_cannot_be_understood_is_refused_naming_the_parameter() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    let session = stack.gateway.connect_session("bob@corp.test").await;
    let token = session["client_token"].as_str().unwrap();
    for (expected, path) in rows(QUERIES) {
        let path = path
            .replace("{account}", &account)
            .replace("{token}", token);
        let answer = stack.gateway.get(&path).await;
        assert_problem(&answer, expected, &path);
    }
    let wrong = stack.gateway.delete("/v1/accounts").await;
    assert_problem(&wrong, "405 method_not_allowed -", "DELETE /v1/accounts");
    assert_eq!(wrong.headers["allow"], "GET, POST");
}

#[tokio::test]
async fn what_belongs_to_another_site_does_not_exist() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let account = stack.gateway.connect("alice@corp.test").await;
    let session = stack.gateway.connect_session("bob@corp.test").await;
    let session = session["id"].as_str().unwrap();
    let scopes = "connect,accounts:read,accounts:write,mail:read,mail:write,tokens,events";
    let key = ["--scope", scopes, "--site", "other"];
    let key = stack.gateway.create_key(&key).unwrap();
    let inbox = email_id("INBOX", 1, 1);

    for route in [
        "GET /v1/connect-sessions/{session}",
        "GET /v1/accounts/{account}",
        "PATCH /v1/accounts/{account}",
        "POST /v1/accounts/{account}/access-token",
        "GET /v1/accounts/{account}/mailboxes",
        "GET /v1/accounts/{account}/emails",
        "GET /v1/accounts/{account}/emails/{inbox}",
        "GET /v1/accounts/{account}/emails/{inbox}/raw",
        "GET /v1/accounts/{account}/emails/{inbox}/attachments/1",
        "DELETE /v1/accounts/{account}",
    ] {
        let mut seen = Vec::new();
        // One that is another site's, one that never was, one that cannot be.
        for (account, session) in [
            (account.clone(), session.to_owned()),
            (never_given_out(&account), never_given_out(session)),
            ("none".to_owned(), "none".to_owned()),
        ] {
            let route = route
                .replace("{account}", &account)
                .replace("{session}", &session)
                .replace("{inbox}", &inbox);
            let mut request = with_key(&stack.gateway, &key, &route);
            if route.starts_with("PATCH ") {
                request = request.json(&json!({"disabled": true}));
            }
            seen.push(Answer::of(request).await);
        }
        for answer in &seen {
            assert_eq!(answer.status, 404, "{route}: {}", answer.text);
            assert_eq!(answer.text, seen[0].text, "{route}");
        }
    }
    let listed = with_key(&stack.gateway, &key, "GET /v1/accounts");
    assert_eq!(Answer::of(listed).await.body["items"], json!([]));
    let path = format!("/v1/accounts/{account}");
    assert_eq!(stack.gateway.get(&path).await.body["state"], "connected");
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for_until_it_is_revoked() {
    needs!("node", "dovecot");
    let stack = Stack::start(Options::default()).await.unwrap();
    let gateway = &stack.gateway;
    let key = &gateway.key;
    let mut almost = key.clone();
    let last = almost.pop().unwrap();
    almost.push(if last == 'A' { 'B' } else { 'A' });
    for wrong in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer mgk_".to_owned(),
        format!("Basic {key}"),
        format!("Bearer {almost}"),
        format!("Bearer {}", key.to_lowercase()),
        format!("Bearer {key} {key}"),
        "Bearer \u{e4}".to_owned(),
    ] {
        let request = reqwest::Client::new().get(format!("{}/v1/accounts", gateway.url));
        let answer = Answer::of(request.header(header::AUTHORIZATION, &wrong)).await;
        assert_problem(&answer, "401 unauthenticated -", &wrong);
        let asked = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(asked.starts_with("Bearer"), "{asked}");
    }

    let made = gateway.keys(&["create", "--scope", "accounts:read"]);
    let made = made.unwrap();
    let reader = made["secret"].as_str().unwrap();
    let list = || Answer::of(with_key(gateway, reader, "GET /v1/accounts"));
    assert_eq!(list().await.status, StatusCode::OK);
    for route in [
        "POST /v1/connect-sessions",
        "POST /v1/accounts",
        "DELETE /v1/accounts/none",
        "POST /v1/accounts/none/access-token",
        "GET /v1/accounts/none/emails",
        "GET /v1/accounts/none/emails/none/raw",
    ] {
        // The scope is looked at first: neither the body nor the account matters.
        let request = with_key(gateway, reader, route).body("{");
        assert_problem(
            &Answer::of(request).await,
            "403 insufficient_scope -",
            route,
        );
    }

    let id = made["id"].as_str().unwrap();
    gateway.keys(&["revoke", id]).unwrap();
    assert_problem(&list().await, "401 unauthenticated -", "revoked");
    assert_eq!(gateway.get("/v1/accounts").await.status, StatusCode::OK);
}

#[tokio::test]
async fn line_breaks_are_refused_before_anything_reaches_the_mail_server() {
    needs!("node");
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::make(dir.path()).unwrap();
    let mail = MailServer::start(&pki).await.unwrap();
    let (gateway, _authority) = start(dir.path(), &pki, &mail).await;
    let account = gateway.connect("alice@corp.test").await;
    let emails = format!("/v1/accounts/{account}/emails");
    assert_eq!(gateway.get(&emails).await.status, StatusCode::OK);
    let before = mail.lines();
    assert!(before.iter().any(|line| line.contains("EXAMINE")));

    for hostile in ["%0D%0A", "%0A", "%0D", "%00", "%01", "%7F", "%C2%85"] {
        for parameter in [
            "mailbox",
            "from",
            "subject",
            "text",
            "keyword",
            "not_keyword",
        ] {
            let path = format!("{emails}?{parameter}=INBOX{hostile}A9%20DELETE%20Archive");
            let answer = gateway.get(&path).await;
            let expected = format!("422 invalid_field {parameter}");
            assert_problem(&answer, &expected, &path);
        }
    }
    for name in ["INBOX\r\nA9 DELETE Archive", "INBOX\0", "INBOX\n"] {
        for below in ["", "/raw", "/attachments/1"] {
            let path = format!("{emails}/{}{below}", email_id(name, 7, 11));
            assert_problem(&gateway.get(&path).await, "404 not_found -", name);
        }
    }
    assert_eq!(mail.lines(), before, "not one byte more");

    // What only looks like IMAP goes over as the text that it is: no line announces a literal.
    for harmless in ["%22", "%5C", "%7B5%7D", "%22%20DELETED%20SUBJECT%20%22"] {
        let answer = gateway.get(&format!("{emails}?subject={harmless}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{harmless}: {}", answer.text);
    }
    let lines = mail.lines();
    assert!(lines.iter().any(|line| line.contains("SUBJECT \"{5}\"")));
    assert!(
        lines
            .iter()
            .any(|line| line.contains(r#"SUBJECT "\" DELETED"#))
    );
    assert!(
        !lines.iter().any(|line| line.ends_with("}\r\n")),
        "{lines:?}"
    );
}

/// Expected status, code and field (`-` for none), then what is sent.
const SESSIONS: &str = r#"
400 malformed_body - {
400 malformed_body - {"application":"corp"} {}
400 malformed_body - {"application":"corp}
400 malformed_body - {'application':'corp'}
422 invalid_field body []
422 invalid_field body "corp"
422 invalid_field application {}
422 invalid_field application {"application":7}
422 invalid_field application {"application":null}
422 invalid_field application {"application":"nobody"}
422 invalid_field application {"application":"corp","application":"corp"}
422 invalid_field orgin {"application":"corp","orgin":"x"}
422 invalid_field metadata {"application":"corp","metadata":"x"}
422 invalid_field mailbox {"application":"corp","mailbox":"sales"}
422 invalid_field mailbox {"application":"corp","mailbox":"a@b\u0001auth=Bearer x"}
422 invalid_field login_hint {"application":"corp","login_hint":"a\r\nb"}
422 invalid_field login_hint {"application":"corp","login_hint":["a"]}
422 invalid_field user_label {"application":"corp","user_label":" "}
"#;
const ACCOUNTS: &str = r#"
400 malformed_body - {"application"}
422 invalid_field address {"application":"corp"}
422 invalid_field address {"application":"corp","address":"alice"}
422 invalid_field address {"application":"corp","address":"a@b\u0000"}
422 invalid_field address {"application":"daemon","address":"a@b\u0001auth=Bearer x"}
422 invalid_field application {"application":"nobody","address":"a@b"}
422 invalid_field refresh_token {"application":"corp","address":"a@b","refresh_token":5}
422 invalid_field refresh_token {"application":"corp","address":"a@b","refresh_token":""}
422 invalid_field refresh_token {"application":"corp","address":"a@b","refresh_token":"a\nb"}
422 invalid_field state {"application":"corp","address":"a@b","state":"connected"}
"#;
const CHANGES: &str = r#"
400 malformed_body - {"disabled":tru}
422 invalid_field disabled {"disabled":"yes"}
422 invalid_field state {"state":"connected"}
422 invalid_field metadata {"metadata":[1]}
422 invalid_field imap_user {"imap_user":""}
422 invalid_field imap_user {"imap_user":"a@b\u0001auth=Bearer x"}
422 invalid_field smtp_user {"smtp_user":"a\u0000"}
422 invalid_field from {"from":"a@b\r\nBcc: c@d"}
"#;
const QUERIES: &str = "
422 invalid_field limit /v1/accounts/{account}/emails?limit=0
422 invalid_field limit /v1/accounts/{account}/emails?limit=101
422 invalid_field limit /v1/accounts/{account}/emails?limit=-1
422 invalid_field limit /v1/accounts/{account}/emails?limit=ten
422 invalid_field limit /v1/accounts/{account}/emails?limit=
422 invalid_field limit /v1/accounts/{account}/emails?limit=1&limit=2
422 invalid_field offset /v1/accounts/{account}/emails?offset=20
422 invalid_field cursor /v1/accounts/{account}/emails?cursor=
422 invalid_field cursor /v1/accounts/{account}/emails?cursor=e30
422 invalid_field cursor /v1/accounts/{account}/emails?cursor=%00
422 invalid_field since /v1/accounts/{account}/emails?since=yesterday
422 invalid_field before /v1/accounts/{account}/emails?before=2026-13-01
422 invalid_field keyword /v1/accounts/{account}/emails?keyword=a%20b
422 invalid_field not_keyword /v1/accounts/{account}/emails?not_keyword=(x)
422 invalid_field from /v1/accounts/{account}/emails?from=
422 invalid_field mailbox /v1/accounts/{account}/emails?mailbox=
404 not_found mailbox /v1/accounts/{account}/emails?mailbox=Nowhere
404 not_found - /v1/accounts/{account}/emails/AQ
404 not_found - /v1/accounts/{account}/emails/%0D%0A
404 not_found - /v1/accounts/{account}/emails/none/raw
404 not_found - /v1/accounts/{account}/emails/none/attachments/1
422 invalid_field html /v1/accounts/{account}/emails/none?html=purple
422 invalid_field counts /v1/accounts/{account}/mailboxes?counts=perhaps
404 not_found - /v1/accounts/{account}/nothing
422 invalid_field limit /v1/accounts?limit=0
422 invalid_field limit /v1/accounts?limit=4294967296
422 invalid_field cursor /v1/accounts?cursor=!
422 invalid_field state /v1/accounts?state=happy
422 invalid_field page /v1/accounts?page=2
422 invalid_field wait /connect/{token}/status?wait=61
422 invalid_field wait /connect/{token}/status?wait=-1
422 invalid_field weight /connect/{token}/status?weight=1
404 not_found - /connect/mgc_unknown/status
404 not_found - /v2/accounts
";

fn rows(table: &str) -> impl Iterator<Item = (&str, &str)> {
    table.lines().filter(|line| !line.is_empty()).map(|line| {
        let (end, _) = line.match_indices(' ').nth(2).unwrap();
        (&line[..end], &line[end + 1..])
    })
}

/// A problem document (RFC 9457): `STATUS CODE FIELD`, and a detail for people.
fn assert_problem(answer: &Answer, expected: &str, sent: &str) {
    let Value::Object(body) = &answer.body else {
        panic!("{sent}: {} {}", answer.status, answer.text);
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let seen = format!(
        "{} {} {}",
        answer.status.as_u16(),
        answer.code(),
        text("field").unwrap_or("-")
    );
    assert_eq!(seen, expected, "{sent}: {}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(body["status"], answer.status.as_u16(), "{sent}");
    assert!(text("detail").is_some_and(|detail| !detail.is_empty()));
}

/// `GET /path` with another key than the gateway's own.
fn with_key(gateway: &Gateway, key: &str, route: &str) -> RequestBuilder {
    let (method, path) = route.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    reqwest::Client::new()
        .request(method, format!("{}{path}", gateway.url))
        .bearer_auth(key)
}

/// An id of the same form, one digit further on.
fn never_given_out(id: &str) -> String {
    let (rest, last) = id.split_at(id.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

/// As the gateway writes it.
fn email_id(mailbox: &str, uid_validity: u32, uid: u32) -> String {
    let mut bytes = vec![1];
    bytes.extend(uid_validity.to_be_bytes());
    bytes.extend(uid.to_be_bytes());
    bytes.extend(mailbox.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

async fn start(dir: &Path, pki: &Pki, mail: &MailServer) -> (Gateway, Authority) {
    let port = free_port();
    let redirect = Configuration::redirect_uri(port);
    let authority = Authority::start(dir, &dir.join("keys"), &redirect, Format::Jwt, 3600)
        .await
        .unwrap();
    let folder = dir.join("gateway");
    fs::create_dir(&folder).unwrap();
    let gateway = Gateway::start(&Configuration {
        dir: folder,
        port,
        issuer: authority.issuer.clone(),
        client_id: "gateway".to_owned(),
        client_secret: authority.secret.clone(),
        scope: "mail.imap",
        imap_host: "localhost".to_owned(),
        imap_port: mail.port,
        tls: "implicit",
        ca: pki.ca.clone(),
        more: String::new(),
    })
    .unwrap();
    (gateway, authority)
}
