use super::*;
use crate::mailstore::Flags;

#[tokio::test]
async fn store_tells_flags_and_drops_what_exchange_drops() {
    let house = House::new().await;
    let mut client = house.selected(&[b"1", b"2"]).await;
    assert_eq!(
        client
            .say("a STORE 1:2 +FLAGS (\\Seen $Forwarded \\flagged)")
            .await,
        "* 1 FETCH (FLAGS (\\Seen \\Flagged))\r\n* 2 FETCH (FLAGS (\\Seen \\Flagged))\r\na OK STORE completed.\r\n"
    );
    assert_eq!(
        client.say("b UID STORE 2 -FLAGS \\Seen").await,
        "* 2 FETCH (UID 2 FLAGS (\\Flagged))\r\nb OK STORE completed.\r\n"
    );
    assert_eq!(
        client
            .say("c STORE 2 FLAGS.SILENT (\\Answered $MDNSent)")
            .await,
        "c OK STORE completed.\r\n"
    );
    assert_eq!(client.say("d NOOP").await, "d OK NOOP completed.\r\n");
    assert!(
        client
            .ok("e FETCH 2 FLAGS")
            .await
            .contains("(\\Answered $MDNSent)")
    );
    client.ok("f EXAMINE INBOX").await;
    assert!(
        client
            .say("g STORE 1 +FLAGS (\\Seen)")
            .await
            .starts_with("g NO [READ-ONLY]")
    );
    assert!(
        client
            .say("h EXPUNGE")
            .await
            .starts_with("h NO [READ-ONLY]")
    );
}

#[tokio::test]
async fn append_in_three_ways() {
    let house = House::new().await;
    let mut client = house.login().await;
    client
        .send("a APPEND Drafts (\\Seen \\Draft) \"07-Feb-2026 21:52:25 +0100\" {10}\r\n")
        .await;
    assert_eq!(
        client.line().await,
        "+ Ready for additional command text.\r\n"
    );
    client.send("a: b\r\n\r\nxy\r\n").await;
    let validity = house
        .store
        .mailbox(ADA)
        .unwrap()
        .folder("Drafts")
        .unwrap()
        .uid_validity;
    assert_eq!(
        client.line().await,
        format!("a OK [APPENDUID {validity} 1] APPEND completed.\r\n")
    );
    client.send("b APPEND Drafts {3+}\r\nxyz\r\n").await;
    assert_eq!(
        client.line().await,
        format!("b OK [APPENDUID {validity} 2] APPEND completed.\r\n")
    );
    client.send("c APPEND Nowhere {3+}\r\nxyz\r\n").await;
    assert!(client.line().await.starts_with("c NO [TRYCREATE]"));
    client.ok("d SELECT Drafts").await;
    assert_eq!(
        client.say("e FETCH 1 (FLAGS INTERNALDATE)").await,
        "* 1 FETCH (FLAGS (\\Seen \\Draft) INTERNALDATE \"07-Feb-2026 20:52:25 +0000\")\r\ne OK FETCH completed.\r\n"
    );
    client.send("f APPEND drafts {1+}\r\nz\r\n").await;
    assert_eq!(
        client.answer("f").await,
        format!("* 3 EXISTS\r\n* 0 RECENT\r\nf OK [APPENDUID {validity} 3] APPEND completed.\r\n")
    );
}

#[tokio::test]
async fn copy_and_move_tell_the_new_uids() {
    let house = House::new().await;
    let mut client = house.selected(&[b"1", b"2", b"3", b"4"]).await;
    let validity = house
        .store
        .mailbox(ADA)
        .unwrap()
        .folder("Archive")
        .unwrap()
        .uid_validity;
    assert_eq!(
        client.say("a COPY 1,3:4 Archive").await,
        format!("a OK [COPYUID {validity} 1,3:4 1:3] COPY completed.\r\n")
    );
    assert_eq!(
        client.say("b UID MOVE 2:3 Archive").await,
        format!(
            "* OK [COPYUID {validity} 2:3 4:5] Moved.\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 EXISTS\r\nb OK MOVE completed.\r\n"
        )
    );
    assert!(
        client
            .say("c MOVE 1 Nowhere")
            .await
            .starts_with("c NO [TRYCREATE]")
    );
    assert_eq!(
        client.say("d UID COPY 99 Archive").await,
        "d OK COPY completed.\r\n"
    );
    assert!(
        client
            .ok("e STATUS Archive (MESSAGES)")
            .await
            .contains("MESSAGES 5")
    );
    let copy = client.ok("f UID FETCH 1:* BODY.PEEK[]").await;
    assert!(
        copy.contains("UID 1 BODY[] {1}\r\n1") && copy.contains("UID 4 BODY[] {1}\r\n4"),
        "{copy}"
    );
}

#[tokio::test]
async fn expunge_by_uid_and_by_closing() {
    let house = House::new().await;
    let mut client = house.selected(&[b"1", b"2", b"3", b"4"]).await;
    client.ok("a STORE 1:3 +FLAGS.SILENT \\Deleted").await;
    assert_eq!(
        client.say("b UID EXPUNGE 2:3,9").await,
        "* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 EXISTS\r\nb OK EXPUNGE completed.\r\n"
    );
    assert_eq!(client.say("c CLOSE").await, "c OK CLOSE completed.\r\n");
    assert!(
        client
            .ok("d STATUS INBOX (MESSAGES UIDNEXT)")
            .await
            .contains("(MESSAGES 1 UIDNEXT 5)")
    );
}

#[tokio::test]
async fn folders_are_made_renamed_and_deleted() {
    let house = House::new().await;
    let mut client = house.login().await;
    client.ok("a CREATE Projects/Quay/").await;
    assert_eq!(
        client.say("b CREATE projects").await,
        "b NO projects already exists.\r\n"
    );
    assert!(client.say("c DELETE Projects").await.starts_with("c NO "));
    assert!(client.say("d DELETE INBOX").await.starts_with("d NO "));
    client.ok("e RENAME Projects &ZeVnLIqe-").await;
    client.ok("f SELECT &ZeVnLIqe-/Quay").await;
    client.ok("g DELETE &ZeVnLIqe-/Quay").await;
    client.ok("h NOOP").await;
    assert_eq!(
        client.say("i RENAME Nope x").await,
        "i NO Nope doesn't exist.\r\n"
    );
    assert!(client.say("j CREATE \"a//b\"").await.starts_with("j NO "));
}

#[tokio::test]
async fn idle_hears_of_deliveries_flags_and_removals() {
    let house = House::new().await;
    let mailbox = house.store.mailbox(ADA).unwrap();
    let mut client = house.selected(&[b"1"]).await;
    client.send("i IDLE\r\n").await;
    assert_eq!(
        client.line().await,
        "+ IDLE accepted, awaiting DONE command.\r\n"
    );
    mailbox.deliver(b"2", NOW).unwrap();
    assert_eq!(client.line().await, "* 2 EXISTS\r\n");
    assert_eq!(client.line().await, "* 0 RECENT\r\n");
    let inbox = mailbox.find("INBOX").unwrap();
    mailbox
        .store(inbox, &[1], |flags| flags | Flags::FLAGGED)
        .unwrap();
    assert_eq!(
        client.line().await,
        "* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\n"
    );
    mailbox.expunge(inbox, &[1]).unwrap();
    assert_eq!(client.line().await, "* 1 EXPUNGE\r\n");
    assert_eq!(client.line().await, "* 1 EXISTS\r\n");
    client.send("done\r\n").await;
    assert_eq!(client.line().await, "i OK IDLE completed.\r\n");
    client.send("j IDLE\r\n").await;
    client.line().await;
    client.send("k NOOP\r\n").await;
    assert_eq!(client.line().await, "j BAD Command Error. 12\r\n");
}

#[tokio::test]
async fn removals_wait_while_sequence_numbers_are_in_use() {
    let house = House::new().await;
    let mailbox = house.store.mailbox(ADA).unwrap();
    let mut client = house.selected(&[b"1", b"2", b"3"]).await;
    let inbox = mailbox.find("INBOX").unwrap();
    mailbox.expunge(inbox, &[1]).unwrap();
    mailbox.deliver(b"4", NOW).unwrap();
    assert_eq!(
        client.say("a FETCH 1:3 UID").await,
        "* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\n* 4 EXISTS\r\n* 0 RECENT\r\na OK FETCH completed.\r\n"
    );
    assert_eq!(
        client.say("b SEARCH ALL").await,
        "* SEARCH 2 3 4\r\nb OK SEARCH completed.\r\n"
    );
    assert_eq!(
        client.say("c NOOP").await,
        "* 1 EXPUNGE\r\n* 3 EXISTS\r\nc OK NOOP completed.\r\n"
    );
    assert_eq!(
        client.say("d FETCH 1 UID").await,
        "* 1 FETCH (UID 2)\r\nd OK FETCH completed.\r\n"
    );
}
