//! Judges what the wire said by a rule of the catalogue.
//!
//! The exact words are in each test. Where the catalogue lies beside the checkout, its own pattern must recognize
//! them too.

use std::path::Path;
use std::sync::OnceLock;

use regex::Regex;
use serde_json::Value;

use crate::support::{Browser, NOW, Page, Reply, World, claims};

/// Checks that `exact` is in `text`, and that the rule's pattern finds it there.
pub fn assert_rule(id: &str, exact: &str, text: &str) {
    assert!(text.contains(exact), "{id}: no {exact:?} in {text:?}");
    let Some(rule) = rule(id) else {
        return;
    };
    let kind = rule["match"]["kind"].as_str().unwrap();
    let pattern = &rule["match"]["pattern"];
    match kind {
        "regex" | "oauth_error" => {
            let regex = Regex::new(pattern.as_str().unwrap()).unwrap();
            assert!(
                regex.is_match(text),
                "{id}: {regex} does not match {text:?}"
            );
        }
        "http_status" => assert_eq!(pattern, text, "{id}"),
        "claim" => panic!("{id} is judged by assert_claims"),
        // Rules in words: what they lead to is what the test reads.
        _ => {}
    }
}

/// Checks a refusal of the token endpoint: its whole form, its number, and the rule.
pub fn assert_refusal(id: &str, code: u64, reply: &Reply) {
    let (found, error, _) = reply.refusal();
    assert_eq!(found, code, "{id}: {reply:?}");
    let description = reply.body["error_description"].as_str().unwrap();
    assert!(!description.contains("{0}"), "{id}: {description}");
    assert_rule(
        id,
        &format!("AADSTS{code}: "),
        &format!("{error}: {description}"),
    );
}

/// Checks an error page: its number and the rule.
pub fn assert_page(id: &str, code: u32, page: &Page) {
    assert!(!page.html.contains("{0}"), "{id}: {}", page.html);
    assert_rule(id, &format!("AADSTS{code}"), &page.html);
}

/// Checks a refusal that was sent to the client by redirect: the OAuth error, the number and the rule.
pub fn assert_redirect(id: &str, error: &str, code: u32, page: &Page) {
    let Some(sent) = page.parameter("error") else {
        panic!("{id}: nothing was sent, but {page:?}");
    };
    assert_eq!(sent, error, "{id}: {}", page.url);
    let description = page.parameter("error_description").unwrap();
    assert_rule(
        id,
        &format!("AADSTS{code}: "),
        &format!("error={sent} {description}"),
    );
}

/// Checks the claims of a token that was issued, by the rule's claim and operator.
pub fn assert_claims(id: &str, token: &str, mailbox: &str, now: i64) {
    let Some(rule) = rule(id) else {
        return;
    };
    let pattern = &rule["match"]["pattern"];
    let name = pattern["claim"].as_str().unwrap();
    let value = &pattern["value"];
    if name == "$format" {
        assert_ne!(token.split('.').count(), 3, "{id}: it is a JWT");
        return;
    }
    let claims = claims(&Value::String(token.to_owned()));
    let claim = name
        .split('|')
        .map(|name| &claims[name])
        .find(|claim| !claim.is_null())
        .unwrap_or(&Value::Null);
    let listed = |value: &Value| value.as_array().unwrap().contains(claim);
    let words: Vec<&str> = match claim {
        Value::String(words) => words.split(' ').collect(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let holds = match pattern["op"].as_str().unwrap() {
        "in" => listed(value),
        "not_in" => !listed(value),
        "absent" => claim.is_null(),
        "lacks" => !words.contains(&value.as_str().unwrap()),
        "has_only" => {
            let allowed = value.as_array().unwrap();
            !words.is_empty()
                && words
                    .iter()
                    .all(|word| allowed.iter().any(|one| one == word))
        }
        "lt_now" => claim.as_i64().unwrap() <= now,
        "gt_now_plus" => claim.as_i64().unwrap() > now + value.as_i64().unwrap(),
        "eq" => claim == value,
        "ne" if value == "$mailbox" => claim != mailbox,
        other => panic!("{id}: no such operator: {other}"),
    };
    assert!(holds, "{id}: {pattern} does not hold for {claims}");
}

/// Every rule's id, where the catalogue lies beside the checkout.
pub fn rules() -> Option<Vec<String>> {
    let entries = catalogue().as_ref()?["entries"].as_array().unwrap();
    Some(
        entries
            .iter()
            .map(|rule| rule["id"].as_str().unwrap().to_owned())
            .collect(),
    )
}

/// The answer to an authorization request, before anybody has signed in.
pub async fn authorize(world: &World, changes: &[(&str, &str)]) -> Page {
    Browser::new(world).get(&world.authorize_url(changes)).await
}

/// The same under another tenant segment.
pub async fn authorize_at(world: &World, segment: &str, changes: &[(&str, &str)]) -> Page {
    let url = world.authorize_url(changes).replace(&world.tenant, segment);
    Browser::new(world).get(&url).await
}

/// What a person gets to see who signs in and agrees to everything.
pub async fn connect(world: &World, address: &str, changes: &[(&str, &str)]) -> Page {
    Browser::new(world)
        .connect(&world.authorize_url(changes), address)
        .await
}

/// What the client is sent that asks again without pages, after a person has signed in and agreed.
pub async fn connect_silently(world: &World, address: &str, changes: &[(&str, &str)]) -> Page {
    let mut browser = Browser::new(world);
    browser.connect(&world.authorize_url(&[]), address).await;
    let mut silent = vec![("prompt", "none")];
    silent.extend(changes);
    browser.get(&world.authorize_url(&silent)).await
}

/// Puts an entry of the directory, by the control API: `users`, `applications`, `policies`, …
pub async fn put(world: &World, collection: &str, entry: Value) {
    let request = world
        .http
        .put(format!("{}/control/directory/{collection}", world.base))
        .header("X-Sandbox-Control", "1");
    let reply = Reply::of(request.json(&entry).send().await.unwrap()).await;
    assert!(reply.status < 300, "{reply:?}");
}

/// A delegated application with more keys.
pub fn delegated(client_id: &str, more: &str) -> String {
    format!(
        "[[application]]\nclient_id = \"{client_id}\"\ndisplay_name = \"Another\"\nflow = \"delegated\"\n{more}\n"
    )
}

/// The token endpoint under another tenant segment.
pub fn token_url(world: &World, segment: &str) -> String {
    format!("{}/{segment}/oauth2/v2.0/token", world.base)
}

/// The sandbox's time, in Unix seconds, after that many seconds.
pub fn later(seconds: i64) -> i64 {
    NOW.0 + seconds
}

fn rule(id: &str) -> Option<&'static Value> {
    let entries = catalogue().as_ref()?["entries"].as_array().unwrap();
    let found = entries.iter().find(|rule| rule["id"] == id);
    Some(found.unwrap_or_else(|| panic!("the catalogue has no rule {id}")))
}

fn catalogue() -> &'static Option<Value> {
    static CATALOGUE: OnceLock<Option<Value>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let beside = "../../../shared/facts/diagnosis-catalogue.json";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(beside);
        let text = std::fs::read_to_string(path).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    })
}
