//! Cutting the audit log off where its rows are old enough: a sealed mark is left that the first row left is checked against,
//! and the log says itself that it was cut.

use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;

use super::{Act, CUT, Entry, HEAD, Mark, Who};
use crate::io::store::{Query as _, Store, StoreError, args};

/// Rows deleted in one transaction at most, so that nobody waits long for the end of the chain.
const MOST: i64 = 10_000;

impl Store {
    /// Deletes rows that are all older than `before`, a limited number of them; tells how many.
    pub async fn cut_audit(&self, before: UtcMs, now: UtcMs) -> Result<u64, StoreError> {
        // Reading first: hardly ever there is anything to do.
        let Some(first) = self.list_audit_after(0, i64::MAX, 1).await?.pop().filter(|row| row.at < before) else {
            return Ok(0);
        };
        const YOUNG: &str = "SELECT MIN(number) AS number FROM audit WHERE at >= $1";
        let young = self.fetch_optional(YOUNG, args![before]).await?.map(|row| row.read::<Option<i64>>("number"));
        let head = self.find_audit_mark(HEAD).await?.unwrap_or_else(Mark::beginning);
        let last_old = young.transpose()?.flatten().map_or(head.number, |number| number - 1);
        let last = last_old.min(first.number + MOST - 1);
        let mut tx = self.write().await?;
        let sql = format!("SELECT hash FROM audit WHERE number = $1{}", tx.dialect().for_update());
        // Safe: made of literals. Gone: another node was faster.
        let Some(row) = tx.fetch_optional(AssertSqlSafe(sql), args![last]).await? else { return Ok(0) };
        let mark = Mark::sealed(tx.seal().audit_key(), CUT, last, now, row.read("hash")?);
        let cut = tx.execute("DELETE FROM audit WHERE number <= $1", args![last]).await?;
        tx.upsert_audit_mark(CUT, &mark).await?;
        tx.audit(Entry::new(now, Who::House, Act::AuditCut, last.to_string()));
        tx.commit("cut_audit").await?;
        Ok(cut)
    }
}
