//! What a restart keeps, and what a description tells.

use mailgrant_sandbox::directory::TenantFile;
use mailgrant_sandbox::{Clock, Sandbox, SandboxSettings};
use serde_json::json;

use crate::support::*;

#[actix_web::test]
async fn a_restart_keeps_grants_consents_keys_secrets_and_the_authority() {
    let world = World::start().await;
    let tokens = world.connected().await;
    world.control("/revoke", json!({"user": BRUNO})).await;
    let secret = world.secret(DELEGATED);
    let description = world.running.description();
    let ca = std::fs::read(&description.ca_file).unwrap();
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;

    let world = World::start_in(dir, clock).await;
    assert_eq!(world.secret(DELEGATED), secret);
    assert_eq!(
        std::fs::read(world.running.description().ca_file).unwrap(),
        ca
    );
    world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await
        .ok();
    let token = tokens["access_token"].as_str().unwrap();
    world
        .running
        .directory()
        .check_access_token(token, ADA, NOW)
        .unwrap();
    let mut browser = Browser::new(&world);
    let page = browser.get(&world.authorize_url(&[])).await;
    let answer = browser.sign_in(&page, ADA).await;
    assert!(
        answer.parameter("code").is_some(),
        "the consent is remembered: {answer:?}"
    );
}

#[actix_web::test]
async fn a_revocation_outlives_a_restart() {
    let world = World::start().await;
    let tokens = world.connected().await;
    world.control("/revoke", json!({"user": ADA})).await;
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let world = World::start_in(dir, clock).await;
    let refused = world
        .refresh(tokens["refresh_token"].as_str().unwrap(), &[])
        .await;
    assert_eq!(refused.refusal(), (50173, "invalid_grant", 400));
}

#[actix_web::test]
async fn nothing_secret_lies_open_in_the_directory() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::start().await;
    let tokens = world.connected().await;
    for name in ["seed", "signing-keys.json", "directory.jsonl", "ca.key"] {
        let path = world.dir.path().join(name);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(
            !text.contains(tokens["refresh_token"].as_str().unwrap()),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn the_built_in_tenant_describes_itself_and_debug_hides_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = SandboxSettings::new(dir.path());
    settings.redirect_uris.push(REDIRECT.to_owned());
    settings.sample_mail = false;
    settings.clock = Clock::fixed(NOW);
    let running = Sandbox::start(settings).await.unwrap();
    let description = running.description();
    let shown = format!(
        "{description:?} {running:?} {:?} {:?}",
        description.users, description.applications
    );
    let debugged = format!(
        "{:?} {:?}",
        *running.directory().tenant(),
        running.directory()
    );
    for secret in description.users.iter().map(|user| &user.password) {
        assert!(!shown.contains(secret) && !debugged.contains(secret));
    }
    for secret in description
        .applications
        .iter()
        .filter_map(|application| application.client_secret.as_ref())
    {
        assert!(!shown.contains(secret) && !debugged.contains(secret));
    }
    let json = serde_json::to_value(&description).unwrap();
    assert_eq!(json["applications"][0]["id"], "delegated");
    assert_eq!(json["applications"][0]["redirect_uri"], REDIRECT);
    assert_eq!(json["applications"][1]["flow"], "app_only");
    assert!(json["users"].as_array().unwrap().len() >= 5);
    assert_eq!(json["domains"][0], "tarnbrook.test");
    assert_eq!(
        json["shared_mailboxes"][0]["people"],
        serde_json::json!(["bruno.keller@tarnbrook.test"])
    );
    let [customer] = description.organizations.as_slice() else {
        panic!("one customer: {:#}", json["organizations"]);
    };
    assert_eq!(customer.domains[0], "fernhollow.test");
    assert!(
        customer.applications.is_empty(),
        "{:#}",
        json["organizations"]
    );
    assert_eq!(
        customer.shared_mailboxes[0].people,
        [&*customer.users[0].address]
    );
    for service in ["imap", "smtp", "pop3"] {
        assert_eq!(json[service]["host"], "localhost", "{service}");
    }
    assert_eq!(
        json["control"],
        format!("{}/control", description.authority)
    );
    running.stop().await;
}

#[test]
fn a_wrong_tenant_file_is_refused_with_the_key_and_no_password() {
    let head = "[tenant]\nid = \"9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318\"\ndisplay_name = \"Q\"\ndomains = [\"q.test\"]\n";
    for (rest, named) in [
        (
            "[[user]]\naddress = \"a@q.test\"\ndisplay_name = \"A\"\npasword = \"hunter2\"\n",
            "pasword",
        ),
        (
            "[[application]]\nclient_id = \"x\"\ndisplay_name = \"A\"\nflow = \"sideways\"\n",
            "sideways",
        ),
        (
            "[[application]]\nclient_id = \"x\"\ndisplay_name = \"A\"\nflow = \"delegated\"\npermissions = [\"https://outlook.office.com/Imap\"]\n",
            "IMAP.AccessAsUser.All",
        ),
    ] {
        let error = TenantFile::parse(&format!("{head}{rest}"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(named) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[actix_web::test]
async fn a_tenant_that_contradicts_itself_does_not_start() {
    let head = "[tenant]\nid = \"9d2f3c44-6a1b-4f7e-9a0d-77c1a5e2b318\"\ndisplay_name = \"Q\"\ndomains = [\"q.test\"]\n";
    let user = "[[user]]\naddress = \"a@q.test\"\ndisplay_name = \"A\"\n";
    for (rest, named) in [
        (format!("{user}{user}"), "a@q.test is there twice"),
        (
            "[[user]]\naddress = \"a\\r\\n@q.test\"\ndisplay_name = \"A\"\n".to_owned(),
            "[[user]] address",
        ),
        (
            "[[application]]\nclient_id = \"x\"\ndisplay_name = \"A\"\nflow = \"delegated\"\n"
                .to_owned(),
            "client_id",
        ),
        (
            "[[mailbox_permission]]\nmailbox = \"x@q.test\"\ntrustee = \"y\"\n".to_owned(),
            "mailbox_permission",
        ),
        (
            format!("[[service_principal]]\napplication = \"{DELEGATED}\"\nobject_id = \"x\"\n"),
            "service_principal",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = SandboxSettings::new(dir.path());
        settings.tenant = Some(TenantFile::parse(&format!("{head}{rest}")).unwrap());
        let error = Sandbox::start(settings).await.unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[actix_web::test]
async fn the_tenant_file_of_the_readme_starts() {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```toml\n").skip(1);
    let mut blocks = blocks.map(|block| block.split("```").next().unwrap());
    let whole = blocks.next().unwrap();
    // The second adds an organization to the first, the third is about what goes wrong in the tenant of the first.
    let two = format!("{whole}\n{}", blocks.next().unwrap());
    assert!(two.contains("[[organization.user]]"), "{two}");
    let head = whole.split("[[").next().unwrap();
    let wrong = format!("{head}{}", blocks.next().unwrap());
    assert!(wrong.contains("[[conditional_access]]"), "{wrong}");
    for file in [whole, &two, &wrong] {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = SandboxSettings::new(dir.path());
        settings.tenant = Some(TenantFile::parse(file).unwrap());
        settings.sample_mail = false;
        Sandbox::start(settings).await.unwrap().stop().await;
    }
}
