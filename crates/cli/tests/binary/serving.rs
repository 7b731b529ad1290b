use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::process::{Home, Server, mailgrant};

/// A request over a connection of its own; gives the whole answer.
fn get(url: &str, path: &str) -> String {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn serve(home: &Home) -> Server {
    let mut command = mailgrant();
    command
        .args(["--json", "serve", "--config"])
        .arg(home.path("mailgrant.toml"));
    Server::start(command, home.0.path())
}

#[test]
fn the_gateway_answers_when_the_ready_file_is_there() {
    let home = Home::new();
    let server = serve(&home);
    assert!(get(server.text("gateway"), "/readyz").starts_with("HTTP/1.1 200"));
    let log = server.log();
    for line in log.lines() {
        let object: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            object["timestamp"].is_string() && object["level"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn both_signals_end_it_in_time_and_in_order() {
    for signal in ["-TERM", "-INT"] {
        let home = Home::new();
        let server = serve(&home);
        // Somebody who never finishes a request must not hold the end up.
        let mut idle =
            TcpStream::connect(server.text("gateway").trim_start_matches("http://")).unwrap();
        idle.write_all(b"GET /v1/accounts HTTP/1.1\r\n").unwrap();
        let status = server.end(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(
            !home.path("mailgrant.db-wal").exists(),
            "{signal}: the database was closed in order"
        );
    }
}

#[test]
fn the_sandbox_alone_tells_its_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = mailgrant();
    command
        .args([
            "sandbox",
            "--redirect-uri",
            "http://localhost:9/oauth/callback",
            "--dir",
        ])
        .arg(folder.path().join("s"));
    let server = Server::start(command, folder.path());
    let discovery = format!(
        "/{}/v2.0/.well-known/openid-configuration",
        server.text("tenant")
    );
    let authority = server.text("authority").replace("localhost", "127.0.0.1");
    assert!(get(&authority, &discovery).contains("authorization_endpoint"));
    assert_eq!(
        server.ready["applications"][0]["redirect_uri"],
        "http://localhost:9/oauth/callback"
    );
    assert!(server.ready["imap"]["port"].is_u64());
    assert!(
        std::fs::read_to_string(server.text("ca_file"))
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    let status = server.end("-TERM");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn the_sandbox_in_json_prints_one_object() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = mailgrant();
    command
        .args(["sandbox", "--json", "--dir"])
        .arg(folder.path().join("s"));
    let server = Server::start(command, folder.path());
    let ready = server.ready.clone();
    assert_eq!(server.end("-TERM").code(), Some(0));
    let printed = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    let objects: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert!(objects.contains(&ready), "{printed}");
}
