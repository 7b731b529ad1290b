//! What the endpoints share.

use std::{ops::Deref, sync::Arc};

use mailgrant_storage::ConnectSessionId;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{connect::Limiter, engine::Engine, keeping::Keeping, routes::Places, settings::Origin};

/// The running gateway, as its endpoints see it.
pub(crate) struct Gateway {
    /// Everything that is no matter of HTTP.
    pub(crate) engine: Engine,
    /// Emails that may be in memory as a whole at one time.
    pub(crate) readers: Semaphore,
    /// Requests that may wait for events at one time.
    pub(crate) listeners: Arc<Places>,
    /// Tells the waiting pages which connect session has changed.
    pub(crate) news: broadcast::Sender<ConnectSessionId>,
    /// How often an account's way back was taken lately.
    pub(crate) mending: Limiter,
    /// Work that goes on when its browser goes away.
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
    /// What it remembers of the work that it does by itself.
    pub(crate) keeping: Keeping,
}

impl Gateway {
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// An absolute URL of this gateway.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    pub(crate) fn allowed_origin(&self, origin: &str) -> Option<&Origin> {
        self.settings
            .server
            .allowed_origins
            .iter()
            .find(|allowed| allowed.as_str() == origin)
    }

    pub(crate) fn tell(&self, session: &ConnectSessionId) {
        // Nobody waiting is no error.
        let _ = self.news.send(session.clone());
    }
}

/// A gateway is an engine with an HTTP side.
impl Deref for Gateway {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}
