//! The widget as it is shipped, in a real browser that blocks popups, under every opener policy.

use mailgrant_tests::{browser, needs, process::root};

#[test]
fn one_terminal_event_whatever_the_opener_policies() {
    needs!("node", "chromium");
    let folder = root().join("target/web/dist/widget");
    assert!(
        folder.is_dir(),
        "`cargo xtask web` makes {}",
        folder.display()
    );
    let printed = browser::run("widget.mjs", &[&folder.display().to_string()]).unwrap();
    assert!(printed.ends_with("all passed\n"), "{printed}");
    assert!(printed.lines().count() > 25, "{printed}");
}
