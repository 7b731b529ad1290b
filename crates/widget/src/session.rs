//! One attempt to connect a mailbox, seen from the page: a state machine without clock, network or window of its own.
//!
//! The page tells it what happened (an answer, a look at the sign-in window, a click), it says what to do next as
//! [`Effect`]s. The result always comes from the gateway. A message from the sign-in window and its `closed` flag are
//! hints that make the page ask sooner, never a result: see [`crate::watch`].
//!
//! Exactly one [`Effect::End`] is given in the life of a session, and nothing after it.

pub use self::effect::{Effect, ExitReason, Outcome, Request, View};
use crate::status::{Answer, Diagnosis, State, Status};
use crate::watch::{Millis, Sight, Watch};

mod effect;

/// How the sign-in was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// In a window of its own, opened now.
    Window,
    /// By navigation: the person has just come back to the page.
    Returned,
}

/// One attempt to connect a mailbox.
#[derive(Debug)]
pub struct Session {
    watch: Option<Watch>,
    view: View,
    state: State,
    phase: Option<String>,
    version: Option<String>,
    ticket: u32,
    asked_at: Millis,
    hinted_at: Option<Millis>,
    failures: u32,
    giving_up: Option<ExitReason>,
    told_apart: bool,
    /// An administrator has agreed, and the person has to go on.
    agreed: bool,
    ended: bool,
}

impl Session {
    /// Begins, and says what to do first.
    #[must_use]
    pub fn begin(start: Start, now: Millis) -> (Self, Vec<Effect>) {
        let mut session = Self {
            watch: (start == Start::Window).then(|| Watch::new(now)),
            view: if start == Start::Window {
                View::Waiting
            } else {
                View::Finishing
            },
            state: State::Pending,
            phase: None,
            version: None,
            ticket: 0,
            asked_at: now,
            hinted_at: None,
            failures: 0,
            giving_up: None,
            told_apart: false,
            agreed: false,
            ended: false,
        };
        let wait = if start == Start::Window { LONG_POLL } else { 0 };
        let effects = vec![
            Effect::Show(session.view),
            session.ask(Request::Status { wait }, 0, now),
        ];
        (session, effects)
    }

    /// The gateway answered the request with this ticket.
    pub fn answered(
        &mut self,
        ticket: u32,
        http: u16,
        body: &str,
        retry_after: Option<Millis>,
        now: Millis,
    ) -> Vec<Effect> {
        if self.ended || ticket != self.ticket {
            return Vec::new();
        }
        match Answer::read(http, body) {
            Answer::Status(status) => self.follow(status, now),
            Answer::Later => self.again(retry_after, now),
            Answer::Refused(diagnosis) => vec![self.end(Outcome::Error {
                diagnosis,
                retry: false,
            })],
        }
    }

    /// The request with this ticket got no answer.
    pub fn unreachable(&mut self, ticket: u32, now: Millis) -> Vec<Effect> {
        if self.ended || ticket != self.ticket {
            return Vec::new();
        }
        self.again(None, now)
    }

    /// A look at the sign-in window.
    pub fn watched(&mut self, closed: bool, focused: bool, now: Millis) -> Vec<Effect> {
        let Some(watch) = self
            .watch
            .as_mut()
            .filter(|_| !self.ended && self.giving_up.is_none())
        else {
            return Vec::new();
        };
        match watch.look(closed, focused, now) {
            Sight::Open | Sight::Unsure => Vec::new(),
            Sight::Apart => self.show_state_or_apart(),
            // Whoever waits for an administrator, or for the gateway's check, has no more use for the window.
            Sight::Closed if self.state != State::Pending => Vec::new(),
            Sight::Closed => self.give_up(ExitReason::WindowClosed, now),
        }
    }

    /// The sign-in window sent a message: worth asking at once, no more.
    pub fn hinted(&mut self, now: Millis) -> Vec<Effect> {
        let lately = self
            .hinted_at
            .is_some_and(|at| now.saturating_sub(at) < HINT_INTERVAL);
        if self.ended || self.giving_up.is_some() || lately {
            return Vec::new();
        }
        self.hinted_at = Some(now);
        vec![self.ask(Request::Status { wait: 0 }, 0, now)]
    }

    /// The person pressed Cancel.
    pub fn cancelled(&mut self, now: Millis) -> Vec<Effect> {
        if self.ended || self.giving_up == Some(ExitReason::Cancelled) {
            return Vec::new();
        }
        let mut effects = self.show(View::Stopping);
        effects.extend(self.give_up(ExitReason::Cancelled, now));
        effects
    }

    /// The person opened the sign-in window again.
    pub fn reopened(&mut self, now: Millis) -> Vec<Effect> {
        if self.ended {
            return Vec::new();
        }
        self.watch = Some(Watch::new(now));
        self.told_apart = false;
        self.agreed = false;
        if self.state == State::Pending {
            self.show(View::Waiting)
        } else {
            Vec::new()
        }
    }

    /// Whether the sign-in window, if there still is one, shows what no longer holds.
    #[must_use]
    pub fn needs_the_window_anew(&self) -> bool {
        self.agreed
    }

    /// The version that the gateway last told of. To be sent along with a question: what changed in between is then
    /// answered at once. A gateway that tells none knows no such parameter.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn follow(&mut self, status: Status, now: Millis) -> Vec<Effect> {
        self.failures = 0;
        self.version.clone_from(&status.version);
        let changed = self.state != status.state || self.phase != status.phase;
        if self.state == State::AwaitingAdminConsent && status.state == State::Pending {
            // Whatever window is left says that an administrator must agree: closing it means nothing any more.
            self.agreed = true;
            self.watch = None;
        }
        self.state = status.state;
        let outcome = match status.state {
            State::Connected => Outcome::Success {
                connect_session: status.connect_session,
                account_id: status.account_id,
            },
            State::Failed => failed(status.diagnosis, self.giving_up),
            State::Expired => Outcome::Error {
                diagnosis: told(status.diagnosis, "expired"),
                retry: false,
            },
            State::GivenUp => Outcome::Exit(self.giving_up.unwrap_or(ExitReason::Cancelled)),
            State::Pending | State::Finishing | State::AwaitingAdminConsent => {
                return self.go_on(status, changed, now);
            }
        };
        let mut effects = Vec::new();
        // A failure stays open: the gateway's page in that window says what to do about it.
        if !matches!(outcome, Outcome::Error { .. }) {
            effects.push(Effect::CloseWindow);
        }
        effects.push(self.end(outcome));
        effects
    }

    fn go_on(&mut self, status: Status, changed: bool, now: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        if changed {
            match status.state {
                State::AwaitingAdminConsent => {
                    effects.push(Effect::Tell {
                        name: "awaiting_admin_consent",
                        value: status.admin_consent_url,
                    });
                }
                _ => effects.extend(status.phase.clone().map(|phase| Effect::Tell {
                    name: "phase",
                    value: Some(phase),
                })),
            }
        }
        self.phase = status.phase;
        // The gateway has heard the request to stop and says that it came too late (or must be asked again).
        self.giving_up = None;
        // Back on the page by navigation, with nothing finished: no window is left in which it could be.
        if self.watch.is_none() && self.state == State::Pending && !self.agreed {
            effects.extend(self.give_up(ExitReason::Returned, now));
            return effects;
        }
        effects.extend(self.show_state_or_apart());
        // A gateway that answers a long poll at once must not be asked in a tight loop.
        let pause = MIN_INTERVAL.saturating_sub(now.saturating_sub(self.asked_at));
        effects.push(self.ask(Request::Status { wait: LONG_POLL }, pause, now));
        effects
    }

    fn again(&mut self, retry_after: Option<Millis>, now: Millis) -> Vec<Effect> {
        self.failures += 1;
        let limit = if self.giving_up.is_some() {
            STOP_ATTEMPTS
        } else {
            ATTEMPTS
        };
        if self.failures >= limit {
            return vec![self.end(Outcome::Error {
                diagnosis: coded("unreachable"),
                retry: true,
            })];
        }
        let mut effects = Vec::new();
        if self.failures == ATTEMPTS_BEFORE_SAYING_SO && self.giving_up.is_none() {
            effects.push(Effect::Tell {
                name: "unreachable",
                value: None,
            });
            effects.extend(self.show(View::Reconnecting));
        }
        let pause = (FIRST_PAUSE << (self.failures - 1)).min(LONGEST_PAUSE);
        let pause = retry_after.map_or(pause, |asked| asked.clamp(pause, LONGEST_RETRY_AFTER));
        let request = if self.giving_up.is_some() {
            Request::GiveUp
        } else {
            Request::Status { wait: 0 }
        };
        effects.push(self.ask(request, pause, now));
        effects
    }

    fn give_up(&mut self, reason: ExitReason, now: Millis) -> Vec<Effect> {
        self.giving_up = Some(reason);
        self.failures = 0;
        vec![self.ask(Request::GiveUp, 0, now)]
    }

    fn show_state_or_apart(&mut self) -> Vec<Effect> {
        let apart = self.watch.as_ref().is_some_and(Watch::is_apart);
        let view = match self.state {
            State::AwaitingAdminConsent => View::AwaitingAdmin,
            _ if self.failures >= ATTEMPTS_BEFORE_SAYING_SO => View::Reconnecting,
            State::Finishing => View::Finishing,
            _ if self.agreed => View::Agreed,
            _ if apart => View::Apart,
            _ => View::Waiting,
        };
        let mut effects = Vec::new();
        if view == View::Apart && !self.told_apart {
            self.told_apart = true;
            effects.push(Effect::Tell {
                name: "severed",
                value: None,
            });
        }
        effects.extend(self.show(view));
        effects
    }

    fn show(&mut self, view: View) -> Vec<Effect> {
        if self.view == view {
            return Vec::new();
        }
        self.view = view;
        vec![Effect::Show(view)]
    }

    fn ask(&mut self, request: Request, after: Millis, now: Millis) -> Effect {
        self.ticket += 1;
        self.asked_at = now.saturating_add(after);
        Effect::Ask {
            ticket: self.ticket,
            request,
            after,
        }
    }

    fn end(&mut self, outcome: Outcome) -> Effect {
        self.ended = true;
        Effect::End(outcome)
    }
}

fn failed(diagnosis: Option<Diagnosis>, giving_up: Option<ExitReason>) -> Outcome {
    let diagnosis = told(diagnosis, "failed");
    if diagnosis.code == "cancelled" {
        Outcome::Exit(giving_up.unwrap_or(ExitReason::Cancelled))
    } else {
        Outcome::Error {
            diagnosis,
            retry: false,
        }
    }
}

/// What the gateway said, or only that code.
fn told(diagnosis: Option<Diagnosis>, code: &str) -> Diagnosis {
    diagnosis
        .filter(|why| !why.code.is_empty())
        .unwrap_or_else(|| coded(code))
}

fn coded(code: &str) -> Diagnosis {
    Diagnosis {
        code: String::from(code),
        ..Diagnosis::default()
    }
}

/// Seconds for which the gateway may hold an answer back: shorter than the idle timeout of usual proxies (30 s).
const LONG_POLL: u32 = 20;
/// Shortest time between two polls of which the first went well.
const MIN_INTERVAL: Millis = 1_000;
/// Messages from the sign-in window are heeded no more often than this.
const HINT_INTERVAL: Millis = 250;
/// Failures in a row after which the session ends as unreachable: about a minute with the pauses below.
const ATTEMPTS: u32 = 11;
/// The same when the person wants to stop: nobody waits a minute for that.
const STOP_ATTEMPTS: u32 = 3;
/// A single lost request is not worth a word.
const ATTEMPTS_BEFORE_SAYING_SO: u32 = 3;
const FIRST_PAUSE: Millis = 500;
const LONGEST_PAUSE: Millis = 8_000;
const LONGEST_RETRY_AFTER: Millis = 30_000;

#[cfg(test)]
mod tests;
