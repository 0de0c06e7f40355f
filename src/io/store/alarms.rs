//! The alarm chain as it stands, sealed, as it names people and their telephones; and what it looks at: which dispatches need an
//! operator, and how long a timer has been overdue.
//!
//! One chain stands at a time. A writer must have read the latest state ([`StoredChain::gen`]).

use crate::base::clock::UtcMs;
use crate::base::id::{AlarmChainId, DispatchId};
use crate::domain::alarm::State;
use crate::domain::dispatch::event::Entry;

use super::entries::seal_entry;
use super::{Query, StoreError, Tx, args, readers};

/// The chain as it is in the store.
#[derive(Clone, Debug)]
pub struct StoredChain {
    pub state: State,
    /// How often it has been written.
    pub r#gen: i64,
}

readers! {
    /// The chain that stands.
    find_alarm_chain() -> Option<StoredChain>;
    /// Open dispatches that need an operator.
    list_dispatches_in_need() -> Vec<DispatchId>;
    /// When the timer was due that has waited longest for somebody to serve it.
    find_most_overdue(now: UtcMs) -> Option<UtcMs>;
}

const STANDS: &str = "SELECT id, gen, sealed FROM alarm_chain WHERE standing = 1";

async fn find_alarm_chain(from: &mut impl Query) -> Result<Option<StoredChain>, StoreError> {
    load(from, "").await
}

async fn load(from: &mut impl Query, lock: &'static str) -> Result<Option<StoredChain>, StoreError> {
    // Safe: `lock` is one of the dialect's literals.
    let sql = sqlx::AssertSqlSafe(format!("{STANDS}{lock}"));
    let Some(row) = from.fetch_optional(sql, Vec::new()).await? else { return Ok(None) };
    let id: AlarmChainId = row.read("id")?;
    let state = from.seal().open_json(&context(&id), &row.read::<Vec<u8>>("sealed")?)?;
    Ok(Some(StoredChain { state, r#gen: row.read("gen")? }))
}

async fn list_dispatches_in_need(from: &mut impl Query) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT id FROM dispatch WHERE closed_at IS NULL AND needs_operator <> 0 ORDER BY id";
    from.fetch_all(SQL, Vec::new()).await?.iter().map(|row| row.read("id")).collect()
}

async fn find_most_overdue(from: &mut impl Query, now: UtcMs) -> Result<Option<UtcMs>, StoreError> {
    // What somebody holds is being served, however late.
    const SQL: &str =
        "SELECT MIN(due_at) AS due FROM timer WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)";
    from.fetch_optional(SQL, args![now]).await?.map_or(Ok(None), |row| row.read("due"))
}

fn context(id: &AlarmChainId) -> String {
    format!("alarm_chain:{id}")
}

impl Tx {
    /// Reads the chain to decide about it: on PostgreSQL nobody else can meanwhile.
    pub async fn lock_alarm_chain(&mut self) -> Result<Option<StoredChain>, StoreError> {
        let lock = self.dialect().for_update();
        load(self, lock).await
    }

    /// Writes the chain; `read`: as it was, if it is not new.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else has written it since, or has begun one.
    pub async fn save_alarm_chain(
        &mut self,
        read: Option<&StoredChain>,
        after: &State,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        let sealed = self.seal().seal_json(&context(&after.id), after);
        let (ended_at, standing) = if after.is_over() { (Some(now), None) } else { (None, Some(1_i64)) };
        let changed = match read {
            Some(read) => {
                let sql = "UPDATE alarm_chain SET ended_at = $3, standing = $4, sealed = $5, gen = gen + 1
                    WHERE id = $1 AND gen = $2";
                self.execute(sql, args![&after.id, read.r#gen, ended_at, standing, sealed]).await?
            }
            None => {
                let sql = "INSERT INTO alarm_chain (id, begun_at, ended_at, standing, gen, sealed)
                    VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING";
                self.execute(sql, args![&after.id, after.begun_at, ended_at, standing, sealed]).await?
            }
        };
        if changed == 0 {
            return Err(StoreError::Conflict { what: "alarm_chain".to_owned() });
        }
        Ok(())
    }

    /// Writes a line into the history of a dispatch beside its own decisions; nothing if it is not there.
    pub async fn note_on_dispatch(&mut self, id: &DispatchId, entry: &Entry) -> Result<(), StoreError> {
        let lock = self.dialect().for_update();
        // Safe: `lock` is one of the dialect's literals. Lines are numbered by whoever holds the dispatch.
        let sql = sqlx::AssertSqlSafe(format!("SELECT id FROM dispatch WHERE id = $1{lock}"));
        if self.fetch_optional(sql, args![id]).await?.is_none() {
            return Ok(());
        }
        let body = seal_entry(self.seal(), id, entry);
        self.execute(
            "INSERT INTO dispatch_event (dispatch, seq, at, body) VALUES
             ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM dispatch_event WHERE dispatch = $1), $2, $3)",
            args![id, entry.at, body],
        )
        .await?;
        Ok(())
    }
}
