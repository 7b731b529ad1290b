//! The client against an authority that misbehaves.

mod credential;
mod discovery;
mod id_token;
mod network;
mod support;
mod token;
mod userinfo;
