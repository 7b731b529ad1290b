//! How patient the client is.

use std::time::Duration;

/// Limits and pauses of a [`Client`](crate::Client).
///
/// ```
/// use std::time::Duration;
/// use mailgrant_oauth::Policy;
///
/// let policy = Policy { deadline: Duration::from_secs(10), ..Policy::default() };
/// assert_eq!(policy.attempts, 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For one connection, TLS included. 10 s.
    pub connect_timeout: Duration,
    /// For one request, from connecting to the last byte of the answer. 20 s.
    pub request_timeout: Duration,
    /// For one operation with all its attempts and pauses; fetching metadata or keys first is an
    /// operation of its own. 45 s.
    pub deadline: Duration,
    /// The largest answer that is read, in bytes. 1 MiB.
    pub max_body: usize,
    /// How often a request is sent at most, where it may be repeated at all. 3.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from then on. 200 ms.
    pub backoff: Duration,
    /// The longest pause, also when the authority asks for one (`Retry-After`): who is to wait
    /// longer is told so instead ([`Error::retry_after`](crate::Error::retry_after)). 5 s.
    pub longest_pause: Duration,
    /// How far the clocks of the authority and ours may differ. 60 s.
    pub clock_skew: Duration,
    /// How long a discovery document and a key set are good. 1 h.
    pub metadata_ttl: Duration,
    /// The least time between two fetches of the keys when a token names an unknown one. 60 s.
    pub keys_pause: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(20),
            deadline: Duration::from_secs(45),
            max_body: 1024 * 1024,
            attempts: 3,
            backoff: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            clock_skew: Duration::from_secs(60),
            metadata_ttl: Duration::from_secs(60 * 60),
            keys_pause: Duration::from_secs(60),
        }
    }
}
