//! A whole session of SMTP submission.

use std::cell::OnceCell;
use std::sync::Arc;

use mailgrant_core::time::UnixTime;
use tempfile::TempDir;

use super::{Counted, NOW, TENANT, folder, pipe};
use crate::Clock;
use crate::control::{Faults, RequestLog};
use crate::directory::{Directory, Submission, TenantFile};
use crate::mailstore::MailStore;
use crate::net::Security;
use crate::outbox::Outbox;
use crate::running::Exchange;
use crate::smtp::{self as service, Envelope, Login, LoginRefusal, PostOffice, Proof, SendRefusal};

/// The first octet says how the session begins and how the octets arrive, the others are what the client says.
///
/// `A` in the clear, `B` encrypted, `C` logged in, `D` with sender and recipient named, `E` within `DATA`; the next five
/// letters the same octet by octet, then in pieces of 7, then of 64.
pub fn smtp(input: &[u8]) {
    let Some((choice, said)) = input.split_first() else {
        return;
    };
    let choice = choice.wrapping_sub(b'A');
    let beginning: Vec<u8> = match choice % 5 {
        0 | 1 => Vec::new(),
        2 => LOGIN.to_vec(),
        3 => [LOGIN, ENVELOPE].concat(),
        _ => [LOGIN, ENVELOPE, b"DATA\r\n"].concat(),
    };
    let folder = folder();
    let directory = HOUSE.with(|house| {
        let house = house.get_or_init(House::new);
        house.directory.clone()
    });
    let outbox = Outbox::open(folder.path().join("outbox")).expect("an outbox");
    let store = MailStore::open(folder.path().join("mail"), NOW).expect("a store");
    let office = Office(Exchange {
        directory,
        store: Arc::new(store),
        outbox: Arc::new(outbox),
        log: RequestLog::default(),
        faults: Faults::default(),
        random: Arc::new(Counted::default()),
    });
    let heard = pipe::session(
        service::portless(
            pipe::tls(),
            Arc::new(office),
            Clock::fixed(NOW),
            Arc::new(Counted::default()),
        ),
        if choice % 5 == 0 {
            Security::Plain
        } else {
            Security::Encrypted
        },
        &[&beginning, said].concat(),
        pipe::pieces(choice / 5),
    );
    assert!(heard.starts_with(b"220 "), "no greeting");
    if choice % 5 != 0 {
        assert!(heard.ends_with(b"\r\n"), "the last line is whole");
        for line in heard.split(|octet| *octet == b'\n') {
            let reply = line.iter().take(3).all(u8::is_ascii_digit);
            assert!(reply, "a line that is no reply");
        }
    }
}

/// Exchange's own, but for the login, for which there is one token.
struct Office(Exchange);

impl PostOffice for Office {
    fn log_in(&self, user: &str, proof: Proof<'_>, _now: UnixTime) -> Result<Login, LoginRefusal> {
        match proof {
            Proof::Token("good") => Ok(Login {
                mailbox: user.to_owned(),
                client_id: None,
                app_only: false,
                connected: true,
            }),
            Proof::Token(_) => Err(LoginRefusal::Credentials),
            Proof::Password(_) => Err(LoginRefusal::PasswordsDisabled),
        }
    }

    fn knows(&self, recipient: &str) -> bool {
        self.0.knows(recipient)
    }

    fn send(
        &self,
        login: &Login,
        envelope: &Envelope,
        message: &[u8],
        now: UnixTime,
    ) -> Result<String, SendRefusal> {
        self.0.send(login, envelope, message, now)
    }

    fn refused(&self, login: &Login, envelope: &Envelope, why: &str, now: UnixTime) {
        self.0.refused(login, envelope, why, now);
    }

    fn limits(&self, mailbox: Option<&str>) -> Submission {
        self.0.limits(mailbox)
    }
}

/// The tenant, which no session changes.
struct House {
    directory: Directory,
    _folder: TempDir,
}

impl House {
    fn new() -> Self {
        let folder = folder();
        let tenant = TenantFile::parse(TENANT).expect("a tenant");
        let random = Arc::new(Counted::default());
        let directory = Directory::open(folder.path(), tenant, &[], NOW, random);
        Self {
            directory: directory.expect("a directory"),
            _folder: folder,
        }
    }
}

thread_local! {
    static HOUSE: OnceCell<House> = const { OnceCell::new() };
}

const LOGIN: &[u8] =
    b"EHLO c\r\nAUTH XOAUTH2 dXNlcj1hZGFAdGFybmJyb29rLnRlc3QBYXV0aD1CZWFyZXIgZ29vZAEB\r\n";
const ENVELOPE: &[u8] =
    b"MAIL FROM:<ada@tarnbrook.test>\r\nRCPT TO:<admin@tarnbrook.test>\r\nRCPT TO:<x@elsewhere.test>\r\n";
