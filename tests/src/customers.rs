//! Organizations besides the operator's own: see `tenants.toml`.

/// Harrowgate Bakery, by id.
pub const HARROWGATE: &str = "2b1f3c60-7d2e-4a55-8c11-90ab54cd7e02";
pub const DORA: &str = "dora@harrowgate.test";
/// Harrowgate's administrator.
pub const CHIEF: &str = "chief@harrowgate.test";
/// Shared mailboxes of Harrowgate, in which IMAP is off.
pub const LOAVES: &str = "loaves@harrowgate.test";
pub const CAKES: &str = "cakes@harrowgate.test";

/// Ravenglass Ferries, by id.
pub const RAVENGLASS: &str = "6e90a1d7-3c84-4f2b-9d05-1ba7c2e8f403";
pub const FINN: &str = "finn@ravenglass.test";
/// A shared mailbox of Ravenglass, in which IMAP is off.
pub const TICKETS: &str = "tickets@ravenglass.test";
