//! The mail that a new sandbox finds in its mailboxes: letters, long threads, newsletters, receipts, alerts,
//! invitations and spam, in some thirty languages and twenty charsets, written for this project.
//!
//! It is the same every time but for its dates, which lie before the `now` given, the newest minutes ago. Every
//! address is in a domain reserved for examples and tests (RFC 2606); nobody and nothing in it exists.
//!
//! Each mailbox also gets folders that are hard on clients: one below another, one with a non-ASCII name and an
//! ampersand, one with a `/` in its own name (which IMAP does not show, as at Exchange).

mod bulk;
mod compose;
mod data;
mod files;
mod letters;
mod notices;
mod random;

use mailgrant_core::time::UnixTime;

use crate::mailstore::{Flags, MailStore, StoreError, path};
use compose::{Mail, Person};
use random::Sequence;

/// Somebody who gets mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Mail address, which is the mailbox's name.
    pub address: String,
    /// The name people write.
    pub display_name: String,
}

/// Fills the mailboxes of `users` that have no message yet; the first user's is the fullest. Users of the same domain
/// are each other's colleagues. Returns how many messages were delivered. Blocking: some hundred small writes.
///
/// # Errors
/// [`StoreError`] if the disk refuses.
///
/// ```
/// use mailgrant_core::time::UnixTime;
/// use mailgrant_sandbox::mailstore::MailStore;
/// use mailgrant_sandbox::seed::{User, deliver};
///
/// # let directory = tempfile::tempdir().unwrap();
/// let now = UnixTime(1_795_000_000);
/// let store = MailStore::open(directory.path(), now)?;
/// let ada = User { address: "ada@tarnbrook.test".into(), display_name: "Ada Finch".into() };
/// let delivered = deliver(&store, &[ada], now)?;
/// assert!(delivered > 100);
/// # Ok::<(), mailgrant_sandbox::mailstore::StoreError>(())
/// ```
pub fn deliver(store: &MailStore, users: &[User], now: UnixTime) -> Result<usize, StoreError> {
    let Some((conversations, single, machines)) = data::load() else {
        return Ok(0);
    };
    let mut gallery = bulk::Gallery::default();
    let mut delivered = 0;
    for (at, user) in users.iter().enumerate() {
        let mailbox = store.mailbox(&user.address)?;
        let has_mail = mailbox.folders().iter().any(|folder| folder.uid_next > 1);
        if has_mail {
            continue;
        }
        for folder in extra_folders() {
            match mailbox.create(&folder) {
                Ok(_) | Err(StoreError::FolderExists { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut desk = Desk::new(user, users, at == 0, now);
        letters::conversations(&mut desk, &conversations);
        letters::letters(&mut desk, &single);
        bulk::newsletters(&mut desk, &machines, &mut gallery);
        bulk::receipts(&mut desk, &machines);
        notices::notices(&mut desk, &machines);
        bulk::meetings(&mut desk, &machines);
        letters::spam_and_drafts(&mut desk, &machines);
        desk.pile.sort_by_key(|planned| planned.mail.sent);
        for planned in &desk.pile {
            let octets = planned.mail.octets();
            mailbox.append(&planned.folder, &octets, planned.flags, planned.mail.sent)?;
            delivered += 1;
        }
    }
    store.sync()?;
    Ok(delivered)
}

/// One user's mail while it is put together.
struct Desk {
    me: Person,
    colleagues: Vec<Person>,
    /// Whether this mailbox gets everything.
    full: bool,
    now: UnixTime,
    random: Sequence,
    pile: Vec<Planned>,
}

struct Planned {
    folder: String,
    flags: Flags,
    mail: Mail,
}

impl Desk {
    fn new(user: &User, users: &[User], full: bool, now: UnixTime) -> Self {
        let person = |user: &User| Person {
            name: user.display_name.clone(),
            address: user.address.clone(),
        };
        let mut colleagues: Vec<Person> = users
            .iter()
            .filter(|other| other.address != user.address && domain(other) == domain(user))
            .map(person)
            .collect();
        for (name, local) in [
            ("Wanda Birch", "wanda"),
            ("Emil Sørland", "emil"),
            ("Tess Amari", "tess"),
        ] {
            if colleagues.len() < 3 {
                colleagues.push(Person {
                    name: name.to_owned(),
                    address: format!("{local}@field-office.example"),
                });
            }
        }
        Desk {
            me: person(user),
            colleagues,
            full,
            now,
            random: Sequence::of(&user.address),
            pile: Vec::new(),
        }
    }

    /// The moment so many hours before now, give or take some minutes.
    fn ago(&mut self, hours: f64) -> UnixTime {
        let seconds = (hours * 3_600.0) as i64;
        let jitter = self.random.below(420) as i64;
        UnixTime(self.now.0.saturating_sub(seconds).saturating_sub(jitter))
    }

    /// An id that is the same every time (RFC 5322 §3.6.4).
    fn id(&mut self, domain: &str) -> String {
        format!(
            "{:016x}.{:08x}@{domain}",
            self.random.next(),
            self.random.next() as u32
        )
    }

    /// What a mailbox that does not get everything gets.
    fn takes(&mut self, share: u64) -> bool {
        let chosen = self.random.percent(share);
        self.full || chosen
    }

    /// Old mail is read, new mail is not; in between it depends.
    fn usual_flags(&mut self, sent: UnixTime) -> Flags {
        let hours = self.now.since(sent).as_secs() / 3_600;
        let share = match hours {
            0..3 => 5,
            3..12 => 40,
            12..48 => 75,
            _ => 96,
        };
        if self.random.percent(share) {
            Flags::SEEN
        } else {
            Flags::NONE
        }
    }

    fn file(&mut self, folder: &str, flags: Flags, mail: Mail) {
        self.pile.push(Planned {
            folder: folder.to_owned(),
            flags,
            mail,
        });
    }
}

fn domain(user: &User) -> Option<&str> {
    user.address.rsplit_once('@').map(|(_, domain)| domain)
}

fn extra_folders() -> Vec<String> {
    vec![
        "Newsletters".to_owned(),
        RECEIPTS.to_owned(),
        "Projects".to_owned(),
        BUILDS.to_owned(),
        KITCHEN.to_owned(),
        path::join(["In/Out"]),
    ]
}

const RECEIPTS: &str = "Receipts";
const BUILDS: &str = "Projects/Builds";
const KITCHEN: &str = "Küche & Garten";

#[cfg(test)]
mod tests;
