//! Where randomness comes from: an argument, like the clock.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mailgrant_core::secret::Secret;
use uuid::Uuid;

/// A source of random bytes.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);

    /// A random identifier (UUID version 4), as Entra uses for traces, correlations and objects.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// `length` random bytes in base64url without padding.
    fn token(&self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// The operating system's generator, through aws-lc-rs.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // The generator is seeded by the operating system and does not fail once the process runs; predictable
        // secrets would be worse than a stop.
        #[expect(clippy::expect_used, reason = "no sandbox without randomness")]
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A client secret in Entra's form: 40 characters with a tilde.
pub(crate) fn client_secret(random: &dyn Random) -> Secret {
    let text = random.token(30);
    let (head, tail) = text.split_at_checked(5).unwrap_or(("", &text));
    let tail: String = tail.chars().take(34).collect();
    Secret::new(format!("{head}~{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_differ() {
        let random: &dyn Random = &SystemRandom;
        assert_ne!(random.token(32), random.token(32));
        assert_ne!(random.uuid(), random.uuid());
        assert_eq!(random.token(32).len(), 43);
        assert_eq!(random.uuid().get_version_num(), 4);
    }
}
