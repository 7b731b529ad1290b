//! What is in memory about one token: the token, the request under way, the pause after failures.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::{
    scope::Scopes,
    time::UnixTime,
    token::{RefreshToken, TokenResponse},
};
use tokio::sync::watch;

use super::{Error, LiveToken, MARGIN};

/// A request under way; every caller waits on the same one.
pub(super) type Flight = watch::Receiver<Option<Result<LiveToken, Error>>>;
pub(super) type Landing = watch::Sender<Option<Result<LiveToken, Error>>>;

#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    token: Option<Cached>,
    flight: Option<Flight>,
    serial: u64,
    generation: Option<i64>,
    failures: u32,
    pause: Option<(UnixTime, Error)>,
    unstored: Option<Unstored>,
}

#[derive(Debug)]
struct Cached {
    live: LiveToken,
    refresh_at: UnixTime,
}

/// An answer of the authority whose refresh token is not on disk yet.
#[derive(Debug, Clone)]
pub(super) struct Unstored {
    /// The token to store.
    pub(super) refresh_token: RefreshToken,
    /// The scopes granted with it.
    pub(super) scopes: Scopes,
    /// The generation it replaces.
    pub(super) generation: i64,
    /// The whole answer, for its access token.
    pub(super) response: TokenResponse,
    /// When it came.
    pub(super) at: UnixTime,
}

impl Unstored {
    /// Whether its access token is still worth handing out.
    pub(super) fn is_good(&self, now: UnixTime) -> bool {
        now + MARGIN < self.at + self.response.expires_in.unwrap_or(UNSAID_LIFETIME)
    }
}

/// What to do for a caller.
#[derive(Debug)]
pub(super) enum Next {
    Serve(LiveToken),
    ServeAndRefresh(LiveToken),
    Join(Flight),
    Launch,
    Wait(Error),
}

impl Slot {
    pub(super) fn next(&self, now: UnixTime, refused: Option<u64>) -> Next {
        let mut state = self.lock();
        if let Some(refused) = refused
            && state
                .token
                .as_ref()
                .is_some_and(|cached| cached.live.serial <= refused)
        {
            state.token = None;
        }
        let pausing = state.pause.as_ref().filter(|(until, _)| now < *until);
        match &state.token {
            Some(cached) if now < cached.refresh_at => Next::Serve(cached.live.clone()),
            Some(cached) if now + MARGIN < cached.live.expires_at => {
                if pausing.is_some() || state.flight.is_some() {
                    Next::Serve(cached.live.clone())
                } else {
                    Next::ServeAndRefresh(cached.live.clone())
                }
            }
            _ => match (&state.flight, pausing) {
                (Some(flight), _) => Next::Join(flight.clone()),
                (None, Some((until, error))) => Next::Wait(error.clone().waiting(until.since(now))),
                (None, None) => Next::Launch,
            },
        }
    }

    /// Begins a flight, or gives the one that has begun meanwhile.
    pub(super) fn board(&self) -> Result<(Landing, Flight), Flight> {
        let mut state = self.lock();
        match &state.flight {
            Some(running) => Err(running.clone()),
            None => {
                let (sender, flight) = watch::channel(None);
                state.flight = Some(flight.clone());
                Ok((sender, flight))
            }
        }
    }

    /// Keeps a token that may be handed out.
    pub(super) fn keep(&self, response: &TokenResponse, received_at: UnixTime) -> LiveToken {
        let lifetime = response.expires_in.unwrap_or(UNSAID_LIFETIME);
        let mut state = self.lock();
        state.serial += 1;
        let live = LiveToken {
            token: response.access_token.clone(),
            expires_at: received_at + lifetime,
            obtained_at: received_at,
            serial: state.serial,
        };
        let ahead = AHEAD.min(lifetime / 5);
        state.token = Some(Cached {
            refresh_at: live.expires_at - ahead,
            live: live.clone(),
        });
        live
    }

    /// Ends the flight and remembers how it went.
    pub(super) fn land(&self, outcome: &Result<LiveToken, Error>, now: UnixTime) {
        let mut state = self.lock();
        state.flight = None;
        match outcome {
            Ok(_) => {
                state.failures = 0;
                state.pause = None;
            }
            Err(error) => {
                let doubled = FIRST_PAUSE
                    .saturating_mul(1 << state.failures.min(10))
                    .min(LONGEST_PAUSE);
                let pause = error.retry_after().unwrap_or(doubled).max(FIRST_PAUSE);
                state.failures = state.failures.saturating_add(1);
                state.pause = Some((now + pause, error.clone()));
            }
        }
    }

    pub(super) fn next_attempt(&self) -> Option<UnixTime> {
        self.lock().pause.as_ref().map(|(until, _)| *until)
    }

    pub(super) fn generation(&self) -> Option<i64> {
        self.lock().generation
    }

    pub(super) fn set_generation(&self, generation: i64) {
        self.lock().generation = Some(generation);
    }

    pub(super) fn unstored(&self) -> Option<Unstored> {
        self.lock().unstored.clone()
    }

    pub(super) fn set_unstored(&self, unstored: Option<Unstored>) {
        self.lock().unstored = unstored;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end of a flight.
pub(super) async fn landed(mut flight: Flight) -> Result<LiveToken, Error> {
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(Error::Stopping)),
        // The task was dropped with its runtime.
        Err(_) => Err(Error::Stopping),
    }
}

/// A token is renewed this long before its end, or when a fifth of its life is left.
const AHEAD: Duration = Duration::from_secs(300);
/// `expires_in` is only recommended (RFC 6749 §5.1); without it this is assumed.
const UNSAID_LIFETIME: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn response(seconds: u64) -> TokenResponse {
        let body =
            format!(r#"{{"access_token":"token","token_type":"Bearer","expires_in":{seconds}}}"#);
        TokenResponse::parse(200, body.as_bytes()).unwrap()
    }

    fn unavailable() -> Error {
        Error::Storage {
            detail: "disk full".to_owned(),
        }
    }

    #[test]
    fn a_token_is_served_then_renewed_ahead_then_renewed_first() {
        let slot = Slot::default();
        assert!(matches!(slot.next(UnixTime(0), None), Next::Launch));
        slot.keep(&response(3600), UnixTime(0));
        assert!(matches!(slot.next(UnixTime(3299), None), Next::Serve(_)));
        assert!(matches!(
            slot.next(UnixTime(3300), None),
            Next::ServeAndRefresh(_)
        ));
        assert!(matches!(slot.next(UnixTime(3570), None), Next::Launch));
    }

    #[test]
    fn a_short_token_is_renewed_in_its_last_fifth() {
        let slot = Slot::default();
        slot.keep(&response(300), UnixTime(0));
        assert!(matches!(slot.next(UnixTime(239), None), Next::Serve(_)));
        assert!(matches!(
            slot.next(UnixTime(240), None),
            Next::ServeAndRefresh(_)
        ));
    }

    #[test]
    fn a_second_caller_joins_the_first() {
        let slot = Slot::default();
        assert!(slot.board().is_ok());
        assert!(slot.board().is_err());
        assert!(matches!(slot.next(UnixTime(0), None), Next::Join(_)));
    }

    #[test]
    fn failures_are_followed_by_growing_pauses() {
        let slot = Slot::default();
        for (now, pause) in [(0, 1), (10, 2), (20, 4), (30, 8)] {
            slot.land(&Err(unavailable()), UnixTime(now));
            assert_eq!(slot.next_attempt(), Some(UnixTime(now + pause)));
            assert!(matches!(slot.next(UnixTime(now), None), Next::Wait(_)));
            assert!(matches!(
                slot.next(UnixTime(now + pause), None),
                Next::Launch
            ));
        }
        let token = slot.keep(&response(3600), UnixTime(40));
        slot.land(&Ok(token), UnixTime(40));
        assert_eq!(slot.next_attempt(), None);
    }

    #[test]
    fn an_outage_does_not_stop_a_token_that_is_still_good() {
        let slot = Slot::default();
        slot.keep(&response(3600), UnixTime(0));
        slot.land(&Err(unavailable()), UnixTime(3400));
        assert!(matches!(slot.next(UnixTime(3400), None), Next::Serve(_)));
    }

    #[test]
    fn a_refused_token_is_not_served_again() {
        let slot = Slot::default();
        let first = slot.keep(&response(3600), UnixTime(0));
        assert!(matches!(
            slot.next(UnixTime(1), Some(first.serial)),
            Next::Launch
        ));
        slot.keep(&response(3600), UnixTime(2));
        assert!(matches!(
            slot.next(UnixTime(3), Some(first.serial)),
            Next::Serve(_)
        ));
    }
}
