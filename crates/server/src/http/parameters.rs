//! Query and path parameters, read strictly: problems name the parameter.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError};

use super::body::blamed;
use crate::problem::Problem;

/// A request's query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let deserializer =
        serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let detail = error.inner().to_string();
        Problem::field(blamed(&error.path().to_string(), &detail), detail)
    })
}

/// A request's path parameters; one that cannot be read names nothing that exists: 404.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parameters: Vec<(String, String)> = request
            .match_info()
            .iter()
            .map(|(name, value)| {
                let decoded = percent_decoded(value);
                (name.to_owned(), decoded)
            })
            .collect();
        let map = serde::de::value::MapDeserializer::<_, ValueError>::new(
            parameters
                .into_iter()
                .map(|(name, value)| (name.into_deserializer(), value)),
        );
        ready(
            T::deserialize(map)
                .map(Self)
                .map_err(|_| Problem::not_found("resource")),
        )
    }
}

/// The router leaves reserved characters encoded.
fn percent_decoded(value: &str) -> String {
    // `+` means itself in a path.
    let form = format!("v={}", value.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        limit: Option<u32>,
        from: Option<String>,
    }

    #[test]
    fn a_query_is_decoded() {
        let query: Example = parse("limit=20&from=Anna+M%C3%BCller").unwrap();
        assert_eq!(
            (query.limit, query.from.as_deref()),
            (Some(20), Some("Anna Müller"))
        );
    }

    #[test]
    fn a_problem_names_the_parameter() {
        for (query, field) in [
            ("limit=x", "limit"),
            ("limit=-1", "limit"),
            ("lmit=3", "lmit"),
            ("limit=1&limit=2", "limit"),
            ("offset=9", "offset"),
        ] {
            let problem = parse::<Example>(query).unwrap_err();
            assert!(
                problem.detail().starts_with(&format!("{field}: ")),
                "{}",
                problem.detail()
            );
        }
    }

    #[test]
    fn path_segments_are_decoded_once() {
        assert_eq!(percent_decoded("1.2"), "1.2");
        assert_eq!(percent_decoded("a%2Fb+c&d"), "a/b+c&d");
        assert_eq!(percent_decoded("%252e"), "%2e");
    }
}
