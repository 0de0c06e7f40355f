//! The last words of whoever typed in a form while its call was taken from them: they were on their way when it changed hands.
//!
//! Asked for by the API where a form is kept; a message is saved by the one who has its form alone. What always holds: they are taken
//! from the one who had it last, soon after, and only as long as whoever has it now has saved nothing in it; so nobody's words are
//! written over.

use serde::{Deserialize, Serialize};

use super::{Draft, Sealed, context};
use crate::base::clock::UtcMs;
use crate::base::id::{DraftId, UserId};
use crate::io::store::{Query, StoreError, Tx, args};

/// How long after that they are still taken.
pub const LATE_MS: i64 = 30_000;

/// Who had it last, until somebody else has saved it.
#[derive(Serialize, Deserialize)]
pub(super) struct Left {
    by: UserId,
    at: UtcMs,
}

impl Tx {
    /// `by` has it no longer.
    pub(super) async fn mark_left(&mut self, id: &DraftId, by: UserId, at: UtcMs) -> Result<(), StoreError> {
        if let Some(mut content) = self.open_sealed(id).await? {
            content.left = Some(Left { by, at });
            let sealed = self.seal().seal_json(&context(id), &content);
            self.execute("UPDATE draft SET sealed = $2 WHERE id = $1", args![id, sealed]).await?;
        }
        Ok(())
    }

    /// Writes the words of whoever had it last into the draft that is another's now; tells whether that could be.
    pub async fn take_late(&mut self, late: &Draft) -> Result<bool, StoreError> {
        let Some(mut content) = self.open_sealed(&late.id).await? else { return Ok(false) };
        let in_time = |left: &Left| left.by == late.owner && late.saved_at.since(left.at) <= LATE_MS;
        if !content.left.as_ref().is_some_and(in_time) {
            return Ok(false);
        }
        content.caller = late.caller.clone().or(content.caller);
        content.answers.clone_from(&late.answers);
        content.apart.clone_from(&late.apart);
        content.cursor.clone_from(&late.cursor);
        let sealed = self.seal().seal_json(&context(&late.id), &content);
        // With the form that the words are of: those of a protected one are not left in another. Of another client's they are not taken.
        let sql = "UPDATE draft SET saved_at = $2, sealed = $3, call_type = $4
            WHERE id = $1 AND account = $5 AND message IS NULL";
        let args = args![&late.id, late.saved_at, sealed, late.call_type.as_ref(), &late.account];
        Ok(self.execute(sql, args).await? > 0)
    }

    async fn open_sealed(&mut self, id: &DraftId) -> Result<Option<Sealed>, StoreError> {
        let row = self.fetch_optional("SELECT sealed FROM draft WHERE id = $1 AND message IS NULL", args![id]).await?;
        let Some(row) = row else { return Ok(None) };
        self.seal().open_json(&context(id), &row.read::<Vec<u8>>("sealed")?).map(Some)
    }
}
