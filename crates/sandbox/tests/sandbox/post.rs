//! Mail delivered, folders moved and tokens ended by the control API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::*;

#[actix_web::test]
async fn mail_is_delivered_composed_or_raw() {
    let world = World::start().await;
    let raw = "Subject: raw\n\nline\n";
    let octets = b"Subject: octets\r\n\r\n\xff\xfe\n";
    let delivered = world
        .control(
            "/deliver",
            json!([
                {"mailbox": ADA, "from": "bo@else.test", "from_name": "Bo", "subject": "Grüße", "text": "Hallo\n",
                 "html": "<p>Hallo</p>", "received_at": "2026-11-20T08:00:00Z", "flags": ["\\Seen"]},
                {"mailbox": "ADA@quillmere.test", "raw": raw, "folder": "Archive"},
                {"mailbox": ADA, "raw_base64": STANDARD.encode(octets)},
            ]),
        )
        .await
        .ok();
    let delivered = delivered["delivered"].as_array().unwrap();
    let mailbox = world.running.mail().mailbox(ADA).unwrap();
    let read = |one: &Value| {
        let folder = mailbox.folder(one["folder"].as_str().unwrap()).unwrap();
        assert_eq!(one["uid_validity"], folder.uid_validity);
        let uid = u32::try_from(one["uid"].as_u64().unwrap()).unwrap();
        let entry = *folder.entry(uid).unwrap();
        (entry, mailbox.read(&entry, 0, u32::MAX).unwrap())
    };
    let (entry, composed) = read(&delivered[0]);
    assert_eq!(entry.internal_date.0, 1_795_161_600);
    assert_eq!(entry.flags.names().collect::<Vec<_>>(), ["\\Seen"]);
    let composed = String::from_utf8(composed).unwrap();
    for part in [
        "bo@else.test",
        ADA,
        "multipart/alternative",
        "Message-ID: <",
    ] {
        assert!(composed.contains(part), "{part} in {composed}");
    }
    assert_eq!(read(&delivered[1]).1, b"Subject: raw\r\n\r\nline\r\n");
    assert_eq!(read(&delivered[2]).1, octets);
    let one = json!({"mailbox": SHARED, "from": "a@b.test", "subject": "One", "text": ""});
    world.control("/deliver", one).await.ok();
}

#[actix_web::test]
async fn bad_deliveries_are_refused_and_none_of_them_made() {
    let world = World::start().await;
    let good = json!({"mailbox": ADA, "raw": "Subject: a\n\nb"});
    for (bad, status, named) in [
        (json!({"mailbox": "x@y.test", "raw": "a"}), 400, "mailbox"),
        (json!({"mailbox": ADA}), 400, "raw_base64"),
        (
            json!({"mailbox": ADA, "raw": "a", "subject": "b"}),
            400,
            "one of",
        ),
        (json!({"mailbox": ADA, "subject": "b"}), 400, "from"),
        (
            json!({"mailbox": ADA, "from": "a@b.test\r\nBcc: c@d.test"}),
            400,
            "control characters",
        ),
        (
            json!({"mailbox": ADA, "raw_base64": "!"}),
            400,
            "raw_base64",
        ),
        (
            json!({"mailbox": ADA, "raw": "a", "flags": ["$Odd"]}),
            400,
            "$Odd",
        ),
        (
            json!({"mailbox": ADA, "raw": "a", "received_at": "soon"}),
            400,
            "received_at",
        ),
        (json!({"mailbox": ADA, "row": "a"}), 400, "row"),
        (json!("text"), 400, "invalid type"),
    ] {
        let refused = world.control("/deliver", json!([good, bad])).await;
        assert_eq!(refused.status, status, "{bad}: {refused:?}");
        let error = refused.body["error"].as_str().unwrap();
        assert!(error.contains(named), "{bad}: {error}");
    }
    let mailbox = world.running.mail().mailbox(ADA).unwrap();
    assert_eq!(mailbox.folder("INBOX").unwrap().entries().len(), 0);
    let nowhere = json!({"mailbox": ADA, "raw": "a", "folder": "Nowhere"});
    assert_eq!(world.control("/deliver", nowhere).await.status, 404);
    // Larger than what the other calls take.
    let large = json!({"mailbox": ADA, "raw": "x".repeat(1 << 20)});
    world.control("/deliver", large).await.ok();
}

#[actix_web::test]
async fn folders_come_go_and_begin_anew() {
    let world = World::start().await;
    let folder = |step: Value| {
        let mut body = json!({"mailbox": ADA});
        body.as_object_mut()
            .unwrap()
            .extend(step.as_object().unwrap().clone());
        world.control("/folder", body)
    };
    let made = folder(json!({"create": "Projects"})).await.ok();
    for _ in 0..3 {
        let mail = json!({"mailbox": ADA, "raw": "Subject: a\n\nb", "folder": "Projects"});
        world.control("/deliver", mail).await.ok();
    }
    let moved = folder(json!({"rename": "Projects", "to": "Work"}))
        .await
        .ok();
    assert_eq!(
        (&moved["uid_validity"], &moved["messages"]),
        (&made["uid_validity"], &json!(3))
    );
    let anew = folder(json!({"recreate": "Work"})).await.ok();
    assert_eq!(
        (&anew["messages"], &anew["folder"]),
        (&json!(3), &json!("Work"))
    );
    assert_ne!(anew["uid_validity"], moved["uid_validity"]);
    let names: Vec<String> = world
        .running
        .mail()
        .mailbox(ADA)
        .unwrap()
        .folders()
        .iter()
        .map(|folder| folder.path.clone())
        .collect();
    assert!(
        !names.iter().any(|name| name.contains("before")),
        "{names:?}"
    );
    assert_eq!(folder(json!({"delete": "Work"})).await.status, 204);
    for (step, status) in [
        (json!({"delete": "Work"}), 404),
        (json!({"recreate": "INBOX"}), 400),
        (json!({"delete": "INBOX"}), 400),
        (json!({"create": "a//b"}), 400),
        (json!({"create": "INBOX"}), 400),
        (json!({}), 400),
        (json!({"create": "a", "delete": "b"}), 400),
        (json!({"rename": "a"}), 400),
        (json!({"mailbox": "x@y.test", "create": "a"}), 404),
    ] {
        let refused = folder(step.clone()).await;
        assert_eq!(refused.status, status, "{step}: {refused:?}");
        assert!(refused.body["error"].is_string());
    }
}

#[actix_web::test]
async fn access_tokens_end_and_new_ones_hold() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let directory = world.running.directory();
    let held = |token: &Value, mailbox: &str| {
        directory
            .check_access_token(token.as_str().unwrap(), mailbox, NOW)
            .is_ok()
    };
    let application = world
        .client_credentials(APP_ONLY, "https://outlook.office365.com/.default")
        .await
        .ok();
    let of_bruno = json!({"access_tokens": true, "user": BRUNO});
    assert_eq!(world.control("/expire", of_bruno).await.status, 204);
    assert!(held(&tokens["access_token"], ADA));
    let of_ada = json!({"access_tokens": true, "user": ADA, "application": DELEGATED});
    assert_eq!(world.control("/expire", of_ada).await.status, 204);
    assert!(!held(&tokens["access_token"], ADA));
    assert!(held(&application["access_token"], SHARED));
    // The clock stands still: a token of the same second, but of afterwards.
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let renewed = world.refresh(refresh_token, &[]).await.ok();
    assert!(held(&renewed["access_token"], ADA));
    assert_eq!(
        world
            .control("/expire", json!({"access_tokens": true}))
            .await
            .status,
        204
    );
    assert!(!held(&renewed["access_token"], ADA) && !held(&application["access_token"], SHARED));

    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let world = World::start_in(dir, clock).await;
    let directory = world.running.directory();
    let token = renewed["access_token"].as_str().unwrap();
    assert!(directory.check_access_token(token, ADA, NOW).is_err());
    let again = world.refresh(refresh_token, &[]).await.ok();
    let token = again["access_token"].as_str().unwrap();
    assert!(directory.check_access_token(token, ADA, NOW).is_ok());
}

#[actix_web::test]
async fn refresh_tokens_and_codes_end() {
    let world = World::start().await;
    let tokens = world.connected().await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let of_another = json!({"refresh_tokens": true, "application": SPA});
    assert_eq!(world.control("/expire", of_another).await.status, 204);
    world.refresh(refresh_token, &[]).await.ok();
    let body = json!({"refresh_tokens": true, "user": ADA});
    assert_eq!(world.control("/expire", body).await.status, 204);
    let refused = (700_082, "invalid_grant", 400);
    assert_eq!(world.refresh(refresh_token, &[]).await.refusal(), refused);

    let code = world.code(&[]).await;
    let body = json!({"authorization_codes": true});
    assert_eq!(world.control("/expire", body).await.status, 204);
    assert_eq!(world.redeem(&code, &[]).await.refusal().0, 70008);
    let later = world.code(&[]).await;
    world.redeem(&later, &[]).await.ok();

    for (body, status) in [
        (json!({}), 400),
        (json!({"user": ADA}), 400),
        (json!({"access_tokens": true, "user": "x@y.test"}), 404),
        (json!({"access_tokens": true, "application": "x"}), 404),
        (json!({"tokens": true}), 400),
    ] {
        assert_eq!(
            world.control("/expire", body.clone()).await.status,
            status,
            "{body}"
        );
    }
    let (dir, clock) = (world.dir.clone(), world.clock.clone());
    world.running.stop().await;
    let world = World::start_in(dir, clock).await;
    assert_eq!(world.refresh(refresh_token, &[]).await.refusal(), refused);
}
