//! npm `oidc-provider` as the authority.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::process::{Server, root};

pub struct Authority {
    pub issuer: String,
    pub secret: String,
    pub server: Server,
    http: reqwest::Client,
}

/// How the authority's access tokens look, and so how Dovecot checks them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Dovecot verifies the signature itself.
    Jwt,
    /// Dovecot asks the authority (RFC 7662).
    Opaque,
}

impl Authority {
    /// Starts it; the public half of its signing key goes into `keys`, where Dovecot looks for it.
    pub async fn start(
        dir: &Path,
        keys: &Path,
        redirect_uri: &str,
        format: Format,
        access_token_seconds: u32,
    ) -> Result<Self> {
        let more = json!({});
        Self::start_with(dir, keys, redirect_uri, format, access_token_seconds, &more).await
    }

    /// The same with more options of the component.
    pub async fn start_with(
        dir: &Path,
        keys: &Path,
        redirect_uri: &str,
        format: Format,
        access_token_seconds: u32,
        more: &Value,
    ) -> Result<Self> {
        fs::create_dir_all(keys)?;
        let mut options = json!({
            "redirectUris": [redirect_uri],
            "accessTokenSeconds": access_token_seconds,
            "format": if format == Format::Jwt { "jwt" } else { "opaque" },
            "keys": keys,
        });
        let more = more.as_object().cloned().unwrap_or_default();
        options.as_object_mut().context("no options")?.extend(more);
        let mut input = tempfile::tempfile_in(dir)?;
        input.write_all(options.to_string().as_bytes())?;
        std::io::Seek::rewind(&mut input)?;
        let log = dir.join("authority.log");
        let mut command = Command::new("node");
        command.arg(root().join("tests/components/authority.mjs"));
        let mut server = Server::start_with_input(&mut command, log, Stdio::from(input))?;
        let ready: Value = server.wait_for("a ready authority", |printed| {
            printed
                .lines()
                .find_map(|line| serde_json::from_str(line).ok())
        })?;
        Ok(Self {
            issuer: ready["issuer"].as_str().context("no issuer")?.to_owned(),
            secret: ready["secret"].as_str().context("no secret")?.to_owned(),
            server,
            http: reqwest::Client::new(),
        })
    }

    /// How often a grant type ended so: `refresh_token:success`.
    pub async fn count(&self, what: &str) -> u64 {
        let counts = self
            .http
            .get(format!("{}/_counts", self.issuer))
            .send()
            .await
            .unwrap();
        let counts: Value = counts.json().await.unwrap();
        counts[what].as_u64().unwrap_or(0)
    }

    /// Every token, code and verifier that it has issued or been shown.
    pub async fn secrets(&self) -> Vec<String> {
        let secrets = self
            .http
            .get(format!("{}/_secrets", self.issuer))
            .send()
            .await
            .unwrap();
        secrets.json().await.unwrap()
    }

    /// From now on every request but control is answered 503 with HTML, or is not.
    pub async fn down(&self, down: bool) {
        self.control("_down", &json!({"down": down})).await;
    }

    /// From now on every request but control is answered with HTML under this status.
    pub async fn answer_html(&self, status: u16) {
        self.control("_down", &json!({"down": true, "status": status}))
            .await;
    }

    /// From now on sign-ins begin with this nonce in place of their own, so that it ends up in the id_token.
    pub async fn forge_nonce(&self, forged: &str) {
        self.control("_nonce", &json!({"forged": forged})).await;
    }

    /// Ends the family of refresh tokens of a person.
    pub async fn revoke(&self, account: &str) {
        let revoked = self.control("_revoke", &json!({"account": account})).await;
        assert_eq!(revoked["revoked"], true);
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .http
            .post(format!("{}/{path}", self.issuer))
            .json(body)
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }
}
