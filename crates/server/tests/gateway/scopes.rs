//! What a person agreed to, and what a token is asked for.

use serde_json::json;

use crate::world::{World, tokens};

#[tokio::test]
async fn a_token_for_sending_needs_the_persons_word_for_it() {
    let mut world = World::start().await;
    let lesser = imported(&world, "lesser", "offline_access mail").await;
    let whole = imported(&world, "whole", "offline_access mail mail.send").await;
    let ask = async |world: &World, account: &str, protocol: &str| {
        let path = format!("/v1/accounts/{account}/access-token?protocol={protocol}");
        world.call("POST", &path, None).await
    };
    let refused = ask(&world, &lesser, "smtp").await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (409, &json!("scope_missing"))
    );
    let diagnosis = &refused.json()["diagnosis"];
    assert_eq!(diagnosis["code"], "scope_not_granted", "{diagnosis:#}");
    let said = diagnosis.to_string();
    assert!(
        said.contains("mail.send") && said.contains(&lesser),
        "{said}"
    );
    for (account, protocol) in [(&lesser, "imap"), (&whole, "smtp")] {
        let given = ask(&world, account, protocol).await;
        assert_eq!(given.status, 200, "{protocol}: {}", given.text());
    }
    // Who is switched off is told that, and not what they would lack otherwise.
    let path = format!("/v1/accounts/{lesser}");
    world
        .call("PATCH", &path, Some(json!({"disabled": true})))
        .await;
    assert_eq!(
        ask(&world, &lesser, "smtp").await.json()["code"],
        "account_disabled"
    );

    // Settings that name it no more: what was agreed to is not asked for.
    world
        .settings_become(|text| {
            text.replace(
                "id = \"sender\"\n",
                "id = \"sender\"\nscopes = [\"offline_access\", \"mail\"]\n",
            )
        })
        .await;
    let refused = ask(&world, &whole, "smtp").await;
    let diagnosis = &refused.json()["diagnosis"];
    assert_eq!(diagnosis["code"], "scope_not_asked", "{diagnosis:#}");
    let line = "scopes = [\"offline_access\", \"mail\", \"mail.send\"]";
    assert!(
        diagnosis["remedy"][0].as_str().unwrap().contains(line),
        "{diagnosis:#}"
    );
}

async fn imported(world: &World, token: &str, scope: &str) -> String {
    let mut answer = tokens(&format!("access-{token}"), Some(token));
    answer["scope"] = scope.into();
    world
        .authority_answers(&format!("refresh_token={token}"), 200, answer)
        .await;
    let body = json!({"application": "sender", "address": format!("{token}@example.com"), "refresh_token": token});
    let added = world.call("POST", "/v1/accounts", Some(body)).await;
    assert_eq!(added.status, 201, "{}", added.text());
    added.json()["id"].as_str().unwrap().to_owned()
}
