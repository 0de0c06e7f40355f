//! Messages. Caller and answers are sealed together; messages of one caller are found by a keyed hash.
//!
//! A message taken back (undo) stays, marked, and is in no list.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::message::Message;
use crate::domain::message::form::Answers;

use super::seal::Seal;
use super::sql::{json, word};
use super::{Query, Row, StoreError, Tx, args, readers};

/// What only a holder of the key can read.
#[derive(Serialize, Deserialize)]
struct Sealed {
    caller: Option<PhoneNumber>,
    answers: Answers,
}

/// Which messages are wanted; all that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    pub account: Option<AccountId>,
    pub call: Option<CallId>,
    pub caller: Option<PhoneNumber>,
}

readers! {
    /// The message with this identifier, taken back or not.
    find_message(id: &MessageId) -> Option<Message>;
    /// Whether it was taken back.
    is_withdrawn(id: &MessageId) -> bool;
    /// Messages, newest first, older than `before`.
    list_messages(filter: &MessageFilter, before: Option<&MessageId>, limit: u32) -> Vec<Message>;
    /// How many messages this caller has left for the account.
    count_messages_by_caller(account: &AccountId, caller: &PhoneNumber) -> u32;
}

const COLUMNS: &str = "SELECT id, account, call_type, call, urgency, taken_by, taken_at, form, sealed FROM message";

async fn find_message(from: &mut impl Query, id: &MessageId) -> Result<Option<Message>, StoreError> {
    let sql = AssertSqlSafe(format!("{COLUMNS} WHERE id = $1"));
    let row = from.fetch_optional(sql, args![id]).await?;
    row.map(|row| message(&row, from.seal())).transpose()
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
    Ok(Message {
        id,
        account: row.read("account")?,
        call_type: row.read("call_type")?,
        call: row.read("call")?,
        caller: sealed.caller,
        urgency: row.read_word("urgency")?,
        taken_by: row.read("taken_by")?,
        taken_at: row.read("taken_at")?,
        form: row.read_json("form")?,
        answers: sealed.answers,
    })
}

impl Tx {
    /// Puts a message into the store; its dispatch goes into the same transaction.
    pub async fn insert_message(&mut self, message: &Message) -> Result<(), StoreError> {
        let index = message.caller.as_ref().map(|caller| caller_index(self.seal(), caller));
        let content = Sealed { caller: message.caller.clone(), answers: message.answers.clone() };
        let sealed = self.seal().seal_json(&context(&message.id), &content);
        self.execute(
            "INSERT INTO message (id, account, call_type, call, caller_index, urgency, taken_by, taken_at, form, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
                sealed
            ],
        )
        .await?;
        Ok(())
    }

    /// Takes a message back; tells whether it was there to be taken back.
    pub async fn withdraw_message(&mut self, id: &MessageId, now: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE message SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL";
        Ok(self.execute(sql, args![id, now]).await? > 0)
    }
}
