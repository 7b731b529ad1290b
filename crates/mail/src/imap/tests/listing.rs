//! LIST, STATUS, EXAMINE.

use super::script::{INBOX, LOGIN, login, session};
use crate::imap::{Error, Mailbox, MailboxStatus, Role, Selected, Session};

async fn list(lines: &str) -> Vec<Mailbox> {
    list_with(lines).await.1
}

async fn list_with(lines: &str) -> (Session, Vec<Mailbox>) {
    let script = format!("C: LIST \"\" \"*\"\n{lines}\nS: TAG OK done");
    let (mut session, played) = session(&script).await;
    let mailboxes = session.mailboxes().await.unwrap();
    played.await.unwrap();
    (session, mailboxes)
}

fn roles(mailboxes: &[Mailbox]) -> Vec<(&str, Option<Role>)> {
    mailboxes
        .iter()
        .map(|mailbox| (mailbox.name.as_str(), mailbox.role))
        .collect()
}

#[tokio::test]
async fn exchange_in_german() {
    let mailboxes = list(
        r#"
        S: * LIST (\HasNoChildren) "/" Entw&APw-rfe
        S: * LIST (\HasNoChildren) "/" "Gel&APY-schte Elemente"
        S: * LIST (\HasNoChildren) "/" "Gesendete Elemente"
        S: * LIST (\Marked \HasChildren) "/" INBOX
        S: * LIST (\HasNoChildren) "/" INBOX/Sent
        S: * LIST (\HasNoChildren) "/" Junk-E-Mail
        S: * LIST (\HasNoChildren) "/" Kalender
        S: * 12 EXISTS
        "#,
    )
    .await;
    assert_eq!(
        roles(&mailboxes),
        [
            ("Entwürfe", Some(Role::Drafts)),
            ("Gelöschte Elemente", Some(Role::Trash)),
            ("Gesendete Elemente", Some(Role::Sent)),
            ("INBOX", Some(Role::Inbox)),
            ("INBOX/Sent", None),
            ("Junk-E-Mail", Some(Role::Junk)),
            ("Kalender", None),
        ]
    );
    assert_eq!(mailboxes[3].delimiter, Some('/'));
    assert!(mailboxes[3].has_children && mailboxes[3].selectable);
    assert!(!mailboxes[6].has_children);
    let json = serde_json::to_value(&mailboxes[0]).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"name": "Entwürfe", "delimiter": "/", "role": "drafts", "selectable": true, "hasChildren": false})
    );
}

#[tokio::test]
async fn gmail_declares_what_they_are_for() {
    let mailboxes = list(
        r#"
        S: * LIST (\HasNoChildren) "/" "INBOX"
        S: * LIST (\HasNoChildren) "/" "Sent"
        S: * LIST (\HasChildren \Noselect) "/" "[Gmail]"
        S: * LIST (\All \HasNoChildren) "/" "[Gmail]/All Mail"
        S: * LIST (\HasNoChildren \Important) "/" "[Gmail]/Important"
        S: * LIST (\HasNoChildren \Sent) "/" "[Gmail]/Sent Mail"
        S: * LIST (\Flagged \HasNoChildren) "/" "[Gmail]/Starred"
        "#,
    )
    .await;
    assert_eq!(
        roles(&mailboxes),
        [
            ("INBOX", Some(Role::Inbox)),
            ("Sent", None),
            ("[Gmail]", None),
            ("[Gmail]/All Mail", Some(Role::All)),
            ("[Gmail]/Important", Some(Role::Important)),
            ("[Gmail]/Sent Mail", Some(Role::Sent)),
            ("[Gmail]/Starred", Some(Role::Flagged)),
        ]
    );
    assert!(!mailboxes[2].selectable && mailboxes[2].has_children);
}

#[tokio::test]
async fn names_are_the_servers_own_paths() {
    let mailboxes = list(
        r#"
        S: * LIST () "." INBOX
        S: * LIST (\NonExistent) "." "a/b"
        S: * LIST () "." "a/b.c & d \"e\" \\f"
        S: * LIST () "." {7}
        S: x{y"z(.
        S: * LIST () NIL flat
        S: * LIST () "\\" "win\\sub"
        S: * LIST () "." flat
        "#,
    )
    .await;
    let names: Vec<_> = mailboxes
        .iter()
        .map(|m| (m.name.as_str(), m.delimiter, m.leaf()))
        .collect();
    assert_eq!(
        names,
        [
            ("INBOX", Some('.'), "INBOX"),
            ("a/b", Some('.'), "a/b"),
            // "& " is no modified UTF-7: shown as it is.
            (r#"a/b.c & d "e" \f"#, Some('.'), r#"c & d "e" \f"#),
            ("x{y\"z(.", Some('.'), ""),
            ("flat", None, "flat"),
            (r"win\sub", Some('\\'), "sub"),
        ]
    );
    assert!(!mailboxes[1].selectable && mailboxes[1].has_children);
}

#[tokio::test]
async fn a_name_in_raw_utf8_is_opened_as_it_was_listed() {
    let open = INBOX
        .replace("\"INBOX\"", "{9+}")
        .replacen("S: * 3", "c: Entwürfe\n S: * 3", 1);
    let script = format!(
        "C: LIST \"\" \"*\"\nS: * LIST () \"/\" \"Entwürfe\"\nS: * LIST () \"/\" \"R&D\"\nS: TAG OK x\n{open}\n
         C: STATUS \"R&D\" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)\nS: * STATUS R&D (MESSAGES 1)\nS: TAG OK x"
    );
    let (mut session, played) = session(&script).await;
    let mailboxes = session.mailboxes().await.unwrap();
    assert_eq!(mailboxes[0].name, "Entwürfe");
    assert_eq!(mailboxes[0].role, Some(Role::Drafts));
    session.examine("Entwürfe").await.unwrap();
    session.status("R&D").await.unwrap();
    played.await.unwrap();
}

#[tokio::test]
async fn names_go_out_in_modified_utf7_and_quoted() {
    let script = INBOX.replace("\"INBOX\"", r#""Entw&APw-rfe &- \"x\" \\ y""#);
    let (mut session, played) = session(&script).await;
    session.examine(r#"Entwürfe & "x" \ y"#).await.unwrap();
    played.await.unwrap();
}

#[tokio::test]
async fn status_numbers() {
    let script = r#"
        C: STATUS "Sent" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
        S: * STATUS Sent (MESSAGES 231 UNSEEN 3 UIDNEXT 44292 UIDVALIDITY 7) 
        S: TAG OK done
        C: STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
        S: * STATUS INBOX (MESSAGES 0)
        S: TAG OK done
        C: STATUS "x" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)
        S: TAG OK done
    "#;
    let (mut session, _) = session(script).await;
    assert_eq!(
        session.status("Sent").await.unwrap(),
        MailboxStatus {
            total: 231,
            unread: 3,
            uid_next: Some(44292),
            uid_validity: Some(7)
        }
    );
    assert_eq!(
        session.status("inbox").await.unwrap(),
        MailboxStatus {
            total: 0,
            unread: 0,
            uid_next: None,
            uid_validity: None
        }
    );
    assert!(matches!(
        session.status("x").await,
        Err(Error::Protocol { .. })
    ));
}

#[tokio::test]
async fn examine_keeps_step_with_the_mailbox() {
    let script = format!(
        "{INBOX}
        C: NOOP
        S: * 2 EXPUNGE
        S: * 5 EXISTS
        S: TAG OK x
        C: NOOP
        S: * VANISHED 30,33:34
        S: TAG OK x
        C: EXAMINE \"Other\"
        S: * 0 EXISTS
        S: * OK [UIDVALIDITY 18] x
        S: TAG OK x"
    );
    let (mut session, played) = session(&script).await;
    assert!(session.selected().is_err());
    let first = session.examine("INBOX").await.unwrap();
    assert_eq!(
        first,
        Selected {
            exists: 3,
            uid_validity: 17,
            uid_next: Some(40)
        }
    );
    let second = session.examine("inbox").await.unwrap();
    assert_eq!(
        second,
        Selected {
            exists: 5,
            uid_validity: 17,
            uid_next: None
        }
    );
    assert_eq!(session.examine("INBOX").await.unwrap().exists, 2);
    let other = session.examine("Other").await.unwrap();
    assert_eq!(
        other,
        Selected {
            exists: 0,
            uid_validity: 18,
            uid_next: None
        }
    );
    played.await.unwrap();
}

#[tokio::test]
async fn examine_needs_lasting_uids() {
    for lines in [
        "S: * 3 EXISTS",
        "S: * 3 EXISTS\nS: * OK [UIDVALIDITY 0] x",
        "S: * OK [UIDVALIDITY 5] x",
        "S: * 3 EXISTS\nS: * NO [UIDVALIDITY 5] x",
    ] {
        let (mut session, _) = session(&format!("C: EXAMINE …\n{lines}\nS: TAG OK x")).await;
        assert!(
            matches!(session.examine("a").await, Err(Error::Protocol { .. })),
            "{lines}"
        );
        assert!(session.selected().is_err());
    }
}

#[tokio::test]
async fn logout_takes_the_bye_for_what_it_is() {
    for end in ["S: * BYE bye\nS: TAG OK x", "S: * BYE bye\nX"] {
        let (session, played) = session(&format!("C: LOGOUT\n{end}")).await;
        session.logout().await.unwrap();
        played.await.unwrap();
    }
    let (session, _) = login(&format!("{LOGIN}\nC: LOGOUT\nX")).await;
    assert!(session.unwrap().logout().await.is_err());
}
