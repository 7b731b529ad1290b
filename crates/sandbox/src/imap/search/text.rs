//! A message as text to search in, decoded and in lower case.

use mail_parser::parsers::MessageStream;
use mail_parser::{HeaderValue, MessageParser, PartType};

use super::super::mime::Fields;

pub(super) struct Text {
    /// Names and decoded values.
    fields: Vec<(String, String)>,
    body: Option<String>,
}

impl Text {
    pub(super) fn new(header: Vec<u8>) -> Self {
        let fields = Fields::new(&header)
            .iter()
            .map(|field| {
                let name = String::from_utf8_lossy(field.name).into_owned();
                (name, decoded(field.value).to_lowercase())
            })
            .collect();
        Text { fields, body: None }
    }

    /// An empty text asks only whether the field is there (RFC 3501 §6.4.4, HEADER).
    pub(super) fn header_contains(&self, names: &[String], needle: &str) -> bool {
        self.fields.iter().any(|(name, value)| {
            names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) && value.contains(needle)
        })
    }

    pub(super) fn any_header_contains(&self, needle: &str) -> bool {
        self.fields.iter().any(|(name, value)| {
            value.contains(needle) || format!("{}: {value}", name.to_lowercase()).contains(needle)
        })
    }

    /// Days since 1970 of the Date field, as it stands there: time and zone are disregarded.
    pub(super) fn sent_day(&self) -> Option<i64> {
        let (_, value) = self
            .fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("Date"))?;
        let line = format!("{value}\n");
        let HeaderValue::DateTime(date) = MessageStream::new(line.as_bytes()).parse_date() else {
            return None;
        };
        let date = jiff::civil::Date::new(
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
        )
        .ok()?;
        let epoch = jiff::civil::date(1970, 1, 1);
        Some(i64::from(date.since(epoch).ok()?.get_days()))
    }

    pub(super) fn has_body(&self) -> bool {
        self.body.is_some()
    }

    pub(super) fn read_body(&mut self, message: &[u8]) {
        let mut body = String::new();
        if let Some(message) = MessageParser::default().parse(message) {
            collect(&message, &mut body);
        }
        self.body = Some(body.to_lowercase());
    }

    pub(super) fn body_contains(&self, needle: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.contains(needle))
    }
}

fn collect(message: &mail_parser::Message<'_>, body: &mut String) {
    for part in &message.parts {
        match &part.body {
            PartType::Text(text) | PartType::Html(text) => {
                body.push_str(text);
                body.push('\n');
            }
            PartType::Message(inner) => {
                for header in inner.headers() {
                    if let Some(text) = header.value.as_text() {
                        body.push_str(text);
                        body.push('\n');
                    }
                }
                collect(inner, body);
            }
            _ => {}
        }
    }
}

/// A field's value with its encoded words (RFC 2047) read, wherever they stand.
fn decoded(value: &[u8]) -> String {
    let mut line = super::super::mime::unfold(value);
    line.push(b'\n');
    match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    }
}
