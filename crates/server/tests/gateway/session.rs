//! A person at a browser who connects a mailbox.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::Url;

use crate::world::{Answer, ORIGIN, World, tokens};

/// A session that was made for a page.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) path: String,
}

impl Session {
    pub(crate) async fn of(world: &World) -> Self {
        Self::with(world, json!({})).await
    }

    pub(crate) async fn with(world: &World, more: Value) -> Self {
        let mut body = json!({"application": "contoso", "origin": ORIGIN, "user_label": "Anna <b>", "login_hint": "anna@example.com", "metadata": {"user": 7}});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = world.call("POST", "/v1/connect-sessions", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let made = answer.json();
        let url = Url::parse(made["connect_url"].as_str().unwrap()).unwrap();
        assert!(url.path().ends_with(made["client_token"].as_str().unwrap()));
        Self {
            id: made["id"].as_str().unwrap().to_owned(),
            path: url.path().to_owned(),
        }
    }

    /// As the site's backend sees it.
    pub(crate) async fn seen(&self, world: &World) -> Value {
        world
            .call("GET", &format!("/v1/connect-sessions/{}", self.id), None)
            .await
            .json()
    }

    /// As the page sees it.
    pub(crate) async fn standing(&self, world: &World) -> Answer {
        world
            .send(
                "GET",
                &format!("{}/status", self.path),
                &[("origin", ORIGIN)],
                None,
            )
            .await
    }

    /// The click on the site's page: cookie and state.
    pub(crate) async fn click(&self, world: &World) -> (String, String) {
        let answer = world
            .send(
                "GET",
                &self.path,
                &[("referer", "https://app.example.com/")],
                None,
            )
            .await;
        onward(&answer)
    }

    /// The click, and all goes well from there.
    pub(crate) async fn succeed(&self, world: &World) {
        let (cookie, state) = self.click(world).await;
        self.agree(world, &cookie, &state).await;
    }

    /// The authority gives tokens for what the person brings back.
    pub(crate) async fn agree(&self, world: &World, cookie: &str, state: &str) {
        world
            .authority_answers("code=c", 200, tokens("access", Some("refresh")))
            .await;
        self.come_back(world, cookie, &format!("code=c&state={state}"))
            .await;
        assert_eq!(self.seen(world).await["status"], "connected");
    }

    pub(crate) async fn come_back(&self, world: &World, cookie: &str, query: &str) -> Answer {
        world
            .send(
                "GET",
                &format!("/oauth/callback?{query}"),
                &[("cookie", cookie)],
                None,
            )
            .await
    }
}

/// What the page's form has to send.
pub(crate) fn form_token(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text
        .split_once("name=\"form_token\" value=\"")
        .expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn onward(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let url = Url::parse(answer.header("location").unwrap()).unwrap();
    let parameters: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(parameters["response_type"], "code");
    assert_eq!(parameters["code_challenge_method"], "S256");
    (answer.cookie(), parameters["state"].clone())
}
