//! `/v1/events`: what happened, in order, as a list or as a stream.
//!
//! Every event has a greater id than those before it, and the id of the last one read is the place to go on from
//! (`after`, or `Last-Event-ID`). Events are kept for 30 days; who comes back later is told of the gap.

mod places;
mod stream;
mod view;

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderMap},
    web::Data,
};
use mailgrant_storage::{ApiKeyId, EventId, EventPage};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

pub(crate) use self::places::Places;
use self::{
    places::{Full, Place},
    view::EventView,
};
use crate::{
    http::{Caller, Events, Line, Query, limit, shown_key},
    problem::{Code, Problem},
    state::Gateway,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The id of the last event that was read: the answer begins with the next one. `latest`: only what happens from
    /// now on. Without it: the oldest event that is kept.
    #[param(example = "evt_0197b4c1a2b37c5e8f9a0b1c2d3e4f50")]
    after: Option<String>,
    /// At most so many, 1 to 100 (a list only).
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// Seconds to wait for an event when there is none yet, at most 30 (a list only).
    #[param(minimum = 0, maximum = 30, default = 0)]
    wait: Option<u64>,
}

/// One page of the events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventList)]
pub(crate) struct List {
    /// The events, oldest first.
    items: Vec<EventView>,
    /// To be given as `after` when there are more right now; else null.
    next_cursor: Option<String>,
    /// To be given as `after` next time, whether there are more now or not.
    position: Option<String>,
    /// Events after the given one have been forgotten: the list begins with the oldest that is left.
    gap: bool,
}

/// What happened to the accounts and connect sessions of the key's site, and to the gateway as a whole.
///
/// As JSON one page, which may be waited for; with `Accept: text/event-stream` a stream of server-sent events that goes
/// on until either side ends it, from `Last-Event-ID` where the header is sent. An event is delivered at least once;
/// its `id` tells repeated ones.
///
/// Who waits takes a place: 429 when a quarter of the gateway's places (`server.event_readers`, 512) is taken by the same
/// API key, 503 when all are. A stream whose reader takes nothing for a minute is ended when its place is needed.
#[utoipa::path(tag = "events", operation_id = "list_events",
    params(Which, ("Last-Event-ID" = Option<String>, Header, description = "As `after`, and before it; a browser's or library's EventSource sends it by itself")),
    security(("api_key" = ["events"])),
    responses(
        (status = 200, description = "One page, or the stream", content((List = "application/json"), (String = "text/event-stream"))),
        (status = 422, description = "`after` is no event of this list", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/events")]
pub(crate) async fn get(
    caller: Caller<Events>,
    gateway: Data<Gateway>,
    request: HttpRequest,
    which: Query<Which>,
) -> Result<HttpResponse, Problem> {
    let which = which.0;
    let limit = limit(which.limit)?;
    let wait = which.wait.unwrap_or(0);
    if wait > LONGEST_WAIT {
        return Err(Problem::field(
            "wait",
            format!("must be between 0 and {LONGEST_WAIT}"),
        ));
    }
    let after = Position::of(&request, which.after)?
        .find(&gateway, &caller.site)
        .await?;
    if wants_stream(request.headers()) {
        let key = shown_key(request.headers());
        let place = listen(&gateway, &caller.key)?;
        return Ok(stream::respond(
            gateway,
            caller.site,
            key,
            after.id,
            Line::of(&request),
            place,
        ));
    }
    let _place = (wait > 0)
        .then(|| listen(&gateway, &caller.key))
        .transpose()?;
    let page = page(
        &gateway,
        &caller.site,
        &after,
        limit,
        (Duration::from_secs(wait), Line::of(&request)),
    )
    .await?;
    Ok(list(&gateway, &request, page, after.id))
}

/// Where a reader stands, and which part of the request said so.
struct Position {
    id: Option<EventId>,
    latest: bool,
    field: &'static str,
}

impl Position {
    fn of(request: &HttpRequest, after: Option<String>) -> Result<Self, Problem> {
        let header = request
            .headers()
            .get("last-event-id")
            .filter(|value| !value.is_empty())
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let (field, text) = match header {
            Some(text) => ("Last-Event-ID", Some(text)),
            None => ("after", after),
        };
        let latest = text.as_deref() == Some("latest");
        let id = text
            .filter(|_| !latest)
            .map(|text| text.parse().map_err(|_| unknown(field)))
            .transpose()?;
        Ok(Self { id, latest, field })
    }

    /// Makes sure that the place exists, while that can still be said with a problem.
    async fn find(self, gateway: &Gateway, site: &str) -> Result<Self, Problem> {
        let events = gateway.storage.events();
        if self.latest {
            let id = events.latest(site).await?;
            return Ok(Self {
                id: Some(id),
                ..self
            });
        }
        match events.list(site, self.id.as_ref(), 0).await? {
            Some(_) => Ok(self),
            None => Err(unknown(self.field)),
        }
    }
}

fn unknown(field: &str) -> Problem {
    Problem::field(
        field,
        "is the id of no event that this API key can see; give the `id` of the last event read, or `latest`, or leave it out to begin with the oldest",
    )
}

/// A place among those who wait, for as long as it is held.
fn listen(gateway: &Gateway, key: &ApiKeyId) -> Result<Place, Problem> {
    gateway.listeners.take(key, Instant::now()).map_err(|full| {
        let problem = match full {
            Full::All => Problem::new(
                Code::Busy,
                "all places of those who wait for events are taken; ask without `wait`, or come back",
            ),
            Full::Key => Problem::new(
                Code::Throttled,
                "too many requests and streams of this API key wait for events; one stream is enough for a site, so end those that nobody reads",
            ),
        };
        problem.retry_after(Some(Duration::from_secs(5)))
    })
}

/// Whether the caller prefers a stream: it is named, and JSON is not named before it.
fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(|range| range.trim().to_ascii_lowercase())
        .find(|range| range == stream::MEDIA_TYPE || range == "application/json")
        .is_some_and(|range| range == stream::MEDIA_TYPE)
}

/// The next events; when there are none, waits for some.
async fn page(
    gateway: &Gateway,
    site: &str,
    after: &Position,
    limit: u32,
    (wait, line): (Duration, Line),
) -> Result<EventPage, Problem> {
    let deadline = Instant::now() + wait;
    let mut news = gateway.storage.events().news();
    loop {
        news.mark_unchanged();
        let page = gateway
            .storage
            .events()
            .list(site, after.id.as_ref(), limit)
            .await?
            .ok_or_else(|| unknown(after.field))?;
        if !page.events.is_empty() || Instant::now() >= deadline {
            return Ok(page);
        }
        tokio::select! {
            _ = timeout_at(deadline, news.changed()) => {}
            () = gateway.stopping.cancelled() => return Ok(page),
            () = line.hung_up() => return Ok(page),
        }
    }
}

fn list(
    gateway: &Gateway,
    request: &HttpRequest,
    page: EventPage,
    after: Option<EventId>,
) -> HttpResponse {
    let position = page
        .events
        .last()
        .map(|event| event.id.clone())
        .or(after)
        .map(String::from);
    let next_cursor = position.clone().filter(|_| page.more);
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        response.insert_header((header::LINK, next(gateway, request, cursor)));
    }
    response.json(List {
        items: page
            .events
            .into_iter()
            .map(|event| EventView::of(gateway, event))
            .collect(),
        next_cursor,
        position,
        gap: page.gap,
    })
}

fn next(gateway: &Gateway, request: &HttpRequest, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "after" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("after", cursor);
    format!(
        "<{}?{}>; rel=\"next\"",
        gateway.url(request.path()),
        query.finish()
    )
}

const LONGEST_WAIT: u64 = 30;

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_stream_is_sent_to_who_asks_for_one() {
        for (accept, stream) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; q=1.0, */*", true),
            ("text/event-stream, application/json", true),
            ("application/json, text/event-stream;q=0.5", false),
            ("*/*", false),
            ("text/html", false),
        ] {
            let request = TestRequest::default()
                .insert_header((header::ACCEPT, accept))
                .to_http_request();
            assert_eq!(wants_stream(request.headers()), stream, "{accept}");
        }
        assert!(!wants_stream(
            TestRequest::default().to_http_request().headers()
        ));
    }
}
