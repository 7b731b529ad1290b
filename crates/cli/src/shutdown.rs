//! The end: asked for by a signal, and come within five seconds.

use std::time::Duration;

use tokio::signal;

use crate::failure::{Exit, Failure};

/// The signals that end the process, listened to from now on: what is sent during the start is not
/// lost.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: signal::unix::Signal,
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> Result<Self, Failure> {
        #[cfg(unix)]
        {
            use signal::unix::{SignalKind, signal};

            let failed =
                |error| Failure::new(Exit::Failed, format!("cannot listen to signals: {error}"));
            Ok(Self {
                terminate: signal(SignalKind::terminate()).map_err(failed)?,
                interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for SIGTERM or SIGINT (Ctrl-C).
    pub async fn received(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!("ending");
    }
}

/// Lets `end` finish, but not for longer than the time that scripts are promised.
pub(crate) async fn within_limit(end: impl Future<Output = ()>) {
    if tokio::time::timeout(LIMIT, end).await.is_err() {
        tracing::warn!("did not end in order within {LIMIT:?}");
    }
}

/// Of the five seconds promised, half a second is left for the process itself.
const LIMIT: Duration = Duration::from_millis(4500);
