//! What the gateway takes from outside: time, randomness, and how long it waits.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use mailgrant_core::time::UnixTime;
use mailgrant_oauth::Policy;
use mailgrant_storage::{Random, SystemRandom};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixTime;
}

/// The clock of the machine.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the gateway reads the clock"
        )]
        let now = SystemTime::now();
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

/// Clock, randomness and patience of a gateway.
#[derive(Clone)]
pub struct Environment {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes tokens, states and nonces.
    pub random: Arc<dyn Random>,
    /// How authorities are waited for: in the machine's time, not the clock's.
    pub patience: Policy,
}

impl Environment {
    /// The machine's clock, the operating system's randomness, the patience that suits people.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            patience: Policy::default(),
        }
    }

    /// The same for the authority's clients.
    #[must_use]
    pub fn surroundings(&self) -> mailgrant_oauth::Surroundings {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        mailgrant_oauth::Surroundings::new(move || clock.now(), move |bytes| random.fill(bytes))
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Environment")
    }
}
