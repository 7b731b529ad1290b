//! A federated credential: the workload's own token, read anew each time, as Kubernetes replaces it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{Stage, register};
use mailgrant_tests::{
    office::{ADA, BRUNO},
    sandbox::Sandbox,
};

const SUBJECT: &str = "system:serviceaccount:mail:mailgrant";
const ASSERTION: &str = " client_id={} client_assertion_type=jwt-bearer \
    client_assertion=RS256{alg,kid,typ}.{aud,exp,iat,iss,jti,nbf,sub}.…";

#[tokio::test]
async fn a_workloads_token_stands_for_the_application() {
    let stage = start().await;
    let requests = stage.assert_both_flows("", ASSERTION).await;
    let home = stage.office.dir.path().join("gateway");
    let file = fs::read_to_string(home.join("token")).unwrap();
    for request in &requests {
        assert_eq!(request.value("client_assertion"), Some(file.trim()));
        assert_eq!(request.assertion().unwrap().1["sub"], SUBJECT);
    }

    // The kubelet writes another.
    let sandbox = &stage.office.sandbox;
    write_token(sandbox, &home, SUBJECT).await.unwrap();
    let newer = fs::read_to_string(home.join("token")).unwrap();
    assert_ne!(newer, file);
    stage.connect(BRUNO).await;
    let request = stage.wire.token_request("authorization_code").await;
    assert_eq!(request.value("client_assertion"), Some(newer.trim()));
}

#[tokio::test]
async fn another_workloads_token_does_not() {
    let stage = start().await;
    let home = stage.office.dir.path().join("gateway");
    let sandbox = &stage.office.sandbox;
    write_token(sandbox, &home, "system:serviceaccount:web:shop")
        .await
        .unwrap();
    let diagnosis: Value = stage.refused(ADA).await;
    assert_eq!(diagnosis["code"], "federated_subject", "{diagnosis:#}");
    let token = fs::read_to_string(home.join("token")).unwrap();
    assert!(!diagnosis.to_string().contains(token.trim()));
}

/// What Entra may have against an assertion, one after the other, as the sandbox words it.
#[tokio::test]
async fn each_refusal_of_an_assertion_has_its_own_diagnosis() {
    let stage = start().await;
    for (number, code) in [
        (700_021, "assertion_client"),
        (700_024, "assertion_time"),
        (50_027, "assertion_malformed"),
        (70_025, "federated_credential_missing"),
        (700_211, "federated_issuer"),
        (700_212, "federated_audience"),
        (700_213, "federated_subject"),
        (700_229, "federated_token_of_a_person"),
        (7_000_272, "federated_signature"),
        (501_661, "federated_signature"),
        (7_000_112, "application_disabled"),
        (700_016, "application_not_in_tenant"),
        (90_002, "tenant_unknown"),
        (700_005, "sign_ins_mixed_up"),
    ] {
        let fault = json!({"authority": {"error": number, "path": "/token", "times": 1}});
        let sandbox = &stage.office.sandbox;
        sandbox.control("faults", &fault).await.unwrap();
        let diagnosis = stage.refused(ADA).await;
        assert_eq!(diagnosis["code"], code, "AADSTS{number}: {diagnosis:#}");
        assert_eq!(diagnosis["error_codes"], json!([number]), "{diagnosis:#}");
    }
}

async fn start() -> Stage {
    Stage::start(
        "federated = { token_file = \"token\" }",
        async |sandbox, home| {
            let trusted = json!([{"issuer": "{authority}/workload", "subject": SUBJECT}]);
            register(
                sandbox,
                &json!({"secrets": [], "federated_credentials": trusted}),
            )
            .await?;
            write_token(sandbox, home, SUBJECT).await
        },
    )
    .await
}

async fn write_token(sandbox: &Sandbox, home: &Path, subject: &str) -> anyhow::Result<()> {
    let made = sandbox
        .control("workload-token", &json!({"subject": subject}))
        .await?;
    let token = made["token"].as_str().unwrap_or_default();
    fs::write(home.join("token"), format!("{token}\n"))?;
    Ok(())
}
