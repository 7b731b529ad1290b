//! The ways that connecting a mailbox ends at Office 365, one a file: the gateway before the sandbox.
//!
//! Each says what the site's backend, the page with the button, the person and the authority see, and that mending the
//! cause lets the same person through.

mod consent_blocked;
mod imap_off;
mod in_browser;
mod mailbox_permission;
mod mending;
mod organizations;
mod refused;
mod secret_expired;
mod shared_mailbox;
mod success;
mod tenants;
mod wrong_audience;
mod wrong_redirect;
