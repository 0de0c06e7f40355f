//! Accounts with their numbers and call types.
//!
//! A call type that an edit drops is retired, not deleted: messages taken under it still name it. Each change of an account,
//! its contacts or protocols counts its edition up.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallTypeId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::faq::Faq;
use crate::domain::account::hours::Hours;
use crate::domain::account::{
    Account, CallType, Comfort, LeaveMessage, MailTemplate, OwnAges, Patching, Queueing, RecordingPolicy,
    SecureMessages, Speech,
};
use crate::domain::ivr::menu::Menu;

use super::calls::pieces;
use super::greetings::{answer_phrase, status_greeting};
use super::sql::{json, places, word};
use super::{Arg, Query, Row, StoreError, Tx, args, readers};

/// What of an account is kept as one JSON text: read whole, never searched.
#[derive(Serialize, Deserialize)]
struct Settings {
    greeting: Speech,
    apology: Speech,
    comfort: Option<Comfort>,
    caller_id: Option<PhoneNumber>,
    priority: i32,
    ring_secs: u32,
    max_wait_secs: u32,
    undo_secs: u32,
    leave_message: LeaveMessage,
    /// Accounts of before there was any do not have it.
    #[serde(default)]
    recording: RecordingPolicy,
    /// Nor these.
    #[serde(default)]
    queueing: Queueing,
    #[serde(default)]
    patching: Patching,
    #[serde(default)]
    secure: SecureMessages,
    #[serde(default)]
    mail: MailTemplate,
    #[serde(default)]
    ages: OwnAges,
    #[serde(default)]
    hours: Hours,
    #[serde(default)]
    menus: Vec<Menu>,
    #[serde(default)]
    faq: Vec<Faq>,
}

readers! {
    /// The account with this identifier.
    find_account(id: &AccountId) -> Option<Account>;
    /// The accounts with these identifiers.
    find_accounts(ids: &[AccountId]) -> Vec<Account>;
    /// The account that a dialled number selects.
    find_account_by_did(did: &PhoneNumber) -> Option<Account>;
    /// The account with this name.
    find_account_by_name(name: &str) -> Option<Account>;
    /// All accounts by name.
    list_accounts() -> Vec<Account>;
    /// How often an account has been changed; none if there is no such account.
    find_account_edition(id: &AccountId) -> Option<u32>;
    /// The same, and when it was changed last.
    find_account_revision(id: &AccountId) -> Option<(u32, UtcMs)>;
    /// The zone in which an account's times are.
    find_account_zone(id: &AccountId) -> Option<String>;
    /// A call type, retired ones too, with the account it belongs to.
    find_call_type(id: &CallTypeId) -> Option<(AccountId, CallType)>;
    /// The call types that an account had and has no more, by name, and whether each is protected.
    list_retired_call_types(account: &AccountId) -> Vec<(CallTypeId, String, bool)>;
}

async fn list_retired_call_types(
    from: &mut impl Query,
    account: &AccountId,
) -> Result<Vec<(CallTypeId, String, bool)>, StoreError> {
    const SQL: &str = "SELECT id, name, protected FROM call_type WHERE account = $1 AND retired_at IS NOT NULL";
    let retired = |row: &Row| Ok((row.read("id")?, row.read("name")?, row.read("protected")?));
    from.fetch_all(SQL, args![account]).await?.iter().map(retired).collect()
}

async fn find_account(from: &mut impl Query, id: &AccountId) -> Result<Option<Account>, StoreError> {
    Ok(load(from, "id = $1", args![id]).await?.pop())
}

async fn find_accounts(from: &mut impl Query, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
    let mut accounts = Vec::with_capacity(ids.len());
    for ids in pieces(ids) {
        let filter = format!("id IN ({})", places(ids.len()));
        accounts.extend(load(from, &filter, ids.iter().flat_map(|id| args![id]).collect()).await?);
    }
    Ok(accounts)
}

async fn find_account_by_did(from: &mut impl Query, did: &PhoneNumber) -> Result<Option<Account>, StoreError> {
    Ok(load(from, "id = (SELECT account FROM did WHERE number = $1)", args![did]).await?.pop())
}

async fn find_account_by_name(from: &mut impl Query, name: &str) -> Result<Option<Account>, StoreError> {
    Ok(load(from, "name = $1", args![name]).await?.pop())
}

async fn list_accounts(from: &mut impl Query) -> Result<Vec<Account>, StoreError> {
    load(from, "1 = 1", Vec::new()).await
}

async fn find_account_edition(from: &mut impl Query, id: &AccountId) -> Result<Option<u32>, StoreError> {
    let row = from.fetch_optional("SELECT edition FROM account WHERE id = $1", args![id]).await?;
    row.map(|row| row.read("edition")).transpose()
}

async fn find_account_revision(from: &mut impl Query, id: &AccountId) -> Result<Option<(u32, UtcMs)>, StoreError> {
    let row = from.fetch_optional("SELECT edition, updated_at FROM account WHERE id = $1", args![id]).await?;
    row.map(|row| Ok((row.read("edition")?, row.read("updated_at")?))).transpose()
}

async fn find_account_zone(from: &mut impl Query, id: &AccountId) -> Result<Option<String>, StoreError> {
    let row = from.fetch_optional("SELECT zone FROM account WHERE id = $1", args![id]).await?;
    row.map(|row| row.read("zone")).transpose()
}

async fn find_call_type(from: &mut impl Query, id: &CallTypeId) -> Result<Option<(AccountId, CallType)>, StoreError> {
    const SQL: &str = "SELECT id, account, name, urgency, triggers, watched, form, protocol, protected, priority FROM call_type WHERE id = $1";
    let row = from.fetch_optional(SQL, args![id]).await?;
    row.map(|row| Ok((row.read("account")?, call_type(&row)?))).transpose()
}

/// Accounts matching `filter`, a condition on `account`, in five statements however many they are.
async fn load(from: &mut impl Query, filter: &str, args: Vec<Arg>) -> Result<Vec<Account>, StoreError> {
    let accounts = format!(
        "SELECT id, name, zone, color, answer_phrase, notes, settings FROM account WHERE {filter} ORDER BY name, id"
    );
    let dids = format!(
        "SELECT account, number FROM did WHERE account IN (SELECT id FROM account WHERE {filter}) ORDER BY position, number"
    );
    let types = format!(
        "SELECT id, account, name, urgency, triggers, watched, form, protocol, protected, priority FROM call_type
         WHERE retired_at IS NULL AND account IN (SELECT id FROM account WHERE {filter}) ORDER BY position, id"
    );
    let greetings = format!(
        "SELECT account, recording, made_by, made_at, until_at, sealed FROM status_greeting
         WHERE ended_at IS NULL AND account IN (SELECT id FROM account WHERE {filter})"
    );
    let phrases = format!(
        "SELECT account, operator, recording, millis FROM answer_phrase
         WHERE account IN (SELECT id FROM account WHERE {filter}) ORDER BY operator"
    );
    // Safe: `filter` is one of the literals above, or made of placeholders.
    let rows = from.fetch_all(AssertSqlSafe(accounts), args.clone()).await?;
    let mut accounts = rows.iter().map(account).collect::<Result<Vec<_>, _>>()?;
    for row in from.fetch_all(AssertSqlSafe(dids), args.clone()).await? {
        let owner: AccountId = row.read("account")?;
        if let Some(account) = accounts.iter_mut().find(|a| a.id == owner) {
            account.dids.push(row.read("number")?);
        }
    }
    for row in from.fetch_all(AssertSqlSafe(greetings), args.clone()).await? {
        let owner: AccountId = row.read("account")?;
        if let Some(account) = accounts.iter_mut().find(|a| a.id == owner) {
            account.status_greeting = Some(status_greeting(&row, from.seal())?);
        }
    }
    for row in from.fetch_all(AssertSqlSafe(phrases), args.clone()).await? {
        let owner: AccountId = row.read("account")?;
        if let Some(account) = accounts.iter_mut().find(|a| a.id == owner) {
            account.answer_phrases.push(answer_phrase(&row)?);
        }
    }
    for row in from.fetch_all(AssertSqlSafe(types), args).await? {
        let owner: AccountId = row.read("account")?;
        if let Some(account) = accounts.iter_mut().find(|a| a.id == owner) {
            account.call_types.push(call_type(&row)?);
        }
    }
    Ok(accounts)
}

fn account(row: &Row) -> Result<Account, StoreError> {
    let settings: Settings = row.read_json("settings")?;
    Ok(Account {
        id: row.read("id")?,
        name: row.read("name")?,
        zone: row.read("zone")?,
        color: row.read("color")?,
        answer_phrase: row.read("answer_phrase")?,
        notes: row.read("notes")?,
        faq: settings.faq,
        greeting: settings.greeting,
        apology: settings.apology,
        comfort: settings.comfort,
        dids: Vec::new(),
        caller_id: settings.caller_id,
        priority: settings.priority,
        ring_secs: settings.ring_secs,
        max_wait_secs: settings.max_wait_secs,
        undo_secs: settings.undo_secs,
        leave_message: settings.leave_message,
        recording: settings.recording,
        queueing: settings.queueing,
        patching: settings.patching,
        secure: settings.secure,
        mail: settings.mail,
        ages: settings.ages,
        hours: settings.hours,
        menus: settings.menus,
        status_greeting: None,
        answer_phrases: Vec::new(),
        call_types: Vec::new(),
    })
}

fn call_type(row: &Row) -> Result<CallType, StoreError> {
    Ok(CallType {
        id: row.read("id")?,
        name: row.read("name")?,
        urgency: row.read_word("urgency")?,
        triggers: row.read("triggers")?,
        watched: row.read_json("watched")?,
        form: row.read_json("form")?,
        protocol: row.read("protocol")?,
        protected: row.read("protected")?,
        priority: row.read("priority")?,
    })
}

impl Tx {
    /// An account and its edition, which nobody else changes until this transaction ends.
    pub async fn lock_account(&mut self, id: &AccountId) -> Result<Option<(Account, u32)>, StoreError> {
        let lock = self.dialect().for_update();
        // Safe: one of two fixed endings.
        let sql = AssertSqlSafe(format!("SELECT edition FROM account WHERE id = $1{lock}"));
        let Some(row) = self.fetch_optional(sql, args![id]).await? else { return Ok(None) };
        let edition = row.read("edition")?;
        Ok(self.find_account(id).await?.map(|account| (account, edition)))
    }

    /// Counts the edition of an account up, for a change of what belongs to it.
    pub async fn touch_account(&mut self, id: &AccountId, now: UtcMs) -> Result<(), StoreError> {
        self.changes_accounts = true;
        let sql = "UPDATE account SET edition = edition + 1, updated_at = $2 WHERE id = $1";
        self.execute(sql, args![id, now]).await.map(|_| ())
    }

    /// Writes an account as it shall be from the next call on. The protocols it names must exist at commit.
    pub async fn upsert_account(&mut self, account: &Account, now: UtcMs) -> Result<(), StoreError> {
        self.changes_accounts = true;
        let settings = Settings {
            greeting: account.greeting.clone(),
            apology: account.apology.clone(),
            comfort: account.comfort.clone(),
            caller_id: account.caller_id.clone(),
            priority: account.priority,
            ring_secs: account.ring_secs,
            max_wait_secs: account.max_wait_secs,
            undo_secs: account.undo_secs,
            leave_message: account.leave_message,
            recording: account.recording.clone(),
            queueing: account.queueing.clone(),
            patching: account.patching.clone(),
            secure: account.secure.clone(),
            mail: account.mail.clone(),
            ages: account.ages,
            hours: account.hours.clone(),
            menus: account.menus.clone(),
            faq: account.faq.clone(),
        };
        self.execute(
            "INSERT INTO account (id, name, zone, color, answer_phrase, notes, settings, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, color = excluded.color,
             answer_phrase = excluded.answer_phrase, notes = excluded.notes, settings = excluded.settings,
             updated_at = excluded.updated_at, edition = account.edition + 1",
            args![
                &account.id,
                &account.name,
                &account.zone,
                &account.color,
                &account.answer_phrase,
                &account.notes,
                json(&settings),
                now
            ],
        )
        .await?;
        self.execute("DELETE FROM did WHERE account = $1", args![&account.id]).await?;
        for (position, did) in (0_i64..).zip(&account.dids) {
            self.execute(
                "INSERT INTO did (number, account, position) VALUES ($1, $2, $3)",
                args![did, &account.id, position],
            )
            .await?;
        }
        self.execute(
            "UPDATE call_type SET retired_at = $2 WHERE account = $1 AND retired_at IS NULL",
            args![&account.id, now],
        )
        .await?;
        for (position, call_type) in (0_i64..).zip(&account.call_types) {
            self.upsert_call_type(&account.id, position, call_type).await?;
        }
        Ok(())
    }

    async fn upsert_call_type(
        &mut self,
        account: &AccountId,
        position: i64,
        call_type: &CallType,
    ) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO call_type (id, account, position, name, urgency, triggers, watched, form, protocol, protected,
             priority, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)
             ON CONFLICT (id) DO UPDATE SET position = excluded.position, name = excluded.name,
             urgency = excluded.urgency, triggers = excluded.triggers, watched = excluded.watched,
             form = excluded.form, protocol = excluded.protocol, protected = excluded.protected,
             priority = excluded.priority, retired_at = NULL",
            args![
                &call_type.id,
                account,
                position,
                &call_type.name,
                word(&call_type.urgency),
                &call_type.triggers,
                json(&call_type.watched),
                json(&call_type.form),
                call_type.protocol.as_ref(),
                call_type.protected,
                call_type.priority
            ],
        )
        .await?;
        Ok(())
    }
}
