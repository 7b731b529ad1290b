//! Access tokens outlive the process that asked for them.

use crate::{
    calendar::{MINUTE, START},
    world::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_restarts_within_one_token_ask_the_authority_once() {
    let mut world = World::start(START, None).await;
    let mailbox = world.add_app_only().await;
    let path = format!("/v1/accounts/{mailbox}/access-token");
    let first = world.call("POST", &path, None).await.body;
    let asked = world.token_requests("client_credentials");
    assert!(asked > 0);
    for minute in 1..=10 {
        world.restart().await;
        world.advance_to(START + minute * MINUTE);
        let again = world.call("POST", &path, None).await;
        assert_eq!(again.status, 200, "{:#}", again.body);
        assert_eq!(again.body["access_token"], first["access_token"]);
        assert_eq!(again.body["expires_at"], first["expires_at"]);
    }
    assert_eq!(world.token_requests("client_credentials"), asked);
    world.stop().await;
}
