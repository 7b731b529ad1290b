use crate::process::{Home, mailgrant, run, stderr, stdout};

#[test]
fn a_wrong_setting_is_named_with_its_file() {
    let home = Home::new();
    home.write("mailgrant.toml", "[server]\nlisten = \"nowhere\"\n");
    let output = home.run(&["serve"]);
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    assert!(
        text.contains("mailgrant.toml") && text.contains("server.listen"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "one line, no backtrace: {text}");
}

#[test]
fn a_missing_file_is_named() {
    let output = run(&["serve", "--config", "/nowhere/mailgrant.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("/nowhere/mailgrant.toml"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn without_a_file_the_environment_is_enough() {
    let home = Home::new();
    let empty = tempfile::tempdir().unwrap();
    let output = mailgrant()
        .current_dir(empty.path())
        .args(["keys", "create", "--scope", "all"])
        .env(
            "MAILGRANT_STORAGE__URL",
            format!("sqlite:{}", home.path("elsewhere.db").display()),
        )
        .env("MAILGRANT_MASTER_KEY__FILE", home.path("elsewhere.key"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(home.path("elsewhere.db").exists() && home.path("elsewhere.key").exists());
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[test]
fn the_file_in_the_folder_is_found() {
    let home = Home::new();
    let output = mailgrant()
        .current_dir(home.0.path())
        .args(["keys", "list"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(home.path("mailgrant.db").exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_anybody_may_have_written_is_not_taken_unasked() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    let set = |name: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.path(name), permissions).unwrap();
    };
    let unasked = || {
        let mut command = mailgrant();
        command.current_dir(home.0.path()).args(["keys", "list"]);
        command.output().unwrap()
    };
    for (name, mode, safe) in [("mailgrant.toml", 0o666, 0o644), ("", 0o1777, 0o700)] {
        set(name, mode);
        let refused = unasked();
        assert_eq!(refused.status.code(), Some(3), "{name}");
        assert!(
            stderr(&refused).contains("--config"),
            "{}",
            stderr(&refused)
        );
        assert!(!home.path("mailgrant.db").exists());
        set(name, safe);
    }
    assert_eq!(unasked().status.code(), Some(0));
    set("mailgrant.toml", 0o666);
    assert_eq!(home.run(&["keys", "list"]).status.code(), Some(0), "named");
}

#[test]
fn where_nothing_is_configured_nothing_is_left_behind() {
    let empty = tempfile::tempdir().unwrap();
    for words in [
        &["accounts"][..],
        &["accounts", "show", "ada@example.com"],
        &["token", "--account", "ada@example.com"],
        &["token", "--application", "contoso"],
        &["login", "--application", "contoso"],
    ] {
        let mut command = mailgrant();
        let output = command.current_dir(empty.path()).args(words).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3), "{words:?}");
        assert!(stderr(&output).contains("--config"), "{}", stderr(&output));
        assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_taken_port_is_unavailable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::new();
    home.write(
        "mailgrant.toml",
        &format!("[server]\nlisten = \"{address}\"\n"),
    );
    let output = home.run(&["serve"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        stderr(&output).contains(&address.to_string()),
        "{}",
        stderr(&output)
    );
}

#[test]
fn tokens_of_nobody_are_refused() {
    let home = Home::new();
    let account = home.run(&["token", "--account", "acc_00000000000000000000000000000000"]);
    assert_eq!(account.status.code(), Some(1));
    assert!(
        stderr(&account).contains("there is no account"),
        "{}",
        stderr(&account)
    );
    let application = home.run(&["token", "--application", "corp"]);
    assert_eq!(application.status.code(), Some(3));
    assert!(
        stderr(&application).contains("corp"),
        "{}",
        stderr(&application)
    );
    assert_eq!(home.run(&["token"]).status.code(), Some(2));
}

#[test]
fn help_tells_the_exit_codes() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    for word in [
        "serve",
        "demo",
        "sandbox",
        "token",
        "keys",
        "Exit codes",
        "MAILGRANT_LOG",
    ] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_log_directive_that_cannot_be_read_is_named() {
    let home = Home::new();
    let output = mailgrant()
        .args(["keys", "list", "--config"])
        .arg(home.path("mailgrant.toml"))
        .env("MAILGRANT_LOG", "mailgrant=loudly")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("MAILGRANT_LOG"),
        "{}",
        stderr(&output)
    );
}
