//! Content transfer encodings (RFC 2045 §6). Decoding never fails: what is not in the alphabet is passed over or kept.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

/// How the octets of a body are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Encoding {
    /// `7bit`, `8bit`, `binary` and whatever is not known.
    #[default]
    Identity,
    Base64,
    QuotedPrintable,
    /// `x-uuencode`, in use before MIME.
    Uuencode,
}

impl Encoding {
    /// The value of `Content-Transfer-Encoding`, lower-cased.
    pub fn of(name: &str) -> Self {
        match name {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            "x-uuencode" | "uuencode" | "x-uue" | "uue" => Self::Uuencode,
            _ => Self::Identity,
        }
    }

    /// The octets which the sender encoded, and whether every one of them was written as the encoding says.
    pub fn decode(self, body: &[u8]) -> (Cow<'_, [u8]>, bool) {
        match self {
            Self::Identity => (Cow::Borrowed(body), true),
            Self::Base64 => match base64_decode(body) {
                Some(bytes) => (Cow::Owned(bytes), true),
                None => (Cow::Owned(base64_lenient(body)), false),
            },
            Self::QuotedPrintable => (Cow::Owned(quoted_printable(body)), true),
            Self::Uuencode => match uuencode(body) {
                Some(bytes) => (Cow::Owned(bytes), true),
                None => (Cow::Borrowed(body), false),
            },
        }
    }
}

/// Quoted-printable (RFC 2045 §6.7), an `=` that begins nothing known kept as it is.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'=' => {
                if let Some((octet, after)) = hexadecimal(after) {
                    decoded.push(octet);
                    after
                } else if let Some(after) = soft_line_break(after) {
                    after
                } else {
                    decoded.push(b'=');
                    after
                }
            }
            b' ' | b'\t' => {
                // Blanks at the end of a line were added on the way.
                let blanks = rest
                    .iter()
                    .take_while(|byte| matches!(byte, b' ' | b'\t'))
                    .count();
                let (blank, after) = rest.split_at(blanks);
                if !(after.starts_with(b"\n") || after.starts_with(b"\r\n")) {
                    decoded.extend_from_slice(blank);
                }
                after
            }
            _ => {
                decoded.push(byte);
                after
            }
        };
    }
    decoded
}

fn hexadecimal(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = rest.split_first_chunk::<2>()?;
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    let octet = u8::try_from(high? * 16 + low?).ok()?;
    Some((octet, after))
}

fn soft_line_break(rest: &[u8]) -> Option<&[u8]> {
    let blanks = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let rest = rest.get(blanks..)?;
    rest.strip_prefix(b"\r\n")
        .or_else(|| rest.strip_prefix(b"\n"))
        .or(rest.is_empty().then_some(rest))
}

fn base64_lenient(body: &[u8]) -> Vec<u8> {
    let is_alphabet =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let filtered: Vec<u8> = body.iter().copied().filter(is_alphabet).collect();
    base64_decode(&filtered).unwrap_or_default()
}

/// `begin MODE NAME`, lines led by their length, `end`. `None` without a `begin` line.
fn uuencode(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut decoded = Vec::new();
    for line in lines.take_while(|line| *line != b"end") {
        let Some((&length, characters)) = line.split_first() else {
            continue;
        };
        let sextet = |byte: u8| u32::from(byte.wrapping_sub(b' ') & 0x3f);
        let mut octets = Vec::with_capacity(characters.len());
        for group in characters.chunks(4) {
            let word = (0..4).fold(0, |word, at| {
                (word << 6) | group.get(at).map_or(0, |&byte| sextet(byte))
            });
            octets.extend(word.to_be_bytes().into_iter().skip(1));
        }
        octets.truncate(usize::try_from(sextet(length)).unwrap_or_default());
        decoded.append(&mut octets);
    }
    Some(decoded)
}
