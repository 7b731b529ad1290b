//! A person with a browser, as far as signing in needs one: cookies, redirects, forms.

use std::collections::BTreeMap;

use reqwest::{Method, Response, Url};

pub struct Person {
    http: reqwest::Client,
    /// By host and port: closer than browsers, which share cookies among ports.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

pub struct Page {
    pub url: Url,
    pub status: u16,
    pub body: String,
}

impl Person {
    pub fn new() -> Self {
        let http = mailgrant_oauth::http_client(None, &mailgrant_oauth::Policy::default()).unwrap();
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.go(Method::GET, url.parse().unwrap(), None, &[]).await
    }

    pub async fn post(&mut self, url: &str) -> Page {
        self.go(Method::POST, url.parse().unwrap(), None, &[]).await
    }

    /// Opens a link that stands on the page at `from`.
    pub async fn follow_link(&mut self, url: &str, from: &str) -> Page {
        let headers = [
            ("referer", from),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ];
        self.go(Method::GET, url.parse().unwrap(), None, &headers)
            .await
    }

    /// Sends the page's first form with its hidden fields and `given`.
    pub async fn submit(&mut self, page: &Page, given: &[(&str, &str)]) -> Page {
        let form = between(&page.body, "<form", "</form>").expect("a form");
        let action = between(form, "action=\"", "\"")
            .map(unescaped)
            .unwrap_or_default();
        let hidden = form
            .split("<input")
            .skip(1)
            .filter(|input| input.contains("type=\"hidden\""));
        let mut fields: Vec<(String, String)> = hidden
            .map(|input| {
                let of = |name| {
                    between(input, name, "\"")
                        .map(unescaped)
                        .unwrap_or_default()
                };
                (of("name=\""), of("value=\""))
            })
            .collect();
        fields.extend(
            given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let origin = page.url.origin().ascii_serialization();
        let target = page.url.join(&action).unwrap();
        self.go(Method::POST, target, Some(fields), &[("origin", &origin)])
            .await
    }

    async fn go(
        &mut self,
        method: Method,
        url: Url,
        form: Option<Vec<(String, String)>>,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut answer = self.send(method, url.clone(), form, headers).await;
        let mut url = url;
        for _ in 0..10 {
            let Some(location) = answer.headers().get("location") else {
                break;
            };
            url = url.join(location.to_str().unwrap()).unwrap();
            answer = self.send(Method::GET, url.clone(), None, headers).await;
        }
        let status = answer.status().as_u16();
        Page {
            url,
            status,
            body: answer.text().await.unwrap(),
        }
    }

    async fn send(
        &mut self,
        method: Method,
        url: Url,
        form: Option<Vec<(String, String)>>,
        headers: &[(&str, &str)],
    ) -> Response {
        let host = url.authority().to_owned();
        let jar = self.cookies.entry(host).or_default();
        let cookie = jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        let mut request = self.http.request(method, url).header("cookie", cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            request = request.form(&form);
        }
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

impl Page {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.url, self.body))
    }

    pub fn has(&self, field: &str) -> bool {
        self.body.contains(&format!("name=\"{field}\""))
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0)
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}
