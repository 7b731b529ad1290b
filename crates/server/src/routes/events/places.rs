//! Who may wait for events: so many at one time, and of one API key no more than a part of them.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailgrant_storage::ApiKeyId;
use tokio::time::Instant;

/// The places of a gateway.
pub(crate) struct Places {
    most: usize,
    share: usize,
    taken: Mutex<Vec<Arc<Taken>>>,
}

/// A place, for as long as it is held.
pub(crate) struct Place {
    places: Arc<Places>,
    taken: Arc<Taken>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// For nobody.
    All,
    /// For this key.
    Key,
}

struct Taken {
    key: ApiKeyId,
    /// When its reader last took something.
    seen: Mutex<Instant>,
    lost: AtomicBool,
}

impl Places {
    /// `most` in all, a quarter of them for one key.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            share: (most / 4).max(1),
            taken: Mutex::default(),
        }
    }

    /// Whether nobody waits.
    pub(crate) fn are_free(&self) -> bool {
        self.lock().is_empty()
    }

    /// A place for a reader with this key. Readers that have stopped reading make room.
    pub(crate) fn take(self: &Arc<Self>, key: &ApiKeyId, now: Instant) -> Result<Place, Full> {
        let mut taken = self.lock();
        let of_key = |taken: &Vec<Arc<Taken>>| taken.iter().filter(|one| one.key == *key).count();
        if of_key(&taken) >= self.share {
            give_up(&mut taken, now, |one| one.key == *key);
            if of_key(&taken) >= self.share {
                return Err(Full::Key);
            }
        }
        if taken.len() >= self.most {
            give_up(&mut taken, now, |_| true);
            if taken.len() >= self.most {
                return Err(Full::All);
            }
        }
        let one = Arc::new(Taken {
            key: key.clone(),
            seen: Mutex::new(now),
            lost: AtomicBool::new(false),
        });
        taken.push(Arc::clone(&one));
        Ok(Place {
            places: Arc::clone(self),
            taken: one,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Taken>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes that its reader took something; false when the place was given to somebody else meanwhile.
    pub(crate) fn keep(&self, now: Instant) -> bool {
        *self.taken.seen() = now;
        !self.taken.lost.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places
            .lock()
            .retain(|one| !Arc::ptr_eq(one, &self.taken));
    }
}

impl Taken {
    fn seen(&self) -> MutexGuard<'_, Instant> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives up the places of those whose readers have taken nothing for long: a live one takes a heartbeat at least.
fn give_up(taken: &mut Vec<Arc<Taken>>, now: Instant, which: impl Fn(&Taken) -> bool) {
    taken.retain(|one| {
        let stalled = which(one) && now.duration_since(*one.seen()) >= STALLED;
        if stalled {
            one.lost.store(true, Ordering::Release);
        }
        !stalled
    });
}

/// Longer than a list is waited for, and than some heartbeats of a stream.
const STALLED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use mailgrant_core::time::UnixTime;
    use mailgrant_storage::SystemRandom;

    use super::*;

    fn key() -> ApiKeyId {
        ApiKeyId::generate(UnixTime(1_790_000_000), &SystemRandom)
    }

    #[test]
    fn who_has_stopped_reading_makes_room_and_who_reads_does_not() {
        let places = Arc::new(Places::new(2));
        let (ada, eve, bob) = (key(), key(), key());
        let begun = Instant::now();
        let (half, whole) = (begun + STALLED / 2, begun + STALLED);
        let reads = places.take(&ada, begun).unwrap();
        let stalled = places.take(&eve, begun).unwrap();
        assert_eq!(places.take(&bob, begun).err(), Some(Full::All));
        assert_eq!(places.take(&eve, begun).err(), Some(Full::Key));
        assert!(reads.keep(half));
        assert_eq!(places.take(&bob, half).err(), Some(Full::All));
        let third = places.take(&bob, whole).unwrap();
        assert!(reads.keep(whole) && third.keep(whole));
        assert!(!stalled.keep(whole), "its stream ends");
        drop(stalled);
        let late = places.take(&eve, whole).err();
        assert_eq!(late, Some(Full::All), "its place is bob's");
        drop(third);
        let back = places.take(&eve, whole).unwrap();
        drop((reads, back));
        assert!(places.are_free());
    }
}
