//! Commands: a keyword of three or four letters and words after it (RFC 1939 §3).

/// A command that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Capa,
    Stls,
    Auth(Vec<String>),
    User,
    Pass,
    Stat,
    List(Option<u32>),
    Uidl(Option<u32>),
    Retr(u32),
    Top(u32, u32),
    Dele(u32),
    Noop,
    Rset,
    Quit,
}

/// Reads a line without its end; `None` when it is no command.
pub(super) fn parse(line: &[u8]) -> Option<Command> {
    let line = std::str::from_utf8(line).ok()?;
    if line.chars().any(char::is_control) {
        return None;
    }
    let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let keyword = keyword.to_ascii_uppercase();
    Some(match (keyword.as_str(), words.as_slice()) {
        ("CAPA", []) => Command::Capa,
        ("STLS", []) => Command::Stls,
        ("AUTH", words) => Command::Auth(words.iter().map(|word| (*word).to_owned()).collect()),
        ("USER", [_, ..]) => Command::User,
        // A password may hold spaces, and nothing else too.
        ("PASS", _) => Command::Pass,
        ("STAT", []) => Command::Stat,
        ("LIST", []) => Command::List(None),
        ("LIST", [message]) => Command::List(Some(number(message)?)),
        ("UIDL", []) => Command::Uidl(None),
        ("UIDL", [message]) => Command::Uidl(Some(number(message)?)),
        ("RETR", [message]) => Command::Retr(number(message)?),
        ("TOP", [message, lines]) => Command::Top(number(message)?, number(lines)?),
        ("DELE", [message]) => Command::Dele(number(message)?),
        ("NOOP", []) => Command::Noop,
        ("RSET", []) => Command::Rset,
        ("QUIT", []) => Command::Quit,
        _ => return None,
    })
}

impl Command {
    /// The keyword, as a fault names it.
    pub(super) fn keyword(&self) -> &'static str {
        match self {
            Command::Capa => "CAPA",
            Command::Stls => "STLS",
            Command::Auth(_) => "AUTH",
            Command::User => "USER",
            Command::Pass => "PASS",
            Command::Stat => "STAT",
            Command::List(_) => "LIST",
            Command::Uidl(_) => "UIDL",
            Command::Retr(_) => "RETR",
            Command::Top(..) => "TOP",
            Command::Dele(_) => "DELE",
            Command::Noop => "NOOP",
            Command::Rset => "RSET",
            Command::Quit => "QUIT",
        }
    }
}

fn number(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        for (line, command) in [
            ("capa", Command::Capa),
            ("List", Command::List(None)),
            ("LIST 3", Command::List(Some(3))),
            ("TOP 1 0", Command::Top(1, 0)),
            ("retr  12 ", Command::Retr(12)),
            ("PASS a b  c", Command::Pass),
            ("AUTH", Command::Auth(Vec::new())),
            (
                "AUTH XOAUTH2 abc=",
                Command::Auth(vec!["XOAUTH2".to_owned(), "abc=".to_owned()]),
            ),
        ] {
            assert_eq!(parse(line.as_bytes()), Some(command), "{line:?}");
        }
        for line in [
            "",
            " ",
            "FROB",
            "RETR",
            "RETR x",
            "RETR -1",
            "RETR +1",
            "RETR 99999999999",
            "RETR 1 2",
            "TOP 1",
            "USER",
            "STAT 1",
            "QUIT\r",
            "NOOP\0",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
        assert_eq!(parse(b"NOOP\xff"), None);
    }
}
