//! Idempotency keys: what came of a request, so that the same request sent again does nothing twice.
//!
//! Written in the transaction of what the request did. Kept for 24 hours.

use crate::base::clock::UtcMs;

use super::{Query, StoreError, Tx, args, readers};

/// How long a key is remembered.
pub const REMEMBERED_MS: i64 = 24 * 3_600_000;

/// What came of an earlier request with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Of the earlier request; another one under the same key is a mistake of the client's.
    pub fingerprint: String,
    /// What it made: an identifier.
    pub response: String,
}

readers! {
    /// What came of `key`, used by `scope` (a user and an operation), if it is remembered.
    find_remembered(scope: &str, key: &str, now: UtcMs) -> Option<Remembered>;
}

async fn find_remembered(
    from: &mut impl Query,
    scope: &str,
    key: &str,
    now: UtcMs,
) -> Result<Option<Remembered>, StoreError> {
    const SQL: &str = "SELECT fingerprint, response FROM idempotency
        WHERE scope = $1 AND request_key = $2 AND created_at > $3";
    let row = from.fetch_optional(SQL, args![scope, key, now.plus_ms(-REMEMBERED_MS)]).await?;
    row.map(|row| Ok(Remembered { fingerprint: row.read("fingerprint")?, response: row.read("response")? })).transpose()
}

impl Tx {
    /// Remembers what came of `key`. [`StoreError::Conflict`]: the same request got there first.
    pub async fn remember(&mut self, scope: &str, key: &str, what: &Remembered, now: UtcMs) -> Result<(), StoreError> {
        let forget = "DELETE FROM idempotency WHERE created_at <= $1";
        self.execute(forget, args![now.plus_ms(-REMEMBERED_MS)]).await?;
        self.execute(
            "INSERT INTO idempotency (scope, request_key, fingerprint, response, created_at) VALUES ($1, $2, $3, $4, $5)",
            args![scope, key, &what.fingerprint, &what.response, now],
        )
        .await?;
        Ok(())
    }
}
