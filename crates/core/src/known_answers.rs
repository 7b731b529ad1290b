//! The vectors of the documents, checked wherever core runs: natively by this crate's tests, in
//! WebAssembly by a browser test.
//!
//! A vector whose source is a document names it; the others are written after answers that were
//! seen, with made-up values.

use std::fmt::Debug;

mod authorization;
mod claims;
mod discovery;
mod provider;
mod sasl;
mod scope;
mod token;

/// How many vectors there are: a table that lost its entries does not pass for a good one.
pub const COUNT: usize = 145;

/// Checks every vector: its name, and what is wrong if anything is.
#[must_use]
pub fn check() -> Vec<(String, Result<(), String>)> {
    let mut table = Table(Vec::with_capacity(COUNT));
    sasl::check(&mut table);
    token::check(&mut table);
    claims::check(&mut table);
    authorization::check(&mut table);
    discovery::check(&mut table);
    scope::check(&mut table);
    provider::check(&mut table);
    table.0
}

struct Table(Vec<(String, Result<(), String>)>);

impl Table {
    /// One vector: what was computed (or why it could not be), and what is right.
    fn equal<T: PartialEq + Debug, E: Debug>(
        &mut self,
        name: &str,
        found: Result<T, E>,
        expected: T,
    ) {
        let outcome = match found {
            Ok(found) if found == expected => Ok(()),
            Ok(found) => Err(format!("found {found:?}, expected {expected:?}")),
            Err(error) => Err(format!("failed with {error:?}, expected {expected:?}")),
        };
        self.0.push((name.to_owned(), outcome));
    }

    /// One vector that must be refused.
    fn refused<T: Debug, E>(&mut self, name: &str, found: Result<T, E>) {
        let outcome = match found {
            Ok(found) => Err(format!("accepted as {found:?}")),
            Err(_) => Ok(()),
        };
        self.0.push((name.to_owned(), outcome));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_known() {
        let outcomes = check();
        let wrong: Vec<_> = outcomes
            .iter()
            .filter(|(_, outcome)| outcome.is_err())
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(outcomes.len(), COUNT);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = check().into_iter().map(|(name, _)| name).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
