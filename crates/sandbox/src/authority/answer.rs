//! How the answer of a front-channel request reaches the client: query, fragment or form (RFC 6749 §4.1.2; OAuth 2.0
//! Multiple Response Types §2.1; Form Post Response Mode).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use url::{Url, form_urlencoded};

use super::pages;
use super::problem::{Problem, consent};
use super::state::{Authority, Trace};

/// Where to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// As the client wrote it: it must send the same to the token endpoint.
    pub redirect_uri: String,
    pub mode: ResponseMode,
    pub state: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    pub(crate) fn parse(mode: &str) -> Option<Self> {
        match mode {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

impl Answer {
    /// Sends parameters, and the state as it came.
    pub(crate) fn send(&self, parameters: &[(&str, &str)]) -> HttpResponse {
        let mut parameters: Vec<(&str, &str)> = parameters.to_vec();
        if let Some(state) = &self.state {
            parameters.push(("state", state));
        }
        // It was matched with a registered URI, so it can be read.
        let Ok(mut url) = Url::parse(&self.redirect_uri) else {
            return HttpResponse::BadRequest().finish();
        };
        match self.mode {
            ResponseMode::Query => {
                url.query_pairs_mut().extend_pairs(&parameters);
            }
            ResponseMode::Fragment => {
                let fragment = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&parameters)
                    .finish();
                url.set_fragment(Some(&fragment));
            }
            ResponseMode::FormPost => return pages::form_post(&self.redirect_uri, &parameters),
        }
        HttpResponse::Found()
            .insert_header((header::LOCATION, url.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .finish()
    }

    /// Sends an error.
    pub(crate) fn refuse(
        &self,
        authority: &Authority,
        request: &HttpRequest,
        problem: &Problem,
    ) -> HttpResponse {
        let trace = Trace::of(authority, request);
        let description = trace.description(problem);
        let uri = format!("{}/error?code={}", authority.base(request), problem.code());
        let mut parameters = vec![
            ("error", problem.error_by_redirect()),
            ("error_description", description.as_str()),
            ("error_uri", uri.as_str()),
        ];
        if problem.is(&consent::DECLINED) {
            parameters.push(("error_subcode", "cancel"));
        }
        if let Some(suberror) = problem.suberror() {
            parameters.push(("suberror", suberror));
        }
        if let Some(claims) = problem.claims() {
            parameters.push(("claims", claims));
        }
        self.send(&parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(redirect_uri: &str, mode: ResponseMode) -> String {
        let answer = Answer {
            redirect_uri: redirect_uri.to_owned(),
            mode,
            state: Some("a b&c".to_owned()),
        };
        let response = answer.send(&[("code", "x/y")]);
        response
            .headers()
            .get(header::LOCATION)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn parameters_are_added_where_they_belong() {
        assert_eq!(
            location("https://a.test", ResponseMode::Query),
            "https://a.test/?code=x%2Fy&state=a+b%26c"
        );
        assert_eq!(
            location("https://a.test/cb?x=1", ResponseMode::Query),
            "https://a.test/cb?x=1&code=x%2Fy&state=a+b%26c"
        );
        assert_eq!(
            location("https://a.test/cb", ResponseMode::Fragment),
            "https://a.test/cb#code=x%2Fy&state=a+b%26c"
        );
    }
}
