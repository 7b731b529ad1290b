//! `CATALOGUE.md`, the tests and the catalogue say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::harness::rules;

const TABLE: &str = include_str!("../../CATALOGUE.md");
const README: &str = include_str!("../../../../README.md");

struct Row<'a> {
    rule: &'a str,
    cells: Vec<&'a str>,
}

/// The rows of the table under a heading, each with its rule first.
fn rows(heading: &str) -> Vec<Row<'static>> {
    let (_, part) = TABLE.split_once(heading).unwrap();
    let part = part.split("\n## ").next().unwrap();
    part.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let (rule, rest) = line.split_once('`').unwrap();
            let cells = rest.trim_matches(['|', ' ']).split(" | ");
            Row {
                rule,
                cells: cells.map(str::trim).collect(),
            }
        })
        .collect()
}

/// The bodies of the tests, by file and name.
fn tests() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("test]\nasync fn ").skip(1) {
            let (name, rest) = part.split_once('(').unwrap();
            let body = rest.split("\n}\n").next().unwrap();
            found.insert(format!("{module}::{name}"), body.to_owned());
        }
    }
    found
}

#[test]
fn every_staged_rule_has_its_test_and_every_test_its_row() {
    let tests = tests();
    let mut told = BTreeSet::new();
    for row in rows("\n## Staged\n") {
        let [on_the_wire, how, test] = row.cells[..] else {
            panic!("{}: {:?}", row.rule, row.cells);
        };
        assert!(!on_the_wire.is_empty() && !how.is_empty(), "{}", row.rule);
        let test = test.trim_matches('`');
        let body = tests
            .get(test)
            .unwrap_or_else(|| panic!("{}: there is no test {test}", row.rule));
        assert!(
            body.contains(&format!("\"{}\"", row.rule)),
            "{test} does not check {}",
            row.rule
        );
        let named = test.split_once("::").unwrap().1.replace('_', "-");
        assert_eq!(named, row.rule, "a test is named after its rule");
        assert!(told.insert(test.to_owned()), "{test} is there twice");
    }
    let untold: Vec<_> = tests.keys().filter(|test| !told.contains(*test)).collect();
    assert!(untold.is_empty(), "no row for {untold:?}");
}

#[test]
fn the_head_counts_right_and_no_rule_is_forgotten() {
    let staged: BTreeSet<_> = rows("\n## Staged\n").iter().map(|row| row.rule).collect();
    let others = rows("\n## Not staged\n");
    let left: BTreeSet<_> = others.iter().map(|row| row.rule).collect();
    assert!(
        staged.is_disjoint(&left),
        "{:?}",
        staged.intersection(&left)
    );
    for row in &others {
        assert!(row.cells[0].len() > 15, "{}: give the reason", row.rule);
    }
    let head = format!(
        "{} of {} rules are staged",
        staged.len(),
        staged.len() + left.len()
    );
    assert!(TABLE.contains(&head), "the head should say: {head}");
    let told = format!("[{} can be had at will]", staged.len());
    assert!(README.contains(&told), "the README should say: {told}");
    if let Some(rules) = rules() {
        let told: BTreeSet<_> = staged.union(&left).copied().collect();
        let known: BTreeSet<_> = rules.iter().map(String::as_str).collect();
        assert_eq!(told, known);
    }
}
