//! Where tags of HTML end, without parsing what they mean.

/// The name at the beginning; empty when there is none, so that `<` stood for itself.
pub(super) fn name(rest: &str) -> &str {
    let end = rest
        .find(|character: char| !character.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    rest.get(..end)
        .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
        .unwrap_or_default()
}

/// The length of a start tag up to its `>`, and the number of its attributes: the states of the tokenizer inside a tag.
pub(super) fn measure(rest: &str) -> (usize, usize) {
    let mut attributes = 0;
    let mut state = State::Between;
    let is_name_end = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let name = rest.bytes().position(is_name_end).unwrap_or(rest.len());
    for (at, byte) in rest.bytes().enumerate().skip(name) {
        state = match (state, byte) {
            (State::Double, b'"') | (State::Single, b'\'') => State::Between,
            (State::Double | State::Single, _) => state,
            (_, b'>') => return (at, attributes),
            (State::BeforeValue, b'"') => State::Double,
            (State::BeforeValue, b'\'') => State::Single,
            (State::BeforeValue, _) if byte.is_ascii_whitespace() => State::BeforeValue,
            (State::BeforeValue | State::Value, _) if !byte.is_ascii_whitespace() => State::Value,
            (State::Value, _) => State::Between,
            (State::Name | State::AfterName, b'=') => State::BeforeValue,
            (State::Name, _) if byte.is_ascii_whitespace() => State::AfterName,
            (State::AfterName, _) if byte.is_ascii_whitespace() => State::AfterName,
            (_, b'/') => State::Between,
            (State::Name, _) => State::Name,
            (_, _) if byte.is_ascii_whitespace() => State::Between,
            _ => {
                attributes += 1;
                State::Name
            }
        };
    }
    (rest.len(), attributes)
}

#[derive(Clone, Copy)]
enum State {
    Between,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Double,
    Single,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_a_browser_ends_them() {
        for (tag, length, attributes) in [
            ("p>x", 1, 0),
            ("p a b=c d = e>x", 13, 3),
            ("p a=\">\" b='>'>x", 13, 2),
            ("p a=\"x\"b/c>x", 10, 3),
            ("p a=b\"c>x", 7, 1),
            ("p \"a\">x", 5, 1),
            ("p/>x", 2, 0),
            ("p a", 3, 1),
        ] {
            assert_eq!(measure(tag), (length, attributes), "{tag}");
        }
    }
}
