//! The guard alone, and the guard against the parser's own reading.

use std::io;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response};
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use crate::imap::Limits;
use crate::imap::guard::{Guard, GuardLimit};

fn limits(max_literal: u64, max_line: usize, max_depth: u32) -> Limits {
    Limits {
        max_literal,
        max_line,
        max_depth,
        ..Limits::default()
    }
}

/// What comes through, and the offence.
fn pass(limits: &Limits, input: &[u8], cuts: Vec<usize>) -> (Vec<u8>, Option<GuardLimit>) {
    let stream = Chunks {
        rest: input.to_vec(),
        cuts,
    };
    let mut guard = Guard::new(stream, limits);
    let mut passed = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let result = runtime.block_on(guard.read_to_end(&mut passed));
    assert_eq!(guard.traffic().received(), passed.len() as u64);
    (
        passed,
        result
            .err()
            .map(|error| GuardLimit::of(&error).expect("a typed error")),
    )
}

fn offence(input: &str) -> Option<GuardLimit> {
    pass(&limits(1000, 200, 8), input.as_bytes(), vec![]).1
}

#[test]
fn honest_responses_pass() {
    for input in [
        "* OK The Microsoft Exchange IMAP4 service is ready. [RgBSADMA]\r\n",
        "* LIST (\\HasNoChildren) \"/\" \"Quote \\\" and \\\\ (back)\"\r\n",
        "* LIST (\\HasNoChildren) \"/\" {7}\r\n\"((\r\n{9}\r\n",
        "* list () NIL INBOX\r\n",
        "* STATUS {5}\r\nINBOX (MESSAGES 1)\r\n",
        "* 1 FETCH (UID 7 FLAGS (\\Seen $x) BODY[]<0> {12}\r\n((((((((((\r\n)\r\n* 2 EXISTS\r\n",
        "* 1 FETCH (BODY[] {0}\r\n UID 1)\r\n",
        "* 1 fetch (body[] {3}\r\n\0\n\" UID 1)\r\n",
        "* 1 FETCH (BODY[] \"{500000000}\")\r\n",
        "* 1 FETCH (BODY[] NIL FLAGS ())\r\n",
        "* 1 FETCH (BODY[] \"\" X-A \"(\\\"\")\r\n",
        "* NO quotes \" and ) in human text { }\r\n",
        "+ \r\n",
        "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n",
        "A1 OK [READ-ONLY] done\r\n",
        "",
    ] {
        assert_eq!(offence(input), None, "{input:?}");
        let (passed, _) = pass(&limits(1000, 200, 8), input.as_bytes(), vec![]);
        assert_eq!(passed, input.as_bytes());
    }
}

#[test]
fn limits_hold() {
    let literal = |announced| {
        Some(GuardLimit::Literal {
            announced,
            limit: 1000,
        })
    };
    assert_eq!(offence("* 1 FETCH (BODY[] {1001}\r\n"), literal(1001));
    assert_eq!(
        offence("* 1 FETCH (BODY[] {99999999999999999999999}\r\n"),
        literal(u64::MAX)
    );
    let two = format!("* 1 FETCH (BODY[] {{600}}\r\n{:600} BODY[] {{600}}\r\n", "");
    assert_eq!(offence(&two), literal(1200));
    assert_eq!(
        offence(&"x".repeat(201)),
        Some(GuardLimit::Line { limit: 200 })
    );
    assert_eq!(
        offence(&format!("* 1 FETCH ({}", "(".repeat(8))),
        Some(GuardLimit::Depth { limit: 8 })
    );
    assert_eq!(
        offence(&format!("* 1 FETCH (X \"{}", "(".repeat(8))),
        Some(GuardLimit::Depth { limit: 8 })
    );
    let name = Some(GuardLimit::Literal {
        announced: 201,
        limit: 200,
    });
    assert_eq!(offence("* LIST () NIL {201}\r\n"), name);
}

/// Each of these hides what follows from a guard that reads a literal where the parser reads none,
/// or the other way round.
#[test]
fn literals_are_refused_where_the_parser_may_read_something_else() {
    for input in [
        "* OK {9}\r\n",
        "* OK [X] text {9}\r\n",
        "A1 NO text {9}\r\n",
        "+ {9}\r\n",
        "* NO [BADCHARSET ({9}\r\n",
        "* SEARCH {9}\r\n",
        "* ID (\"name\" {9}\r\n",
        "* 1 EXISTS {9}\r\n",
        "* 1 FETCH (X {9}\r\n",
        "* 1 FETCH (X a{9}\r\n",
        "* 1 FETCH (X (BODY[] {9}\r\n",
        "* 1 FETCH (BODY[]{9}\r\n",
        "* 1 FETCH (BODY[] {9+}\r\n",
        "* 1 FETCH (BODY[] ~{9}\r\n",
        "* 1 FETCH BODY[] {9}\r\n",
        "* 1 FETCH () BODY[] {9}\r\n",
        "* 1 FETCH (BODYSTRUCTURE {9}\r\n",
        "* 1 FETCH (RFC822 {9}\r\n",
        "* x FETCH (BODY[] {9}\r\n",
        "*  1 FETCH (BODY[] {9}\r\n",
        "A1 FETCH (BODY[] {9}\r\n",
        "* LIST ({9}\r\n",
        "* LISTS () NIL {9}\r\n",
        "* 1 FETCH (X \"a BODY[] {9}\r\n",
        "* 1 FETCH (X \"\\a (\" BODY[] {9}\r\n",
        "* 1 FETCH (X a\"b\" BODY[] {9}\r\n",
        "* 1 FETCH (X a\rb\r\n",
        "* 1 FETCH (X a\nb\r\n",
        "* 1 FETCH (X \0)\r\n",
        "* 1 FETCH (X (a\r\n",
        "* 1 FETCH (X))\r\n",
    ] {
        assert!(
            matches!(offence(input), Some(GuardLimit::Malformed(_))),
            "{input:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// However the network cuts them, the same octets give the same result.
    #[test]
    fn cuts_do_not_matter(input in near_protocol(), cuts in prop::collection::vec(1usize..9, 0..60)) {
        let limits = limits(40, 80, 3);
        let whole = pass(&limits, &input, vec![]);
        prop_assert!(input.starts_with(&whole.0));
        prop_assert_eq!(whole.1.is_none(), whole.0.len() == input.len());
        prop_assert_eq!(pass(&limits, &input, cuts), whole);
    }

    #[test]
    fn arbitrary_octets_do_no_harm(input in prop::collection::vec(any::<u8>(), 0..300), cuts in prop::collection::vec(1usize..9, 0..60)) {
        let limits = limits(40, 80, 3);
        prop_assert_eq!(pass(&limits, &input, cuts), pass(&limits, &input, vec![]));
    }

    /// In no response that the parser reads out of what came through stand more parentheses
    /// than allowed, outside what the parser itself takes for a literal.
    #[test]
    fn the_parser_never_sees_more_depth_than_allowed(input in near_protocol()) {
        let (passed, _) = pass(&limits(200, 400, 3), &input, vec![]);
        let mut rest = &passed[..];
        while !rest.is_empty() {
            let Ok(Ok((after, response))) = catch_unwind(|| Response::parse(rest)) else { break };
            let raw = &rest[..rest.len() - after.len()];
            let count = |bytes: &[u8]| bytes.iter().filter(|b| **b == b'(').count();
            let in_literals: usize = match &response {
                Response::Fetch(_, attributes) => attributes
                    .iter()
                    .map(|attribute| match attribute {
                        AttributeValue::BodySection { data: Some(data), .. } => count(data),
                        _ => 0,
                    })
                    .sum(),
                Response::MailboxData(MailboxDatum::List(list)) => count(list.name.as_bytes()),
                Response::MailboxData(MailboxDatum::Status { mailbox, .. }) => count(mailbox.as_bytes()),
                _ => 0,
            };
            prop_assert!(count(raw) - in_literals <= 3, "{:?}", String::from_utf8_lossy(raw));
            rest = after;
        }
    }
}

/// Octets made of what the grammar is made of.
fn near_protocol() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        "* 1 FETCH (",
        "* 1 FETCH (",
        "UID 1",
        "BODY[] {5}\r\n",
        "BODY[]<0> {12}\r\n",
        "BODY[",
        "] ",
        "X ",
        "X (",
        "X \"",
        "\"",
        "\"",
        "\\",
        "\\\"",
        "(",
        "((",
        ")",
        ")\r\n",
        " ",
        " ",
        "{3}\r\n",
        "{3",
        "+}",
        "}\r\n",
        "\r\n",
        "\r\n",
        "\r",
        "\n",
        "* LIST (",
        "\\A) ",
        "\"/\" ",
        "NIL ",
        "* STATUS ",
        "* OK ",
        "* NO [BADCHARSET (",
        ")] text",
        "A1 OK ",
        "+ ",
        "abc",
        "FLAGS (\\Seen)",
        "BODYSTRUCTURE ((",
        "((((",
        "\0",
        "é",
        "{",
        "INTERNALDATE NIL",
        "* SEARCH 1 2",
        "* 1 FETCH (X ",
        "BODY[] {30}\r\n",
        "X \"\\x (\" ",
        "X a",
        ") BODYSTRUCTURE ((((",
    ]);
    prop::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat().into_bytes())
}

/// Gives its octets in pieces of the lengths in `cuts`, then all the rest.
struct Chunks {
    rest: Vec<u8>,
    cuts: Vec<usize>,
}

impl AsyncRead for Chunks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wanted = self.cuts.pop().unwrap_or(usize::MAX);
        let length = wanted.min(self.rest.len()).min(buffer.remaining());
        let piece: Vec<u8> = self.rest.drain(..length).collect();
        buffer.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}
