//! Every way in which an application proves who it is, in both flows, each ending in mail: before the sandbox, and
//! before oidc-provider with Dovecot.
//!
//! What went over the wire is compared, and printed, without its secrets.

mod certificate;
mod conformant;
mod federated;
mod none;
mod secret;
mod service_account;

use std::path::Path;

use anyhow::Result;
use mailgrant_tests::{
    office::{ADA, ARCHIVE, CORP, Office, SUPPORT, Settings},
    sandbox::Sandbox,
    wire::{Request, Wire},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

const SCOPES: &str =
    "openid profile email offline_access https://outlook.office.com/IMAP.AccessAsUser.All";

/// A gateway before the sandbox, and the wire between them.
struct Stage {
    office: Office,
    wire: Wire,
}

impl Stage {
    /// Both applications prove themselves by these lines of TOML.
    async fn start(
        credential: &str,
        prepare: impl AsyncFnOnce(&Sandbox, &Path) -> Result<()>,
    ) -> Self {
        let wire = Wire::tap().await.unwrap();
        let settings = Settings {
            credential: Some(credential.to_owned()),
            http_proxy: Some(wire.url.clone()),
            ..Settings::default()
        };
        let office = Office::start_after(settings, prepare).await.unwrap();
        Self { office, wire }
    }

    /// A person connects their mailbox, and it is read: at once, and with a refreshed token.
    async fn delegated(&self) -> [Request; 2] {
        let lifetime = "token-lifetime";
        // So short that the next use asks for another.
        let short = json!({"seconds": 30});
        self.office.sandbox.control(lifetime, &short).await.unwrap();
        let account = self.connect(ADA).await;
        let code = self.wire.token_request("authorization_code").await;
        self.read(&account).await;
        let refresh = self.wire.token_request("refresh_token").await;
        let long = json!({"seconds": 3600});
        self.office.sandbox.control(lifetime, &long).await.unwrap();
        [code, refresh]
    }

    /// The application's own mailbox is added and read.
    async fn app_only(&self) -> Request {
        let body = json!({"application": "archive", "address": SUPPORT});
        let added = self.office.gateway.post("/v1/accounts", &body).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
        assert_eq!(added.body["flow"], "app_only");
        self.read(added.body["id"].as_str().unwrap()).await;
        self.wire.token_request("client_credentials").await
    }

    /// Gives the account's id.
    async fn connect(&self, address: &str) -> String {
        let (session, page) = self.office.connect(address, json!({})).await.unwrap();
        assert_eq!(session["status"], "connected", "{session:#}\n{}", page.body);
        session["account_id"].as_str().unwrap().to_owned()
    }

    /// The diagnosis of a sign-in that the application's credential ends.
    async fn refused(&self, address: &str) -> Value {
        let (session, page) = self.office.connect(address, json!({})).await.unwrap();
        assert_eq!(session["status"], "failed", "{session:#}\n{}", page.body);
        session["diagnosis"].clone()
    }

    async fn read(&self, account: &str) {
        let path = format!("/v1/accounts/{account}/emails");
        let emails = self.office.gateway.get(&path).await;
        assert_eq!(emails.status, StatusCode::OK, "{}", emails.text);
        assert!(!emails.body["items"].as_array().unwrap().is_empty());
    }

    /// Both flows, and what they put on the wire.
    async fn assert_both_flows(&self, header: &str, authentication: &str) -> [Request; 3] {
        let [code, refresh] = self.delegated().await;
        let app_only = self.app_only().await;
        let requests = [code, refresh, app_only];
        assert_spoken(&requests, header, authentication);
        requests
    }
}

/// A code, a refresh and an app-only request that authenticate so. `{}` stands for the client id.
fn assert_spoken(requests: &[Request; 3], header: &str, authentication: &str) {
    let grants = [
        (
            "grant_type=authorization_code code=… redirect_uri=… code_verifier=…".to_owned(),
            CORP,
        ),
        (
            format!("grant_type=refresh_token refresh_token=… scope={SCOPES}"),
            CORP,
        ),
        (
            "grant_type=client_credentials scope=https://outlook.office365.com/.default".to_owned(),
            ARCHIVE,
        ),
    ];
    for (request, (grant, client_id)) in requests.iter().zip(grants) {
        println!("{}", request.shown());
        let expected = format!("{header}{grant}{}", authentication.replace("{}", client_id));
        assert_eq!(request.shown(), expected);
    }
}

/// Changes both registrations.
async fn register(sandbox: &Sandbox, change: &Value) -> Result<()> {
    for client_id in [CORP, ARCHIVE] {
        let path = format!("directory/applications/{client_id}");
        sandbox.change(&path, change).await?;
    }
    Ok(())
}
