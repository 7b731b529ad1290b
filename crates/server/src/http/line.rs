//! Whether the peer of a connection is still there. The server itself finds out only when it has something to say, and
//! who waits for events may have nothing to hear for long.

use std::{any::Any, io::ErrorKind, net::TcpStream, sync::Arc, time::Duration};

use actix_web::{HttpRequest, dev::Extensions};
use tokio::time::sleep;

/// A connection, seen from beside.
#[derive(Clone)]
pub(crate) struct Line(Option<Arc<TcpStream>>);

impl Line {
    /// The connection that a request came by.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        request.conn_data::<Self>().cloned().unwrap_or(Self(None))
    }

    /// Returns when the peer has hung up; never, where that cannot be seen.
    pub(crate) async fn hung_up(&self) {
        while !self.is_cut() {
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// The end of what the peer sends is the end: nobody sends half a connection's worth of HTTP.
    fn is_cut(&self) -> bool {
        let Some(line) = &self.0 else {
            return false;
        };
        match line.peek(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

/// Remembers a new connection for the requests that come by it.
pub(crate) fn remember(connection: &dyn Any, data: &mut Extensions) {
    data.insert(Line(beside(connection).map(Arc::new)));
}

#[cfg(unix)]
fn beside(connection: &dyn Any) -> Option<TcpStream> {
    use std::os::fd::AsFd as _;

    let stream = connection.downcast_ref::<tokio::net::TcpStream>()?;
    // The same socket, which does not block: a look takes no time.
    Some(stream.as_fd().try_clone_to_owned().ok()?.into())
}

#[cfg(not(unix))]
fn beside(_connection: &dyn Any) -> Option<TcpStream> {
    None
}

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
