//! Dispatches as they are decided about: read, and written, many in few statements and rows, as each of either costs its way to
//! the store and back whatever it does.
//!
//! A writer must have read the latest state ([`StoredDispatch::gen`]): if one dispatch of many has been written since, or a
//! code was taken, none of them is. The caller gives that transaction up, and decides about each alone. Each dispatch is in
//! one call once. Locks are taken in the order of identifiers, so that nodes do not wait for each other in a ring.

use std::collections::{BTreeSet, HashMap};

use sqlx::AssertSqlSafe;

use crate::base::clock::UtcMs;
use crate::base::id::{CallId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Urgency;
use crate::domain::dispatch::confirm::CODE_QUARANTINE_MS;
use crate::domain::dispatch::event::Entry;
use crate::domain::dispatch::state::{Attempt, State, StepRun};

use super::calls::{pieces, rows_of};
use super::dialect::Placeholder;
use super::dispatch::StoredDispatch;
use super::entries::{open_entry, seal_entry};
use super::sql::{json, places};
use super::{Column, Query, Row, StoreError, Tx, args, readers};

/// Dispatches that were found, each by itself: one that cannot be read is an error of its own.
pub type Found = HashMap<DispatchId, Result<StoredDispatch, StoreError>>;

/// What was decided about a dispatch, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    pub read: &'a StoredDispatch,
    pub after: &'a State,
    /// What goes into its history.
    pub entries: &'a [Entry],
}

/// What of its message a dispatch is decided by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageHead {
    pub edition: u32,
    pub protected: bool,
    pub call: Option<CallId>,
}

/// What is read of a dispatch.
const STORED: [Column; 9] = [
    Column::Plain("id"),
    Column::Plain("gen"),
    Column::Plain("body"),
    Column::Plain("timer"),
    Column::Plain("edition"),
    Column::Plain("call"),
    Column::Plain("protected"),
    Column::Plain("runs"),
    Column::Plain("attempts"),
];
const HISTORY: [Column; 2] = [Column::Plain("dispatch"), Column::Plain("bodies")];

readers! {
    /// The history of these dispatches, each one's in order.
    list_entries_of(ids: &[DispatchId]) -> HashMap<DispatchId, Vec<Entry>>;
}

async fn list_entries_of(
    from: &mut impl Query,
    ids: &[DispatchId],
) -> Result<HashMap<DispatchId, Vec<Entry>>, StoreError> {
    let mut entries: HashMap<DispatchId, Vec<Entry>> = HashMap::with_capacity(ids.len());
    for ids in pieces(ids) {
        let sql = format!(
            "SELECT dispatch, string_agg(body, ',' ORDER BY seq) AS bodies FROM dispatch_event
             WHERE dispatch IN ({}) GROUP BY dispatch",
            places(ids.len())
        );
        // Safe: made of placeholders.
        let rows = from.fetch_together(&HISTORY, AssertSqlSafe(sql), ids.iter().flat_map(|id| args![id]).collect());
        for row in rows.await? {
            let id: DispatchId = row.read("dispatch")?;
            let bodies: Vec<Entry> = row.read_jsons("bodies")?;
            entries.insert(id.clone(), bodies.into_iter().map(|entry| open_entry(from.seal(), &id, entry)).collect());
        }
    }
    Ok(entries)
}

/// Dispatches with all that hangs on them, each a row.
pub(super) async fn load(from: &mut impl Query, ids: &[DispatchId]) -> Result<Found, StoreError> {
    let ids = in_order(ids);
    let mut found = Found::with_capacity(ids.len());
    for ids in pieces(&ids) {
        let sql = format!(
            "SELECT dispatch.id AS id, dispatch.gen AS gen, dispatch.body AS body, timer.gen AS timer,
             COALESCE(message.edition, 0) AS edition, message.call AS call,
             COALESCE(call_type.protected, 0) AS protected,
             (SELECT string_agg(body, ',' ORDER BY n) FROM step_run WHERE dispatch = dispatch.id) AS runs,
             (SELECT string_agg(body, ',' ORDER BY n) FROM attempt WHERE dispatch = dispatch.id) AS attempts
             FROM dispatch LEFT JOIN timer ON timer.dispatch = dispatch.id
             LEFT JOIN message ON message.id = dispatch.message
             LEFT JOIN call_type ON call_type.id = message.call_type
             WHERE dispatch.id IN ({})",
            places(ids.len())
        );
        // Safe: made of placeholders.
        let rows = from.fetch_together(&STORED, AssertSqlSafe(sql), ids.iter().flat_map(|id| args![*id]).collect());
        for row in rows.await? {
            found.insert(row.read("id")?, stored(&row));
        }
    }
    Ok(found)
}

/// Each once, in the order in which they are locked.
fn in_order(ids: &[DispatchId]) -> Vec<&DispatchId> {
    let ids: BTreeSet<&DispatchId> = ids.iter().collect();
    ids.into_iter().collect()
}

fn stored(row: &Row) -> Result<StoredDispatch, StoreError> {
    let head =
        MessageHead { edition: row.read("edition")?, protected: row.read("protected")?, call: row.read("call")? };
    let (runs, attempts) = (row.read_jsons("runs")?, row.read_jsons("attempts")?);
    let state = State { runs, attempts, ..row.read_json("body")? };
    Ok(StoredDispatch { state, r#gen: row.read("gen")?, head, timer: row.read("timer")? })
}

/// The state without what has rows of its own.
pub(super) fn head(state: &State) -> String {
    json(&State { runs: Vec::new(), attempts: Vec::new(), ..state.clone() })
}

/// What confirms a dispatch, and where.
fn codes(state: &State) -> BTreeSet<(PhoneNumber, u16)> {
    state.codes().map(|(number, code, _)| (number.clone(), code)).collect()
}

/// A row of a statement, with nothing but its places.
fn plain<const COLUMNS: usize>(places: [Placeholder; COLUMNS]) -> String {
    format!("({})", places.map(|place| place.to_string()).join(", "))
}

impl Tx {
    /// Reads a dispatch to decide about it: on PostgreSQL nobody else can meanwhile.
    pub async fn lock_dispatch(&mut self, id: &DispatchId) -> Result<Option<StoredDispatch>, StoreError> {
        self.lock_dispatches(std::slice::from_ref(id)).await?.remove(id).transpose()
    }

    /// The same for many.
    pub async fn lock_dispatches(&mut self, ids: &[DispatchId]) -> Result<Found, StoreError> {
        let lock = self.dialect().for_update();
        if !lock.is_empty() {
            let ids = in_order(ids);
            // First, and by itself: a statement that waits for a lock would show what hangs on the dispatch as it was before.
            for ids in pieces(&ids) {
                let places = places(ids.len());
                let sql = format!("SELECT id FROM dispatch WHERE id IN ({places}) ORDER BY id{lock}");
                // Safe: made of placeholders and a literal.
                self.fetch_all(AssertSqlSafe(sql), ids.iter().flat_map(|id| args![*id]).collect()).await?;
            }
        }
        load(self, ids).await
    }

    /// Writes what was decided about a dispatch: its state and all that hangs on it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else has written it since it was read, or has taken a code:
    /// read it again and decide anew.
    pub async fn save_dispatch(
        &mut self,
        read: &StoredDispatch,
        after: &State,
        entries: &[Entry],
        now: UtcMs,
    ) -> Result<(), StoreError> {
        self.save_dispatches(&[Decision { read, after, entries }], now).await
    }

    /// The same for many, each dispatch once.
    ///
    /// # Errors
    /// As of one; then none of them is to be committed.
    pub async fn save_dispatches(&mut self, decisions: &[Decision<'_>], now: UtcMs) -> Result<(), StoreError> {
        // In one order, as they were locked.
        let mut decisions = decisions.to_vec();
        decisions.sort_unstable_by(|a, b| a.after.id.cmp(&b.after.id));
        let changed = self.update_heads(&decisions).await?;
        if usize::try_from(changed).ok() != Some(decisions.len()) {
            return Err(StoreError::Conflict { what: "dispatch".to_owned() });
        }
        self.save_runs(&decisions).await?;
        self.save_attempts(&decisions).await?;
        self.open_codes(&decisions, now).await?;
        for decision in &decisions {
            self.close_codes(&decision.read.state, decision.after, now).await?;
        }
        let states: Vec<&State> = decisions.iter().map(|decision| decision.after).collect();
        self.set_timers(&states).await?;
        self.append_entries(&decisions).await
    }

    async fn update_heads(&mut self, decisions: &[Decision<'_>]) -> Result<u64, StoreError> {
        const COLUMNS: usize = 8;
        let mut changed = 0;
        for decisions in pieces(decisions) {
            // Cast, as PostgreSQL takes a bare placeholder here for a text.
            let row = |[id, read, state, needs, closed, on_call, body, held]: [Placeholder; COLUMNS]| {
                format!(
                    "SELECT CAST({id} AS TEXT) AS id, CAST({read} AS BIGINT) AS read, CAST({state} AS TEXT) AS state,
                     CAST({needs} AS BIGINT) AS needs_operator, CAST({closed} AS BIGINT) AS closed_at,
                     CAST({on_call} AS TEXT) AS on_call, CAST({body} AS TEXT) AS body,
                     CAST({held} AS BIGINT) AS held_since"
                )
            };
            let rows = rows_of(self.dialect(), decisions.len(), " UNION ALL ", row);
            let sql = format!(
                "UPDATE dispatch SET state = decided.state, needs_operator = decided.needs_operator,
                 closed_at = decided.closed_at, on_call = decided.on_call, body = decided.body,
                 held_since = decided.held_since, gen = dispatch.gen + 1 FROM ({rows}) AS decided
                 WHERE dispatch.id = decided.id AND dispatch.gen = decided.read"
            );
            let mut args = Vec::with_capacity(decisions.len() * COLUMNS);
            for &Decision { read, after, .. } in decisions {
                args.append(&mut args![
                    &after.id,
                    read.r#gen,
                    after.phase.name(),
                    after.needs_operator() || after.unopened_by().is_some(),
                    after.closed_at,
                    after.on_call.as_ref(),
                    head(after),
                    after.held_since()
                ]);
            }
            // Safe: made of the literals above.
            changed += self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(changed)
    }

    async fn save_runs(&mut self, decisions: &[Decision<'_>]) -> Result<(), StoreError> {
        const COLUMNS: usize = 10;
        let mut new: Vec<(&DispatchId, i64, &StepRun)> = Vec::new();
        for &Decision { read, after, .. } in decisions {
            let rows = (0_i64..).zip(&after.runs).enumerate();
            let changed = rows.filter(|(n, (_, run))| read.state.runs.get(*n) != Some(*run));
            new.extend(changed.map(|(_, (n, run))| (&after.id, n, run)));
        }
        for runs in pieces(&new) {
            let rows = rows_of::<COLUMNS>(self.dialect(), runs.len(), ", ", plain);
            let sql = format!(
                "INSERT INTO step_run (dispatch, n, id, round, step, state, entered_at, wait_from, ended_at, body)
                 VALUES {rows} ON CONFLICT (dispatch, n) DO UPDATE SET state = excluded.state,
                 wait_from = excluded.wait_from, ended_at = excluded.ended_at, body = excluded.body"
            );
            let mut args = Vec::with_capacity(runs.len() * COLUMNS);
            for (id, n, run) in runs {
                args.append(&mut args![
                    *id,
                    *n,
                    &run.id,
                    run.round,
                    i64::try_from(run.step).unwrap_or(i64::MAX),
                    run.state.name(),
                    run.entered_at,
                    run.wait_from,
                    run.ended_at,
                    json(run)
                ]);
            }
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(())
    }

    async fn save_attempts(&mut self, decisions: &[Decision<'_>]) -> Result<(), StoreError> {
        const COLUMNS: usize = 14;
        let mut new: Vec<(&State, i64, &Attempt)> = Vec::new();
        let mut jobs: Vec<(&State, &Attempt)> = Vec::new();
        for &Decision { read, after, .. } in decisions {
            for (index, (n, attempt)) in (0_i64..).zip(&after.attempts).enumerate() {
                let before = read.state.attempts.get(index);
                if before == Some(attempt) {
                    continue;
                }
                new.push((after, n, attempt));
                if attempt.job.is_some() || before.is_some_and(|before| before.job.is_some()) {
                    jobs.push((after, attempt));
                }
            }
        }
        for attempts in pieces(&new) {
            let rows = rows_of::<COLUMNS>(self.dialect(), attempts.len(), ", ", plain);
            let sql = format!(
                "INSERT INTO attempt (dispatch, n, id, channel, state, owner, provider_id, handed_at, accepted_at,
                 delivered_at, told_at, confirmed_at, body, inbox)
                 VALUES {rows}
                 ON CONFLICT (dispatch, n) DO UPDATE SET state = excluded.state, owner = excluded.owner,
                 provider_id = excluded.provider_id, handed_at = excluded.handed_at,
                 accepted_at = excluded.accepted_at, delivered_at = excluded.delivered_at,
                 told_at = excluded.told_at, confirmed_at = excluded.confirmed_at, body = excluded.body"
            );
            let mut args = Vec::with_capacity(attempts.len() * COLUMNS);
            for (state, n, attempt) in attempts {
                args.append(&mut args![
                    &state.id,
                    *n,
                    &attempt.id,
                    attempt.channel.name(),
                    attempt.state().name(),
                    attempt.owner.as_deref(),
                    attempt.provider_id.as_deref(),
                    attempt.handed_at,
                    attempt.accepted_at,
                    attempt.delivered_at,
                    attempt.told_at,
                    attempt.confirmed_at,
                    json(attempt),
                    attempt.contact.as_ref().filter(|_| attempt.secure.is_some())
                ]);
            }
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        for (state, attempt) in jobs {
            self.save_job(state, attempt).await?;
        }
        Ok(())
    }

    /// Codes that are new, in one order, so that nodes that give out codes at the same numbers do not wait in a ring.
    async fn open_codes(&mut self, decisions: &[Decision<'_>], now: UtcMs) -> Result<(), StoreError> {
        const COLUMNS: usize = 4;
        let mut new: Vec<(PhoneNumber, u16, &DispatchId)> = Vec::new();
        for &Decision { read, after, .. } in decisions {
            // What began again has all its codes anew: one that is as it was may have been another dispatch's meanwhile.
            let anew = read.state.first_run < after.first_run;
            let known = if anew { BTreeSet::new() } else { codes(&read.state) };
            let unknown = codes(after).into_iter().filter(|code| !known.contains(code));
            new.extend(unknown.map(|(number, code)| (number, code, &after.id)));
        }
        new.sort_unstable();
        for new in pieces(&new) {
            let rows = rows_of::<COLUMNS>(self.dialect(), new.len(), ", ", plain);
            // Taken over only from a dispatch whose quarantine is over.
            let sql = format!(
                "INSERT INTO confirm_code (number, code, dispatch, opened_at) VALUES {rows}
                 ON CONFLICT (number, code) DO UPDATE SET dispatch = excluded.dispatch,
                 opened_at = excluded.opened_at, closed_at = NULL, reusable_at = NULL
                 WHERE confirm_code.reusable_at <= excluded.opened_at"
            );
            let args = new.iter().flat_map(|(number, code, id)| args![number, *code, *id, now]).collect();
            // Safe: made of the literals above.
            let taken = self.execute(AssertSqlSafe(sql), args).await?;
            if usize::try_from(taken).ok() != Some(new.len()) {
                return Err(StoreError::Conflict { what: "confirm_code".to_owned() });
            }
        }
        Ok(())
    }

    async fn close_codes(&mut self, before: &State, after: &State, now: UtcMs) -> Result<(), StoreError> {
        match (before.closed_at, after.closed_at) {
            (None, Some(at)) => {
                let sql = "UPDATE confirm_code SET closed_at = $2, reusable_at = $3
                    WHERE dispatch = $1 AND closed_at IS NULL";
                self.execute(sql, args![&after.id, at, at.plus_ms(CODE_QUARANTINE_MS)]).await?;
            }
            (Some(_), None) => {
                let sql = "UPDATE confirm_code SET closed_at = NULL, reusable_at = NULL WHERE dispatch = $1";
                self.execute(sql, args![&after.id]).await?;
            }
            _ => {}
        }
        // The message was changed and begun again: what was told before is confirmed by nothing any more.
        let reopened = before.closed_at.is_some() && after.closed_at.is_none();
        if before.first_run < after.first_run || (reopened && after.first_run > 0) {
            let kept = codes(after);
            let ever = after.attempts.iter().filter(|a| a.is_step());
            let ever: BTreeSet<_> = ever.filter_map(|a| Some((a.address.phone()?.clone(), a.code?))).collect();
            for (number, code) in ever.difference(&kept) {
                let sql = "UPDATE confirm_code SET closed_at = $4, reusable_at = $5
                    WHERE number = $1 AND code = $2 AND dispatch = $3 AND closed_at IS NULL";
                let args = args![number, *code, &after.id, now, now.plus_ms(CODE_QUARANTINE_MS)];
                self.execute(sql, args).await?;
            }
        }
        Ok(())
    }

    /// The one timer of each dispatch: when it wakes, or none. A lease on the old one is void by it.
    pub(super) async fn set_timers(&mut self, states: &[&State]) -> Result<(), StoreError> {
        const COLUMNS: usize = 4;
        let (mut wake, mut sleep) = (Vec::with_capacity(states.len()), Vec::new());
        for state in states {
            match state.wake() {
                Some((due, _)) => wake.push((&state.id, due, state.urgency == Urgency::Urgent)),
                None => sleep.push(&state.id),
            }
        }
        for timers in pieces(&wake) {
            let rows = rows_of::<COLUMNS>(self.dialect(), timers.len(), ", ", plain);
            let sql = format!(
                "INSERT INTO timer (dispatch, due_at, gen, urgent) VALUES {rows}
                 ON CONFLICT (dispatch) DO UPDATE SET due_at = excluded.due_at, gen = timer.gen + excluded.gen,
                 urgent = excluded.urgent, owner = NULL, lease_until = NULL"
            );
            let args = timers.iter().flat_map(|(id, due, urgent)| args![*id, *due, 1, i64::from(*urgent)]).collect();
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        for ids in pieces(&sleep) {
            let sql = format!("DELETE FROM timer WHERE dispatch IN ({})", places(ids.len()));
            // Safe: made of placeholders.
            self.execute(AssertSqlSafe(sql), ids.iter().flat_map(|id| args![*id]).collect()).await?;
        }
        Ok(())
    }

    async fn append_entries(&mut self, decisions: &[Decision<'_>]) -> Result<(), StoreError> {
        const COLUMNS: usize = 5;
        let mut new: Vec<(&DispatchId, i64, &Entry)> = Vec::new();
        for &Decision { after, entries, .. } in decisions {
            new.extend((1..).zip(entries).map(|(n, entry)| (&after.id, n, entry)));
        }
        for entries in pieces(&new) {
            let row = |[id, of, n, at, body]: [Placeholder; COLUMNS]| {
                let last = format!("SELECT COALESCE(MAX(seq), 0) FROM dispatch_event WHERE dispatch = {of}");
                format!("({id}, ({last}) + {n}, {at}, {body})")
            };
            let rows = rows_of(self.dialect(), entries.len(), ", ", row);
            let sql = format!("INSERT INTO dispatch_event (dispatch, seq, at, body) VALUES {rows}");
            let mut args = Vec::with_capacity(entries.len() * COLUMNS);
            for (id, n, entry) in entries {
                args.append(&mut args![*id, *id, *n, entry.at, seal_entry(self.seal(), id, entry)]);
            }
            // Safe: made of the literals above.
            self.execute(AssertSqlSafe(sql), args).await?;
        }
        Ok(())
    }
}
