//! Values with parameters: `attachment; filename="a.txt"` (RFC 2045 §5.1, RFC 2183, RFC 2231).

use super::{charset, encoded_word};

/// Segments of one parameter that are looked at.
const MAX_SEGMENTS: usize = 1_000;

/// A value and its parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parametrised {
    /// What stands before the first semicolon, lower-cased.
    pub value: String,
    parameters: Vec<Parameter>,
}

#[derive(Debug, PartialEq, Eq)]
struct Parameter {
    /// Lower-cased, without the marks of RFC 2231.
    name: String,
    /// The number of a segment: `filename*1`.
    segment: Option<usize>,
    /// Percent-encoded, a charset in front: `filename*=utf-8''%e2%82%ac`.
    is_extended: bool,
    value: String,
}

impl Parametrised {
    /// Reads an unfolded value. What is malformed is read as far as it can be.
    pub fn parse(text: &str) -> Self {
        let (value, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let value = value
            .split('(')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let mut parameters = Vec::new();
        while let Some((name, after)) = next_name(rest) {
            let (value, after) = next_value(after);
            rest = after;
            if !name.is_empty() {
                parameters.push(Parameter::of(name, value));
            }
        }
        Self { value, parameters }
    }

    /// A parameter as it is written; the one of RFC 2231 counts when there are two.
    pub fn get(&self, name: &str) -> Option<String> {
        let mut found = self
            .parameters
            .iter()
            .filter(|parameter| parameter.name == name);
        self.extended(name).or_else(|| {
            found
                .find(|parameter| !parameter.is_extended && parameter.segment.is_none())
                .map(|found| found.value.clone())
        })
    }

    /// A parameter that people read. Encoded words are not allowed in it, and common.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| encoded_word::decode(&value))
    }

    /// `name*=` or the segments `name*0=`, `name*1*=`, put together before decoding: characters may be cut in two.
    fn extended(&self, name: &str) -> Option<String> {
        let is_marked =
            |parameter: &&Parameter| parameter.is_extended || parameter.segment.is_some();
        let mut segments: Vec<_> = self
            .parameters
            .iter()
            .filter(|parameter| parameter.name == name)
            .filter(is_marked)
            .take(MAX_SEGMENTS)
            .collect();
        segments.sort_by_key(|parameter| parameter.segment);
        let mut label = String::new();
        let mut bytes = Vec::new();
        for (position, segment) in segments.iter().enumerate() {
            let mut value = segment.value.as_str();
            if position == 0
                && segment.is_extended
                && let Some((charset, after)) = value.split_once('\'')
                && let Some((_language, after)) = after.split_once('\'')
            {
                charset.clone_into(&mut label);
                value = after;
            }
            if segment.is_extended {
                bytes.extend(percent_decoded(value));
            } else {
                bytes.extend_from_slice(value.as_bytes());
            }
        }
        (!segments.is_empty()).then(|| charset::decode(&label, &bytes).0.into_owned())
    }
}

impl Parameter {
    fn of(name: &str, value: String) -> Self {
        let name = name.to_ascii_lowercase();
        let (name, is_extended) = name
            .strip_suffix('*')
            .map_or((name.as_str(), false), |name| (name, true));
        let numbered = name
            .split_once('*')
            .and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (name, segment) = numbered.map_or((name, None), |(name, number)| (name, Some(number)));
        Self {
            name: name.to_owned(),
            segment,
            is_extended,
            value,
        }
    }
}

/// The next `name=`, and what follows. Words without a value are passed over.
fn next_name(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        let end = rest.find(['=', ';'])?;
        let (name, after) = rest.split_at_checked(end)?;
        let value = after.get(1..)?;
        if after.starts_with('=') {
            return Some((name.trim(), value));
        }
        rest = value;
    }
}

/// A quoted string, or what stands before the next semicolon. Names of files with blanks are often not quoted.
fn next_value(text: &str) -> (String, &str) {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    let rest = quoted.get(at + 1..).unwrap_or_default().trim_start();
                    return (value, rest.strip_prefix(';').unwrap_or(rest));
                }
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                _ => value.push(character),
            }
        }
        return (value, "");
    }
    let (value, rest) = text.split_once(';').unwrap_or((text, ""));
    let value = value.trim();
    // A comment, as in `charset=us-ascii (Plain text)`; but `report (1).pdf` is a name.
    let value = value
        .strip_suffix(')')
        .and_then(|value| value.rsplit_once(" ("))
        .map_or(value, |(value, _)| value.trim());
    (value.to_owned(), rest)
}

fn percent_decoded(value: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octet = if byte == b'%' {
            after.split_first_chunk::<2>()
        } else {
            None
        };
        let octet = octet.and_then(|(digits, after)| {
            let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
            Some((u8::try_from(high? * 16 + low?).ok()?, after))
        });
        let (octet, after) = octet.unwrap_or((byte, after));
        decoded.push(octet);
        rest = after;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_parameters() {
        for (text, value, name, expected) in [
            (
                "text/plain; charset=utf-8",
                "text/plain",
                "charset",
                Some("utf-8"),
            ),
            (
                "Text/Plain ;Charset = \"utf-8\" ; x=y",
                "text/plain",
                "charset",
                Some("utf-8"),
            ),
            (
                "text/plain; charset=us-ascii (Plain text)",
                "text/plain",
                "charset",
                Some("us-ascii"),
            ),
            (
                "text/plain (a comment); charset=x",
                "text/plain",
                "charset",
                Some("x"),
            ),
            ("a; b; c=d", "a", "c", Some("d")),
            ("a; n=\"x;y\\\"z\"; m=1", "a", "n", Some("x;y\"z")),
            ("a; n=\"x\" m=1", "a", "m", Some("1")),
            ("a; n=two words.txt; m=1", "a", "n", Some("two words.txt")),
            ("a; n=report (1).pdf", "a", "n", Some("report (1).pdf")),
            ("a; n=\"unfinished", "a", "n", Some("unfinished")),
            ("a; n=", "a", "n", Some("")),
            ("a; n*=utf-8''%e2%82%ac", "a", "n", Some("\u{20ac}")),
            (
                "a; n=plain; n*=utf-8''%e2%82%ac",
                "a",
                "n",
                Some("\u{20ac}"),
            ),
            ("a; n*=iso-8859-1'en'%E9", "a", "n", Some("\u{e9}")),
            ("a; n*=%e9", "a", "n", Some("\u{e9}")),
            ("a; n*=utf-8''100%", "a", "n", Some("100%")),
            ("a; n*1=b; n*0=a; n*10=d; n*2=c", "a", "n", Some("abcd")),
            (
                "a; n*0*=utf-8''%e2%82; n*1*=%ac; n*2=%20",
                "a",
                "n",
                Some("\u{20ac}%20"),
            ),
            ("a", "a", "n", None),
            ("", "", "n", None),
            (";;;==;", "", "", None),
        ] {
            let parsed = Parametrised::parse(text);
            assert_eq!(
                (parsed.value.as_str(), parsed.get(name).as_deref()),
                (value, expected),
                "{text}"
            );
        }
    }

    #[test]
    fn encoded_words_are_read_where_people_read() {
        let parsed = Parametrised::parse("a; n=\"=?utf-8?q?=E2=82=AC?=\"");
        assert_eq!(parsed.text("n").as_deref(), Some("\u{20ac}"));
        assert_eq!(parsed.get("n").as_deref(), Some("=?utf-8?q?=E2=82=AC?="));
    }
}
