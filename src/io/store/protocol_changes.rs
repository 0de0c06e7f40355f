//! Protocols as clients would have them, and what the service decided. What is decided stays decided: the update asks whether it waits.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, ProtocolChangeId, ProtocolId, UserId};

use super::seal::Seal;
use super::sql::word;
use super::{Query, Row, StoreError, Tx, args, readers};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    Waiting,
    Approved,
    Refused,
    Withdrawn,
}

/// A protocol as a client would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolChange {
    pub id: ProtocolChangeId,
    pub account: AccountId,
    pub proposed_by: UserId,
    pub proposed_at: UtcMs,
    /// As the editor writes it: JSON.
    pub protocol: String,
    /// The newest version of that name then.
    pub based_on: Option<ProtocolId>,
    pub state: ChangeState,
    pub decision: Option<Decision>,
    pub words: ChangeWords,
}

/// Who decided it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub by: UserId,
    pub at: UtcMs,
    /// The version that it became.
    pub version: Option<u32>,
}

/// What people wrote and read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeWords {
    pub note: String,
    /// What was done until then, in plain English; what would be; and what is another.
    pub before: Vec<String>,
    pub after: Vec<String>,
    pub changes: Vec<String>,
    /// Why it was refused, or what was said with the approval.
    #[serde(default)]
    pub decided: String,
}

readers! {
    /// The change with this identifier.
    find_protocol_change(id: &ProtocolChangeId) -> Option<ProtocolChange>;
    /// Of one account, or of all, the newest first.
    list_protocol_changes(account: Option<&AccountId>, state: Option<ChangeState>, limit: u32) -> Vec<ProtocolChange>;
}

const COLUMNS: &str =
    "SELECT id, account, proposed_by, proposed_at, protocol, based_on, state, decided_by, decided_at, version, sealed
    FROM protocol_change";

async fn find_protocol_change(
    from: &mut impl Query,
    id: &ProtocolChangeId,
) -> Result<Option<ProtocolChange>, StoreError> {
    let sql = AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    let row = from.fetch_optional(sql, args![id]).await?;
    row.map(|row| change(&row, from.seal())).transpose()
}

async fn list_protocol_changes(
    from: &mut impl Query,
    account: Option<&AccountId>,
    state: Option<ChangeState>,
    limit: u32,
) -> Result<Vec<ProtocolChange>, StoreError> {
    let mut sql = format!("{COLUMNS} WHERE 1 = 1");
    let mut args = Vec::new();
    if let Some(account) = account {
        args.append(&mut args![account]);
        sql.push_str(&format!(" AND account = ${}", args.len()));
    }
    if let Some(state) = state {
        args.append(&mut args![word(&state)]);
        sql.push_str(&format!(" AND state = ${}", args.len()));
    }
    args.append(&mut args![limit]);
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ${}", args.len()));
    // Safe: made of the literals above.
    let rows = from.fetch_all(AssertSqlSafe(sql), args).await?;
    rows.iter().map(|row| change(row, from.seal())).collect()
}

fn context(id: &ProtocolChangeId) -> String {
    format!("protocol_change:{id}")
}

fn change(row: &Row, seal: &Seal) -> Result<ProtocolChange, StoreError> {
    let id: ProtocolChangeId = row.read("id")?;
    let (by, at): (Option<UserId>, Option<UtcMs>) = (row.read("decided_by")?, row.read("decided_at")?);
    let version = row.read("version")?;
    Ok(ProtocolChange {
        words: seal.open_json(&context(&id), &row.read::<Vec<u8>>("sealed")?)?,
        id,
        account: row.read("account")?,
        proposed_by: row.read("proposed_by")?,
        proposed_at: row.read("proposed_at")?,
        protocol: row.read("protocol")?,
        based_on: row.read("based_on")?,
        state: row.read_word("state")?,
        decision: by.zip(at).map(|(by, at)| Decision { by, at, version }),
    })
}

impl Tx {
    /// Puts a proposal into the queue.
    pub async fn insert_protocol_change(&mut self, change: &ProtocolChange) -> Result<(), StoreError> {
        let sealed = self.seal().seal_json(&context(&change.id), &change.words);
        self.execute(
            "INSERT INTO protocol_change (id, account, proposed_by, proposed_at, protocol, based_on, state, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![
                &change.id,
                &change.account,
                &change.proposed_by,
                change.proposed_at,
                &change.protocol,
                change.based_on.as_ref(),
                word(&change.state),
                sealed
            ],
        )
        .await?;
        Ok(())
    }

    /// Settles a proposal that waits; tells whether it did.
    pub async fn settle_protocol_change(
        &mut self,
        id: &ProtocolChangeId,
        state: ChangeState,
        decision: &Decision,
        words: &ChangeWords,
    ) -> Result<bool, StoreError> {
        let sealed = self.seal().seal_json(&context(id), words);
        let sql = "UPDATE protocol_change SET state = $2, decided_by = $3, decided_at = $4, version = $5, sealed = $6
            WHERE id = $1 AND state = 'waiting'";
        let args = args![id, word(&state), &decision.by, decision.at, decision.version, sealed];
        Ok(self.execute(sql, args).await? > 0)
    }
}
