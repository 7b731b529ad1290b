//! The master key: wrong, missing, rotated.

use mailgrant_core::secret::Secret;
use mailgrant_storage::{Error, MasterKey, MasterKeySource, SystemRandom, rotate_master};

use crate::{Home, add_account, token_of};

#[tokio::test]
async fn a_wrong_key_is_refused_and_nothing_changes() {
    let home = Home::new();
    home.open().await.unwrap().close().await;
    let before = home.bytes();
    let right = std::fs::read_to_string(home.path("master.key")).unwrap();
    let id = MasterKey::parse(&right, "test").unwrap().id();

    let other = MasterKey::generate(&SystemRandom);
    let error = home
        .open_with(MasterKeySource::Given(vec![other.clone()]))
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{text}");
    assert!(text.contains(&id) && text.contains(&other.id()), "{text}");
    assert_eq!(home.bytes(), before);

    std::fs::remove_file(home.path("master.key")).unwrap();
    let text = home.open().await.err().unwrap().to_string();
    assert!(
        text.contains(&id) && text.contains("master.key does not exist"),
        "{text}"
    );
    assert!(
        !home.path("master.key").exists(),
        "no new key in place of a lost one"
    );
    assert_eq!(home.bytes(), before);

    let value = |text: &str| MasterKeySource::Value {
        origin: "MAILGRANT_MASTER_KEY".to_owned(),
        value: Secret::new(text),
    };
    let text = home
        .open_with(value("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        text.contains(&id) && text.contains("MAILGRANT_MASTER_KEY holds key 630dcd2966c43366"),
        "{text}"
    );
    let text = home
        .open_with(value("hunter2"))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        text.contains("MAILGRANT_MASTER_KEY: a master key is 32 bytes"),
        "{text}"
    );
    assert_eq!(home.bytes(), before);
    home.open_with(value(&right)).await.unwrap().close().await;

    let given = MasterKey::parse(&right, "test").unwrap();
    assert!(
        home.open_with(MasterKeySource::Given(vec![other, given]))
            .await
            .is_ok(),
        "any of several"
    );
}

#[tokio::test]
async fn no_key_at_all_is_refused_for_a_new_database_too() {
    let home = Home::new();
    let error = home
        .open_with(MasterKeySource::Given(Vec::new()))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{error}");
    assert!(!home.path("mailgrant.db").exists());
}

#[tokio::test]
async fn rotation_leaves_one_key_that_opens_everything() {
    let home = Home::new();
    let storage = home.open().await.unwrap();
    let account = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap();
    let old = std::fs::read_to_string(home.path("master.key")).unwrap();
    for _ in 0..2 {
        rotate_master(&*storage, &home.path("master.key"), &SystemRandom)
            .await
            .unwrap();
        assert_eq!(
            token_of(&*storage, &account).await.unwrap(),
            "token",
            "while it runs"
        );
    }
    storage.close().await;
    assert!(!home.path("master.key.next").exists());
    assert_ne!(
        std::fs::read_to_string(home.path("master.key")).unwrap(),
        old
    );
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    storage.close().await;
    let old = MasterKey::parse(&old, "test").unwrap();
    let error = home
        .open_with(MasterKeySource::Given(vec![old]))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::MasterKeyMissing { .. }), "{error}");
}

#[tokio::test]
async fn a_rotation_killed_at_any_step_opens_and_can_be_finished() {
    let home = Home::new();
    let key_file = home.path("master.key");
    let storage = home.open().await.unwrap();
    let account = add_account(&*storage, "ada@example.com", "token")
        .await
        .unwrap();

    // Killed after the new file was written:
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let next = MasterKey::parse(text, "test").unwrap();
    std::fs::copy(&key_file, home.path("master.key.next")).unwrap(); // takes the mode along
    std::fs::write(home.path("master.key.next"), text).unwrap();
    storage.close().await;
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    assert!(
        home.path("master.key.next").exists(),
        "not in use yet: stays for the rotation to go on"
    );

    // Killed after the data keys were wrapped anew:
    storage.rewrap(&next).await.unwrap();
    storage.close().await;
    let storage = home.open().await.unwrap();
    assert_eq!(token_of(&*storage, &account).await.unwrap(), "token");
    assert!(
        !home.path("master.key.next").exists(),
        "the start completed it"
    );
    let now_in_file =
        MasterKey::parse(&std::fs::read_to_string(&key_file).unwrap(), "test").unwrap();
    assert_eq!(now_in_file.id(), next.id());
}
