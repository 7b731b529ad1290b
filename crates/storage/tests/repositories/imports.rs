//! Refresh tokens on their way to an account.

use std::sync::Arc;

use mailgrant_core::token::RefreshToken;
use mailgrant_storage::{
    AccountState, Begun, Connected, Error, Hold, Import, ImportRequest, NewAccount, NewImport,
    Rest, Storage,
};
use serde_json::{Value, json};

use crate::support::{NOW, connected, dead, grant, identity, kinds, later, new_account, to, told};

fn given(token: &str, mailbox: &str) -> NewImport {
    NewImport {
        site: "default".to_owned(),
        application: "contoso".to_owned(),
        request: ImportRequest {
            mailbox: Some(mailbox.to_owned()),
            metadata: json!({"row": 7}),
            ..ImportRequest::default()
        },
        refresh_token: RefreshToken::new(token).unwrap(),
        expires_at: later(3600),
    }
}

async fn begin_at(storage: &dyn Storage, new: NewImport, seconds: i64) -> Begun {
    let imports = storage.imports();
    imports.begin(new, later(seconds)).await.unwrap()
}

/// Begun by a process that died.
async fn begun(storage: &dyn Storage, token: &str, seconds: i64) -> Import {
    held(storage, token, seconds).await.0
}

async fn held(storage: &dyn Storage, token: &str, seconds: i64) -> (Import, Hold) {
    match begin_at(storage, given(token, "ada@example.com"), seconds).await {
        Begun::Begun(import, hold) => (*import, hold),
        other => panic!("{other:?}"),
    }
}

/// The first that can be taken.
async fn take_due(storage: &dyn Storage, seconds: i64) -> Option<(Import, Hold)> {
    let imports = storage.imports();
    for id in imports.due(None, 100, later(seconds)).await.unwrap() {
        let taken = imports.take_due(&id, later(seconds)).await.unwrap();
        if taken.is_some() {
            return taken;
        }
    }
    None
}

async fn finished(storage: &dyn Storage, import: &Import, account: NewAccount) -> Connected {
    let imports = storage.imports();
    let finished = imports.finish(&import.id, import.generation, account, grant("last"), NOW);
    finished.await.unwrap().expect("it is current")
}

fn unknown(person: &str) -> NewAccount {
    NewAccount {
        identity: None,
        ..new_account("default", person)
    }
}

fn next(token: &str) -> RefreshToken {
    RefreshToken::new(token).unwrap()
}

pub async fn the_token_is_there_again_whatever_happens(storage: Arc<dyn Storage>) {
    let (import, hold) = held(&*storage, "given", 0).await;
    assert_eq!(import.refresh_token.expose(), "given");
    assert_eq!(import.request.metadata, json!({"row": 7}));
    // Nobody else works on it meanwhile, however long that takes.
    for seconds in [5, 3000] {
        let meanwhile = begin_at(&*storage, given("given", "ada@example.com"), seconds).await;
        assert!(matches!(meanwhile, Begun::Held), "{meanwhile:?}");
        assert!(take_due(&*storage, seconds).await.is_none());
    }
    let imports = storage.imports();
    let second = imports.replace(&import.id, 1, &next("second")).await;
    assert_eq!(second.unwrap(), Some(2));
    let late = imports.replace(&import.id, 1, &next("late")).await;
    assert_eq!(late.unwrap(), None, "another was first");

    // The process died: whoever comes next goes on with the latest.
    drop(hold);
    let (due, hold) = take_due(&*storage, 1).await.expect("nobody holds it");
    assert_eq!((&due.id, due.generation, due.attempts), (&import.id, 2, 2));
    assert_eq!(due.refresh_token.expose(), "second");
    drop(hold);
    let again = begun(&*storage, "given", 15).await;
    assert_eq!(again.id, import.id);
    assert_eq!(again.refresh_token.expose(), "second");

    let connected = finished(&*storage, &again, new_account("default", "ada")).await;
    assert!(!connected.reconnected);
    let grant = storage
        .grants()
        .lookup(&connected.account.id)
        .await
        .unwrap();
    assert_eq!(grant.unwrap().refresh_token.expose(), "last");
    let late = imports.finish(
        &import.id,
        2,
        new_account("default", "ada"),
        self::grant("late"),
        NOW,
    );
    assert_eq!(late.await.unwrap(), None);
    assert_eq!(
        imports.replace(&import.id, 2, &next("late")).await.unwrap(),
        None
    );
    assert_eq!(kinds(&*storage).await, ["account.connected"]);
}

pub async fn the_same_token_again_is_the_same_account(storage: Arc<dyn Storage>) {
    let import = begun(&*storage, "given", 0).await;
    let account = finished(&*storage, &import, new_account("default", "ada"))
        .await
        .account;
    for mailbox in ["ada@example.com", "Ada@Example.com"] {
        let again = begin_at(&*storage, given("given", mailbox), 1).await;
        assert!(matches!(again, Begun::Done(done) if *done == account));
    }
    // Another mailbox, site or application is another account.
    for other in [
        given("given", "shared@example.com"),
        NewImport {
            site: "other".to_owned(),
            ..given("given", "ada@example.com")
        },
        NewImport {
            application: "other".to_owned(),
            ..given("given", "ada@example.com")
        },
        given("another", "ada@example.com"),
    ] {
        let begun = begin_at(&*storage, other, 1).await;
        assert!(matches!(begun, Begun::Begun(..)), "{begun:?}");
    }
    // What died is not mended by what is remembered; what is deleted is not there.
    for end in ["dead", "deleted"] {
        let mailbox = format!("{end}@example.com");
        let Begun::Begun(import, _) = begin_at(&*storage, given(end, &mailbox), 0).await else {
            panic!("it is new");
        };
        let id = finished(&*storage, &import, new_account("default", end))
            .await
            .account
            .id;
        let accounts = storage.accounts();
        match end {
            "dead" => drop(accounts.transition(&id, dead(), NOW).await.unwrap()),
            _ => drop(accounts.remove("default", &id, NOW).await.unwrap()),
        }
        let again = begin_at(&*storage, given(end, &mailbox), 1).await;
        let Begun::Begun(again, _) = again else {
            panic!("{end}: {again:?}");
        };
        assert_eq!(again.refresh_token.expose(), end);
    }
}

pub async fn a_token_that_is_kept_serves_the_corrected_request(storage: Arc<dyn Storage>) {
    let import = begun(&*storage, "given", 0).await;
    let imports = storage.imports();
    imports
        .replace(&import.id, 1, &next("second"))
        .await
        .unwrap();
    let rest = Rest {
        next_attempt_at: None,
        expires_at: later(86_400),
    };
    imports.rest(&import.id, 2, rest, None, NOW).await.unwrap();
    assert!(take_due(&*storage, 60).await.is_none());
    let corrected = begin_at(&*storage, given("given", "ada.finch@example.com"), 60).await;
    let Begun::Begun(corrected, _) = corrected else {
        panic!("{corrected:?}");
    };
    assert_eq!(corrected.id, import.id);
    assert_eq!(corrected.refresh_token.expose(), "second");
    assert_eq!(
        corrected.request.mailbox.as_deref(),
        Some("ada.finch@example.com")
    );
}

pub async fn what_is_refused_or_over_leaves_nothing(storage: Arc<dyn Storage>) {
    let imports = storage.imports();
    let refused = begun(&*storage, "refused", 0).await;
    imports.discard(&refused.id, 2, None, NOW).await.unwrap();
    let still = begun(&*storage, "refused", 1).await;
    assert_eq!(still.id, refused.id, "of another generation");
    imports.discard(&refused.id, 1, None, NOW).await.unwrap();
    let anew = begun(&*storage, "refused", 1).await;
    assert_ne!(anew.id, refused.id);
    assert_eq!(kinds(&*storage).await.len(), 0, "the caller was told");
    let why = Some(json!({"code": "imap_disabled"}));
    imports.discard(&anew.id, 1, why, NOW).await.unwrap();

    // One waits for a mail server, one for its caller; both run out.
    let waits = begun(&*storage, "waits", 0).await;
    let rest = |next_attempt_at| Rest {
        next_attempt_at,
        expires_at: later(3600),
    };
    imports
        .rest(&waits.id, 1, rest(Some(later(30))), None, NOW)
        .await
        .unwrap();
    assert!(take_due(&*storage, 29).await.is_none());
    let (due, hold) = take_due(&*storage, 30).await.unwrap();
    assert_eq!(due.id, waits.id);
    let kept = begun(&*storage, "kept", 0).await;
    imports
        .rest(&kept.id, 1, rest(None), None, NOW)
        .await
        .unwrap();
    assert_eq!(imports.expire(later(3599)).await.unwrap(), 0);
    // Who works on one may yet finish it.
    assert_eq!(imports.expire(later(3600)).await.unwrap(), 0);
    drop(hold);
    assert_eq!(imports.expire(later(3600)).await.unwrap(), 1);
    assert_eq!(imports.expire(later(3600)).await.unwrap(), 0);
    let told: Vec<(&str, Value)> = told(&*storage, "default")
        .await
        .into_iter()
        .map(|event| (event.kind.as_str(), event.data))
        .collect();
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0],
        (
            "import.failed",
            json!({"application": "contoso", "imap_user": "ada@example.com", "diagnosis": {"code": "imap_disabled"}})
        )
    );
    assert_eq!(told[1].1["diagnosis"]["code"], "import_expired");
    for token in ["waits", "kept"] {
        let import = begun(&*storage, token, 3600).await;
        assert_eq!(import.attempts, 1, "it is a new one");
    }
}

pub async fn what_was_put_off_while_the_clock_was_wrong_is_not_waited_for(
    storage: Arc<dyn Storage>,
) {
    let year = 365 * 86_400;
    let import = begun(&*storage, "given", year).await;
    let rest = Rest {
        next_attempt_at: Some(later(year + 900)),
        expires_at: later(year + 7 * 86_400),
    };
    let imports = storage.imports();
    imports
        .rest(&import.id, 1, rest, None, later(year))
        .await
        .unwrap();
    assert!(take_due(&*storage, year).await.is_none());
    let (due, _) = take_due(&*storage, 0).await.expect("the clock is right");
    assert_eq!(due.id, import.id);
}

pub async fn one_of_fifty_at_once_works_on_it(storage: Arc<dyn Storage>) {
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let storage = Arc::clone(&storage);
            tokio::spawn(
                async move { begin_at(&*storage, given("given", "ada@example.com"), 0).await },
            )
        })
        .collect();
    let mut begun = Vec::new();
    for asked in asking {
        begun.push(asked.await.unwrap());
    }
    begun.retain(|begun| matches!(begun, Begun::Begun(..)));
    assert_eq!(begun.len(), 1);
    drop(begun);
    let taking: Vec<_> = (0..50)
        .map(|_| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move { take_due(&*storage, 10).await })
        })
        .collect();
    let mut taken = Vec::new();
    for took in taking {
        taken.extend(took.await.unwrap());
    }
    assert_eq!(taken.len(), 1);
}

pub async fn whose_it_is_is_found_out_later(storage: Arc<dyn Storage>) {
    let import = begun(&*storage, "given", 0).await;
    let imported = NewAccount {
        smtp_user: "relay@example.com".to_owned(),
        tenant: Some("TENANT".to_owned()),
        metadata: json!({"row": 7}),
        ..unknown("ada")
    };
    let imported = finished(&*storage, &import, imported).await.account;
    // A delegate of that mailbox is somebody else; so is whoever comes from another tenant, or with another application.
    let accounts = storage.accounts();
    let others = [
        NewAccount {
            imap_user: "ada@example.com".to_owned(),
            ..new_account("default", "eve")
        },
        NewAccount {
            tenant: Some("elsewhere".to_owned()),
            ..new_account("default", "ada")
        },
        NewAccount {
            application: "other".to_owned(),
            ..new_account("default", "ada")
        },
        new_account("other", "ada"),
    ];
    for other in others {
        let connected = accounts.connect(other, grant("theirs"), NOW).await.unwrap();
        assert!(!connected.reconnected);
        accounts
            .remove(&connected.account.site, &connected.account.id, NOW)
            .await
            .unwrap();
    }
    accounts
        .transition(&imported.id, dead(), NOW)
        .await
        .unwrap();

    let own = NewAccount {
        tenant: Some("tenant".to_owned()),
        ..new_account("default", "ada")
    };
    let connected = accounts
        .connect(own.clone(), grant("hers"), later(1))
        .await
        .unwrap();
    assert!(connected.reconnected);
    let account = connected.account;
    assert_eq!(
        (&account.id, account.state),
        (&imported.id, AccountState::Connected)
    );
    assert_eq!(account.identity, Some(identity("ada")));
    assert_eq!(
        (account.smtp_user.as_str(), &account.metadata),
        ("relay@example.com", &json!({"row": 7}))
    );
    assert_eq!(accounts.reauth_link(&account.id).await.unwrap(), None);
    let grant = storage.grants().lookup(&account.id).await.unwrap().unwrap();
    assert_eq!(grant.refresh_token.expose(), "hers");
    // From now on it is hers, however she comes.
    let again = accounts
        .connect(own, self::grant("again"), later(2))
        .await
        .unwrap();
    assert_eq!((&again.account.id, again.reconnected), (&imported.id, true));
}

pub async fn a_known_persons_account_is_not_taken_over_by_somebody_unknown(
    storage: Arc<dyn Storage>,
) {
    let ada = connected(&*storage, "ada").await;
    let import = begun(&*storage, "given", 0).await;
    let imports = storage.imports();
    let refused = imports
        .finish(&import.id, 1, unknown("ada"), grant("whose"), NOW)
        .await;
    assert!(matches!(refused, Err(Error::Conflict { account }) if account == ada.id));
    let kept = storage.grants().lookup(&ada.id).await.unwrap().unwrap();
    assert_eq!(kept.refresh_token.expose(), "first-token");
    // Of somebody known it is the person that counts.
    let hers = finished(&*storage, &import, new_account("default", "ada")).await;
    assert_eq!((&hers.account.id, hers.reconnected), (&ada.id, true));

    // Two that nobody knows are one, and it is switched on by it.
    let first = begin_at(&*storage, given("first", "bob@example.com"), 0).await;
    let Begun::Begun(first, _) = first else {
        panic!("{first:?}")
    };
    let bob = finished(&*storage, &first, unknown("bob")).await.account;
    let off = to(AccountState::Disabled);
    storage
        .accounts()
        .transition(&bob.id, off, NOW)
        .await
        .unwrap();
    let second = begin_at(&*storage, given("second", "bob@example.com"), 0).await;
    let Begun::Begun(second, _) = second else {
        panic!("{second:?}")
    };
    let again = finished(&*storage, &second, unknown("bob")).await;
    assert_eq!((&again.account.id, again.reconnected), (&bob.id, true));
    assert_eq!(*kinds(&*storage).await.last().unwrap(), "account.enabled");
}
