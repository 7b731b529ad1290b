//! What Exchange reads in a message's header, and what it changes there.

use jiff::Timestamp;
use mail_parser::MessageParser;
use mailgrant_core::time::UnixTime;

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The addresses in `From`.
    pub(crate) from: Vec<String>,
    /// `Message-ID` with its angle brackets.
    pub(crate) message_id: Option<String>,
    /// Whether there is a `Date`.
    pub(crate) dated: bool,
    /// `Subject`, decoded.
    pub(crate) subject: Option<String>,
}

impl Header {
    /// Reads the header of a message.
    pub(crate) fn of(message: &[u8]) -> Header {
        let Some(parsed) = MessageParser::default().parse_headers(header(message)) else {
            return Header::default();
        };
        let from = parsed.from().into_iter().flat_map(|from| from.iter());
        Header {
            from: from
                .filter_map(|address| address.address().map(str::to_owned))
                .collect(),
            message_id: parsed.message_id().map(|id| format!("<{}>", one_word(id))),
            dated: parsed.date().is_some(),
            subject: parsed.subject().map(str::to_owned),
        }
    }
}

/// What may stand in a reply: folded over two lines it would end the reply and begin another.
fn one_word(id: &str) -> String {
    id.chars()
        .filter(|letter| !letter.is_whitespace() && !letter.is_control())
        .take(LONGEST_ID)
        .collect()
}

/// The message with lines put before it, and without `Bcc`.
pub(crate) fn delivered(message: &[u8], before: &str) -> Vec<u8> {
    let mut delivered = Vec::with_capacity(before.len().saturating_add(message.len()));
    delivered.extend_from_slice(before.as_bytes());
    let (head, body) = message.split_at(header(message).len());
    let mut hidden = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            hidden = line
                .get(..4)
                .is_some_and(|name| name.eq_ignore_ascii_case(b"bcc:"));
        }
        if !hidden {
            delivered.extend_from_slice(line);
        }
    }
    delivered.extend_from_slice(body);
    delivered
}

/// `Sun, 22 Nov 2026 10:13:19 +0000`
pub(crate) fn rfc2822(at: UnixTime) -> String {
    let at = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// The header, without the empty line that ends it; none where the first line is no header field, as a message may
/// also begin with its body.
fn header(message: &[u8]) -> &[u8] {
    let mut end = 0_usize;
    for line in message
        .split_inclusive(|byte| *byte == b'\n')
        .take(MOST_LINES)
    {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        if end == 0 && !line.contains(&b':') {
            break;
        }
        end = end.saturating_add(line.len());
        if end > LONGEST {
            break;
        }
    }
    message.get(..end).unwrap_or_default()
}

/// Nobody's header is longer, and an endless one costs no more.
const LONGEST: usize = 1 << 20;
const MOST_LINES: usize = 50_000;
/// So that a reply stays within a line (RFC 5321 §4.5.3.1.5).
const LONGEST_ID: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcc_goes_with_its_folded_lines_and_nothing_else() {
        let message = b"From: a@x.test\r\nBCC: b@x.test,\r\n c@x.test\r\nSubject: x\r\nbcc:\r\n\r\nBcc: body\r\n";
        assert_eq!(
            String::from_utf8(delivered(message, "Received: y\r\n")).unwrap(),
            "Received: y\r\nFrom: a@x.test\r\nSubject: x\r\n\r\nBcc: body\r\n"
        );
        for message in [
            &b""[..],
            b"\r\nBcc: x\r\n",
            b"no header\r\nBcc: x\r\n",
            b"\xff\x00:",
            b"Bcc",
        ] {
            assert_eq!(delivered(message, ""), message);
        }
        assert_eq!(delivered(b"Bcc: b@x.test", ""), b"");
    }

    #[test]
    fn the_header_is_read() {
        let header = Header::of(
            "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: \"Ada, F.\" <ada@x.test>,\r\n bea@x.test\r\nMessage-ID: <1@x>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nFrom: z@x.test\r\n".as_bytes(),
        );
        assert_eq!(header.from, ["ada@x.test", "bea@x.test"]);
        assert_eq!(header.message_id.as_deref(), Some("<1@x>"));
        assert_eq!(header.subject.as_deref(), Some("Grüße"));
        assert!(header.dated);
        assert_eq!(Header::of(b""), Header::default());
        assert_eq!(
            Header::of(b"From: team: a@x.test, b@x.test;\r\n\r\n").from,
            ["a@x.test", "b@x.test"]
        );
        assert_eq!(Header::of(b"\r\nFrom: a@x.test\r\n").from, [""; 0]);
    }

    #[test]
    fn a_message_id_is_one_word() {
        for (written, read) in [
            (
                "Message-ID: <1@x,\r\n 250 2.0.0 OK@y>\r\n\r\n",
                "<1@x,2502.0.0OK@y>",
            ),
            ("Message-ID: <a\x00b\x1bc@x>\r\n\r\n", "<abc@x>"),
        ] {
            let header = Header::of(written.as_bytes());
            assert_eq!(header.message_id.as_deref(), Some(read));
        }
        let long = format!("Message-ID: <{}@x>\r\n\r\n", "a".repeat(2000));
        let header = Header::of(long.as_bytes());
        assert_eq!(header.message_id.unwrap().len(), LONGEST_ID + 2);
    }
}
