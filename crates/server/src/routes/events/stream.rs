//! Events as they happen (HTML Living Standard §9.2, server-sent events).
//!
//! ```text
//! retry: 3000
//! id: evt_0197b4c1a2b37c5e8f9a0b1c2d3e4f50
//!
//! id: evt_0197b4c1a2b47d1a…
//! event: account.reauth_required
//! data: {"id":"evt_0197b4c1a2b47d1a…","type":"account.reauth_required",…}
//!
//! :
//! ```
//!
//! The block without data tells a new reader its place, so that it goes on from there even when nothing happened before
//! the connection broke. `event: gap` says that events were forgotten before they were read.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header,
    web::{Bytes, Data},
};
use futures_util::stream::unfold;
use mailgrant_storage::{EventId, EventPage, SecretHash};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{places::Place, view::EventView};
use crate::{http::Line, state::Gateway};

pub(super) const MEDIA_TYPE: &str = "text/event-stream";

/// Answers with the stream. It ends with the gateway, with the API key, with the database, and when it has lost its place.
pub(super) fn respond(
    gateway: Data<Gateway>,
    site: String,
    key: Option<SecretHash>,
    after: Option<EventId>,
    line: Line,
    place: Place,
) -> HttpResponse {
    let opening = match &after {
        Some(id) => format!("retry: {RETRY_MS}\nid: {id}\n\n"),
        None => format!("retry: {RETRY_MS}\n\n"),
    };
    let reader = Reader {
        news: gateway.storage.events().news(),
        gateway,
        site,
        key,
        position: after,
        opening: Some(opening),
        line,
        place,
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // nginx would hold events back to fill a buffer.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(unfold(reader, async |mut reader| {
            let block = reader.next().await?;
            Some((Ok::<_, actix_web::Error>(Bytes::from(block)), reader))
        }))
}

/// Who reads the stream, and how far. It is asked for the next block only when the last one has been sent, so a slow
/// reader holds one page in memory and no more.
struct Reader {
    gateway: Data<Gateway>,
    site: String,
    key: Option<SecretHash>,
    position: Option<EventId>,
    news: watch::Receiver<i64>,
    opening: Option<String>,
    line: Line,
    place: Place,
}

impl Reader {
    /// The next block; `None` ends the stream, and the reader comes back with its `Last-Event-ID`.
    async fn next(&mut self) -> Option<String> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        loop {
            if self.gateway.stopping.is_cancelled()
                || !self.place.keep(Instant::now())
                || !self.is_admitted().await
            {
                return None;
            }
            self.news.mark_unchanged();
            if let Some(block) = self.look().await? {
                return Some(block);
            }
            tokio::select! {
                _ = self.news.changed() => {}
                () = self.gateway.stopping.cancelled() => return None,
                () = self.line.hung_up() => return None,
                // Tells proxies that the line is alive, and the gateway when it is not.
                () = sleep(HEARTBEAT) => return Some(":\n\n".to_owned()),
            }
        }
    }

    /// What there is to send now, if anything; `None` when the database does not tell.
    async fn look(&mut self) -> Option<Option<String>> {
        let events = self.gateway.storage.events();
        let listed = events
            .list(&self.site, self.position.as_ref(), AT_A_TIME)
            .await;
        let page = match listed {
            Ok(page) => page?,
            Err(error) => {
                tracing::warn!(%error, "a stream of events ends");
                return None;
            }
        };
        if page.events.is_empty() && !page.gap {
            return Some(None);
        }
        let before = self.position.take();
        self.position = match page.events.last() {
            Some(event) => Some(event.id.clone()),
            None => Some(events.latest(&self.site).await.ok()?),
        };
        Some(Some(self.written(before, page)?))
    }

    fn written(&self, before: Option<EventId>, page: EventPage) -> Option<String> {
        let mut text = String::new();
        if page.gap {
            let after = serde_json::json!({ "after": before });
            text.push_str(&format!("event: gap\ndata: {after}\n\n"));
        }
        for event in page.events {
            let view = EventView::of(&self.gateway, event);
            // JSON has no line breaks of its own, so each event is one line of data.
            let data = serde_json::to_string(&view).ok()?;
            text.push_str(&format!(
                "id: {}\nevent: {}\ndata: {data}\n\n",
                view.id, view.kind
            ));
        }
        Some(text)
    }

    /// Whether the API key is still good: a stream outlives the moment it was asked for.
    async fn is_admitted(&self) -> bool {
        let Some(key) = &self.key else {
            return false;
        };
        let keys = self.gateway.storage.api_keys();
        matches!(keys.find_by_secret(key).await, Ok(Some(_)))
    }
}

const RETRY_MS: u32 = 3000;
const AT_A_TIME: u32 = 50;
const HEARTBEAT: Duration = Duration::from_secs(15);
