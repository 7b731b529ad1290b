use serde_json::Value;

use crate::process::{Home, mailgrant, run, stderr, stdout};

fn create(home: &Home, more: &[&str]) -> String {
    let output = home.run(&[&["keys", "create", "--scope", "connect,mail:read"], more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output).trim().to_owned()
}

fn listed(home: &Home) -> Vec<Value> {
    let output = home.run(&["keys", "list", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_key_is_printed_once_and_alone() {
    let home = Home::new();
    let secret = create(&home, &["--site", "shop", "--label", "ci"]);
    assert!(secret.starts_with("mgk_") && secret.len() == 47, "{secret}");
    let keys = listed(&home);
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["site"], "shop");
    assert_eq!(keys[0]["label"], "ci");
    assert_eq!(
        keys[0]["scopes"],
        serde_json::json!(["connect", "mail:read"])
    );
    let shown = stdout(&home.run(&["keys", "list"]));
    assert!(
        shown.contains("shop") && !shown.contains(&secret),
        "{shown}"
    );
    assert!(!keys[0].to_string().contains(&secret));
    assert!(!home.path("mailgrant.db-wal").exists(), "closed in order");
}

#[test]
fn a_reader_that_has_gone_away_is_no_panic() {
    let home = Home::new();
    create(&home, &[]);
    for words in [&["keys", "list"][..], &["keys", "list", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = mailgrant();
        command.args(words).arg("--config");
        command.arg(home.path("mailgrant.toml")).stdout(writer);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("nobody reads the output"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_key_in_json_is_one_object() {
    let home = Home::new();
    let output = home.run(&["--json", "keys", "create", "--scope", "all"]);
    let key: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(key["secret"].as_str().unwrap().starts_with("mgk_"));
    assert_eq!(key["scopes"].as_array().unwrap().len(), 7);
}

#[test]
fn a_revoked_key_is_listed_as_such() {
    let home = Home::new();
    create(&home, &[]);
    let id = listed(&home)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(home.run(&["keys", "revoke", &id]).status.code(), Some(0));
    assert!(listed(&home)[0]["revoked_at"].is_string());
    assert!(stdout(&home.run(&["keys", "list"])).contains("REVOKED"));
    let unknown = home.run(&["keys", "revoke", "key_00000000000000000000000000000000"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        stderr(&unknown).contains("keys list"),
        "{}",
        stderr(&unknown)
    );
    assert_eq!(run(&["keys", "revoke", "nonsense"]).status.code(), Some(2));
}

#[test]
fn the_master_key_in_a_file_is_replaced() {
    let home = Home::new();
    create(&home, &[]);
    let before = std::fs::read_to_string(home.path("master.key")).unwrap();
    let output = home.run(&["keys", "rotate-master"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_ne!(
        std::fs::read_to_string(home.path("master.key")).unwrap(),
        before
    );
    assert_eq!(listed(&home).len(), 1);

    std::fs::write(home.path("master.key"), before).unwrap();
    let refused = home.run(&["keys", "list"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        stderr(&refused).contains("needs master key"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn the_master_key_in_a_variable_is_replaced() {
    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "HxwdHhsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
    let home = Home::new();
    home.write(
        "mailgrant.toml",
        "[master_key]\nenv = \"CORP_MASTER_KEY\"\n",
    );
    let with = |key: &str, words: &[&str]| {
        let mut command = crate::process::mailgrant();
        command
            .args(words)
            .arg("--config")
            .arg(home.path("mailgrant.toml"));
        command
            .env("CORP_MASTER_KEY", key)
            .env("CORP_NEXT_KEY", NEW)
            .output()
            .unwrap()
    };
    assert_eq!(
        with(OLD, &["keys", "create", "--scope", "all"])
            .status
            .code(),
        Some(0)
    );
    let how = with(OLD, &["keys", "rotate-master"]);
    assert_eq!(how.status.code(), Some(3));
    assert!(stderr(&how).contains("--new-env"), "{}", stderr(&how));
    let done = with(
        OLD,
        &["keys", "rotate-master", "--new-env", "CORP_NEXT_KEY"],
    );
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert!(
        stdout(&done).contains("CORP_MASTER_KEY"),
        "{}",
        stdout(&done)
    );
    assert!(!stdout(&done).contains(NEW));
    assert_eq!(with(OLD, &["keys", "list"]).status.code(), Some(3));
    assert_eq!(with(NEW, &["keys", "list"]).status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_master_key_that_others_can_read_is_refused_with_what_to_type() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    create(&home, &[]);
    std::fs::set_permissions(
        home.path("master.key"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let output = home.run(&["keys", "list"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("chmod 600"), "{}", stderr(&output));
}
