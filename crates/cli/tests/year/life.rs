//! The year itself.

use std::collections::VecDeque;

use mailgrant_sandbox::control::FaultPlan;
use serde_json::Value;

use crate::{
    calendar::{
        DAY, DAYS, HOUR, NEXT_SECRET_ENDS_DATE, NOBODY, PASSWORD_CHANGED, RESTARTS, SECRET_ENDS,
        SECRET_ENDS_DATE, SECRET_REPLACED, SETTINGS_CHANGED, SIGNED_IN_AGAIN, START, day, moment,
        seconds, usage, written,
    },
    ledger::{Request, expected, table},
    outage::{self, Outage},
    person::Person,
    random::Seeded,
    world::World,
};

/// What happens once, besides outages.
#[derive(Clone, Copy)]
enum Turn {
    Restart,
    NewSecret,
    NewSettings,
    NewPassword,
    SignIn,
    /// Counts token requests: before and after the months without use.
    Count,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_in_which_nobody_looks_after_the_access() {
    let mut random = Seeded(20_270_101);
    // The first request after the quiet months is to succeed, and the dead grant is to be seen as nothing else.
    let quiet = [
        (NOBODY.1 - 0.05, NOBODY.1 + 0.05),
        (PASSWORD_CHANGED - 0.1, SIGNED_IN_AGAIN + 0.1),
    ];
    let outages = outage::of_the_year(&mut random, &quiet);
    let mut year = Year::begin().await;
    let mut turns = turns();
    while year.world.now() < moment(DAYS) {
        let now = year.world.now();
        let step = usage(now).step();
        year.world.advance_to((now / step + 1) * step);
        year.step(&mut turns, &outages).await;
    }
    year.read_events().await;
    year.tell(&outages);
    year.judge(&outages);
    year.world.stop().await;
}

fn turns() -> VecDeque<(i64, Turn)> {
    let mut turns: Vec<(i64, Turn)> = vec![
        (moment(SECRET_REPLACED), Turn::NewSecret),
        (moment(SETTINGS_CHANGED), Turn::NewSettings),
        (moment(PASSWORD_CHANGED), Turn::NewPassword),
        (moment(SIGNED_IN_AGAIN), Turn::SignIn),
        // The tokens of the last hour of use have ended.
        (moment(NOBODY.0 + 0.5), Turn::Count),
        (moment(NOBODY.1 - 0.1), Turn::Count),
    ];
    turns.extend(RESTARTS.map(|day| (moment(day), Turn::Restart)));
    turns.sort_by_key(|(at, _)| *at);
    turns.into()
}

struct Year {
    world: World,
    person: Person,
    delegated: String,
    app_only: String,
    requests: Vec<Request>,
    /// What the operator has read.
    events: Vec<Value>,
    position: Option<String>,
    /// Requests for tokens so far, at certain moments: refreshes, and those of the application itself.
    counts: Vec<(u64, u64)>,
}

impl Year {
    async fn begin() -> Self {
        let world = World::start(START, Some(SECRET_ENDS_DATE)).await;
        world.secret_ends(SECRET_ENDS_DATE).await;
        let mut person = Person::new();
        let delegated = world.connect(&mut person).await;
        let app_only = world.add_app_only().await;
        Self {
            world,
            person,
            delegated,
            app_only,
            requests: Vec::new(),
            events: Vec::new(),
            position: None,
            counts: Vec::new(),
        }
    }

    /// One step: what happens, what the gateway does by itself, what programs ask for.
    async fn step(&mut self, turns: &mut VecDeque<(i64, Turn)>, outages: &[Outage]) {
        let now = self.world.now();
        let outage = outages.iter().find(|outage| outage.holds(now));
        self.world
            .faults(outage.map_or_else(FaultPlan::default, Outage::plan));
        while let Some((_, turn)) = turns.pop_front_if(|(at, _)| *at <= now) {
            self.turn(turn).await;
        }
        self.world.gateway().round().await;
        if usage(now).is_due(now) {
            let reads = now % (12 * HOUR) == 8 * HOUR;
            let what = if reads { "mail" } else { "token" };
            self.ask("delegated", what).await;
            self.ask("app_only", what).await;
        }
        if now % DAY == 0 {
            self.read_events().await;
        }
    }

    async fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Restart => self.world.restart().await,
            Turn::NewSecret => {
                let secret = self.world.new_secret(NEXT_SECRET_ENDS_DATE).await;
                self.world.write_secret("delegated", &secret);
            }
            Turn::NewSettings => {
                self.world.write_settings(Some(NEXT_SECRET_ENDS_DATE));
                self.world.restart().await;
            }
            Turn::NewPassword => {
                self.count();
                self.world.change_password().await;
            }
            Turn::SignIn => {
                self.count();
                self.sign_in_again().await;
                // At once.
                self.ask("delegated", "mail").await;
            }
            Turn::Count => self.count(),
        }
    }

    /// The person opens the link that the event brought, answers its question and signs in.
    async fn sign_in_again(&mut self) {
        self.read_events().await;
        let account = format!("/v1/accounts/{}", self.delegated);
        let seen = self.world.call("GET", &account, None).await.body;
        assert_eq!(seen["state"], "reauth_required", "{seen:#}");
        let event = self.events.last().unwrap();
        assert_eq!(event["type"], "account.reauth_required", "{event:#}");
        assert_eq!(event["data"]["reauth_url"], seen["reauth_url"]);
        let link = seen["reauth_url"].as_str().expect("a link").to_owned();
        let question = self.person.get(&link).await;
        assert_eq!(question.status, 200, "{}", question.body);
        let page = self.person.submit(&question, &[]).await;
        let page = self.world.sign_in(&mut self.person, page).await;
        let seen = self.world.call("GET", &account, None).await.body;
        assert_eq!(seen["state"], "connected", "{seen:#}\n{}", page.body);
        assert_eq!(seen["reauth_url"], Value::Null);
        assert_eq!(seen["grant"]["age_days"], 0);
    }

    async fn ask(&mut self, account: &'static str, what: &'static str) {
        let id = match account {
            "delegated" => &self.delegated,
            _ => &self.app_only,
        };
        let (method, path) = match what {
            "mail" => ("GET", format!("/v1/accounts/{id}/emails?limit=1")),
            _ => ("POST", format!("/v1/accounts/{id}/access-token")),
        };
        let answer = self.world.call(method, &path, None).await;
        self.requests.push(Request {
            at: self.world.now(),
            account,
            what,
            status: answer.status,
            code: answer.body["code"].as_str().unwrap_or_default().to_owned(),
        });
    }

    /// The operator reads on.
    async fn read_events(&mut self) {
        loop {
            let after = self.position.as_ref();
            let after = after.map_or(String::new(), |after| format!("&after={after}"));
            let path = format!("/v1/events?limit=100{after}");
            let answer = self.world.call("GET", &path, None).await;
            assert_eq!(answer.status, 200, "{:#}", answer.body);
            let items = answer.body["items"].as_array().unwrap();
            self.events.extend(items.iter().cloned());
            self.position = answer.body["position"].as_str().map(ToOwned::to_owned);
            if answer.body["next_cursor"].is_null() {
                break;
            }
        }
    }

    fn count(&mut self) {
        self.counts.push((
            self.world.token_requests("refresh_token"),
            self.world.token_requests("client_credentials"),
        ));
    }

    fn of(&self, account: &'static str) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(move |request| request.account == account)
    }

    fn tell(&self, outages: &[Outage]) {
        let named = |id: &str| match id {
            id if id == self.delegated => "delegated",
            _ => "app_only",
        };
        println!("{}", table(&self.events, named));
        for outage in outages {
            let minutes = (outage.ends - outage.begins) / 60;
            println!(
                "outage {} {minutes} min {:?}",
                written(outage.begins),
                outage.kind
            );
        }
        for request in self.requests.iter().filter(|request| !request.is_ok()) {
            println!("failed {}", request.line());
        }
        println!(
            "{} requests, {} failed; {} events; {} outages; {} refreshes, {} client credentials",
            self.requests.len(),
            self.requests
                .iter()
                .filter(|request| !request.is_ok())
                .count(),
            self.events.len(),
            outages.len(),
            self.world.token_requests("refresh_token"),
            self.world.token_requests("client_credentials"),
        );
    }

    fn judge(&self, outages: &[Outage]) {
        self.judge_requests(outages);
        self.judge_events(outages);
        self.judge_counts();
    }

    fn judge_requests(&self, outages: &[Outage]) {
        let failed = self.requests.iter().filter(|request| !request.is_ok());
        let unexcused: Vec<String> = failed
            .filter(|request| !request.is_excused(outages))
            .map(Request::line)
            .collect();
        assert!(unexcused.is_empty(), "{unexcused:#?}");
        for (account, at) in [
            ("delegated", moment(NOBODY.1)),
            ("app_only", moment(NOBODY.1)),
            ("delegated", moment(SECRET_ENDS) + HOUR),
            ("delegated", moment(SIGNED_IN_AGAIN)),
        ] {
            let first = self.of(account).find(|request| request.at >= at).unwrap();
            assert!(first.is_ok() && first.at - at < HOUR, "{}", first.line());
        }
        let dead = self.of("delegated").filter(|request| request.status == 409);
        assert_eq!(dead.count(), 3, "one each morning until the person came");
    }

    fn judge_events(&self, outages: &[Outage]) {
        let times: Vec<i64> = self.events.iter().map(at).collect();
        assert!(times.is_sorted(), "{times:?}");
        let kind = |event: &Value| event["type"].as_str().unwrap().to_owned();
        for (name, id) in [("delegated", &self.delegated), ("app_only", &self.app_only)] {
            let seen: Vec<&Value> = self
                .events
                .iter()
                .filter(|event| event["account_id"] == id.as_str())
                .filter(|event| kind(event).starts_with("account."))
                .collect();
            let expected = expected(self.of(name), outages);
            assert_eq!(
                seen.iter().map(|event| kind(event)).collect::<Vec<_>>(),
                expected.iter().map(|event| event.kind).collect::<Vec<_>>(),
                "{name}"
            );
            for (seen, expected) in seen.into_iter().zip(expected) {
                let due = expected.at.unwrap_or_else(|| at(seen));
                assert_eq!(at(seen), due, "{seen:#}");
            }
        }
        let others: Vec<&Value> = self
            .events
            .iter()
            .filter(|event| !kind(event).starts_with("account."))
            .collect();
        let told: Vec<String> = others
            .iter()
            .map(|event| match kind(event).as_str() {
                "credential.expiring" => format!(
                    "{} {} {} on day {:.0}",
                    kind(event),
                    event["data"]["application"].as_str().unwrap(),
                    event["data"]["days_left"],
                    day(at(event))
                ),
                "connect_session.completed" => {
                    format!(
                        "{} {}",
                        kind(event),
                        event["data"]["status"].as_str().unwrap()
                    )
                }
                other => other.to_owned(),
            })
            .collect();
        assert_eq!(
            told,
            [
                "connect_session.completed connected",
                "credential.expiring delegated 30 on day 130",
                "credential.expiring delegated 7 on day 153",
                "credential.expiring delegated 1 on day 159",
                "connect_session.completed connected",
            ]
        );
        let died = self
            .events
            .iter()
            .filter(|event| kind(event) == "account.reauth_required")
            .map(|event| day(at(event)))
            .collect::<Vec<_>>();
        assert!(
            matches!(died[..], [day] if (PASSWORD_CHANGED..PASSWORD_CHANGED + 1.0).contains(&day)),
            "once, and within a day: {died:?}"
        );
    }

    fn judge_counts(&self) {
        let [quiet, used, dying, mended] = self.counts[..] else {
            panic!("{:?}", self.counts);
        };
        // Unused for 117 days: one refresh a day, and nothing asked for the application itself.
        assert!(
            (115..=140).contains(&(used.0 - quiet.0)),
            "{:?}",
            self.counts
        );
        assert_eq!(used.1, quiet.1, "{:?}", self.counts);
        // The authority said once that the grant is dead.
        assert_eq!(mended.0 - dying.0, 1, "{:?}", self.counts);
        // A token of an hour is renewed when two thirds have passed: three in two hours of use.
        for (account, grant_type) in [
            ("delegated", "refresh_token"),
            ("app_only", "client_credentials"),
        ] {
            let hours = u64::try_from(self.of(account).count()).unwrap();
            let asked = self.world.token_requests(grant_type);
            let days = if account == "delegated" { 365 } else { 0 };
            let most = hours * 8 / 5 + days;
            assert!(
                (hours..most).contains(&asked),
                "{account}: {asked} for {hours} hours"
            );
        }
    }
}

fn at(event: &Value) -> i64 {
    seconds(event["occurred_at"].as_str().unwrap())
}
