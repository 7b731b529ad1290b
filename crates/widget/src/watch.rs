//! Judging from outside whether a sign-in window was closed by the person.
//!
//! A page may only ask `window.closed`, and that answer cannot be trusted: when any page in the sign-in window sends
//! `Cross-Origin-Opener-Policy`, the browser cuts the tie between the two windows and `closed` reads `true` while the
//! window is still in use (HTML, "browsing context group switch"; measured 0.1 to 0.3 s after the navigation).
//! So [`Watch`] weighs *when* it flipped and who has the keyboard focus: a person who closes a window lands back on
//! our page, a person who is typing a password elsewhere does not.

/// Milliseconds on the page's own monotonic clock.
pub type Millis = u64;

/// What the last looks at the sign-in window amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The window is open, as far as anybody can tell.
    Open,
    /// `closed` reads true, for too short a time to judge.
    Unsure,
    /// The tie to the window is cut: nothing more can be learned by looking.
    Apart,
    /// The person closed the window and is back on the page.
    Closed,
}

/// A sign-in window as its opener sees it.
#[derive(Debug)]
pub struct Watch {
    opened_at: Millis,
    looked_at: Millis,
    flipped: bool,
    focused_since: Option<Millis>,
    blurred_since: Option<Millis>,
    apart: bool,
}

impl Watch {
    /// A window opened just now.
    #[must_use]
    pub fn new(now: Millis) -> Self {
        Self {
            opened_at: now,
            looked_at: now,
            flipped: false,
            focused_since: None,
            blurred_since: None,
            apart: false,
        }
    }

    /// Whether the tie to the window is cut.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.apart
    }

    /// One look: what `window.closed` and `document.hasFocus()` say.
    pub fn look(&mut self, closed: bool, focused: bool, now: Millis) -> Sight {
        let unwatched = now.saturating_sub(self.looked_at);
        self.looked_at = now;
        if self.apart {
            return Sight::Apart;
        }
        if !closed {
            (self.flipped, self.focused_since, self.blurred_since) = (false, None, None);
            return Sight::Open;
        }
        if !self.flipped {
            self.flipped = true;
            // Nobody closes a window before its page has come up; and of a flip that happened while the page was
            // suspended (a phone showing the other tab) the moment and the focus are unknown.
            self.apart = now.saturating_sub(self.opened_at) < TOO_SOON || unwatched > SUSPENDED;
        }
        let since = if focused {
            self.blurred_since = None;
            *self.focused_since.get_or_insert(now)
        } else {
            self.focused_since = None;
            *self.blurred_since.get_or_insert(now)
        };
        let lasted = now.saturating_sub(since);
        self.apart |= !focused && lasted > BLURRED;
        match (self.apart, focused && lasted >= GRACE) {
            (true, _) => Sight::Apart,
            (false, true) => Sight::Closed,
            (false, false) => Sight::Unsure,
        }
    }
}

/// A flip sooner than this after opening comes from the browser, not from the person.
const TOO_SOON: Millis = 2_000;
/// Focus elsewhere for longer than this after the flip: the person is still in the other window.
const BLURRED: Millis = 1_000;
/// Focus on our page for this long after the flip: the person is back.
const GRACE: Millis = 1_500;
/// A longer pause between two looks means that the page was suspended. Background timers run once a second.
const SUSPENDED: Millis = 3_000;

#[cfg(test)]
mod tests {
    use super::{Millis, Sight, Watch};

    /// Looks every 250 ms from `from` to `to` and returns the last verdict.
    fn looks(watch: &mut Watch, from: Millis, to: Millis, closed: bool, focused: bool) -> Sight {
        let mut sight = Sight::Open;
        for now in (from..=to).step_by(250) {
            sight = watch.look(closed, focused, now);
        }
        sight
    }

    #[test]
    fn closed_by_the_person_after_the_grace() {
        let mut watch = Watch::new(0);
        assert_eq!(looks(&mut watch, 250, 8_000, false, false), Sight::Open);
        assert_eq!(looks(&mut watch, 8_250, 9_500, true, true), Sight::Unsure);
        assert_eq!(watch.look(true, true, 9_750), Sight::Closed);
    }

    #[test]
    fn cut_at_once_by_the_login_page() {
        let mut watch = Watch::new(0);
        assert_eq!(watch.look(true, true, 300), Sight::Apart);
        assert_eq!(
            looks(&mut watch, 500, 60_000, true, true),
            Sight::Apart,
            "focus coming back proves nothing"
        );
    }

    #[test]
    fn cut_late_while_the_person_types_elsewhere() {
        let mut watch = Watch::new(0);
        looks(&mut watch, 250, 20_000, false, false);
        assert_eq!(
            looks(&mut watch, 20_250, 21_250, true, false),
            Sight::Unsure
        );
        assert_eq!(watch.look(true, false, 21_500), Sight::Apart);
        assert_eq!(looks(&mut watch, 21_750, 90_000, true, true), Sight::Apart);
    }

    #[test]
    fn focus_must_be_continuous() {
        let mut watch = Watch::new(0);
        looks(&mut watch, 250, 5_000, false, false);
        looks(&mut watch, 5_250, 6_500, true, true);
        assert_eq!(watch.look(true, false, 6_600), Sight::Unsure);
        assert_eq!(
            watch.look(true, true, 6_850),
            Sight::Unsure,
            "the grace starts anew"
        );
        assert_eq!(watch.look(true, true, 8_350), Sight::Closed);
    }

    #[test]
    fn a_flip_during_suspension_is_not_judged() {
        let mut watch = Watch::new(0);
        looks(&mut watch, 250, 3_000, false, false);
        assert_eq!(watch.look(true, true, 45_000), Sight::Apart);
    }

    #[test]
    fn a_window_that_reads_open_again_is_open() {
        let mut watch = Watch::new(0);
        looks(&mut watch, 250, 5_000, false, false);
        assert_eq!(watch.look(true, true, 5_250), Sight::Unsure);
        assert_eq!(watch.look(false, true, 5_500), Sight::Open);
        assert_eq!(watch.look(true, true, 7_000), Sight::Unsure);
    }
}
