//! IDLE (RFC 2177).

use std::io;

use tokio::time::{sleep, timeout};

use super::connection::{Answer, CLOSED, Connection, End, SILENT, State, over};
use super::fault::Distortion;
use super::reply::Reply;

impl Connection {
    /// Tells of changes until the client says DONE.
    pub(super) async fn idle(&mut self) -> io::Result<Answer> {
        let (mute, cut) = match &self.state {
            State::Open(open) => match &open.staged {
                Some(staged) => (staged.rule.spoils(Distortion::Mute), staged.cut()),
                None => (false, None),
            },
            _ => return Ok(Reply::invalid_state().into()),
        };
        self.wire
            .push(b"+ IDLE accepted, awaiting DONE command.\r\n");
        let cut = async {
            match cut {
                Some((after, end)) => {
                    sleep(after).await;
                    end
                }
                None => std::future::pending().await,
            }
        };
        tokio::pin!(cut);
        loop {
            if mute {
                self.unnoticed();
            } else {
                self.catch_up(true);
            }
            self.wire.flush().await?;
            let State::Open(open) = &mut self.state else {
                return Ok(End::Bye(None).into());
            };
            if open.is_gone() {
                return Ok(End::bye(CLOSED).into());
            }
            let mut changes = open.changes.clone();
            let over = over(&self.service.clock, &mut self.state);
            tokio::select! {
                biased;
                end = over => return Ok(end.into()),
                end = &mut cut => return Ok(end.into()),
                line = timeout(self.service.limits.idle_timeout, self.wire.line()) => {
                    let Ok(line) = line else {
                        return Ok(End::bye(SILENT).into());
                    };
                    return Ok(match line? {
                        Some(line) if line.eq_ignore_ascii_case(b"DONE") => Reply::done("IDLE").into(),
                        Some(_) => Reply::unknown().into(),
                        None => End::Bye(None).into(),
                    });
                }
                _ = changes.changed() => {}
            }
        }
    }

    /// Lets a change pass without a word.
    fn unnoticed(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.changes.mark_unchanged();
        }
    }
}
