//! The README's examples: the scripts `tests/clients/readme*`, word for word.

use std::{env, fs, process::Command};

use mailgrant_tests::{
    client::{Client, trust_only},
    needs,
    process::{mailgrant, root},
};
use serde_json::{Value, json};

use super::sandbox;

#[test]
fn the_examples_are_the_scripts() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (script, language) in [
        ("readme.mjs", "js"),
        ("readme.py", "python"),
        ("readme.sh", "bash"),
        ("readme_ci.sh", "bash"),
    ] {
        let text = fs::read_to_string(root().join("tests/clients").join(script)).unwrap();
        assert!(
            readme.contains(&format!("\n```{language}\n{text}```\n")),
            "README.md does not show {script} as it is"
        );
    }
}

#[tokio::test]
async fn node_reads_and_sends() {
    needs!("node");
    reads_and_sends("readme.mjs").await;
}

#[tokio::test]
async fn python_reads_and_sends() {
    needs!("python3", "msal");
    reads_and_sends("readme.py").await;
}

async fn reads_and_sends(script: &str) {
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, script, &[]).unwrap();
    assert!(printed.contains("Internship next summer"), "{printed}");
    let sent = sandbox.requests_of("smtp_send").await.unwrap();
    let [sent] = &sent[..] else {
        panic!("one message, not {sent:?}")
    };
    assert_eq!(sent["outcome"], "ok", "{sent}");
    assert_eq!(sent["user"], "support@tarnbrook.test", "{sent}");
}

#[tokio::test]
async fn curl_reads() {
    needs!("curl", "jq");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "readme.sh", &[]).unwrap();
    assert!(
        printed.contains("\nTo: Tarnbrook Support <support@tarnbrook.test>"),
        "{printed}"
    );
}

#[test]
fn the_lines_for_ci_start_the_sandbox_and_move_it() {
    needs!("curl", "jq");
    let dir = tempfile::tempdir().unwrap();
    let binary = mailgrant().get_program().to_owned();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(binary, bin.join("mailgrant")).unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    trust_only(&mut command, None);
    let output = command
        .arg("-e")
        .arg(root().join("tests/clients/readme_ci.sh"))
        .current_dir(dir.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let answers: Vec<Value> = printed
        .lines()
        .flat_map(|line| serde_json::Deserializer::from_str(line).into_iter::<Value>())
        .filter_map(Result::ok)
        .collect();
    let has = |pointer: &str, value: Value| {
        answers
            .iter()
            .any(|answer| answer.pointer(pointer) == Some(&value))
    };
    assert!(has("/offset_seconds", json!(3600)), "{printed}");
    assert!(has("/authority/retry_after", json!(30)), "{printed}");
    assert!(
        answers.iter().any(|answer| answer["requests"].is_array()),
        "{printed}"
    );
}

#[tokio::test]
async fn the_control_lines_of_the_sandboxs_readme_are_taken() {
    needs!("curl");
    let (sandbox, _dir) = sandbox();
    let readme = fs::read_to_string(root().join("crates/sandbox/README.md")).unwrap();
    let (_, block) = readme.split_once("```bash\ncontrol() {").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let lines = format!("control() {{{block}")
        .replace("http://localhost:PORT/control", sandbox.text("/control"));
    // Something for the last line to show.
    let metadata = "common/v2.0/.well-known/openid-configuration";
    reqwest::get(format!("{}/{metadata}", sandbox.text("/authority")))
        .await
        .unwrap();

    let output = Command::new("bash")
        .args(["-e", "-c", &lines])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for seen in [
        "\"retry_after\":30",
        "\"backoff_ms\":89117",
        "\"offset_seconds\":3600",
        "\"imap\":false",
        "FullAccess",
        "\"kind\":\"discovery\"",
    ] {
        assert!(printed.contains(seen), "no {seen}:\n{printed}");
    }
}
