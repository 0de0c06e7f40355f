//! Drafts: forms being filled in, written every few seconds, sealed like messages.
//!
//! A draft whose message was saved is settled: hidden, and back when the message is taken back.

mod late;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, DraftId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::message::form::Answers;

use super::seal::Seal;
use super::sql::places;
use super::{Query, Row, StoreError, ToArg, Tx, args, readers};

pub use late::LATE_MS;
use late::Left;

/// A form being filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Draft {
    pub id: DraftId,
    pub owner: UserId,
    pub account: AccountId,
    pub call_type: Option<CallTypeId>,
    pub call: Option<CallId>,
    pub caller: Option<PhoneNumber>,
    /// As typed: not checked.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub answers: Answers,
    /// Fields of a protected call type whose words go into no message that leaves in clear until an operator puts them in, with that
    /// type's name.
    #[serde(default)]
    pub apart: BTreeMap<String, String>,
    pub cursor: Option<Cursor>,
    /// What is asked at some hours alone is asked by this clock. None: one of before that was kept.
    #[serde(default)]
    pub begun_at: Option<UtcMs>,
    pub saved_at: UtcMs,
}

/// Where the operator was typing, so that a reload puts her back there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cursor {
    pub field: String,
    pub start: u32,
    pub end: u32,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    caller: Option<PhoneNumber>,
    answers: Answers,
    #[serde(default)]
    apart: BTreeMap<String, String>,
    cursor: Option<Cursor>,
    #[serde(default)]
    begun_at: Option<UtcMs>,
    /// Whose last words may be on their way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<Left>,
}

readers! {
    /// The open draft with this identifier.
    find_draft(id: &DraftId) -> Option<Draft>;
    /// The open draft of a call, if a form was begun in it.
    find_draft_of_call(call: &CallId) -> Option<Draft>;
    /// The open draft that this owner has of the call, where there is none with this identifier yet.
    find_other_draft(new: &DraftId, call: &CallId, owner: &UserId) -> Option<DraftId>;
    /// Those of these drafts that are open.
    list_open_drafts(ids: &[DraftId]) -> Vec<Draft>;
    /// A user's open drafts, the last saved first.
    list_drafts(owner: &UserId) -> Vec<Draft>;
    /// Calls with a form that was begun, of which no operator's wrap-up is on record, and whose form it is: those that are up, and
    /// after a start those that the one before left.
    list_forms_begun() -> Vec<(CallId, UserId)>;
}

async fn list_forms_begun(from: &mut impl Query) -> Result<Vec<(CallId, UserId)>, StoreError> {
    const SQL: &str = "SELECT c.id, MIN(d.owner) AS owner FROM draft d JOIN call c ON c.id = d.call
        WHERE d.message IS NULL
        AND NOT EXISTS (SELECT 1 FROM call_event w WHERE w.call = c.id AND w.kind = 'wrapped_up')
        GROUP BY c.id ORDER BY c.id";
    let rows = from.fetch_all(SQL, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.read("id")?, row.read("owner")?))).collect()
}

async fn find_draft(from: &mut impl Query, id: &DraftId) -> Result<Option<Draft>, StoreError> {
    const SQL: &str =
        "SELECT id, owner, account, call_type, call, saved_at, sealed FROM draft WHERE id = $1 AND message IS NULL";
    let row = from.fetch_optional(SQL, args![id]).await?;
    row.map(|row| draft(&row, from.seal())).transpose()
}

async fn find_draft_of_call(from: &mut impl Query, call: &CallId) -> Result<Option<Draft>, StoreError> {
    const SQL: &str = "SELECT id, owner, account, call_type, call, saved_at, sealed FROM draft
        WHERE call = $1 AND message IS NULL ORDER BY id LIMIT 1";
    let row = from.fetch_optional(SQL, args![call]).await?;
    row.map(|row| draft(&row, from.seal())).transpose()
}

async fn find_other_draft(
    from: &mut impl Query,
    new: &DraftId,
    call: &CallId,
    owner: &UserId,
) -> Result<Option<DraftId>, StoreError> {
    const SQL: &str = "SELECT id FROM draft WHERE call = $1 AND owner = $2 AND message IS NULL
        AND NOT EXISTS (SELECT 1 FROM draft kept WHERE kept.id = $3) ORDER BY id LIMIT 1";
    let row = from.fetch_optional(SQL, args![call, owner, new]).await?;
    row.map(|row| row.read("id")).transpose()
}

async fn list_open_drafts(from: &mut impl Query, ids: &[DraftId]) -> Result<Vec<Draft>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, owner, account, call_type, call, saved_at, sealed FROM draft WHERE message IS NULL AND id IN ({})",
        places(ids.len())
    );
    let args = ids.iter().map(ToArg::to_arg).collect();
    // Safe: made of literals and places.
    let rows = from.fetch_all(sqlx::AssertSqlSafe(sql), args).await?;
    rows.iter().map(|row| draft(row, from.seal())).collect()
}

async fn list_drafts(from: &mut impl Query, owner: &UserId) -> Result<Vec<Draft>, StoreError> {
    const SQL: &str = "SELECT id, owner, account, call_type, call, saved_at, sealed FROM draft
        WHERE owner = $1 AND message IS NULL ORDER BY saved_at DESC, id DESC";
    let rows = from.fetch_all(SQL, args![owner]).await?;
    rows.iter().map(|row| draft(row, from.seal())).collect()
}

fn context(id: &DraftId) -> String {
    format!("draft:{id}")
}

fn draft(row: &Row, seal: &Seal) -> Result<Draft, StoreError> {
    let id: DraftId = row.read("id")?;
    let sealed: Sealed = seal.open_json(&context(&id), &row.read::<Vec<u8>>("sealed")?)?;
    Ok(Draft {
        id,
        owner: row.read("owner")?,
        account: row.read("account")?,
        call_type: row.read("call_type")?,
        call: row.read("call")?,
        caller: sealed.caller,
        answers: sealed.answers,
        apart: sealed.apart,
        cursor: sealed.cursor,
        begun_at: sealed.begun_at,
        saved_at: row.read("saved_at")?,
    })
}

impl Tx {
    /// Writes a draft. Another user's, or one whose message is saved, is left as it is: [`StoreError::Missing`].
    pub async fn upsert_draft(&mut self, draft: &Draft) -> Result<(), StoreError> {
        let content = Sealed {
            caller: draft.caller.clone(),
            answers: draft.answers.clone(),
            apart: draft.apart.clone(),
            cursor: draft.cursor.clone(),
            begun_at: draft.begun_at,
            left: None,
        };
        let sealed = self.seal().seal_json(&context(&draft.id), &content);
        let changed = self
            .execute(
                "INSERT INTO draft (id, owner, account, call_type, call, saved_at, sealed)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (id) DO UPDATE SET account = excluded.account, call_type = excluded.call_type,
                 call = excluded.call, saved_at = excluded.saved_at, sealed = excluded.sealed
                 WHERE draft.owner = excluded.owner AND draft.message IS NULL",
                args![
                    &draft.id,
                    &draft.owner,
                    &draft.account,
                    draft.call_type.as_ref(),
                    draft.call.as_ref(),
                    draft.saved_at,
                    sealed
                ],
            )
            .await?;
        if changed == 0 {
            return Err(StoreError::Missing { what: "open draft of yours" });
        }
        Ok(())
    }

    /// Throws a user's draft away; tells whether there was one.
    pub async fn delete_draft(&mut self, id: &DraftId, owner: &UserId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM draft WHERE id = $1 AND owner = $2 AND message IS NULL";
        Ok(self.execute(sql, args![id, owner]).await? > 0)
    }

    /// The open draft of a call that another user began last is `owner`'s from now on. What that user typed last may come yet.
    pub async fn adopt_draft(
        &mut self,
        call: &CallId,
        owner: &UserId,
        now: UtcMs,
    ) -> Result<Option<Draft>, StoreError> {
        const FIND: &str = "SELECT id, owner FROM draft WHERE call = $1 AND owner <> $2 AND message IS NULL
            ORDER BY saved_at DESC, id DESC LIMIT 1";
        let Some(row) = self.fetch_optional(FIND, args![call, owner]).await? else { return Ok(None) };
        let id: DraftId = row.read("id")?;
        self.execute("UPDATE draft SET owner = $2 WHERE id = $1", args![&id, owner]).await?;
        self.mark_left(&id, row.read("owner")?, now).await?;
        self.find_draft(&id).await
    }

    /// The open draft is `owner`'s from now on, whoever began it.
    pub async fn take_draft(&mut self, id: &DraftId, owner: &UserId) -> Result<Option<Draft>, StoreError> {
        self.execute("UPDATE draft SET owner = $2 WHERE id = $1 AND message IS NULL", args![id, owner]).await?;
        self.find_draft(id).await
    }

    /// Hides a user's draft because its message is saved; tells whether it was open.
    pub async fn settle_draft(
        &mut self,
        id: &DraftId,
        owner: &UserId,
        message: &MessageId,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE draft SET message = $3 WHERE id = $1 AND owner = $2 AND message IS NULL";
        Ok(self.execute(sql, args![id, owner, message]).await? > 0)
    }

    /// Brings back the draft of a message that is taken back.
    pub async fn restore_draft(&mut self, message: &MessageId) -> Result<Option<Draft>, StoreError> {
        let row = self.fetch_optional("SELECT id FROM draft WHERE message = $1", args![message]).await?;
        let Some(row) = row else { return Ok(None) };
        let id: DraftId = row.read("id")?;
        self.execute("UPDATE draft SET message = NULL WHERE id = $1", args![&id]).await?;
        self.find_draft(&id).await
    }
}
