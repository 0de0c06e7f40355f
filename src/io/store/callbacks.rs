//! Callbacks: what callers were promised who would not wait on the line. A row is written before the promise is spoken,
//! and has an end only once the caller was reached, or is given up.

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::operator::skill::Skills;

use super::calls::SEEN_TO;
use super::sql::{json, places};
use super::{Query, Row, StoreError, ToArg, Tx, args, readers};

/// A caller to be called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The call in which it was promised.
    pub call: CallId,
    pub account: AccountId,
    /// The account's number that was dialled then.
    pub did: PhoneNumber,
    pub number: PhoneNumber,
    pub priority: i32,
    pub skills: Skills,
    /// What they called about, as far as their call knew.
    pub call_type: Option<CallTypeId>,
    /// When the caller began to wait: the place they keep.
    pub since: UtcMs,
    pub promised_at: UtcMs,
    /// How often they were dialled in vain.
    pub tries: u32,
    /// Not before this.
    pub next_at: UtcMs,
    pub end: Option<CallbackEnd>,
}

impl Callback {
    /// When the call came in, which is what a wait is counted from.
    pub fn rang_at(&self) -> UtcMs {
        // A name of somebody's own says no time.
        self.call.made_at().unwrap_or(self.since)
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackEnd {
    pub at: UtcMs,
    /// `reached`, `not_reached`, `given_up` by an operator, or `withdrawn`: it could not be said in time that it was stored, so it was not promised.
    pub outcome: String,
    /// Who called last.
    pub operator: Option<UserId>,
}

readers! {
    /// Promises that are not kept yet, the longest wait first.
    list_open_callbacks() -> Vec<Callback>;
    /// The same, and those that came to nothing after `since` and whose callers nobody has seen to.
    list_callbacks_to_see_to(since: UtcMs) -> Vec<Callback>;
    /// The callback promised in this call.
    find_callback(call: &CallId) -> Option<Callback>;
    /// The callbacks promised in these calls.
    list_callbacks_of(calls: &[CallId]) -> Vec<Callback>;
}

const COLUMNS: &str =
    "SELECT call, account, did, number, priority, skills, call_type, since, promised_at, tries, next_at, ended_at,
    outcome, operator FROM callback";

async fn list_open_callbacks(from: &mut impl Query) -> Result<Vec<Callback>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE ended_at IS NULL ORDER BY since, call"));
    from.fetch_all(sql, Vec::new()).await?.iter().map(callback).collect()
}

async fn list_callbacks_to_see_to(from: &mut impl Query, since: UtcMs) -> Result<Vec<Callback>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE ended_at IS NULL OR (ended_at > $1 AND outcome IN ('not_reached', 'given_up')
         AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = callback.call AND e.kind = '{SEEN_TO}'))
         ORDER BY since, call"
    ));
    from.fetch_all(sql, args![since]).await?.iter().map(callback).collect()
}

async fn find_callback(from: &mut impl Query, call: &CallId) -> Result<Option<Callback>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE call = $1"));
    from.fetch_optional(sql, args![call]).await?.as_ref().map(callback).transpose()
}

async fn list_callbacks_of(from: &mut impl Query, calls: &[CallId]) -> Result<Vec<Callback>, StoreError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    // Safe: made of literals and places.
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE call IN ({})", places(calls.len())));
    from.fetch_all(sql, calls.iter().map(ToArg::to_arg).collect()).await?.iter().map(callback).collect()
}

fn callback(row: &Row) -> Result<Callback, StoreError> {
    let end = match row.read::<Option<UtcMs>>("ended_at")? {
        None => None,
        Some(at) => Some(CallbackEnd { at, outcome: row.read("outcome")?, operator: row.read("operator")? }),
    };
    Ok(Callback {
        call: row.read("call")?,
        account: row.read("account")?,
        did: row.read("did")?,
        number: row.read("number")?,
        priority: row.read("priority")?,
        skills: row.read_json("skills")?,
        call_type: row.read("call_type")?,
        since: row.read("since")?,
        promised_at: row.read("promised_at")?,
        tries: row.read("tries")?,
        next_at: row.read("next_at")?,
        end,
    })
}

impl Tx {
    /// Writes a callback as it is now; one that has an end keeps it, until somebody rings the same caller back anew.
    pub async fn upsert_callback(&mut self, callback: &Callback) -> Result<(), StoreError> {
        let end = callback.end.as_ref();
        self.execute(
            "INSERT INTO callback (call, account, did, number, priority, skills, since, promised_at, tries, next_at,
             ended_at, outcome, operator, call_type)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (call) DO UPDATE SET account = excluded.account, did = excluded.did, number = excluded.number,
             priority = excluded.priority, skills = excluded.skills, since = excluded.since,
             promised_at = excluded.promised_at, tries = excluded.tries, next_at = excluded.next_at,
             ended_at = excluded.ended_at, outcome = excluded.outcome, operator = excluded.operator, call_type = excluded.call_type
             WHERE callback.ended_at IS NULL OR callback.promised_at < excluded.promised_at",
            args![
                &callback.call,
                &callback.account,
                &callback.did,
                &callback.number,
                callback.priority,
                json(&callback.skills),
                callback.since,
                callback.promised_at,
                callback.tries,
                callback.next_at,
                end.map(|end| end.at),
                end.map(|end| end.outcome.as_str()),
                end.and_then(|end| end.operator.as_ref()),
                callback.call_type.as_ref()
            ],
        )
        .await?;
        Ok(())
    }
}
