//! Transcripts: what happened to the page, what it was told to do.

use super::{Effect, ExitReason, Outcome, Request, Session, Start, View};
use crate::watch::Millis;

const PENDING: &str = r#"{"status":"pending","connect_session":"cs_1"}"#;
const FINISHING: &str = r#"{"status":"pending","phase":"finishing","connect_session":"cs_1"}"#;
const CONNECTED: &str = r#"{"status":"connected","connect_session":"cs_1","account_id":"acc_1"}"#;
const CANCELLED: &str =
    r#"{"status":"failed","diagnosis":{"code":"cancelled","title":"Cancelled","detail":""}}"#;
const ADMIN: &str = r#"{"status":"awaiting_admin_consent","admin_consent_url":"https://login.example/adminconsent"}"#;

/// A page under test: keeps the pending request and everything that was effected.
struct Page {
    session: Session,
    now: Millis,
    asked: Option<(u32, Request, Millis)>,
    effects: Vec<Effect>,
}

impl Page {
    fn start(start: Start) -> Self {
        let (session, effects) = Session::begin(start, 0);
        let mut page = Self {
            session,
            now: 0,
            asked: None,
            effects: Vec::new(),
        };
        page.take(effects);
        page
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Ask {
                ticket,
                request,
                after,
            } = effect
            {
                self.asked = Some((ticket, request, after));
            } else {
                self.effects.push(effect);
            }
        }
    }

    /// The pending request is sent, and answered `later` milliseconds afterwards.
    fn answer(&mut self, later: Millis, http: u16, body: &str) {
        let (ticket, _, after) = self.asked.take().expect("a request is pending");
        self.now += after + later;
        let effects = self.session.answered(ticket, http, body, None, self.now);
        self.take(effects);
    }

    fn lose(&mut self) {
        let (ticket, _, after) = self.asked.take().expect("a request is pending");
        self.now += after;
        let effects = self.session.unreachable(ticket, self.now);
        self.take(effects);
    }

    /// Looks every 250 ms for `duration`.
    fn look(&mut self, duration: Millis, closed: bool, focused: bool) {
        let until = self.now + duration;
        while self.now < until {
            self.now += 250;
            let effects = self.session.watched(closed, focused, self.now);
            self.take(effects);
        }
    }

    fn cancel(&mut self) {
        let effects = self.session.cancelled(self.now);
        self.take(effects);
    }

    fn request(&self) -> Option<Request> {
        self.asked.map(|(_, request, _)| request)
    }

    fn outcomes(&self) -> Vec<&Outcome> {
        self.effects
            .iter()
            .filter_map(|effect| {
                if let Effect::End(outcome) = effect {
                    Some(outcome)
                } else {
                    None
                }
            })
            .collect()
    }

    fn told(&self) -> Vec<&'static str> {
        self.effects
            .iter()
            .filter_map(|effect| {
                if let Effect::Tell { name, .. } = effect {
                    Some(*name)
                } else {
                    None
                }
            })
            .collect()
    }

    fn view(&self) -> View {
        self.session.view
    }
}

fn success() -> Outcome {
    Outcome::Success {
        connect_session: Some(String::from("cs_1")),
        account_id: Some(String::from("acc_1")),
    }
}

#[test]
fn the_straight_way() {
    let mut page = Page::start(Start::Window);
    assert_eq!(page.request(), Some(Request::Status { wait: 20 }));
    page.look(5_000, false, false);
    page.answer(15_000, 200, PENDING);
    page.answer(3_000, 200, FINISHING);
    assert_eq!(page.view(), View::Finishing);
    page.answer(900, 200, CONNECTED);
    assert_eq!(page.outcomes(), [&success()]);
    assert_eq!(page.told(), ["phase"]);
    assert!(page.effects.contains(&Effect::CloseWindow));
    assert_eq!(page.request(), None, "nothing is asked after the end");
}

#[test]
fn a_window_that_was_cut_off_never_ends_the_session() {
    let mut page = Page::start(Start::Window);
    page.look(600_000, true, true);
    assert_eq!(page.view(), View::Apart);
    assert_eq!(page.told(), ["severed"]);
    assert_eq!(
        page.request(),
        Some(Request::Status { wait: 20 }),
        "still asking, not giving up"
    );
    page.answer(0, 200, CONNECTED);
    assert_eq!(page.outcomes(), [&success()]);
}

#[test]
fn closing_the_window_ends_it_when_the_gateway_agrees() {
    let mut page = Page::start(Start::Window);
    page.look(6_000, false, false);
    page.look(1_750, true, true);
    assert_eq!(page.request(), Some(Request::GiveUp));
    page.answer(20, 200, r#"{"status":"given_up"}"#);
    assert_eq!(page.outcomes(), [&Outcome::Exit(ExitReason::WindowClosed)]);
}

#[test]
fn closing_the_window_after_the_callback_waits_for_the_result() {
    let mut page = Page::start(Start::Window);
    page.look(6_000, false, false);
    page.look(2_000, true, true);
    page.answer(20, 200, r#"{"status":"finishing"}"#);
    assert_eq!(
        (page.request(), page.view()),
        (Some(Request::Status { wait: 20 }), View::Finishing)
    );
    page.look(10_000, true, true);
    assert_eq!(
        page.request(),
        Some(Request::Status { wait: 20 }),
        "asked to give up only once"
    );
    page.answer(500, 200, CONNECTED);
    assert_eq!(page.outcomes(), [&success()]);
}

#[test]
fn success_that_crosses_the_request_to_stop() {
    let mut page = Page::start(Start::Window);
    page.cancel();
    page.answer(20, 200, CONNECTED);
    assert_eq!(page.outcomes(), [&success()]);
}

#[test]
fn cancel_here_and_at_the_authority() {
    let mut page = Page::start(Start::Window);
    page.cancel();
    assert_eq!(
        (page.view(), page.request()),
        (View::Stopping, Some(Request::GiveUp))
    );
    page.cancel();
    page.answer(20, 200, CANCELLED);
    assert_eq!(page.outcomes(), [&Outcome::Exit(ExitReason::Cancelled)]);

    let mut page = Page::start(Start::Window);
    page.answer(9_000, 200, CANCELLED);
    assert_eq!(page.outcomes(), [&Outcome::Exit(ExitReason::Cancelled)]);
}

#[test]
fn the_version_last_told_goes_back_with_the_next_question() {
    let mut page = Page::start(Start::Window);
    assert_eq!(page.session.version(), None);
    page.answer(
        5,
        200,
        r#"{"status":"pending","phase":"started","version":"pending.started"}"#,
    );
    assert_eq!(page.session.version(), Some("pending.started"));
    page.lose();
    assert_eq!(page.session.version(), Some("pending.started"));
    page.answer(5, 200, PENDING);
    assert_eq!(page.session.version(), None, "an older gateway tells none");
}

#[test]
fn answers_to_replaced_requests_do_not_count() {
    let mut page = Page::start(Start::Window);
    let (old, ..) = page.asked.unwrap();
    page.cancel();
    assert!(
        page.session
            .answered(old, 200, PENDING, None, 10)
            .is_empty()
    );
    assert!(page.session.unreachable(old, 10).is_empty());
}

#[test]
fn a_hint_asks_at_once_and_cannot_be_abused() {
    let mut page = Page::start(Start::Window);
    let hinted = page.session.hinted(5_000);
    assert!(matches!(
        hinted.as_slice(),
        [Effect::Ask {
            request: Request::Status { wait: 0 },
            after: 0,
            ..
        }]
    ));
    assert!(page.session.hinted(5_100).is_empty());
    page.take(hinted);
    page.now = 5_100;
    page.answer(30, 200, CONNECTED);
    assert!(page.session.hinted(9_000).is_empty());
    assert_eq!(page.outcomes().len(), 1);
}

#[test]
fn waiting_for_the_administrator_survives_the_window() {
    let mut page = Page::start(Start::Window);
    page.look(4_000, false, false);
    page.answer(2_000, 200, ADMIN);
    assert_eq!(page.view(), View::AwaitingAdmin);
    assert!(page.effects.contains(&Effect::Tell {
        name: "awaiting_admin_consent",
        value: Some(String::from("https://login.example/adminconsent")),
    }));
    page.look(60_000, true, true);
    page.answer(20_000, 200, ADMIN);
    assert_eq!(page.told(), ["awaiting_admin_consent"], "told once");
    page.answer(20_000, 200, CONNECTED);
    assert_eq!(page.outcomes(), [&success()]);
}

#[test]
fn what_an_administrator_agreed_to_waits_for_the_person() {
    const AGREED: &str = r#"{"status":"pending","phase":"created"}"#;
    for start in [Start::Window, Start::Returned] {
        let mut page = Page::start(start);
        page.answer(2_000, 200, ADMIN);
        assert!(!page.session.needs_the_window_anew());
        // The window is closed, as its page says one may.
        page.look(60_000, true, true);
        page.answer(20_000, 200, AGREED);
        assert_eq!(page.view(), View::Agreed);
        page.look(60_000, true, true);
        page.answer(20_000, 200, AGREED);
        assert_eq!(page.view(), View::Agreed);
        assert!(page.session.needs_the_window_anew());
        assert!(page.outcomes().is_empty(), "nobody gave up");

        let reopened = page.session.reopened(page.now);
        page.take(reopened);
        assert_eq!(page.view(), View::Waiting);
        assert!(!page.session.needs_the_window_anew());
        page.answer(2_000, 200, CONNECTED);
        assert_eq!(page.outcomes(), [&success()]);
    }
}

#[test]
fn an_unreachable_gateway_is_asked_for_about_a_minute() {
    let mut page = Page::start(Start::Window);
    let mut lost = 0;
    while page.outcomes().is_empty() {
        page.lose();
        lost += 1;
    }
    assert_eq!(lost, 11);
    assert!((40_000..90_000).contains(&page.now), "{}", page.now);
    assert_eq!(page.told(), ["unreachable"]);
    assert!(
        matches!(page.outcomes().as_slice(), [Outcome::Error { diagnosis, retry: true }] if diagnosis.code == "unreachable")
    );
}

#[test]
fn a_passing_fault_is_forgotten() {
    let mut page = Page::start(Start::Window);
    for _ in 0..3 {
        page.answer(5, 503, "");
    }
    assert_eq!(page.view(), View::Reconnecting);
    page.answer(5, 200, PENDING);
    assert_eq!(page.view(), View::Waiting);
    for _ in 0..10 {
        page.lose();
    }
    assert!(page.outcomes().is_empty(), "the count began anew");
}

#[test]
fn retry_after_is_heeded_within_reason() {
    let mut page = Page::start(Start::Window);
    let (ticket, ..) = page.asked.unwrap();
    let effects = page.session.answered(ticket, 429, "", Some(5_000), 0);
    assert!(matches!(
        effects.as_slice(),
        [Effect::Ask { after: 5_000, .. }]
    ));
    let effects = page
        .session
        .answered(ticket + 1, 429, "", Some(86_400_000), 0);
    assert!(matches!(
        effects.as_slice(),
        [Effect::Ask { after: 30_000, .. }]
    ));
}

#[test]
fn a_gateway_that_answers_at_once_is_not_hammered() {
    let mut page = Page::start(Start::Window);
    for _ in 0..20 {
        page.answer(2, 200, PENDING);
    }
    assert!(page.now >= 19_000, "{}", page.now);
}

#[test]
fn back_by_navigation() {
    let mut page = Page::start(Start::Returned);
    assert_eq!(page.request(), Some(Request::Status { wait: 0 }));
    page.answer(5, 200, CONNECTED);
    assert_eq!(page.outcomes(), [&success()]);

    let mut page = Page::start(Start::Returned);
    page.answer(5, 200, PENDING);
    assert_eq!(page.request(), Some(Request::GiveUp));
    page.answer(5, 204, "");
    assert_eq!(page.outcomes(), [&Outcome::Exit(ExitReason::Returned)]);
}

#[test]
fn refusals_and_failures_keep_their_code() {
    let failed = r#"{"status":"failed","diagnosis":{"code":"imap_disabled","title":"IMAP is off","detail":"…"}}"#;
    for (http, body, code) in [
        (200, failed, "imap_disabled"),
        (200, r#"{"status":"failed"}"#, "failed"),
        (200, r#"{"status":"expired"}"#, "expired"),
        (
            200,
            r#"{"status":"expired","diagnosis":{"code":"not_returned","title":"…","detail":"…"}}"#,
            "not_returned",
        ),
        (410, "", "expired"),
        (404, "", "session_unknown"),
    ] {
        let mut page = Page::start(Start::Window);
        page.answer(5, http, body);
        assert!(
            matches!(page.outcomes().as_slice(), [Outcome::Error { diagnosis, retry: false }] if diagnosis.code == code),
            "{code}: {:?}",
            page.outcomes()
        );
        assert!(
            !page.effects.contains(&Effect::CloseWindow),
            "the window explains the failure"
        );
    }
}

#[test]
fn reopening_watches_the_new_window() {
    let mut page = Page::start(Start::Window);
    page.look(3_000, true, true);
    assert_eq!(page.view(), View::Apart);
    let effects = page.session.reopened(page.now);
    page.take(effects);
    assert_eq!(page.view(), View::Waiting);
    page.look(5_000, false, false);
    page.look(2_000, true, true);
    assert_eq!(page.request(), Some(Request::GiveUp));
}
