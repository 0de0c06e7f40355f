//! Callers who hung up too early, or whom we cut off, and whom nobody has seen to: from the record of calls, and from forms that
//! were begun and not finished.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, DraftId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::abandoned::Abandoned;
use crate::domain::call::event::RecordEvent;
use crate::domain::call::way::{KINDS, Way};

use super::calls::{SEEN_TO, first_to_end_at};
use super::sql::places;
use super::{Arg, Query, Row, StoreError, ToArg, args, readers};

/// A caller who hung up too early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonedCall {
    pub call: CallId,
    pub account: AccountId,
    /// The account's number that was dialled.
    pub did: Option<PhoneNumber>,
    /// None if withheld.
    pub caller: Option<PhoneNumber>,
    pub on: Abandoned,
    pub started_at: UtcMs,
    pub ended_at: UtcMs,
    /// Who talked with them last.
    pub operator: Option<UserId>,
    /// The form that was begun.
    pub draft: Option<(DraftId, UserId)>,
}

readers! {
    /// Those whose calls ended after `since` and whom nobody has seen to, of one kind or of all, the newest first; older
    /// than `before`, if that is given.
    list_abandoned(since: UtcMs, on: Option<Abandoned>, before: Option<&CallId>, limit: u32) -> Vec<AbandonedCall>;
    /// What the callers of these calls had come to, as far as it is on record.
    list_ways(calls: &[CallId]) -> Vec<(CallId, Way)>;
    /// How many there are, of all kinds.
    count_abandoned(since: UtcMs) -> u32;
    /// Calls that came in since then, were taken, and whose form was begun and left unfinished, whether somebody has seen to them
    /// or not: whose, and when they came.
    list_forms_left(since: UtcMs) -> Vec<(AccountId, UtcMs)>;
}

async fn list_forms_left(from: &mut impl Query, since: UtcMs) -> Result<Vec<(AccountId, UtcMs)>, StoreError> {
    // As the list of them has it: whom we cut off, or who hung up too early, is of another kind.
    const SQL: &str = "SELECT c.account, c.started_at FROM call c
        WHERE c.id >= $1 AND c.started_at >= $2 AND c.direction = 'in' AND c.ended_at IS NOT NULL
        AND c.outcome NOT IN ('cut_off', 'fault')
        AND EXISTS (SELECT 1 FROM draft d WHERE d.call = c.id AND d.message IS NULL)
        AND EXISTS (SELECT 1 FROM call_event w WHERE w.call = c.id AND w.kind = 'wrapped_up')
        AND NOT EXISTS (SELECT 1 FROM call_event a WHERE a.call = c.id AND a.kind = 'abandoned')
        ORDER BY c.id";
    let rows = from.fetch_all(SQL, args![&CallId::first_at(since), since]).await?;
    rows.iter().map(|row| Ok((row.read("account")?, row.read("started_at")?))).collect()
}

/// Those whose calls ended after the first argument, of identifiers from the second on, and whom nobody has seen to; `body`
/// says of which kind each is.
fn gone() -> String {
    // An event may stand twice. A form counts once its operator has left it: after the wrap-up.
    let left = "EXISTS (SELECT 1 FROM call_event w WHERE w.call = c.id AND w.kind = 'wrapped_up')";
    format!(
        "(SELECT c.id, c.account, c.did, c.remote, c.started_at, c.ended_at, c.operator, d.id AS draft, d.owner,
         CASE WHEN e.call IS NOT NULL THEN e.body
              WHEN c.outcome IN ('cut_off', 'fault') THEN '{}'
              WHEN d.id IS NOT NULL AND {left} THEN '{}' END AS body
         FROM call c
         LEFT JOIN call_event e ON e.call = c.id
              AND e.seq = (SELECT MIN(a.seq) FROM call_event a WHERE a.call = c.id AND a.kind = 'abandoned')
         LEFT JOIN draft d ON d.id = (SELECT MIN(o.id) FROM draft o WHERE o.call = c.id AND o.message IS NULL)
         WHERE c.id >= $2 AND c.ended_at > $1 AND c.direction = 'in'
         AND NOT EXISTS (SELECT 1 FROM call_event s WHERE s.call = c.id AND s.kind = '{SEEN_TO}')
         ) AS gone WHERE body IS NOT NULL",
        written(Abandoned::CutOff),
        written(Abandoned::Form)
    )
}

async fn list_abandoned(
    from: &mut impl Query,
    since: UtcMs,
    on: Option<Abandoned>,
    before: Option<&CallId>,
    limit: u32,
) -> Result<Vec<AbandonedCall>, StoreError> {
    let mut sql = format!("SELECT * FROM {}", gone());
    let mut args: Vec<Arg> = args![since, &first_to_end_at(since)];
    if let Some(on) = on {
        args.append(&mut args![written(on)]);
        sql.push_str(&format!(" AND body = ${}", args.len()));
    }
    if let Some(before) = before {
        args.append(&mut args![before]);
        sql.push_str(&format!(" AND id < ${}", args.len()));
    }
    args.append(&mut args![limit]);
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ${}", args.len()));
    // Safe: made of the literals above.
    from.fetch_all(sqlx::AssertSqlSafe(sql), args).await?.iter().map(abandoned).collect()
}

async fn list_ways(from: &mut impl Query, calls: &[CallId]) -> Result<Vec<(CallId, Way)>, StoreError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT call, kind, body FROM call_event WHERE call IN ({}) AND kind IN ('{}') ORDER BY call, seq",
        places(calls.len()),
        KINDS.join("', '")
    );
    let args = calls.iter().map(ToArg::to_arg).collect();
    // Safe: made of literals and places.
    let rows = from.fetch_all(sqlx::AssertSqlSafe(sql), args).await?;
    let mut ways: Vec<(CallId, Way)> = Vec::new();
    for row in &rows {
        let (call, kind): (CallId, String) = (row.read("call")?, row.read("kind")?);
        let mut body: serde_json::Value = row.read_json("body")?;
        if let Some(body) = body.as_object_mut() {
            body.insert("kind".to_owned(), kind.into());
        }
        // What is not as the machine writes it says nothing.
        let Ok(event) = serde_json::from_value::<RecordEvent>(body) else { continue };
        if ways.last().is_none_or(|(of, _)| *of != call) {
            ways.push((call, Way::default()));
        }
        if let Some((_, way)) = ways.last_mut() {
            way.note(&event);
        }
    }
    Ok(ways)
}

async fn count_abandoned(from: &mut impl Query, since: UtcMs) -> Result<u32, StoreError> {
    // Safe: made of the literals above.
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {}", gone()));
    let row = from.fetch_optional(sql, args![since, &first_to_end_at(since)]).await?;
    row.map_or(Ok(0), |row| row.read("n"))
}

/// A kind as its event has it.
pub(super) fn written(on: Abandoned) -> String {
    super::sql::json(&serde_json::json!({ "on": on }))
}

fn abandoned(row: &Row) -> Result<AbandonedCall, StoreError> {
    let body: serde_json::Value = row.read_json("body")?;
    let on =
        serde_json::from_value(body["on"].clone()).map_err(|_| StoreError::Corrupt { column: "body".to_owned() })?;
    let draft = row.read::<Option<DraftId>>("draft")?;
    Ok(AbandonedCall {
        call: row.read("id")?,
        account: row.read("account")?,
        did: row.read("did")?,
        caller: row.read("remote")?,
        on,
        started_at: row.read("started_at")?,
        ended_at: row.read("ended_at")?,
        operator: row.read("operator")?,
        draft: draft.zip(row.read::<Option<UserId>>("owner")?),
    })
}
