//! Jobs: calls that operators make for dispatches, one row for each, written together with the attempt that it is part of.
//!
//! The attempt decides; a row is what is searched by. What always holds: a row has an end once the attempt has, and its lock is
//! the attempt's.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, ContactId, DispatchId, MessageId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Contact;
use crate::domain::dispatch::state::{Address, Attempt, State};

use super::sql::json;
use super::{Query, Row, StoreError, Tx, args, readers};

/// A job that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenJob {
    pub attempt: AttemptId,
    pub dispatch: DispatchId,
    pub message: MessageId,
    pub account: AccountId,
    pub offered_at: UtcMs,
    pub due_at: UtcMs,
    /// The lock.
    pub taken_by: Option<UserId>,
    pub taken_at: Option<UtcMs>,
}

readers! {
    /// Jobs without an end, oldest first.
    list_open_jobs(limit: u32) -> Vec<OpenJob>;
    /// Open dispatches that have an attempt at this number, or at any telephone of one of these people, oldest first.
    list_open_dispatches_asking(number: &PhoneNumber, people: &[ContactId]) -> Vec<DispatchId>;
    /// Dispatches of protected messages of this person's account, begun since then and closed, that something was sent about to this
    /// number or to them, oldest first.
    list_closed_notices_to(to: &Contact, number: &PhoneNumber, since: UtcMs) -> Vec<DispatchId>;
}

async fn list_open_jobs(from: &mut impl Query, limit: u32) -> Result<Vec<OpenJob>, StoreError> {
    const SQL: &str = "SELECT attempt, dispatch, message, account, offered_at, due_at, taken_by, taken_at FROM job
        WHERE ended_at IS NULL ORDER BY offered_at, attempt LIMIT $1";
    from.fetch_all(SQL, args![limit]).await?.iter().map(open_job).collect()
}

fn open_job(row: &Row) -> Result<OpenJob, StoreError> {
    Ok(OpenJob {
        attempt: row.read("attempt")?,
        dispatch: row.read("dispatch")?,
        message: row.read("message")?,
        account: row.read("account")?,
        offered_at: row.read("offered_at")?,
        due_at: row.read("due_at")?,
        taken_by: row.read("taken_by")?,
        taken_at: row.read("taken_at")?,
    })
}

async fn list_open_dispatches_asking(
    from: &mut impl Query,
    number: &PhoneNumber,
    people: &[ContactId],
) -> Result<Vec<DispatchId>, StoreError> {
    // Who is meant stands in the attempt's JSON; only attempts of open dispatches are looked at.
    const SQL: &str = "SELECT attempt.dispatch AS dispatch, attempt.body AS body
        FROM attempt JOIN dispatch ON attempt.dispatch = dispatch.id
        WHERE dispatch.closed_at IS NULL AND attempt.channel IN ('call', 'text', 'push', 'pager') ORDER BY dispatch.id, attempt.n";
    let mut found: Vec<DispatchId> = Vec::new();
    for row in from.fetch_all(SQL, Vec::new()).await? {
        let id: DispatchId = row.read("dispatch")?;
        if found.last() == Some(&id) {
            continue;
        }
        let attempt: Attempt = row.read_json("body")?;
        let theirs = attempt.contact.as_ref().is_some_and(|contact| people.contains(contact));
        if attempt.is_step() && (theirs || attempt.address.phone() == Some(number)) {
            found.push(id);
        }
    }
    Ok(found)
}

async fn list_closed_notices_to(
    from: &mut impl Query,
    to: &Contact,
    number: &PhoneNumber,
    since: UtcMs,
) -> Result<Vec<DispatchId>, StoreError> {
    // Found by the identifiers, which begin with the time. Whom it was sent to stands in the attempt's JSON; an underline in an
    // identifier stands for any letter here, so whoever asks reads the attempts themselves.
    const SQL: &str = "SELECT DISTINCT dispatch.id AS id FROM dispatch
        JOIN message ON message.id = dispatch.message JOIN call_type ON call_type.id = message.call_type
        JOIN attempt ON attempt.dispatch = dispatch.id
        WHERE dispatch.id >= $1 AND dispatch.closed_at IS NOT NULL AND dispatch.account = $2 AND call_type.protected <> 0
          AND (attempt.body LIKE $3 OR attempt.body LIKE $4) ORDER BY dispatch.id";
    let contact = format!("%\"contact\":{}%", json(&to.id));
    let address = format!("%\"address\":{}%", json(&Address::Phone(number.clone())));
    let rows = from.fetch_all(SQL, args![&DispatchId::first_at(since), &to.account, contact, address]).await?;
    rows.iter().map(|row| row.read("id")).collect()
}

impl Tx {
    /// Writes the row of an attempt that is, or was, an operator's to make.
    pub(super) async fn save_job(&mut self, state: &State, attempt: &Attempt) -> Result<(), StoreError> {
        let Some((job, offered_at)) = attempt.job.as_ref().and_then(|job| Some((job, job.offered_at?))) else {
            // The machine's from now on, or never on a desk.
            const SQL: &str =
                "UPDATE job SET ended_at = $2, outcome = 'machine' WHERE attempt = $1 AND ended_at IS NULL";
            self.execute(SQL, args![&attempt.id, attempt.planned_at]).await?;
            return Ok(());
        };
        let failed_at = attempt.failed.as_ref().map(|failed| failed.at);
        let taken_back_at = attempt.cancelled.then_some(job.due_at);
        let ended_at = attempt.ended_at.or(failed_at).or(taken_back_at);
        let taken = job.taken.as_ref();
        self.execute(
            "INSERT INTO job (attempt, dispatch, message, account, offered_at, due_at, taken_by, taken_at, ended_at,
             outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (attempt) DO UPDATE SET due_at = excluded.due_at, taken_by = excluded.taken_by,
             taken_at = excluded.taken_at, ended_at = excluded.ended_at, outcome = excluded.outcome",
            args![
                &attempt.id,
                &state.id,
                &state.message,
                &state.account,
                offered_at,
                job.due_at,
                taken.map(|taken| &taken.by),
                taken.map(|taken| taken.at),
                ended_at,
                ended_at.map(|_| attempt.state().name())
            ],
        )
        .await?;
        Ok(())
    }
}
