//! Nothing that the sandbox can write to its log goes unexplained.

use std::collections::BTreeSet;
use std::path::Path;

use mailgrant_core::time::UnixTime;

use super::*;
use crate::console::remedies::KINDS;
use crate::directory::Refusal;

const ALL: &str = "ada@quillmere.test";

fn entry(kind: &'static str, change: impl FnOnce(&mut Entry)) -> Entry {
    let mut entry = Entry::new(UnixTime(0), kind);
    change(&mut entry);
    entry
}

#[test]
fn every_kind_that_the_source_raises_has_its_own_words() {
    let mut raised = BTreeSet::new();
    for source in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        raised.extend(kinds_in(&source));
    }
    for kind in ["authorize", "token", "imap_login", "fault"] {
        assert!(raised.contains(kind), "{raised:?}");
    }
    for kind in &raised {
        assert!(
            KINDS
                .iter()
                .any(|known| known.name == kind && known.grant_type.is_empty()),
            "console/remedies.rs has no words for {kind}"
        );
    }
}

#[test]
fn every_number_with_a_remedy_is_one_of_the_authoritys() {
    for (number, _) in CODES {
        assert_ne!(meaning(*number), meaning(0), "AADSTS{number}");
    }
}

#[test]
fn every_reason_of_a_refused_mail_login_has_a_remedy_of_its_own() {
    let mut seen = BTreeSet::new();
    let mut refusal = Some(Refusal::NotAToken);
    while let Some(reason) = refusal {
        for kind in ["imap_login", "smtp_login", "pop3_login"] {
            let refused = explain(
                &entry(kind, |entry| {
                    entry.user = Some(ALL.to_owned());
                    entry.outcome = "refused".to_owned();
                    entry.detail = Some(reason.to_string());
                }),
                None,
            );
            assert!(refused.asked.contains(ALL));
            assert!(refused.decided.starts_with("Refused with"), "{refused:?}");
            let why = refused.why.unwrap();
            assert!(why.ends_with('.') && why.chars().next().unwrap().is_uppercase());
            seen.insert(refused.next.unwrap_or_else(|| panic!("{reason}")));
        }
        refusal = following(reason);
    }
    assert_eq!(seen.len(), 15);
}

/// The next reason in the order of the enum: a new one does not compile until it is here.
fn following(refusal: Refusal) -> Option<Refusal> {
    Some(match refusal {
        Refusal::NotAToken => Refusal::Signature,
        Refusal::Signature => Refusal::Issuer,
        Refusal::Issuer => Refusal::OtherTenant,
        Refusal::OtherTenant => Refusal::Audience,
        Refusal::Audience => Refusal::Expired,
        Refusal::Expired => Refusal::NotYetValid,
        Refusal::NotYetValid => Refusal::Permission,
        Refusal::Permission => Refusal::UnknownPerson,
        Refusal::UnknownPerson => Refusal::UnknownMailbox,
        Refusal::UnknownMailbox => Refusal::NoMailboxPermission,
        Refusal::NoMailboxPermission => Refusal::NotTheSignedInPerson,
        Refusal::NotTheSignedInPerson => Refusal::NoServicePrincipal,
        Refusal::NoServicePrincipal => Refusal::ServicePrincipalObject,
        Refusal::ServicePrincipalObject => Refusal::ProtocolDisabled,
        Refusal::ProtocolDisabled => return None,
    })
}

#[test]
fn a_refused_token_request_reads_as_a_story() {
    let refused = explain(
        &entry("token", |entry| {
            entry.grant_type = Some("refresh_token".to_owned());
            entry.client_id = Some("c".to_owned());
            entry.outcome = "invalid_grant".to_owned();
            entry.code = Some(50173);
        }),
        Some("Reader"),
    );
    assert_eq!(
        refused.asked,
        "“Reader” asked for a new access token by its refresh token."
    );
    assert_eq!(refused.decided, "Refused with AADSTS50173 (invalid_grant).");
    assert!(refused.why.unwrap().contains("withdrawn"));
    assert!(refused.next.unwrap().contains("new sign-in"));
}

#[test]
fn an_unknown_grant_type_and_a_nameless_client_are_told_too() {
    let odd = explain(
        &entry("token", |entry| {
            entry.grant_type = Some("implicit".to_owned());
        }),
        None,
    );
    assert_eq!(
        odd.asked,
        "A program asked for a token with grant_type implicit."
    );
    let login = explain(
        &entry("imap_login", |entry| {
            entry.outcome = "not_connected".to_owned();
            entry.detail = Some("nothing is behind the login".to_owned());
        }),
        None,
    );
    assert!(login.decided.contains("authenticated but not connected"));
    assert!(login.next.unwrap().contains("Add-MailboxPermission"));
}

#[test]
fn what_is_in_order_needs_no_advice() {
    let fine = explain(&entry("keys", |_| {}), None);
    assert_eq!((fine.why, fine.next), (None, None));
    let fault = explain(
        &entry("fault", |entry| {
            entry.outcome = "fault".to_owned();
            entry.detail = Some("/t/oauth2/v2.0/token".to_owned());
        }),
        None,
    );
    assert!(fault.asked.contains("/oauth2/v2.0/token"));
    assert!(fault.next.unwrap().contains("/control/faults"));
}

/// Every source file below a folder, but for tests.
fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("tests.rs") {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

/// The kinds that are given to `entry("…")` and `Entry::new(…, "…")`.
fn kinds_in(source: &str) -> Vec<String> {
    let calls = ["thority.entry(", " Entry::new(", "(Entry::new("];
    calls
        .iter()
        .flat_map(|call| source.split(call).skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter_map(|arguments| arguments.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}
