//! When only an administrator may agree.

use std::collections::HashMap;

use url::Url;

use crate::{
    session::{Session, form_token, onward},
    world::{ORIGIN, World},
};

#[tokio::test]
async fn an_administrator_unblocks_the_session() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    let refusal = "error=access_denied&error_description=AADSTS90094%3A%20admin%20permission";
    let page = session
        .come_back(&world, &cookie, &format!("{refusal}&state={state}"))
        .await;
    assert!(page.text().contains("administrator"), "{}", page.text());
    let standing = session.standing(&world).await.json();
    assert_eq!(standing["status"], "awaiting_admin_consent");
    let link = Url::parse(standing["admin_consent_url"].as_str().unwrap()).unwrap();
    assert!(link.path().ends_with("adminconsent"), "{link}");
    let parameters: HashMap<_, _> = link.query_pairs().into_owned().collect();
    assert!(parameters["redirect_uri"].ends_with("/oauth/callback"));
    let admin = &parameters["state"];

    // Refusing changes nothing; agreeing, in the administrator's own browser, goes on.
    for query in [
        format!("error=access_denied&state={admin}"),
        format!("admin_consent=False&state={admin}"),
    ] {
        let page = world
            .send("GET", &format!("/oauth/callback?{query}"), &[], None)
            .await;
        assert!(page.text().contains("not given"), "{}", page.text());
        assert_eq!(
            session.seen(&world).await["status"],
            "awaiting_admin_consent"
        );
    }
    // On a busy machine the administrator may be quicker than the first look: then nothing changes any more, and the
    // answer comes when the time is up.
    let status = format!("{}/status?wait=5", session.path);
    let waiting = world.send("GET", &status, &[("origin", ORIGIN)], None);
    let agreeing = world.send("GET", "/healthz", &[], None);
    let path = format!("/oauth/callback?admin_consent=True&tenant=t&state={admin}");
    let (standing, _) = tokio::join!(waiting, async {
        agreeing.await;
        let page = world.send("GET", &path, &[], None).await;
        assert!(
            page.text().contains("permission is given"),
            "{}",
            page.text()
        );
    });
    assert_eq!(standing.json()["status"], "pending");

    session.succeed(&world).await;
}

#[tokio::test]
async fn a_waiting_person_can_try_again_on_the_same_link() {
    let world = World::start().await;
    let session = Session::of(&world).await;
    let (cookie, state) = session.click(&world).await;
    session
        .come_back(
            &world,
            &cookie,
            &format!("error=consent_required&state={state}"),
        )
        .await;
    let page = world
        .send("GET", &session.path, &[("cookie", cookie.as_str())], None)
        .await;
    assert!(
        page.text().contains("adminconsent") && page.text().contains("Try again"),
        "{}",
        page.text()
    );
    let form_token = form_token(&page);
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let answer = world
        .send(
            "POST",
            &session.path,
            &headers,
            Some(format!("form_token={form_token}")),
        )
        .await;
    onward(&answer);
}
