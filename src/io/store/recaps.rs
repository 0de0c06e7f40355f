//! Recaps: when each account wants one, and those that were made. What is in one and to whom it goes is sealed.
//!
//! An account, date and time have one row at most: whoever inserts it makes that recap.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, DispatchId, MessageId, RecapId};
use crate::domain::dispatch::state::Phase;
use crate::domain::recap::Recap;
use crate::domain::recap::plan::Plan;

use super::seal::Seal;
use super::sql::json;
use super::{Query, Row, StoreError, Tx, args, readers};

/// A plan as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSet {
    pub account: AccountId,
    pub plan: Plan,
    pub set_at: UtcMs,
    /// Since when the account gets recaps at all.
    pub since: UtcMs,
}

readers! {
    /// When and to whom an account's recaps go.
    find_recap_plan(account: &AccountId) -> Option<PlanSet>;
    /// The plans of all accounts.
    list_recap_plans() -> Vec<PlanSet>;
    /// The time of the last recap that was made for an account.
    find_last_recap_at(account: &AccountId) -> Option<UtcMs>;
    /// Recaps with an email to be sent by `now` that nobody is sending, the oldest first, with whose they are.
    list_due_recaps(now: UtcMs) -> Vec<(AccountId, RecapId)>;
    /// Recaps that were made since then, the oldest first, with whose they are.
    list_recaps_since(since: UtcMs) -> Vec<(AccountId, RecapId)>;
    /// When the next email of any is to be sent.
    find_next_recap_at() -> Option<UtcMs>;
    /// One of them.
    find_recap(id: &RecapId) -> Option<Recap>;
    /// The last recaps of an account, the newest first.
    list_recaps(account: &AccountId, limit: u32) -> Vec<Recap>;
    /// Dispatches that are held for an account's next recap, the oldest first.
    list_dispatches_for_recap(account: &AccountId) -> Vec<DispatchId>;
    /// Accounts with dispatches that are held for a recap though there is no plan for one.
    list_accounts_without_recap() -> Vec<AccountId>;
    /// Messages of an account that were taken from `since` up to `until` and are in no recap yet, the oldest first.
    list_unreported_messages(account: &AccountId, since: UtcMs, until: UtcMs) -> Vec<MessageId>;
}

const PLANS: &str = "SELECT account, plan, set_at, since_at FROM recap_plan";

async fn find_recap_plan(from: &mut impl Query, account: &AccountId) -> Result<Option<PlanSet>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{PLANS} WHERE account = $1"));
    from.fetch_optional(sql, args![account]).await?.as_ref().map(plan_set).transpose()
}

async fn list_recap_plans(from: &mut impl Query) -> Result<Vec<PlanSet>, StoreError> {
    let sql = sqlx::AssertSqlSafe(format!("{PLANS} ORDER BY account"));
    from.fetch_all(sql, Vec::new()).await?.iter().map(plan_set).collect()
}

fn plan_set(row: &Row) -> Result<PlanSet, StoreError> {
    Ok(PlanSet {
        account: row.read("account")?,
        plan: row.read_json("plan")?,
        set_at: row.read("set_at")?,
        since: row.read("since_at")?,
    })
}

async fn find_last_recap_at(from: &mut impl Query, account: &AccountId) -> Result<Option<UtcMs>, StoreError> {
    let row = from.fetch_optional("SELECT MAX(due_at) AS due_at FROM recap WHERE account = $1", args![account]).await?;
    row.map_or(Ok(None), |row| row.read("due_at"))
}

async fn list_due_recaps(from: &mut impl Query, now: UtcMs) -> Result<Vec<(AccountId, RecapId)>, StoreError> {
    const SQL: &str = "SELECT account, id FROM recap WHERE wake_at <= $1 AND lease_until <= $1 ORDER BY wake_at, id";
    from.fetch_all(SQL, args![now]).await?.iter().map(|row| Ok((row.read("account")?, row.read("id")?))).collect()
}

async fn list_recaps_since(from: &mut impl Query, since: UtcMs) -> Result<Vec<(AccountId, RecapId)>, StoreError> {
    let rows = from
        .fetch_all("SELECT account, id FROM recap WHERE id >= $1 ORDER BY id", args![&RecapId::first_at(since)])
        .await?;
    rows.iter().map(|row| Ok((row.read("account")?, row.read("id")?))).collect()
}

async fn find_next_recap_at(from: &mut impl Query) -> Result<Option<UtcMs>, StoreError> {
    const SQL: &str = "SELECT MIN(CASE WHEN lease_until > wake_at THEN lease_until ELSE wake_at END) AS at
        FROM recap WHERE wake_at IS NOT NULL";
    from.fetch_optional(SQL, Vec::new()).await?.map_or(Ok(None), |row| row.read("at"))
}

async fn find_recap(from: &mut impl Query, id: &RecapId) -> Result<Option<Recap>, StoreError> {
    let row = from.fetch_optional("SELECT id, sealed FROM recap WHERE id = $1", args![id]).await?;
    row.map(|row| recap(&row, from.seal())).transpose()
}

async fn list_recaps(from: &mut impl Query, account: &AccountId, limit: u32) -> Result<Vec<Recap>, StoreError> {
    const SQL: &str = "SELECT id, sealed FROM recap WHERE account = $1 ORDER BY due_at DESC, id DESC LIMIT $2";
    let rows = from.fetch_all(SQL, args![account, limit]).await?;
    rows.iter().map(|row| recap(row, from.seal())).collect()
}

async fn list_dispatches_for_recap(from: &mut impl Query, account: &AccountId) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT id FROM dispatch WHERE account = $1 AND state = $2 ORDER BY id";
    let rows = from.fetch_all(SQL, args![account, Phase::HeldForRecap.name()]).await?;
    rows.iter().map(|row| row.read("id")).collect()
}

async fn list_accounts_without_recap(from: &mut impl Query) -> Result<Vec<AccountId>, StoreError> {
    const SQL: &str = "SELECT DISTINCT account FROM dispatch
        WHERE state = $1 AND account NOT IN (SELECT account FROM recap_plan) ORDER BY account";
    let rows = from.fetch_all(SQL, args![Phase::HeldForRecap.name()]).await?;
    rows.iter().map(|row| row.read("account")).collect()
}

async fn list_unreported_messages(
    from: &mut impl Query,
    account: &AccountId,
    since: UtcMs,
    until: UtcMs,
) -> Result<Vec<MessageId>, StoreError> {
    const SQL: &str = "SELECT id FROM message
        WHERE account = $1 AND taken_at >= $2 AND taken_at <= $3 AND withdrawn_at IS NULL
        AND id NOT IN (SELECT message FROM recap_message) ORDER BY taken_at, id";
    from.fetch_all(SQL, args![account, since, until]).await?.iter().map(|row| row.read("id")).collect()
}

fn context(id: &RecapId) -> String {
    format!("recap:{id}")
}

fn recap(row: &Row, seal: &Seal) -> Result<Recap, StoreError> {
    let id: RecapId = row.read("id")?;
    seal.open_json(&context(&id), &row.read::<Vec<u8>>("sealed")?)
}

impl Tx {
    /// Sets when and to whom an account's recaps go, in place of what was set before; since when it gets any stays.
    pub async fn set_recap_plan(&mut self, set: &PlanSet) -> Result<(), StoreError> {
        let sql = "INSERT INTO recap_plan (account, plan, set_at, since_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (account) DO UPDATE SET plan = excluded.plan, set_at = excluded.set_at";
        self.execute(sql, args![&set.account, json(&set.plan), set.set_at, set.since]).await.map(|_| ())
    }

    /// The account gets no recaps any more. False: it got none before.
    pub async fn remove_recap_plan(&mut self, account: &AccountId) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM recap_plan WHERE account = $1", args![account]).await? > 0)
    }

    /// A recap was made, and what is in it is reported on. False: somebody has made the one for this time before.
    pub async fn insert_recap(&mut self, recap: &Recap) -> Result<bool, StoreError> {
        let sealed = self.seal().seal_json(&context(&recap.id), recap);
        let sql = "INSERT INTO recap (id, account, slot, due_at, made_at, wake_at, sealed)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, slot) DO NOTHING";
        let args = args![&recap.id, &recap.account, &recap.slot, recap.due_at, recap.made_at, recap.wake(), sealed];
        if self.execute(sql, args).await? == 0 {
            return Ok(false);
        }
        let sql = "INSERT INTO recap_message (message, recap) VALUES ($1, $2) ON CONFLICT (message) DO NOTHING";
        for message in recap.held.iter().map(|held| &held.message).chain(&recap.taken) {
            self.execute(sql, args![message, &recap.id]).await?;
        }
        Ok(true)
    }

    /// Whoever gets true sends it until then; nobody else does.
    pub async fn claim_recap(&mut self, id: &RecapId, now: UtcMs, until: UtcMs) -> Result<bool, StoreError> {
        let sql = "UPDATE recap SET lease_until = $3 WHERE id = $1 AND lease_until <= $2 AND wake_at <= $2";
        Ok(self.execute(sql, args![id, now, until]).await? > 0)
    }

    /// Writes what became of its emails; whoever sends it has it until `lease`.
    pub async fn save_recap(&mut self, recap: &Recap, lease: UtcMs) -> Result<(), StoreError> {
        let sealed = self.seal().seal_json(&context(&recap.id), recap);
        let sql = "UPDATE recap SET wake_at = $2, sealed = $3, lease_until = $4 WHERE id = $1";
        self.execute(sql, args![&recap.id, recap.wake(), sealed, lease]).await.map(|_| ())
    }

    /// An operator has seen that this email of a recap was given up.
    pub async fn see_lost_recap(&mut self, id: &RecapId, attempt: &AttemptId) -> Result<(), StoreError> {
        let Some(mut recap) = self.find_recap(id).await? else { return Ok(()) };
        recap.mails.iter_mut().filter(|mail| mail.attempt == *attempt).for_each(|mail| mail.seen = true);
        let sealed = self.seal().seal_json(&context(&recap.id), &recap);
        self.execute("UPDATE recap SET sealed = $2 WHERE id = $1", args![&recap.id, sealed]).await.map(|_| ())
    }
}
