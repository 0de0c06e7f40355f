//! What people speak in for callers: recordings of an account to choose from, the status greeting in force, and the answer
//! phrase in operators' own voices. The sounds themselves are kept by their names (`io/speech/upload`). What a status greeting says
//! is sealed, as it may name people.
//!
//! What always holds: words that cannot be opened (altered, or sealed with another key) are shown to nobody; callers hear the greeting
//! all the same, and no account is hidden by it.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, UserId};
use crate::domain::account::{AnswerPhrase, Speech, StatusGreeting};

use super::seal::Seal;
use super::{Query, Row, StoreError, Tx, args, readers};

/// A recording that an account can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecording {
    /// What [`Speech::Uploaded`] calls it.
    pub recording: String,
    pub millis: u32,
    pub made_by: UserId,
    pub made_at: UtcMs,
}

readers! {
    /// The recordings that were spoken in for an account, the newest first.
    list_account_recordings(account: &AccountId) -> Vec<AccountRecording>;
}

async fn list_account_recordings(
    from: &mut impl Query,
    account: &AccountId,
) -> Result<Vec<AccountRecording>, StoreError> {
    const SQL: &str = "SELECT recording, millis, made_by, made_at FROM account_recording WHERE account = $1
        ORDER BY made_at DESC, recording";
    let rows = from.fetch_all(SQL, args![account]).await?;
    rows.iter().map(recording).collect()
}

fn recording(row: &Row) -> Result<AccountRecording, StoreError> {
    Ok(AccountRecording {
        recording: row.read("recording")?,
        millis: row.read("millis")?,
        made_by: row.read("made_by")?,
        made_at: row.read("made_at")?,
    })
}

fn context(account: &AccountId, at: UtcMs) -> String {
    format!("status_greeting:{account}:{}", at.0)
}

fn open_words(seal: &Seal, account: &AccountId, at: UtcMs, sealed: &[u8]) -> Option<String> {
    match seal.open_json(&context(account, at), sealed) {
        Ok(words) => Some(words),
        Err(error) => {
            tracing::warn!(%account, code = error.code(), "the words of a status greeting cannot be opened; its sound plays");
            None
        }
    }
}

/// A row of `status_greeting`.
pub(super) fn status_greeting(row: &Row, seal: &Seal) -> Result<StatusGreeting, StoreError> {
    let at: UtcMs = row.read("made_at")?;
    let account: AccountId = row.read("account")?;
    let sealed: Option<Vec<u8>> = row.read("sealed")?;
    Ok(StatusGreeting {
        speech: Speech::Uploaded { recording: row.read("recording")? },
        words: sealed.and_then(|sealed| open_words(seal, &account, at, &sealed)),
        by: row.read("made_by")?,
        at,
        until: row.read("until_at")?,
    })
}

/// A row of `answer_phrase`.
pub(super) fn answer_phrase(row: &Row) -> Result<AnswerPhrase, StoreError> {
    Ok(AnswerPhrase {
        operator: row.read("operator")?,
        speech: Speech::Uploaded { recording: row.read("recording")? },
        millis: row.read("millis")?,
    })
}

impl Tx {
    /// An operator's own voice for an account from now on, in place of what it was.
    pub async fn set_answer_phrase(
        &mut self,
        account: &AccountId,
        operator: &UserId,
        made: &AccountRecording,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO answer_phrase (account, operator, recording, millis, made_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account, operator) DO UPDATE SET recording = excluded.recording, millis = excluded.millis,
             made_at = excluded.made_at",
            args![account, operator, &made.recording, made.millis, made.made_at],
        )
        .await?;
        Ok(())
    }

    /// She says it herself again. Tells whether there was one.
    pub async fn remove_answer_phrase(&mut self, account: &AccountId, operator: &UserId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM answer_phrase WHERE account = $1 AND operator = $2";
        Ok(self.execute(sql, args![account, operator]).await? > 0)
    }

    /// A recording that an account can choose; the same sound again counts as made now.
    pub async fn insert_account_recording(
        &mut self,
        account: &AccountId,
        made: &AccountRecording,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO account_recording (account, recording, millis, made_by, made_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account, recording) DO UPDATE SET made_by = excluded.made_by, made_at = excluded.made_at",
            args![account, &made.recording, made.millis, &made.made_by, made.made_at],
        )
        .await?;
        Ok(())
    }

    /// No longer among those that can be chosen; whatever names it plays on. Tells whether it was.
    pub async fn delete_account_recording(&mut self, account: &AccountId, recording: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM account_recording WHERE account = $1 AND recording = $2";
        Ok(self.execute(sql, args![account, recording]).await? > 0)
    }

    /// What callers hear before the greeting from now on, in place of what they heard.
    pub async fn insert_status_greeting(
        &mut self,
        account: &AccountId,
        recording: &str,
        status: &StatusGreeting,
    ) -> Result<(), StoreError> {
        self.end_status_greeting(account, &status.by, status.at).await?;
        let sealed = status.words.as_ref().map(|words| self.seal().seal_json(&context(account, status.at), words));
        self.execute(
            "INSERT INTO status_greeting (account, made_at, recording, made_by, until_at, sealed)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account, made_at) DO UPDATE SET recording = excluded.recording, made_by = excluded.made_by,
             until_at = excluded.until_at, sealed = excluded.sealed, ended_by = NULL, ended_at = NULL",
            args![account, status.at, recording, &status.by, status.until, sealed],
        )
        .await?;
        Ok(())
    }

    /// Callers no longer hear it. Tells whether there was one.
    pub async fn end_status_greeting(&mut self, account: &AccountId, by: &str, now: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE status_greeting SET ended_by = $2, ended_at = $3 WHERE account = $1 AND ended_at IS NULL";
        Ok(self.execute(sql, args![account, by, now]).await? > 0)
    }
}
