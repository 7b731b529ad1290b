//! The order of events, and how a reader keeps its place in it.

use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use mailgrant_storage::{AccountId, Event, EventId, Storage, SystemRandom};

use crate::support::{NOW, alarm, connected, later, new_account, told};

async fn tell(storage: &dyn Storage, number: usize, site: Option<&str>, now: UnixTime) {
    let key = format!("alarm {number}");
    let added = storage.events().add_once(alarm(number, site), &key, now);
    assert!(added.await.unwrap());
}

fn numbers(events: &[Event]) -> Vec<u64> {
    events
        .iter()
        .map(|event| event.data["number"].as_u64().unwrap())
        .collect()
}

pub async fn pages_follow_each_other(storage: Arc<dyn Storage>) {
    for number in 0..5 {
        tell(&*storage, number, Some("default"), NOW).await;
    }
    let mut seen = Vec::new();
    let mut after: Option<EventId> = None;
    for (expected, more) in [(2, true), (2, true), (1, false), (0, false)] {
        let page = storage
            .events()
            .list("default", after.as_ref(), 2)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (page.events.len(), page.more, page.gap),
            (expected, more, false)
        );
        if let Some(last) = page.events.last() {
            after = Some(last.id.clone());
        }
        seen.extend(numbers(&page.events));
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    assert_eq!(
        storage.events().latest("default").await.unwrap(),
        after.unwrap()
    );
}

pub async fn a_site_sees_its_own_and_the_gateways(storage: Arc<dyn Storage>) {
    for (number, site) in [Some("default"), None, Some("other"), Some("default"), None]
        .into_iter()
        .enumerate()
    {
        tell(&*storage, number, site, NOW).await;
    }
    for (site, seen) in [
        ("default", vec![0, 1, 3, 4]),
        ("other", vec![1, 2, 4]),
        ("third", vec![1, 4]),
    ] {
        assert_eq!(numbers(&told(&*storage, site).await), seen, "{site}");
        let first = storage.events().list(site, None, 1).await.unwrap().unwrap();
        assert_eq!(numbers(&first.events), seen[..1], "{site}");
        assert!(first.more);
    }
}

pub async fn places_that_do_not_exist_are_unknown(storage: Arc<dyn Storage>) {
    let events = storage.events();
    let beginning = EventId::beginning();
    assert_eq!(events.latest("default").await.unwrap(), beginning);
    assert!(
        events
            .list("default", Some(&beginning), 10)
            .await
            .unwrap()
            .is_some()
    );
    tell(&*storage, 1, Some("default"), NOW).await;
    tell(&*storage, 2, Some("other"), NOW).await;
    let foreign = events.latest("other").await.unwrap();
    let never: EventId = "evt_ffffffffffffffffffffffffffffffff".parse().unwrap();
    for id in [&foreign, &never] {
        assert_eq!(events.list("default", Some(id), 10).await.unwrap(), None);
    }
    let page = events
        .list("default", Some(&beginning), 10)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((numbers(&page.events), page.gap), (vec![1], false));
    let mine = events.latest("default").await.unwrap();
    let page = events
        .list("default", Some(&mine), 10)
        .await
        .unwrap()
        .unwrap();
    assert!(page.events.is_empty() && !page.gap);
}

pub async fn later_events_have_greater_ids_whatever_the_clock_says(storage: Arc<dyn Storage>) {
    let clock = [0, 0, 0, -3600, 5, 4, 86_400, 0];
    for (number, seconds) in clock.into_iter().enumerate() {
        tell(&*storage, number, Some("default"), later(seconds)).await;
    }
    let events = told(&*storage, "default").await;
    assert_eq!(numbers(&events), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(events.windows(2).all(|pair| pair[0].id < pair[1].id));
    let occurred: Vec<_> = events.iter().map(|event| event.occurred_at).collect();
    assert_eq!(occurred, clock.map(later));
    // The identifier begins with the moment, as those of accounts do.
    let account = AccountId::generate(NOW, &SystemRandom);
    assert_eq!(events[0].id.as_str()[4..14], account.as_str()[4..14]);
}

pub async fn who_reads_on_misses_nothing_among_many_writers(storage: Arc<dyn Storage>) {
    const WRITERS: usize = 8;
    const EACH: usize = 12;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                for number in 0..EACH {
                    // Each by its own clock.
                    let now = later(i64::try_from(writer).unwrap() * 10);
                    tell(&*storage, writer * EACH + number, Some("default"), now).await;
                }
            })
        })
        .collect();
    let mut news = storage.events().news();
    let mut seen: Vec<Event> = Vec::new();
    let reading = async {
        while seen.len() < WRITERS * EACH {
            news.mark_unchanged();
            let after = seen.last().map(|event| event.id.clone());
            let page = storage
                .events()
                .list("default", after.as_ref(), 7)
                .await
                .unwrap()
                .unwrap();
            if page.events.is_empty() {
                news.changed().await.unwrap();
            }
            seen.extend(page.events);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading)
        .await
        .expect("each event wakes the reader");
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen, told(&*storage, "default").await);
    let mut all = numbers(&seen);
    all.sort_unstable();
    assert_eq!(all, (0..96).collect::<Vec<u64>>());
}

pub async fn what_is_forgotten_leaves_a_gap(storage: Arc<dyn Storage>) {
    let events = storage.events();
    for number in 0..6 {
        let time = later(i64::try_from(number).unwrap() * 100);
        tell(&*storage, number, Some("default"), time).await;
    }
    let ids: Vec<EventId> = told(&*storage, "default")
        .await
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(events.forget_before(later(300)).await.unwrap(), 3);
    assert_eq!(events.forget_before(later(300)).await.unwrap(), 0);
    for (after, gap, seen) in [
        (EventId::beginning(), true, vec![3, 4, 5]),
        (ids[0].clone(), true, vec![3, 4, 5]),
        (ids[1].clone(), true, vec![3, 4, 5]),
        // Nothing lies between it and the oldest that is left.
        (ids[2].clone(), false, vec![3, 4, 5]),
        (ids[3].clone(), false, vec![4, 5]),
        (ids[5].clone(), false, vec![]),
    ] {
        let page = events
            .list("default", Some(&after), 10)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((numbers(&page.events), page.gap), (seen, gap), "{after}");
    }
    let page = events.list("default", None, 10).await.unwrap().unwrap();
    assert!(!page.gap, "who has no place has missed nothing");

    assert_eq!(events.forget_before(later(9999)).await.unwrap(), 3);
    let latest = events.latest("default").await.unwrap();
    assert_eq!(latest, ids[5]);
    let page = events
        .list("default", Some(&latest), 10)
        .await
        .unwrap()
        .unwrap();
    assert!(page.events.is_empty() && !page.gap);
    let page = events
        .list("default", Some(&ids[4]), 10)
        .await
        .unwrap()
        .unwrap();
    assert!(
        page.events.is_empty() && page.gap,
        "told even when nothing is left"
    );
    tell(&*storage, 6, Some("default"), later(1)).await;
    let page = events
        .list("default", Some(&latest), 10)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(numbers(&page.events), [6], "after all that were forgotten");
}

pub async fn an_alarm_is_not_told_again_when_it_is_forgotten(storage: Arc<dyn Storage>) {
    tell(&*storage, 1, None, NOW).await;
    let month = later(31 * 86_400);
    storage.events().forget_before(month).await.unwrap();
    assert!(told(&*storage, "default").await.is_empty());
    let again = storage.events().add_once(alarm(1, None), "alarm 1", month);
    assert!(!again.await.unwrap());

    let years = later(3 * 365 * 86_400);
    storage.events().forget_before(years).await.unwrap();
    let again = storage.events().add_once(alarm(1, None), "alarm 1", years);
    assert!(again.await.unwrap(), "in the end even the key is forgotten");
}

pub async fn news_come_with_the_change(storage: Arc<dyn Storage>) {
    let news = storage.events().news();
    storage.ping().await.unwrap();
    assert!(!news.has_changed().unwrap(), "nothing happened");
    connected(&*storage, "ada").await;
    assert!(news.has_changed().unwrap());

    let mut news = storage.events().news();
    news.mark_unchanged();
    storage.events().look().await.unwrap();
    let failed = storage
        .accounts()
        .add(new_account("default", "ada"), None, NOW)
        .await;
    assert!(failed.is_err());
    assert!(!news.has_changed().unwrap(), "what is known is no news");
}
