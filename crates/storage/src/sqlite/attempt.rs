//! The row that stands for a browser on its way to the authority and back.

use mailgrant_core::authorization::Nonce;
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::time::UnixTime;
use sqlx::SqliteConnection;

use super::error::{failed, malformed};
use crate::connect_session::{Attempt, ConnectSession, NewAttempt};
use crate::error::Error;
use crate::hash::SecretHash;
use crate::seal::{Place, Sealer};

#[derive(sqlx::FromRow)]
pub(super) struct AttemptRow {
    pub session_id: String,
    browser_hash: Vec<u8>,
    sealed_nonce: Vec<u8>,
    sealed_code_verifier: Vec<u8>,
}

impl AttemptRow {
    pub(super) fn open(self, session: ConnectSession, sealer: &Sealer) -> Result<Attempt, Error> {
        let id = session.id.as_str();
        let nonce = sealer.open(&self.sealed_nonce, Place { column: NONCE, id })?;
        let code_verifier = sealer.open(
            &self.sealed_code_verifier,
            Place {
                column: CODE_VERIFIER,
                id,
            },
        )?;
        Ok(Attempt {
            browser: SecretHash::from_bytes(&self.browser_hash)
                .ok_or_else(|| malformed("connect_attempts.browser_hash", id))?,
            nonce: Nonce::parse(&nonce).map_err(|_| malformed(NONCE, id))?,
            code_verifier: CodeVerifier::parse(&code_verifier)
                .map_err(|_| malformed(CODE_VERIFIER, id))?,
            session,
        })
    }
}

/// Stores the session's attempt in place of an earlier one.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    session: &str,
    attempt: &NewAttempt,
    now: UnixTime,
) -> Result<(), Error> {
    let place = |column| Place {
        column,
        id: session,
    };
    sqlx::query(
        "INSERT INTO connect_attempts \
         (session_id, state_hash, browser_hash, sealed_nonce, sealed_code_verifier, started_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (session_id) DO UPDATE SET state_hash = excluded.state_hash, \
         browser_hash = excluded.browser_hash, sealed_nonce = excluded.sealed_nonce, \
         sealed_code_verifier = excluded.sealed_code_verifier, started_at = excluded.started_at",
    )
    .bind(session)
    .bind(attempt.state.as_bytes())
    .bind(attempt.browser.as_bytes())
    .bind(sealer.seal(attempt.nonce.expose(), place(NONCE))?)
    .bind(sealer.seal(attempt.code_verifier.expose(), place(CODE_VERIFIER))?)
    .bind(now.0)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Removes the attempt with this state and returns what it held.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    state: &SecretHash,
) -> Result<Option<AttemptRow>, Error> {
    sqlx::query_as(
        "DELETE FROM connect_attempts WHERE state_hash = ?1 \
         RETURNING session_id, browser_hash, sealed_nonce, sealed_code_verifier",
    )
    .bind(state.as_bytes())
    .fetch_optional(connection)
    .await
    .map_err(failed)
}

/// Removes the session's attempt, if any.
pub(super) async fn drop_of(connection: &mut SqliteConnection, session: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM connect_attempts WHERE session_id = ?1")
        .bind(session)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

const NONCE: &str = "connect_attempts.sealed_nonce";
const CODE_VERIFIER: &str = "connect_attempts.sealed_code_verifier";
