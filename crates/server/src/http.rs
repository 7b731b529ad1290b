//! What every endpoint shares: reading requests strictly, knowing the caller, headers, logs.

mod body;
mod caller;
mod fallback;
mod form;
mod headers;
mod line;
mod listing;
mod parameters;
mod span;

pub(crate) use self::{
    body::{Body, NoBody},
    caller::{
        AccountsRead, AccountsWrite, Caller, Connect, Events, MailRead, Tokens, authenticate,
        shown_key,
    },
    fallback::{Table, no_route},
    form::Form,
    headers::secure,
    line::{Line, remember},
    listing::{Listing, limit},
    parameters::{Path, Query},
    span::{Span, log_access},
};
