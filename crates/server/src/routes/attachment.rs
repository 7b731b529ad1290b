//! `/v1/accounts/{account}/emails/{email}/attachments/{part}`: one part, decoded.

use actix_web::{
    HttpResponse, get,
    http::header::{self, HeaderValue},
    web::Data,
};
use mailgrant_mail::message;
use serde::Deserialize;

use super::email::{self, apart};
use crate::{
    http::{Caller, MailRead, Path},
    problem::Problem,
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    account: String,
    email: String,
    part: String,
}

/// One attachment. Always to be saved, never to be shown: it is the sender's.
#[utoipa::path(tag = "mail", operation_id = "get_attachment",
    params(("account" = String, Path), ("email" = String, Path), ("part" = String, Path, description = "`partId` of the attachment")), security(("api_key" = ["mail:read"])),
    responses(
        (status = 200, description = "The content", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 410, description = "`uidvalidity_changed`: the mailbox was rebuilt", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts/{account}/emails/{email}/attachments/{part}")]
pub(crate) async fn get(
    caller: Caller<MailRead>,
    gateway: Data<Gateway>,
    which: Path<Which>,
) -> Result<HttpResponse, Problem> {
    let Which {
        account,
        email,
        part,
    } = which.0;
    let (_, raw) = email::whole(&gateway, &caller.site, &email::Which { account, email }).await?;
    let attachment = apart(move || message::attachment(&raw, &part))
        .await?
        .ok_or_else(|| Problem::not_found("attachment"))?;
    let media_type = HeaderValue::from_str(&attachment.content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((
            header::CONTENT_DISPOSITION,
            disposition(attachment.name.as_deref()),
        ))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(attachment.bytes))
}

/// `attachment` with the file's own name (RFC 6266 §4.3, RFC 8187), without any path the sender put in.
fn disposition(name: Option<&str>) -> String {
    let Some(name) = name.map(bare).filter(|name| !name.is_empty()) else {
        return "attachment".to_owned();
    };
    let plain: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_graphic() && !matches!(letter, '"' | '\\' | '%') || letter == ' ' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        extended(&name)
    )
}

fn bare(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// RFC 8187 `ext-value`: everything but `attr-char` in percent encoding.
fn extended(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_for_old_and_new_readers() {
        for (name, written) in [
            (None, "attachment"),
            (Some(""), "attachment"),
            (
                Some("a.pdf"),
                "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf",
            ),
            (
                Some("Übersicht 1.pdf"),
                "attachment; filename=\"_bersicht 1.pdf\"; filename*=UTF-8''%C3%9Cbersicht%201.pdf",
            ),
            (
                Some("../../etc/passwd"),
                "attachment; filename=\"passwd\"; filename*=UTF-8''passwd",
            ),
            (
                Some("C:\\x\\evil.exe"),
                "attachment; filename=\"evil.exe\"; filename*=UTF-8''evil.exe",
            ),
            (
                Some("a\"; x=\r\ny"),
                "attachment; filename=\"a_; x=y\"; filename*=UTF-8''a%22%3B%20x%3Dy",
            ),
        ] {
            assert_eq!(disposition(name), written);
        }
    }
}
