//! What the gateways share, and who asks them.

use std::sync::Arc;

use mailgrant_core::scope::Scopes;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    AccountState, ApiScope, Flow, Identity, MasterKeySource, NewAccount, NewApiKey, NewGrant,
    SystemRandom,
};
use serde_json::{Value, json};

use super::authority::Authority;
use crate::process::{Home, Server, mailgrant};

/// Settings, a database with one account, and a key for its requests.
pub(super) struct World {
    pub(super) home: Home,
    pub(super) account: String,
    key: String,
}

impl World {
    pub(super) async fn new(authority: &Authority) -> Self {
        let home = Home::new();
        let database = home.path("mailgrant.db");
        for name in ["a", "b"] {
            std::fs::create_dir(home.path(name)).unwrap();
            let settings = format!(
                r#"
[server]
listen = "127.0.0.1:0"
[storage]
url = "sqlite:{database}"
[master_key]
file = "{master}"
[[provider]]
id = "strict"
issuer = "{url}"
authorization_endpoint = "{url}/authorize"
token_endpoint = "{url}/token"
jwks_uri = "{url}/keys"
scopes = ["mail"]
imap = {{ host = "127.0.0.1", port = 9, tls = "implicit" }}
[[application]]
id = "strict"
provider = "strict"
client_id = "client"
"#,
                database = database.display(),
                master = home.path("master.key").display(),
                url = authority.url,
            );
            home.write(&format!("{name}/mailgrant.toml"), &settings);
        }
        let now = UnixTime(jiff::Timestamp::now().as_second());
        let storage = mailgrant_storage::open(
            &format!("sqlite:{}", database.display()),
            MasterKeySource::File(home.path("master.key")),
            Arc::new(SystemRandom),
            now,
        )
        .await
        .unwrap();
        let account = NewAccount {
            site: "default".to_owned(),
            application: "strict".to_owned(),
            flow: Flow::Delegated,
            tenant: None,
            state: AccountState::Connected,
            imap_user: "ada@example.com".to_owned(),
            smtp_user: "ada@example.com".to_owned(),
            from_address: "ada@example.com".to_owned(),
            identity: Some(Identity {
                issuer: authority.url.clone(),
                subject: "ada".to_owned(),
                tenant_id: None,
                object_id: None,
                email: None,
                preferred_username: None,
                name: None,
            }),
            diagnosis: None,
            metadata: json!({}),
        };
        let grant = NewGrant {
            refresh_token: RefreshToken::new("refresh-0").unwrap(),
            scopes: Scopes::parse("mail").unwrap(),
        };
        let account = storage.accounts().add(account, Some(grant), now).await;
        let key = NewApiKey {
            site: "default".to_owned(),
            label: "test".to_owned(),
            scopes: ApiScope::ALL.iter().copied().collect(),
        };
        let (_, key) = storage.api_keys().add(key, now).await.unwrap();
        storage.close().await;
        Self {
            home,
            account: account.unwrap().id.to_string(),
            key: key.expose().to_owned(),
        }
    }

    /// What is answered when the database is gone from before the authority answers until it was given up.
    pub(super) async fn answered_without_a_database(
        &self,
        authority: &Authority,
        asked: impl Future<Output = Option<(u16, Value)>> + Send + 'static,
    ) -> Value {
        authority.hold();
        let asked = tokio::spawn(asked);
        authority.arrived().await;
        let (database, aside) = (self.home.path("mailgrant.db"), self.home.path("aside.db"));
        std::fs::rename(&database, &aside).unwrap();
        authority.release();
        let (_, body) = asked.await.unwrap().expect("an answer");
        std::fs::rename(&aside, &database).unwrap();
        body
    }

    pub(super) fn gateway(&self, name: &str) -> Server {
        let folder = self.home.path(name);
        let _ = std::fs::remove_file(folder.join("ready.json"));
        let mut command = mailgrant();
        command
            .args(["serve", "--config"])
            .arg(folder.join("mailgrant.toml"));
        Server::start(command, &folder)
    }

    pub(super) fn caller(&self, gateway: &Server) -> Caller {
        let url = gateway.text("gateway").trim_end_matches('/');
        Caller {
            http: mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap(),
            accounts: format!("{url}/v1/accounts"),
            account: self.account.clone(),
            key: self.key.clone(),
        }
    }
}

/// Asks one gateway.
pub(super) struct Caller {
    http: reqwest::Client,
    accounts: String,
    account: String,
    key: String,
}

impl Caller {
    /// For the account's access token.
    pub(super) async fn ask(&self) -> Option<(u16, Value)> {
        let url = format!("{}/{}/access-token", self.accounts, self.account);
        self.answer(self.http.post(url)).await
    }

    /// Brings the first refresh token along, for a mailbox whose server is down.
    pub(super) async fn import(&self) -> Option<(u16, Value)> {
        let wanted = json!({"application": "strict", "address": "eve@example.com", "refresh_token": "refresh-0"});
        let request = self.http.post(&self.accounts);
        let request = request.header("Content-Type", "application/json");
        self.answer(request.body(wanted.to_string())).await
    }

    /// Status and body; nothing when the gateway goes away meanwhile.
    async fn answer(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let answer = request.bearer_auth(&self.key).send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    pub(super) async fn gets_a_token(&self) {
        let (status, body) = self.ask().await.expect("an answer");
        assert_eq!(status, 200, "{body:#}");
    }
}
