//! The year itself.

mod verdict;

use std::{collections::VecDeque, time::Duration};

use mailgrant_sandbox::control::FaultPlan;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    calendar::{
        BETWEEN_EMAILS, CERTIFICATE_ENDS_DATE, CERTIFICATE_REPLACED, DAY, DAYS, HOUR, KILLS, LIFE,
        MINUTE, NEXT_CERTIFICATE_ENDS_DATE, NEXT_SECRET_ENDS_DATE, PASSWORD_CHANGED, RESTARTS,
        SECRET_ENDS_DATE, SECRET_REPLACED, SELDOM, SETTINGS_CHANGED, SIGNED_IN_AGAIN, START,
        is_busy, moment, written,
    },
    ledger::{Request, table},
    outage::{self, Outage},
    person::Person,
    random::Seeded,
    world::{OTHER, PERSON, World},
};

/// What happens once, besides outages.
#[derive(Clone, Copy)]
enum Turn {
    Restart,
    Kill,
    NewSecret,
    NewSettings,
    NewCertificate,
    NewPassword,
    SignIn,
    /// The third account is used, for once.
    Seldom,
}

#[tokio::test(flavor = "current_thread")]
async fn a_year_in_which_nobody_looks_after_the_access() {
    let begun = Instant::now();
    let mut random = Seeded(20_270_101);
    // The dead grant is to be seen as nothing else, and what is used for once has no token for the time of an outage.
    let mut quiet = vec![(PASSWORD_CHANGED - 0.1, SIGNED_IN_AGAIN + 0.1)];
    quiet.extend(SELDOM.map(|day| (day - 0.05, day + 0.05)));
    let outages = outage::of_the_year(&mut random, &quiet);
    let mut year = Year::begin(outages).await;
    while year.world.now() < moment(DAYS) {
        year.world.advance_to(year.next());
        year.step().await;
    }
    year.read_events().await;
    year.tell();
    println!("{} s", begun.elapsed().as_secs());
    year.judge();
    year.world.stop().await;
}

fn turns() -> VecDeque<(i64, Turn)> {
    let mut turns: Vec<(i64, Turn)> = vec![
        (moment(SECRET_REPLACED), Turn::NewSecret),
        (moment(SETTINGS_CHANGED), Turn::NewSettings),
        (moment(CERTIFICATE_REPLACED), Turn::NewCertificate),
        (moment(PASSWORD_CHANGED), Turn::NewPassword),
        (moment(SIGNED_IN_AGAIN), Turn::SignIn),
    ];
    turns.extend(RESTARTS.map(|day| (moment(day), Turn::Restart)));
    turns.extend(KILLS.map(|day| (moment(day), Turn::Kill)));
    turns.extend(SELDOM.map(|day| (moment(day), Turn::Seldom)));
    turns.sort_by_key(|(at, _)| *at);
    turns.into()
}

struct Year {
    world: World,
    person: Person,
    accounts: [Account; 3],
    outages: Vec<Outage>,
    turns: VecDeque<(i64, Turn)>,
    /// As soon as a token is due.
    is_to_be_killed: bool,
    /// The gateway's own last round.
    round_at: i64,
    requests: Vec<Request>,
    /// What the operator has read.
    events: Vec<Value>,
    position: Option<String>,
}

struct Account {
    name: &'static str,
    id: String,
    grant_type: &'static str,
    connected_at: i64,
    /// When somebody last asked for it: a token that nobody uses is not renewed ahead.
    asked_at: i64,
    /// When its access token is due to be renewed ahead: twenty minutes before its end.
    renewed_at: i64,
    /// How many had been asked for with its type of grant.
    tokens: u64,
}

impl Account {
    fn is_due(&self, at: i64) -> bool {
        self.renewed_at <= at && at - self.asked_at <= LIFE
    }
}

impl Year {
    async fn begin(outages: Vec<Outage>) -> Self {
        let mut world = World::start(START, Some(SECRET_ENDS_DATE)).await;
        world.secret_ends(SECRET_ENDS_DATE).await;
        world.new_certificate(CERTIFICATE_ENDS_DATE).await;
        world.write_settings(Some(SECRET_ENDS_DATE));
        world.restart().await;
        let mut person = Person::new();
        let delegated = world.connect(&mut person, PERSON).await;
        let app_only = world.add_app_only().await;
        let seldom = world.connect(&mut Person::new(), OTHER).await;
        let account = |name, id, grant_type| Account {
            name,
            id,
            grant_type,
            connected_at: START,
            asked_at: START,
            renewed_at: START + LIFE - AHEAD,
            tokens: 0,
        };
        Self {
            world,
            person,
            accounts: [
                account("delegated", delegated, REFRESH_TOKEN),
                account("app_only", app_only, CLIENT_CREDENTIALS),
                account("seldom", seldom, REFRESH_TOKEN),
            ],
            outages,
            turns: turns(),
            is_to_be_killed: false,
            round_at: START,
            requests: Vec::new(),
            events: Vec::new(),
            position: None,
        }
    }

    /// The next moment at which something happens: an hour is full, a token is due, something begins or ends; in times of
    /// trouble every few minutes.
    fn next(&self) -> i64 {
        let now = self.world.now();
        let hour = (now / HOUR + 1) * HOUR;
        if let Some(outage) = self.trouble(now) {
            return hour.min(now + outage.tick());
        }
        let renewals = self.accounts.iter().map(|account| account.renewed_at);
        let turn = self.turns.front().map(|(at, _)| *at);
        let outages = self.outages.iter().map(|outage| outage.begins);
        let later = renewals.chain(turn).chain(outages).filter(|at| *at > now);
        later.fold(hour, i64::min)
    }

    /// The outage that there is, or was lately.
    fn trouble(&self, at: i64) -> Option<&Outage> {
        let troubled = |outage: &&Outage| (outage.begins..outage.ends + AFTERWARDS).contains(&at);
        self.outages.iter().find(troubled)
    }

    /// One step: what happens, what the gateway does by itself, what programs ask for.
    async fn step(&mut self) {
        let now = self.world.now();
        let outage = self.outages.iter().find(|outage| outage.holds(now));
        self.world
            .faults(outage.map_or_else(FaultPlan::default, Outage::plan));
        while let Some((_, turn)) = self.turns.pop_front_if(|(at, _)| *at <= now) {
            self.turn(turn).await;
        }
        let is_due = self.accounts.iter().any(|each| each.is_due(now));
        if self.is_to_be_killed && is_due {
            // Until it was in the middle of something.
            self.is_to_be_killed = self.kill().await == 0;
        }
        // Others, in which nothing is due, would find nothing.
        if is_due || self.trouble(now).is_some() || now - self.round_at >= HOUR {
            self.round().await;
        }
        if now % HOUR == 0 {
            let reads = (now / HOUR) % BETWEEN_EMAILS == 0;
            let what = if reads { "mail" } else { "token" };
            self.ask(0, what).await;
            if is_busy(now) {
                self.ask(1, what).await;
            } else if now % DAY == 8 * HOUR {
                self.ask(1, "mail").await;
            }
        }
        if now % DAY == 0 {
            self.read_events().await;
        }
    }

    /// What the gateway does by itself every few seconds.
    async fn round(&mut self) {
        self.world.gateway().round().await;
        let now = self.world.now();
        self.round_at = now;
        self.note_renewals();
    }

    /// Whose access token is another now.
    fn note_renewals(&mut self) {
        let now = self.world.now();
        for account in &mut self.accounts {
            let tokens = self.world.token_requests(account.grant_type);
            if tokens != account.tokens && account.renewed_at <= now {
                account.renewed_at = now + LIFE - AHEAD;
            }
            account.tokens = tokens;
        }
    }

    async fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Restart => self.world.restart().await,
            Turn::Kill => self.is_to_be_killed = true,
            Turn::NewSecret => {
                let secret = self.world.new_secret(NEXT_SECRET_ENDS_DATE).await;
                self.world.write_secret("delegated", &secret);
            }
            Turn::NewSettings => {
                self.world.write_settings(Some(NEXT_SECRET_ENDS_DATE));
                self.world.restart().await;
            }
            Turn::NewCertificate => {
                self.world.new_certificate(NEXT_CERTIFICATE_ENDS_DATE).await;
            }
            Turn::NewPassword => self.world.change_password().await,
            Turn::SignIn => {
                self.sign_in_again().await;
                // At once.
                self.ask(0, "mail").await;
            }
            Turn::Seldom => self.ask(2, "mail").await,
        }
    }

    /// In the middle of requests for tokens, whose answers are lost; gives how many.
    async fn kill(&mut self) -> u64 {
        let plan = self.world.sandbox.faults().plan();
        let mut slow = plan.clone();
        slow.authority.delay_ms = 2 * IN_THE_MIDDLE;
        self.world.faults(slow);
        let before = self.asked();
        self.world.kill(Duration::from_millis(IN_THE_MIDDLE)).await;
        let (at, asked) = (written(self.world.now()), self.asked() - before);
        println!("killed {at} in the middle of {asked} requests for tokens");
        self.world.faults(plan);
        asked
    }

    fn asked(&self) -> u64 {
        [REFRESH_TOKEN, CLIENT_CREDENTIALS]
            .map(|grant_type| self.world.token_requests(grant_type))
            .iter()
            .sum()
    }

    /// The person opens the link that the event brought, answers its question and signs in.
    async fn sign_in_again(&mut self) {
        self.read_events().await;
        let account = format!("/v1/accounts/{}", self.accounts[0].id);
        let seen = self.world.call("GET", &account, None).await.body;
        assert_eq!(seen["state"], "reauth_required", "{seen:#}");
        let died = |event: &&Value| event["type"] == "account.reauth_required";
        let event = self.events.iter().find(died).expect("the event");
        assert_eq!(event["data"]["reauth_url"], seen["reauth_url"]);
        let link = seen["reauth_url"].as_str().expect("a link").to_owned();
        let question = self.person.get(&link).await;
        assert_eq!(question.status, 200, "{}", question.body);
        let page = self.person.submit(&question, &[]).await;
        let page = self.world.sign_in(&mut self.person, PERSON, page).await;
        let seen = self.world.call("GET", &account, None).await.body;
        assert_eq!(seen["state"], "connected", "{seen:#}\n{}", page.body);
        assert_eq!(seen["reauth_url"], Value::Null);
        assert_eq!(seen["grant"]["age_days"], 0);
    }

    async fn ask(&mut self, which: usize, what: &'static str) {
        let account = &mut self.accounts[which];
        let (id, now) = (&account.id, self.world.now());
        let (method, path) = match what {
            "mail" => ("GET", format!("/v1/accounts/{id}/emails?limit=1")),
            _ => ("POST", format!("/v1/accounts/{id}/access-token")),
        };
        let answer = self.world.call(method, &path, None).await;
        account.asked_at = now;
        self.requests.push(Request {
            at: now,
            account: account.name,
            what,
            status: answer.status,
            code: answer.body["code"].as_str().unwrap_or_default().to_owned(),
        });
        self.note_renewals();
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

    fn of(&self, account: &'static str) -> impl Iterator<Item = &Request> {
        self.requests
            .iter()
            .filter(move |request| request.account == account)
    }

    fn tell(&self) {
        let named = |id: &str| {
            let account = self.accounts.iter().find(|account| account.id == id);
            account.map_or("", |account| account.name)
        };
        println!("{}", table(&self.events, named));
        let failed = || self.requests.iter().filter(|request| !request.is_ok());
        for outage in &self.outages {
            let minutes = (outage.ends - outage.begins) / MINUTE;
            let (at, kind) = (written(outage.begins), outage.kind);
            let inside = failed().filter(|request| outage.holds(request.at));
            let cost = inside.count();
            println!("outage {at} {minutes} min {kind:?}: {cost} requests failed");
        }
        for request in failed() {
            println!("failed {}", request.line());
        }
        println!(
            "{} requests, {} failed; {} events; {} outages, {} of them the mail server's; {} refreshes, {} client credentials",
            self.requests.len(),
            failed().count(),
            self.events.len(),
            self.outages.len(),
            self.outages
                .iter()
                .filter(|outage| outage.kind.is_mail())
                .count(),
            self.world.token_requests(REFRESH_TOKEN),
            self.world.token_requests(CLIENT_CREDENTIALS),
        );
    }
}

const REFRESH_TOKEN: &str = "refresh_token";
const CLIENT_CREDENTIALS: &str = "client_credentials";
/// How long there is something to be seen of an outage after its end.
const AFTERWARDS: i64 = 30 * MINUTE;
/// Milliseconds of a request for a token until the gateway is killed.
const IN_THE_MIDDLE: u64 = 20;
/// A token is renewed so long before its end.
const AHEAD: i64 = 20 * MINUTE;
