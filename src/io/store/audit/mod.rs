//! The audit log: who read, heard or changed what, as a chain that shows if a row was changed or taken out (docs/adr/0010).
//!
//! A transaction notes what it does ([`Tx::audit`]) and writes it as the last thing before it commits: whoever waits for the
//! end of the chain then holds nothing that somebody before them could wait for. Writers on several nodes take turns at that
//! end, so the chain never forks. What is only read is gathered by `engine/audit`, many reads a commit. Rows hold identifiers
//! alone. Old ones are cut off ([`Store::cut_audit`]), which leaves a sealed mark that the rest is checked against.

mod anchor;
mod chain;
mod cut;
mod verify;
mod words;

use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;

use super::calls::{pieces, rows_of};
use super::{Arg, Query, Row, StoreError, Tx, args, readers};

pub use anchor::{Anchor, AnchorFile};
pub use verify::{Broken, Verified};
pub use words::{Act, Entry, Who};

use chain::Mark;

/// The end of the chain, by name.
const HEAD: &str = "head";
/// Where it was cut off.
const CUT: &str = "cut";

/// A row of the log. What it says is whatever stands there: `cordboard audit verify` says whether it was written so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub number: i64,
    pub at: UtcMs,
    pub who: String,
    pub act: String,
    pub object: String,
    /// The hash of the row before.
    pub before: Vec<u8>,
    pub hash: Vec<u8>,
}

/// Which rows are wanted; all that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub object: Option<String>,
    pub who: Option<String>,
    /// All of one kind (`message`), or one alone (`message.read`).
    pub act: Option<String>,
    pub since: Option<UtcMs>,
    /// Before this.
    pub until: Option<UtcMs>,
}

readers! {
    /// Rows, the newest first, older than the one numbered `before`.
    list_audit(filter: &AuditFilter, before: Option<i64>, limit: u32) -> Vec<AuditRow>;
    /// Rows after the one numbered `after`, in order, up to `last`.
    list_audit_after(after: i64, last: i64, limit: u32) -> Vec<AuditRow>;
    /// The end of the chain, or where it was cut off.
    find_audit_mark(name: &str) -> Option<Mark>;
}

const COLUMNS: &str = "SELECT number, at, who, act, object, before, hash FROM audit";

async fn list_audit(
    from: &mut impl Query,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let mut sql = format!("{COLUMNS} WHERE 1 = 1");
    let mut args: Vec<Arg> = Vec::new();
    let mut and = |condition: &str, mut arg: Vec<Arg>| {
        args.append(&mut arg);
        sql.push_str(&format!(" AND {condition} ${}", args.len()));
    };
    if let Some(object) = &filter.object {
        and("object =", args![object]);
    }
    if let Some(who) = &filter.who {
        and("who =", args![who]);
    }
    match &filter.act {
        Some(act) if act.contains('.') => and("act =", args![act]),
        // None but ours are written, and these have letters and underscores: one of them stands for itself as well.
        Some(kind) => and("act LIKE", args![format!("{kind}.%")]),
        None => {}
    }
    if let Some(since) = filter.since {
        and("at >=", args![since]);
    }
    if let Some(until) = filter.until {
        and("at <", args![until]);
    }
    if let Some(before) = before {
        and("number <", args![before]);
    }
    args.append(&mut args![limit]);
    sql.push_str(&format!(" ORDER BY number DESC LIMIT ${}", args.len()));
    // Safe: made of the literals above.
    from.fetch_all(AssertSqlSafe(sql), args).await?.iter().map(row).collect()
}

async fn list_audit_after(
    from: &mut impl Query,
    after: i64,
    last: i64,
    limit: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let sql = AssertSqlSafe(format!("{COLUMNS} WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3"));
    from.fetch_all(sql, args![after, last, limit]).await?.iter().map(row).collect()
}

async fn find_audit_mark(from: &mut impl Query, name: &str) -> Result<Option<Mark>, StoreError> {
    const SQL: &str = "SELECT number, at, hash, seal FROM audit_mark WHERE name = $1";
    from.fetch_optional(SQL, args![name]).await?.as_ref().map(mark).transpose()
}

fn row(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        number: row.read("number")?,
        at: row.read("at")?,
        who: row.read("who")?,
        act: row.read("act")?,
        object: row.read("object")?,
        before: row.read("before")?,
        hash: row.read("hash")?,
    })
}

fn mark(row: &Row) -> Result<Mark, StoreError> {
    Ok(Mark { number: row.read("number")?, at: row.read("at")?, hash: row.read("hash")?, seal: row.read("seal")? })
}

impl Tx {
    /// Puts this on the audit log when, and only if, the transaction is committed.
    pub fn audit(&mut self, entry: Entry) {
        self.audited.push(entry);
    }

    /// Writes what was noted, as the last thing before the commit.
    pub(super) async fn chain_audit(&mut self) -> Result<(), StoreError> {
        let entries = std::mem::take(&mut self.audited);
        let Some(latest) = entries.iter().map(|entry| entry.at).max() else { return Ok(()) };
        let (mut head, whole) = self.lock_audit_head().await?;
        let key = self.seal.audit_key().clone();
        let altered = (!whole).then(|| Entry::new(latest, Who::House, Act::AuditAltered, ""));
        let mut rows = Vec::with_capacity(entries.len() + 1);
        for entry in altered.into_iter().chain(entries) {
            let mut row = AuditRow {
                number: head.number + 1,
                at: entry.at,
                who: entry.who.to_string(),
                act: entry.act.as_str().to_owned(),
                object: entry.object,
                before: head.hash,
                hash: Vec::new(),
            };
            row.hash = chain::hash(&key, &row);
            (head.number, head.hash) = (row.number, row.hash.clone());
            rows.push(row);
        }
        self.insert_audit_rows(&rows).await?;
        self.upsert_audit_mark(HEAD, &Mark::sealed(&key, HEAD, head.number, latest, head.hash)).await
    }

    /// The end of the chain, nobody else's to add to until the commit, and whether it is as we left it. One that was altered is
    /// not put right in silence: the chain goes on from the last row that is there and says so itself.
    async fn lock_audit_head(&mut self) -> Result<(Mark, bool), StoreError> {
        let sql =
            format!("SELECT number, at, hash, seal FROM audit_mark WHERE name = $1{}", self.dialect().for_update());
        // Safe: made of literals.
        let found = self.fetch_optional(AssertSqlSafe(sql), args![HEAD]).await?.as_ref().map(mark).transpose()?;
        if let Some(head) = found.filter(|head| head.is_ours(self.seal.audit_key(), HEAD)) {
            return Ok((head, true));
        }
        tracing::error!(code = "audit.altered", "the end of the audit log was altered: run cordboard audit verify");
        metrics::counter!("cordboard_audit_altered_total").increment(1);
        let sql = AssertSqlSafe(format!("{COLUMNS} ORDER BY number DESC LIMIT 1"));
        let last = self.fetch_optional(sql, Vec::new()).await?.as_ref().map(row).transpose()?;
        let head = last.map(|last| Mark { number: last.number, hash: last.hash, ..Mark::beginning() });
        Ok((head.unwrap_or_else(Mark::beginning), false))
    }

    async fn insert_audit_rows(&mut self, rows: &[AuditRow]) -> Result<(), StoreError> {
        const COLUMNS: usize = 7;
        for rows in pieces(rows) {
            let places = rows_of::<COLUMNS>(self.dialect(), rows.len(), ", ", |places| {
                format!("({})", places.map(|place| place.to_string()).join(", "))
            });
            let sql = format!("INSERT INTO audit (number, at, who, act, object, before, hash) VALUES {places}");
            let mut args = Vec::with_capacity(rows.len() * COLUMNS);
            for row in rows {
                let (before, hash) = (row.before.clone(), row.hash.clone());
                args.append(&mut args![row.number, row.at, &row.who, &row.act, &row.object, before, hash]);
            }
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(())
    }

    async fn upsert_audit_mark(&mut self, name: &str, mark: &Mark) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO audit_mark (name, number, at, hash, seal) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name) DO UPDATE SET number = excluded.number, at = excluded.at, hash = excluded.hash,
             seal = excluded.seal",
            args![name, mark.number, mark.at, mark.hash.clone(), mark.seal.clone()],
        )
        .await?;
        Ok(())
    }
}
