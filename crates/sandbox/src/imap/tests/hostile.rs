use proptest::prelude::*;
use tokio::io::duplex;

use super::super::wire::{Allowance, Incoming, Wire};
use super::*;

const ALLOWANCE: Allowance = Allowance {
    literal: 1_000,
    append: 10_000,
};

#[tokio::test]
async fn a_huge_literal_is_refused_before_it_is_sent() {
    let house = House::new().await;
    let mut client = house.login().await;
    assert_eq!(
        client.say("a APPEND INBOX {500000000}").await,
        "a NO [TOOBIG] Literal is too large.\r\n"
    );
    assert_eq!(
        client.say("b SELECT {99999999999999999999}").await,
        "b NO [TOOBIG] Literal is too large.\r\n"
    );
    client.ok("c NOOP").await;
    client.send("d APPEND INBOX {500000000+}\r\n").await;
    assert_eq!(client.rest().await, "* BYE Literal is too large.\r\n");
    let mut early = house.connect().await;
    assert_eq!(
        early.say("a APPEND INBOX {1000000}").await,
        "a NO [TOOBIG] Literal is too large.\r\n"
    );
}

#[tokio::test]
async fn an_endless_line_is_cut() {
    let house = House::new().await;
    let mut client = house.login().await;
    client.send(vec![b'x'; 70 << 10]).await;
    assert_eq!(client.rest().await, "* BYE Command line is too long.\r\n");
}

#[tokio::test]
async fn deep_search_keys_are_refused() {
    let house = House::new().await;
    let mut client = house.selected(&[b"x"]).await;
    let deep = "NOT ".repeat(10_000);
    assert_eq!(
        client.say(&format!("a SEARCH {deep}ALL")).await,
        "a BAD Command Error. 12\r\n"
    );
    let deep = "(".repeat(30_000);
    assert_eq!(
        client.say(&format!("b SEARCH {deep}ALL")).await,
        "b BAD Command Error. 12\r\n"
    );
    assert_eq!(
        client.say("c SEARCH NOT NOT NOT SEEN").await,
        "* SEARCH 1\r\nc OK SEARCH completed.\r\n"
    );
}

#[tokio::test]
async fn overlapping_sets_cost_no_more_than_the_folder() {
    let house = House::new().await;
    let mut client = house.selected(&[b"x", b"y"]).await;
    let set = vec!["1:*"; 10_000].join(",");
    assert_eq!(
        client.say(&format!("a FETCH {set} UID")).await,
        "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\na OK FETCH completed.\r\n"
    );
}

#[tokio::test]
async fn guessing_is_cut_short() {
    let house = House::new().await;
    let mut client = house.connect().await;
    for _ in 0..9 {
        client.say("a LOGIN x y").await;
    }
    client.send("a LOGIN x y\r\n").await;
    assert_eq!(
        client.rest().await,
        "a NO LOGIN failed.\r\n* BYE Connection closed. 14\r\n"
    );
}

#[tokio::test]
async fn crowds_have_limits() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let house = House::with(limits).await;
    let mut first = house.connect_in_the_clear().await;
    first.line().await;
    let mut second = house.connect_in_the_clear().await;
    assert_eq!(
        second.rest().await,
        "* BYE Connection refused: too many connections.\r\n"
    );
}

#[tokio::test]
async fn silence_has_limits() {
    let limits = Limits {
        login_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let house = House::with(limits).await;
    let mut client = house.connect_in_the_clear().await;
    client.line().await;
    assert_eq!(client.rest().await, "* BYE Connection is closed. 13\r\n");
}

#[tokio::test]
async fn a_damaged_message_is_served_all_the_same() {
    let house = House::new().await;
    let nested = {
        let mut message = String::new();
        for level in 0..500 {
            message.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
            ));
        }
        message.into_bytes()
    };
    let torn: Vec<&[u8]> = vec![
        &nested,
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nx\r\n----\r\n",
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
        b"Content-Type: ;;;=\"\\\r\n\r\nx",
        b"From: (((((\r\nTo: <<<>>>:;:;,,\r\n\r\n",
    ];
    let mut client = house.selected(&torn).await;
    let answer = client.ok("a FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[1] BODY.PEEK[1.1.TEXT] BODY.PEEK[HEADER.FIELDS (From)])").await;
    for number in 1..=torn.len() {
        assert!(answer.contains(&format!("* {number} FETCH (")), "{number}");
    }
    client.ok("b SEARCH OR TEXT zzz SENTSINCE 1-Jan-2020").await;
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// All units the wire makes of these octets, in whatever pieces they come.
fn units(octets: &[u8], piece: usize) -> Vec<Result<Incoming, std::io::ErrorKind>> {
    runtime().block_on(async {
        let (mut near, far) = duplex(64);
        let limits = Limits {
            line: 1_000,
            ..Limits::default()
        };
        let mut wire = Wire::new(Box::new(far), &limits);
        let writer = async {
            let (mut read, mut write) = tokio::io::split(&mut near);
            let send = async {
                for piece in octets.chunks(piece) {
                    if write.write_all(piece).await.is_err() {
                        break;
                    }
                }
                let _ = write.shutdown().await;
            };
            let mut sink = tokio::io::sink();
            let _ = tokio::join!(send, tokio::io::copy(&mut read, &mut sink));
        };
        let reader = async {
            let mut units = Vec::new();
            loop {
                let unit = wire.command(ALLOWANCE).await.map_err(|error| error.kind());
                let last = !matches!(
                    unit,
                    Ok(Incoming::Command(_) | Incoming::LiteralRefused { .. })
                );
                units.push(unit);
                if last {
                    drop(wire);
                    return units;
                }
            }
        };
        tokio::join!(reader, writer).0
    })
}

#[test]
fn commands_are_put_together_from_any_pieces() {
    let octets = b"a NOOP\r\n\r\nb SELECT {5}\r\nINBOX\r\nc LIST {0+}\r\n {1+}\r\n*\nd APPEND x {99999}\r\ne X\r\n";
    let expected = vec![
        Ok(Incoming::Command(b"a NOOP\r\n".to_vec())),
        Ok(Incoming::Command(b"b SELECT {5}\r\nINBOX\r\n".to_vec())),
        Ok(Incoming::Command(b"c LIST {0+}\r\n {1+}\r\n*\r\n".to_vec())),
        Ok(Incoming::LiteralRefused {
            command: b"d APPEND x {99999}\r\n".to_vec(),
        }),
        Ok(Incoming::Command(b"e X\r\n".to_vec())),
        Ok(Incoming::End),
    ];
    for piece in [1, 2, 7, 1_000] {
        assert_eq!(units(octets, piece), expected, "pieces of {piece}");
    }
    assert_eq!(units(b"a NOO", 2), [Err(std::io::ErrorKind::UnexpectedEof)]);
}

fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "a ",
        "SELECT ",
        "INBOX",
        "UID ",
        "FETCH ",
        "1:* ",
        "SEARCH ",
        "NOT ",
        "(",
        ")",
        "BODY[",
        "1.2.MIME",
        "]<0.1>",
        "\"",
        "\\",
        "{3}\r\n",
        "{3+}\r\n",
        "{9999999}\r\n",
        "\r\n",
        "\n",
        "\0",
        "\u{ff}",
        "LIST ",
        "RETURN (",
        "APPEND ",
        "&",
        "-",
        "%",
        "STORE ",
        "+FLAGS ",
        "\\Seen",
        "COPY ",
        "4294967295",
        ":",
        ",",
        "*",
        "AUTHENTICATE XOAUTH2 ",
        "IDLE",
        "DONE",
        "HEADER.FIELDS (X)",
    ]);
    let piece = prop_oneof![
        4 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_wire_survives_anything(octets in fragments(), piece in 1_usize..50) {
        let units = units(&octets, piece);
        prop_assert!(!units.is_empty());
    }

    #[test]
    fn message_structure_survives_anything(octets in prop::collection::vec(any::<u8>(), 0..300), seed in fragments()) {
        let mut message = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n".to_vec();
        message.extend(seed);
        message.extend(b"\r\n--a\r\n");
        message.extend(octets);
        let part = crate::imap::mime::Part::parse(&message);
        let mut out = Vec::new();
        crate::imap::structure::body(&mut out, &message, &part, true);
        crate::imap::structure::envelope(&mut out, &message, true);
        prop_assert!(part.body.end <= message.len());
    }
}

/// Random commands against a live session: every one that is whole is answered, and the session after it works.
#[tokio::test]
async fn a_session_survives_anything() {
    use proptest::strategy::ValueTree as _;
    let house = House::new().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..48 {
        let octets = fragments().new_tree(&mut runner).unwrap().current();
        let mut client = house.selected(&[b"Subject: x\r\n\r\ny"]).await;
        client.send(&octets).await;
        let _ = client.stream.shutdown().await;
        client.rest().await;
    }
    house.selected(&[]).await.ok("z NOOP").await;
}
