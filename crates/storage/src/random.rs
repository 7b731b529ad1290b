//! Randomness as an argument.

/// A source of unpredictable bytes: keys, nonces, identifiers, tokens.
pub trait Random: Send + Sync {
    /// Fills `bytes`. There is no error to handle: without randomness nothing may go on.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator through AWS-LC.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // A predictable key or state is worse than no process.
            std::process::abort();
        }
    }
}

/// `N` random bytes.
pub(crate) fn random_bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
