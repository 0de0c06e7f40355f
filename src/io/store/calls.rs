//! Calls: a row for each, and what happened in it with times to the millisecond.
//!
//! A call's outcome is a word of the call machine's; a row without an end was cut off by a crash.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::abandoned::Abandoned;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::RecordEvent;

use super::abandoned::written;
use super::dialect::{Dialect, Placeholder};
use super::sql::{from_word, json, word};
use super::{Query, Row, StoreError, Tx, args, readers};

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    In,
    Out,
}

/// A call on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    pub id: CallId,
    pub account: AccountId,
    pub direction: Direction,
    pub trunk: String,
    /// The account's number that was dialled; none for a call out.
    pub did: Option<PhoneNumber>,
    /// The other party: who called, or who was called. None if withheld.
    pub remote: Option<PhoneNumber>,
    pub forwarded_from: Option<PhoneNumber>,
    pub started_at: UtcMs,
    pub end: Option<CallEnd>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEnd {
    pub answered_at: Option<UtcMs>,
    pub ended_at: UtcMs,
    /// `taken`, `abandoned`, `patched`, … : a word of the call machine's.
    pub outcome: String,
    pub cause: Cause,
    /// Who talked to the caller last.
    pub operator: Option<UserId>,
}

/// One thing that happened in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallEventRecord {
    pub seq: i64,
    pub at: UtcMs,
    pub kind: String,
    pub body: serde_json::Value,
}

/// A call as far as the figures of its day need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOfDay {
    pub account: AccountId,
    pub started_at: UtcMs,
    /// When the first operator talked with the caller.
    pub talking_at: Option<UtcMs>,
    /// When somebody took the caller over who was rung by the machine.
    pub accepted_at: Option<UtcMs>,
    /// When an operator left a patch to itself.
    pub dropped_at: Option<UtcMs>,
    /// That the caller hung up too early, and where.
    pub abandoned: Option<RecordEvent>,
    /// How the machine said that it ended.
    pub ended: Option<RecordEvent>,
    pub ended_at: Option<UtcMs>,
}

/// No caller stays on the line for longer.
const LONGEST_CALL_MS: i64 = 86_400_000;
/// The event of a call after its end: an operator has seen to its caller.
pub const SEEN_TO: &str = "seen_to";
/// The event of a call in which one wrong PIN too many was tried, and that an operator has seen the alarm of it.
pub const PINS_LOCKED: &str = "pins_locked";
pub const PINS_LOCKED_SEEN: &str = "pins_locked_seen";

readers! {
    /// The call with this identifier.
    find_call(id: &CallId) -> Option<CallRecord>;
    /// Calls, newest first, older than `before`.
    list_calls(account: Option<&AccountId>, before: Option<&CallId>, limit: u32) -> Vec<CallRecord>;
    /// Calls without an end: live ones, and after a start those that a crash cut off.
    list_unfinished_calls() -> Vec<CallRecord>;
    /// Callers that somebody should ring back, and nobody has said to have seen to: cut off by us, or told that
    /// no operator was free; but for those who are being rung back. Those whose calls ended after `since`, oldest first.
    list_calls_to_ring_back(since: UtcMs) -> Vec<CallRecord>;
    /// Of these, those who were joined with another call and cut off in that, after their own was over.
    list_joined_calls_to_ring_back(since: UtcMs) -> Vec<CallRecord>;
    /// Calls in which one wrong PIN too many was tried since then, and of which nobody has dismissed the alarm, oldest first.
    list_calls_that_locked_pins(since: UtcMs) -> Vec<CallRecord>;
    /// Calls that came in since then, for the figures of a day.
    list_calls_of_day(since: UtcMs) -> Vec<CallOfDay>;
    /// How often each caller has called an account since then.
    count_calls_by_caller(account: &AccountId, since: UtcMs) -> Vec<(PhoneNumber, u32)>;
    /// What happened in a call, in order.
    list_call_events(call: &CallId) -> Vec<CallEventRecord>;
    /// Whose call it was at the end; none: it was changed to no other account than the one that was called.
    find_account_of_call(call: &CallId) -> Option<AccountId>;
}

const COLUMNS: &str = "SELECT id, account, direction, trunk, did, remote, forwarded_from, started_at, answered_at,
    ended_at, outcome, cause, operator FROM call";

async fn find_call(from: &mut impl Query, id: &CallId) -> Result<Option<CallRecord>, StoreError> {
    let sql = AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    from.fetch_optional(sql, args![id]).await?.as_ref().map(call).transpose()
}

async fn list_calls(
    from: &mut impl Query,
    account: Option<&AccountId>,
    before: Option<&CallId>,
    limit: u32,
) -> Result<Vec<CallRecord>, StoreError> {
    let mut sql = format!("{COLUMNS} WHERE 1 = 1");
    let mut args = Vec::new();
    if let Some(account) = account {
        args.append(&mut args![account]);
        sql.push_str(&format!(" AND account = ${}", args.len()));
    }
    if let Some(before) = before {
        args.append(&mut args![before]);
        sql.push_str(&format!(" AND id < ${}", args.len()));
    }
    args.append(&mut args![limit]);
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ${}", args.len()));
    // Safe: made of the literals above.
    from.fetch_all(AssertSqlSafe(sql), args).await?.iter().map(call).collect()
}

async fn list_unfinished_calls(from: &mut impl Query) -> Result<Vec<CallRecord>, StoreError> {
    let sql = AssertSqlSafe(format!("{COLUMNS} WHERE ended_at IS NULL ORDER BY started_at, id"));
    from.fetch_all(sql, Vec::new()).await?.iter().map(call).collect()
}

async fn list_calls_to_ring_back(from: &mut impl Query, since: UtcMs) -> Result<Vec<CallRecord>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "{COLUMNS} WHERE id >= $2 AND ended_at > $1 AND direction = 'in'
         AND (outcome IN ('cut_off', 'fault')
              OR EXISTS (SELECT 1 FROM call_event e WHERE e.call = call.id AND e.kind = 'apology_started'))
         AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = call.id AND e.kind = '{SEEN_TO}')
         AND NOT EXISTS (SELECT 1 FROM callback b WHERE b.call = call.id AND b.ended_at IS NULL)
         ORDER BY ended_at, id"
    ));
    from.fetch_all(sql, args![since, &first_to_end_at(since)]).await?.iter().map(call).collect()
}

async fn list_joined_calls_to_ring_back(from: &mut impl Query, since: UtcMs) -> Result<Vec<CallRecord>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "{COLUMNS} WHERE id >= $2 AND ended_at > $1
         AND EXISTS (SELECT 1 FROM call_event e WHERE e.call = call.id AND e.kind = 'abandoned' AND e.body = $3)
         AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = call.id AND e.kind = '{SEEN_TO}')
         AND NOT EXISTS (SELECT 1 FROM callback b WHERE b.call = call.id AND b.ended_at IS NULL)
         ORDER BY ended_at, id"
    ));
    let args = args![since, &first_to_end_at(since), written(Abandoned::CutOff)];
    from.fetch_all(sql, args).await?.iter().map(call).collect()
}

async fn list_calls_that_locked_pins(from: &mut impl Query, since: UtcMs) -> Result<Vec<CallRecord>, StoreError> {
    let sql = AssertSqlSafe(format!(
        "{COLUMNS} WHERE id >= $2
         AND EXISTS (SELECT 1 FROM call_event e WHERE e.call = call.id AND e.kind = '{PINS_LOCKED}' AND e.at > $1)
         AND NOT EXISTS (SELECT 1 FROM call_event e WHERE e.call = call.id AND e.kind = '{PINS_LOCKED_SEEN}')
         ORDER BY started_at, id"
    ));
    from.fetch_all(sql, args![since, &first_to_end_at(since)]).await?.iter().map(call).collect()
}

/// Calls that end at `since` or later come no earlier than this, by identifier: these are made when the call comes, and are
/// what calls are found by.
pub(super) fn first_to_end_at(since: UtcMs) -> CallId {
    CallId::first_at(since.plus_ms(-LONGEST_CALL_MS))
}

async fn count_calls_by_caller(
    from: &mut impl Query,
    account: &AccountId,
    since: UtcMs,
) -> Result<Vec<(PhoneNumber, u32)>, StoreError> {
    const SQL: &str = "SELECT remote, COUNT(*) AS calls FROM call WHERE account = $1 AND id >= $2 AND started_at >= $3
        AND direction = 'in' AND remote IS NOT NULL GROUP BY remote ORDER BY remote";
    let rows = from.fetch_all(SQL, args![account, &CallId::first_at(since), since]).await?;
    rows.iter().map(|row| Ok((row.read("remote")?, row.read("calls")?))).collect()
}

async fn list_calls_of_day(from: &mut impl Query, since: UtcMs) -> Result<Vec<CallOfDay>, StoreError> {
    // By identifier, as these are made when the call comes and are what calls are found by.
    const SQL: &str = "SELECT c.account, c.started_at, c.ended_at,
        (SELECT MIN(e.at) FROM call_event e WHERE e.call = c.id AND e.kind = 'talking') AS talking_at,
        (SELECT MIN(e.at) FROM call_event e WHERE e.call = c.id AND e.kind = 'patch_accepted') AS accepted_at,
        (SELECT MIN(e.at) FROM call_event e WHERE e.call = c.id AND e.kind = 'patch_dropped') AS dropped_at,
        (SELECT e.body FROM call_event e WHERE e.call = c.id AND e.kind = 'abandoned' ORDER BY e.seq LIMIT 1) AS lost,
        (SELECT e.body FROM call_event e WHERE e.call = c.id AND e.kind = 'ended' ORDER BY e.seq LIMIT 1) AS ended
        FROM call c WHERE c.id >= $1 AND c.started_at >= $2 AND c.direction = 'in' ORDER BY c.id";
    let event = |row: &Row, column: &str, kind: &str| -> Result<Option<RecordEvent>, StoreError> {
        let Some(mut body) = row.read_json_optional::<serde_json::Value>(column)? else { return Ok(None) };
        body["kind"] = kind.into();
        serde_json::from_value(body).map(Some).map_err(|_| StoreError::Corrupt { column: column.to_owned() })
    };
    let call = |row: &Row| {
        Ok(CallOfDay {
            account: row.read("account")?,
            started_at: row.read("started_at")?,
            talking_at: row.read("talking_at")?,
            accepted_at: row.read("accepted_at")?,
            dropped_at: row.read("dropped_at")?,
            abandoned: event(row, "lost", "abandoned")?,
            ended: event(row, "ended", "ended")?,
            ended_at: row.read("ended_at")?,
        })
    };
    from.fetch_all(SQL, args![&CallId::first_at(since), since]).await?.iter().map(call).collect()
}

async fn find_account_of_call(from: &mut impl Query, call: &CallId) -> Result<Option<AccountId>, StoreError> {
    #[derive(Deserialize)]
    struct Changed {
        to: AccountId,
    }
    const SQL: &str =
        "SELECT body FROM call_event WHERE call = $1 AND kind = 'account_changed' ORDER BY seq DESC LIMIT 1";
    let row = from.fetch_optional(SQL, args![call]).await?;
    row.map(|row| row.read_json::<Changed>("body")).transpose().map(|found| found.map(|changed| changed.to))
}

async fn list_call_events(from: &mut impl Query, call: &CallId) -> Result<Vec<CallEventRecord>, StoreError> {
    const SQL: &str = "SELECT seq, at, kind, body FROM call_event WHERE call = $1 ORDER BY seq";
    let event = |row: &Row| {
        Ok(CallEventRecord {
            seq: row.read("seq")?,
            at: row.read("at")?,
            kind: row.read("kind")?,
            body: row.read_json("body")?,
        })
    };
    from.fetch_all(SQL, args![call]).await?.iter().map(event).collect()
}

fn call(row: &Row) -> Result<CallRecord, StoreError> {
    let end = match row.read::<Option<UtcMs>>("ended_at")? {
        None => None,
        Some(ended_at) => Some(CallEnd {
            answered_at: row.read("answered_at")?,
            ended_at,
            outcome: row.read("outcome")?,
            cause: row
                .read::<Option<String>>("cause")?
                .and_then(|cause| from_word(&cause))
                .ok_or_else(|| StoreError::Corrupt { column: "cause".to_owned() })?,
            operator: row.read("operator")?,
        }),
    };
    Ok(CallRecord {
        id: row.read("id")?,
        account: row.read("account")?,
        direction: row.read_word("direction")?,
        trunk: row.read("trunk")?,
        did: row.read("did")?,
        remote: row.read("remote")?,
        forwarded_from: row.read("forwarded_from")?,
        started_at: row.read("started_at")?,
        end,
    })
}

/// Rows in one statement. A few sizes, so that prepared statements stay few, and so near to each other that whatever
/// there is goes in few: each statement is a way to the store and back.
const ROWS: [usize; 6] = [32, 16, 8, 4, 2, 1];

/// `rows` taken apart into as few pieces of those sizes as possible.
pub(super) fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= rows.len())?;
        let (piece, rest) = rows.split_at(size);
        rows = rest;
        Some(piece)
    })
}

/// `rows` times what `row` makes of the places of one, with `between` between them.
pub(super) fn rows_of<const COLUMNS: usize>(
    dialect: Dialect,
    rows: usize,
    between: &str,
    row: impl Fn([Placeholder; COLUMNS]) -> String,
) -> String {
    let places = |n| std::array::from_fn(|column| dialect.place(n * COLUMNS + column + 1));
    (0..rows).map(|n| row(places(n))).collect::<Vec<_>>().join(between)
}

/// Something that happened in a call, to be put on record.
#[derive(Clone, Copy, Debug)]
pub struct NewCallEvent<'a> {
    pub call: &'a CallId,
    pub at: UtcMs,
    pub kind: &'a str,
    pub body: &'a serde_json::Value,
}

impl Tx {
    /// Puts a call on record as it starts; its end comes by [`Tx::finish_call`]. Done again, it changes nothing:
    /// a commit may have reached the disk though its answer never came back.
    pub async fn insert_call(&mut self, call: &CallRecord) -> Result<(), StoreError> {
        self.insert_calls(&[call]).await
    }

    /// The same for many, each with its end if it has one.
    pub async fn insert_calls(&mut self, calls: &[&CallRecord]) -> Result<(), StoreError> {
        const COLUMNS: usize = 13;
        for calls in pieces(calls) {
            let rows = rows_of::<COLUMNS>(self.dialect(), calls.len(), ", ", |places| {
                format!("({})", places.map(|place| place.to_string()).join(", "))
            });
            let sql = format!(
                "INSERT INTO call (id, account, direction, trunk, did, remote, forwarded_from, started_at, answered_at,
                 ended_at, outcome, cause, operator) VALUES {rows} ON CONFLICT (id) DO NOTHING"
            );
            let mut args = Vec::with_capacity(calls.len() * COLUMNS);
            for call in calls {
                let end = call.end.as_ref();
                args.append(&mut args![
                    &call.id,
                    &call.account,
                    word(&call.direction),
                    &call.trunk,
                    call.did.as_ref(),
                    call.remote.as_ref(),
                    call.forwarded_from.as_ref(),
                    call.started_at,
                    end.and_then(|end| end.answered_at),
                    end.map(|end| end.ended_at),
                    end.map(|end| &end.outcome),
                    end.map(|end| word(&end.cause)),
                    end.and_then(|end| end.operator.as_ref())
                ]);
            }
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(())
    }

    /// Adds what happened in a call. One task writes a call's events, so their order is theirs.
    pub async fn append_call_event(
        &mut self,
        call: &CallId,
        at: UtcMs,
        kind: &str,
        body: &impl Serialize,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_value(body).unwrap_or_default();
        self.append_call_events(&[NewCallEvent { call, at, kind, body: &body }]).await
    }

    /// The same for many, of any calls, each call's in their order.
    pub async fn append_call_events(&mut self, events: &[NewCallEvent<'_>]) -> Result<(), StoreError> {
        const COLUMNS: usize = 6;
        for events in pieces(events) {
            // Counted on from what the call has: whether the statement sees its own earlier rows or not, the numbers
            // rise.
            let rows = rows_of::<COLUMNS>(self.dialect(), events.len(), ", ", |[call, same, nth, at, kind, body]| {
                format!(
                    "({call}, (SELECT COALESCE(MAX(seq), 0) FROM call_event WHERE call = {same}) + {nth}, {at}, {kind}, {body})"
                )
            });
            let sql = format!("INSERT INTO call_event (call, seq, at, kind, body) VALUES {rows}");
            let mut args = Vec::with_capacity(events.len() * COLUMNS);
            for (n, event) in events.iter().enumerate() {
                let nth = 1 + events[..n].iter().filter(|before| before.call == event.call).count() as i64;
                args.append(&mut args![event.call, event.call, nth, event.at, event.kind, json(event.body)]);
            }
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(())
    }

    /// Records how a call ended; the first end counts. Tells whether this was it.
    pub async fn finish_call(&mut self, call: &CallId, end: &CallEnd) -> Result<bool, StoreError> {
        Ok(self.finish_calls(&[(call, end)]).await? > 0)
    }

    /// The same for many, each call once; how many of these ends count.
    pub async fn finish_calls(&mut self, ends: &[(&CallId, &CallEnd)]) -> Result<u64, StoreError> {
        const COLUMNS: usize = 6;
        let mut changed = 0;
        for ends in pieces(ends) {
            // Cast, as PostgreSQL takes a bare placeholder here for a text.
            let row = |[id, answered_at, ended_at, outcome, cause, operator]: [Placeholder; COLUMNS]| {
                format!(
                    "SELECT CAST({id} AS TEXT) AS id, CAST({answered_at} AS BIGINT) AS answered_at,
                     CAST({ended_at} AS BIGINT) AS ended_at, CAST({outcome} AS TEXT) AS outcome,
                     CAST({cause} AS TEXT) AS cause, CAST({operator} AS TEXT) AS operator"
                )
            };
            let rows = rows_of(self.dialect(), ends.len(), " UNION ALL ", row);
            let sql = format!(
                "UPDATE call SET answered_at = ended.answered_at, ended_at = ended.ended_at, outcome = ended.outcome,
                 cause = ended.cause, operator = ended.operator FROM ({}) AS ended
                 WHERE call.id = ended.id AND call.ended_at IS NULL",
                rows
            );
            let mut args = Vec::with_capacity(ends.len() * COLUMNS);
            for (call, end) in ends {
                args.append(&mut args![
                    *call,
                    end.answered_at,
                    end.ended_at,
                    &end.outcome,
                    word(&end.cause),
                    end.operator.as_ref()
                ]);
            }
            // Safe: made of the literals above.
            changed += self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(changed)
    }
}
