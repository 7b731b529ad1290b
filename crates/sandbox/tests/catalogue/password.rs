//! The password grant, which Entra still has.

use crate::harness::*;
use crate::support::*;

#[actix_web::test]
async fn bad_password() {
    let world = World::start_with(
        "[[user]]\naddress = \"keys@quillmere.test\"\ndisplay_name = \"Keys\"\nsign_in = { no_password = true }\n",
    )
    .await;
    let reply = send(&world, &world.tenant, ADA, "wrong").await;
    assert_refusal("bad-password", 50126, &reply);
    let reply = send(&world, &world.tenant, "keys@quillmere.test", "any").await;
    assert_refusal("bad-password", 50056, &reply);
    // The right one wants consent first, and then opens the mailbox.
    let reply = send(&world, &world.tenant, ADA, PASSWORD).await;
    assert_eq!(reply.refusal().0, 65001);
    let redirect = ("redirect_uri", "http://localhost/installed");
    world.code(&[("client_id", PUBLIC), redirect]).await;
    let tokens = send(&world, &world.tenant, ADA, PASSWORD).await.ok();
    assert_eq!(claims(&tokens["access_token"])["upn"], ADA);
    assert!(tokens["refresh_token"].is_string());
}

#[actix_web::test]
async fn ropc_unsupported() {
    let world = World::start().await;
    for segment in ["common", "consumers"] {
        let reply = send(&world, segment, ADA, PASSWORD).await;
        let code = match segment {
            "common" => 9_001_023,
            // The application is for organizations only.
            _ => 9_002_332,
        };
        assert_eq!(reply.refusal().0, code);
    }
    let reply = send(&world, "common", ADA, PASSWORD).await;
    assert_refusal("ropc-unsupported", 9_001_023, &reply);
}

#[actix_web::test]
async fn security_defaults_block() {
    let world = World::start_with("[policies]\nsecurity_defaults = true\n").await;
    let reply = send(&world, &world.tenant, ADA, PASSWORD).await;
    assert_refusal("security-defaults-block", 530_035, &reply);
    assert_eq!(reply.body["suberror"], "message_only");
}

async fn send(world: &World, segment: &str, name: &str, password: &str) -> Reply {
    let form = [
        ("grant_type", "password"),
        ("client_id", PUBLIC),
        ("username", name),
        ("password", password),
        ("scope", SCOPE),
    ];
    world.token_at(&token_url(world, segment), &form).await
}
