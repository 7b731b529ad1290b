//! The binary as scripts use it: arguments, output, exit codes, signals, ready files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod connected;
mod demo;
mod keys;
mod person;
mod process;
mod serving;
mod settings;
mod setup;
mod two_processes;
