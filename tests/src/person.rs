//! A person with a browser that runs no scripts: follows redirects, keeps cookies, submits forms.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header, redirect::Policy};
use url::Url;

pub struct Person {
    http: reqwest::Client,
    /// By `host:port`, which is stricter than a browser and never hides a missing cookie.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Every URL visited, in order.
    pub visited: Vec<Url>,
    /// Where nothing answers: `host:port`.
    nowhere: Option<String>,
}

/// Where a navigation ended.
pub struct Page {
    pub url: Url,
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Default for Person {
    fn default() -> Self {
        Self::with(reqwest::Client::builder())
    }
}

impl Person {
    /// Somebody whose browser trusts a certificate authority (PEM) besides the usual ones.
    pub fn trusting(ca: &[u8]) -> Self {
        let ca = reqwest::Certificate::from_pem(ca).unwrap();
        Self::with(reqwest::Client::builder().tls_certs_merge([ca]))
    }

    fn with(http: reqwest::ClientBuilder) -> Self {
        Self {
            http: http.redirect(Policy::none()).build().unwrap(),
            cookies: BTreeMap::new(),
            visited: Vec::new(),
            nowhere: None,
        }
    }

    /// Nothing answers at `host:port`: a redirect there ends at a page that does not load, whose address is seen.
    pub fn nothing_answers_at(&mut self, site: &str) {
        self.nowhere = Some(site.to_owned());
    }

    /// Opens `url`, as from a page of `origin` where there is one, and follows redirects to the end.
    pub async fn open(&mut self, url: &str, origin: Option<&str>) -> Page {
        let referer = origin.map(|origin| format!("{origin}/"));
        self.go(Method::GET, url.parse().unwrap(), None, referer, 20)
            .await
    }

    /// Opens `url` and stops before the first redirect.
    pub async fn open_once(&mut self, url: &str, origin: Option<&str>) -> Page {
        let referer = origin.map(|origin| format!("{origin}/"));
        self.go(Method::GET, url.parse().unwrap(), None, referer, 0)
            .await
    }

    /// Submits the page's first form that has the first of `fields`, with its hidden fields and `fields` besides.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let wanted = fields.first().map(|(name, _)| *name);
        let form = Form::with(&page.body, wanted).expect("the page has no form");
        let action = page.url.join(&form.action).unwrap();
        let mut values = form.hidden;
        values.extend(
            fields
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string())),
        );
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(values)
            .finish();
        let referer = Some(page.url.to_string());
        self.go(Method::POST, action, Some(body), referer, 20).await
    }

    async fn go(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut body: Option<String>,
        referer: Option<String>,
        redirects: usize,
    ) -> Page {
        for hop in 0.. {
            self.visited.push(url.clone());
            if self.nowhere.as_ref() == Some(&site(&url)) {
                return Page {
                    url,
                    status: StatusCode::BAD_GATEWAY,
                    headers: header::HeaderMap::new(),
                    body: String::new(),
                };
            }
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(cookies) = self
                .cookies
                .get(&site(&url))
                .filter(|cookies| !cookies.is_empty())
            {
                let pairs: Vec<_> = cookies
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                request = request.header(header::COOKIE, pairs.join("; "));
            }
            if let Some(referer) = &referer {
                request = request.header(header::REFERER, referer);
            }
            if let Some(body) = body.take() {
                request = request
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .header(header::ORIGIN, url.origin().ascii_serialization())
                    .body(body);
            }
            let answer = request
                .send()
                .await
                .unwrap_or_else(|error| panic!("{url}: {error}"));
            self.remember(&url, answer.headers());
            let next = answer
                .headers()
                .get(header::LOCATION)
                .map(|location| url.join(location.to_str().unwrap()).unwrap());
            if let Some(next) = next.filter(|_| answer.status().is_redirection() && hop < redirects)
            {
                url = next;
                method = Method::GET;
                continue;
            }
            let (status, headers) = (answer.status(), answer.headers().clone());
            return Page {
                url,
                status,
                headers,
                body: answer.text().await.unwrap_or_default(),
            };
        }
        unreachable!("the loop ends by returning");
    }

    fn remember(&mut self, url: &Url, headers: &header::HeaderMap) {
        let jar = self.cookies.entry(site(url)).or_default();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.to_ascii_lowercase().contains("max-age=0") || value.is_empty() {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

fn site(url: &Url) -> String {
    format!(
        "{}:{}",
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or_default()
    )
}

struct Form {
    action: String,
    hidden: Vec<(String, String)>,
}

impl Form {
    /// Reads the first form of a page that has a field of that name, or else the first. Our pages and the sandbox's
    /// quote every attribute, so this is enough.
    fn with(page: &str, wanted: Option<&str>) -> Option<Self> {
        let forms = || {
            let begun = page.split("<form").skip(1);
            begun.filter_map(|rest| rest.find("</form>").map(|end| &rest[..end]))
        };
        let wanted = wanted.map(|name| format!("name=\"{name}\""));
        let form = forms()
            .find(|form| wanted.as_ref().is_some_and(|wanted| form.contains(wanted)))
            .or_else(|| forms().next())?;
        let action = attribute(form, "action").unwrap_or_default();
        let hidden = form
            .split("<input")
            .skip(1)
            .filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
            .filter_map(|input| {
                Some((
                    attribute(input, "name")?,
                    attribute(input, "value").unwrap_or_default(),
                ))
            })
            .collect();
        Some(Self { action, hidden })
    }
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let tag = &element[..element.find('>')?];
    let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = &tag[from..];
    let value = &value[..value.find('"')?];
    Some(
        value
            .replace("&#38;", "&")
            .replace("&amp;", "&")
            .replace("&#34;", "\"")
            .replace("&quot;", "\"")
            .replace("&#60;", "<")
            .replace("&lt;", "<")
            .replace("&#x27;", "'")
            .replace("&#39;", "'"),
    )
}
