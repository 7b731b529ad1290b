//! What is in memory about one token: the token, the request under way, the pause after failures.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailgrant_core::{
    scope::Scopes,
    time::UnixTime,
    token::{AccessToken, RefreshToken, TokenResponse},
};
use mailgrant_oauth::Fingerprint;
use mailgrant_storage::{Hold, Random};
use tokio::sync::watch;

use super::{Due, Error, LiveToken, MARGIN, error::LONGEST_WAIT, wanted::Wanted};
use crate::pauses;

/// A request under way; every caller waits on the same one.
pub(super) type Flight = watch::Receiver<Option<Result<LiveToken, Error>>>;
pub(super) type Landing = watch::Sender<Option<Result<LiveToken, Error>>>;

#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What was wanted last.
    wanted: Option<Wanted>,
    token: Option<Cached>,
    /// When somebody last asked: a token that nobody uses is not renewed ahead.
    used_at: Option<UnixTime>,
    flight: Option<Flight>,
    generation: Option<i64>,
    /// The generation of the grant that the authority called dead: nothing that came with it is good any more.
    dead: Option<i64>,
    failures: u32,
    pause: Option<Pause>,
    unstored: Option<Unstored>,
    /// The token that the mail server refused last, and when.
    refused: Option<(AccessToken, UnixTime)>,
}

#[derive(Debug)]
struct Cached {
    live: LiveToken,
    refresh_at: UnixTime,
}

/// Why nobody is asked for a while.
#[derive(Debug)]
struct Pause {
    until: UnixTime,
    error: Error,
    /// What the application proved itself with when it failed.
    with: Fingerprint,
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
    /// As long as the token that it replaces is the one on disk, nobody else may use that.
    pub(super) _hold: Hold,
}

impl Unstored {
    /// Whether its access token is still worth handing out.
    pub(super) fn is_good(&self, now: UnixTime) -> bool {
        let lifetime = lifetime(&self.response);
        now + margin(lifetime) < self.at + lifetime
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
    pub(super) fn next(&self, now: UnixTime) -> Next {
        let mut state = self.lock();
        state.used_at = Some(now);
        let pausing = state.pausing(now);
        match &state.token {
            Some(cached) if now < cached.refresh_at && cached.live.is_good(now) => {
                Next::Serve(cached.live.clone())
            }
            Some(cached) if cached.live.is_good(now) => {
                if pausing.is_some() || state.flying().is_some() {
                    Next::Serve(cached.live.clone())
                } else {
                    Next::ServeAndRefresh(cached.live.clone())
                }
            }
            _ => match (state.flying(), pausing) {
                (Some(flight), _) => Next::Join(flight.clone()),
                (None, Some(error)) => Next::Wait(error),
                (None, None) => Next::Launch,
            },
        }
    }

    /// The mail server refused this token; it is not handed out again, unless another one was given up for that reason
    /// within the last `pause`.
    pub(super) fn refuse(&self, refused: &LiveToken, pause: Duration, now: UnixTime) {
        let mut state = self.lock();
        let lately = state
            .refused
            .as_ref()
            .is_some_and(|(_, at)| *at <= now && now.since(*at) < pause);
        let is_held = state
            .token
            .as_ref()
            .is_some_and(|cached| cached.live.token == refused.token);
        if is_held && !lately {
            state.token = None;
            state.refused = Some((refused.token.clone(), now));
        }
    }

    /// Whether this token is the one that the mail server refused.
    pub(super) fn has_refused(&self, token: &AccessToken) -> bool {
        self.lock()
            .refused
            .as_ref()
            .is_some_and(|(refused, _)| refused == token)
    }

    /// Whether what came with this generation of the grant is void, whatever the storage has been told.
    pub(super) fn is_dead(&self, generation: Option<i64>) -> bool {
        generation.is_some() && self.lock().dead == generation
    }

    /// Lets go of a token from before the person agreed anew.
    pub(super) fn outdate(&self, agreed_at: UnixTime) {
        let mut state = self.lock();
        let is_older = |cached: &Cached| cached.live.obtained_at < agreed_at;
        if state.token.as_ref().is_some_and(is_older) {
            state.token = None;
        }
    }

    /// Whether the token in memory may be handed out.
    pub(super) fn serves(&self, now: UnixTime) -> bool {
        let state = self.lock();
        state
            .token
            .as_ref()
            .is_some_and(|cached| cached.live.is_good(now))
    }

    /// What went wrong, while the pause after it lasts.
    pub(super) fn pausing(&self, now: UnixTime) -> Option<Error> {
        self.lock().pausing(now)
    }

    /// The token, if it is used and should be renewed ahead of its end now.
    pub(super) fn due(&self, now: UnixTime) -> Option<Due> {
        let state = self.lock();
        let cached = state.token.as_ref()?;
        let lifetime = cached.live.expires_at.since(cached.live.obtained_at);
        let is_used = state
            .used_at
            .is_some_and(|used_at| now.since(used_at) <= lifetime);
        let is_due = is_used
            && cached.refresh_at <= now
            && cached.live.is_good(now)
            && state.flying().is_none()
            && state.pausing(now).is_none();
        state.wanted.clone().filter(|_| is_due).map(Due)
    }

    /// Whether it holds nothing that matters.
    pub(super) fn is_idle(&self, now: UnixTime) -> bool {
        let state = self.lock();
        state.flying().is_none()
            && state.unstored.is_none()
            && state.pausing(now).is_none()
            && state
                .token
                .as_ref()
                .is_none_or(|cached| cached.live.expires_at <= now)
    }

    /// The request under way.
    pub(super) fn flight(&self) -> Option<Flight> {
        self.lock().flying().cloned()
    }

    /// When the token in memory was asked for.
    pub(super) fn obtained_at(&self) -> Option<UnixTime> {
        self.lock()
            .token
            .as_ref()
            .map(|cached| cached.live.obtained_at)
    }

    /// Begins a flight, or gives the one that has begun meanwhile.
    pub(super) fn board(&self, wanted: &Wanted) -> Result<(Landing, Flight), Flight> {
        let mut state = self.lock();
        match state.flying() {
            Some(running) => Err(running.clone()),
            None => {
                let (sender, flight) = watch::channel(None);
                state.flight = Some(flight.clone());
                state.wanted = Some(wanted.clone());
                Ok((sender, flight))
            }
        }
    }

    /// Keeps a token of the authority that may be handed out.
    pub(super) fn keep(
        &self,
        response: &TokenResponse,
        received_at: UnixTime,
        random: &dyn Random,
    ) -> LiveToken {
        let live = LiveToken {
            token: response.access_token.clone(),
            expires_at: received_at + lifetime(response),
            obtained_at: received_at,
        };
        self.hold(live, random)
    }

    /// Keeps a token that may be handed out.
    pub(super) fn hold(&self, live: LiveToken, random: &dyn Random) -> LiveToken {
        let refresh_at = live.expires_at - head_start(&live, random);
        self.lock().token = Some(Cached {
            refresh_at,
            live: live.clone(),
        });
        live
    }

    /// What the application was refused with, while the pause after it lasts.
    pub(super) fn refused_with(&self, now: UnixTime) -> Option<Fingerprint> {
        let state = self.lock();
        let pause = state.pause.as_ref()?;
        let is_refused = now < pause.until && matches!(pause.error, Error::Refused(_));
        is_refused.then(|| pause.with.clone())
    }

    /// Asks again at once: what was refused is not what would be used now.
    pub(super) fn forget_pause(&self) {
        let mut state = self.lock();
        state.failures = 0;
        state.pause = None;
    }

    /// Ends the flight and remembers how it went, and with what the application had proved itself.
    pub(super) fn land(
        &self,
        outcome: &Result<LiveToken, Error>,
        with: Fingerprint,
        now: UnixTime,
    ) {
        let mut state = self.lock();
        state.flight = None;
        match outcome {
            Ok(_) => {
                state.failures = 0;
                state.pause = None;
            }
            Err(error) => {
                if matches!(error, Error::ReauthRequired(_) | Error::Gone) {
                    state.token = None;
                    state.dead = state.generation;
                }
                let doubled = FIRST_PAUSE
                    .saturating_mul(1 << state.failures.min(10))
                    .min(LONGEST_PAUSE);
                let pause = error.retry_after().unwrap_or(doubled).max(FIRST_PAUSE);
                state.failures = state.failures.saturating_add(1);
                state.pause = Some(Pause {
                    until: now + pause,
                    error: error.clone(),
                    with,
                });
            }
        }
    }

    pub(super) fn next_attempt(&self) -> Option<UnixTime> {
        self.lock().pause.as_ref().map(|pause| pause.until)
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

impl State {
    /// The request under way. One whose task panicked will never land, and keeps nobody from another.
    fn flying(&self) -> Option<&Flight> {
        let flight = self.flight.as_ref();
        flight.filter(|flight| flight.has_changed().is_ok())
    }

    fn pausing(&self, now: UnixTime) -> Option<Error> {
        let pause = self.pause.as_ref()?;
        let left = pauses::left(pause.until, now, LONGEST_WAIT)?;
        Some(pause.error.clone().waiting(left))
    }
}

impl LiveToken {
    /// Whether it may be handed out. Of one that was asked for in the future nobody knows when it ends: a clock was wrong.
    pub(super) fn is_good(&self, now: UnixTime) -> bool {
        let margin = margin(self.expires_at.since(self.obtained_at));
        now + margin < self.expires_at && self.obtained_at <= now + CLOCKS_APART
    }
}

/// What must be left of a token's life for it to be of use to whoever gets it. One that is short from the start serves for
/// most of its time all the same: else each of many at once would ask for its own. Moments are whole seconds, so no margin
/// is shorter than one.
fn margin(lifetime: Duration) -> Duration {
    MARGIN.min(lifetime / 4).max(Duration::from_secs(1))
}

/// How long no token is given up for a refusal after one was.
pub(super) const fn between_refusals(is_shared: bool) -> Duration {
    if is_shared {
        BETWEEN_SHARED
    } else {
        BETWEEN_OWN
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

/// How long before its end a token is renewed: long enough that an authority which is down for a while costs nothing,
/// and not for all accounts in the same second.
fn head_start(live: &LiveToken, random: &dyn Random) -> Duration {
    let ahead = AHEAD.min(live.expires_at.since(live.obtained_at) / 3);
    let mut bytes = [0; 2];
    random.fill(&mut bytes);
    ahead + ahead / 10 * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX)
}

fn lifetime(response: &TokenResponse) -> Duration {
    let said = response.expires_in.unwrap_or(UNSAID_LIFETIME);
    said.min(LONGEST_LIFETIME)
}

/// A token is renewed this long before its end, or when a third of its life is left.
const AHEAD: Duration = Duration::from_secs(20 * 60);
/// `expires_in` is only recommended (RFC 6749 §5.1); without it this is assumed.
const UNSAID_LIFETIME: Duration = Duration::from_secs(600);
/// By how much the clock of a replica may be ahead.
const CLOCKS_APART: Duration = Duration::from_secs(300);
/// A token that claims to last longer is asked for anew all the same.
const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 86_400);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Once for what was repaired a moment ago, and then not so often that Entra sees a loop, which begins at fifteen equal
/// requests in five minutes (AADSTS50196) and is answered as a dead grant is.
const BETWEEN_OWN: Duration = Duration::from_secs(30);
/// A mailbox to which an application has no right refuses every token: the other mailboxes' is not made anew each time.
const BETWEEN_SHARED: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests;
