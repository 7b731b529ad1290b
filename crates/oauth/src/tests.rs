//! The client against an authority that misbehaves.

mod discovery;
mod id_token;
mod network;
mod support;
mod token;
