//! What the year must have been like.

use serde_json::Value;

use super::Year;
use crate::{
    calendar::{
        CERTIFICATE_ENDS, HOUR, PASSWORD_CHANGED, SECRET_ENDS, SELDOM, SIGNED_IN_AGAIN, day,
        moment, seconds,
    },
    ledger::{Request, expected},
};

impl Year {
    pub(super) fn judge(&self) {
        self.judge_requests();
        self.judge_events();
        self.judge_counts();
    }

    fn judge_requests(&self) {
        let failed = self.requests.iter().filter(|request| !request.is_ok());
        let unexcused: Vec<String> = failed
            .filter(|request| !request.is_excused(&self.outages))
            .map(Request::line)
            .collect();
        assert!(unexcused.is_empty(), "{unexcused:#?}");
        for (account, at) in [
            ("delegated", moment(SECRET_ENDS)),
            ("delegated", moment(SIGNED_IN_AGAIN)),
            ("app_only", moment(CERTIFICATE_ENDS)),
            ("seldom", moment(SELDOM[0])),
            ("seldom", moment(SELDOM[1])),
        ] {
            let first = self.of(account).find(|request| request.at >= at).unwrap();
            assert!(first.is_ok() && first.at - at < HOUR, "{}", first.line());
        }
        let hours = 365 * 24;
        // Once more, when the person has come back.
        assert_eq!(self.of("delegated").count(), hours + 1);
    }

    fn judge_events(&self) {
        let times: Vec<i64> = self.events.iter().map(at).collect();
        assert!(times.is_sorted(), "{times:?}");
        for account in &self.accounts {
            let seen: Vec<&Value> = self
                .events
                .iter()
                .filter(|event| event["account_id"] == account.id.as_str())
                .filter(|event| kind(event).starts_with("account."))
                .collect();
            let requests = self.of(account.name);
            let expected = expected(account.connected_at, requests, &self.outages);
            assert_eq!(
                seen.iter().map(|event| kind(event)).collect::<Vec<_>>(),
                expected.iter().map(|event| event.kind).collect::<Vec<_>>(),
                "{}",
                account.name
            );
            for (seen, expected) in seen.into_iter().zip(expected) {
                let due = expected.from..=expected.to;
                assert!(due.contains(&at(seen)), "{seen:#} {expected:?}");
            }
        }
        let others = self
            .events
            .iter()
            .filter(|event| !kind(event).starts_with("account."));
        let told: Vec<String> = others
            .map(|event| {
                let (kind, data) = (kind(event), &event["data"]);
                match kind {
                    "credential.expiring" => format!(
                        "{kind} {} {} on day {:.0}",
                        data["application"].as_str().unwrap(),
                        data["days_left"],
                        day(at(event))
                    ),
                    _ => format!("{kind} {}", data["status"].as_str().unwrap_or_default()),
                }
            })
            .collect();
        assert_eq!(
            told,
            [
                "connect_session.completed connected",
                "connect_session.completed connected",
                "credential.expiring delegated 30 on day 130",
                "credential.expiring delegated 7 on day 153",
                "credential.expiring delegated 1 on day 159",
                "connect_session.completed connected",
                "credential.expiring app_only 30 on day 220",
                "credential.expiring app_only 7 on day 243",
                "credential.expiring app_only 1 on day 249",
            ]
        );
        let died = self
            .events
            .iter()
            .filter(|event| kind(event) == "account.reauth_required");
        let died: Vec<f64> = died.map(|event| day(at(event))).collect();
        assert!(
            matches!(died[..], [day] if (PASSWORD_CHANGED..PASSWORD_CHANGED + 0.05).contains(&day)),
            "once, and within the life of a token: {died:?}"
        );
    }

    fn judge_counts(&self) {
        // What is used each hour is renewed after 55 minutes of its 75; the account that nobody uses is kept alive once a day.
        let refreshed = self.world.token_requests("refresh_token");
        assert!((9_000..10_200).contains(&refreshed), "{refreshed}");
        let asked = self.world.token_requests("client_credentials");
        let requests = u64::try_from(self.of("app_only").count()).unwrap();
        assert!(
            (requests / 2..requests * 3 / 2).contains(&asked),
            "{asked} for {requests}"
        );
    }
}

fn at(event: &Value) -> i64 {
    seconds(event["occurred_at"].as_str().unwrap())
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap()
}
