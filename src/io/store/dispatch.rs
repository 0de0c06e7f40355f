//! Dispatches: the state with its steps and attempts, when it wakes, its codes and its history, all of one
//! decision in one transaction.
//!
//! What the machine decided is kept as JSON beside the columns that are searched by; the columns are
//! written from the same value. A writer must have read the latest state ([`StoredDispatch::gen`]): two
//! nodes that decide at once cannot both be stored.

use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, AttemptId, CallId, DispatchId, MessageId};
use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::event::Entry;
use crate::domain::dispatch::protocol::Protocol;
use crate::domain::dispatch::state::{Address, Attempt, NewDispatch, Phase, State};

use super::calls::pieces;
use super::decisions::{Found, MessageHead, head, load};
use super::entries::open_entry;
use super::inbound::find_patched_to;
use super::sql::json;
use super::{Column, Query, Row, StoreError, Tx, args, readers};

/// A dispatch as it is in the store.
#[derive(Clone, Debug)]
pub struct StoredDispatch {
    pub state: State,
    /// How often it has been written.
    pub r#gen: i64,
    /// What of its message it is decided by.
    pub head: MessageHead,
    /// The generation of its timer, if it has one: another than the claimed one says that it was claimed again or set anew
    /// since.
    pub timer: Option<i64>,
}

/// Whom a code at a number belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    pub code: u16,
    pub dispatch: DispatchId,
    pub opened_at: UtcMs,
    pub closed_at: Option<UtcMs>,
}

readers! {
    /// The versions of protocols that open dispatches of an account run.
    list_running_protocols(account: &AccountId) -> Vec<Protocol>;
    /// The dispatch with this identifier.
    find_dispatch(id: &DispatchId) -> Option<StoredDispatch>;
    /// The dispatches with these identifiers; one that cannot be read hides no other.
    find_dispatches(ids: &[DispatchId]) -> Found;
    /// The dispatch of a message.
    find_dispatch_of_message(message: &MessageId) -> Option<DispatchId>;
    /// The message that a dispatch is for.
    find_message_of_dispatch(id: &DispatchId) -> Option<MessageId>;
    /// The dispatch that an attempt belongs to.
    find_dispatch_of_attempt(attempt: &AttemptId) -> Option<DispatchId>;
    /// The attempts that the provider knows by this name, with their dispatches: one, or several that left in one, and those of
    /// before if it gives its names anew.
    list_attempts_of_provider(provider_id: &str) -> Vec<(DispatchId, Attempt)>;
    /// Dispatches that are not closed: those on their way first, then those that only wait for a check-in, each oldest first.
    list_open_dispatches(limit: u32) -> Vec<DispatchId>;
    /// Dispatches made since then that are closed, newest first.
    list_closed_dispatches(since: UtcMs) -> Vec<DispatchId>;
    /// Dispatches that are over and wake once more: an answer to somebody waits to leave.
    list_closed_dispatches_with_timer() -> Vec<DispatchId>;
    /// Dispatches begun since then that are over, and that the desks are warned of: whoever accepted the message has not opened it.
    list_unopened_dispatches(since: UtcMs) -> Vec<DispatchId>;
    /// Open dispatches that have an attempt at this number, oldest first.
    list_open_dispatches_at(number: &PhoneNumber) -> Vec<DispatchId>;
    /// Open dispatches that an operator is warned about as this number asked for no more texts.
    list_open_dispatches_stopped_at(number: &PhoneNumber) -> Vec<DispatchId>;
    /// Whom the caller was put through to on the call that this message was taken on.
    find_patch_of_message(message: &MessageId) -> Vec<String>;
    /// Dispatches of messages taken on this call: of this account alone, if one is named.
    list_dispatches_of_call(call: &CallId, account: Option<&AccountId>) -> Vec<DispatchId>;
    /// Dispatches that wait for a call that has ended.
    list_dispatches_with_ended_call() -> Vec<DispatchId>;
    /// All dispatches that wait for a call.
    list_dispatches_with_call() -> Vec<DispatchId>;
    /// The history of a dispatch, in order.
    list_dispatch_entries(id: &DispatchId) -> Vec<Entry>;
    /// Codes of a number that are open or in quarantine at `now`.
    list_codes(number: &PhoneNumber, now: UtcMs) -> Vec<CodeRow>;
    /// Attempts in flight at nodes that are gone.
    list_orphaned_attempts() -> Vec<(DispatchId, AttemptId)>;
    /// When the next timer is due.
    find_next_due() -> Option<UtcMs>;
    /// Dispatches that should have a time to wake at and have none. There must not be any.
    list_sleepless_dispatches() -> Vec<DispatchId>;
    /// Codes of these numbers that are open or in quarantine at `now`.
    list_taken_codes(numbers: &[PhoneNumber], now: UtcMs) -> Vec<(PhoneNumber, u16)>;
}

async fn find_dispatch(from: &mut impl Query, id: &DispatchId) -> Result<Option<StoredDispatch>, StoreError> {
    load(from, std::slice::from_ref(id)).await?.remove(id).transpose()
}

async fn find_dispatches(from: &mut impl Query, ids: &[DispatchId]) -> Result<Found, StoreError> {
    load(from, ids).await
}

async fn find_message_of_dispatch(from: &mut impl Query, id: &DispatchId) -> Result<Option<MessageId>, StoreError> {
    let row = from.fetch_optional("SELECT message FROM dispatch WHERE id = $1", args![id]).await?;
    row.map(|row| row.read("message")).transpose()
}

async fn find_dispatch_of_message(
    from: &mut impl Query,
    message: &MessageId,
) -> Result<Option<DispatchId>, StoreError> {
    let row = from.fetch_optional("SELECT id FROM dispatch WHERE message = $1", args![message]).await?;
    row.map(|row| row.read("id")).transpose()
}

async fn find_dispatch_of_attempt(
    from: &mut impl Query,
    attempt: &AttemptId,
) -> Result<Option<DispatchId>, StoreError> {
    let row = from.fetch_optional("SELECT dispatch FROM attempt WHERE id = $1", args![attempt]).await?;
    row.map(|row| row.read("dispatch")).transpose()
}

async fn list_attempts_of_provider(
    from: &mut impl Query,
    provider_id: &str,
) -> Result<Vec<(DispatchId, Attempt)>, StoreError> {
    const SQL: &str = "SELECT dispatch, body FROM attempt WHERE provider_id = $1 ORDER BY dispatch, n";
    let rows = from.fetch_all(SQL, args![provider_id]).await?;
    rows.iter().map(|row| Ok((row.read("dispatch")?, row.read_json("body")?))).collect()
}

async fn list_running_protocols(from: &mut impl Query, account: &AccountId) -> Result<Vec<Protocol>, StoreError> {
    const SQL: &str = "SELECT body FROM dispatch WHERE account = $1 AND closed_at IS NULL ORDER BY id";
    let mut found: Vec<Protocol> = Vec::new();
    for row in from.fetch_all(SQL, args![account]).await? {
        let state: State = row.read_json("body")?;
        if !found.iter().any(|known| known.id == state.protocol.id) {
            found.push(state.protocol);
        }
    }
    Ok(found)
}

fn ids(rows: &[Row]) -> Result<Vec<DispatchId>, StoreError> {
    rows.iter().map(|row| row.read("id")).collect()
}

async fn list_open_dispatches(from: &mut impl Query, limit: u32) -> Result<Vec<DispatchId>, StoreError> {
    // However many wait for their clients, or were never confirmed, none of them takes the place of one that asks for
    // somebody now: those that need an operator first, held ones last, and of each kind the newest.
    const SQL: &str = "SELECT id FROM (
            SELECT id, CASE WHEN needs_operator <> 0 THEN 0 WHEN state IN ($2, $3) THEN 2 ELSE 1 END AS place
            FROM dispatch WHERE closed_at IS NULL ORDER BY place, id DESC LIMIT $1) AS shown
        ORDER BY place, id";
    ids(&from.fetch_all(SQL, args![limit, Phase::HeldForCheckIn.name(), Phase::HeldForRecap.name()]).await?)
}

async fn list_closed_dispatches(from: &mut impl Query, since: UtcMs) -> Result<Vec<DispatchId>, StoreError> {
    // Found by the identifiers, which begin with the time.
    const SQL: &str = "SELECT id FROM dispatch WHERE id >= $1 AND closed_at IS NOT NULL ORDER BY id DESC";
    ids(&from.fetch_all(SQL, args![&DispatchId::first_at(since)]).await?)
}

async fn list_closed_dispatches_with_timer(from: &mut impl Query) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT timer.dispatch AS id FROM timer JOIN dispatch ON dispatch.id = timer.dispatch
        WHERE dispatch.closed_at IS NOT NULL ORDER BY timer.due_at, timer.dispatch";
    ids(&from.fetch_all(SQL, Vec::new()).await?)
}

async fn list_unopened_dispatches(from: &mut impl Query, since: UtcMs) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT id FROM dispatch WHERE id >= $1 AND closed_at IS NOT NULL AND needs_operator <> 0
        ORDER BY id";
    ids(&from.fetch_all(SQL, args![&DispatchId::first_at(since)]).await?)
}

async fn list_open_dispatches_at(from: &mut impl Query, number: &PhoneNumber) -> Result<Vec<DispatchId>, StoreError> {
    // The address stands in the attempt's JSON; only attempts of open dispatches are looked at. A number is
    // `+` and digits, so nothing in it is a wildcard.
    const SQL: &str = "SELECT DISTINCT dispatch.id AS id FROM dispatch JOIN attempt ON attempt.dispatch = dispatch.id
        WHERE dispatch.closed_at IS NULL AND attempt.body LIKE $1 ORDER BY dispatch.id";
    let address = Address::Phone(number.clone());
    let pattern = format!("%\"address\":{}%", json(&address));
    ids(&from.fetch_all(SQL, args![pattern]).await?)
}

async fn list_open_dispatches_stopped_at(
    from: &mut impl Query,
    number: &PhoneNumber,
) -> Result<Vec<DispatchId>, StoreError> {
    // As they stand in the dispatch's JSON. One too many is no harm: it has nothing to take back.
    const SQL: &str =
        "SELECT id FROM dispatch WHERE closed_at IS NULL AND needs_operator <> 0 AND body LIKE $1 ORDER BY id";
    let pattern = format!("%\"kind\":\"stopped\"%\"number\":{}%", json(number));
    ids(&from.fetch_all(SQL, args![pattern]).await?)
}

async fn find_patch_of_message(from: &mut impl Query, message: &MessageId) -> Result<Vec<String>, StoreError> {
    let row = from.fetch_optional("SELECT call, account FROM message WHERE id = $1", args![message]).await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let (call, account): (Option<CallId>, AccountId) = (row.read("call")?, row.read("account")?);
    match call {
        Some(call) => find_patched_to(from, &call, &account).await,
        None => Ok(Vec::new()),
    }
}

async fn list_dispatches_of_call(
    from: &mut impl Query,
    call: &CallId,
    account: Option<&AccountId>,
) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT dispatch.id AS id FROM dispatch JOIN message ON message.id = dispatch.message
        WHERE message.call = $1 AND (dispatch.account = $2 OR $2 IS NULL) ORDER BY dispatch.id";
    ids(&from.fetch_all(SQL, args![call, account]).await?)
}

async fn list_dispatches_with_ended_call(from: &mut impl Query) -> Result<Vec<DispatchId>, StoreError> {
    const SQL: &str = "SELECT dispatch.id AS id FROM dispatch JOIN call ON call.id = dispatch.on_call
        WHERE dispatch.on_call IS NOT NULL AND call.ended_at IS NOT NULL ORDER BY dispatch.id";
    ids(&from.fetch_all(SQL, Vec::new()).await?)
}

async fn list_dispatches_with_call(from: &mut impl Query) -> Result<Vec<DispatchId>, StoreError> {
    ids(&from.fetch_all("SELECT id FROM dispatch WHERE on_call IS NOT NULL ORDER BY id", Vec::new()).await?)
}

async fn list_dispatch_entries(from: &mut impl Query, id: &DispatchId) -> Result<Vec<Entry>, StoreError> {
    const SQL: &str = "SELECT body FROM dispatch_event WHERE dispatch = $1 ORDER BY seq";
    let rows = from.fetch_all(SQL, args![id]).await?;
    let seal = from.seal();
    rows.iter().map(|row| Ok(open_entry(seal, id, row.read_json("body")?))).collect()
}

async fn list_codes(from: &mut impl Query, number: &PhoneNumber, now: UtcMs) -> Result<Vec<CodeRow>, StoreError> {
    const SQL: &str = "SELECT code, dispatch, opened_at, closed_at FROM confirm_code
        WHERE number = $1 AND (reusable_at IS NULL OR reusable_at > $2) ORDER BY code";
    let code = |row: &Row| {
        Ok(CodeRow {
            code: row.read("code")?,
            dispatch: row.read("dispatch")?,
            opened_at: row.read("opened_at")?,
            closed_at: row.read("closed_at")?,
        })
    };
    from.fetch_all(SQL, args![number, now]).await?.iter().map(code).collect()
}

async fn list_orphaned_attempts(from: &mut impl Query) -> Result<Vec<(DispatchId, AttemptId)>, StoreError> {
    const SQL: &str = "SELECT dispatch, id FROM attempt
        WHERE owner IS NOT NULL AND owner NOT IN (SELECT boot FROM node) ORDER BY id";
    let rows = from.fetch_all(SQL, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.read("dispatch")?, row.read("id")?))).collect()
}

async fn find_next_due(from: &mut impl Query) -> Result<Option<UtcMs>, StoreError> {
    // A claimed timer that is due later than one that nobody holds cannot be the next, so that few rows are looked at.
    const SQL: &str = "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS due FROM timer
        WHERE due_at <= COALESCE((SELECT MIN(due_at) FROM timer WHERE owner IS NULL), $1)";
    match from.fetch_optional(SQL, args![i64::MAX]).await? {
        Some(row) => row.read("due"),
        None => Ok(None),
    }
}

async fn list_sleepless_dispatches(from: &mut impl Query) -> Result<Vec<DispatchId>, StoreError> {
    // What is held wakes if it is held until then, or is paused: both stand in the JSON alone.
    const SQL: &str = "SELECT id FROM dispatch WHERE closed_at IS NULL AND id NOT IN (SELECT dispatch FROM timer)
        AND (state IN ('open', 'running') OR (state = 'held_for_check_in' AND (body LIKE '%\"paused\":{%'
         OR EXISTS (SELECT 1 FROM step_run r WHERE r.dispatch = dispatch.id AND r.ended_at IS NULL
                    AND r.body LIKE '%\"held_until\":%' AND r.body NOT LIKE '%\"held_until\":null%')))) ORDER BY id";
    ids(&from.fetch_all(SQL, Vec::new()).await?)
}

async fn list_taken_codes(
    from: &mut impl Query,
    numbers: &[PhoneNumber],
    now: UtcMs,
) -> Result<Vec<(PhoneNumber, u16)>, StoreError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let mut args = args![now];
    args.extend(numbers.iter().flat_map(|number| args![number]));
    let places: Vec<String> = (2..=args.len()).map(|n| format!("${n}")).collect();
    // Safe: made of placeholders.
    let sql = AssertSqlSafe(format!(
        "SELECT number, code FROM confirm_code WHERE (reusable_at IS NULL OR reusable_at > $1) AND number IN ({})",
        places.join(", ")
    ));
    let rows = from.fetch_all(sql, args).await?;
    rows.iter().map(|row| Ok((row.read("number")?, row.read("code")?))).collect()
}

impl Tx {
    /// Opens a dispatch for a message that is inserted in this same transaction, and gives its first state.
    pub async fn open_dispatch(&mut self, new: NewDispatch, now: UtcMs) -> Result<State, StoreError> {
        let state = new.saved(now);
        self.execute(
            "INSERT INTO dispatch (id, message, account, state, needs_operator, open_at, on_call, gen, body)
             VALUES ($1, $2, $3, $4, 0, $5, $6, 1, $7)",
            args![
                &state.id,
                &state.message,
                &state.account,
                state.phase.name(),
                state.open_at,
                state.on_call.as_ref(),
                head(&state)
            ],
        )
        .await?;
        self.set_timers(&[&state]).await?;
        Ok(state)
    }

    /// Puts the timer of a dispatch right, as the audit found it wrong.
    pub async fn repair_timer(&mut self, state: &State) -> Result<(), StoreError> {
        self.set_timers(&[state]).await
    }

    /// Takes up to `limit` due timers for the node with this boot, what is urgent before the rest, the longest overdue first. A timer that
    /// another living node holds is passed over until its lease ends. With each goes the generation that the
    /// claim gave it.
    pub async fn claim_due(
        &mut self,
        now: UtcMs,
        boot: &str,
        lease_until: UtcMs,
        limit: u32,
    ) -> Result<Vec<(DispatchId, i64)>, StoreError> {
        let lock = self.dialect().for_update_skip_locked();
        // Safe: `lock` is one of the dialect's literals.
        let sql = AssertSqlSafe(format!(
            "SELECT dispatch, gen FROM timer WHERE due_at <= $1 AND (owner IS NULL OR lease_until <= $1
             OR owner NOT IN (SELECT boot FROM node)) ORDER BY urgent DESC, due_at, dispatch LIMIT $2{lock}"
        ));
        const DUE: [Column; 2] = [Column::Plain("dispatch"), Column::Plain("gen")];
        let rows = self.fetch_together(&DUE, sql, args![now, limit]).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            claimed.push((row.read("dispatch")?, row.read::<i64>("gen")? + 1));
        }
        let ids: Vec<&DispatchId> = claimed.iter().map(|(id, _)| id).collect();
        for ids in pieces(&ids) {
            let places: Vec<_> = (1..=ids.len()).map(|n| format!("${}", n + 2)).collect();
            let sql = format!(
                "UPDATE timer SET owner = $1, lease_until = $2, gen = gen + 1 WHERE dispatch IN ({})",
                places.join(", ")
            );
            let mut args = args![boot, lease_until];
            args.extend(ids.iter().flat_map(|id| args![*id]));
            // Safe: made of placeholders.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(claimed)
    }

    /// Lets go of a claimed timer that cannot be served until `due`, if it is still ours.
    pub async fn put_off_timer(&mut self, id: &DispatchId, claimed: i64, due: UtcMs) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE timer SET due_at = $3, gen = gen + 1, owner = NULL, lease_until = NULL
            WHERE dispatch = $1 AND gen = $2";
        self.execute(SQL, args![id, claimed, due]).await?;
        Ok(())
    }
}
