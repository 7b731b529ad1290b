//! Lists: one page, and where the next begins (RFC 8288 `Link`).

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// The page.
    pub(crate) items: Vec<T>,
    /// To be given as `cursor` to get the next page; null at the end.
    pub(crate) next_cursor: Option<String>,
}

impl<T: Serialize> Listing<T> {
    /// With `Link: rel="next"`, when there is more.
    pub(crate) fn respond(self, request: &HttpRequest, base: &str) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &self.next_cursor {
            response.insert_header((header::LINK, next(request, base, cursor)));
        }
        response.json(self)
    }
}

fn next(request: &HttpRequest, base: &str, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "cursor" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("cursor", cursor);
    format!(
        "<{base}{}?{}>; rel=\"next\"",
        request.path(),
        query.finish()
    )
}

/// How many items a page may have.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, crate::problem::Problem> {
    match asked.unwrap_or(20) {
        limit @ 1..=100 => Ok(limit),
        _ => Err(crate::problem::Problem::field(
            "limit",
            "must be between 1 and 100",
        )),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_next_page_is_the_same_query_with_the_new_cursor() {
        let request =
            TestRequest::with_uri("/v1/accounts?limit=2&cursor=old&from=a%26b").to_http_request();
        assert_eq!(
            next(&request, "https://mail.example.com", "new"),
            r#"<https://mail.example.com/v1/accounts?limit=2&from=a%26b&cursor=new>; rel="next""#
        );
    }
}
