//! Parameters of a query or form body, each at most once (RFC 6749 §3.1, §3.2).

use std::collections::{HashMap, HashSet};

use actix_web::HttpRequest;
use url::form_urlencoded;

use super::problem::{Problem, request};

/// Parameters by name. Empty ones count as absent (RFC 6749 §3.1). Debug shows no value.
pub(crate) struct Params {
    values: HashMap<String, String>,
    empty: HashSet<String>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded`. What MSAL and others send besides is kept and ignored.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, Problem> {
        let mut params = Self {
            values: HashMap::new(),
            empty: HashSet::new(),
        };
        for (name, value) in form_urlencoded::parse(encoded) {
            if value.is_empty() {
                params.empty.insert(name.into_owned());
                continue;
            }
            if params
                .values
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err(request::MALFORMED.problem());
            }
        }
        Ok(params)
    }

    /// The parameters of the query.
    pub(crate) fn of_query(request: &HttpRequest) -> Result<Self, Problem> {
        Self::parse(request.query_string().as_bytes())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether it was there without a value.
    pub(crate) fn is_empty(&self, name: &str) -> bool {
        self.empty.contains(name)
    }

    /// The same text for the same request. What a client makes anew for each is left out.
    pub(crate) fn fingerprint(&self) -> String {
        let mut pairs: Vec<_> = self
            .values
            .iter()
            .filter(|(name, _)| name.as_str() != "client_assertion")
            .collect();
        pairs.sort_unstable();
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Problem> {
        self.get(name)
            .ok_or_else(|| request::MISSING_PARAMETER.with([name]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_are_refused_and_empty_ones_absent() {
        let params = Params::parse(b"a=1&b=&c=x%20y+z").unwrap();
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.get("c"), Some("x y z"));
        assert_eq!(
            params.required("b").unwrap_err(),
            request::MISSING_PARAMETER.with(["b"])
        );
        assert!(Params::parse(b"a=1&a=2").is_err());
    }
}
