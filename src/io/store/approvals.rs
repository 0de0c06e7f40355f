//! What clients approved of their accounts: every approval stays, the last of a part counts. Sealed: who said so by name, and what it
//! was that they approved.

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, UserId};
use crate::domain::portal::going_live::Part;

use super::sql::word;
use super::{Query, StoreError, Tx, args, readers};

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub part: Part,
    /// Who signed in: the client themselves, or whoever of the service put down what the client said.
    pub by: UserId,
    pub at: UtcMs,
    pub version: String,
    pub words: Approved,
}

/// What was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// Who approved it.
    pub name: String,
    /// It, as it was then.
    pub content: String,
    pub lines: Vec<String>,
}

readers! {
    /// The last approval of each part.
    list_approvals(account: &AccountId) -> Vec<Approval>;
    /// Whether an account was in service before approvals were kept.
    was_served_before(account: &AccountId) -> bool;
}

fn context(account: &AccountId, part: Part, n: i64) -> String {
    format!("approval:{account}:{}:{n}", part.name())
}

async fn list_approvals(from: &mut impl Query, account: &AccountId) -> Result<Vec<Approval>, StoreError> {
    const SQL: &str = "SELECT part, n, approved_by, approved_at, version, sealed FROM approval a WHERE account = $1
        AND n = (SELECT MAX(b.n) FROM approval b WHERE b.account = a.account AND b.part = a.part) ORDER BY part";
    let rows = from.fetch_all(SQL, args![account]).await?;
    rows.iter()
        .map(|row| {
            let (part, n) = (row.read_word("part")?, row.read("n")?);
            Ok(Approval {
                part,
                by: row.read("approved_by")?,
                at: row.read("approved_at")?,
                version: row.read("version")?,
                words: from.seal().open_json(&context(account, part, n), &row.read::<Vec<u8>>("sealed")?)?,
            })
        })
        .collect()
}

async fn was_served_before(from: &mut impl Query, account: &AccountId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT account FROM served_before WHERE account = $1";
    Ok(from.fetch_optional(SQL, args![account]).await?.is_some())
}

impl Tx {
    /// Puts an approval down, beside those before it. Whoever does it holds the account.
    pub async fn insert_approval(&mut self, account: &AccountId, approval: &Approval) -> Result<(), StoreError> {
        const LAST: &str = "SELECT COALESCE(MAX(n), 0) AS n FROM approval WHERE account = $1 AND part = $2";
        let part = word(&approval.part);
        let last = self.fetch_optional(LAST, args![account, &part]).await?;
        let n = last.map_or(Ok(0), |row| row.read::<i64>("n"))? + 1;
        let sealed = self.seal().seal_json(&context(account, approval.part, n), &approval.words);
        self.execute(
            "INSERT INTO approval (account, part, n, approved_by, approved_at, version, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![account, part, n, &approval.by, approval.at, &approval.version, sealed],
        )
        .await?;
        Ok(())
    }

    /// An account that is no draft though nobody approved it: the demo's.
    pub async fn insert_served_before(&mut self, account: &AccountId) -> Result<(), StoreError> {
        let sql = "INSERT INTO served_before (account) VALUES ($1) ON CONFLICT (account) DO NOTHING";
        self.execute(sql, args![account]).await.map(|_| ())
    }
}
