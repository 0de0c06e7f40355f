//! Changes of a schedule as people make them: an override, a swap, a temporary schedule. Pure.
//!
//! What always holds: temporary schedules do not overlap (a new one trims or splits those it lies over, and one left without time
//! disappears); a swap is two overrides or none.

use serde::Deserialize;

use super::seen::{self, Seen};
use super::spans::final_spans;
use super::{Override, OverrideAct, Schedule, Temporary, TemporaryShift};
use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, OverrideId};
use crate::domain::account::Contact;
use crate::domain::account::fault::{Fault, Faults};

/// Nobody plans so far ahead at once.
const MAX_LENGTH_MS: i64 = 400 * 86_400_000;
/// An override that has been over for so long is not kept.
const KEEP_MS: i64 = 90 * 86_400_000;
const MAX_SHIFTS: usize = 2_000;
const MAX_OVERRIDES: usize = 2_000;

/// An override as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct OverrideEdit {
    /// The account's, if it was read.
    #[serde(default)]
    pub edition: Option<u32>,
    #[serde(flatten)]
    pub act: OverrideAct,
    pub from: UtcMs,
    pub until: UtcMs,
    #[serde(default)]
    pub note: String,
}

/// A temporary schedule as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct TemporaryEdit {
    #[serde(default)]
    pub edition: Option<u32>,
    pub name: String,
    pub from: UtcMs,
    pub until: UtcMs,
    pub shifts: Vec<TemporaryShift>,
}

/// Two shifts whose people change places.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub struct SwapEdit {
    #[serde(default)]
    pub edition: Option<u32>,
    /// Who was on call then, as it was seen; refused if somebody else is by now.
    #[serde(default)]
    pub seen: Vec<Seen>,
    pub one: TemporaryShift,
    pub other: TemporaryShift,
}

/// In whose name, and when.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    pub by: &'a str,
    pub at: UtcMs,
}

impl OverrideEdit {
    /// The schedule with it.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn apply(&self, schedule: &Schedule, contacts: &[Contact], made: Made<'_>) -> Result<Schedule, Vec<Fault>> {
        let mut faults = Faults::default();
        check_times(&mut faults, "", self.from, self.until);
        if self.until <= made.at {
            faults.add("/until", "override.past", "This time is over.", "Choose a time that ends later than now.");
        }
        check_person(&mut faults, "/contact", self.act.contact(), contacts);
        if let Some(instead_of) = self.act.instead_of() {
            check_person(&mut faults, "/instead_of", instead_of, contacts);
            if instead_of == self.act.contact() {
                let cure = "Choose somebody else in their place.";
                faults.add("/contact", "override.same", "Nobody takes their own place.", cure);
            }
        }
        if self.note.chars().count() > 200 {
            faults.add("/note", "override.note_too_long", "The note is too long.", "Write 200 characters at most.");
        }
        let mut after = without_old(schedule, made.at);
        if after.overrides.len() >= MAX_OVERRIDES {
            let cure = "Change the layers instead.";
            faults.add("", "override.too_many", "There are too many overrides.", cure);
        }
        after.overrides.push(Override {
            id: OverrideId::fresh(made.at),
            act: self.act.clone(),
            from: self.from,
            until: self.until,
            by: made.by.to_owned(),
            made_at: made.at,
            note: self.note.trim().to_owned(),
        });
        faults.unless(after)
    }
}

impl SwapEdit {
    /// The schedule with both overrides.
    ///
    /// # Errors
    /// One of the two is not on call then.
    pub fn apply(&self, schedule: &Schedule, contacts: &[Contact], made: Made<'_>) -> Result<Schedule, Vec<Fault>> {
        let mut faults = Faults::default();
        faults.extend(seen::check(&self.seen, schedule, contacts));
        for (pointer, shift) in [("/one", &self.one), ("/other", &self.other)] {
            check_times(&mut faults, pointer, shift.from, shift.until);
            check_person(&mut faults, &format!("{pointer}/contact"), &shift.contact, contacts);
            let short = shift.until.since(shift.from) <= MAX_LENGTH_MS;
            let on = || final_spans(schedule, shift.from, shift.until);
            if short && !on().iter().any(|span| span.people.contains(&shift.contact)) {
                let cure = "Look at the calendar again: somebody may have changed it.";
                faults.add(pointer, "swap.not_on_call", "This person is not on call then.", cure);
            }
        }
        if self.one.contact == self.other.contact {
            let cure = "Choose the shift of somebody else.";
            faults.add("/other/contact", "swap.same", "Both shifts are of the same person.", cure);
        }
        if self.one.until <= made.at || self.other.until <= made.at {
            faults.add("", "swap.past", "A shift that is over cannot be swapped.", "Choose two that are not over.");
        }
        let mut after = without_old(schedule, made.at);
        for (theirs, taker) in [(&self.one, &self.other.contact), (&self.other, &self.one.contact)] {
            after.overrides.push(Override {
                id: OverrideId::fresh(made.at),
                act: OverrideAct::Replace { contact: taker.clone(), instead_of: theirs.contact.clone() },
                from: theirs.from,
                until: theirs.until,
                by: made.by.to_owned(),
                made_at: made.at,
                note: "swap".to_owned(),
            });
        }
        faults.unless(after)
    }
}

impl TemporaryEdit {
    /// The schedule with it; older ones are trimmed.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn apply(&self, schedule: &Schedule, contacts: &[Contact], made: Made<'_>) -> Result<Schedule, Vec<Fault>> {
        let mut faults = Faults::default();
        check_times(&mut faults, "", self.from, self.until);
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 100 {
            let cure = "Write one of 100 characters at most.";
            faults.add("/name", "temporary.name", "The name is missing or too long.", cure);
        }
        if self.shifts.len() > MAX_SHIFTS {
            faults.add("/shifts", "temporary.too_many", "These are too many shifts.", "Make it of several parts.");
        }
        for (at, shift) in self.shifts.iter().enumerate() {
            check_times(&mut faults, &format!("/shifts/{at}"), shift.from, shift.until);
            check_person(&mut faults, &format!("/shifts/{at}/contact"), &shift.contact, contacts);
            if shift.from < self.from || shift.until > self.until {
                let cure = "Let it lie within, or make the temporary schedule longer.";
                let detail = "This shift is not within the temporary schedule.";
                faults.add(format!("/shifts/{at}"), "temporary.outside", detail, cure);
            }
        }
        let mut after = without_old(schedule, made.at);
        cut(&mut after.temporary, self.from, self.until);
        after.temporary.push(Temporary {
            name: name.to_owned(),
            from: self.from,
            until: self.until,
            shifts: self.shifts.clone(),
            by: made.by.to_owned(),
            made_at: made.at,
        });
        after.temporary.sort_by_key(|plan| plan.from);
        faults.unless(after)
    }
}

/// Takes a time out of temporary schedules: one that has it in its middle becomes two; a shift left without time disappears, and
/// so does a schedule.
pub fn cut(plans: &mut Vec<Temporary>, from: UtcMs, until: UtcMs) {
    let part = |plan: &Temporary, from: UtcMs, until: UtcMs| {
        let shifts = plan.shifts.iter().filter_map(|shift| {
            let (from, until) = (shift.from.max(from), shift.until.min(until));
            (from < until).then(|| TemporaryShift { contact: shift.contact.clone(), from, until })
        });
        Temporary { from, until, shifts: shifts.collect(), ..plan.clone() }
    };
    let mut left = Vec::new();
    for plan in plans.iter() {
        if until <= plan.from || plan.until <= from {
            left.push(plan.clone());
            continue;
        }
        if plan.from < from {
            left.push(part(plan, plan.from, from));
        }
        if until < plan.until {
            left.push(part(plan, until, plan.until));
        }
    }
    *plans = left;
}

/// Without what has been over for long.
fn without_old(schedule: &Schedule, now: UtcMs) -> Schedule {
    let mut after = schedule.clone();
    after.overrides.retain(|over| over.until > now.plus_ms(-KEEP_MS));
    after.temporary.retain(|plan| plan.until > now.plus_ms(-KEEP_MS));
    after
}

fn check_times(faults: &mut Faults, pointer: &str, from: UtcMs, until: UtcMs) {
    if until <= from {
        let cure = "Choose an end that is later than the beginning.";
        faults.add(format!("{pointer}/until"), "schedule.times", "It ends before it begins.", cure);
    } else if until.since(from) > MAX_LENGTH_MS {
        let cure = "Make it of several parts, or change the layers.";
        faults.add(format!("{pointer}/until"), "schedule.too_long", "This is longer than a year.", cure);
    }
}

fn check_person(faults: &mut Faults, pointer: &str, id: &ContactId, contacts: &[Contact]) {
    if !contacts.iter().any(|contact| contact.id == *id) {
        let detail = "The account has no such contact.";
        faults.add(pointer, "schedule.unknown_contact", detail, "Choose one of the account's contacts.");
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
