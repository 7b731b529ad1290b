//! DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030): the message comes in, and is handed on.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Connection, NOT_AUTHENTICATED, Next, Transaction};
use super::data::{Dots, Gathered, Outcome};
use super::quota::Slot;
use super::{Envelope, Login, Service};

impl Connection {
    pub(super) async fn data(&mut self) -> io::Result<Next> {
        match self.transaction.as_ref() {
            None => self.tagged("503 5.5.2 Need mail command"),
            Some(transaction) if transaction.envelope.recipients.is_empty() => {
                self.tagged("503 5.5.2 Need rcpt command");
            }
            // RFC 3030 §3: BINARYMIME needs BDAT, and the two are not mixed.
            Some(
                Transaction { binary: true, .. }
                | Transaction {
                    chunks: Some(_), ..
                },
            ) => {
                self.tagged("503 5.5.2 Bad sequence of commands");
            }
            Some(_) => return self.dotted().await,
        }
        Ok(Next::Command)
    }

    async fn dotted(&mut self) -> io::Result<Next> {
        let (mut gathered, slot) = self.begin();
        self.reply("354 Start mail input; end with <CRLF>.<CRLF>");
        self.wire.flush().await?;
        let mut dots = Dots::default();
        let wire = &mut self.wire;
        let transfer = async {
            loop {
                let (read, end) = dots.read(wire.input(), |octets| gathered.push(octets));
                wire.input().drain(..read);
                if end {
                    return Ok::<bool, io::Error>(true);
                }
                if !wire.fill().await? {
                    return Ok(false);
                }
            }
        };
        match timeout(self.service.limits.message_timeout, transfer).await {
            Ok(Ok(true)) => self.whole(gathered, slot).await,
            Ok(Ok(false)) => Ok(Next::Close),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(self.timed_out()),
        }
    }

    /// The octets follow the command at once, whether it is welcome or not.
    pub(super) async fn chunk(&mut self, size: usize, last: bool) -> io::Result<Next> {
        let unasked = match self.transaction.as_ref() {
            _ if self.login.is_none() => Some(NOT_AUTHENTICATED),
            None => Some("503 5.5.2 Need mail command"),
            Some(transaction) if transaction.envelope.recipients.is_empty() => {
                Some("503 5.5.2 Need rcpt command")
            }
            Some(_) => None,
        };
        let (mut gathered, slot) = match self
            .transaction
            .as_mut()
            .and_then(|open| open.chunks.take())
        {
            Some(chunks) => chunks,
            None => self.begin(),
        };
        let limit = usize::try_from(self.office_limits().message_bytes).unwrap_or(usize::MAX);
        let welcome = if unasked.is_none() { limit } else { 0 };
        if size > welcome.saturating_add(MOST_UNWELCOME) {
            // To read it only to throw it away is what an attacker wants.
            self.tagged(unasked.unwrap_or(TOO_LARGE));
            return Ok(Next::Close);
        }
        let wire = &mut self.wire;
        let transfer = async {
            let mut left = size;
            while left > 0 {
                let input = wire.input();
                let count = left.min(input.len());
                gathered.push(input.get(..count).unwrap_or_default());
                input.drain(..count);
                left = left.saturating_sub(count);
                if left > 0 && !wire.fill().await? {
                    return Ok::<bool, io::Error>(false);
                }
            }
            Ok(true)
        };
        match timeout(self.service.limits.message_timeout, transfer).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Ok(Next::Close),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(self.timed_out()),
        }
        if let Some(next) = self.scripted("BDAT") {
            self.transaction = None;
            return Ok(next);
        }
        if let Some(problem) = unasked {
            self.tagged(problem);
            return Ok(Next::Command);
        }
        if last {
            return self.whole(gathered, slot).await;
        }
        if gathered.outcome() != Outcome::Whole {
            // Nothing that comes after can make it whole again.
            self.tagged(gathered.outcome().reply());
            self.transaction = None;
            return Ok(Next::Command);
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.chunks = Some((gathered, slot));
        }
        self.reply(&format!("250 2.6.0 CHUNK received OK, {size} octets"));
        Ok(Next::Command)
    }

    /// A message begins: from now on it counts among those that its mailbox has under way.
    fn begin(&self) -> (Gathered, Option<Slot>) {
        let limits = self.office_limits();
        let most = usize::try_from(limits.message_bytes).unwrap_or(usize::MAX);
        let slot = self
            .login
            .as_ref()
            .and_then(|login| self.service.quota.begin(&login.mailbox, &limits));
        (Gathered::new(most, Arc::clone(&self.service.memory)), slot)
    }

    /// The whole message has come. What may not be sent is said here, as Exchange does.
    async fn whole(&mut self, gathered: Gathered, slot: Option<Slot>) -> io::Result<Next> {
        let (Some(transaction), Some(login)) = (self.transaction.take(), self.login.clone()) else {
            return Ok(Next::Close);
        };
        let (message, memory) = match gathered.into_message() {
            Ok(message) => message,
            Err(outcome) => {
                self.refuse(&login, &transaction.envelope, outcome.reply());
                return Ok(Next::Command);
            }
        };
        if let Some(next) = self.scripted("MESSAGE") {
            return Ok(next);
        }
        let limits = self.office_limits();
        let slot = slot.or_else(|| self.service.quota.begin(&login.mailbox, &limits));
        let Some(slot) = slot else {
            self.refuse(&login, &transaction.envelope, CONCURRENT);
            return Ok(Next::Command);
        };
        let recipients = transaction.envelope.recipients.len();
        if !slot.has_room(recipients, &limits, self.service.clock.now()) {
            self.refuse(&login, &transaction.envelope, DAILY);
            return Ok(Next::Command);
        }
        wait_for_turn(&self.service, &login.mailbox, &slot).await;
        let service = self.service.clone();
        let envelope = transaction.envelope;
        let sent = tokio::task::spawn_blocking(move || {
            let now = service.clock.now();
            let sent = service.office.send(&login, &envelope, &message, now);
            if sent.is_ok() {
                slot.sent(recipients, now);
            }
            drop((message, memory, slot));
            sent
        });
        match sent.await {
            Ok(Ok(message_id)) => {
                let host_name = &self.service.host_name;
                let reply = format!("250 2.0.0 OK {message_id} [Hostname={host_name}]");
                self.errors = 0;
                self.reply(&reply);
            }
            Ok(Err(refusal)) => {
                let reply = refusal.reply();
                self.with_host_name(&reply);
            }
            Err(error) => {
                tracing::error!(%error, "SMTP: a message could not be handed on");
                self.with_host_name("452 4.3.1 Insufficient system resources");
            }
        }
        Ok(Next::Command)
    }

    fn refuse(&mut self, login: &Login, envelope: &Envelope, reply: &str) {
        let service = &self.service;
        service
            .office
            .refused(login, envelope, reply, service.clock.now());
        self.with_host_name(reply);
    }

    fn with_host_name(&mut self, reply: &str) {
        let host_name = &self.service.host_name;
        let reply = format!("{reply} [Hostname={host_name}]");
        self.reply(&reply);
    }
}

/// Who sends more in a minute than allowed is made to wait, by the sandbox's clock.
async fn wait_for_turn(service: &Service, mailbox: &str, slot: &Slot) {
    let turn = async {
        loop {
            let now = service.clock.now();
            let left = slot
                .next(&service.office.limits(Some(mailbox)), now)
                .since(now);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(CLOCK_CHECK)).await;
        }
    };
    // Longer than this nobody is held, whatever the clock says.
    let _ = timeout(service.limits.longest_wait, turn).await;
}

impl Outcome {
    fn reply(self) -> &'static str {
        match self {
            Outcome::Whole | Outcome::TooLarge => TOO_LARGE,
            Outcome::NoMemory => "452 4.3.1 Insufficient system resources",
        }
    }
}

pub(super) const TOO_LARGE: &str = "552 5.3.4 Message size exceeds fixed maximum message size";
const CONCURRENT: &str = "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.";
const DAILY: &str = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception with message The message can't be submitted because the sender's submission quota was exceeded.";
/// Octets of a chunk that is refused and read all the same, so that the conversation can go on.
const MOST_UNWELCOME: usize = 1 << 20;
/// How soon a moved clock is noticed.
const CLOCK_CHECK: Duration = Duration::from_millis(200);
