//! Pages of a mailbox that changes under the reader.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

use super::script::{LOGIN, host, play, steps, token};
use crate::imap::{Connection, Limits, PagePosition, Session};

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Event {
    Arrive(u8),
    /// Expunge the message at this fraction of the mailbox.
    Expunge(u8),
    ExpungeRun {
        at: u8,
        length: u8,
    },
    /// Go on in a new session.
    Reconnect,
    /// Go on in a session that was opened at the start and has heard nothing since; with or without
    /// the NOOP that would tell it.
    OldSession {
        refresh: bool,
    },
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every message that was there from the first page to the last is listed exactly once, no
    /// message twice, and nothing that was never there.
    #[test]
    fn every_message_exactly_once(
        count in 0u32..60,
        limit in 1usize..12,
        events in prop::collection::vec(prop::collection::vec(event(), 0..4), 0..30),
    ) {
        run(walk(count, limit, events));
    }
}

#[test]
fn whole_stretches_that_vanish_are_skipped_cheaply() {
    // Between the pages everything but the oldest ten messages goes.
    run(async {
        let store = Store::with(5000);
        let mut session = store.open().await;
        let first = session.page(10, None).await.unwrap();
        store.expunge(|uid| uid > 10 && uid <= 4950);
        session.examine("INBOX").await.unwrap();
        let second = session.page(20, first.next).await.unwrap();
        let uids: Vec<u32> = second.items.iter().map(|item| item.uid).collect();
        let expected: Vec<u32> = (4971..=4990).rev().collect();
        assert_eq!(uids, expected);
        // Ahead of the third page, the view shrinks to less than a page.
        store.expunge(|uid| uid > 10 && uid < 4995);
        session.examine("INBOX").await.unwrap();
        let third = session.page(20, second.next).await.unwrap();
        assert_eq!(third.items.len(), 10);
        assert_eq!(third.next, None);
    });
}

#[test]
fn a_view_that_lags_behind_the_position_is_noticed() {
    run(async {
        let store = Store::with(3000);
        let (mut old, mut new) = (store.open().await, store.open().await);
        store.expunge(|uid| uid <= 1500 && uid % 2 == 0);
        new.examine("INBOX").await.unwrap();
        let first = new.page(500, None).await.unwrap();
        let position = first.next.unwrap();
        assert_eq!((position.uid, position.sequence), (2501, 1751));
        // Not told of the expunges: UID 2501 still stands at 2501 there.
        let second = old.page(10, Some(position)).await.unwrap();
        assert_eq!(second.items.first().unwrap().uid, 2500);
    });
}

async fn walk(count: u32, limit: usize, events: Vec<Vec<Event>>) {
    let store = Store::with(count);
    let mut session = store.open().await;
    let mut old = Some(store.open().await);
    let at_first = store.uids();
    let mut seen: Vec<u32> = Vec::new();
    let mut position: Option<PagePosition> = None;
    let mut events = events.into_iter();
    loop {
        let page = session.page(limit, position).await.unwrap();
        assert!(page.items.len() <= limit);
        assert!(page.items.is_sorted_by(|a, b| a.uid > b.uid));
        for item in &page.items {
            assert_eq!(&item.head[..], format!("{}", item.uid).as_bytes());
        }
        seen.extend(page.items.iter().map(|item| item.uid));
        let Some(next) = page.next else { break };
        position = Some(next);
        let mut refresh = true;
        for event in events.next().unwrap_or_default() {
            match event {
                Event::Arrive(count) => store.arrive(u32::from(count)),
                Event::Expunge(at) => store.expunge_run(at, 1),
                Event::ExpungeRun { at, length } => store.expunge_run(at, length),
                Event::Reconnect => session = store.open().await,
                Event::OldSession { refresh: told } => {
                    if let Some(old) = old.take() {
                        session = old;
                        refresh = told;
                    }
                }
            }
        }
        if refresh {
            session.examine("INBOX").await.unwrap();
        }
    }
    let at_last = store.uids();
    let mut once = seen.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "listed twice: {seen:?}");
    for uid in &at_first {
        if at_last.contains(uid) {
            assert!(once.contains(uid), "UID {uid} missed: {seen:?}");
        }
    }
    assert!(
        once.iter().all(|uid| at_first.contains(uid)),
        "arrived below the first page: {seen:?}"
    );
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1u8..9).prop_map(Event::Arrive),
        any::<u8>().prop_map(Event::Expunge),
        (any::<u8>(), 1u8..20).prop_map(|(at, length)| Event::ExpungeRun { at, length }),
        Just(Event::Reconnect),
        any::<bool>().prop_map(|refresh| Event::OldSession { refresh }),
    ]
}

fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future);
}

/// A mailbox that sessions look at, each with its own view (RFC 2180 §4.1.2).
#[derive(Clone)]
struct Store(Arc<Mutex<Mailbox>>);

struct Mailbox {
    uids: Vec<u32>,
    next: u32,
}

impl Store {
    fn with(count: u32) -> Self {
        let uids = (1..=count).collect();
        Self(Arc::new(Mutex::new(Mailbox {
            uids,
            next: count + 1,
        })))
    }

    async fn open(&self) -> Session {
        let (client, server) = tokio::io::duplex(1 << 16);
        tokio::spawn(serve(server, self.clone()));
        let connection = Connection::greet(Box::new(client), &host(), Limits::default())
            .await
            .unwrap();
        let mut session = connection
            .authenticate("u@x.example", &token())
            .await
            .unwrap();
        session.examine("INBOX").await.unwrap();
        session
    }

    fn uids(&self) -> Vec<u32> {
        self.0.lock().unwrap().uids.clone()
    }

    fn arrive(&self, count: u32) {
        let mut mailbox = self.0.lock().unwrap();
        for _ in 0..count {
            let uid = mailbox.next;
            mailbox.next += 1 + uid % 3;
            mailbox.uids.push(uid);
        }
    }

    fn expunge(&self, gone: impl Fn(u32) -> bool) {
        self.0.lock().unwrap().uids.retain(|uid| !gone(*uid));
    }

    fn expunge_run(&self, at: u8, length: u8) {
        let mut mailbox = self.0.lock().unwrap();
        let start = usize::from(at) * mailbox.uids.len() / 256;
        let end = (start + usize::from(length)).min(mailbox.uids.len());
        mailbox.uids.drain(start..end);
    }
}

/// As much of a server as paging needs. What is expunged elsewhere is told at NOOP only, and until
/// then its place is empty.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, store: Store) {
    play(&mut stream, steps(LOGIN)).await;
    let mut stream = BufReader::new(stream);
    let mut view: Vec<u32> = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let (tag, command) = line.trim_end().split_once(' ').unwrap();
        let mut answer = String::new();
        let now = store.uids();
        if command.starts_with("EXAMINE") {
            view.clone_from(&now);
            answer += &format!("* {} EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n", view.len());
        } else if command == "NOOP" {
            for place in (0..view.len()).rev() {
                if !now.contains(&view[place]) {
                    view.remove(place);
                    answer += &format!("* {} EXPUNGE\r\n", place + 1);
                }
            }
            let before = view.len();
            view.clone_from(&now);
            if before != view.len() {
                answer += &format!("* {} EXISTS\r\n", view.len());
            }
        } else {
            let set = command
                .strip_prefix("FETCH ")
                .unwrap()
                .split(' ')
                .next()
                .unwrap();
            let with_body = command.contains("BODY.PEEK");
            for place in places(set) {
                let uid = view[place as usize - 1];
                if now.contains(&uid) {
                    let body = if with_body {
                        format!(" BODY[]<0> \"{uid}\"")
                    } else {
                        String::new()
                    };
                    answer += &format!("* {place} FETCH (UID {uid}{body})\r\n");
                }
            }
        }
        answer += &format!("{tag} OK done\r\n");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn places(set: &str) -> Vec<u32> {
    set.split(',')
        .flat_map(|range| {
            let (low, high) = range.split_once(':').unwrap_or((range, range));
            low.parse::<u32>().unwrap()..=high.parse().unwrap()
        })
        .collect()
}
