//! An authority that lets a refresh token be used once, and means it: whoever shows an old one kills the grant.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// The token that was given to the other program.
pub const GIVEN: &str = "refresh-0-given-to-another-program";

pub struct Rotating {
    pub issuer: String,
    state: Arc<Mutex<State>>,
    asked: watch::Sender<usize>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// How often the token has been replaced; `None`: the grant is dead.
    turn: Option<usize>,
    silent: bool,
    forgiving: bool,
    bodies: Vec<String>,
}

impl Rotating {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let issuer = format!("http://localhost:{}", listener.local_addr()?.port());
        let state = Arc::new(Mutex::new(State {
            turn: Some(0),
            ..State::default()
        }));
        let asked = watch::Sender::new(0);
        let (shared, told) = (Arc::clone(&state), asked.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (state, told) = (Arc::clone(&shared), told.clone());
                tokio::spawn(async move {
                    // A client that is killed is what these tests are about.
                    let _ = serve(socket, &state, &told).await;
                });
            }
        });
        Ok(Self {
            issuer,
            state,
            asked,
            accepting,
        })
    }

    /// From now on requests are taken and neither acted on nor answered; or they are again.
    pub fn silence(&self, silent: bool) {
        self.lock().silent = silent;
    }

    /// From now on old tokens stay good, as at Entra.
    pub fn forgive(&self) {
        self.lock().forgiving = true;
    }

    /// Waits for the request of that number, counted from one.
    pub async fn request(&self, number: usize) {
        let mut asked = self.asked.subscribe();
        let arrived = asked.wait_for(|asked| *asked >= number);
        let arrived = tokio::time::timeout(crate::process::PATIENCE, arrived).await;
        arrived.expect("a request in time").unwrap();
    }

    /// How often the token was replaced; `None`: somebody showed an old one.
    pub fn turn(&self) -> Option<usize> {
        self.lock().turn
    }

    /// The bodies of all requests.
    pub fn bodies(&self) -> Vec<String> {
        self.lock().bodies.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Rotating {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    fn answer(&mut self, body: &str) -> (u16, Value) {
        let forms = url::form_urlencoded::parse(body.as_bytes());
        let shown = forms
            .into_iter()
            .find(|(name, _)| name == "refresh_token")
            .map(|(_, token)| token.into_owned());
        let number = shown
            .and_then(|token| token.split('-').nth(1)?.parse::<usize>().ok())
            .filter(|number: &usize| {
                self.turn
                    .is_some_and(|turn| turn == *number || self.forgiving)
            });
        let Some(_) = number else {
            self.turn = None;
            let refused =
                json!({"error": "invalid_grant", "error_description": "the token was used before"});
            return (400, refused);
        };
        let turn = self.turn.map_or(0, |turn| turn + 1);
        self.turn = Some(turn);
        let answer = json!({"token_type": "Bearer", "expires_in": 3600, "scope": "mail offline_access",
            "access_token": format!("access-{turn}"), "refresh_token": format!("refresh-{turn}-by-the-authority")});
        (200, answer)
    }
}

async fn serve(
    socket: TcpStream,
    state: &Mutex<State>,
    asked: &watch::Sender<usize>,
) -> Result<()> {
    let mut stream = BufReader::new(socket);
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        anyhow::ensure!(stream.read_line(&mut line).await? > 0, "closed");
        let lower = line.trim_end().to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if lower.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8(body)?;
    let answer = {
        let mut state = state.lock().unwrap();
        state.bodies.push(body.clone());
        (!state.silent).then(|| state.answer(&body))
    };
    asked.send_modify(|asked| *asked += 1);
    let Some((status, answer)) = answer else {
        return std::future::pending().await;
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    Ok(())
}
