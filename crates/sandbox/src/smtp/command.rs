//! Commands: one line each, read by smtp-proto.

use std::borrow::Cow;

use smtp_proto::{AUTH_LOGIN, AUTH_XOAUTH2, Error, MAIL_BODY_BINARYMIME, Request};

/// A command that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Hello {
        extended: bool,
        client: String,
    },
    StartTls,
    Auth {
        mechanism: Mechanism,
        /// Absent when the client waits for `334`; `=` stands for an empty one (RFC 4954 §4).
        initial: Option<String>,
    },
    Mail {
        from: String,
        size: usize,
        binary: bool,
    },
    Rcpt {
        to: String,
    },
    Data,
    Bdat {
        size: usize,
        last: bool,
    },
    Reset,
    Noop,
    Verify,
    Help,
    Quit,
    /// Known, and not done here.
    NotImplemented,
}

/// What `AUTH` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    XOAuth2,
    Login,
    Other,
}

/// What is answered to a line that is no command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misunderstood {
    Unknown,
    Reply(Cow<'static, str>),
}

/// Reads a line, which must end with a LF.
pub(super) fn parse(line: &[u8]) -> Result<Command, Misunderstood> {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    // smtp-proto skips what must not be there at all.
    let readable = std::str::from_utf8(text).ok();
    let Some(text) = readable.filter(|text| !text.contains(['\0', '\r', '\n'])) else {
        return Err(Misunderstood::Unknown);
    };
    let whole = [text.as_bytes(), b"\r\n"].concat();
    let mut octets = whole.iter();
    let request = Request::parse(&mut octets).map_err(misunderstood)?;
    Ok(match request {
        Request::Ehlo { host } => hello(true, host),
        Request::Helo { host } => hello(false, host),
        Request::StartTls if text.len() == "STARTTLS".len() => Command::StartTls,
        Request::StartTls => return Err(invalid_arguments()),
        Request::Auth {
            mechanism,
            initial_response,
        } => Command::Auth {
            mechanism: match mechanism {
                AUTH_XOAUTH2 => Mechanism::XOAuth2,
                AUTH_LOGIN => Mechanism::Login,
                _ => Mechanism::Other,
            },
            initial: match &*initial_response {
                "" => None,
                "=" => Some(String::new()),
                _ => Some(initial_response.into_owned()),
            },
        },
        Request::Mail { from } => {
            if !(from.address.is_empty() || is_address(&from.address)) {
                return Err(Misunderstood::Reply("501 5.1.7 Invalid address".into()));
            }
            Command::Mail {
                size: from.size,
                binary: from.flags & MAIL_BODY_BINARYMIME != 0,
                from: from.address.into_owned(),
            }
        }
        Request::Rcpt { to } if is_address(&to.address) => Command::Rcpt {
            to: to.address.into_owned(),
        },
        Request::Rcpt { .. } => {
            return Err(Misunderstood::Reply("501 5.1.3 Invalid address".into()));
        }
        Request::Data => Command::Data,
        Request::Bdat { .. } => {
            let (size, last) = chunk(text).ok_or_else(invalid_arguments)?;
            Command::Bdat { size, last }
        }
        Request::Rset => Command::Reset,
        Request::Noop { .. } => Command::Noop,
        Request::Vrfy { .. } => Command::Verify,
        Request::Help { .. } => Command::Help,
        Request::Quit => Command::Quit,
        Request::Expn { .. }
        | Request::Lhlo { .. }
        | Request::Etrn { .. }
        | Request::Atrn { .. }
        | Request::Burl { .. } => Command::NotImplemented,
    })
}

impl Command {
    /// The verb, as a fault names it.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Command::Hello { extended: true, .. } => "EHLO",
            Command::Hello { .. } => "HELO",
            Command::StartTls => "STARTTLS",
            Command::Auth { .. } => "AUTH",
            Command::Mail { .. } => "MAIL",
            Command::Rcpt { .. } => "RCPT",
            Command::Data => "DATA",
            Command::Bdat { .. } => "BDAT",
            Command::Reset => "RSET",
            Command::Noop => "NOOP",
            Command::Verify => "VRFY",
            Command::Help => "HELP",
            Command::Quit => "QUIT",
            Command::NotImplemented => "OTHER",
        }
    }
}

fn hello(extended: bool, client: Cow<'_, str>) -> Command {
    Command::Hello {
        extended,
        client: client.into_owned(),
    }
}

fn misunderstood(error: Error) -> Misunderstood {
    match error {
        Error::InvalidSenderAddress => Misunderstood::Reply("501 5.1.7 Invalid address".into()),
        Error::InvalidRecipientAddress => Misunderstood::Reply("501 5.1.3 Invalid address".into()),
        Error::UnsupportedParameter { .. } => {
            Misunderstood::Reply("555 5.5.4 Unsupported option".into())
        }
        Error::SyntaxError { .. } | Error::InvalidParameter { .. } => invalid_arguments(),
        _ => Misunderstood::Unknown,
    }
}

fn invalid_arguments() -> Misunderstood {
    Misunderstood::Reply("501 5.5.4 Invalid arguments".into())
}

/// `BDAT SP 1*DIGIT [SP LAST]`, read here: smtp-proto takes a number with too many digits for a smaller one, and all
/// that follows would be read in the wrong place.
fn chunk(line: &str) -> Option<(usize, bool)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let size = words.next()?;
    let last = match words.next() {
        None => false,
        Some(last) if last.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return None,
    };
    let digits = size.bytes().all(|byte| byte.is_ascii_digit());
    (digits && words.next().is_none()).then(|| size.parse().ok().map(|size| (size, last)))?
}

/// Something at somewhere, without what would break a header or a file.
fn is_address(address: &str) -> bool {
    address.len() <= 320
        && !address.chars().any(char::is_control)
        && address
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        for (line, verb) in [
            ("EHLO client.example\r\n", "EHLO"),
            ("helo x\n", "HELO"),
            ("starttls\r\n", "STARTTLS"),
            ("Auth xoauth2 abc=\r\n", "AUTH"),
            ("AUTH LOGIN\r\n", "AUTH"),
            ("AUTH NOSUCHTHING\r\n", "AUTH"),
            (
                "MAIL FROM:<a@x.test> SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=abc AUTH=<>\r\n",
                "MAIL",
            ),
            ("mail from:<>\r\n", "MAIL"),
            (
                "RCPT TO:<b@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@x.test\r\n",
                "RCPT",
            ),
            ("RCPT TO: <b@x.test>\r\n", "RCPT"),
            ("DATA\r\n", "DATA"),
            ("BDAT 10\r\n", "BDAT"),
            ("BDAT 0 LAST\r\n", "BDAT"),
            ("RSET\r\n", "RSET"),
            ("NOOP\r\n", "NOOP"),
            ("VRFY x\r\n", "VRFY"),
            ("EXPN x\r\n", "OTHER"),
            ("HELP\r\n", "HELP"),
            ("QUIT\r\n", "QUIT"),
        ] {
            let command = parse(line.as_bytes());
            assert_eq!(command.map(|command| command.verb()), Ok(verb), "{line:?}");
        }
    }

    #[test]
    fn a_token_of_any_length_is_kept_whole() {
        let token = "A".repeat(90_000) + "==";
        let command = parse(format!("AUTH XOAUTH2 {token}\r\n").as_bytes());
        assert_eq!(
            command,
            Ok(Command::Auth {
                mechanism: Mechanism::XOAuth2,
                initial: Some(token)
            })
        );
        let empty = parse(b"AUTH XOAUTH2 =\r\n");
        assert_eq!(
            empty,
            Ok(Command::Auth {
                mechanism: Mechanism::XOAuth2,
                initial: Some(String::new())
            })
        );
    }

    #[test]
    fn what_is_no_command() {
        for line in [
            "",
            "\r\n",
            "FROB\r\n",
            "MAIL\0FROM:<a@x.test>\r\n",
            "NOOP\rQUIT\r\n",
            "\u{16}\u{3}\u{1}\r\n",
        ] {
            assert_eq!(
                parse(line.as_bytes()),
                Err(Misunderstood::Unknown),
                "{line:?}"
            );
        }
        assert_eq!(parse(b"NOOP \xff\r\n"), Err(Misunderstood::Unknown));
        for line in [
            "MAIL a@x.test\r\n",
            "MAIL FROM:a@x.test\r\n",
            "MAIL FROM:<a@x.test> SIZE=x\r\n",
            "MAIL FROM:<a@x.test> FROB=1\r\n",
            "MAIL FROM:<nobody>\r\n",
            "RCPT TO:<>\r\n",
            "RCPT TO:<@>\r\n",
            "RCPT TO:<a@x.test\r\n",
            "BDAT x\r\n",
            "BDAT 99999999999999999999999\r\n",
            "BDAT 1 LAST LAST\r\n",
            "BDAT +1\r\n",
            "BDAT 1 FIRST\r\n",
            "STARTTLS now\r\n",
            "EHLO\r\n",
            "AUTH\r\n",
        ] {
            let answer = parse(line.as_bytes());
            let Err(Misunderstood::Reply(reply)) = &answer else {
                panic!("{line:?}: {answer:?}");
            };
            assert!(
                reply.starts_with("501 ") || reply.starts_with("555 "),
                "{line:?}: {reply}"
            );
        }
    }
}
