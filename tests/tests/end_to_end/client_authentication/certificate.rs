//! A certificate (RFC 7523, and Microsoft's page on certificate credentials): both algorithms, every kind of file,
//! replaced without a restart.

use std::{fs, path::Path};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Stage, register};
use mailgrant_tests::{
    needs,
    office::{ADA, BRUNO},
    pki::{make_certificate, openssl},
    sandbox::Sandbox,
    wire::Request,
};

const PS256: &str = " client_id={} client_assertion_type=jwt-bearer \
    client_assertion=PS256{alg,typ,x5t#S256}.{aud,exp,iat,iss,jti,nbf,sub}.…";
const RS256: &str = " client_id={} client_assertion_type=jwt-bearer \
    client_assertion=RS256{alg,typ,x5t}.{aud,exp,iat,iss,jti,nbf,sub}.…";

#[tokio::test]
async fn ps256_with_x5t_s256_from_one_file() {
    needs!("openssl");
    let stage = Stage::start(
        "certificate = { file = \"app.pem\" }",
        async |sandbox, home| {
            make_certificate(home, "app")?;
            put_together(home, "app")?;
            register_certificate(sandbox, home, "app").await
        },
    )
    .await;
    let requests = stage.assert_both_flows("", PS256).await;

    let certificate = der(&stage.office.dir.path().join("gateway/app.crt"));
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate));
    let token_endpoint = format!(
        "{}/{}/oauth2/v2.0/token",
        stage.office.sandbox.text("/authority"),
        stage.office.sandbox.text("/tenant")
    );
    let mut seen = Vec::new();
    for request in &requests {
        let (header, claims) = request.assertion().unwrap();
        assert_eq!(header["x5t#S256"], thumbprint);
        assert_eq!(header["typ"], "JWT");
        assert_eq!(claims["aud"], token_endpoint);
        assert_eq!(claims["iss"], request.value("client_id").unwrap());
        assert_eq!(claims["sub"], claims["iss"]);
        let lifetime = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
        assert!((1..=600).contains(&lifetime), "{claims}");
        let id = claims["jti"].as_str().unwrap().to_owned();
        assert!(!seen.contains(&id), "an assertion is good for one request");
        seen.push(id);
    }
}

#[tokio::test]
async fn rs256_with_x5t_from_two_files() {
    needs!("openssl");
    let lines =
        "certificate = { file = \"app.crt\", key_file = \"app.key\", algorithm = \"RS256\" }";
    let stage = Stage::start(lines, async |sandbox, home| {
        make_certificate(home, "app")?;
        register_certificate(sandbox, home, "app").await
    })
    .await;
    stage.assert_both_flows("", RS256).await;
}

#[tokio::test]
async fn from_pkcs_12() {
    needs!("openssl");
    let lines = "certificate = { file = \"app.p12\", password_file = \"app.password\" }";
    let stage = Stage::start(lines, async |sandbox, home| {
        make_certificate(home, "app")?;
        fs::write(home.join("app.password"), "pass word\n")?;
        let export = ["pkcs12", "-export", "-inkey", "app.key", "-in", "app.crt"];
        let out = ["-out", "app.p12", "-passout", "file:app.password"];
        openssl(home, &[&export[..], &out[..]].concat())?;
        register_certificate(sandbox, home, "app").await
    })
    .await;
    stage.assert_both_flows("", PS256).await;
}

#[tokio::test]
async fn replaced_while_the_gateway_runs() {
    needs!("openssl");
    let stage = Stage::start(
        "certificate = { file = \"app.pem\" }",
        async |sandbox, home| {
            make_certificate(home, "app")?;
            make_certificate(home, "next")?;
            put_together(home, "app")?;
            register_certificate(sandbox, home, "app").await
        },
    )
    .await;
    let home = stage.office.dir.path().join("gateway");
    stage.connect(ADA).await;
    let first = thumbprint(&stage.wire.token_request("authorization_code").await);

    // Half a file is not a certificate: the one before stays in use.
    let whole = fs::read(home.join("app.pem")).unwrap();
    fs::write(home.join("app.pem"), &whole[..whole.len() / 2]).unwrap();
    stage.connect(ADA).await;
    assert_eq!(
        thumbprint(&stage.wire.token_request("authorization_code").await),
        first
    );

    register_certificate(&stage.office.sandbox, &home, "next")
        .await
        .unwrap();
    fs::copy(home.join("next.key"), home.join("app.key")).unwrap();
    fs::copy(home.join("next.crt"), home.join("app.crt")).unwrap();
    put_together(&home, "app").unwrap();
    stage.connect(BRUNO).await;
    assert_ne!(
        thumbprint(&stage.wire.token_request("authorization_code").await),
        first
    );
    stage.app_only().await;
}

#[tokio::test]
async fn one_that_is_not_registered() {
    needs!("openssl");
    let stage = Stage::start(
        "certificate = { file = \"app.pem\" }",
        async |sandbox, home| {
            make_certificate(home, "app")?;
            make_certificate(home, "other")?;
            put_together(home, "app")?;
            register_certificate(sandbox, home, "other").await
        },
    )
    .await;
    let diagnosis = stage.refused(ADA).await;
    assert_eq!(diagnosis["code"], "certificate_unknown", "{diagnosis:#}");
    assert_eq!(diagnosis["error_codes"], json!([700027]));
    stage.office.assert_nothing_kept().await;

    let body = json!({"application": "archive", "address": "support@quillmere.test"});
    let refused = stage.office.gateway.post("/v1/accounts", &body).await;
    assert_eq!(
        refused.body["diagnosis"]["code"], diagnosis["code"],
        "{}",
        refused.text
    );
}

/// As many tools want it: the key and its certificate in `NAME.pem`.
fn put_together(home: &Path, name: &str) -> anyhow::Result<()> {
    let mut whole = fs::read(home.join(format!("{name}.key")))?;
    whole.extend(fs::read(home.join(format!("{name}.crt")))?);
    fs::write(home.join(format!("{name}.pem")), whole)?;
    Ok(())
}

async fn register_certificate(sandbox: &Sandbox, home: &Path, name: &str) -> anyhow::Result<()> {
    let pem = fs::read_to_string(home.join(format!("{name}.crt")))?;
    register(
        sandbox,
        &json!({"secrets": [], "certificates": [{"pem": pem}]}),
    )
    .await
}

fn thumbprint(request: &Request) -> String {
    request.assertion().unwrap().0["x5t#S256"].to_string()
}

fn der(file: &Path) -> Vec<u8> {
    let pem = fs::read_to_string(file).unwrap();
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}
