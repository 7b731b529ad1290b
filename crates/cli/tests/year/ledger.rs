//! What was asked of the gateway, what it answered, and what the operator saw.

use serde_json::Value;

use crate::{
    calendar::{
        HOUR, MINUTE, PASSWORD_CHANGED, SIGNED_IN_AGAIN, Usage, day, seconds, usage, written,
    },
    outage::Outage,
};

/// One request of a program to the gateway.
pub struct Request {
    pub at: i64,
    pub account: &'static str,
    pub what: &'static str,
    pub status: u16,
    pub code: String,
}

/// What an account's requests leave to expect of its events.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    pub kind: &'static str,
    /// The moment, where it is known: the failed request's.
    pub at: Option<i64>,
}

/// As long as the authority is down for less than this, nobody notices who asks every hour: twenty minutes, less the
/// step of the clock and the last seconds of a token.
const HEAD_START: i64 = 14 * MINUTE;

impl Request {
    pub fn is_ok(&self) -> bool {
        self.status == 200
    }

    /// Whether it failed as it had to: in an outage longer than the head start, or while the person's grant was dead.
    pub fn is_excused(&self, outages: &[Outage]) -> bool {
        let died = self.account == "delegated"
            && (PASSWORD_CHANGED..SIGNED_IN_AGAIN).contains(&day(self.at));
        if died {
            return self.status == 409 && self.code == "reauth_required";
        }
        let outage = outages.iter().find(|outage| outage.holds(self.at));
        outage.is_some_and(|outage| {
            // Who asks once a day has no token that could serve meanwhile.
            let in_use = [self.at, self.at - HOUR].map(usage) == [Usage::Hourly; 2];
            let lasts = self.at - outage.begins;
            (!in_use || lasts >= HEAD_START) && self.code == "authority_unavailable"
        })
    }

    pub fn line(&self) -> String {
        let (at, account, what) = (written(self.at), self.account, self.what);
        format!("{at} {account} {what}: {} {}", self.status, self.code)
    }
}

/// The events of an account that had these requests.
pub fn expected<'a>(
    requests: impl Iterator<Item = &'a Request>,
    outages: &[Outage],
) -> Vec<Expected> {
    let event = |kind, at| Expected { kind, at };
    let mut events = vec![event("account.connected", None)];
    let mut degraded_by: Option<i64> = None;
    let mut is_dead = false;
    for request in requests {
        let outage = outages.iter().find(|outage| outage.holds(request.at));
        let outage = outage.map(|outage| outage.begins);
        let recovers = degraded_by.is_some() && outage != degraded_by;
        if recovers || (request.is_ok() && is_dead) {
            events.push(event("account.recovered", None));
            (degraded_by, is_dead) = (None, false);
        }
        match request.code.as_str() {
            "authority_unavailable" if degraded_by.is_none() => {
                events.push(event("account.degraded", Some(request.at)));
                degraded_by = outage;
            }
            "reauth_required" if !is_dead => {
                events.push(event("account.reauth_required", None));
                is_dead = true;
            }
            _ => {}
        }
    }
    if degraded_by.is_some() {
        events.push(event("account.recovered", None));
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
