use super::*;

#[tokio::test]
async fn select_tells_what_exchange_tells() {
    let house = House::new().await;
    let mailbox = house.store.mailbox(ADA).unwrap();
    mailbox
        .append("INBOX", b"one", crate::mailstore::Flags::SEEN, NOW)
        .unwrap();
    mailbox.deliver(b"two", NOW).unwrap();
    let validity = mailbox.folder("INBOX").unwrap().uid_validity;
    let mut client = house.login().await;
    assert_eq!(
        client.say("a SELECT inbox").await,
        format!(
            "* 2 EXISTS\r\n* 0 RECENT\r\n\
             * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)\r\n\
             * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent)] Permanent flags\r\n\
             * OK [UNSEEN 2] Is the first unseen message\r\n\
             * OK [UIDVALIDITY {validity}] UIDVALIDITY value\r\n\
             * OK [UIDNEXT 3] The next unique identifier value\r\n\
             a OK [READ-WRITE] SELECT completed.\r\n"
        )
    );
    assert!(
        client
            .ok("b EXAMINE \"Sent Items\"")
            .await
            .ends_with("b OK [READ-ONLY] EXAMINE completed.\r\n")
    );
    assert_eq!(
        client.say("c SELECT Nowhere").await,
        "c NO Nowhere doesn't exist.\r\n"
    );
    assert_eq!(
        client.say("d FETCH 1 FLAGS").await,
        "d BAD Command received in Invalid state.\r\n"
    );
    client.ok("e SELECT INBOX").await;
    assert_eq!(
        client.say("f UNSELECT").await,
        "f OK UNSELECT completed.\r\n"
    );
    assert_eq!(
        client.say("g CHECK").await,
        "g BAD Command received in Invalid state.\r\n"
    );
}

#[tokio::test]
async fn list_shows_roles_children_and_names_as_exchange_does() {
    let house = House::new().await;
    let mailbox = house.store.mailbox(ADA).unwrap();
    mailbox.create("Küche & Garten").unwrap();
    mailbox.create("Projects/Harbour").unwrap();
    mailbox
        .create(&crate::mailstore::path::join(["In/Out", "2026"]))
        .unwrap();
    let mut client = house.login().await;
    assert_eq!(
        client.say("a LIST \"\" *").await,
        "* LIST (\\Marked \\HasNoChildren) \"/\" INBOX\r\n\
         * LIST (\\HasNoChildren \\Archive) \"/\" Archive\r\n\
         * LIST (\\HasNoChildren \\Trash) \"/\" \"Deleted Items\"\r\n\
         * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\r\n\
         * LIST (\\HasNoChildren \\Junk) \"/\" \"Junk Email\"\r\n\
         * LIST (\\HasNoChildren) \"/\" \"K&APw-che &- Garten\"\r\n\
         * LIST (\\HasChildren) \"/\" Projects\r\n\
         * LIST (\\HasNoChildren) \"/\" Projects/Harbour\r\n\
         * LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n\
         a OK LIST completed.\r\n"
    );
    assert_eq!(client.ok("b LIST \"\" %").await.lines().count(), 9);
    assert_eq!(client.ok("c LIST \"Projects/\" %").await.lines().count(), 2);
    assert_eq!(
        client
            .ok("d LIST (SPECIAL-USE) \"\" *")
            .await
            .lines()
            .count(),
        6
    );
    assert_eq!(
        client
            .ok("e LIST \"\" * RETURN (SPECIAL-USE)")
            .await
            .lines()
            .count(),
        10
    );
    assert_eq!(
        client.say("f LIST \"\" \"\"").await,
        "* LIST (\\Noselect) \"/\" \"\"\r\nf OK LIST completed.\r\n"
    );
    client.ok("g UNSUBSCRIBE Projects").await;
    assert_eq!(client.ok("h LSUB \"\" *").await.lines().count(), 9);
    assert_eq!(
        client.say("i SELECT &-x&").await,
        "i BAD Command Argument Error. 11\r\n"
    );
    client.ok("j SELECT \"K&APw-che &- Garten\"").await;
    assert!(
        client
            .ok("k STATUS \"k&APw-che &- garten\" (MESSAGES UNSEEN UIDNEXT RECENT)")
            .await
            .starts_with(
                "* STATUS \"K&APw-che &- Garten\" (MESSAGES 0 UNSEEN 0 UIDNEXT 1 RECENT 0)\r\n"
            )
    );
    assert_eq!(
        client.say("l NAMESPACE").await,
        "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\nl OK NAMESPACE completed.\r\n"
    );
    assert!(
        client
            .ok("m ID (\"name\" \"x\")")
            .await
            .starts_with("* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\"")
    );
}

#[tokio::test]
async fn sequence_numbers_and_uids() {
    let house = House::new().await;
    let mut client = house.selected(&[b"1", b"2", b"3", b"4", b"5"]).await;
    client.ok("a STORE 2 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(
        client.say("b EXPUNGE").await,
        "* 2 EXPUNGE\r\n* 4 EXISTS\r\nb OK EXPUNGE completed.\r\n"
    );
    for (command, uids) in [
        ("FETCH 1:2 UID", "1 3"),
        ("FETCH * UID", "5"),
        ("FETCH 4:2,1 UID", "1 3 4 5"),
        ("FETCH 3:*,3:* UID", "4 5"),
        ("UID FETCH 2:3 UID", "3"),
        ("UID FETCH 2 UID", ""),
        ("UID FETCH 100:* UID", "5"),
        ("UID FETCH *:4 (UID)", "4 5"),
        ("UID FETCH 1:* FLAGS", "1 3 4 5"),
    ] {
        let answer = client.ok(&format!("c {command}")).await;
        let found: Vec<&str> = answer
            .split("UID ")
            .skip(1)
            .map(|rest| rest.split([' ', ')']).next().unwrap())
            .collect();
        assert_eq!(found.join(" "), uids, "{command}: {answer}");
    }
    assert_eq!(
        client.say("d FETCH 5 UID").await,
        "d BAD The specified message set is invalid.\r\n"
    );
    assert_eq!(
        client.say("e FETCH 0 UID").await,
        "e BAD Command Error. 12\r\n"
    );
    client.ok("f SELECT Archive").await;
    assert_eq!(
        client.say("g UID FETCH 1:* FLAGS").await,
        "g OK FETCH completed.\r\n"
    );
    assert_eq!(
        client.say("h FETCH 1:* FLAGS").await,
        "h BAD The specified message set is invalid.\r\n"
    );
}

#[tokio::test]
async fn reading_a_body_marks_it_seen_unless_peeked() {
    let house = House::new().await;
    let mut client = house.selected(&[b"a\r\n\r\nb"]).await;
    assert_eq!(
        client.say("a FETCH 1 (BODY.PEEK[] FLAGS)").await,
        "* 1 FETCH (BODY[] {6}\r\na\r\n\r\nb FLAGS ())\r\na OK FETCH completed.\r\n"
    );
    assert!(
        client
            .ok("b FETCH 1 RFC822.HEADER")
            .await
            .ends_with("RFC822.HEADER {5}\r\na\r\n\r\n)\r\nb OK FETCH completed.\r\n")
    );
    client.ok("c EXAMINE INBOX").await;
    assert!(!client.ok("d FETCH 1 BODY[]").await.contains("FLAGS"));
    client.ok("e SELECT INBOX").await;
    assert_eq!(
        client.say("f FETCH 1 BODY[TEXT]").await,
        "* 1 FETCH (BODY[TEXT] {1}\r\nb FLAGS (\\Seen))\r\nf OK FETCH completed.\r\n"
    );
    assert_eq!(
        client.say("g NOOP").await,
        "g OK NOOP completed.\r\n",
        "the change was told already"
    );
}

#[tokio::test]
async fn every_seeded_message_is_the_same_through_imap() {
    let house = House::new().await;
    let user = crate::seed::User {
        address: ADA.to_owned(),
        display_name: "Ada Finch".to_owned(),
    };
    crate::seed::deliver(&house.store, &[user], NOW).unwrap();
    let mailbox = house.store.mailbox(ADA).unwrap();
    let inbox = mailbox.folder("INBOX").unwrap();
    let mut client = house.login().await;
    client.ok("s SELECT INBOX").await;
    for entry in inbox.entries() {
        client
            .send(format!(
                "a UID FETCH {} (BODYSTRUCTURE ENVELOPE BODY.PEEK[])\r\n",
                entry.uid
            ))
            .await;
        let answer = client.octets("a").await;
        let message = mailbox.read(entry, 0, u32::MAX).unwrap();
        assert!(
            answer
                .windows(message.len())
                .any(|window| window == message)
        );
        let (rest, _) = {
            use imap_codec::decode::Decoder as _;
            imap_codec::ResponseCodec::default()
                .decode(&answer)
                .expect("an answer that can be read")
        };
        assert_eq!(rest, b"a OK FETCH completed.\r\n");
    }
}
