use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::Instant;

use super::*;
use crate::control::FaultPlan;
use crate::net::{Stream, Wire};

const PATIENCE: Duration = Duration::from_secs(3600);

/// A server's wire and the client's end of its line.
fn line(faults: &Faults) -> (Wire, DuplexStream) {
    let (server, client) = duplex(64 << 10);
    let stream: Box<dyn Stream> = Box::new(server);
    let faults = LineFaults::new(faults.clone(), Protocol::Imap);
    (Wire::new(stream, PATIENCE).under(&faults, false), client)
}

fn told(transport: TransportFault) -> Faults {
    let faults = Faults::default();
    tell(&faults, transport);
    faults
}

fn tell(faults: &Faults, transport: TransportFault) {
    let mut plan = FaultPlan::default();
    plan.imap.transport = transport;
    faults.set(plan);
}

async fn say(wire: &mut Wire, text: &str) -> io::Result<()> {
    wire.push(text.as_bytes());
    wire.flush().await
}

/// The client sends a command, which the server reads.
async fn ask(wire: &mut Wire, client: &mut DuplexStream) {
    client.write_all(b"a\r\n").await.unwrap();
    wire.line(100).await.unwrap();
}

/// The client reads this, and nothing else was before it.
async fn hears(client: &mut DuplexStream, expected: &[u8]) {
    let mut heard = vec![0; expected.len()];
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, expected);
}

/// The client reads nothing for a while.
async fn hears_nothing(client: &mut DuplexStream) {
    let read = tokio::time::timeout(Duration::from_millis(60), client.read_u8()).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn nothing_goes_wrong_unless_told() {
    let faults = Faults::default();
    let (mut wire, mut client) = line(&faults);
    say(&mut wire, "hello\r\n").await.unwrap();
    hears(&mut client, b"hello\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn latency_is_before_each_answer_and_counted() {
    let faults = told(TransportFault {
        latency_ms: 2_000,
        times: Some(1),
        ..TransportFault::default()
    });
    let (mut wire, mut client) = line(&faults);
    let mut took = Vec::new();
    for _ in 0..2 {
        let begun = Instant::now();
        // Two pieces are one answer.
        say(&mut wire, "one\r\n").await.unwrap();
        say(&mut wire, "two\r\n").await.unwrap();
        took.push(begun.elapsed().as_millis());
        ask(&mut wire, &mut client).await;
    }
    assert!((2_000..=2_001).contains(&took[0]), "{took:?}");
    assert_eq!(took[1], 0);
    assert_eq!(faults.plan().imap.transport.times, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_drips() {
    let faults = told(TransportFault {
        drip_bytes_per_second: NonZeroU32::new(500),
        ..TransportFault::default()
    });
    let (mut wire, mut client) = line(&faults);
    let answer = "x".repeat(200);
    let begun = Instant::now();
    let (sent, ()) = tokio::join!(say(&mut wire, &answer), async {
        let mut pieces = 0;
        let mut heard = Vec::new();
        while heard.len() < 200 {
            client.read_buf(&mut heard).await.unwrap();
            pieces += 1;
        }
        assert!(pieces >= 3, "{pieces} pieces");
    });
    sent.unwrap();
    // Three of four pieces were waited for.
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn the_line_is_cut_after_so_many_octets() {
    let faults = Faults::default();
    let (mut wire, mut client) = line(&faults);
    say(&mut wire, "before\r\n").await.unwrap();
    tell(
        &faults,
        TransportFault {
            cut_after_bytes: Some(5),
            times: Some(1),
            ..TransportFault::default()
        },
    );
    let error = say(&mut wire, "0123456789").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    wire.close().await;
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"before\r\n01234");
    // Once was enough.
    let (mut wire, mut client) = line(&faults);
    say(&mut wire, "0123456789").await.unwrap();
    hears(&mut client, b"0123456789").await;
}

#[tokio::test]
async fn a_line_hangs_until_the_plan_changes() {
    let faults = told(TransportFault {
        hang: true,
        ..TransportFault::default()
    });
    let (mut wire, mut client) = line(&faults);
    let sending = tokio::spawn(async move { say(&mut wire, "at last\r\n").await });
    hears_nothing(&mut client).await;
    faults.set(FaultPlan::default());
    sending.await.unwrap().unwrap();
    hears(&mut client, b"at last\r\n").await;
}

#[tokio::test]
async fn garbage_comes_before_the_greeting_or_instead_of_an_answer() {
    let garbage = |garbage| TransportFault {
        garbage: Some(garbage),
        times: Some(1),
        ..TransportFault::default()
    };
    let faults = told(garbage(Garbage::BeforeGreeting));
    let (mut wire, mut client) = line(&faults);
    say(&mut wire, "hello\r\n").await.unwrap();
    hears(&mut client, &[GARBAGE, b"hello\r\n"].concat()).await;
    tell(&faults, garbage(Garbage::BeforeGreeting));
    ask(&mut wire, &mut client).await;
    say(&mut wire, "no greeting\r\n").await.unwrap();
    hears(&mut client, b"no greeting\r\n").await;

    tell(&faults, garbage(Garbage::InsteadOfAnswer));
    for expected in [GARBAGE, b"answer\r\n" as &[u8]] {
        ask(&mut wire, &mut client).await;
        say(&mut wire, "ans").await.unwrap();
        say(&mut wire, "wer\r\n").await.unwrap();
        hears(&mut client, expected).await;
    }
}

#[tokio::test]
async fn a_fault_may_be_for_one_mailbox() {
    let faults = told(TransportFault {
        cut_after_bytes: Some(0),
        mailbox: Some("Ada@tarnbrook.test".to_owned()),
        ..TransportFault::default()
    });
    let (mut wire, _client) = line(&faults);
    say(&mut wire, "hello\r\n").await.unwrap();
    wire.owner().is("bruno@tarnbrook.test");
    say(&mut wire, "hello\r\n").await.unwrap();
    let (mut wire, _client) = line(&faults);
    wire.owner().is("ada@tarnbrook.test");
    say(&mut wire, "hello\r\n").await.unwrap_err();
}
