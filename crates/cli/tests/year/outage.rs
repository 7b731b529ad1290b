//! When the authority does not work, and how.

use mailgrant_sandbox::control::{AuthorityFault, FaultPlan};

use crate::{
    calendar::{DAY, DAYS, HOUR, MINUTE, TICK, day, moment},
    random::Seeded,
};

/// A time in which the authority gives nothing.
pub struct Outage {
    pub begins: i64,
    pub ends: i64,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// HTTP 503 and `Retry-After`.
    Unavailable,
    /// HTTP 429 and `Retry-After`.
    Throttled,
    /// Connections that are closed without an answer.
    Down,
    /// A proxy's page with status 200.
    Page,
    /// Entra's own words for a passing fault: AADSTS90033.
    Transient,
}

/// The year's outages, none within `quiet` (days).
pub fn of_the_year(random: &mut Seeded, quiet: &[(f64, f64)]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    let mut at = moment(0.5);
    while at < moment(DAYS - 1.0) {
        at += random.between(10 * HOUR, 7 * DAY) / TICK * TICK;
        let lasts = match random.between(0, 9) {
            0..=5 => random.between(1, 2) * TICK,
            6..=8 => random.between(25 * MINUTE, 2 * HOUR),
            _ => random.between(3 * HOUR, 8 * HOUR),
        };
        let lasts = lasts / TICK * TICK;
        // What is asked again at once costs the test real time: the long ones ask for a pause.
        let kind = match (lasts > HOUR, random.between(0, 4)) {
            (_, 0) | (true, 2) => Kind::Unavailable,
            (_, 1) | (true, 3) => Kind::Throttled,
            (true, _) => Kind::Transient,
            (false, 2) => Kind::Down,
            (false, 3) => Kind::Page,
            (false, _) => Kind::Transient,
        };
        let (begins, ends) = (at, at + lasts);
        at = ends;
        let disturbs = |(from, to): &(f64, f64)| day(ends) >= *from && day(begins) <= *to;
        if !quiet.iter().any(disturbs) {
            outages.push(Outage { begins, ends, kind });
        }
    }
    outages
}

impl Outage {
    pub fn holds(&self, at: i64) -> bool {
        self.begins <= at && at < self.ends
    }

    pub fn plan(&self) -> FaultPlan {
        let mut authority = AuthorityFault::default();
        match self.kind {
            Kind::Unavailable => (authority.status, authority.retry_after) = (Some(503), Some(30)),
            Kind::Throttled => (authority.status, authority.retry_after) = (Some(429), Some(120)),
            Kind::Down => authority.down = true,
            Kind::Page => authority.html = true,
            Kind::Transient => (authority.error, authority.retry_after) = (Some(90_033), Some(60)),
        }
        FaultPlan {
            authority,
            ..FaultPlan::default()
        }
    }
}
