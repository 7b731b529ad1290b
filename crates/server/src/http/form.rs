//! Forms of the pages: small, and not waited for without end, for anybody may send one.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::body::{PATIENCE, read};
use crate::problem::{Code, Problem};

/// A request's form.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = request
            .content_type()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let payload = payload.take();
        Box::pin(async move {
            if !is_form {
                return Err(Problem::new(
                    Code::UnsupportedMediaType,
                    "send the form as application/x-www-form-urlencoded",
                ));
            }
            within(PATIENCE, payload).await.map(Self)
        })
    }
}

async fn within<T: DeserializeOwned>(
    patience: Duration,
    mut payload: Payload,
) -> Result<T, Problem> {
    let unreadable = |why: &str| Problem::new(Code::BadRequest, format!("the form {why}"));
    let bytes = timeout(patience, read(&mut payload, LARGEST))
        .await
        .map_err(|_| unreadable("did not arrive in time"))??;
    serde_urlencoded::from_bytes(&bytes).map_err(|_| unreadable("cannot be read"))
}

/// A page's form holds one token.
const LARGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use actix_web::{error::PayloadError, test::TestRequest, web::Bytes};
    use futures_util::{Stream, StreamExt, stream};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Example {
        name: String,
    }

    fn payload(
        chunks: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + 'static,
    ) -> Payload {
        Payload::Stream {
            payload: Box::pin(chunks),
        }
    }

    fn sent(text: &'static str) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        stream::iter([Ok(Bytes::from_static(text.as_bytes()))])
    }

    #[tokio::test]
    async fn a_form_that_never_ends_is_given_up() {
        let endless = sent("name=a").chain(stream::pending());
        let given_up = within::<Example>(Duration::from_millis(10), payload(endless)).await;
        assert_eq!(given_up.unwrap_err().code(), Code::BadRequest);
    }

    #[tokio::test]
    async fn a_form_is_small_and_said_to_be_one() {
        let whole = within::<Example>(PATIENCE, payload(sent("name=a%20b"))).await;
        assert_eq!(whole.unwrap().name, "a b");
        let large = stream::iter((0..5).map(|_| Ok(Bytes::from_static(&[b'a'; 1000]))));
        let refused = within::<Example>(PATIENCE, payload(large)).await;
        assert_eq!(refused.unwrap_err().code(), Code::BodyTooLarge);

        let (request, mut untyped) = TestRequest::post().set_payload("name=a").to_http_parts();
        let refused = Form::<Example>::from_request(&request, &mut untyped).await;
        assert_eq!(refused.unwrap_err().code(), Code::UnsupportedMediaType);
    }
}
