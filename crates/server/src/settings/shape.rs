//! What is said of a settings file that has not the shape of one.

use config::ConfigError;

use super::SettingsError;

/// The error for the person who wrote the file: the key in full, and what to write instead.
pub(super) fn wrong(error: &serde_path_to_error::Error<ConfigError>) -> SettingsError {
    let path = match error.path().to_string() {
        path if path == "." => String::new(),
        path => path,
    };
    let cause = innermost(error.inner());
    // The path of a missing key is its table's, and so is the start of the key's own name.
    if let ConfigError::NotFound(key) = cause {
        let key = key.rsplit(['.', ']']).next().unwrap_or(key);
        return SettingsError::key(below(&path, key), missing(key));
    }
    let problem = match cause {
        ConfigError::Message(message) => reworded(&path, message),
        ConfigError::Type {
            unexpected,
            expected,
            ..
        } => reworded(
            &path,
            &format!("invalid type: {unexpected}, expected {expected}"),
        ),
        other => other.to_string(),
    };
    // An unknown key is named by the message where the path stops at its table.
    let path = if path.is_empty() {
        "settings".to_owned()
    } else {
        path
    };
    SettingsError::key(path, problem)
}

fn innermost(error: &ConfigError) -> &ConfigError {
    match error {
        ConfigError::At { error, .. } => innermost(error),
        other => other,
    }
}

fn below(table: &str, key: &str) -> String {
    match table {
        "" => key.to_owned(),
        table => format!("{table}.{key}"),
    }
}

fn missing(key: &str) -> String {
    match key {
        "id" => "is missing: write the name by which requests and commands call it",
        "provider" => "is missing: write \"microsoft365\", or another preset or [[provider]]",
        "tls" => "is missing: write \"implicit\" (port 993) or \"starttls\"",
        _ => "is missing",
    }
    .to_owned()
}

/// What the library says of types is in the words of our source.
fn reworded(path: &str, message: &str) -> String {
    let key = path.rsplit('.').next().unwrap_or(path);
    if key == "tls" {
        return "must be \"implicit\" or \"starttls\"".to_owned();
    }
    if message.starts_with("unknown field `client_secret`") {
        return "a secret is not written into the settings: put it into a file, and the file's name into \
                client_secret_file; or into a variable, and its name into client_secret_env"
            .to_owned();
    }
    let Some((_, expected)) = message
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.split_once(", expected "))
    else {
        return message.to_owned();
    };
    match (key, expected) {
        ("application" | "provider", "a sequence") => {
            format!("is a list of tables: write [[{key}]], in double brackets")
        }
        ("certificate", _) => "is a table: write { file = \"app.pem\" }".to_owned(),
        ("federated", _) => "is a table: write { token_file = \"token.jwt\" }".to_owned(),
        ("service_account", _) => "is a table: write { file = \"key.json\" }".to_owned(),
        ("imap" | "smtp" | "pop3", _) => {
            "is a table: write { host = \"mail.example.com\", port = 993, tls = \"implicit\" }"
                .to_owned()
        }
        ("server" | "storage" | "master_key", _) => format!("is a table: write [{key}]"),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    fn said(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mailgrant.toml");
        std::fs::write(&file, text).unwrap();
        Settings::load(Some(&file), std::iter::empty())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_wrong_shape_is_told_by_its_key_and_what_to_write() {
        let begun = "[[application]]\nid = \"a\"\nprovider = \"microsoft365\"\nclient_id = \"x\"\n";
        for (text, key, words) in [
            (
                "[[application]]\nid = \"a\"",
                "application[0].provider: is missing",
                "\"microsoft365\"",
            ),
            (
                "[[application]]\nprovider = \"outlook\"",
                "application[0].id: is missing",
                "name",
            ),
            (
                "[application]\nid = \"a\"",
                "application: ",
                "[[application]]",
            ),
            ("server = 1", "server: ", "[server]"),
            (
                &format!("{begun}certificate = {{}}"),
                "application[0].certificate.file: is missing",
                "",
            ),
            (
                &format!("{begun}certificate = \"a.pem\""),
                "application[0].certificate: ",
                "{ file =",
            ),
            (
                &format!("{begun}federated = \"a\""),
                "application[0].federated: ",
                "{ token_file =",
            ),
            (
                &format!("{begun}client_secret = \"abc\""),
                "application[0].client_secret: ",
                "client_secret_file",
            ),
            (
                &format!("{begun}colour = \"abc\""),
                "application[0].colour: unknown field `colour`",
                "expected one of",
            ),
            (
                "[[provider]]\nid = \"p\"\nimap = { host = \"x\", port = 993 }",
                "provider[0].imap.tls: is missing",
                "\"starttls\"",
            ),
        ] {
            let said = said(text);
            assert!(
                said.starts_with(key) && said.contains(words),
                "{text}\n-> {said}"
            );
            assert!(!said.contains("struct") && !said.contains("abc"), "{said}");
        }
    }
}
