//! Mailboxes that an application opens by itself: no person signs in.

mod many;
mod refused;
mod thousand;
mod token_forms;
