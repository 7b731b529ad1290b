//! The extended LIST (RFC 5258, 6154).

/// What `LIST (SPECIAL-USE)` or `RETURN (…)` asks for (RFC 5258, 6154). Attributes are returned in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListOptions {
    /// Only folders with a role.
    pub(super) special_use: bool,
    /// Only subscribed folders.
    pub(super) subscribed: bool,
}

/// Takes the options out of an extended LIST, which imap-codec does not read; leaves everything else as it is.
pub(super) fn take(command: Vec<u8>) -> (Vec<u8>, ListOptions) {
    match extended_list(&command) {
        Some(found) => found,
        None => (command, ListOptions::default()),
    }
}

/// `tag LIST (SPECIAL-USE) "" "*" RETURN (SPECIAL-USE)` without what stands in brackets.
fn extended_list(command: &[u8]) -> Option<(Vec<u8>, ListOptions)> {
    let space = command.iter().position(|byte| *byte == b' ')? + 1;
    let head = command.get(..space + 5)?;
    if !head.get(space..)?.eq_ignore_ascii_case(b"LIST ") {
        return None;
    }
    let mut rest = command.get(space + 5..)?;
    let mut options = ListOptions::default();
    if let Some(after) = rest.strip_prefix(b"(") {
        let close = after.iter().position(|byte| *byte == b')')?;
        for option in words(after.get(..close)?) {
            match option.to_ascii_uppercase().as_slice() {
                b"SPECIAL-USE" => options.special_use = true,
                b"SUBSCRIBED" => options.subscribed = true,
                _ => return None,
            }
        }
        rest = after.get(close + 1..)?.strip_prefix(b" ")?;
    }
    let line = rest.strip_suffix(b"\r\n")?;
    if let Some(inner) = line.strip_suffix(b")") {
        let open = inner.iter().rposition(|byte| *byte == b'(')?;
        let known = words(inner.get(open + 1..)?).all(|word| {
            [b"SPECIAL-USE" as &[u8], b"CHILDREN", b"SUBSCRIBED"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        });
        let before = inner.get(..open)?;
        let at = before.len().checked_sub(b" RETURN ".len())?;
        if known && before.get(at..)?.eq_ignore_ascii_case(b" RETURN ") {
            rest = before.get(..at)?;
        }
    } else {
        rest = line;
    }
    let mut basic = head.to_vec();
    basic.extend_from_slice(rest.strip_suffix(b"\r\n").unwrap_or(rest));
    basic.extend_from_slice(b"\r\n");
    Some((basic, options))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_lists_become_basic_ones() {
        let both = ListOptions {
            special_use: true,
            subscribed: true,
        };
        let special = ListOptions {
            special_use: true,
            subscribed: false,
        };
        let none = ListOptions::default();
        for (given, basic, options) in [
            ("a LIST \"\" *\r\n", "a LIST \"\" *\r\n", none),
            (
                "a list (special-use) \"\" *\r\n",
                "a list \"\" *\r\n",
                special,
            ),
            (
                "a LIST (SUBSCRIBED SPECIAL-USE) \"\" %\r\n",
                "a LIST \"\" %\r\n",
                both,
            ),
            (
                "a LIST \"\" \"*\" RETURN (SPECIAL-USE CHILDREN)\r\n",
                "a LIST \"\" \"*\"\r\n",
                none,
            ),
            (
                "a LIST () \"\" \"*\" return ()\r\n",
                "a LIST \"\" \"*\"\r\n",
                none,
            ),
            (
                "a LIST \"\" \"x (y)\"\r\n",
                "a LIST \"\" \"x (y)\"\r\n",
                none,
            ),
            ("a LIST (X) \"\" *\r\n", "a LIST (X) \"\" *\r\n", none),
            (
                "a LIST \"\" * RETURN (STATUS)\r\n",
                "a LIST \"\" * RETURN (STATUS)\r\n",
                none,
            ),
            ("a SELECT (x)\r\n", "a SELECT (x)\r\n", none),
            ("LIST (\r\n", "LIST (\r\n", none),
        ] {
            let (bytes, found) = take(given.as_bytes().to_vec());
            assert_eq!(String::from_utf8(bytes).unwrap(), basic, "{given}");
            assert_eq!(found, options, "{given}");
        }
    }
}
