//! A year of access that nobody looks after, under one simulated clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod calendar;
mod ledger;
mod life;
mod outage;
#[path = "../binary/person.rs"]
#[allow(dead_code, reason = "the binary's tests use the rest")]
mod person;
mod random;
mod restarts;
mod world;
