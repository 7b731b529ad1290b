//! One value, fetched by one caller at a time, kept for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Error;

/// Keeps the newest value. Callers that come while it is being fetched wait for that fetch and
/// share its outcome, good or bad; when fetching fails, an old value serves on.
pub(crate) struct Cache<T> {
    slot: Mutex<Slot<T>>,
    /// Counts finished fetches: who sees another number after waiting was in one flight with the
    /// fetcher.
    flights: AtomicU64,
}

struct Slot<T> {
    value: Option<Arc<T>>,
    /// When the last fetch ended, whichever way.
    fetched: Option<Instant>,
    failure: Option<Error>,
}

/// How long an old value serves after a fetch failed, before the next try.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

impl<T> Cache<T> {
    pub(crate) fn new() -> Self {
        let slot = Slot {
            value: None,
            fetched: None,
            failure: None,
        };
        Self {
            slot: Mutex::new(slot),
            flights: AtomicU64::new(0),
        }
    }

    /// The value, if it is younger than `ttl`; else what `fetch` brings.
    pub(crate) async fn get<F>(&self, ttl: Duration, fetch: F) -> Result<Arc<T>, Error>
    where
        F: AsyncFnOnce() -> Result<T, Error>,
    {
        let seen = self.flights.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        let age = slot.fetched.map(|fetched| fetched.elapsed());
        let shared = self.flights.load(Ordering::Acquire) != seen;
        match (&slot.value, &slot.failure) {
            (Some(value), None) if shared || age.is_some_and(|age| age < ttl) => {
                return Ok(Arc::clone(value));
            }
            (Some(value), Some(_))
                if shared || age.is_some_and(|age| age < PAUSE_AFTER_FAILURE.min(ttl)) =>
            {
                return Ok(Arc::clone(value));
            }
            (None, Some(error)) if shared => return Err(error.clone()),
            _ => {}
        }
        let outcome = fetch().await;
        slot.fetched = Some(Instant::now());
        self.flights.fetch_add(1, Ordering::Release);
        match (outcome, &slot.value) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                slot.failure = None;
                slot.value = Some(Arc::clone(&value));
                Ok(value)
            }
            (Err(error), Some(old)) => {
                tracing::warn!(%error, "fetching failed; what was fetched before serves on");
                let old = Arc::clone(old);
                slot.failure = Some(error);
                Ok(old)
            }
            (Err(error), None) => {
                slot.failure = Some(error.clone());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Step;
    use std::sync::atomic::AtomicU32;
    use tokio::sync::Semaphore;

    const TTL: Duration = Duration::from_secs(60);

    fn failure() -> Error {
        Error::timeout(Step::Discovery)
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_fetched_again_after_its_time() {
        let cache = Cache::new();
        assert_eq!(*cache.get(TTL, async || Ok(1)).await.unwrap(), 1);
        assert_eq!(*cache.get(TTL, async || Ok(2)).await.unwrap(), 1);
        tokio::time::advance(TTL).await;
        assert_eq!(*cache.get(TTL, async || Ok(3)).await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_value_serves_while_fetching_fails() {
        let cache = Cache::new();
        cache.get(TTL, async || Ok(1)).await.unwrap();
        tokio::time::advance(TTL).await;
        assert_eq!(*cache.get(TTL, async || Err(failure())).await.unwrap(), 1);
        assert_eq!(
            *cache.get(TTL, async || Ok(2)).await.unwrap(),
            1,
            "not at once again"
        );
        tokio::time::advance(PAUSE_AFTER_FAILURE).await;
        assert_eq!(*cache.get(TTL, async || Ok(3)).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let cache = Cache::new();
        assert!(cache.get(TTL, async || Err(failure())).await.is_err());
        assert_eq!(*cache.get(TTL, async || Ok(1)).await.unwrap(), 1);
    }

    /// Starts `callers` at once; the first to fetch waits until all the others queue behind it.
    async fn flight(outcome: Result<u32, Error>) -> (u32, Vec<Result<Arc<u32>, Error>>) {
        let (cache, fetches, go) = (Cache::new(), AtomicU32::new(0), Semaphore::new(0));
        let call = || {
            cache.get(TTL, async || {
                fetches.fetch_add(1, Ordering::Relaxed);
                let _go = go.acquire().await.unwrap();
                outcome.clone()
            })
        };
        let release = async {
            // Every caller is polled once, and so waits, before this runs.
            go.add_permits(1);
        };
        let (outcomes, ()) = tokio::join!(
            futures_util::future::join_all((0..8).map(|_| call())),
            release
        );
        (fetches.load(Ordering::Relaxed), outcomes)
    }

    #[tokio::test]
    async fn callers_share_one_fetch() {
        let (fetches, outcomes) = flight(Ok(7)).await;
        assert_eq!(fetches, 1);
        assert!(
            outcomes
                .iter()
                .all(|outcome| **outcome.as_ref().unwrap() == 7)
        );
    }

    #[tokio::test]
    async fn callers_share_one_failure() {
        let (fetches, outcomes) = flight(Err(failure())).await;
        assert_eq!(fetches, 1);
        assert!(outcomes.iter().all(Result::is_err));
    }

    #[tokio::test]
    async fn who_waits_takes_over_from_who_gives_up() {
        let cache: Cache<u32> = Cache::new();
        let abandoned = cache.get(TTL, async || std::future::pending().await);
        let waiting = cache.get(TTL, async || Ok(5));
        tokio::pin!(waiting);
        {
            tokio::pin!(abandoned);
            assert!(futures_util::poll!(abandoned.as_mut()).is_pending());
            assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        }
        assert_eq!(*waiting.await.unwrap(), 5);
    }
}
