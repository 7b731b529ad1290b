use std::path::Path;
use std::process::Command;

use crate::process::{Server, mailgrant};

fn demo(folder: &Path, temporary: &Path) -> Command {
    let mut command = mailgrant();
    command
        .args(["demo", "--no-open"])
        .current_dir(folder)
        .env("HOME", folder.join("home"))
        .env("TMPDIR", temporary);
    command
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn everything_answers_and_nothing_outside_the_folder_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let mut command = demo(folder.path(), temporary.path());
    command.arg("--dir").arg(folder.path().join("demo"));
    let server = Server::start(command, folder.path());
    for key in [
        "gateway",
        "site",
        "api_key",
        "authority",
        "authority_tls",
        "ca_file",
        "tenant",
        "control",
    ] {
        assert!(!server.text(key).is_empty(), "{key}");
    }
    assert!(server.text("gateway").starts_with("http://localhost:"));
    assert!(
        server.text("site").starts_with("http://127.0.0.1:"),
        "another site than the gateway's"
    );
    for list in ["applications", "users"] {
        assert!(!server.ready[list].as_array().unwrap().is_empty(), "{list}");
    }

    let http = client();
    let ready = http
        .get(format!("{}/readyz", server.text("gateway")))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), 200);
    let accounts = http
        .get(format!("{}/v1/accounts", server.text("gateway")))
        .bearer_auth(server.text("api_key"));
    assert_eq!(accounts.send().await.unwrap().status(), 200);

    assert_eq!(names(folder.path()), ["demo", "ready.json", "server.log"]);
    assert!(names(temporary.path()).is_empty());
    let status = server.end("-INT");
    assert_eq!(status.code(), Some(0));
    assert_eq!(names(&folder.path().join("demo")), ["gateway", "sandbox"]);
}

#[tokio::test]
async fn the_temporary_folder_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let server = Server::start(demo(folder.path(), temporary.path()), folder.path());
    assert_eq!(names(temporary.path()).len(), 1);
    assert_eq!(server.end("-TERM").code(), Some(0));
    assert!(names(temporary.path()).is_empty());
}

#[tokio::test]
async fn a_second_start_in_the_same_folder_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let _ = std::fs::remove_file(folder.path().join("ready.json"));
        let mut command = demo(folder.path(), temporary.path());
        command.arg("--dir").arg(folder.path().join("demo"));
        let server = Server::start(command, folder.path());
        let accounts = format!("{}/v1/accounts", server.text("gateway"));
        keys.push(server.text("api_key").to_owned());
        let answers: Vec<u16> = {
            let mut answers = Vec::new();
            for key in &keys {
                answers.push(
                    client()
                        .get(&accounts)
                        .bearer_auth(key)
                        .send()
                        .await
                        .unwrap()
                        .status()
                        .as_u16(),
                );
            }
            answers
        };
        let expected: &[u16] = if keys.len() == 1 { &[200] } else { &[401, 200] };
        assert_eq!(answers, expected, "the key of the earlier run is revoked");
        assert_eq!(server.end("-TERM").code(), Some(0));
    }
}

#[tokio::test]
async fn the_site_keeps_its_key_and_its_visitors_apart() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let server = Server::start(demo(folder.path(), temporary.path()), folder.path());
    let (site, http) = (server.text("site"), client());

    let nobody = http
        .get(format!("{site}/api/account"))
        .send()
        .await
        .unwrap();
    assert_eq!(nobody.text().await.unwrap(), "null");
    let refused = http.get(format!("{site}/api/emails")).send().await.unwrap();
    assert_eq!(refused.status(), 404);
    assert_eq!(
        refused.json::<serde_json::Value>().await.unwrap()["code"],
        "not_connected"
    );

    let begun = http
        .post(format!("{site}/api/connect-session"))
        .send()
        .await
        .unwrap();
    assert_eq!(begun.status(), 201);
    let cookie = begun.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let policy = begun.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains(server.text("gateway")),
        "{policy}"
    );
    let text = begun.text().await.unwrap();
    assert!(!text.contains(server.text("api_key")));
    let session: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(session["gateway"], server.text("gateway"));
    assert!(
        session["connect_url"]
            .as_str()
            .unwrap()
            .starts_with(server.text("gateway"))
    );

    let path = format!(
        "{site}/api/connect-session/{}",
        session["id"].as_str().unwrap()
    );
    let own = http
        .get(&path)
        .header("cookie", cookie.split(';').next().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(
        own.json::<serde_json::Value>().await.unwrap()["status"],
        "pending"
    );
    assert_eq!(
        http.get(&path).send().await.unwrap().status(),
        404,
        "somebody else's"
    );

    let without_script = http.get(format!("{site}/connect")).send().await.unwrap();
    assert_eq!(without_script.status(), 303);
    assert!(
        without_script.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with(server.text("gateway"))
    );
}

#[tokio::test]
async fn the_site_answers_to_its_own_name_and_pages_only() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let server = Server::start(demo(folder.path(), temporary.path()), folder.path());
    let (site, http) = (server.text("site"), client());
    let rebound = http
        .get(format!("{site}/api/demo"))
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(rebound.status(), 421);
    let foreign = http
        .post(format!("{site}/api/disconnect"))
        .header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let own = http
        .post(format!("{site}/api/disconnect"))
        .header("origin", site);
    assert_eq!(own.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn an_application_of_two_organizations_and_shared_mailboxes_are_there_without_editing() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let server = Server::start(demo(folder.path(), temporary.path()), folder.path());
    let customer = &server.ready["organizations"][0];
    let tenant = customer["domains"][0].as_str().unwrap();
    let shared = |organization: &serde_json::Value| {
        let address = organization["shared_mailboxes"][0]["address"].as_str();
        address.unwrap().to_owned()
    };
    let (here, there) = (shared(&server.ready), shared(customer));
    let add = async |body: serde_json::Value| {
        let request = client()
            .post(format!("{}/v1/accounts", server.text("gateway")))
            .bearer_auth(server.text("api_key"))
            .json(&body);
        let answer = request.send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<serde_json::Value>().await.unwrap(),
        )
    };
    let body = serde_json::json!({"application": "app_only", "address": here});
    let (status, own) = add(body).await;
    assert_eq!(
        (status, &own["state"]),
        (201, &"connected".into()),
        "{own:#}"
    );
    let body = serde_json::json!({"application": "customers", "address": there, "tenant": tenant});
    let (status, theirs) = add(body).await;
    assert_eq!(
        (status, &theirs["state"]),
        (201, &"connected".into()),
        "{theirs:#}"
    );
    assert_ne!(own["tenant"], theirs["tenant"]);
    // What the customer did not open to the application stays shut.
    let person = &customer["users"][0]["address"];
    let body = serde_json::json!({"application": "customers", "address": person, "tenant": tenant});
    let (status, refused) = add(body).await;
    assert_eq!(
        (status, &refused["diagnosis"]["code"]),
        (409, &"mailbox_permission_missing".into()),
        "{refused:#}"
    );

    // The page tells of all this, and asks for a shared mailbox by name.
    let (site, http) = (server.text("site"), client());
    let told = http.get(format!("{site}/api/demo")).send().await.unwrap();
    let told: serde_json::Value = told.json().await.unwrap();
    let organizations = told["organizations"].as_array().unwrap();
    let names: Vec<&str> = organizations
        .iter()
        .map(|organization| organization["display_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Tarnbrook Instruments",
            "Fernhollow Press",
            "With an account of their own"
        ]
    );
    assert_eq!(shared(&organizations[1]), there);
    let begun = http
        .post(format!("{site}/api/connect-session?mailbox={there}"))
        .send()
        .await
        .unwrap();
    let begun: serde_json::Value = begun.json().await.unwrap();
    let page = http
        .get(begun["connect_url"].as_str().unwrap())
        .send()
        .await;
    assert!(page.unwrap().text().await.unwrap().contains(&there));
    let wrong = http
        .post(format!("{site}/api/connect-session?mailbox=nobody"))
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 422);
}

fn client() -> reqwest::Client {
    mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap()
}
