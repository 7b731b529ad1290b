//! Address lists (RFC 5322 §3.4) in the four parts of an ENVELOPE.

/// One address, or the begin or end of a group, as octets; nothing is decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::imap) struct Address {
    pub(in crate::imap) name: Option<Vec<u8>>,
    /// For a group's begin this is its name, for its end it is missing.
    pub(in crate::imap) mailbox: Option<Vec<u8>>,
    /// Missing at a group's begin and end.
    pub(in crate::imap) host: Option<Vec<u8>>,
}

/// Reads the value of From, To and their like. What cannot be understood is passed over.
pub(in crate::imap) fn addresses(value: &[u8]) -> Vec<Address> {
    let mut list = Vec::new();
    let mut current = Pending::default();
    let mut in_group = false;
    for token in tokens(value) {
        match token {
            Token::Special(b',') if !current.in_angle => current.finish(&mut list),
            Token::Special(b':') if !current.in_angle => {
                let name = std::mem::take(&mut current).phrase();
                list.push(Address {
                    mailbox: Some(name),
                    ..Address::default()
                });
                in_group = true;
            }
            Token::Special(b';') => {
                current.finish(&mut list);
                if std::mem::take(&mut in_group) {
                    list.push(Address::default());
                }
            }
            Token::Special(b'<') => current.in_angle = true,
            Token::Special(b'>') => current.in_angle = false,
            Token::Special(byte) => current.push(vec![byte]),
            Token::Word(word) | Token::Quoted(word) => current.push(word),
            Token::Comment(text) => current.comment = Some(text),
            Token::Space => current.space = true,
        }
        if list.len() >= MAX_ADDRESSES {
            return list;
        }
    }
    current.finish(&mut list);
    if in_group {
        list.push(Address::default());
    }
    list
}

#[derive(Default)]
struct Pending {
    /// What stands before or instead of `<`.
    phrase: Vec<u8>,
    /// What stands in `<…>`.
    angle: Option<Vec<u8>>,
    in_angle: bool,
    comment: Option<Vec<u8>>,
    space: bool,
}

impl Pending {
    fn push(&mut self, word: Vec<u8>) {
        let space = std::mem::take(&mut self.space);
        if self.in_angle {
            self.angle.get_or_insert_default().extend(word);
            return;
        }
        if space && !self.phrase.is_empty() {
            self.phrase.push(b' ');
        }
        self.phrase.extend(word);
    }

    fn phrase(self) -> Vec<u8> {
        self.phrase.trim_ascii().to_vec()
    }

    fn finish(&mut self, list: &mut Vec<Address>) {
        let pending = std::mem::take(self);
        let comment = pending.comment.clone();
        let (name, spec) = match pending.angle.clone() {
            Some(spec) => {
                let phrase = pending.phrase();
                ((!phrase.is_empty()).then_some(phrase).or(comment), spec)
            }
            None => (comment, pending.phrase()),
        };
        // An old source route: <@a,@b:user@host>.
        let spec = match spec.first() {
            Some(b'@') => match spec.iter().position(|byte| *byte == b':') {
                Some(colon) => spec.get(colon + 1..).unwrap_or_default().to_vec(),
                None => spec,
            },
            _ => spec,
        };
        if spec.is_empty() && name.is_none() {
            return;
        }
        let (mailbox, host) = match spec.iter().rposition(|byte| *byte == b'@') {
            Some(at) => (
                spec.get(..at).unwrap_or_default().trim_ascii().to_vec(),
                spec.get(at + 1..).unwrap_or_default().trim_ascii().to_vec(),
            ),
            // A host must be there, or the client takes it for a group (RFC 3501 §7.4.2).
            None => (spec, Vec::new()),
        };
        list.push(Address {
            name,
            mailbox: Some(mailbox),
            host: Some(host),
        });
    }
}

enum Token {
    Word(Vec<u8>),
    Quoted(Vec<u8>),
    Comment(Vec<u8>),
    Special(u8),
    Space,
}

fn tokens(value: &[u8]) -> impl Iterator<Item = Token> {
    let mut bytes = value.iter().copied().peekable();
    std::iter::from_fn(move || {
        let first = bytes.next()?;
        Some(match first {
            b'"' => {
                let mut text = Vec::new();
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => text.extend(bytes.next()),
                        b'\r' | b'\n' => {}
                        _ => text.push(byte),
                    }
                }
                Token::Quoted(text)
            }
            b'(' => {
                let mut text = Vec::new();
                let mut depth = 1_usize;
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'(' => depth += 1,
                        b')' => depth -= 1,
                        b'\\' => {
                            text.extend(bytes.next());
                            continue;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                    if !matches!(byte, b'\r' | b'\n') {
                        text.push(byte);
                    }
                }
                Token::Comment(text.trim_ascii().to_vec())
            }
            b',' | b':' | b';' | b'<' | b'>' => Token::Special(first),
            b' ' | b'\t' | b'\r' | b'\n' => Token::Space,
            _ => {
                let mut word = vec![first];
                while let Some(byte) = bytes.next_if(|byte| !b"\"(,:;<> \t\r\n".contains(byte)) {
                    word.push(byte);
                }
                Token::Word(word)
            }
        })
    })
}

const MAX_ADDRESSES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<(Option<String>, Option<String>, Option<String>)> {
        let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
        addresses(value.as_bytes())
            .into_iter()
            .map(|address| {
                (
                    text(address.name),
                    text(address.mailbox),
                    text(address.host),
                )
            })
            .collect()
    }

    #[test]
    fn address_lists() {
        let some = |text: &str| Some(text.to_owned());
        for (value, expected) in [
            ("a@x.test", vec![(None, some("a"), some("x.test"))]),
            (
                " \"Lee, Adele\" <adele@x.test>,\r\n =?utf-8?q?J=C3=BCrgen?= K <j@y.test>",
                vec![
                    (some("Lee, Adele"), some("adele"), some("x.test")),
                    (some("=?utf-8?q?J=C3=BCrgen?= K"), some("j"), some("y.test")),
                ],
            ),
            (
                "a@x.test (Ann (the) A)",
                vec![(some("Ann (the) A"), some("a"), some("x.test"))],
            ),
            ("\"a b\"@x.test", vec![(None, some("a b"), some("x.test"))]),
            ("<@r,@s:u@h.test>", vec![(None, some("u"), some("h.test"))]),
            (
                "team: a@x.test, b@x.test;, c@x.test",
                vec![
                    (None, some("team"), None),
                    (None, some("a"), some("x.test")),
                    (None, some("b"), some("x.test")),
                    (None, None, None),
                    (None, some("c"), some("x.test")),
                ],
            ),
            (
                "undisclosed-recipients:;",
                vec![
                    (None, some("undisclosed-recipients"), None),
                    (None, None, None),
                ],
            ),
            (
                "MAILER-DAEMON",
                vec![(None, some("MAILER-DAEMON"), some(""))],
            ),
            (", ,", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }
}
