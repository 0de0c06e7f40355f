//! What people are told of schedules. A row is written before anything is sent, and there is one for a shift and kind.
//! Rows hold identifiers and times alone.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId};
use crate::domain::oncall::reminder::Notice;

use super::sql::json;
use super::{Query, Row, StoreError, Tx, args, readers};

/// Something to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub id: String,
    pub account: AccountId,
    /// Names it to providers, the same at each try.
    pub attempt: AttemptId,
    pub notice: Notice,
    pub tries: u32,
}

readers! {
    /// What is to be sent by `now`, the oldest first.
    list_pending_notices(now: UtcMs) -> Vec<Pending>;
}

async fn list_pending_notices(from: &mut impl Query, now: UtcMs) -> Result<Vec<Pending>, StoreError> {
    const SQL: &str = "SELECT id, account, attempt, notice, tries FROM shift_notice
        WHERE next_at <= $1 ORDER BY made_at, id LIMIT 200";
    from.fetch_all(SQL, args![now]).await?.iter().map(pending).collect()
}

fn pending(row: &Row) -> Result<Pending, StoreError> {
    Ok(Pending {
        id: row.read("id")?,
        account: row.read("account")?,
        attempt: row.read("attempt")?,
        notice: row.read_json("notice")?,
        tries: row.read("tries")?,
    })
}

impl Tx {
    /// Something is to be sent, by this name. False: there is a row for it, and somebody sends it or has.
    pub async fn insert_notice(
        &mut self,
        id: &str,
        account: &AccountId,
        notice: &Notice,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO shift_notice (id, account, attempt, notice, made_at, tries, next_at)
            VALUES ($1, $2, $3, $4, $5, 0, $5) ON CONFLICT (id) DO NOTHING";
        let args = args![id, account, &AttemptId::fresh(now), json(notice), now];
        Ok(self.execute(sql, args).await? > 0)
    }

    /// Whoever gets true sends it now; a try that nothing is heard of is made again at `again_at`.
    pub async fn claim_notice(&mut self, pending: &Pending, again_at: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE shift_notice SET tries = tries + 1, next_at = $3
            WHERE id = $1 AND tries = $2 AND next_at IS NOT NULL";
        Ok(self.execute(sql, args![&pending.id, pending.tries, again_at]).await? > 0)
    }

    /// No more of it is sent, for this reason: `sent`, `over`, `unreachable`, `failed`.
    pub async fn settle_notice(&mut self, id: &str, outcome: &str) -> Result<(), StoreError> {
        let sql = "UPDATE shift_notice SET next_at = NULL, outcome = $2 WHERE id = $1";
        self.execute(sql, args![id, outcome]).await.map(|_| ())
    }

    /// Forgets those of long ago.
    pub async fn delete_old_notices(&mut self, before: UtcMs) -> Result<(), StoreError> {
        self.execute("DELETE FROM shift_notice WHERE made_at < $1", args![before]).await.map(|_| ())
    }
}
