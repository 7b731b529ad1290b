//! `/oauth/callback`: the authority sends the browser back.

use actix_web::{HttpRequest, HttpResponse, get, web::Data};

use crate::{connect, state::Gateway};

/// Where the authority sends the person, or an administrator, after sign-in.
#[utoipa::path(tag = "connect pages", operation_id = "callback",
    params(
        ("state" = Option<String>, Query, description = "Names the attempt"),
        ("code" = Option<String>, Query, description = "To redeem"),
        ("iss" = Option<String>, Query, description = "Who answers (RFC 9207)"),
        ("error" = Option<String>, Query, description = "Why not"),
        ("admin_consent" = Option<String>, Query, description = "An administrator's answer"),
    ),
    responses(
        (status = 200, description = "How it ended", content_type = "text/html", body = String),
        (status = 400, description = "No answer of an attempt of this browser", content_type = "text/html", body = String),
    ))]
#[get("/oauth/callback")]
pub(crate) async fn get(gateway: Data<Gateway>, request: HttpRequest) -> HttpResponse {
    let browser = connect::browser(&gateway, &request);
    let query = request.query_string().to_owned();
    let at_work = gateway.clone();
    // In a task of its own: a state that was used up is seen through to its end, whether the browser waits or not.
    let task = gateway.tasks.spawn_on(
        async move { connect::returned(&at_work, &query, browser).await },
        &gateway.runtime,
    );
    match task.await {
        Ok(page) => page.respond(),
        Err(_) => connect::Page::stopping().respond(),
    }
}
