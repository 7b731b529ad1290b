//! The sign-in page, several accounts, single sign-on, and forms that are not ours.

use crate::support::*;

#[actix_web::test]
async fn refused_sign_ins_say_why() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    for (name, password, expected) in [
        (ADA, "wrong", "AADSTS50126"),
        (ADA, "", "AADSTS50126"),
        ("nobody@quillmere.test", PASSWORD, "AADSTS50034"),
        (SHARED, PASSWORD, "AADSTS50034"),
        (BLOCKED, PASSWORD, "AADSTS50057"),
    ] {
        let page = browser
            .submit(&page, "/login", &[("login", name), ("password", password)])
            .await;
        assert!(page.html.contains(expected), "{name}: {}", page.html);
        assert!(page.html.contains("role=\"alert\""));
        assert!(
            page.html.contains(&format!("value=\"{name}\"")),
            "what was typed stays"
        );
    }
    let page = browser.sign_in(&page, ADA).await;
    assert!(page.html.contains("Permissions requested"));
}

#[actix_web::test]
async fn an_account_of_the_list_fills_the_form_in() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    assert!(page.html.contains("Accounts of this make-believe tenant"));
    assert!(!page.html.contains(BLOCKED));
    let link = page
        .html
        .split("<a href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let link = link.replace("&amp;", "&").replace("&#38;", "&");
    let page = browser.get(&format!("{}{link}", world.base)).await;
    assert!(
        page.html.contains(&format!("value=\"{ADA}\"")),
        "{}",
        page.html
    );
    assert!(
        page.html
            .contains("value=\"correct horse &#60;battery&#62; &#38; staple\""),
        "{}",
        page.html
    );
}

#[actix_web::test]
async fn the_user_principal_name_signs_in_too() {
    let world = World::start().await;
    let answer = Browser::new(&world)
        .connect(&world.authorize_url(&[]), "BRUNO.Keller@quillmere.test")
        .await;
    let tokens = world
        .redeem(&answer.parameter("code").unwrap(), &[])
        .await
        .ok();
    assert_eq!(
        claims(&tokens["access_token"])["upn"],
        "bruno.keller@quillmere.test"
    );
    assert_eq!(claims(&tokens["id_token"])["email"], BRUNO);
}

#[actix_web::test]
async fn who_is_signed_in_is_not_asked_again_unless_the_client_says_so() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    browser.connect(&world.authorize_url(&[]), ADA).await;
    for silent in [vec![], vec![("prompt", "none")], vec![("login_hint", ADA)]] {
        let answer = browser.get(&world.authorize_url(&silent)).await;
        assert!(answer.parameter("code").is_some(), "{silent:?}: {answer:?}");
    }
    for (asked, expected) in [
        (("prompt", "login"), "name=\"password\""),
        (("login_hint", BRUNO), "name=\"password\""),
        (("prompt", "select_account"), "Choose an account"),
        (("prompt", "consent"), "Permissions requested"),
    ] {
        let page = browser.get(&world.authorize_url(&[asked])).await;
        assert!(page.html.contains(expected), "{asked:?}: {}", page.html);
    }
}

#[actix_web::test]
async fn one_of_several_accounts_is_picked() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    browser.connect(&world.authorize_url(&[]), ADA).await;
    browser
        .connect(&world.authorize_url(&[("prompt", "login")]), BRUNO)
        .await;
    let page = browser.get(&world.authorize_url(&[])).await;
    assert!(page.html.contains("Choose an account"), "{}", page.html);
    let silent = browser
        .get(&world.authorize_url(&[("prompt", "none")]))
        .await;
    assert_eq!(silent.sent_code().as_deref(), Some("50058"));

    let ada = world
        .running
        .directory()
        .tenant()
        .user(ADA)
        .unwrap()
        .object_id
        .clone();
    let answer = browser.submit(&page, "/select", &[("account", &ada)]).await;
    let tokens = world
        .redeem(&answer.parameter("code").unwrap(), &[])
        .await
        .ok();
    assert_eq!(claims(&tokens["access_token"])["upn"], ADA);

    let page = browser.get(&world.authorize_url(&[])).await;
    let page = browser.submit(&page, "/select", &[("other", "1")]).await;
    assert!(page.html.contains("name=\"password\""));
    // Somebody who is not signed in here cannot be picked.
    let page = browser.get(&world.authorize_url(&[])).await;
    let admin = world
        .running
        .directory()
        .tenant()
        .user(ADMIN)
        .unwrap()
        .object_id
        .clone();
    let page = browser
        .submit(&page, "/select", &[("account", &admin)])
        .await;
    assert!(page.html.contains("name=\"password\""));
}

#[actix_web::test]
async fn signing_out_forgets() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    browser.connect(&world.authorize_url(&[]), ADA).await;
    let logout = world.url("/oauth2/v2.0/logout");
    let elsewhere = browser
        .get(&format!(
            "{logout}?post_logout_redirect_uri=https://evil.test/"
        ))
        .await;
    assert_eq!(elsewhere.status, 200, "no open redirect");
    let page = browser.get(&world.authorize_url(&[])).await;
    assert!(page.html.contains("name=\"password\""));
    let back = browser
        .get(&format!(
            "{logout}?post_logout_redirect_uri={REDIRECT}&state=s"
        ))
        .await;
    assert_eq!(back.url, format!("{REDIRECT}?state=s"));
}

#[actix_web::test]
async fn forms_of_others_are_refused() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let fields = [("login", ADA), ("password", PASSWORD)];
    // Without the token, with a wrong one, from another browser, and into another browser's flow.
    let forged = browser
        .submit(&page, "/login", &[fields[0], fields[1], ("csrf", "")])
        .await;
    assert!(forged.html.contains("AADSTS165900"), "{}", forged.html);
    let forged = browser
        .submit(&page, "/login", &[fields[0], fields[1], ("csrf", "x")])
        .await;
    assert_eq!(forged.status, 400);
    let mut stranger = Browser::new(&world);
    assert_eq!(stranger.submit(&page, "/login", &fields).await.status, 400);
    let own = stranger.get(&world.authorize_url(&[])).await;
    let flow = page.form("/login")["flow"].clone();
    let stolen = stranger
        .submit(&own, "/login", &[fields[0], fields[1], ("flow", &flow)])
        .await;
    assert_eq!(stolen.status, 400);
    assert!(stolen.parameter("code").is_none());
    // The consent form as well.
    let consent = browser.sign_in(&page, ADA).await;
    let forged = browser
        .submit(
            &consent,
            "/consent",
            &[("decision", "accept"), ("csrf", "x")],
        )
        .await;
    assert_eq!(forged.status, 400);
    let answer = browser
        .submit(&consent, "/consent", &[("decision", "accept")])
        .await;
    assert!(answer.parameter("code").is_some());
    // The flow is over: a second press gives no second code.
    let again = browser
        .submit(&consent, "/consent", &[("decision", "accept")])
        .await;
    assert!(again.html.contains("AADSTS165900"), "{}", again.html);
}

#[actix_web::test]
async fn an_abandoned_sign_in_ends() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    world.clock.advance(std::time::Duration::from_secs(3600));
    let page = browser.sign_in(&page, ADA).await;
    assert!(page.html.contains("AADSTS50089"), "{}", page.html);
}

#[actix_web::test]
async fn who_wishes_stays_signed_in() {
    let world = World::start().await;
    let directory = world.running.directory();
    directory.change(|tenant| tenant.stay_signed_in = true);
    let week = std::time::Duration::from_secs(7 * 24 * 60 * 60);
    for (decision, max_age, after_a_week) in [
        ("yes", Some("Max-Age=7776000"), "code="),
        ("no", None, "name=\"password\""),
    ] {
        let mut browser = Browser::new(&world);
        let page = browser.get(&world.authorize_url(&[])).await;
        let page = browser.sign_in(&page, ADA).await;
        assert!(page.html.contains("Stay signed in?"), "{}", page.html);
        let odd = browser.submit(&page, "/stay", &[("decision", "")]).await;
        assert_eq!(odd.status, 400);
        let forged = [("decision", "yes"), ("csrf", "x")];
        assert_eq!(browser.submit(&page, "/stay", &forged).await.status, 400);
        let page = browser
            .submit(&page, "/stay", &[("decision", decision)])
            .await;
        let cookie = page.headers["set-cookie"].to_str().unwrap();
        assert_eq!(cookie.contains("Max-Age"), max_age.is_some(), "{cookie}");
        assert!(max_age.is_none_or(|age| cookie.contains(age)), "{cookie}");
        assert!(cookie.contains("HttpOnly"), "{cookie}");
        if page.html.contains("Permissions requested") {
            browser
                .submit(&page, "/consent", &[("decision", "accept")])
                .await;
        }
        world.clock.advance(week);
        let page = browser.get(&world.authorize_url(&[])).await;
        let seen = format!("{} {}", page.url, page.html);
        assert!(seen.contains(after_a_week), "{decision}: {seen}");
    }
}
