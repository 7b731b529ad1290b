//! People sign in: the set-up followed, then somebody connects their mailbox and it is read.

use mailgrant_tests::{
    gateway::{Gateway, SITE},
    person::{Page, Person},
};
use serde_json::{Value, json};

use super::{ADA, ADMIN, PASSWORD, Walk, if_left_out, lines, step, without};

const WORDS: [&str; 4] = ["--flow", "delegated", "--mailbox", ADA];

#[tokio::test]
async fn the_script_followed_from_an_empty_tenant_lets_a_person_connect_their_mailbox() {
    let mut walk = Walk::start();
    walk.deliver(ADA, "The reading circle").await;
    let followed = walk.follow(&script(&walk)).await;
    assert_eq!(followed.stopped, None);
    walk.note(&followed);
    let gateway = walk.gateway();
    let guide = guide(&walk);
    let typed = lines(&guide, "prove");
    let [session, look, emails] = typed[..] else {
        panic!("{typed:#?}")
    };
    let session = walk.type_line(&gateway, session, &[]);
    let page = sign_in(&session).await;
    let id = session["id"].as_str().unwrap();
    let seen = walk.type_line(&gateway, look, &[("SESSION", id)]);
    assert_eq!(seen["status"], "connected", "{seen:#}\n{}", page.body);
    let account = seen["account_id"].as_str().unwrap();
    let emails = walk.type_line(&gateway, emails, &[("ACCOUNT", account)]);
    assert_eq!(
        emails["items"][0]["subject"], "The reading circle",
        "{emails:#}"
    );

    // Run again, it finds everything as it is.
    let again = walk.follow(&script(&walk)).await;
    assert_eq!(again.stopped, None);
    assert_eq!((again.client_id, again.secret), (followed.client_id, None));
}

#[tokio::test]
async fn each_step_left_out_ends_in_the_refusal_that_the_guide_names() {
    for step in ["consent", "credential", "imap"] {
        let mut walk = Walk::start();
        let followed = walk.follow(&without(&script(&walk), step)).await;
        assert_eq!(followed.stopped, None, "{step}");
        walk.note(&followed);
        let gateway = walk.gateway();
        let (seen, page) = connect(&gateway).await;
        let promised = if_left_out(&guide(&walk), step);
        assert_eq!(
            seen["diagnosis"]["code"], promised,
            "{step}: {seen:#}\n{}",
            page.body
        );
    }
}

#[tokio::test]
async fn without_the_redirect_uri_the_authority_keeps_the_person() {
    let mut walk = Walk::start();
    let followed = walk.follow(&without(&script(&walk), "redirect-uri")).await;
    assert_eq!(followed.stopped, None);
    walk.note(&followed);
    let gateway = walk.gateway();
    let (seen, page) = connect(&gateway).await;
    assert!(page.body.contains("AADSTS50011"), "{}", page.body);
    // Nothing comes back. That it has not, and what to do about AADSTS50011, is said when a while has gone by.
    assert_eq!(seen["status"], "pending");
    assert_eq!(if_left_out(&guide(&walk), "redirect-uri"), "not_returned");
    let words = step(&guide(&walk), "redirect-uri")["otherwise"].to_string();
    assert!(words.contains("AADSTS50011"), "{words}");
}

#[tokio::test]
async fn an_administrator_may_open_the_link_in_place_of_the_commands() {
    for link in [0, 1] {
        let mut walk = Walk::start();
        let followed = walk.follow(&without(&script(&walk), "consent")).await;
        walk.note(&followed);
        let gateway = walk.gateway();
        let guide = guide(&walk);
        let url = step(&guide, "consent")["links"][link]["url"]
            .as_str()
            .unwrap();
        let mut administrator = Person::default();
        let page = administrator.open(url, None).await;
        let page = administrator
            .submit(&page, &[("login", ADMIN), ("password", PASSWORD)])
            .await;
        assert!(
            page.body.contains("Approve for everybody"),
            "{url}: {}",
            page.body
        );
        let page = administrator.submit(&page, &[("decision", "accept")]).await;
        assert!(page.body.contains("permission"), "{}", page.body);
        assert!(page.url.as_str().starts_with(&gateway.url), "{}", page.url);
        let (seen, page) = connect(&gateway).await;
        assert_eq!(
            seen["status"], "connected",
            "{url}: {seen:#}\n{}",
            page.body
        );
    }
}

fn script(walk: &Walk) -> String {
    let words: Vec<&str> = WORDS.into_iter().chain(["--format", "ps1"]).collect();
    walk.setup(&words)
}

fn guide(walk: &Walk) -> Value {
    let words: Vec<&str> = WORDS.into_iter().chain(["--json"]).collect();
    serde_json::from_str(&walk.setup(&words)).unwrap()
}

/// A session of a person who comes from the site: as it is afterwards, and the page they then see.
async fn connect(gateway: &Gateway) -> (Value, Page) {
    let body = json!({"application": "contoso", "user_label": "Test", "login_hint": ADA});
    let made = gateway.post("/v1/connect-sessions", &body).await;
    let page = sign_in(&made.body).await;
    (gateway.session(&made.body).await, page)
}

async fn sign_in(session: &Value) -> Page {
    let link = session["connect_url"]
        .as_str()
        .unwrap_or_else(|| panic!("{session:#}"));
    let mut person = Person::default();
    let mut page = person.open(link, Some(SITE)).await;
    // The gateway's question, the sign-in, the consent: whatever is asked.
    for fields in [
        &[][..],
        &[("login", ADA), ("password", PASSWORD)],
        &[("decision", "accept")],
    ] {
        let asks = match fields.first() {
            // A page on which only an administrator can approve has no such button.
            Some((name, value)) => {
                page.body.contains(&format!("name=\"{name}\""))
                    && (*name != "decision" || page.body.contains(value))
            }
            None => page.body.contains("<form") && !page.body.contains("name=\"login\""),
        };
        if asks {
            page = person.submit(&page, fields).await;
        }
    }
    // Where only an administrator can approve, the person goes back with that answer.
    if page.body.contains("An administrator must approve") {
        page = person.submit(&page, &[("decision", "decline")]).await;
    }
    page
}
