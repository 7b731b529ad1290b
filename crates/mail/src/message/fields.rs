//! Header fields (RFC 5322 §2.2): finding them, and reading their values with `mail_parser`.

use jiff::civil;
use jiff::tz::Offset;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use super::EmailAddress;
use super::parameters::Parametrised;
use super::{charset, encoded_word};

/// Fields of one header that are looked at.
const MAX_FIELDS: usize = 1_000;
/// Octets of one field that are looked at. A thousand recipients fit.
const MAX_FIELD: usize = 64 * 1024;

/// The fields of one header, values undecoded and still folded.
pub(super) struct Fields<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Fields<'a> {
    /// Splits a header block. Lines that belong to no field are passed over.
    pub fn of(header: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        let mut rest = header;
        while !rest.is_empty() && fields.len() < MAX_FIELDS {
            let (field, after) = rest.split_at(field_length(rest));
            rest = after;
            if let Some(colon) = field.iter().position(|&byte| byte == b':')
                && let Some((name, value)) = field.split_at_checked(colon)
            {
                fields.push((name.trim_ascii(), value.get(1..).unwrap_or_default()));
            }
        }
        Self { fields }
    }

    /// Whether a line can stand in a header: a field, the continuation of one, or the envelope line of an mbox.
    pub fn is_header_line(line: &[u8], is_first: bool) -> bool {
        match line.first() {
            Some(b' ' | b'\t') => !is_first,
            _ if is_first && (line.starts_with(b"From ") || line.starts_with(b">From ")) => true,
            _ => line
                .iter()
                .position(|&byte| byte == b':')
                .and_then(|colon| line.get(..colon))
                .map(<[u8]>::trim_ascii_end)
                .is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic)),
        }
    }

    /// The value of a field that says what a part is; of several, the first, as IMAP servers do.
    pub fn first(&self, name: &str) -> Option<Value> {
        let mut fields = self.fields.iter();
        fields
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| Value::of(value))
    }

    /// The value of a field that describes the message; of several, the last (RFC 8621 §4.1.3).
    pub fn last(&self, name: &str) -> Option<Value> {
        let mut fields = self.fields.iter().rev();
        fields
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| Value::of(value))
    }
}

/// The value of a field as text, unfolded, encoded words not yet decoded; ends in the line feed `mail_parser` expects.
pub(super) struct Value(String);

impl Value {
    fn of(value: &[u8]) -> Self {
        let value = value.get(..MAX_FIELD).unwrap_or(value);
        let mut text: String = charset::guess(value)
            .chars()
            .filter(|character| !matches!(character, '\r' | '\n' | '\0'))
            .map(|character| if character == '\t' { ' ' } else { character })
            .collect();
        text.push('\n');
        Self(text)
    }

    /// Unstructured text with its encoded words decoded (RFC 2047).
    pub fn text(&self) -> String {
        encoded_word::decode(self.0.trim())
    }

    /// The first word, lower-cased: how `Content-Transfer-Encoding` is written.
    pub fn token(&self) -> String {
        let text = self.0.trim();
        let word = text.split([';', ' ', '(']).next().unwrap_or(text);
        word.trim_matches('"').to_ascii_lowercase()
    }

    /// A value with parameters: a media type, a disposition.
    pub fn parametrised(&self) -> Parametrised {
        Parametrised::parse(self.0.trim())
    }

    /// A list of addresses, groups replaced by their members (RFC 8621 §4.1.2.3).
    pub fn addresses(&self) -> Vec<EmailAddress> {
        let joined = encoded_word::join_adjacent(&self.0);
        let addresses: Vec<Addr<'_>> = match stream(&joined).parse_address() {
            HeaderValue::Address(Address::List(addresses)) => addresses,
            HeaderValue::Address(Address::Group(groups)) => groups
                .into_iter()
                .flat_map(|group| group.addresses)
                .collect(),
            _ => Vec::new(),
        };
        addresses.into_iter().filter_map(address).collect()
    }

    /// Message ids without their angle brackets (RFC 8621 §4.1.2.5).
    ///
    /// Words around the brackets, as in `Your message of Monday <id>`, are no ids. Without any bracket, words with an
    /// `@` are taken for ids.
    pub fn message_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut rest = self.0.as_str();
        while let Some((_, after)) = rest.split_once('<') {
            let Some((id, after)) = after.split_once('>') else {
                break;
            };
            ids.push(id);
            rest = after;
        }
        if ids.is_empty() {
            ids.extend(self.0.split_whitespace().filter(|word| word.contains('@')));
        }
        ids.into_iter()
            .map(|id| {
                id.chars()
                    .filter(|character| !character.is_whitespace())
                    .collect::<String>()
            })
            .filter(|id| !id.is_empty())
            .collect()
    }

    /// A date as RFC 3339 text in the offset of the sender.
    pub fn date(&self) -> Option<String> {
        let HeaderValue::DateTime(date) = stream(&self.0).parse_date() else {
            return None;
        };
        let year = i16::try_from(date.year)
            .ok()
            .filter(|year| (1..=9999).contains(year))?;
        // A leap second has no place in most calendars: the second before it is the nearest.
        let second = if date.second == 60 { 59 } else { date.second };
        let local = civil::DateTime::new(
            year,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
            i8::try_from(date.hour).ok()?,
            i8::try_from(date.minute).ok()?,
            i8::try_from(second).ok()?,
            0,
        )
        .ok()?;
        let minutes = i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute);
        let seconds = if date.tz_before_gmt {
            -minutes * 60
        } else {
            minutes * 60
        };
        let offset = Offset::from_seconds(seconds).ok()?;
        Some(rfc3339(local, offset))
    }
}

fn stream(value: &str) -> MessageStream<'_> {
    MessageStream::new(value.as_bytes())
}

fn rfc3339(local: civil::DateTime, offset: Offset) -> String {
    let seconds = offset.seconds();
    if seconds == 0 {
        return format!("{local}Z");
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The octets up to the first line break that is not followed by a blank.
fn field_length(rest: &[u8]) -> usize {
    let mut breaks = rest
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1);
    breaks
        .find(|&next| !matches!(rest.get(next), Some(b' ' | b'\t')))
        .unwrap_or(rest.len())
}

/// One address. What has no `@` and more than one word is no address but a name.
fn address(found: Addr<'_>) -> Option<EmailAddress> {
    let name = found
        .name
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let email = found
        .address
        .map(|email| email.trim().to_owned())
        .filter(|email| !email.is_empty());
    match (name, email) {
        (None, None) => None,
        (Some(word), None) if !word.contains(char::is_whitespace) => Some(EmailAddress {
            name: None,
            email: word,
        }),
        (name, email) => Some(EmailAddress {
            name,
            email: email.unwrap_or_default(),
        }),
    }
}
