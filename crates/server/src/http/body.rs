//! JSON bodies, read strictly: problems name the field.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::problem::{Code, Problem};

/// A request's JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = accepted(request);
        let mut payload = payload.take();
        Box::pin(async move {
            accepted?;
            let bytes = timeout(PATIENCE, read(&mut payload, LARGEST))
                .await
                .map_err(|_| too_slow())??;
            parse(&bytes).map(Self)
        })
    }
}

/// That a request has no body, or says nothing in it: options that were put there would be passed over in silence.
#[derive(Debug)]
pub(crate) struct NoBody;

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        Box::pin(async move {
            let bytes = timeout(PATIENCE, read(&mut payload, LARGEST))
                .await
                .map_err(|_| too_slow())??;
            match bytes.trim_ascii() {
                b"" | b"{}" => Ok(Self),
                _ => Err(Problem::field(
                    "body",
                    "is not read here; give the options as query parameters, such as ?protocol=smtp",
                )),
            }
        })
    }
}

/// Reads at most `largest` bytes.
pub(super) async fn read(payload: &mut Payload, largest: usize) -> Result<BytesMut, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Problem::new(Code::BadRequest, format!("the body broke off: {error}"))
        })?;
        if bytes.len() + chunk.len() > largest {
            return Err(too_large(largest));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn accepted(request: &HttpRequest) -> Result<(), Problem> {
    let essence = request
        .mime_type()
        .ok()
        .flatten()
        .map(|mime| mime.essence_str().to_ascii_lowercase());
    if essence.as_deref() != Some("application/json") {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            "send the body as application/json",
        ));
    }
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST) {
        return Err(too_large(LARGEST));
    }
    Ok(())
}

fn too_slow() -> Problem {
    Problem::new(Code::BadRequest, "the body did not arrive in time")
}

fn too_large(largest: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("send at most {largest} bytes"))
}

/// Syntax errors are 400; what JSON understands but the endpoint does not is 422 and names the field.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.classify() == serde_json::error::Category::Data {
            let detail = without_position(&cause.to_string());
            Problem::field(blamed(&path, &detail), detail)
        } else {
            malformed(&cause)
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(
        Code::MalformedBody,
        format!(
            "the body is not valid JSON at line {}, column {}",
            error.line(),
            error.column()
        ),
    )
}

/// A missing field is reported at its parent: the name is in the message only.
pub(super) fn blamed(path: &str, detail: &str) -> String {
    let named = detail
        .strip_prefix("missing field `")
        .or_else(|| detail.strip_prefix("unknown field `"))
        .or_else(|| detail.strip_prefix("duplicate field `"))
        .and_then(|rest| rest.split('`').next());
    match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "body".to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => {
            format!("{path}.{name}")
        }
        (path, _) => path.to_owned(),
    }
}

fn without_position(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(end) => message.get(..end).unwrap_or(message).to_owned(),
        None => message.to_owned(),
    }
}

/// How long a body may take to arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// No endpoint needs a larger body.
const LARGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Example {
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        count: u8,
    }

    #[test]
    fn a_problem_names_the_field() {
        for (body, code, field) in [
            ("{", Code::MalformedBody, None),
            ("", Code::MalformedBody, None),
            ("{}x", Code::InvalidField, Some("name")),
            (r#"{"name":"a"} x"#, Code::MalformedBody, None),
            ("[]", Code::InvalidField, Some("body")),
            ("{}", Code::InvalidField, Some("name")),
            (r#"{"name":1}"#, Code::InvalidField, Some("name")),
            (r#"{"name":"a","nmae":1}"#, Code::InvalidField, Some("nmae")),
            (
                r#"{"name":"a","name":"b"}"#,
                Code::InvalidField,
                Some("name"),
            ),
            (
                r#"{"name":"a","inner":{"count":256}}"#,
                Code::InvalidField,
                Some("inner.count"),
            ),
            (
                r#"{"name":"a","inner":{}}"#,
                Code::InvalidField,
                Some("inner.count"),
            ),
        ] {
            let problem = parse::<Example>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.code(), code, "{body}");
            if let Some(field) = field {
                assert!(
                    problem.detail().starts_with(&format!("{field}: ")),
                    "{body}: {}",
                    problem.detail()
                );
            }
        }
    }
}
