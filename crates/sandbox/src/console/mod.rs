//! What people see of the sandbox: the page at `/`, and every request in plain words.

mod explain;
mod remedies;

pub(crate) use explain::{Explanation, explain};
