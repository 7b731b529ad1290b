use super::*;
use crate::{diagnosis::fixture, tokens::wanted::Wanted};

/// Randomness that adds the least, or the most.
struct Always(u8);

impl Random for Always {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn response(name: &str, seconds: u64) -> TokenResponse {
    let body =
        format!(r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":{seconds}}}"#);
    TokenResponse::parse(200, body.as_bytes()).unwrap()
}

fn keep(slot: &Slot, name: &str, seconds: u64, at: i64) -> LiveToken {
    slot.keep(&response(name, seconds), UnixTime(at), &Always(0))
}

fn wanted() -> Wanted {
    Wanted::app_only(
        &fixture::application("offline_access"),
        None,
        "anna@example.com",
    )
}

fn unavailable() -> Error {
    Error::Storage {
        detail: "disk full".to_owned(),
    }
}

#[test]
fn a_token_is_served_then_renewed_ahead_then_renewed_first() {
    let slot = Slot::default();
    assert!(matches!(slot.next(UnixTime(0)), Next::Launch));
    keep(&slot, "token", 3600, 0);
    assert!(matches!(slot.next(UnixTime(2399)), Next::Serve(_)));
    assert!(matches!(
        slot.next(UnixTime(2400)),
        Next::ServeAndRefresh(_)
    ));
    assert!(matches!(slot.next(UnixTime(3570)), Next::Launch));
}

#[test]
fn a_short_token_is_renewed_in_its_last_third() {
    let slot = Slot::default();
    keep(&slot, "token", 300, 0);
    assert!(matches!(slot.next(UnixTime(199)), Next::Serve(_)));
    assert!(matches!(slot.next(UnixTime(200)), Next::ServeAndRefresh(_)));
}

#[test]
fn tokens_made_together_are_not_renewed_together() {
    let slot = Slot::default();
    slot.keep(&response("token", 3600), UnixTime(0), &Always(255));
    assert!(matches!(slot.next(UnixTime(2279)), Next::Serve(_)));
    assert!(matches!(
        slot.next(UnixTime(2280)),
        Next::ServeAndRefresh(_)
    ));
}

#[test]
fn a_second_caller_joins_the_first() {
    let slot = Slot::default();
    let _under_way = slot.board(&wanted()).unwrap();
    assert!(slot.board(&wanted()).is_err());
    assert!(matches!(slot.next(UnixTime(0)), Next::Join(_)));
}

#[test]
fn a_request_whose_task_is_gone_keeps_nobody_waiting() {
    let slot = Slot::default();
    let (landing, _) = slot.board(&wanted()).unwrap();
    assert!(matches!(slot.next(UnixTime(0)), Next::Join(_)));
    drop(landing);
    assert!(matches!(slot.next(UnixTime(0)), Next::Launch));
    assert!(slot.is_idle(UnixTime(0)));
    let _again = slot.board(&wanted()).unwrap();
    assert!(matches!(slot.next(UnixTime(0)), Next::Join(_)));
}

#[test]
fn failures_are_followed_by_growing_pauses() {
    let slot = Slot::default();
    for (now, pause) in [(0, 1), (10, 2), (20, 4), (30, 8)] {
        slot.land(&Err(unavailable()), Fingerprint::default(), UnixTime(now));
        assert_eq!(slot.next_attempt(), Some(UnixTime(now + pause)));
        assert!(matches!(slot.next(UnixTime(now)), Next::Wait(_)));
        assert!(matches!(slot.next(UnixTime(now + pause)), Next::Launch));
    }
    let token = keep(&slot, "token", 3600, 40);
    slot.land(&Ok(token), Fingerprint::default(), UnixTime(40));
    assert_eq!(slot.next_attempt(), None);
}

#[test]
fn an_outage_does_not_stop_a_token_that_is_still_good() {
    let slot = Slot::default();
    keep(&slot, "token", 3600, 0);
    slot.land(&Err(unavailable()), Fingerprint::default(), UnixTime(3400));
    assert!(matches!(slot.next(UnixTime(3400)), Next::Serve(_)));
}

#[test]
fn a_token_that_is_used_falls_due_and_one_that_nobody_uses_does_not() {
    let slot = Slot::default();
    let (landing, _) = slot.board(&wanted()).unwrap();
    let token = keep(&slot, "token", 3600, 0);
    slot.land(&Ok(token), Fingerprint::default(), UnixTime(0));
    drop(landing);
    assert!(slot.due(UnixTime(2400)).is_none(), "nobody has asked");
    assert!(matches!(slot.next(UnixTime(10)), Next::Serve(_)));
    assert!(slot.due(UnixTime(2399)).is_none());
    assert!(slot.due(UnixTime(2400)).is_some());
    // Renewed ahead, it is worth another one only when it is used.
    keep(&slot, "next", 3600, 2400);
    assert!(slot.due(UnixTime(4800)).is_none());
    assert!(matches!(slot.next(UnixTime(4000)), Next::Serve(_)));
    assert!(slot.due(UnixTime(4800)).is_some());
    slot.land(&Err(unavailable()), Fingerprint::default(), UnixTime(4800));
    assert!(slot.due(UnixTime(4800)).is_none(), "due during the pause");
    assert!(slot.due(UnixTime(4801)).is_some());
}

#[test]
fn a_refused_token_is_not_served_again() {
    let slot = Slot::default();
    let first = keep(&slot, "first", 3600, 0);
    slot.refuse(&first, between_refusals(false), UnixTime(1));
    assert!(matches!(slot.next(UnixTime(1)), Next::Launch));
    assert!(slot.has_refused(&first.token));
    keep(&slot, "second", 3600, 2);
    // Who still has the first one gets the second.
    slot.refuse(&first, between_refusals(false), UnixTime(3));
    assert!(matches!(slot.next(UnixTime(3)), Next::Serve(_)));
}

#[test]
fn one_mailbox_does_not_wear_out_the_token_of_all() {
    let slot = Slot::default();
    for (now, is_given_up) in [(100, true), (200, false), (699, false), (700, true)] {
        let token = keep(&slot, &format!("token-{now}"), 3600, now);
        slot.refuse(&token, between_refusals(true), UnixTime(now));
        assert_eq!(
            matches!(slot.next(UnixTime(now)), Next::Launch),
            is_given_up,
            "{now}"
        );
    }
}

#[test]
fn a_server_that_refuses_always_makes_no_loop_at_the_authority() {
    let slot = Slot::default();
    let mut given_up = 0;
    for now in 0..300 {
        let token = keep(&slot, &format!("token-{now}"), 3600, now);
        slot.refuse(&token, between_refusals(false), UnixTime(now));
        given_up += u32::from(matches!(slot.next(UnixTime(now)), Next::Launch));
    }
    assert_eq!(
        given_up, 10,
        "Entra takes fifteen in five minutes for a loop"
    );
    // A clock that was put back holds nobody up.
    let token = keep(&slot, "token", 3600, -500);
    slot.refuse(&token, between_refusals(false), UnixTime(-500));
    assert!(matches!(slot.next(UnixTime(-500)), Next::Launch));
}

#[test]
fn what_ended_is_let_go() {
    let slot = Slot::default();
    assert!(slot.is_idle(UnixTime(0)));
    keep(&slot, "token", 3600, 0);
    assert!(!slot.is_idle(UnixTime(3599)));
    assert!(slot.is_idle(UnixTime(3600)));
    slot.land(&Err(unavailable()), Fingerprint::default(), UnixTime(3600));
    assert!(!slot.is_idle(UnixTime(3600)));
    assert!(slot.is_idle(UnixTime(3601)));
}
