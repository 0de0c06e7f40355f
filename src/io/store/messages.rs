//! Messages. Caller and answers are sealed together; messages of one caller are found by a keyed hash.
//!
//! A message taken back (undo) stays, marked, and is in no list. One that is changed stays as it was beside what it is
//! now: every edition can be read.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, CallTypeId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Urgency;
use crate::domain::message::Message;
use crate::domain::message::edition::Change;
use crate::domain::message::form::Answers;
use crate::domain::message::trigger::{Graded, Grading};

use super::calls::pieces;
use super::seal::Seal;
use super::sql::{json, places, word};
use super::{Column, Query, Row, StoreError, Tx, args, readers};

/// What only a holder of the key can read.
#[derive(Serialize, Deserialize)]
struct Sealed {
    caller: Option<PhoneNumber>,
    answers: Answers,
    /// Messages of before there was any do not have it.
    #[serde(default)]
    graded: Option<Graded>,
    #[serde(default)]
    begun_at: Option<UtcMs>,
    /// Why this edition did not go out again.
    #[serde(default)]
    unsent: Option<String>,
}

/// Which messages are wanted; all that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    pub account: Option<AccountId>,
    pub call: Option<CallId>,
    pub caller: Option<PhoneNumber>,
    /// Those whose urgency is another than by the client's list.
    pub graded: Option<Grading>,
    pub taken_since: Option<UtcMs>,
    /// Before this.
    pub taken_until: Option<UtcMs>,
    pub call_type: Option<CallTypeId>,
    pub urgency: Option<Urgency>,
    /// Only those whose dispatch is open.
    pub open: bool,
}

readers! {
    /// The message with this identifier, taken back or not.
    find_message(id: &MessageId) -> Option<Message>;
    /// The messages with these identifiers, taken back or not.
    find_messages(ids: &[MessageId]) -> Vec<Message>;
    /// Which edition the message is now.
    find_message_edition(id: &MessageId) -> Option<u32>;
    /// Whether it was taken back.
    is_withdrawn(id: &MessageId) -> bool;
    /// Messages, newest first, older than `before`.
    list_messages(filter: &MessageFilter, before: Option<&MessageId>, limit: u32) -> Vec<Message>;
    /// Every edition of a message before the one it is, oldest first.
    list_earlier_editions(id: &MessageId) -> Vec<Message>;
    /// How many messages this caller has left for the account.
    count_messages_by_caller(account: &AccountId, caller: &PhoneNumber) -> u32;
}

const COLUMNS: &str =
    "SELECT id, account, call_type, call, urgency, taken_by, taken_at, edition, changed_by, changed_at,
    form, sealed FROM message";

/// The same columns.
const READ: [Column; 12] = [
    Column::Plain("id"),
    Column::Plain("account"),
    Column::Plain("call_type"),
    Column::Plain("call"),
    Column::Plain("urgency"),
    Column::Plain("taken_by"),
    Column::Plain("taken_at"),
    Column::Plain("edition"),
    Column::Plain("changed_by"),
    Column::Plain("changed_at"),
    Column::Plain("form"),
    Column::Bytes("sealed"),
];

async fn find_message(from: &mut impl Query, id: &MessageId) -> Result<Option<Message>, StoreError> {
    let sql = AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    let row = from.fetch_optional(sql, args![id]).await?;
    row.map(|row| message(&row, from.seal())).transpose()
}

async fn find_messages(from: &mut impl Query, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
    let mut messages = Vec::with_capacity(ids.len());
    for ids in pieces(ids) {
        let sql = format!("{COLUMNS} WHERE id IN ({})", places(ids.len()));
        // Safe: made of placeholders.
        let rows =
            from.fetch_together(&READ, AssertSqlSafe(sql), ids.iter().flat_map(|id| args![id]).collect()).await?;
        for row in &rows {
            messages.push(message(row, from.seal())?);
        }
    }
    Ok(messages)
}

async fn find_message_edition(from: &mut impl Query, id: &MessageId) -> Result<Option<u32>, StoreError> {
    let row = from.fetch_optional("SELECT edition FROM message WHERE id = $1", args![id]).await?;
    row.map(|row| row.read("edition")).transpose()
}

async fn is_withdrawn(from: &mut impl Query, id: &MessageId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT id FROM message WHERE id = $1 AND withdrawn_at IS NOT NULL";
    Ok(from.fetch_optional(SQL, args![id]).await?.is_some())
}

async fn list_messages(
    from: &mut impl Query,
    filter: &MessageFilter,
    before: Option<&MessageId>,
    limit: u32,
) -> Result<Vec<Message>, StoreError> {
    let mut sql = format!("{COLUMNS} WHERE withdrawn_at IS NULL");
    let mut args = Vec::new();
    if let Some(account) = &filter.account {
        args.append(&mut args![account]);
        sql.push_str(&format!(" AND account = ${}", args.len()));
    }
    if let Some(call) = &filter.call {
        args.append(&mut args![call]);
        sql.push_str(&format!(" AND call = ${}", args.len()));
    }
    if let Some(caller) = &filter.caller {
        args.append(&mut args![caller_index(from.seal(), caller)]);
        sql.push_str(&format!(" AND caller_index = ${}", args.len()));
    }
    if let Some(graded) = &filter.graded {
        args.append(&mut args![word(graded)]);
        sql.push_str(&format!(" AND graded = ${}", args.len()));
    }
    if let Some(since) = filter.taken_since {
        args.append(&mut args![since]);
        sql.push_str(&format!(" AND taken_at >= ${}", args.len()));
    }
    if let Some(until) = filter.taken_until {
        args.append(&mut args![until]);
        sql.push_str(&format!(" AND taken_at < ${}", args.len()));
    }
    if let Some(call_type) = &filter.call_type {
        args.append(&mut args![call_type]);
        sql.push_str(&format!(" AND call_type = ${}", args.len()));
    }
    if let Some(urgency) = &filter.urgency {
        args.append(&mut args![word(urgency)]);
        sql.push_str(&format!(" AND urgency = ${}", args.len()));
    }
    if filter.open {
        sql.push_str(
            " AND EXISTS (SELECT 1 FROM dispatch WHERE dispatch.message = message.id AND dispatch.closed_at IS NULL)",
        );
    }
    if let Some(before) = before {
        args.append(&mut args![before]);
        sql.push_str(&format!(" AND id < ${}", args.len()));
    }
    args.append(&mut args![limit]);
    sql.push_str(&format!(" ORDER BY id DESC LIMIT ${}", args.len()));
    // Safe: made of the literals above.
    let rows = from.fetch_all(AssertSqlSafe(sql), args).await?;
    rows.iter().map(|row| message(row, from.seal())).collect()
}

async fn list_earlier_editions(from: &mut impl Query, id: &MessageId) -> Result<Vec<Message>, StoreError> {
    const SQL: &str = "SELECT message.id AS id, message.account AS account, message.call AS call,
        message.taken_by AS taken_by, message.taken_at AS taken_at, e.call_type AS call_type, e.urgency AS urgency,
        e.edition AS edition, e.changed_by AS changed_by, e.changed_at AS changed_at, e.form AS form, e.sealed AS sealed
        FROM message_edition e JOIN message ON message.id = e.message WHERE e.message = $1 ORDER BY e.edition";
    let rows = from.fetch_all(SQL, args![id]).await?;
    rows.iter().map(|row| message(row, from.seal())).collect()
}

async fn count_messages_by_caller(
    from: &mut impl Query,
    account: &AccountId,
    caller: &PhoneNumber,
) -> Result<u32, StoreError> {
    const SQL: &str =
        "SELECT COUNT(*) AS n FROM message WHERE caller_index = $1 AND account = $2 AND withdrawn_at IS NULL";
    let args = args![caller_index(from.seal(), caller), account];
    from.fetch_optional(SQL, args).await?.map_or(Ok(0), |row| row.read("n"))
}

fn context(id: &MessageId) -> String {
    format!("message:{id}")
}

fn caller_index(seal: &Seal, caller: &PhoneNumber) -> String {
    seal.index("caller", caller.as_e164())
}

fn message(row: &Row, seal: &Seal) -> Result<Message, StoreError> {
    let id: MessageId = row.read("id")?;
    let sealed: Sealed = seal.open_json(&context(&id), &row.read::<Vec<u8>>("sealed")?)?;
    let (by, at): (Option<UserId>, Option<UtcMs>) = (row.read("changed_by")?, row.read("changed_at")?);
    Ok(Message {
        id,
        account: row.read("account")?,
        call_type: row.read("call_type")?,
        call: row.read("call")?,
        caller: sealed.caller,
        urgency: row.read_word("urgency")?,
        taken_by: row.read("taken_by")?,
        taken_at: row.read("taken_at")?,
        begun_at: sealed.begun_at,
        form: row.read_json("form")?,
        answers: sealed.answers,
        edition: row.read("edition")?,
        changed: by.zip(at).map(|(by, at)| Change { by, at, unsent: sealed.unsent }),
        graded: sealed.graded,
    })
}

impl Tx {
    /// Puts a message into the store; its dispatch goes into the same transaction.
    pub async fn insert_message(&mut self, message: &Message) -> Result<(), StoreError> {
        let (index, sealed) = self.seal_message(message);
        self.execute(
            "INSERT INTO message (id, account, call_type, call, caller_index, urgency, taken_by, taken_at, form, sealed,
             graded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            args![
                &message.id,
                &message.account,
                &message.call_type,
                message.call.as_ref(),
                index,
                word(&message.urgency),
                message.taken_by.as_ref(),
                message.taken_at,
                json(&message.form),
                sealed,
                message.graded.as_ref().map(|graded| word(&graded.how))
            ],
        )
        .await?;
        Ok(())
    }

    fn seal_message(&self, message: &Message) -> (Option<String>, Vec<u8>) {
        let index = message.caller.as_ref().map(|caller| caller_index(self.seal(), caller));
        let content = Sealed {
            caller: message.caller.clone(),
            answers: message.answers.clone(),
            graded: message.graded.clone(),
            begun_at: message.begun_at,
            unsent: message.changed.as_ref().and_then(|change| change.unsent.clone()),
        };
        (index, self.seal().seal_json(&context(&message.id), &content))
    }

    /// Makes a message its next edition; the one before stays readable. Tells whether it was the one before `message`
    /// until now: if not, somebody else has changed it, or it was taken back, and nothing is written.
    pub async fn change_message(&mut self, message: &Message) -> Result<bool, StoreError> {
        let before = message.edition.saturating_sub(1);
        const KEEP: &str = "INSERT INTO message_edition
            (message, edition, call_type, urgency, changed_by, changed_at, form, sealed)
            SELECT id, edition, call_type, urgency, changed_by, changed_at, form, sealed FROM message
            WHERE id = $1 AND edition = $2 AND withdrawn_at IS NULL";
        if self.execute(KEEP, args![&message.id, before]).await? == 0 {
            return Ok(false);
        }
        let (index, sealed) = self.seal_message(message);
        let (by, at) = message.changed.clone().map(|change| (change.by, change.at)).unzip();
        let changed = self
            .execute(
                "UPDATE message SET call_type = $3, caller_index = $4, urgency = $5, form = $6, sealed = $7, graded = $8,
                 edition = edition + 1, changed_by = $9, changed_at = $10 WHERE id = $1 AND edition = $2",
                args![
                    &message.id,
                    before,
                    &message.call_type,
                    index,
                    word(&message.urgency),
                    json(&message.form),
                    sealed,
                    message.graded.as_ref().map(|graded| word(&graded.how)),
                    by.as_ref(),
                    at
                ],
            )
            .await?;
        Ok(changed > 0)
    }

    /// Takes a message back; tells whether it was there to be taken back.
    pub async fn withdraw_message(&mut self, id: &MessageId, now: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE message SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL";
        Ok(self.execute(sql, args![id, now]).await? > 0)
    }
}
