use super::*;

const NOW: UnixTime = UnixTime(1_795_000_000);

#[test]
fn messages_folders_and_flags_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let message = b"Subject: a\r\n\r\nbody\r\n";
    let before = {
        let store = MailStore::open(directory.path(), NOW).unwrap();
        let mailbox = store.mailbox("Adele@Contoso.test").unwrap();
        mailbox.create("Projects/Harbour").unwrap();
        mailbox.rename("projects", "Work").unwrap();
        let first = mailbox.deliver(message, NOW).unwrap();
        let second = mailbox.deliver(b"no header", NOW).unwrap();
        let inbox = mailbox.find("INBOX").unwrap();
        mailbox
            .store(inbox, &[first.uid], |flags| flags | Flags::SEEN)
            .unwrap();
        mailbox
            .transfer(inbox, "Work/Harbour", &[first.uid, 99], true)
            .unwrap();
        mailbox
            .transfer(inbox, "Archive", &[second.uid], false)
            .unwrap();
        mailbox
            .folders()
            .into_iter()
            .map(|folder| mailbox.folder(&folder.path).unwrap())
            .collect::<Vec<_>>()
    };

    let store = MailStore::open(directory.path(), UnixTime(NOW.0 + 60)).unwrap();
    let mailbox = store.mailbox("adele@contoso.test").unwrap();
    for folder in &before {
        let after = mailbox.folder(&folder.path).unwrap();
        assert_eq!(after.entries(), folder.entries(), "{}", folder.path);
        assert_eq!(after.uid_validity, folder.uid_validity);
        assert_eq!(after.uid_next, folder.uid_next);
    }
    let harbour = mailbox.folder("work/harbour").unwrap();
    assert_eq!(harbour.entries()[0].flags, Flags::SEEN);
    assert_eq!(
        mailbox.read(&harbour.entries()[0], 0, u32::MAX).unwrap(),
        message
    );
    assert_eq!(harbour.entries()[0].header_size, 14);
    assert_eq!(mailbox.folder("INBOX").unwrap().uid_next, 3);
}

#[test]
fn a_torn_last_line_is_cut_off_and_writing_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("a@x.test").join("journal");
    {
        let store = MailStore::open(directory.path(), NOW).unwrap();
        store
            .mailbox("a@x.test")
            .unwrap()
            .deliver(b"one", NOW)
            .unwrap();
    }
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(b"{\"add\":{\"fol");
    std::fs::write(&journal, bytes).unwrap();
    {
        let store = MailStore::open(directory.path(), NOW).unwrap();
        store
            .mailbox("a@x.test")
            .unwrap()
            .deliver(b"two", NOW)
            .unwrap();
    }
    let store = MailStore::open(directory.path(), NOW).unwrap();
    let mailbox = store.mailbox("a@x.test").unwrap();
    let inbox = mailbox.folder("INBOX").unwrap();
    let texts: Vec<Vec<u8>> = inbox
        .entries()
        .iter()
        .map(|entry| mailbox.read(entry, 0, 100).unwrap())
        .collect();
    assert_eq!(texts, [b"one", b"two"]);
}

#[test]
fn a_message_that_never_reached_the_disk_is_no_message() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = MailStore::open(directory.path(), NOW).unwrap();
        let mailbox = store.mailbox("a@x.test").unwrap();
        mailbox.deliver(b"one", NOW).unwrap();
        mailbox.deliver(b"second", NOW).unwrap();
    }
    let pack = directory.path().join("a@x.test").join("messages");
    std::fs::File::options()
        .write(true)
        .open(pack)
        .unwrap()
        .set_len(5)
        .unwrap();
    let store = MailStore::open(directory.path(), NOW).unwrap();
    let inbox = store.mailbox("a@x.test").unwrap().folder("INBOX").unwrap();
    assert_eq!(inbox.entries().len(), 1);
    assert_eq!(inbox.uid_next, 3, "a UID is never given twice");
}

#[test]
fn the_journal_is_written_anew_when_it_is_mostly_history() {
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("a@x.test").join("journal");
    let validity = {
        let store = MailStore::open(directory.path(), NOW).unwrap();
        let mailbox = store.mailbox("a@x.test").unwrap();
        mailbox.create("Gone").unwrap();
        mailbox.delete("Gone").unwrap();
        let uid = mailbox.deliver(b"one", NOW).unwrap().uid;
        let inbox = mailbox.find("INBOX").unwrap();
        for round in 0..1_200 {
            let seen = round % 2 == 0;
            mailbox
                .store(
                    inbox,
                    &[uid],
                    |_| if seen { Flags::SEEN } else { Flags::NONE },
                )
                .unwrap();
        }
        mailbox
            .folders()
            .iter()
            .map(|folder| folder.uid_validity)
            .max()
            .unwrap()
    };
    let long = std::fs::metadata(&journal).unwrap().len();
    let store = MailStore::open(directory.path(), NOW).unwrap();
    let mailbox = store.mailbox("a@x.test").unwrap();
    assert!(std::fs::metadata(&journal).unwrap().len() * 10 < long);
    mailbox.create("New").unwrap();
    assert!(
        mailbox.folder("New").unwrap().uid_validity > validity + 1,
        "the deleted folder's is not given again"
    );
    assert_eq!(mailbox.folder("INBOX").unwrap().entries().len(), 1);
}

#[test]
fn two_stores_cannot_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let _first = MailStore::open(directory.path(), NOW).unwrap();
    assert!(matches!(
        MailStore::open(directory.path(), NOW),
        Err(StoreError::InUse { .. })
    ));
}

#[test]
fn addresses_stay_inside_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let store = MailStore::open(directory.path(), NOW).unwrap();
    for address in [
        "",
        "nobody",
        "@x",
        "x@",
        &format!("{}@x.test", "ü".repeat(120)),
    ] {
        assert!(
            matches!(
                store.mailbox(address),
                Err(StoreError::InvalidAddress { .. })
            ),
            "{address}"
        );
    }
    store.mailbox("../../etc@x.test").unwrap();
    assert!(directory.path().join("%2e.%2f..%2fetc@x.test").exists());
    assert!(store.contains("../../ETC@x.test"));
    assert!(!store.contains("new@x.test"));
}

#[test]
fn folder_rules() {
    let directory = tempfile::tempdir().unwrap();
    let store = MailStore::open(directory.path(), NOW).unwrap();
    let mailbox = store.mailbox("a@x.test").unwrap();
    mailbox.create("A/B/C").unwrap();
    assert!(matches!(
        mailbox.create("a/b"),
        Err(StoreError::FolderExists { .. })
    ));
    assert!(matches!(
        mailbox.create("a//b"),
        Err(StoreError::InvalidPath { .. })
    ));
    assert!(matches!(
        mailbox.create("x\ny"),
        Err(StoreError::InvalidPath { .. })
    ));
    assert!(matches!(
        mailbox.create(&"d/".repeat(40)),
        Err(StoreError::InvalidPath { .. })
    ));
    assert!(matches!(
        mailbox.delete("A/B"),
        Err(StoreError::Fixed { .. })
    ));
    assert!(matches!(
        mailbox.delete("Sent Items"),
        Err(StoreError::Fixed { .. })
    ));
    assert!(matches!(
        mailbox.rename("A", "A/Z"),
        Err(StoreError::InvalidPath { .. })
    ));
    assert!(matches!(
        mailbox.rename("A", "Drafts"),
        Err(StoreError::FolderExists { .. })
    ));
    assert!(matches!(
        mailbox.rename("nope", "x"),
        Err(StoreError::NoSuchFolder { .. })
    ));
    let id = mailbox.find("a/b/c").unwrap();
    mailbox.create("a/b/d").unwrap();
    mailbox.rename("A/B", "B").unwrap();
    assert_eq!(
        mailbox.look(id, |folder| folder.path.clone()).unwrap(),
        "B/C"
    );
    assert_eq!(mailbox.folder("b/d").unwrap().path, "B/d");
    mailbox.subscribe("B/C", false).unwrap();
    assert!(!mailbox.folder("B/C").unwrap().subscribed);
}

#[test]
fn a_watcher_hears_of_a_delivery() {
    let directory = tempfile::tempdir().unwrap();
    let store = MailStore::open(directory.path(), NOW).unwrap();
    let mailbox = store.mailbox("a@x.test").unwrap();
    let mut changes = mailbox.changes();
    assert!(!changes.has_changed().unwrap());
    mailbox.deliver(b"x", NOW).unwrap();
    assert!(changes.has_changed().unwrap());
    let inbox = mailbox.folder("INBOX").unwrap();
    assert_eq!(inbox.generation(), *changes.borrow_and_update());
    assert!(!mailbox.store(inbox.id, &[7], |flags| flags).unwrap());
    assert!(!changes.has_changed().unwrap(), "nothing changed");
}
