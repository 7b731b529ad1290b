//! The way back: a link for whoever connected an account, and a connect session that mends it.

use serde_json::{Value, json};
use url::Url;

use crate::{
    session::{Session, form_token, onward},
    world::{Answer, ORIGIN, World, tokens},
};

#[tokio::test]
async fn opening_the_link_changes_nothing_and_the_answer_mends_the_account() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    // Mail programs look, preview and scan; a click on the site's page comes with its origin.
    for headers in [vec![], vec![("referer", "https://app.example.com/")]] {
        let page = world.send("GET", &dead.link, &headers, None).await;
        assert_eq!(page.status, 200, "{}", page.text());
        for text in ["anna@example.com", "Corp", "Sign in again"] {
            assert!(page.text().contains(text), "{text}: {}", page.text());
        }
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    assert_eq!(sessions(&world).await, 0);
    assert_eq!(dead.account(&world).await["state"], "reauth_required");

    let answer = dead.answer(&world).await;
    let location = answer.header("location").unwrap();
    assert!(
        location.contains("login_hint=anna%40example.com"),
        "{location}"
    );
    assert_eq!(sessions(&world).await, 1);
    let page = come_back(&world, &answer, "code").await;
    assert!(
        page.text().contains("The mailbox works again"),
        "{}",
        page.text()
    );

    let account = dead.account(&world).await;
    assert_eq!(account["state"], "connected", "{account:#}");
    assert_eq!(
        (&account["diagnosis"], &account["reauth_url"]),
        (&Value::Null, &Value::Null)
    );
    let token = world
        .call("POST", &format!("{}/access-token", dead.path), None)
        .await;
    assert_eq!(token.json()["access_token"], "renewed", "{}", token.text());
    let emails = world
        .call("GET", &format!("{}/emails", dead.path), None)
        .await;
    assert_eq!(emails.status, 200, "{}", emails.text());
    assert_eq!(
        world.send("GET", &dead.link, &[], None).await.status,
        404,
        "it has served"
    );
}

#[tokio::test]
async fn the_person_is_told_which_of_the_sites_it_is_for() {
    let world = World::start().await;
    world
        .authority_answers("code=first", 200, tokens("access", Some("second")))
        .await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    let query = format!("code=first&state={state}");
    session.come_back(&world, &cookie, &query).await;
    let id = session.seen(&world).await["account_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let dead = Dead::become_of(&world, id).await;
    let page = world.send("GET", &dead.link, &[], None).await.text();
    assert!(
        page.contains("<dt>Site</dt><dd>https://app.example.com</dd>"),
        "{page}"
    );
}

#[tokio::test]
async fn a_link_that_is_not_good_tells_nothing() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    let answer = dead.answer(&world).await;
    come_back(&world, &answer, "code").await;
    let void = world.send("GET", &dead.link, &[], None).await;
    let unknown = format!("/reauth/{}", "A".repeat(43));
    for path in [unknown.as_str(), "/reauth/x", "/reauth/mgc_%00%20"] {
        let page = world.send("GET", path, &[], None).await;
        assert_eq!((page.status, page.text()), (404, void.text()), "{path}");
        assert_eq!(page.header("set-cookie"), None);
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    let posted = world
        .send("POST", &dead.link, &[form], Some("form_token=x".to_owned()))
        .await;
    assert_eq!((posted.status, posted.text()), (404, void.text()));
}

#[tokio::test]
async fn only_the_page_of_this_browser_goes_on_and_not_without_end() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    let page = world.send("GET", &dead.link, &[], None).await;
    let (cookie, token) = (page.cookie(), form_token(&page));
    let form = ("content-type", "application/x-www-form-urlencoded");
    let body = |token: &str| Some(format!("form_token={token}"));
    for (headers, body) in [
        (vec![form], body(&token)),
        (vec![form, ("cookie", cookie.as_str())], body("0")),
        (vec![form, ("cookie", cookie.as_str())], None),
        (
            vec![form, ("cookie", &cookie), ("origin", "https://evil.test")],
            body(&token),
        ),
        (
            vec![form, ("cookie", &cookie), ("sec-fetch-site", "cross-site")],
            body(&token),
        ),
    ] {
        let answer = world.send("POST", &dead.link, &headers, body).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    assert_eq!(sessions(&world).await, 0);

    let headers = [form, ("cookie", cookie.as_str())];
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(
            world
                .send("POST", &dead.link, &headers, body(&token))
                .await
                .status,
        );
    }
    assert_eq!(statuses, [[303; 10].as_slice(), &[429; 2]].concat());
    assert_eq!(sessions(&world).await, 10);
    world.clock.forward(600);
    let later = world.send("POST", &dead.link, &headers, body(&token)).await;
    assert_eq!(later.status, 303);
}

#[tokio::test]
async fn two_browsers_may_both_come_to_the_end() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    let (first, second) = (dead.answer(&world).await, dead.answer(&world).await);
    for (answer, code) in [(&first, "code"), (&second, "other")] {
        let page = come_back(&world, answer, code).await;
        assert!(
            page.text().contains("The mailbox works again"),
            "{}",
            page.text()
        );
    }
    assert_eq!(dead.account(&world).await["state"], "connected");
    let token = world
        .call("POST", &format!("{}/access-token", dead.path), None)
        .await;
    assert_eq!(token.json()["access_token"], "renewed");
    let accounts = world.call("GET", "/v1/accounts", None).await.json();
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_mailbox_that_does_not_open_leaves_the_account_and_the_link() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    let answer = dead.answer(&world).await;
    world.imap.state.lock().unwrap().refuses = true;
    let page = come_back(&world, &answer, "code").await;
    assert!(
        page.text().contains("The mail server refused the token"),
        "{}",
        page.text()
    );
    assert_eq!(dead.account(&world).await["state"], "reauth_required");
    world.imap.state.lock().unwrap().refuses = false;
    let again = dead.answer(&world).await;
    come_back(&world, &again, "other").await;
    assert_eq!(dead.account(&world).await["state"], "connected");
}

#[tokio::test]
async fn an_account_that_is_deleted_meanwhile_ends_the_attempt() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    let answer = dead.answer(&world).await;
    let gone = world.call("DELETE", &dead.path, None).await;
    assert_eq!(gone.status, 204);
    let page = come_back(&world, &answer, "code").await;
    assert!(
        page.text().contains("The site no longer uses this mailbox"),
        "{}",
        page.text()
    );
    let accounts = world.call("GET", "/v1/accounts", None).await.json();
    assert_eq!(accounts["items"], json!([]));
    assert_eq!(world.send("GET", &dead.link, &[], None).await.status, 404);
}

#[tokio::test]
async fn the_site_makes_a_session_for_its_widget() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    for state in ["reauth_required", "connected"] {
        assert_eq!(dead.account(&world).await["state"], state);
        let body = json!({"account": dead.id, "origin": ORIGIN, "user_label": "Anna"});
        let made = world.call("POST", "/v1/connect-sessions", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        assert_eq!(
            (&made["mends"], &made["application"], &made["login_hint"]),
            (
                &json!(dead.id),
                &json!("contoso"),
                &json!("anna@example.com")
            )
        );
        let url = Url::parse(made["connect_url"].as_str().unwrap()).unwrap();
        // By mail it asks, with the words for a mailbox that was connected before; from the site it goes straight on.
        let question = world.send("GET", url.path(), &[], None).await.text();
        assert!(question.contains("Sign in again for"), "{question}");
        let site = [("referer", "https://app.example.com/")];
        let answer = world.send("GET", url.path(), &site, None).await;
        come_back(
            &world,
            &answer,
            if state == "connected" {
                "other"
            } else {
                "code"
            },
        )
        .await;
        let path = format!("/v1/connect-sessions/{}", made["id"].as_str().unwrap());
        let session = world.call("GET", &path, None).await.json();
        assert_eq!(
            (&session["status"], &session["account_id"]),
            (&json!("connected"), &json!(dead.id))
        );
    }
}

#[tokio::test]
async fn a_session_for_an_account_says_nothing_against_it() {
    let world = World::start().await;
    let dead = Dead::of(&world).await;
    let ask = |more: Value| {
        let mut body = json!({"account": dead.id, "origin": ORIGIN});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        world.call("POST", "/v1/connect-sessions", Some(body))
    };
    for (more, field) in [
        (json!({"application": "other"}), "application"),
        (json!({"mailbox": "support@example.com"}), "mailbox"),
        (json!({"login_hint": "bob@example.com"}), "login_hint"),
        (json!({"origin": "https://evil.test"}), "origin"),
    ] {
        let refused = ask(more).await;
        assert_eq!(
            (refused.status, &refused.json()["field"]),
            (422, &json!(field))
        );
    }
    let same = ask(json!({"application": "contoso", "mailbox": "Anna@Example.com"})).await;
    assert_eq!(same.status, 201, "{}", same.text());

    let app_only = json!({"application": "contoso", "address": "team@example.com"});
    world
        .authority_answers("grant_type=client_credentials", 200, tokens("app", None))
        .await;
    let added = world
        .call("POST", "/v1/accounts", Some(app_only))
        .await
        .json();
    let refused = ask(json!({"account": added["id"]})).await;
    assert_eq!(
        (refused.status, &refused.json()["field"]),
        (422, &json!("account"))
    );

    let disabled = world
        .call("PATCH", &dead.path, Some(json!({"disabled": true})))
        .await;
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    let refused = ask(json!({})).await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (409, &json!("account_disabled"))
    );
    assert_eq!(world.send("GET", &dead.link, &[], None).await.status, 404);

    for id in ["acc_0197b4c1a2b37c5e8f9a0b1c2d3e4f50", "nonsense"] {
        assert_eq!(ask(json!({"account": id})).await.status, 404, "{id}");
    }
    let other = world
        .new_key("other", mailgrant_storage::ApiScope::ALL)
        .await;
    let key = format!("Bearer {other}");
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    let body = json!({"account": dead.id, "origin": ORIGIN}).to_string();
    let foreign = world
        .send("POST", "/v1/connect-sessions", &headers, Some(body))
        .await;
    assert_eq!(foreign.status, 404, "{}", foreign.text());
}

/// An account whose grant the authority has declared dead, and the authority's answers to a new sign-in.
struct Dead {
    id: String,
    path: String,
    link: String,
}

impl Dead {
    async fn of(world: &World) -> Self {
        Self::become_of(world, world.account().await).await
    }

    /// The refresh token of the account is `second`.
    async fn become_of(world: &World, id: String) -> Self {
        let path = format!("/v1/accounts/{id}");
        let refusal =
            json!({"error": "invalid_grant", "error_description": "AADSTS50173: revoked"});
        world
            .authority_answers("refresh_token=second", 400, refusal)
            .await;
        for code in ["code", "other"] {
            let answer = tokens("renewed", Some("fresh"));
            world
                .authority_answers(&format!("code={code}"), 200, answer)
                .await;
        }
        let renewed = tokens("renewed", Some("fresh"));
        world
            .authority_answers("refresh_token=fresh", 200, renewed)
            .await;
        world.clock.forward(4000);
        let refused = world.call("GET", &format!("{path}/emails"), None).await;
        assert_eq!(
            refused.json()["code"],
            "reauth_required",
            "{}",
            refused.text()
        );
        let account = world.call("GET", &path, None).await.json();
        let url = Url::parse(account["reauth_url"].as_str().expect("a link")).unwrap();
        let listed = world.call("GET", "/v1/accounts", None).await.json();
        assert_eq!(listed["items"][0]["reauth_url"], account["reauth_url"]);
        Self {
            id,
            path,
            link: url.path().to_owned(),
        }
    }

    async fn account(&self, world: &World) -> Value {
        world.call("GET", &self.path, None).await.json()
    }

    /// Opens the link in a browser of its own and answers the question.
    async fn answer(&self, world: &World) -> Answer {
        let page = world.send("GET", &self.link, &[], None).await;
        let cookie = page.cookie();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", cookie.as_str()),
            ("origin", "null"),
        ];
        let body = format!("form_token={}", form_token(&page));
        world.send("POST", &self.link, &headers, Some(body)).await
    }
}

/// The authority sends the browser back.
async fn come_back(world: &World, answer: &Answer, code: &str) -> Answer {
    let (cookie, state) = onward(answer);
    let path = format!("/oauth/callback?code={code}&state={state}");
    world.send("GET", &path, &[("cookie", &cookie)], None).await
}

async fn sessions(world: &World) -> usize {
    let storage = world.gateway.storage();
    let now = mailgrant_server::Clock::now(&*world.clock);
    let page = storage
        .connect_sessions()
        .list("default", None, 100, now)
        .await;
    page.unwrap().items.len()
}
