//! Settings of credentials: what starts, and what is said to what does not.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use mailgrant_core::time::UnixTime;
use mailgrant_oauth::Credential;
use mailgrant_server::{Application, Clock, Environment, Gateway, Settings};
use tempfile::TempDir;

/// A folder with the settings file and all that it may name, made by openssl.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for name in [
            "both.pem",
            "certificate.pem",
            "key.pem",
            "other.key.pem",
            "encrypted.key.pem",
            "ec.pem",
            "modern.p12",
        ] {
            std::fs::copy(Path::new(FIXTURES).join(name), folder.0.path().join(name)).unwrap();
        }
        folder.write("secret", "canary-secret\n");
        folder.write("empty", "");
        folder.write("password", "canary-password\n");
        folder.write("token.jwt", TOKEN);
        let private_key = std::fs::read_to_string(folder.0.path().join("key.pem")).unwrap();
        let key = |token_uri: &str| {
            serde_json::json!({
                "type": "service_account", "client_email": "reader@mail.test", "client_id": "10399",
                "private_key": private_key, "private_key_id": "k", "token_uri": token_uri,
            })
        };
        folder.write(
            "key.json",
            key("https://oauth2.googleapis.com/token").to_string(),
        );
        folder.write(
            "plain.json",
            key("http://oauth2.googleapis.com/token").to_string(),
        );
        folder
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    /// The application with these lines.
    fn load(&self, lines: &str) -> Result<Application, String> {
        self.load_with(lines, &[])
    }

    fn load_with(&self, lines: &str, variables: &[(&str, &str)]) -> Result<Application, String> {
        let provider = if lines.contains("service_account") {
            "google"
        } else {
            "microsoft365"
        };
        let file = self.0.path().join("mailgrant.toml");
        let text = format!(
            "[[application]]\nid = \"contoso\"\nprovider = \"{provider}\"\ntenant = \"contoso.test\"\n{lines}\n"
        );
        std::fs::write(&file, text).unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::load(Some(&file), variables).map_err(|error| error.to_string())?;
        let shown = format!("{settings:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("PRIVATE"),
            "{shown}"
        );
        Ok(settings.applications.into_iter().next().unwrap())
    }
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../oauth/src/tests/fixtures");
/// {"alg":"RS256"} . {"iss":"https://k.test"} . canary
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2sudGVzdCJ9.canary";
const ID: &str = "client_id = \"11111111-2222-3333-4444-555555555555\"";
/// 2126-10-29, the certificate's `notAfter`.
const END: i64 = 4_948_955_637;

#[test]
fn every_kind_is_read_and_tells_its_end() {
    let folder = Folder::new();
    for (lines, kind, ends_at) in [
        ("", "none", None),
        ("client_secret_file = \"secret\"", "secret", None),
        (
            "client_secret_file = \"secret\"\nclient_secret_expires = 2027-06-01",
            "secret",
            Some(1_811_808_000),
        ),
        ("client_secret_env = \"S\"", "secret", None),
        (
            "certificate = { file = \"both.pem\" }",
            "certificate",
            Some(END),
        ),
        (
            "certificate = { file = \"certificate.pem\", key_file = \"key.pem\" }",
            "certificate",
            Some(END),
        ),
        (
            "certificate = { file = \"modern.p12\", password_file = \"password\", algorithm = \"RS256\", audience = \"issuer\", key_id = \"k\" }",
            "certificate",
            Some(END),
        ),
        (
            "certificate = { file = \"certificate.pem\", key_file = \"encrypted.key.pem\", password_env = \"P\", algorithm = \"PS256\", audience = \"token_endpoint\" }",
            "certificate",
            Some(END),
        ),
        (
            "federated = { token_file = \"token.jwt\" }",
            "federated",
            None,
        ),
    ] {
        let variables = [("P", "canary-password"), ("S", "canary-secret")];
        let application = folder.load_with(&format!("{ID}\n{lines}"), &variables);
        let application = application.unwrap_or_else(|error| panic!("{lines}: {error}"));
        assert_eq!(application.credential.kind(), kind, "{lines}");
        let end = application.credential_ends_at().map(|time| time.0);
        assert_eq!(end, ends_at, "{lines}");
    }
}

#[test]
fn a_service_accounts_file_tells_the_client_id() {
    let folder = Folder::new();
    let account = "service_account = { file = \"key.json\" }";
    let application = folder.load(account).unwrap();
    assert_eq!(application.client_id.as_str(), "10399");
    assert!(
        matches!(&application.credential, Credential::ServiceAccount(account) if account.email() == "reader@mail.test")
    );
    let named = folder
        .load(&format!("client_id = \"mine\"\n{account}"))
        .unwrap();
    assert_eq!(named.client_id.as_str(), "mine");
}

#[test]
fn the_environment_lies_over_credentials_too() {
    let folder = Folder::new();
    let lines = format!("{ID}\ncertificate = {{ file = \"gone.pem\" }}");
    let file = folder.0.path().join("both.pem");
    let variable = (
        "MAILGRANT_APPLICATION__CONTOSO__CERTIFICATE__FILE",
        file.to_str().unwrap(),
    );
    let application = folder.load_with(&lines, &[variable]).unwrap();
    assert_eq!(application.credential.kind(), "certificate");
}

#[test]
fn what_cannot_work_stops_the_start_and_names_the_key() {
    let folder = Folder::new();
    for (lines, key, words) in [
        (
            "client_secret_file = \"secret\"\nclient_secret_env = \"S\"",
            "client_secret_file",
            "either `client_secret_file` or `client_secret_env`, not both",
        ),
        (
            "client_secret_file = \"secret\"\ncertificate = { file = \"both.pem\" }",
            "client_secret_file",
            "either `client_secret_file` or `certificate`",
        ),
        (
            "certificate = { file = \"both.pem\" }\nfederated = { token_file = \"token.jwt\" }",
            "certificate",
            "either `certificate` or `federated`",
        ),
        (
            "federated = { token_file = \"token.jwt\" }\nservice_account = { file = \"key.json\" }",
            "federated",
            "either `federated` or `service_account`",
        ),
        (
            "certificate = { file = \"both.pem\" }\nclient_secret_expires = 2027-06-01",
            "client_secret_expires",
            "belongs to a client secret",
        ),
        (
            "client_secret_file = \"empty\"",
            "client_secret_file",
            "holds no secret",
        ),
        (
            "client_secret_file = \"gone\"",
            "client_secret_file",
            "gone: cannot be read",
        ),
        (
            "client_secret_env = \"GONE\"",
            "client_secret_env",
            "GONE is not set",
        ),
        (
            "certificate = { key_file = \"key.pem\" }",
            "certificate",
            "file",
        ),
        (
            "certificate = { file = \"both.pem\", pasword = \"x\" }",
            "pasword",
            "unknown field",
        ),
        (
            "certificate = \"both.pem\"",
            "certificate",
            "write { file =",
        ),
        (
            "certificate = { file = \"gone.pem\" }",
            "certificate.file",
            "gone.pem: cannot be read",
        ),
        (
            "certificate = { file = \"empty\" }",
            "certificate.file",
            "neither PEM nor PKCS#12",
        ),
        (
            "certificate = { file = \"certificate.pem\" }",
            "certificate.file",
            "holds no private key",
        ),
        (
            "certificate = { file = \"ec.pem\" }",
            "certificate.file",
            "not an RSA key",
        ),
        (
            "certificate = { file = \"certificate.pem\", key_file = \"other.key.pem\" }",
            "certificate.key_file",
            "does not belong to the certificate",
        ),
        (
            "certificate = { file = \"certificate.pem\", key_file = \"gone.pem\" }",
            "certificate.key_file",
            "gone.pem: cannot be read",
        ),
        (
            "certificate = { file = \"certificate.pem\", key_file = \"encrypted.key.pem\" }",
            "certificate",
            "encrypted: give its password by `password_file` or `password_env`",
        ),
        (
            "certificate = { file = \"modern.p12\" }",
            "certificate",
            "has a password: give it by `password_file` or `password_env`",
        ),
        (
            "certificate = { file = \"modern.p12\", password_file = \"secret\" }",
            "certificate.password_file",
            "does not open",
        ),
        (
            "certificate = { file = \"modern.p12\", password_file = \"empty\" }",
            "certificate.password_file",
            "holds no password",
        ),
        (
            "certificate = { file = \"modern.p12\", password_env = \"S\" }",
            "certificate.password_env",
            "does not open",
        ),
        (
            "certificate = { file = \"modern.p12\", password_env = \"GONE\" }",
            "certificate.password_env",
            "GONE is not set",
        ),
        (
            "certificate = { file = \"modern.p12\", password_env = \"S\", password_file = \"password\" }",
            "certificate.password_file",
            "not both",
        ),
        (
            "certificate = { file = \"both.pem\", algorithm = \"ES256\" }",
            "certificate.algorithm",
            "write \"PS256\" (the default) or \"RS256\"",
        ),
        (
            "certificate = { file = \"both.pem\", audience = \"https://x\" }",
            "certificate.audience",
            "write \"token_endpoint\" (the default) or \"issuer\"",
        ),
        (
            "certificate = { file = \"both.pem\", key_id = \"\" }",
            "certificate.key_id",
            "leave it out",
        ),
        ("federated = {}", "federated", "token_file"),
        (
            "federated = { token_file = \"gone.jwt\" }",
            "federated.token_file",
            "gone.jwt: cannot be read",
        ),
        (
            "federated = { token_file = \"secret\" }",
            "federated.token_file",
            "signed JWT",
        ),
        (
            "service_account = { file = \"gone.json\" }",
            "service_account.file",
            "gone.json: cannot be read",
        ),
        (
            "service_account = { file = \"both.pem\" }",
            "service_account.file",
            "Google's console",
        ),
        (
            "service_account = { file = \"plain.json\" }",
            "service_account.file",
            "`token_uri`",
        ),
    ] {
        let lines = format!("{ID}\n{lines}");
        let error = folder
            .load_with(&lines, &[("S", "canary-secret")])
            .unwrap_err();
        let named = error.starts_with(&format!("application[0].{key}: "))
            || (error.starts_with("application[0]") && error.contains(key));
        assert!(named && error.contains(words), "{lines}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
    let error = folder
        .load("certificate = { file = \"both.pem\" }")
        .unwrap_err();
    assert!(
        error.starts_with("application[0].client_id: is missing"),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_that_has_ended_stops_the_start_and_names_the_setting() {
    let folder = Folder::new();
    let application = folder.load(&format!("{ID}\ncertificate = {{ file = \"both.pem\" }}"));
    let file = folder.0.path().join("mailgrant.toml");
    let listen = (
        "MAILGRANT_SERVER__LISTEN".to_owned(),
        "127.0.0.1:0".to_owned(),
    );
    let settings = Settings::load(Some(&file), [listen].into_iter()).unwrap();
    assert_eq!(settings.applications[0].id, application.unwrap().id);
    let environment = Environment {
        clock: Arc::new(Simulated(AtomicI64::new(END))),
        ..Environment::system()
    };
    let error = Gateway::start(settings, environment)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("application `contoso`: certificate.file: "),
        "{error}"
    );
    assert!(
        error.contains("both.pem: the certificate has expired on 2126-10-29: make a new one"),
        "{error}"
    );
}

#[tokio::test]
async fn a_replaced_certificate_raises_no_alarm() {
    let folder = Folder::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let until = |year, month| {
        let mut certificate = rcgen::CertificateParams::new(Vec::new()).unwrap();
        certificate.not_before = rcgen::date_time_ymd(2026, 1, 1);
        certificate.not_after = rcgen::date_time_ymd(year, month, 1);
        let certificate = certificate.self_signed(&key).unwrap();
        format!("{}{}", certificate.pem(), key.serialize_pem())
    };
    folder.write("replaced.pem", until(2027, 3));
    folder.write("forgotten.pem", until(2027, 3));
    folder
        .load(&format!(
            "{ID}\ncertificate = {{ file = \"replaced.pem\" }}\n[[application]]\nid = \"other\"\n\
             provider = \"microsoft365\"\ntenant = \"contoso.test\"\n{ID}\n\
             certificate = {{ file = \"forgotten.pem\" }}\n[server]\nlisten = \"127.0.0.1:0\""
        ))
        .unwrap();
    let settings = Settings::load(
        Some(&folder.0.path().join("mailgrant.toml")),
        [].into_iter(),
    );
    // 2027-01-15.
    let clock = Arc::new(Simulated(AtomicI64::new(1_800_000_000)));
    let environment = Environment {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..Environment::system()
    };
    let running = Gateway::start(settings.unwrap(), environment)
        .await
        .unwrap();
    running.round().await;
    folder.write("replaced.pem", until(2028, 3));
    // 2027-02-10: nineteen days before the first end.
    clock.0.store(1_802_246_400, Ordering::Relaxed);
    running.round().await;

    let listed = running.storage().events().list("default", None, 100).await;
    let page = listed.unwrap().unwrap();
    let told: Vec<_> = page
        .events
        .iter()
        .map(|event| &event.data["application"])
        .collect();
    assert_eq!(told, ["other"]);
    running.stop().await;
}

struct Simulated(AtomicI64);

impl Clock for Simulated {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::Relaxed))
    }
}
