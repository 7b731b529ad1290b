//! A bounded run in CI: the seeds, what was found before, and a fixed number of variations of them.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[test]
fn imap_withstands_whatever_clients_say() {
    withstands("imap", super::imap, 4_000);
}

#[test]
fn the_authority_and_the_control_api_withstand_whatever_forms_hold() {
    withstands("form", super::form, 1_500);
}

#[test]
fn pop3_withstands_whatever_clients_say() {
    withstands("pop3", super::pop3, 4_000);
}

#[test]
fn smtp_withstands_whatever_clients_say() {
    withstands("smtp", super::smtp, 4_000);
}

/// Else the variations would all end at the first page.
#[test]
fn the_seeds_of_forms_come_as_far_as_they_should() {
    let log = |name: &str| {
        let seeds = seeds("form");
        let (_, seed) = seeds.iter().find(|(seed, _)| seed == name).unwrap();
        super::form::log(seed)
    };
    for (name, last) in [
        ("code_flow", "token ok"),
        ("refusal", "consent AADSTS65004"),
        ("wrong_redirect", "authorize AADSTS50011"),
        ("blocked_consent", "consent AADSTS90094"),
        ("admin_consent", "consent ok"),
    ] {
        assert_eq!(log(name).last().map(String::as_str), Some(last), "{name}");
    }
    assert_eq!(
        log("code_flow"),
        [
            "authorize ok",
            "sign_in ok",
            "consent ok",
            "token ok",
            "token ok"
        ]
    );
}

#[test]
fn tenant_files_may_hold_whatever_they_like() {
    withstands("tenant", super::tenant, 3_000);
}

/// Runs every seed, then variations that are the same in each run.
fn withstands(target: &str, run: fn(&[u8]), cases: u32) {
    let seeds = seeds(target);
    for (_, seed) in &seeds {
        run(seed);
    }
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, seed)| seed).collect();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random)
        .run(&variation(seeds), |input| {
            run(&input);
            Ok(())
        })
        .unwrap();
}

/// A seed with some octets changed, cut, repeated or taken from another seed.
fn variation(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<u8>(), any::<u16>(), any::<u16>(), any::<u8>());
    (
        prop::sample::select(seeds.clone()),
        prop::sample::select(seeds),
        prop::collection::vec(edit, 1..8),
    )
        .prop_map(|(mut input, other, edits)| {
            for (kind, from, length, octet) in edits {
                let from = usize::from(from) % (input.len() + 1);
                let to = (from + usize::from(length) % 32).min(input.len());
                match kind % 6 {
                    0 => input.insert(from, octet),
                    1 => drop(input.drain(from..to)),
                    2 => input[from..to].fill(octet),
                    3 => {
                        let again = input[from..to].to_vec();
                        input.splice(from..from, again);
                    }
                    4 => {
                        let start = usize::from(length) % (other.len() + 1);
                        let end = (start + 48).min(other.len());
                        input.splice(from..to, other[start..end].iter().copied());
                    }
                    _ => {
                        let special = SPECIAL[usize::from(octet) % SPECIAL.len()];
                        input.splice(from..from, special.iter().copied());
                    }
                }
            }
            input
        })
}

/// The seeds of a target, with their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/seeds")
        .join(target);
    let mut seeds: Vec<(String, Vec<u8>)> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 5, "{}: too few seeds", folder.display());
    seeds
}

const SPECIAL: [&[u8]; 14] = [
    b"\r\n",
    b"\n",
    b"\0",
    b"\"",
    b"\\",
    b"(",
    b")",
    b"{5}\r\n",
    b"{99999999999999999999+}\r\n",
    b"*",
    b"%",
    b"\xff\xfe",
    b"4294967295",
    b"&",
];
