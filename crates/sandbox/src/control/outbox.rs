//! `/control/outbox`: what SMTP accepted.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::failure;
use crate::outbox::Outbox;

pub(super) async fn list(outbox: web::Data<Outbox>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "sent": outbox.list() }))
}

pub(super) async fn get(outbox: web::Data<Outbox>, id: web::Path<String>) -> HttpResponse {
    match id.parse().ok().and_then(|id| outbox.get(id)) {
        Some(sent) => HttpResponse::Ok().json(sent),
        None => missing(),
    }
}

pub(super) async fn raw(outbox: web::Data<Outbox>, id: web::Path<String>) -> HttpResponse {
    let Ok(id) = id.parse() else {
        return missing();
    };
    let read = web::block(move || outbox.message(id)).await;
    match read {
        Ok(Ok(Some(message))) => HttpResponse::Ok()
            .content_type("message/rfc822")
            .insert_header(("X-Content-Type-Options", "nosniff"))
            .body(message),
        Ok(Ok(None)) => missing(),
        Ok(Err(error)) => failure(&error),
        Err(error) => {
            HttpResponse::InternalServerError().json(json!({ "error": error.to_string() }))
        }
    }
}

pub(super) async fn delete(outbox: web::Data<Outbox>, id: web::Path<String>) -> HttpResponse {
    let Ok(id) = id.parse() else {
        return missing();
    };
    let outbox: Arc<Outbox> = outbox.into_inner();
    match web::block(move || outbox.delete(id)).await {
        Ok(true) => HttpResponse::NoContent().finish(),
        _ => missing(),
    }
}

pub(super) async fn clear(outbox: web::Data<Outbox>) -> HttpResponse {
    let outbox = outbox.into_inner();
    match web::block(move || outbox.clear()).await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(error) => {
            HttpResponse::InternalServerError().json(json!({ "error": error.to_string() }))
        }
    }
}

fn missing() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"error": "no message of the outbox has this number"}))
}
