//! What the page shows, ready to be written.

mod directory;
mod faults;
mod requests;
mod services;

use askama::Template;

use self::directory::{ApplicationCard, MailboxCard};
use self::faults::FaultGroup;
use self::requests::EntryRow;
use self::services::Service;
use super::Console;
use crate::authority::Authority;
use crate::directory::Tenant;
use crate::outbox::Outbox;

/// The whole page.
#[derive(Template)]
#[template(path = "console/page.html")]
pub(super) struct View {
    token: String,
    organization: String,
    tenant_id: String,
    domains: String,
    /// Organizations besides the first.
    others: Vec<OtherRow>,
    /// Unix seconds, by the sandbox's clock.
    now: i64,
    now_text: String,
    ahead: Option<String>,
    lifetime: u64,
    admin_consent_required: bool,
    stay_signed_in: bool,
    services: Vec<Service>,
    trial: Option<String>,
    faults: Vec<FaultGroup>,
    faults_in_force: usize,
    mailboxes: Vec<MailboxCard>,
    applications: Vec<ApplicationCard>,
    /// The last ones, newest first.
    sent: Vec<SentRow>,
    entries: Vec<EntryRow>,
    /// The empty row that the script fills in.
    blank: EntryRow,
    kinds: Vec<&'static str>,
    last: u64,
    control: String,
}

/// Something that is on or off, with the call that turns it over.
struct Switch {
    id: String,
    name: String,
    on: bool,
    method: &'static str,
    path: String,
    /// JSON; none for DELETE.
    body: String,
}

/// An organization besides the first.
struct OtherRow {
    name: String,
    tenant_id: String,
    domains: String,
}

impl OtherRow {
    fn of(tenant: &Tenant) -> Self {
        Self {
            name: tenant.display_name.clone(),
            tenant_id: tenant.id.clone(),
            domains: tenant.domains.join(", "),
        }
    }
}

/// A message that SMTP took.
struct SentRow {
    id: u64,
    time: String,
    from: String,
    recipients: String,
    subject: String,
}

impl View {
    pub(super) fn of(authority: &Authority, console: &Console, outbox: &Outbox) -> Self {
        let log = authority.log.since(0);
        let plan = authority.faults.plan();
        let tenants = authority.directory.tenants();
        let tenant = tenants.first();
        let faults = faults::groups(&plan);
        let now = authority.now();
        Self {
            token: console.token().expose().to_owned(),
            organization: tenant.display_name.clone(),
            tenant_id: tenant.id.clone(),
            domains: tenant.domains.join(", "),
            others: tenants.organizations().skip(1).map(OtherRow::of).collect(),
            now: now.0,
            now_text: moment(now.0),
            ahead: ahead(authority.clock.offset_seconds()),
            lifetime: authority.access_token_lifetime().as_secs(),
            admin_consent_required: tenant.admin_consent_required,
            stay_signed_in: tenant.stay_signed_in,
            services: services::of(&console.description),
            trial: services::trial(&console.description, tenant),
            faults_in_force: faults.iter().filter(|group| group.is_ill).count(),
            faults,
            mailboxes: directory::mailboxes(&tenants),
            applications: directory::applications(&tenants, now),
            sent: sent(outbox),
            entries: requests::rows(&log.entries, &tenants, now),
            blank: EntryRow::default(),
            kinds: requests::kinds(),
            last: log.last,
            control: console.description.control.clone(),
        }
    }
}

fn sent(outbox: &Outbox) -> Vec<SentRow> {
    let sent = outbox.list().into_iter().rev().take(SENT);
    sent.map(|sent| SentRow {
        id: sent.id,
        time: moment(sent.at.0),
        from: sent.mail_from,
        recipients: sent.recipients.join(", "),
        subject: sent.subject.unwrap_or_else(|| "(no subject)".to_owned()),
    })
    .collect()
}

/// Messages of the outbox that are shown; the control API has them all.
const SENT: usize = 10;

/// `2026-11-22 07:10:23`, in UTC.
fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| seconds.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// How far the clock is from the machine's, in words.
fn ahead(seconds: i64) -> Option<String> {
    let direction = match seconds {
        0 => return None,
        1.. => "ahead",
        _ => "behind",
    };
    let seconds = seconds.unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts: Vec<String> = [(days, "day"), (hours, "hour"), (minutes, "minute")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| match number {
            1 => format!("1 {unit}"),
            _ => format!("{number} {unit}s"),
        })
        .collect();
    Some(match parts.is_empty() {
        true => format!("less than a minute {direction}"),
        false => format!("{} {direction}", parts.join(" ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_from_the_machines_clock_is_told_in_words() {
        assert_eq!(ahead(0), None);
        assert_eq!(ahead(3_600).unwrap(), "1 hour ahead");
        assert_eq!(ahead(90 * 86_400 + 120).unwrap(), "90 days 2 minutes ahead");
        assert_eq!(ahead(-20).unwrap(), "less than a minute behind");
    }
}
