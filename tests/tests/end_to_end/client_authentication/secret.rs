//! A client secret: in the body, or in the header where the operator says so; replaced without a restart.

use std::fs;

use serde_json::json;

use super::{Stage, register};
use mailgrant_tests::{
    office::{ADA, BRUNO},
    sandbox::Sandbox,
};

const SECRET: &str = "a+b c/d=e~f%&";

#[tokio::test]
async fn in_the_body() {
    let stage = start("client_secret_file = \"app-secret\"").await;
    let authentication = " client_id={} client_secret=…";
    let requests = stage.assert_both_flows("", authentication).await;
    assert!(
        requests
            .iter()
            .all(|request| request.value("client_secret") == Some(SECRET))
    );
}

#[tokio::test]
async fn in_the_header() {
    let stage = start(
        "client_secret_file = \"app-secret\"\nclient_secret_method = \"client_secret_basic\"",
    )
    .await;
    let requests = stage
        .assert_both_flows("Authorization: Basic …; ", "")
        .await;
    assert!(
        requests
            .iter()
            .all(|request| request.value("client_id").is_none())
    );
}

#[tokio::test]
async fn replaced_while_the_gateway_runs() {
    let stage = start("client_secret_file = \"app-secret\"").await;
    stage.connect(ADA).await;
    register_secret(&stage.office.sandbox, "the~new~one")
        .await
        .unwrap();
    let diagnosis = stage.refused(BRUNO).await;
    assert_eq!(diagnosis["code"], "client_secret_wrong", "{diagnosis:#}");
    assert!(!diagnosis.to_string().contains(SECRET));

    let file = stage.office.dir.path().join("gateway/app-secret");
    fs::write(file, "the~new~one\n").unwrap();
    stage.connect(BRUNO).await;
}

async fn start(credential: &str) -> Stage {
    Stage::start(credential, async |sandbox, home| {
        fs::write(home.join("app-secret"), SECRET)?;
        register_secret(sandbox, SECRET).await
    })
    .await
}

async fn register_secret(sandbox: &Sandbox, secret: &str) -> anyhow::Result<()> {
    let id = "11111111-2222-3333-4444-555555555559";
    register(sandbox, &json!({"secrets": [{"id": id, "value": secret}]})).await
}
