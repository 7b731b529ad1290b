//! Settings: what starts, and what is said to what does not.

use mailgrant_server::{MasterKeySource, Settings};

const GOOD: &str = r#"
[server]
listen = "127.0.0.1:8080"
public_url = "https://mail.example.com"
allowed_origins = ["https://app.example.com"]
[storage]
url = "sqlite:mailgrant.db"
[master_key]
file = "master.key"
[[application]]
id = "contoso"
provider = "microsoft365"
tenant = "contoso.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret_file = "secret"
client_secret_expires = 2027-06-01
[[application]]
id = "corp-mail"
provider = "corp"
client_id = "x"
[[provider]]
id = "corp"
issuer = "https://login.corp.test"
scopes = ["openid", "email", "offline_access", "mail"]
app_only_scopes = ["mail/.default"]
imap = { host = "imap.corp.test", port = 993, tls = "implicit" }
smtp = { host = "smtp.corp.test", port = 587, tls = "starttls" }
"#;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("secret"), "value\r\n").unwrap();
    let file = dir.path().join("mailgrant.toml");
    std::fs::write(&file, text).unwrap();
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(Some(&file), environment).map_err(|error| error.to_string())
}

#[test]
fn the_documented_file_is_read() {
    let settings = load(GOOD, &[]).unwrap();
    let contoso = settings.application("contoso").unwrap();
    assert_eq!(contoso.client_secret_expires.unwrap().0, 1_811_808_000);
    assert_eq!(contoso.tenant.as_deref(), Some("contoso.onmicrosoft.com"));
    assert!(
        matches!(&contoso.credential, mailgrant_oauth::Credential::Secret(secret) if secret.last().expose() == "value")
    );
    assert!(
        settings.storage.url.starts_with("sqlite:/")
            && settings.storage.url.ends_with("/mailgrant.db")
    );
    let MasterKeySource::File(file) = &settings.master_key else {
        panic!("no file")
    };
    assert!(file.is_absolute());
    let corp = settings.application("corp-mail").unwrap();
    assert_eq!(
        (
            corp.provider.imap.port,
            corp.provider.smtp.as_ref().unwrap().port
        ),
        (993, 587)
    );
    assert!(!format!("{settings:?}").contains("value\""));
}

#[test]
fn the_environment_lies_over_the_file() {
    let settings = load(
        GOOD,
        &[
            ("MAILGRANT_SERVER__LISTEN", "127.0.0.1:0"),
            (
                "MAILGRANT_SERVER__ALLOWED_ORIGINS",
                "https://a.example.com,https://b.example.com",
            ),
            ("MAILGRANT_APPLICATION__CONTOSO__CLIENT_ID", "by-id"),
            ("MAILGRANT_APPLICATION__1__CLIENT_ID", "by-place"),
            ("MAILGRANT_PROVIDER__CORP__IMAP__PORT", "1993"),
            ("MAILGRANT_MASTER_KEY", "not a setting"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(settings.server.listen.port(), 0);
    assert_eq!(settings.server.allowed_origins.len(), 2);
    assert_eq!(
        settings.application("contoso").unwrap().client_id.as_str(),
        "by-id"
    );
    assert_eq!(
        settings
            .application("corp-mail")
            .unwrap()
            .client_id
            .as_str(),
        "by-place"
    );
    assert_eq!(
        settings
            .application("corp-mail")
            .unwrap()
            .provider
            .imap
            .port,
        1993
    );
}

#[test]
fn secrets_come_from_the_environment_too() {
    let text = GOOD
        .replace(
            "client_secret_file = \"secret\"",
            "client_secret_env = \"CONTOSO_SECRET\"",
        )
        .replace("file = \"master.key\"", "env = \"KEY\"");
    let settings = load(&text, &[("CONTOSO_SECRET", "s3cret"), ("KEY", "k3y")]).unwrap();
    assert!(
        matches!(&settings.master_key, MasterKeySource::Value { value, .. } if value.expose() == "k3y")
    );
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert_eq!(
        load(&text, &[("KEY", "k3y")]).unwrap_err(),
        "application[0].client_secret_env: the environment variable CONTOSO_SECRET is not set"
    );
}

#[test]
fn what_cannot_work_stops_the_start_and_names_the_key() {
    for (from, to, key, word) in [
        ("listen =", "lisden =", "lisden", "unknown"),
        ("[storage]", "[storge]", "storge", "unknown"),
        (
            "id = \"contoso\"",
            "name = \"contoso\"",
            "application[0]",
            "name",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = \"localhost\"",
            "server.listen",
            "127.0.0.1:8080",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = true",
            "server.listen",
            "127.0.0.1:8080",
        ),
        (
            "https://mail.example.com",
            "http://mail.example.com",
            "server.public_url",
            "https://",
        ),
        (
            "https://mail.example.com",
            "https://mail.example.com/gateway",
            "server.public_url",
            "https://mail.example.com",
        ),
        (
            "https://app.example.com",
            "*",
            "server.allowed_origins[0]",
            "origin",
        ),
        (
            "sqlite:mailgrant.db",
            "mysql://x",
            "storage.url",
            "postgres",
        ),
        (
            "client_secret_file = \"secret\"",
            "client_secret_file = \"gone\"",
            "application[0].client_secret_file",
            "gone",
        ),
        (
            "2027-06-01",
            "\"next year\"",
            "application[0].client_secret_expires",
            "2027-06-01",
        ),
        (
            "provider = \"microsoft365\"",
            "provider = \"microsft\"",
            "application[0].provider",
            "microsoft365",
        ),
        (
            "provider = \"microsoft365\"",
            "provider = \"microsoft365\"\nscopes = [\"IMAP.AccessAsUser.All\"]",
            "application[0].scopes[0]",
            "https://outlook.office.com/IMAP.AccessAsUser.All",
        ),
        (
            "\"offline_access\", \"mail\"",
            "\"https://graph.microsoft.com/IMAP.AccessAsUser.All\"",
            "provider[0].scopes[2]",
            "https://outlook.office.com/IMAP.AccessAsUser.All",
        ),
        (
            "id = \"corp-mail\"",
            "id = \"contoso\"",
            "application[1].id",
            "twice",
        ),
        (
            "tenant = \"contoso.onmicrosoft.com\"",
            "tenant = \"../evil\"",
            "application[0].tenant",
            "tenant",
        ),
        (
            "tenant = \"contoso.onmicrosoft.com\"",
            "allowed_tenants = [\"contoso.onmicrosoft.com\"]",
            "application[0].allowed_tenants",
            "Tenant ID",
        ),
        (
            "issuer = \"https://login.corp.test\"",
            "issuer = \"http://login.corp.test\"",
            "provider[0].issuer",
            "https",
        ),
        (
            "issuer = \"https://login.corp.test\"",
            "token_endpoint = \"https://login.corp.test/token\"",
            "provider[0].authorization_endpoint",
            "missing",
        ),
        (
            "issuer = \"https://login.corp.test\"",
            "",
            "provider[0].issuer",
            "missing",
        ),
        ("port = 993", "port = 0", "provider[0].imap", "1 and 65535"),
        (
            "tls = \"implicit\"",
            "tls = \"none\"",
            "provider[0].imap",
            "implicit",
        ),
        (
            "client_id = \"x\"",
            "client_id = \"x\"\ntls_ca_file = \"x\"",
            "application[1]",
            "tls_ca_file",
        ),
        (
            "file = \"master.key\"",
            "env = \"NOT_SET\"",
            "master_key.env",
            "NOT_SET",
        ),
        (
            "client_id = \"x\"",
            "client_id = \"x\"\ncertificate = { file = \"c\" }",
            "application[1].certificate.file",
            "cannot be read",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = load(&GOOD.replace(from, to), &[]).unwrap_err();
        assert!(error.contains(key) && error.contains(word), "{to}: {error}");
    }
    assert!(
        load(GOOD, &[("MAILGRANT_SERVER__LISDEN", "x")])
            .unwrap_err()
            .contains("lisden")
    );
    assert!(load("[server", &[]).unwrap_err().contains("TOML"));
}

#[test]
fn a_public_url_is_needed_off_loopback() {
    assert!(
        load("[server]\nlisten = \"0.0.0.0:8080\"", &[])
            .unwrap_err()
            .contains("server.public_url")
    );
    assert!(load("[server]\nlisten = \"127.0.0.1:0\"", &[]).is_ok());
}

#[test]
fn who_has_not_registered_yet_needs_no_credential() {
    let unregistered = "[[application]]\nid = \"g\"\nprovider = \"google\"\n";
    let zeros = "client_id = \"00000000-0000-0000-0000-000000000000\"";
    let settings = load(&format!("{unregistered}{zeros}"), &[]).unwrap();
    assert!(!settings.application("g").unwrap().is_registered());
    let error = load(&format!("{unregistered}client_id = \"x\""), &[]).unwrap_err();
    assert!(error.contains("Gmail needs a client secret or"), "{error}");
}

#[test]
fn a_secret_in_the_place_of_its_file_is_not_said_again() {
    for secret in [
        "Abc8Q~canaryCanaryCanaryCanaryCanary.x",
        "GOCSPX-canary-canary",
        "0123456789canaryABCDEFGHIJKLMNOP",
    ] {
        let error = load(&GOOD.replace("\"secret\"", &format!("\"{secret}\"")), &[]).unwrap_err();
        assert!(
            error.starts_with("application[0].client_secret_file: ")
                && error.contains("put it into a file"),
            "{error}"
        );
        assert!(!error.contains("canary"), "{error}");
    }
    let error = load(&GOOD.replace("\"secret\"", "\"secrets/contoso\""), &[]).unwrap_err();
    assert!(error.contains("secrets/contoso"), "{error}");
}
