//! What the site's pages ask of its backend. Bodies of the gateway are passed on unchanged.

use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::site::Site;
use super::upstream::{Unreachable, problem, unreachable};
use super::visitors::Visit;

/// Which mailbox a visitor wants, where it is not their own.
#[derive(Deserialize)]
pub(super) struct Wanted {
    mailbox: Option<String>,
}

/// A new connect session for the widget.
pub(super) async fn begin(
    site: Data<Site>,
    request: HttpRequest,
    wanted: Query<Wanted>,
) -> HttpResponse {
    match begun(&site, &request, wanted.0).await {
        Err(refusal) => refusal,
        Ok((session, cookie)) => {
            let mut answer = HttpResponse::Created();
            if let Some(cookie) = cookie {
                answer.cookie(cookie);
            }
            answer
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(json!({
                    "id": session.id,
                    "client_token": session.client_token,
                    "connect_url": session.connect_url,
                    "gateway": site.gateway,
                }))
        }
    }
}

/// The same without JavaScript: straight on to the gateway.
pub(super) async fn connect(
    site: Data<Site>,
    request: HttpRequest,
    wanted: Query<Wanted>,
) -> HttpResponse {
    match begun(&site, &request, wanted.0).await {
        Err(refusal) => refusal,
        Ok((session, cookie)) => {
            let mut answer = HttpResponse::SeeOther();
            if let Some(cookie) = cookie {
                answer.cookie(cookie);
            }
            answer
                .insert_header((header::LOCATION, session.connect_url))
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .finish()
        }
    }
}

/// How a session of this visitor went; a connected one ties its account to the visitor.
pub(super) async fn session(
    site: Data<Site>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    let known = site
        .visitors
        .of(&request)
        .filter(|(_, visit)| visit.sessions.contains(&id));
    let Some((visitor, _)) = known else {
        return problem(
            StatusCode::NOT_FOUND,
            "not_found",
            "This visitor has no such connect session.",
        );
    };
    match look(&site, &id).await {
        Err(Unreachable) => unreachable(),
        Ok((status, body)) => {
            if let Some(account) = connected(&body) {
                site.visitors.tie(&visitor, Some(account));
            }
            HttpResponse::build(status)
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .json(body)
        }
    }
}

/// The visitor's account, or null.
pub(super) async fn account(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    let Some((visitor, visit)) = site.visitors.of(&request) else {
        return answer.json(Value::Null);
    };
    let account = match newest_account(&site, &visitor, visit).await {
        Ok(Some(account)) => account,
        Ok(None) => return answer.json(Value::Null),
        Err(Unreachable) => return unreachable(),
    };
    match site
        .upstream
        .json(
            site.upstream
                .request(Method::GET, &["accounts", &account], ""),
        )
        .await
    {
        Err(Unreachable) => unreachable(),
        Ok((StatusCode::NOT_FOUND, _)) => {
            site.visitors.tie(&visitor, None);
            answer.json(Value::Null)
        }
        Ok((status, body)) => answer.status(status).json(body),
    }
}

/// Takes the mailbox away from the site again.
pub(super) async fn disconnect(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    let Some((
        visitor,
        Visit {
            account: Some(account),
            ..
        },
    )) = site.visitors.of(&request)
    else {
        return HttpResponse::NoContent().finish();
    };
    let deletion = site
        .upstream
        .request(Method::DELETE, &["accounts", &account], "");
    let answer = site.upstream.relay(deletion).await;
    if answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND {
        site.visitors.tie(&visitor, None);
        return HttpResponse::NoContent().finish();
    }
    answer
}

/// Who can sign in, and where to look further.
pub(super) async fn demo(site: Data<Site>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "organizations": site.organizations,
        "docs": format!("{}/docs", site.gateway),
        "control": site.control,
    }))
}

/// The visitor's mailboxes.
pub(super) async fn mailboxes(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    forward(&site, &request, &["mailboxes"]).await
}

/// A page of the visitor's emails.
pub(super) async fn emails(site: Data<Site>, request: HttpRequest) -> HttpResponse {
    forward(&site, &request, &["emails"]).await
}

/// One email.
pub(super) async fn email(
    site: Data<Site>,
    request: HttpRequest,
    email: Path<String>,
) -> HttpResponse {
    forward(&site, &request, &["emails", &email]).await
}

/// One email as it came.
pub(super) async fn raw(
    site: Data<Site>,
    request: HttpRequest,
    email: Path<String>,
) -> HttpResponse {
    forward(&site, &request, &["emails", &email, "raw"]).await
}

/// One attachment.
pub(super) async fn attachment(
    site: Data<Site>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (email, part) = path.into_inner();
    forward(&site, &request, &["emails", &email, "attachments", &part]).await
}

/// What the gateway tells of a new session.
#[derive(Deserialize)]
struct Begun {
    id: String,
    client_token: String,
    connect_url: String,
}

async fn begun(
    site: &Site,
    request: &HttpRequest,
    Wanted { mailbox }: Wanted,
) -> Result<(Begun, Option<Cookie<'static>>), HttpResponse> {
    let session = json!({
        "application": site.application,
        "origin": site.origin,
        "user_label": "a visitor of Quillhaven",
        "return_url": format!("{}/", site.origin),
        "mailbox": mailbox,
    });
    let creation = site
        .upstream
        .request(Method::POST, &["connect-sessions"], "")
        .json(&session);
    let (status, body) = site
        .upstream
        .json(creation)
        .await
        .map_err(|Unreachable| unreachable())?;
    if !status.is_success() {
        return Err(HttpResponse::build(status)
            .content_type("application/problem+json")
            .json(body));
    }
    let session: Begun = serde_json::from_value(body).map_err(|_| unreachable())?;
    let (visitor, cookie) = site.visitors.of_or_new(request, &*site.random);
    site.visitors.began(&visitor, session.id.clone());
    Ok((session, cookie))
}

/// The visitor's account: the one tied, or that of the newest session that was connected since.
async fn newest_account(
    site: &Site,
    visitor: &str,
    visit: Visit,
) -> Result<Option<String>, Unreachable> {
    if visit.account.is_some() {
        return Ok(visit.account);
    }
    for session in visit.sessions {
        if let Some(account) = connected(&look(site, &session).await?.1) {
            site.visitors.tie(visitor, Some(account.clone()));
            return Ok(Some(account));
        }
    }
    Ok(None)
}

async fn look(site: &Site, session: &str) -> Result<(StatusCode, Value), Unreachable> {
    site.upstream
        .json(
            site.upstream
                .request(Method::GET, &["connect-sessions", session], ""),
        )
        .await
}

fn connected(session: &Value) -> Option<String> {
    let text = |key| session.get(key).and_then(Value::as_str);
    (text("status") == Some("connected"))
        .then(|| text("account_id").map(str::to_owned))
        .flatten()
}

async fn forward(site: &Site, request: &HttpRequest, path: &[&str]) -> HttpResponse {
    let Some((
        _,
        Visit {
            account: Some(account),
            ..
        },
    )) = site.visitors.of(request)
    else {
        return problem(
            StatusCode::NOT_FOUND,
            "not_connected",
            "This visitor has connected no mailbox.",
        );
    };
    let whole: Vec<&str> = ["accounts", &account]
        .into_iter()
        .chain(path.iter().copied())
        .collect();
    site.upstream
        .relay(
            site.upstream
                .request(Method::GET, &whole, request.query_string()),
        )
        .await
}
