//! Header fields (RFC 5322 §2.2, RFC 2045 §5.1), as octets.

/// The fields of a header, in order.
pub(in crate::imap) struct Fields<'a> {
    header: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(in crate::imap) fn new(header: &'a [u8]) -> Self {
        Fields { header }
    }

    /// Each field with its name, its raw value, and all its octets, line end included.
    pub(in crate::imap) fn iter(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let mut rest = self.header;
        std::iter::from_fn(move || {
            loop {
                let length = field_length(rest);
                if length == 0 {
                    return None;
                }
                let (octets, after) = rest.split_at_checked(length)?;
                rest = after;
                if let Some(colon) = octets.iter().position(|byte| *byte == b':') {
                    return Some(Field {
                        name: octets.get(..colon)?.trim_ascii(),
                        value: octets.get(colon + 1..)?,
                        octets,
                    });
                }
            }
        })
    }

    /// The raw value of the first field of that name.
    pub(in crate::imap) fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// The value of the first field of that name in one line, without the space around it.
    pub(in crate::imap) fn unfolded(&self, name: &str) -> Option<Vec<u8>> {
        self.value(name).map(unfold)
    }
}

pub(in crate::imap) struct Field<'a> {
    pub(in crate::imap) name: &'a [u8],
    pub(in crate::imap) value: &'a [u8],
    pub(in crate::imap) octets: &'a [u8],
}

/// A value in one line: line ends go, the space after them stays.
pub(in crate::imap) fn unfold(value: &[u8]) -> Vec<u8> {
    let line: Vec<u8> = value
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    line.trim_ascii().to_vec()
}

/// `text/plain; charset="utf-8"`: a value with parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::imap) struct Parameterised {
    pub(in crate::imap) value: Vec<u8>,
    /// Names and unquoted values. RFC 2231 pieces (`name*0*`) are left as they stand.
    pub(in crate::imap) parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Parameterised {
    pub(in crate::imap) fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    }
}

/// Reads the value of Content-Type or Content-Disposition.
pub(in crate::imap) fn parameterised(value: &[u8]) -> Parameterised {
    let line = unfold(value);
    let mut pieces = split(&line).into_iter();
    let value = without_comments(&pieces.next().unwrap_or_default());
    let parameters = pieces
        .filter_map(|piece| {
            let equals = piece.iter().position(|byte| *byte == b'=')?;
            let name = piece.get(..equals)?.trim_ascii().to_vec();
            let value = unquote(piece.get(equals + 1..)?.trim_ascii());
            (!name.is_empty()).then_some((name, value))
        })
        .take(MAX_PARAMETERS)
        .collect();
    Parameterised { value, parameters }
}

/// Octets of the first field with its folded lines; 0 at the end of the header.
fn field_length(header: &[u8]) -> usize {
    let mut length = 0;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if length > 0 && !continues {
            break;
        }
        length += line.len();
    }
    length
}

/// Splits at semicolons outside quotes.
fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for byte in line {
        let special = !std::mem::take(&mut escaped);
        match byte {
            b'"' if special => quoted = !quoted,
            b'\\' if special && quoted => escaped = true,
            b';' if !quoted => {
                pieces.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(*byte);
        }
    }
    pieces
}

fn without_comments(value: &[u8]) -> Vec<u8> {
    let mut depth = 0_usize;
    let mut kept = Vec::new();
    for byte in value {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b' ' | b'\t' => {}
            _ if depth == 0 => kept.push(*byte),
            _ => {}
        }
    }
    kept
}

fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(rest) = value.strip_prefix(b"\"") else {
        let end = value
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\t' | b'('))
            .unwrap_or(value.len());
        return value.get(..end).unwrap_or_default().to_vec();
    };
    let mut unquoted = Vec::new();
    let mut bytes = rest.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => unquoted.extend(bytes.next()),
            _ => unquoted.push(*byte),
        }
    }
    unquoted
}

const MAX_PARAMETERS: usize = 64;
