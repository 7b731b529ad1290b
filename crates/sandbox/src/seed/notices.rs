//! Mail that machines send on their own: alerts, builds, sign-ins, parcels.

use super::bulk::fill;
use super::compose::{Mail, Person, date};
use super::data::{Bulk, Notice, NoticeKind};
use super::letters::{domain, escape};
use super::random::Sequence;
use super::{BUILDS, Desk};

pub(super) fn notices(desk: &mut Desk, data: &Bulk) {
    for notice in &data.notices {
        let from = Person {
            name: notice.name.clone(),
            address: notice.address.clone(),
        };
        for at in 0..notice.count {
            if !desk.takes(55) {
                continue;
            }
            let jitter = desk.random.below(notice.every as u64 + 1) as f64 / 2.0;
            let hours =
                notice.first + f64::from(at) * notice.every + if at == 0 { 0.0 } else { jitter };
            let said = said(notice, at, &mut desk.random);
            let rows: String = said
                .rows
                .iter()
                .map(|(name, value)| {
                    format!(
                        "<tr><td style=\"padding:4px 20px 4px 0;color:#66717c\">{name}</td><td style=\"padding:4px 0\">{}</td></tr>\n",
                        escape(value)
                    )
                })
                .collect();
            let sent = desk.ago(hours);
            let when = date(sent, 0);
            let html = fill(
                include_str!("data/notice.html"),
                &[
                    ("subject", &said.subject),
                    ("colour", said.colour),
                    ("title", &said.title),
                    ("when", &when),
                    ("note", said.note),
                    ("name", &notice.name),
                    ("address", &notice.address),
                ],
            )
            .replace("{rows}", rows.trim_end());
            let lines: Vec<String> = said
                .rows
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            let mail = Mail {
                id: desk.id(domain(&from)),
                from: from.clone(),
                to: vec![desk.me.clone()],
                subject: said.subject,
                sent,
                fields: vec![("Auto-Submitted", "auto-generated".to_owned())],
                text: format!("{}\n\n{}\n\n{}\n", said.title, lines.join("\n"), said.note),
                html: Some(html),
                ..Mail::default()
            };
            let flags = desk.usual_flags(sent);
            let folder = match notice.kind {
                NoticeKind::Build if at >= 3 => BUILDS,
                NoticeKind::Alert if hours > 160.0 => "Archive",
                NoticeKind::Parcel if at >= 4 => "Deleted Items",
                _ => "INBOX",
            };
            desk.file(folder, flags, mail);
        }
    }
}

/// What a notice says.
struct Said {
    subject: String,
    title: String,
    colour: &'static str,
    rows: Vec<(&'static str, String)>,
    note: &'static str,
}

fn said(notice: &Notice, at: u32, random: &mut Sequence) -> Said {
    let mut pick = |from: &[&'static str]| random.pick(from).copied().unwrap_or_default();
    match notice.kind {
        NoticeKind::Alert => {
            let service = pick(&[
                "ingest-west",
                "gauge-api",
                "tiles",
                "mail-relay",
                "archive-db",
                "status-page",
            ]);
            let what = pick(&[
                "latency above 800 ms",
                "disk 91 % full",
                "certificate ends in 12 days",
                "no heartbeat for 5 minutes",
                "error rate 3.2 %",
            ]);
            let solved = at % 2 == 1;
            Said {
                subject: format!(
                    "[{}] {service}: {what}",
                    if solved { "RESOLVED" } else { "ALERT" }
                ),
                title: format!("{service}: {what}"),
                colour: if solved { "#2e8b57" } else { "#c0392b" },
                rows: vec![
                    ("Service", service.to_owned()),
                    ("Region", pick(&["north-1", "north-2", "lake-1"]).to_owned()),
                    ("Value", format!("{} (limit {})", 80 + at * 7 % 60, 80)),
                    (
                        "Runbook",
                        format!("https://beacon-ops.example/runbooks/{service}"),
                    ),
                ],
                note: if solved {
                    "Back to normal. No action is needed."
                } else {
                    "You get this because you are on call this week."
                },
            }
        }
        NoticeKind::Build => {
            let project = pick(&["gauge-firmware", "station-pages", "log-reader", "field-app"]);
            let branch = pick(&["main", "release/4.2", "fix/vent-offset", "i18n-french"]);
            let failed = at % 4 == 1;
            let number = 2_311 - at;
            Said {
                subject: format!(
                    "{} {project} #{number} on {branch}",
                    if failed { "Failed:" } else { "Passed:" }
                ),
                title: format!(
                    "{project} #{number} {}",
                    if failed { "failed" } else { "passed" }
                ),
                colour: if failed { "#c0392b" } else { "#2e8b57" },
                rows: vec![
                    ("Branch", branch.to_owned()),
                    ("Commit", format!("{:08x}", at.wrapping_mul(0x9e37_79b9))),
                    (
                        "Tests",
                        if failed {
                            "412 passed, 2 failed"
                        } else {
                            "414 passed"
                        }
                        .to_owned(),
                    ),
                    ("Time", format!("{} min {} s", 3 + at % 5, at * 17 % 60)),
                ],
                note: if failed {
                    "First failure: roof_test::battery_estimate_after_restart"
                } else {
                    "Artifacts are kept for 30 days."
                },
            }
        }
        NoticeKind::Signin => {
            let place = pick(&["Lindby", "Innsbruck", "Nantes"]);
            let device = pick(&["Firefox on Linux", "a phone", "a tablet"]);
            Said {
                subject: format!("New sign-in from {place}"),
                title: "Was this you?".to_owned(),
                colour: "#2b4a7f",
                rows: vec![
                    ("Place", place.to_owned()),
                    ("Device", device.to_owned()),
                    ("Address", format!("192.0.2.{}", 17 + at)),
                ],
                note: "If it was you, there is nothing to do. If not, change your password and tell your administrator.",
            }
        }
        NoticeKind::Parcel => {
            let number = 55_018_233 + at * 7_919;
            let (subject, title, note) = match at % 3 {
                0 => (
                    "Your parcel comes today",
                    "Out for delivery",
                    "Between 11:30 and 13:00. You may still choose another place.",
                ),
                1 => (
                    "Ihre Sendung ist unterwegs",
                    "Im Zustellzentrum angekommen",
                    "Voraussichtliche Zustellung: morgen. Eine Abstellgenehmigung können Sie jederzeit erteilen.",
                ),
                _ => (
                    "Votre colis vous attend",
                    "Disponible au point relais",
                    "Votre colis vous attend pendant dix jours. Pensez à votre pièce d’identité.",
                ),
            };
            Said {
                subject: format!("{subject} ({number})"),
                title: title.to_owned(),
                colour: "#b8860b",
                rows: vec![
                    ("No.", number.to_string()),
                    ("kg", format!("{}.{}", 1 + at % 4, at * 3 % 10)),
                ],
                note,
            }
        }
    }
}
