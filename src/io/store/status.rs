//! Status boards: short lines about an account for whoever answers for it ("closed today", "the doctor runs late"). What a
//! line says is sealed, as it may name people. One that is over stays, and is in no list.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, StatusId, UserId};

use super::seal::Seal;
use super::{Query, Row, StoreError, Tx, args, readers};

/// A line of an account's status board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine {
    pub id: StatusId,
    pub account: AccountId,
    pub text: String,
    pub made_by: UserId,
    pub made_at: UtcMs,
    /// When it is over by itself; none: when somebody takes it down.
    pub until: Option<UtcMs>,
}

readers! {
    /// The lines of an account that count at `now`, the newest first.
    list_status(account: &AccountId, now: UtcMs) -> Vec<StatusLine>;
    /// The lines of all accounts that count at `now`, by account, the newest first.
    list_all_status(now: UtcMs) -> Vec<StatusLine>;
    /// The line with this identifier, over or not.
    find_status(id: &StatusId) -> Option<StatusLine>;
}

const COUNTS: &str = "SELECT id, account, sealed, made_by, made_at, until_at FROM status_line
    WHERE ended_at IS NULL AND (until_at IS NULL OR until_at > $1)";

async fn list_status(from: &mut impl Query, account: &AccountId, now: UtcMs) -> Result<Vec<StatusLine>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COUNTS} AND account = $2 ORDER BY made_at DESC, id DESC"));
    let rows = from.fetch_all(sql, args![now, account]).await?;
    rows.iter().map(|row| line(row, from.seal())).collect()
}

async fn list_all_status(from: &mut impl Query, now: UtcMs) -> Result<Vec<StatusLine>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{COUNTS} ORDER BY account, made_at DESC, id DESC"));
    let rows = from.fetch_all(sql, args![now]).await?;
    rows.iter().map(|row| line(row, from.seal())).collect()
}

async fn find_status(from: &mut impl Query, id: &StatusId) -> Result<Option<StatusLine>, StoreError> {
    const SQL: &str = "SELECT id, account, sealed, made_by, made_at, until_at FROM status_line WHERE id = $1";
    let row = from.fetch_optional(SQL, args![id]).await?;
    row.map(|row| line(&row, from.seal())).transpose()
}

fn context(id: &StatusId) -> String {
    format!("status:{id}")
}

fn line(row: &Row, seal: &Seal) -> Result<StatusLine, StoreError> {
    let id: StatusId = row.read("id")?;
    Ok(StatusLine {
        text: seal.open_json(&context(&id), &row.read::<Vec<u8>>("sealed")?)?,
        id,
        account: row.read("account")?,
        made_by: row.read("made_by")?,
        made_at: row.read("made_at")?,
        until: row.read("until_at")?,
    })
}

impl Tx {
    /// Puts a line up.
    pub async fn insert_status(&mut self, line: &StatusLine) -> Result<(), StoreError> {
        let sealed = self.seal().seal_json(&context(&line.id), &line.text);
        self.execute(
            "INSERT INTO status_line (id, account, sealed, made_by, made_at, until_at) VALUES ($1, $2, $3, $4, $5, $6)",
            args![&line.id, &line.account, sealed, &line.made_by, line.made_at, line.until],
        )
        .await?;
        Ok(())
    }

    /// Takes a line down; tells whether it was up.
    pub async fn end_status(&mut self, id: &StatusId, by: &UserId, now: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE status_line SET ended_by = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL";
        Ok(self.execute(sql, args![id, by, now]).await? > 0)
    }
}
