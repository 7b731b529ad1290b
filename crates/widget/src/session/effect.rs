//! What a session wants done.

use crate::status::Diagnosis;
use crate::watch::Millis;

/// What the page has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this request `after` so many milliseconds; it replaces any earlier one, whose answer no longer counts.
    Ask {
        /// To be handed back with the answer.
        ticket: u32,
        /// What to ask.
        request: Request,
        /// How long to wait first.
        after: Millis,
    },
    /// Show this to the person.
    Show(View),
    /// Tell the site; nothing ends by it.
    Tell {
        /// `phase`, `severed`, `awaiting_admin_consent` or `unreachable`.
        name: &'static str,
        /// The phase or the link, where there is one.
        value: Option<String>,
    },
    /// Close the sign-in window, if it can still be reached.
    CloseWindow,
    /// The one terminal result.
    End(Outcome),
}

/// A request to the gateway about this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET …/status?wait=SECONDS`: answered when something changes, or when the time is up.
    Status {
        /// How long the gateway may hold the answer back.
        wait: u32,
    },
    /// `DELETE …`: the person gave up. The gateway decides whether that is still in time.
    GiveUp,
}

/// What the person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The sign-in goes on in the other window.
    Waiting,
    /// The same, but the window is out of reach: cancel and reopen must be at hand.
    Apart,
    /// The authority has answered, the mailbox is being checked.
    Finishing,
    /// An administrator has to agree.
    AwaitingAdmin,
    /// An administrator has agreed: the person goes on in the window, opened again.
    Agreed,
    /// The gateway is not answering; the page keeps trying.
    Reconnecting,
    /// The person asked to stop.
    Stopping,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mailbox is connected. The site's backend asks the gateway for the truth of it.
    Success {
        /// `cs_…`
        connect_session: Option<String>,
        /// `acc_…`
        account_id: Option<String>,
    },
    /// The person did not want to.
    Exit(ExitReason),
    /// It could not be done.
    Error {
        /// Why.
        diagnosis: Diagnosis,
        /// Whether the same connect session can be tried again.
        retry: bool,
    },
}

/// Why a person left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// Closed the sign-in window.
    WindowClosed,
    /// Pressed Cancel, here or at the authority.
    Cancelled,
    /// Came back to the page without having finished.
    Returned,
}

impl ExitReason {
    /// The word in the event's detail.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WindowClosed => "popup_closed",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }
}
