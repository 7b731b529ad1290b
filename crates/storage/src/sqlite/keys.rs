//! Data keys: wrapped by the master key, they seal everything else.

use std::sync::Arc;

use mailgrant_core::time::UnixTime;
use sqlx::SqliteConnection;
use zeroize::Zeroizing;

use super::error::{failed, malformed};
use crate::error::Error;
use crate::master_key::MasterKey;
use crate::random::{Random, random_bytes};
use crate::seal::{KEY_LEN, KeyId, Place, Sealer, SealingKey};

/// A data key as it is stored.
#[derive(sqlx::FromRow)]
pub(super) struct DataKeyRow {
    pub id: String,
    pub master_key_id: String,
    pub wrapped: Vec<u8>,
}

/// The data keys, oldest first; the first one is made here.
pub(super) async fn load_or_create(
    connection: &mut SqliteConnection,
    masters: &[MasterKey],
    random: &dyn Random,
    now: UnixTime,
) -> Result<Vec<DataKeyRow>, Error> {
    let rows = load(connection).await?;
    if !rows.is_empty() {
        return Ok(rows);
    }
    // The caller holds at least one master key: MasterKeySource::load refuses an empty list.
    let Some(master) = masters.first() else {
        return Ok(rows);
    };
    let key = Zeroizing::new(random_bytes::<KEY_LEN>(random));
    let id = KeyId(random_bytes(random)).to_string();
    let row = DataKeyRow {
        wrapped: wrap(master, &id, &key[..], random)?,
        id,
        master_key_id: master.id(),
    };
    sqlx::query(
        "INSERT INTO data_keys (id, master_key_id, wrapped, created_at) VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(&row.id)
    .bind(&row.master_key_id)
    .bind(&row.wrapped)
    .bind(now.0)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(vec![row])
}

/// Opens the data keys; the newest one seals.
pub(super) fn sealer(
    rows: &[DataKeyRow],
    masters: &[MasterKey],
    random: &Arc<dyn Random>,
) -> Result<Sealer, Error> {
    let mut keys = rows
        .iter()
        .map(|row| open(row, masters))
        .collect::<Result<Vec<_>, _>>()?;
    let current = keys.pop().ok_or_else(|| malformed(COLUMN, "every row"))?;
    Ok(Sealer::new(current, keys, Arc::clone(random)))
}

/// Wraps every data key under `new`.
pub(super) async fn rewrap(
    connection: &mut SqliteConnection,
    masters: &[MasterKey],
    new: &MasterKey,
    random: &dyn Random,
) -> Result<(), Error> {
    for row in load(connection).await? {
        if row.master_key_id == new.id() {
            continue;
        }
        let wrapped = wrap(new, &row.id, &unwrap(&row, masters)?, random)?;
        sqlx::query("UPDATE data_keys SET master_key_id = ?2, wrapped = ?3 WHERE id = ?1")
            .bind(&row.id)
            .bind(new.id())
            .bind(wrapped)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn load(connection: &mut SqliteConnection) -> Result<Vec<DataKeyRow>, Error> {
    sqlx::query_as("SELECT id, master_key_id, wrapped FROM data_keys ORDER BY created_at, id")
        .fetch_all(connection)
        .await
        .map_err(failed)
}

fn open(row: &DataKeyRow, masters: &[MasterKey]) -> Result<SealingKey, Error> {
    let id: KeyId = row
        .id
        .parse()
        .map_err(|()| malformed("data_keys.id", &row.id))?;
    let key = unwrap(row, masters)?;
    let key = <&[u8; KEY_LEN]>::try_from(&key[..]).map_err(|_| malformed(COLUMN, &row.id))?;
    SealingKey::new(id, key).ok_or_else(|| malformed(COLUMN, &row.id))
}

fn wrap(master: &MasterKey, id: &str, key: &[u8], random: &dyn Random) -> Result<Vec<u8>, Error> {
    sealing_key(master, id)?.seal(key, Place { column: COLUMN, id }, random)
}

fn unwrap(row: &DataKeyRow, masters: &[MasterKey]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let master = masters
        .iter()
        .find(|key| key.id() == row.master_key_id)
        .ok_or_else(|| {
            let ids = masters
                .iter()
                .map(MasterKey::id)
                .collect::<Vec<_>>()
                .join(", ");
            Error::MasterKeyMissing {
                key_id: row.master_key_id.clone(),
                found: format!("key {ids} was given"),
            }
        })?;
    sealing_key(master, &row.id)?.open(
        &row.wrapped,
        Place {
            column: COLUMN,
            id: &row.id,
        },
    )
}

fn sealing_key(master: &MasterKey, id: &str) -> Result<SealingKey, Error> {
    SealingKey::new(master.key_id(), master.bytes()).ok_or_else(|| malformed(COLUMN, id))
}

const COLUMN: &str = "data_keys.wrapped";
