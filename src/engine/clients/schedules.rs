//! Schedules of who is on call, changed by people. Each change is whole or not at all, counts the account's edition up, and is
//! noted in words with the schedule as it was, so that the last one can be taken back. What a protocol in force or the
//! account's flow counts on is not taken away.
//!
//! A dispatch asks who is on call when a step starts, so a change is in force with the next step of one that runs.

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, OverrideId, ScheduleId};
use crate::domain::account::fault::{Fault, Faults};
use crate::domain::account::patching::check_people;
use crate::domain::account::{Account, Contact};
use crate::domain::dispatch::validate::validate;
use crate::domain::oncall::Schedule;
use crate::domain::oncall::calendar::{Calendar, calendar};
use crate::domain::oncall::change::{Made, cut};
use crate::domain::oncall::edit::ScheduleEdit;
use crate::domain::oncall::seen::CHANGED_SINCE;
use crate::io::store::Tx;
use crate::io::store::schedule_history::Noted;

use super::contacts::in_use;
use super::{Changed, Clients, Refusal, lock};

/// A schedule that was changed, with the edition of its account from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSchedule<T> {
    pub now: T,
    pub edition: u32,
    /// The change in the history, to be named when it is taken back. None: nothing is other than it was.
    pub change: Option<i64>,
}

/// What was kept of a change: the account's edition, and its place in the history.
struct Kept {
    edition: u32,
    change: Option<i64>,
}

/// What a schedule was and what it is to be.
struct Step {
    before: Option<Schedule>,
    after: Option<Schedule>,
    undoes: Option<i64>,
}

impl Clients {
    /// Adds a schedule to an account. `by`: what whoever does it is called.
    pub async fn add_schedule(
        &self,
        account: &AccountId,
        edit: &ScheduleEdit,
        by: &str,
    ) -> Result<ChangedSchedule<Schedule>, Refusal> {
        let mut tx = self.store.write().await?;
        let account = lock(&mut tx, account, edit.edition).await?;
        let contacts = tx.list_contacts(&account.id).await?;
        let id = ScheduleId::fresh(self.clock.utc());
        let blank = Schedule::blank(id, account.id.clone(), String::new(), account.zone.clone());
        let after = edit.apply(&blank, &account.zone, &contacts).map_err(Refusal::Faulty)?;
        self.keep_schedule(tx, account, contacts, Step { before: None, after: Some(after.clone()), undoes: None }, by)
            .await
            .map(|kept| kept.with(after))
    }

    /// Changes a schedule by `change`, which is given it, its account and the account's people. `edition`: of the account, if
    /// it has to be the one that was read.
    pub async fn change_schedule(
        &self,
        id: &ScheduleId,
        edition: Option<u32>,
        by: &str,
        change: impl FnOnce(&Schedule, &Account, &[Contact], Made<'_>) -> Result<Schedule, Vec<Fault>> + Send,
    ) -> Result<ChangedSchedule<Schedule>, Refusal> {
        let mut tx = self.store.write().await?;
        let owner = tx.find_schedule(id).await?.ok_or(Refusal::Missing { what: "schedule" })?.account;
        let account = lock(&mut tx, &owner, edition).await?;
        // Read again: nobody else changes it from here on.
        let before = tx.find_schedule(id).await?.ok_or(Refusal::Missing { what: "schedule" })?;
        let contacts = tx.list_contacts(&account.id).await?;
        let made = Made { by, at: self.clock.utc() };
        let after = change(&before, &account, &contacts, made).map_err(refused)?;
        let step = Step { before: Some(before), after: Some(after.clone()), undoes: None };
        self.keep_schedule(tx, account, contacts, step, by).await.map(|kept| kept.with(after))
    }

    /// Removes a schedule that nothing counts on.
    pub async fn remove_schedule(
        &self,
        id: &ScheduleId,
        edition: u32,
        by: &str,
    ) -> Result<Changed<AccountId>, Refusal> {
        let mut tx = self.store.write().await?;
        let owner = tx.find_schedule(id).await?.ok_or(Refusal::Missing { what: "schedule" })?.account;
        let account = lock(&mut tx, &owner, Some(edition)).await?;
        let before = tx.find_schedule(id).await?;
        let contacts = tx.list_contacts(&account.id).await?;
        let step = Step { before, after: None, undoes: None };
        let kept = self.keep_schedule(tx, account, contacts, step, by).await?;
        Ok(Changed { now: owner, edition: kept.edition })
    }

    /// Takes a change of a schedule back: `change`, if the schedule is what that one left, or the last. None: that had made the
    /// schedule, and it is gone.
    pub async fn undo_schedule(
        &self,
        id: &ScheduleId,
        edition: Option<u32>,
        change: Option<i64>,
        by: &str,
    ) -> Result<ChangedSchedule<Option<Schedule>>, Refusal> {
        let mut tx = self.store.write().await?;
        let (owner, _) = tx.find_last_schedule_change(id).await?.ok_or_else(nothing_to_undo)?;
        let account = lock(&mut tx, &owner, edition).await?;
        let taken = match change {
            Some(seq) => {
                let found = tx.list_schedule_changes(&account.id, Some(id), seq.saturating_add(1), 1).await?;
                found.into_iter().find(|found| found.seq == seq)
            }
            None => tx.find_last_schedule_change(id).await?.map(|(_, last)| last),
        };
        let taken = taken.ok_or_else(nothing_to_undo)?;
        let contacts = tx.list_contacts(&account.id).await?;
        let before = tx.find_schedule(id).await?;
        if before.as_ref().map(as_noted) != taken.after.as_ref().map(as_noted) {
            // Somebody else's work lies on the one that was named, or something that keeps no history has changed it since the
            // last: a file that was read in by an older program.
            return Err(if change.is_some() { changed_since() } else { nothing_to_undo() });
        }
        let after = taken.before.clone();
        let mut everybody = after.iter().flat_map(|schedule| schedule.people_since(UtcMs(i64::MIN)));
        if everybody.any(|id| !contacts.iter().any(|contact| contact.id == *id)) {
            let mut faults = Faults::default();
            let cure = "Change the schedule by hand.";
            faults.add("", "schedule.undo_gone", "Somebody who was in it is no contact any more.", cure);
            return Err(Refusal::Clash(faults.into_list()));
        }
        let step = Step { before, after: after.clone(), undoes: Some(taken.seq) };
        self.keep_schedule(tx, account, contacts, step, by).await.map(|kept| kept.with(after))
    }

    /// The calendar of a schedule that is not saved. `id`: the one it would be.
    pub async fn preview_schedule(
        &self,
        account: &AccountId,
        id: Option<&ScheduleId>,
        edit: &ScheduleEdit,
        (from, until): (UtcMs, UtcMs),
    ) -> Result<Calendar, Refusal> {
        let account = self.store.find_account(account).await?.ok_or(Refusal::Missing { what: "account" })?;
        let contacts = self.store.list_contacts(&account.id).await?;
        let stored = match id {
            Some(id) => self.store.find_schedule(id).await?.filter(|schedule| schedule.account == account.id),
            None => None,
        };
        if id.is_some() && stored.is_none() {
            return Err(Refusal::Missing { what: "schedule" });
        }
        let blank = || {
            let id = ScheduleId::named("preview");
            Schedule::blank(id, account.id.clone(), String::new(), account.zone.clone())
        };
        let before = stored.unwrap_or_else(blank);
        let mut draft = edit.apply(&before, &account.zone, &contacts).map_err(Refusal::Faulty)?;
        draft.holidays.clone_from(&account.hours.holidays);
        Ok(calendar(&draft, from, until))
    }

    /// What would be refused of a schedule that were saved as `after`: what saving it looks at, and nothing is saved.
    pub(super) async fn clashes_of(
        &self,
        account: &Account,
        contacts: &[Contact],
        before: Option<Schedule>,
        after: &Schedule,
    ) -> Result<Vec<Fault>, Refusal> {
        let mut tx = self.store.write().await?;
        let step = Step { before, after: Some(after.clone()), undoes: None };
        let clashes = find_clashes(&mut tx, account, contacts, &step).await;
        tx.rollback().await?;
        clashes
    }

    async fn keep_schedule(
        &self,
        mut tx: Tx,
        account: Account,
        contacts: Vec<Contact>,
        step: Step,
        by: &str,
    ) -> Result<Kept, Refusal> {
        let now = self.clock.utc();
        let clashes = find_clashes(&mut tx, &account, &contacts, &step).await?;
        if !clashes.is_empty() {
            return Err(Refusal::Clash(clashes));
        }
        let (before, after) = (step.before.as_ref(), step.after.as_ref());
        match (before, after) {
            (_, Some(after)) => tx.upsert_schedule(after).await?,
            (Some(before), None) => tx.delete_schedule(&before.id).await?,
            (None, None) => {}
        }
        let noted = Noted { before, after, by, who: &self.by, at: now, undoes: step.undoes };
        let is_noted = tx.note_schedule_change(&noted, &contacts).await?;
        let change = match after.or(before).filter(|_| is_noted) {
            Some(of) => tx.find_last_schedule_change(&of.id).await?.map(|(_, last)| last.seq),
            None => None,
        };
        tx.touch_account(&account.id, now).await?;
        Ok(Kept { edition: self.finish(tx, account).await?.edition, change })
    }
}

impl Kept {
    fn with<T>(self, now: T) -> ChangedSchedule<T> {
        ChangedSchedule { now, edition: self.edition, change: self.change }
    }
}

/// Takes a time out of the temporary schedules of a schedule.
///
/// # Errors
/// There is none then.
pub fn cut_temporary(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Result<Schedule, Vec<Fault>> {
    let mut after = schedule.clone();
    cut(&mut after.temporary, from, until);
    let mut faults = Faults::default();
    if after.temporary == schedule.temporary {
        let cure = "Look at the calendar again.";
        faults.add("", "temporary.none", "There is no temporary schedule at this time.", cure);
    }
    faults.unless(after)
}

/// Takes an override back.
///
/// # Errors
/// There is no such override.
pub fn take_back(schedule: &Schedule, id: &OverrideId) -> Result<Schedule, Vec<Fault>> {
    let mut after = schedule.clone();
    after.overrides.retain(|over| over.id != *id);
    let mut faults = Faults::default();
    if after.overrides.len() == schedule.overrides.len() {
        let cure = "Look at the calendar again: somebody may have taken it back.";
        faults.add("", "override.unknown", "The schedule has no such override.", cure);
    }
    faults.unless(after)
}

fn nothing_to_undo() -> Refusal {
    let mut faults = Faults::default();
    let cure = "Change the schedule as it ought to be.";
    faults.add("", "schedule.nothing_to_undo", "There is no change to take back.", cure);
    Refusal::Clash(faults.into_list())
}

/// What was right when it was seen goes together with nothing that somebody else has done since.
fn refused(faults: Vec<Fault>) -> Refusal {
    let is_other = faults.iter().any(|fault| fault.code == CHANGED_SINCE);
    if is_other { Refusal::Clash(faults) } else { Refusal::Faulty(faults) }
}

fn changed_since() -> Refusal {
    let mut faults = Faults::default();
    let detail = "Somebody has changed this since: nothing was taken back.";
    let cure = "Look at the history, and change the schedule as it ought to be.";
    faults.add("", CHANGED_SINCE, detail, cure);
    Refusal::Clash(faults.into_list())
}

/// As it is in the history: holidays are the account's, and of two overrides made at once none is the first.
fn as_noted(schedule: &Schedule) -> Schedule {
    let mut noted = Schedule { holidays: Vec::new(), ..schedule.clone() };
    noted.overrides.sort_by(|a, b| (a.made_at, &a.id).cmp(&(b.made_at, &b.id)));
    noted
}

/// What other schedules have already, and what counts on what this one would not do any more.
async fn find_clashes(
    tx: &mut Tx,
    account: &Account,
    contacts: &[Contact],
    step: &Step,
) -> Result<Vec<Fault>, Refusal> {
    let mut faults = Faults::default();
    let schedules = tx.list_schedules(&account.id).await?;
    let id = step.after.as_ref().or(step.before.as_ref()).map(|schedule| schedule.id.clone());
    let mut then: Vec<Schedule> = schedules.iter().filter(|s| Some(&s.id) != id.as_ref()).cloned().collect();
    if let Some(after) = &step.after {
        if then.iter().any(|other| other.role == after.role) {
            let detail = format!("There is another schedule for the role {}.", after.role);
            faults.add("/role", "schedule.role_taken", detail, "Choose another role, or change that schedule.");
        }
        then.push(after.clone());
    }
    let already = check_people(account, contacts, &schedules);
    for fault in check_people(account, contacts, &then).into_iter().filter(|fault| !already.contains(fault)) {
        let detail = format!("Callers are put through to it. {}", fault.detail);
        faults.add("", "schedule.in_use", detail, "Change hours and menus first.");
    }
    let mut told: Vec<String> = Vec::new();
    for (protocol, state) in in_use(tx, account).await? {
        let already = validate(&protocol, contacts, &schedules);
        for fault in validate(&protocol, contacts, &then).into_iter().filter(|fault| !already.contains(fault)) {
            let detail = format!("{} The protocol {} ({state}) goes by it.", fault.message, protocol.name);
            // Two steps may miss the same.
            if told.contains(&detail) {
                continue;
            }
            // A client may read this, who puts no protocol in force.
            let cure = match fault.code {
                "unknown_destination" | "wrong_destination" => {
                    "Choose somebody who can be reached so, or add it to the person first: among the contacts, or in the \
                     portal under People."
                }
                _ => "Put another version of the protocol in force first.",
            };
            told.push(detail.clone());
            faults.add("", "schedule.in_use", detail, cure);
        }
    }
    Ok(faults.into_list())
}
