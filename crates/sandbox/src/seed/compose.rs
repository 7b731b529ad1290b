//! Writing messages: MIME by hand, so that every charset and shape a real mailbox has can be made, and each
//! octet is the same every time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{Encoding, UTF_8};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use mailgrant_core::time::UnixTime;

/// Somebody with a name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) address: String,
}

/// A file that goes with a message.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) content_type: &'static str,
    pub(super) octets: Vec<u8>,
    /// Content-ID of an image shown within the HTML.
    pub(super) cid: Option<String>,
}

/// A message before it is written.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) id: String,
    pub(super) from: Person,
    pub(super) to: Vec<Person>,
    pub(super) cc: Vec<Person>,
    pub(super) subject: String,
    pub(super) sent: UnixTime,
    /// Hours east of Greenwich where it was written.
    pub(super) zone: i8,
    pub(super) references: Vec<String>,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) charset: &'static Encoding,
    pub(super) text: String,
    pub(super) html: Option<String>,
    /// An invitation: the iCalendar text.
    pub(super) calendar: Option<String>,
    pub(super) inline: Vec<File>,
    pub(super) files: Vec<File>,
}

impl Default for Mail {
    fn default() -> Self {
        Mail {
            id: String::new(),
            from: Person {
                name: String::new(),
                address: String::new(),
            },
            to: Vec::new(),
            cc: Vec::new(),
            subject: String::new(),
            sent: UnixTime(0),
            zone: 0,
            references: Vec::new(),
            fields: Vec::new(),
            charset: UTF_8,
            text: String::new(),
            html: None,
            calendar: None,
            inline: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl Mail {
    /// The message as it goes over the wire.
    pub(super) fn octets(&self) -> Vec<u8> {
        let mut out = String::new();
        let from = std::slice::from_ref(&self.from);
        self.addresses(&mut out, "From", from);
        self.addresses(&mut out, "To", &self.to);
        self.addresses(&mut out, "Cc", &self.cc);
        fold(&mut out, "Subject", &encoded(&self.subject, self.charset));
        out.push_str(&format!("Date: {}\r\n", date(self.sent, self.zone)));
        out.push_str(&format!("Message-ID: <{}>\r\n", self.id));
        if let Some(last) = self.references.last() {
            out.push_str(&format!("In-Reply-To: <{last}>\r\n"));
            let all: Vec<String> = self.references.iter().map(|id| format!("<{id}>")).collect();
            out.push_str(&format!("References: {}\r\n", all.join("\r\n ")));
        }
        for (name, value) in &self.fields {
            fold(&mut out, name, value);
        }
        out.push_str("MIME-Version: 1.0\r\n");
        let mut message = out.into_bytes();
        message.extend(self.body());
        message
    }

    /// The outermost part, with its Content fields.
    fn body(&self) -> Vec<u8> {
        let mut alternatives = vec![text("plain", &self.text, self.charset, "")];
        if let Some(html) = &self.html {
            let html = text("html", html, self.charset, "");
            alternatives.push(if self.inline.is_empty() {
                html
            } else {
                let mut related = vec![html];
                related.extend(self.inline.iter().map(file));
                self.multipart("related", related)
            });
        }
        if let Some(calendar) = &self.calendar {
            alternatives.push(text("calendar", calendar, UTF_8, "; method=REQUEST"));
        }
        let content = if alternatives.len() == 1 {
            alternatives.swap_remove(0)
        } else {
            self.multipart("alternative", alternatives)
        };
        if self.files.is_empty() {
            return content;
        }
        let mut parts = vec![content];
        parts.extend(self.files.iter().map(file));
        self.multipart("mixed", parts)
    }

    fn multipart(&self, subtype: &str, parts: Vec<Vec<u8>>) -> Vec<u8> {
        // "=_" appears in no quoted-printable or base64 body (RFC 2045 §6.7).
        let key: String = self
            .id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(20)
            .collect();
        let boundary = format!("=_{subtype}_{key}");
        let mut out = format!("Content-Type: multipart/{subtype}; boundary=\"{boundary}\"\r\n\r\n")
            .into_bytes();
        for part in parts {
            out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            out.extend(part);
            if !out.ends_with(b"\r\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        out
    }

    fn addresses(&self, out: &mut String, name: &str, people: &[Person]) {
        if people.is_empty() {
            return;
        }
        let list: Vec<String> = people
            .iter()
            .map(|person| match person.name.as_str() {
                "" => person.address.clone(),
                name => format!("{} <{}>", phrase(name, self.charset), person.address),
            })
            .collect();
        let list = list.join(",\r\n ").replace("?= =?", "?=\r\n =?");
        out.push_str(&format!("{name}: {list}\r\n"));
    }
}

/// `Tue, 17 Nov 2026 09:31:04 +0100`
pub(super) fn date(moment: UnixTime, zone: i8) -> String {
    let zone = TimeZone::fixed(Offset::from_hours(zone).unwrap_or(Offset::UTC));
    let moment = Timestamp::from_second(moment.0)
        .unwrap_or_default()
        .to_zoned(zone);
    moment.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}

fn phrase(name: &str, charset: &'static Encoding) -> String {
    if !name.is_ascii() {
        return encoded(name, charset);
    }
    let atoms = name
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || " -_'!".contains(character));
    if atoms {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// RFC 2047 encoded words where they are needed, each whole in itself and no longer than 75 octets.
fn encoded(value: &str, charset: &'static Encoding) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    let charset = able(value, charset);
    let mut words = Vec::new();
    let mut piece = String::new();
    for character in value.chars() {
        let mut longer = piece.clone();
        longer.push(character);
        if charset.encode(&longer).0.len() > 42 {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(character);
    }
    words.push(piece);
    let words: Vec<String> = words
        .iter()
        .map(|word| {
            format!(
                "=?{}?B?{}?=",
                charset.name(),
                STANDARD.encode(charset.encode(word).0)
            )
        })
        .collect();
    words.join(" ")
}

/// The charset, or UTF-8 if it has no room for the text.
fn able(text: &str, charset: &'static Encoding) -> &'static Encoding {
    let (_, _, unmappable) = charset.encode(text);
    if unmappable { UTF_8 } else { charset }
}

fn fold(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push(':');
    let mut column = name.len() + 1;
    for word in value.split(' ') {
        if column + word.len() > 76 && column > name.len() + 1 {
            out.push_str("\r\n");
            column = 0;
        }
        out.push(' ');
        out.push_str(word);
        column += word.len() + 1;
    }
    out.push_str("\r\n");
}

/// A text part with its fields.
fn text(subtype: &str, value: &str, charset: &'static Encoding, more: &str) -> Vec<u8> {
    let value = value.replace("\r\n", "\n").replace('\n', "\r\n");
    let charset = able(&value, charset);
    let octets = charset.encode(&value).0;
    let seven_bit = octets.is_ascii()
        && octets
            .split(|byte| *byte == b'\n')
            .all(|line| line.len() < 900);
    let high = octets.iter().filter(|byte| !byte.is_ascii()).count();
    let (encoding, octets) = if seven_bit {
        ("7bit", octets.into_owned())
    } else if high * 5 < octets.len() {
        ("quoted-printable", quoted_printable(&octets))
    } else {
        ("base64", base64_lines(&octets))
    };
    let mut out = format!(
        "Content-Type: text/{subtype}; charset=\"{}\"{more}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
        charset.name().to_ascii_lowercase()
    )
    .into_bytes();
    out.extend(octets);
    out
}

fn file(file: &File) -> Vec<u8> {
    let (name, filename) = if file.name.is_ascii() {
        (
            format!("name=\"{}\"", file.name),
            format!("filename=\"{}\"", file.name),
        )
    } else {
        let percent: String = file
            .name
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect();
        (
            format!(
                "name=\"{}\"",
                encoded(&file.name, UTF_8).replace(' ', "\r\n ")
            ),
            format!("filename*=UTF-8''{percent}"),
        )
    };
    let mut out = format!(
        "Content-Type: {};\r\n {name}\r\nContent-Transfer-Encoding: base64\r\n",
        file.content_type
    );
    match &file.cid {
        Some(cid) => out.push_str(&format!(
            "Content-ID: <{cid}>\r\nContent-Disposition: inline;\r\n {filename}\r\n\r\n"
        )),
        None => out.push_str(&format!(
            "Content-Disposition: attachment;\r\n {filename}; size={}\r\n\r\n",
            file.octets.len()
        )),
    }
    let mut out = out.into_bytes();
    out.extend(base64_lines(&file.octets));
    out
}

fn base64_lines(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in octets.chunks(57) {
        out.extend_from_slice(STANDARD.encode(line).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// RFC 2045 §6.7.
fn quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut column = 0;
    let mut rest = octets.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte == b'\r' && rest.next_if_eq(&b'\n').is_some() {
            out.extend_from_slice(b"\r\n");
            column = 0;
            continue;
        }
        let ends_line = matches!(rest.peek(), None | Some(b'\r'));
        let plain = match byte {
            b' ' | b'\t' => !ends_line,
            b'=' => false,
            _ => byte.is_ascii_graphic(),
        };
        let width = if plain { 1 } else { 3 };
        if column + width > 75 {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if plain {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += width;
    }
    out
}
