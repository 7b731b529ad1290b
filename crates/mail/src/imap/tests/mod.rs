//! Transcripts against scripted servers, on pipes and on loopback.

mod bodies;
mod guarding;
mod hostile;
mod listing;
mod login;
mod paging;
mod refusals;
mod script;
mod searching;
mod security;
mod waiting;
