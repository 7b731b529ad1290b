use serde::{Deserialize, Serialize};

/// The flags a message carries (RFC 3501 §2.3.2).
///
/// Exchange keeps the five system flags and `$MDNSent`, and drops every other keyword without a word:
/// its `PERMANENTFLAGS` has no `\*`. A set of bits is therefore all that is needed.
///
/// ```
/// use mailgrant_sandbox::mailstore::Flags;
///
/// let flags = Flags::SEEN | Flags::FLAGGED;
/// assert!(flags.contains(Flags::SEEN));
/// assert_eq!(flags.names().collect::<Vec<_>>(), ["\\Seen", "\\Flagged"]);
/// assert_eq!(Flags::from_name("\\seen"), Some(Flags::SEEN));
/// assert_eq!(Flags::from_name("$Forwarded"), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(u16);

impl Flags {
    /// No flag at all.
    pub const NONE: Flags = Flags(0);
    /// `\Seen`
    pub const SEEN: Flags = Flags(1);
    /// `\Answered`
    pub const ANSWERED: Flags = Flags(1 << 1);
    /// `\Flagged`
    pub const FLAGGED: Flags = Flags(1 << 2);
    /// `\Deleted`
    pub const DELETED: Flags = Flags(1 << 3);
    /// `\Draft`
    pub const DRAFT: Flags = Flags(1 << 4);
    /// `$MDNSent`
    pub const MDN_SENT: Flags = Flags(1 << 5);

    /// The flag of that name, in any case; `None` for a keyword that is not kept.
    pub fn from_name(name: &str) -> Option<Flags> {
        NAMES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(flag, _)| *flag)
    }

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags without those of `other`.
    pub fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// The names as they stand on the wire, in Exchange's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .filter(move |(flag, _)| self.contains(*flag))
            .map(|(_, name)| *name)
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        *self = *self | other;
    }
}

const NAMES: [(Flags, &str); 6] = [
    (Flags::SEEN, "\\Seen"),
    (Flags::ANSWERED, "\\Answered"),
    (Flags::FLAGGED, "\\Flagged"),
    (Flags::DELETED, "\\Deleted"),
    (Flags::DRAFT, "\\Draft"),
    (Flags::MDN_SENT, "$MDNSent"),
];
