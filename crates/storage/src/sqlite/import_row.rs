//! An import as it is stored.

use mailgrant_core::time::UnixTime;
use mailgrant_core::token::RefreshToken;

use super::error::malformed;
use crate::error::Error;
use crate::import::Import;
use crate::seal::{Place, Sealer};

/// What [`ImportRow`] reads.
macro_rules! columns {
    () => {
        "id, site, application, request, sealed_refresh_token, generation, attempts, expires_at"
    };
}
pub(super) use columns;

#[derive(sqlx::FromRow)]
pub(super) struct ImportRow {
    pub(super) id: String,
    pub(super) site: String,
    pub(super) application: String,
    pub(super) request: String,
    pub(super) sealed_refresh_token: Vec<u8>,
    pub(super) generation: i64,
    pub(super) attempts: i64,
    pub(super) expires_at: i64,
}

impl ImportRow {
    pub(super) fn open(self, sealer: &Sealer) -> Result<Import, Error> {
        let bad = |column| malformed(column, &self.id);
        let token = sealer.open(&self.sealed_refresh_token, place(&self.id))?;
        Ok(Import {
            refresh_token: RefreshToken::new(token.as_str()).map_err(|_| bad(COLUMN))?,
            request: serde_json::from_str(&self.request).map_err(|_| bad("imports.request"))?,
            attempts: u32::try_from(self.attempts).map_err(|_| bad("imports.attempts"))?,
            id: self.id.parse().map_err(|_| bad("imports.id"))?,
            site: self.site,
            application: self.application,
            generation: self.generation,
            expires_at: UnixTime(self.expires_at),
        })
    }
}

/// Where its token is.
pub(super) fn place(id: &str) -> Place<'_> {
    Place { column: COLUMN, id }
}

const COLUMN: &str = "imports.sealed_refresh_token";
