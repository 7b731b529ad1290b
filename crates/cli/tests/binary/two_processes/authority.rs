//! An authority that gives each refresh token's successor once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Ends the grant when a refresh token is used again after its successor was (RFC 9700 §4.14.2). Until then it gives the
/// same successor again, for a client that has not got it. Its access tokens are never good for a second request.
pub(super) struct Authority {
    pub(super) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Seen>,
    arrived: Notify,
    released: Notify,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) refreshes: u32,
    /// The number of the token that was used last.
    used: Option<u32>,
    /// Tokens that were used again.
    pub(super) repeated: u32,
    pub(super) dead: bool,
    /// The next answer waits.
    holds: bool,
}

impl Authority {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &state).await });
            }
        });
        Self { url, state }
    }

    pub(super) fn seen(&self) -> Seen {
        self.state.seen.lock().unwrap().clone()
    }

    pub(super) fn hold(&self) {
        self.state.seen.lock().unwrap().holds = true;
    }

    pub(super) async fn arrived(&self) {
        self.state.arrived.notified().await;
    }

    pub(super) fn release(&self) {
        self.state.released.notify_one();
    }
}

impl State {
    fn refresh(&self, token: &str) -> (u16, Value) {
        let mut seen = self.seen.lock().unwrap();
        seen.refreshes += 1;
        let number = token.strip_prefix("refresh-").and_then(|n| n.parse().ok());
        let Some(number) = number.filter(|_| !seen.dead) else {
            return (400, json!({"error": "invalid_grant"}));
        };
        match seen.used {
            Some(used) if number < used => {
                seen.repeated += 1;
                seen.dead = true;
                return (400, json!({"error": "invalid_grant"}));
            }
            Some(used) if number == used => seen.repeated += 1,
            _ => seen.used = Some(number),
        }
        let answer = json!({
            "access_token": format!("access-{}", seen.refreshes), "token_type": "Bearer", "expires_in": 1,
            "refresh_token": format!("refresh-{}", number + 1), "scope": "mail",
        });
        (200, answer)
    }

    fn takes_hold(&self) -> bool {
        std::mem::take(&mut self.seen.lock().unwrap().holds)
    }
}

/// One request on one connection.
async fn serve(mut stream: TcpStream, state: &State) {
    let Some(form) = form(&mut stream).await else {
        return;
    };
    let (status, answer) = state.refresh(&form["refresh_token"]);
    if state.takes_hold() {
        state.arrived.notify_one();
        state.released.notified().await;
    }
    let answer = answer.to_string();
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn form(stream: &mut TcpStream) -> Option<BTreeMap<String, String>> {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (_, length) = head.split_once("content-length: ")?;
            let length: usize = length.split("\r\n").next()?.parse().ok()?;
            if body.len() >= length {
                let pairs = url::form_urlencoded::parse(body.as_bytes());
                return Some(pairs.into_owned().collect());
            }
        }
        if stream.read_buf(&mut octets).await.ok()? == 0 {
            return None;
        }
    }
}
