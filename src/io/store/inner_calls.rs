//! Inner calls: operators who call each other from desk phones. No account is behind them and nothing is recorded; that
//! they were, between whom, when and how they ended is kept.

use crate::base::clock::UtcMs;
use crate::base::id::{CallId, UserId};
use crate::domain::call::cause::Cause;

use super::sql::word;
use super::{Arg, Query, Row, StoreError, Tx, args, readers};

/// A call between two operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerCall {
    pub id: CallId,
    pub by: UserId,
    pub to: UserId,
    pub started_at: UtcMs,
    /// None: it was not picked up.
    pub answered_at: Option<UtcMs>,
    /// None while it lasts, and of one that a crash cut off.
    pub end: Option<(UtcMs, Cause)>,
}

readers! {
    /// The newest first; older than `before`, if that is given.
    list_inner_calls(before: Option<&CallId>, limit: u32) -> Vec<InnerCall>;
}

async fn list_inner_calls(
    from: &mut impl Query,
    before: Option<&CallId>,
    limit: u32,
) -> Result<Vec<InnerCall>, StoreError> {
    let mut sql = "SELECT id, by_user, to_user, started_at, answered_at, ended_at, cause FROM inner_call".to_owned();
    let mut args: Vec<Arg> = args![limit];
    if let Some(before) = before {
        args.append(&mut args![before]);
        sql.push_str(" WHERE id < $2");
    }
    sql.push_str(" ORDER BY id DESC LIMIT $1");
    // Safe: made of the literals above.
    from.fetch_all(sqlx::AssertSqlSafe(sql), args).await?.iter().map(inner_call).collect()
}

fn inner_call(row: &Row) -> Result<InnerCall, StoreError> {
    let ended_at = row.read::<Option<UtcMs>>("ended_at")?;
    let end = match ended_at {
        Some(at) => Some((at, row.read_word("cause")?)),
        None => None,
    };
    Ok(InnerCall {
        id: row.read("id")?,
        by: row.read("by_user")?,
        to: row.read("to_user")?,
        started_at: row.read("started_at")?,
        answered_at: row.read("answered_at")?,
        end,
    })
}

impl Tx {
    /// Writes an inner call as far as it has come. Once it has an end, that stays.
    pub async fn upsert_inner_call(&mut self, call: &InnerCall) -> Result<(), StoreError> {
        let (ended_at, cause) = call.end.map_or((None, None), |(at, cause)| (Some(at), Some(word(&cause))));
        self.execute(
            "INSERT INTO inner_call (id, by_user, to_user, started_at, answered_at, ended_at, cause)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET answered_at = excluded.answered_at, ended_at = excluded.ended_at,
                 cause = excluded.cause WHERE inner_call.ended_at IS NULL",
            args![&call.id, &call.by, &call.to, call.started_at, call.answered_at, ended_at, cause],
        )
        .await?;
        Ok(())
    }
}
