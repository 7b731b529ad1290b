//! What was asked of the gateway, what it answered, and what the operator saw.
//!
//! **When a request may fail.** While its authority is down, and only once that has lasted longer than the head start: the
//! token in use is renewed twenty minutes ahead, so that who asks sees nothing until it ends. (Who asks once a day has none
//! that could serve meanwhile.) While the mail server is
//! down, and only where an email is asked for; or until the pause is over that it has asked for. Between the person's new
//! password and the new sign-in, with `reauth_required` and nothing else. Never otherwise: not once after an outage's end.

use serde_json::Value;

use crate::{
    calendar::{
        HOUR, MINUTE, PASSWORD_CHANGED, SIGNED_IN_AGAIN, day, is_busy, moment, seconds, written,
    },
    outage::{Kind, Outage},
};

/// One request of a program to the gateway.
pub struct Request {
    pub at: i64,
    pub account: &'static str,
    pub what: &'static str,
    pub status: u16,
    pub code: String,
}

/// An event that an account's requests leave to expect, and when it may come.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub kind: &'static str,
    pub from: i64,
    pub to: i64,
}

/// Twenty minutes; less the half minute in which a token is no longer handed out, and up to two by which this year's rounds
/// come later than the gateway's own.
const HEAD_START: i64 = 17 * MINUTE;
/// What Exchange asks for.
const BACKOFF: i64 = 5 * MINUTE;
/// What recovers is found to by itself so much later at most: the longest rest, with what is added by chance,
/// and a round of this year's.
const LATEST: i64 = 25 * MINUTE;

impl Request {
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// Whether it failed as it had to.
    pub fn is_excused(&self, outages: &[Outage]) -> bool {
        if self.is_of_the_dead() {
            return self.status == 409 && self.code == "reauth_required";
        }
        let caused = |outage: &Outage| {
            let lasts = self.at - outage.begins;
            match outage.kind {
                Kind::MailThrottled => {
                    self.what == "mail"
                        && self.code == "throttled"
                        && (0..outage.ends + BACKOFF - outage.begins).contains(&lasts)
                }
                kind if kind.is_mail() => {
                    outage.holds(self.at)
                        && self.what == "mail"
                        && self.code == "mail_server_unavailable"
                }
                _ => {
                    outage.holds(self.at)
                        && (lasts >= HEAD_START || !self.has_token())
                        && self.code == "authority_unavailable"
                }
            }
        };
        outages.iter().any(caused)
    }

    /// Whether a token of the hour before could serve.
    fn has_token(&self) -> bool {
        self.account == "delegated" || [self.at, self.at - HOUR].map(is_busy) == [true; 2]
    }

    fn is_of_the_dead(&self) -> bool {
        self.account == "delegated" && (PASSWORD_CHANGED..SIGNED_IN_AGAIN).contains(&day(self.at))
    }

    pub fn line(&self) -> String {
        let (at, account, what) = (written(self.at), self.account, self.what);
        format!("{at} {account} {what}: {} {}", self.status, self.code)
    }
}

/// The events of an account that had these requests: it is told of when it began to fail somebody, once, and of its end
/// soon after the fault's, whether anybody asks or not.
pub fn expected<'a>(
    connected_at: i64,
    requests: impl Iterator<Item = &'a Request>,
    outages: &[Outage],
) -> Vec<Expected> {
    let event = |kind, from, to| Expected { kind, from, to };
    let mut events = vec![event("account.connected", connected_at, connected_at)];
    let mut told: Option<i64> = None;
    let mut is_dead = false;
    for request in requests.filter(|request| !request.is_ok()) {
        if request.code == "reauth_required" {
            if !is_dead {
                let from = moment(PASSWORD_CHANGED);
                events.push(event("account.reauth_required", from, request.at));
                let back = moment(SIGNED_IN_AGAIN);
                events.push(event("account.recovered", back, back));
            }
            is_dead = true;
            continue;
        }
        let at = request.at;
        let cause = outages.iter().rfind(|outage| outage.begins <= at).unwrap();
        if told.replace(cause.begins) != Some(cause.begins) {
            events.push(event("account.degraded", at, at));
            // Exchange throttles for a time of its own.
            let from = if cause.kind == Kind::MailThrottled {
                at
            } else {
                cause.ends
            };
            let to = from.max(cause.ends.min(at + BACKOFF)) + LATEST;
            events.push(event("account.recovered", from, to));
        }
    }
    events
}

/// The table that the test prints.
pub fn table(events: &[Value], named: impl Fn(&str) -> &'static str) -> String {
    let mut table =
        String::from("| when | day | event | account | what |\n| --- | --- | --- | --- | --- |\n");
    for event in events {
        let data = &event["data"];
        let what = match event["type"].as_str().unwrap() {
            "credential.expiring" => format!(
                "{} of `{}`: {} days left",
                data["kind"].as_str().unwrap(),
                data["application"].as_str().unwrap(),
                data["days_left"]
            ),
            "connect_session.completed" => data["status"].as_str().unwrap_or_default().to_owned(),
            _ => data["diagnosis"]["title"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        };
        let at = seconds(event["occurred_at"].as_str().unwrap());
        table += &format!(
            "| {} | {:.2} | `{}` | {} | {what} |\n",
            written(at),
            day(at),
            event["type"].as_str().unwrap(),
            event["account_id"].as_str().map_or("", &named),
        );
    }
    table
}
