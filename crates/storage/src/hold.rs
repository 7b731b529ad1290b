//! Who may use a refresh token.

use std::fmt;
use std::sync::Arc;

/// The right to use the refresh token of one grant or one import, which nobody else has at the same time, in this process
/// or another on the same database.
///
/// It ends when the last of its clones is dropped, and with the process, however that ends. It does not end because time
/// passes: a process that is stopped keeps it.
#[derive(Clone)]
pub struct Hold {
    /// What must be dropped to end it.
    _until_dropped: Arc<dyn Send + Sync>,
}

impl Hold {
    pub(crate) fn new(until_dropped: impl Send + Sync + 'static) -> Self {
        Self {
            _until_dropped: Arc::new(until_dropped),
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hold")
    }
}
