//! Voicemails on their way to becoming messages: a row from the tone on, settled with the message.
//!
//! Holds nothing of what was said: that is in the call's recording. A row that is open is a reason to look after it.

use crate::base::clock::UtcMs;
use crate::base::id::{CallId, CallTypeId, MessageId};

use super::{Query, Row, StoreError, Tx, args, readers};

/// A caller speaks a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoicemailBegun {
    pub call: CallId,
    /// What the message is to be taken as.
    pub call_type: CallTypeId,
    pub at: UtcMs,
}

/// A voicemail of which no message was made yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenVoicemail {
    pub call: CallId,
    pub call_type: CallTypeId,
    pub begun_at: UtcMs,
    /// None: it is still being spoken, or a crash cut it off.
    pub end: Option<VoicemailEnd>,
}

/// When a voicemail ended, and whether anything was said in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoicemailEnd {
    pub at: UtcMs,
    pub heard: bool,
}

readers! {
    /// Voicemails that are not settled, oldest first.
    list_open_voicemails() -> Vec<OpenVoicemail>;
}

async fn list_open_voicemails(from: &mut impl Query) -> Result<Vec<OpenVoicemail>, StoreError> {
    const SQL: &str = "SELECT call, call_type, begun_at, ended_at, heard FROM voicemail
        WHERE settled_at IS NULL ORDER BY begun_at, call";
    from.fetch_all(SQL, Vec::new()).await?.iter().map(voicemail).collect()
}

fn voicemail(row: &Row) -> Result<OpenVoicemail, StoreError> {
    let (at, heard): (Option<UtcMs>, Option<i64>) = (row.read("ended_at")?, row.read("heard")?);
    Ok(OpenVoicemail {
        call: row.read("call")?,
        call_type: row.read("call_type")?,
        begun_at: row.read("begun_at")?,
        end: at.map(|at| VoicemailEnd { at, heard: heard != Some(0) }),
    })
}

impl Tx {
    /// A caller speaks a message. One a call: what is written again is as it was.
    pub async fn insert_voicemail(&mut self, begun: &VoicemailBegun) -> Result<(), StoreError> {
        let sql = "INSERT INTO voicemail (call, call_type, begun_at) VALUES ($1, $2, $3) ON CONFLICT (call) DO NOTHING";
        self.execute(sql, args![&begun.call, &begun.call_type, begun.at]).await?;
        Ok(())
    }

    /// And no longer; the first end counts.
    pub async fn end_voicemail(&mut self, call: &CallId, at: UtcMs, heard: bool) -> Result<(), StoreError> {
        let sql = "UPDATE voicemail SET ended_at = $2, heard = $3 WHERE call = $1 AND ended_at IS NULL";
        self.execute(sql, args![call, at, i64::from(heard)]).await?;
        Ok(())
    }

    /// Its message is saved with this, or there is none to save. False: that was done before.
    pub async fn settle_voicemail(
        &mut self,
        call: &CallId,
        message: Option<&MessageId>,
        now: UtcMs,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE voicemail SET settled_at = $3, message = $2 WHERE call = $1 AND settled_at IS NULL";
        Ok(self.execute(sql, args![call, message, now]).await? > 0)
    }
}
