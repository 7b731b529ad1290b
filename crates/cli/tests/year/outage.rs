//! When authority or mail server do not work, and how.

use mailgrant_sandbox::control::{AuthorityFault, FaultPlan, ImapRule, Preset};

use crate::{
    calendar::{DAY, DAYS, HOUR, MINUTE, TICK, day, moment},
    random::Seeded,
};

/// A time in which one of them gives nothing.
pub struct Outage {
    pub begins: i64,
    pub ends: i64,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The authority: HTTP 503 and `Retry-After`.
    Unavailable,
    /// HTTP 429 and `Retry-After`.
    Throttled,
    /// HTTP 500 without a word.
    Broken,
    /// Connections that are closed without an answer.
    Down,
    /// A proxy's page with status 200.
    Page,
    /// Status 200 and no JSON.
    Nothing,
    /// Entra's own words for a passing fault: AADSTS90033.
    Transient,
    /// The mail server: connections are refused.
    MailDown,
    /// No TLS handshake succeeds.
    MailNoTls,
    /// `* BYE` for a greeting.
    MailBye,
    /// Every line is cut after a few hundred octets.
    MailCut,
    /// Exchange's throttling with its `Suggested Backoff Time`.
    MailThrottled,
}

impl Kind {
    const OF_THE_AUTHORITY: [Self; 7] = [
        Self::Unavailable,
        Self::Throttled,
        Self::Broken,
        Self::Down,
        Self::Page,
        Self::Nothing,
        Self::Transient,
    ];
    const OF_MAIL: [Self; 5] = [
        Self::MailDown,
        Self::MailNoTls,
        Self::MailBye,
        Self::MailCut,
        Self::MailThrottled,
    ];

    pub fn is_mail(self) -> bool {
        Self::OF_MAIL.contains(&self)
    }
}

/// The year's outages, one at a time, none within `quiet` (days). Every third is the mail server's.
pub fn of_the_year(random: &mut Seeded, quiet: &[(f64, f64)]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    let mut at = moment(0.5);
    let one_of = |random: &mut Seeded, kinds: &[Kind]| {
        let last = i64::try_from(kinds.len()).unwrap() - 1;
        kinds[usize::try_from(random.between(0, last)).unwrap()]
    };
    while at < moment(DAYS - 1.0) {
        at += random.between(10 * HOUR, 7 * DAY) / MINUTE * MINUTE;
        let is_mail = random.between(0, 2) == 0;
        let lasts = match random.between(0, 9) {
            0..=5 => random.between(2 * MINUTE, 12 * MINUTE),
            6..=8 => random.between(25 * MINUTE, 2 * HOUR),
            _ => random.between(3 * HOUR, 8 * HOUR),
        };
        // A mail server is asked every few hours: what is shorter would not be seen.
        let lasts = lasts * if is_mail { 5 } else { 1 } / MINUTE * MINUTE;
        let kind = if is_mail {
            one_of(random, &Kind::OF_MAIL)
        } else {
            one_of(random, &Kind::OF_THE_AUTHORITY)
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

    /// How often the gateway looks meanwhile. The mail server's are long, and nothing runs out in them.
    pub fn tick(&self) -> i64 {
        if self.kind.is_mail() { 3 * TICK } else { TICK }
    }

    pub fn plan(&self) -> FaultPlan {
        let mut plan = FaultPlan::default();
        let (authority, imap) = (&mut plan.authority, &mut plan.imap);
        let answers = |status, retry_after| AuthorityFault {
            status: Some(status),
            retry_after,
            ..AuthorityFault::default()
        };
        match self.kind {
            Kind::Unavailable => *authority = answers(503, Some(30)),
            Kind::Throttled => *authority = answers(429, Some(120)),
            Kind::Broken => *authority = answers(500, None),
            Kind::Nothing => *authority = answers(200, None),
            Kind::Down => authority.down = true,
            Kind::Page => authority.html = true,
            Kind::Transient => (authority.error, authority.retry_after) = (Some(90_033), Some(60)),
            Kind::MailDown => imap.transport.down = true,
            Kind::MailNoTls => imap.transport.refuse_tls = true,
            Kind::MailCut => imap.transport.cut_after_bytes = Some(300),
            Kind::MailBye => imap.rules.push(ImapRule {
                at: Some("GREETING".to_owned()),
                bye: Some("Server shutting down. 15".to_owned()),
                ..ImapRule::default()
            }),
            Kind::MailThrottled => imap.rules.push(ImapRule {
                preset: Some(Preset::Throttled),
                ..ImapRule::default()
            }),
        }
        plan
    }
}
