//! How FETCH is spoilt when the fault plan says so.

use super::super::fault::Distortion;
use super::super::staged::Staged;
use super::{Item, Target};

/// What to do to the answer; nothing, mostly.
#[derive(Debug, Default)]
pub(super) struct Spoil {
    how: Vec<Distortion>,
    /// What comes after the first message.
    insertion: Option<Vec<u8>>,
}

impl Spoil {
    /// Of a folder with `count` messages.
    pub(super) fn of(staged: Option<&mut Staged>, count: usize) -> Spoil {
        let Some(staged) = staged else {
            return Spoil::default();
        };
        let insertion = staged.insertion(count);
        staged.rule.insert = None;
        Spoil {
            how: staged.rule.distort.clone(),
            insertion,
        }
    }

    /// Leaves out items and messages that are to be missing.
    pub(super) fn leave_out(&self, items: &mut Vec<Item<'static>>, targets: &mut Vec<Target>) {
        if self.does(Distortion::WithoutFlags) {
            items.retain(|item| *item != Item::Flags);
        }
        if self.does(Distortion::MissingMessage) {
            targets.pop();
        }
    }

    /// Whether addresses have hosts.
    pub(super) fn hosts(&self) -> bool {
        !self.does(Distortion::NilHost)
    }

    /// Spoils the message that begins at `begins`; whether the line is to be cut now.
    pub(super) fn message(&mut self, out: &mut Vec<u8>, begins: usize) -> bool {
        let literals = [
            Distortion::ShortLiteral,
            Distortion::LongLiteral,
            Distortion::CutLiteral,
        ];
        for how in literals {
            if !self.does(how) {
                continue;
            }
            let Some((from, to)) = literal(out, begins) else {
                continue;
            };
            match how {
                Distortion::ShortLiteral => {
                    out.drain(to - (to - from).min(SOME)..to);
                }
                Distortion::LongLiteral => {
                    out.splice(to..to, [b'?'; SOME]);
                }
                _ => {
                    out.truncate(from + (to - from) / 2);
                    return true;
                }
            }
        }
        if let Some(insertion) = self.insertion.take() {
            out.extend(insertion);
        }
        false
    }

    fn does(&self, how: Distortion) -> bool {
        self.how.contains(&how)
    }
}

/// Where the first literal's octets begin and end. A quoted string holds no CRLF, so the first `{n}` at the end of a
/// line is one.
fn literal(out: &[u8], begins: usize) -> Option<(usize, usize)> {
    let message = out.get(begins..)?;
    let mut from = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        from += line.len();
        let Some(head) = line.strip_suffix(b"}\r\n") else {
            continue;
        };
        let open = head.iter().rposition(|byte| *byte == b'{')?;
        let digits = std::str::from_utf8(head.get(open + 1..)?).ok()?;
        let length: usize = digits.parse().ok()?;
        let from = begins + from;
        let to = from.checked_add(length)?;
        return (length > 0 && to <= out.len()).then_some((from, to));
    }
    None
}

/// Octets too many or too few.
const SOME: usize = 10;
