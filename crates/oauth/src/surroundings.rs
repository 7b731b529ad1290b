//! What the client takes from outside: time and randomness.

use std::fmt;
use std::sync::Arc;

use mailgrant_core::time::UnixTime;

/// The clock and the source of randomness of a [`Client`](crate::Client): times and ids of what it
/// signs, and the times of ID tokens, come from here.
///
/// ```
/// use mailgrant_core::time::UnixTime;
/// use mailgrant_oauth::Surroundings;
///
/// // In a test, time stands still and chance is none.
/// let surroundings = Surroundings::new(|| UnixTime(1_764_000_000), |bytes| bytes.fill(7));
/// assert_eq!(surroundings.now(), UnixTime(1_764_000_000));
/// ```
#[derive(Clone)]
pub struct Surroundings {
    clock: Arc<Clock>,
    random: Arc<Random>,
}

type Clock = dyn Fn() -> UnixTime + Send + Sync;
type Random = dyn Fn(&mut [u8]) + Send + Sync;

impl Surroundings {
    /// `clock` tells the time; `random` fills a buffer with unpredictable bytes.
    pub fn new(
        clock: impl Fn() -> UnixTime + Send + Sync + 'static,
        random: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock: Arc::new(clock),
            random: Arc::new(random),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        (self.clock)()
    }

    /// `N` unpredictable bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Surroundings")
    }
}
