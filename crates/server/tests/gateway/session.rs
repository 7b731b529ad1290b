//! A person at a browser who connects a mailbox.

use std::collections::HashMap;

use serde_json::{Value, json};
use url::Url;

use crate::world::{Answer, ORIGIN, World};

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

pub(crate) fn onward(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let url = Url::parse(answer.header("location").unwrap()).unwrap();
    let parameters: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(parameters["response_type"], "code");
    assert_eq!(parameters["code_challenge_method"], "S256");
    (answer.cookie(), parameters["state"].clone())
}
