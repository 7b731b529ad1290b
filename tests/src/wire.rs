//! What a gateway sends to its authority, written down on the way: a plain HTTP proxy (RFC 9112 §3.2.2) that a process
//! is pointed to by `http_proxy`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::process::PATIENCE;

/// Runs until it is dropped with its runtime.
pub struct Wire {
    /// For `http_proxy`.
    pub url: String,
    seen: Arc<Mutex<VecDeque<Request>>>,
    arrivals: Arc<Notify>,
}

/// A form that was posted.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// The scheme of the `Authorization` header.
    pub authorization: Option<String>,
    pub form: Vec<(String, String)>,
}

impl Wire {
    pub async fn tap() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Mutex::new(VecDeque::new()));
        let arrivals = Arc::new(Notify::new());
        let log = (Arc::clone(&seen), Arc::clone(&arrivals));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, arrivals) = log.clone();
                tokio::spawn(async move {
                    if let Err(error) = pass(stream, &seen, &arrivals).await {
                        eprintln!("the tapped wire: {error:#}");
                    }
                });
            }
        });
        Ok(Self {
            url,
            seen,
            arrivals,
        })
    }

    /// The next token request of that grant type; waits for it. Those before it are forgotten.
    pub async fn token_request(&self, grant_type: &str) -> Request {
        let next = async {
            loop {
                let arrival = self.arrivals.notified();
                while let Some(request) = self.pop() {
                    if request.value("grant_type") == Some(grant_type) {
                        return request;
                    }
                }
                arrival.await;
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .unwrap_or_else(|_| panic!("no {grant_type} request in time"))
    }

    fn pop(&self) -> Option<Request> {
        self.seen.lock().unwrap().pop_front()
    }
}

impl Request {
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.form.iter().find(|(each, _)| each == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parts of the client's (or the service account's) JWT, its signature not checked.
    pub fn assertion(&self) -> Option<(Value, Value)> {
        let token = self
            .value("client_assertion")
            .or_else(|| self.value("assertion"))?;
        let mut parts = token.split('.').map(|part| {
            let part = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&part).ok()
        });
        Some((parts.next()??, parts.next()??))
    }

    /// One line without a secret: what the client showed, in the order of the body.
    pub fn shown(&self) -> String {
        let mut words = Vec::new();
        if let Some(scheme) = &self.authorization {
            words.push(format!("Authorization: {scheme} …;"));
        }
        for (name, value) in &self.form {
            words.push(match name.as_str() {
                "grant_type" | "client_id" | "scope" | "client_assertion_type" => {
                    format!(
                        "{name}={}",
                        value
                            .rsplit(':')
                            .next()
                            .filter(|_| value.starts_with("urn:"))
                            .unwrap_or(value)
                    )
                }
                "client_assertion" | "assertion" => self.shown_assertion(name),
                _ => format!("{name}=…"),
            });
        }
        words.join(" ")
    }

    fn shown_assertion(&self, name: &str) -> String {
        let Some((header, claims)) = self.assertion() else {
            return format!("{name}=?");
        };
        let keys = |object: &Value| -> String {
            let object = object.as_object();
            let names = object.into_iter().flat_map(|object| object.keys());
            names.cloned().collect::<Vec<_>>().join(",")
        };
        let algorithm = header["alg"].as_str().unwrap_or("?");
        format!(
            "{name}={algorithm}{{{}}}.{{{}}}.…",
            keys(&header),
            keys(&claims)
        )
    }
}

/// One request and its answer; the connection ends with it.
async fn pass(
    mut client: TcpStream,
    seen: &Mutex<VecDeque<Request>>,
    arrivals: &Notify,
) -> Result<()> {
    let mut head = Vec::new();
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        anyhow::ensure!(head.len() < LIMIT, "a head without an end");
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let mut body = head.split_off(end);
    let head = String::from_utf8(head)?;
    let mut lines = head.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let url = url::Url::parse(target).with_context(|| format!("not for a proxy: {first}"))?;
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(": ")).collect();
    let header = |name: &str| {
        let found = headers
            .iter()
            .find(|(each, _)| each.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    };
    let length = header("content-length").map_or(Ok(0), str::parse::<usize>)?;
    anyhow::ensure!(length < LIMIT, "a body of {length} octets");
    while body.len() < length {
        anyhow::ensure!(client.read_buf(&mut body).await? > 0, "cut short");
    }

    if url.path().ends_with("/token") {
        seen.lock().unwrap().push_back(Request {
            path: url.path().to_owned(),
            authorization: header("authorization")
                .and_then(|value| value.split(' ').next())
                .map(str::to_owned),
            form: url::form_urlencoded::parse(&body).into_owned().collect(),
        });
        arrivals.notify_one();
    }

    let mut server = TcpStream::connect((
        url.host_str().context("no host")?,
        url.port_or_known_default().context("no port")?,
    ))
    .await?;
    let path = &target[target.find(url.path()).unwrap_or_default()..];
    let mut sent = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in &headers {
        if !name.eq_ignore_ascii_case("connection")
            && !name.to_ascii_lowercase().starts_with("proxy-")
        {
            sent.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    sent.push_str("\r\n");
    server.write_all(sent.as_bytes()).await?;
    server.write_all(&body).await?;
    tokio::io::copy(&mut server, &mut client).await?;
    client.shutdown().await?;
    Ok(())
}

const LIMIT: usize = 1 << 20;
