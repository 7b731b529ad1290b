#![doc = include_str!("../README.md")]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod access_token;
mod account;
mod api_key;
mod connect_session;
mod error;
mod event;
mod grant;
mod hash;
mod hold;
mod id;
mod import;
mod master_key;
mod page;
mod random;
mod seal;
mod sqlite;
mod storage;
mod words;

pub use access_token::{AccessTokenRepository, StoredAccessToken};
pub use account::{
    Account, AccountFilter, AccountRepository, AccountState, AccountUpdate, Connected, Flow,
    GrantAge, Identity, NewAccount, NewGrant, Transition,
};
pub use api_key::{ApiKey, ApiKeyRepository, ApiKeySecret, ApiScope, NewApiKey};
pub use connect_session::{
    Attempt, Completed, Completion, ConnectPhase, ConnectSession, ConnectSessionRepository,
    ConnectStatus, Consumed, Diagnose, NewAttempt, NewConnectSession, Outcome,
};
pub use error::{Cause, Error, MasterKeyError};
pub use event::{Event, EventKind, EventPage, EventRepository, NewEvent};
pub use grant::{Grant, GrantRepository, Replacement};
pub use hash::{SecretHash, random_secret};
pub use hold::Hold;
pub use id::{AccountId, ApiKeyId, ConnectSessionId, EventId, ImportId, InvalidId};
pub use import::{Begun, Import, ImportRepository, ImportRequest, NewImport, Rest};
pub use master_key::{MasterKey, MasterKeySource, rotate_master};
pub use page::Page;
pub use random::{Random, SystemRandom};
pub use storage::{Storage, open};
pub use words::UnknownWord;
