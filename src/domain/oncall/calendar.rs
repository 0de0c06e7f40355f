//! A schedule as its calendar shows it: the final result above its layers, with what is wrong. Pure.

use serde::Serialize;

use super::gaps::{Gap, gaps};
use super::plan::Plan;
use super::spans::{Span, final_spans, layer_spans, temporary_spans};
use super::{Override, Schedule};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;

/// More changes than an override has below it that anybody would look for.
const MAX_CHANGES: usize = 1_000;

/// Who is on call between two instants, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Calendar {
    pub role: String,
    pub zone: String,
    pub from: UtcMs,
    pub until: UtcMs,
    /// Without holes: nobody is a span without people.
    #[serde(rename = "final")]
    pub result: Vec<Span>,
    /// Each by itself, the lowest first.
    pub layers: Vec<LayerSpans>,
    pub temporary: Vec<Span>,
    /// Those that touch this time.
    pub overrides: Vec<Laid>,
    pub gaps: Vec<Gap>,
    pub conflicts: Vec<Conflict>,
}

/// What one layer would do by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LayerSpans {
    pub index: usize,
    pub name: String,
    pub spans: Vec<Span>,
}

/// An override, and whether it changes anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Laid {
    #[serde(flatten)]
    pub over: Override,
    pub takes_effect: bool,
}

/// What somebody may not have meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ScheduleConflict)]
pub struct Conflict {
    pub from: UtcMs,
    pub until: UtcMs,
    pub kind: ConflictKind,
    pub contact: Option<ContactId>,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// One person is on call for two roles at once.
    TwoRoles,
    /// An override that changes nobody.
    DoesNothing,
}

/// The calendar of one schedule.
pub fn calendar(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Calendar {
    let layers = layer_spans(schedule, from, until).into_iter().zip(&schedule.layers).enumerate();
    let layers = layers.map(|(index, (spans, layer))| LayerSpans { index, name: layer.name.clone(), spans }).collect();
    let plan = Plan::of(schedule);
    let touching = schedule.overrides.iter().filter(|over| over.from < until && from < over.until);
    let overrides: Vec<Laid> =
        touching.map(|over| Laid { over: over.clone(), takes_effect: takes_effect(&plan, over) }).collect();
    let idle = overrides.iter().filter(|laid| !laid.takes_effect).map(|laid| Conflict {
        from: laid.over.from,
        until: laid.over.until,
        kind: ConflictKind::DoesNothing,
        contact: Some(laid.over.act.contact().clone()),
        text: "This override changes nobody: whom it replaces or takes off is not on call then, or whom it adds is."
            .to_owned(),
    });
    Calendar {
        role: schedule.role.clone(),
        zone: schedule.zone.clone(),
        from,
        until,
        result: final_spans(schedule, from, until),
        layers,
        temporary: temporary_spans(schedule, from, until),
        conflicts: idle.collect(),
        overrides,
        gaps: gaps(schedule, from, until),
    }
}

fn takes_effect(plan: &Plan<'_>, over: &Override) -> bool {
    let mut at = over.from;
    for _ in 0..MAX_CHANGES {
        if plan.takes_effect(&over.id, at) {
            return true;
        }
        match plan.next_change(at).filter(|next| *next < over.until) {
            Some(next) => at = next,
            None => return false,
        }
    }
    // Nobody knows any more; what cannot be shown to be wrong is not called wrong.
    true
}

/// The calendars of all schedules of an account, with whoever is on call for two roles at once. Whoever stands in because
/// nobody else is there may do so for several. `name` says what a contact is called.
pub fn calendars(
    schedules: &[Schedule],
    from: UtcMs,
    until: UtcMs,
    name: &dyn Fn(&ContactId) -> String,
) -> Vec<Calendar> {
    let mut all: Vec<Calendar> = schedules.iter().map(|schedule| calendar(schedule, from, until)).collect();
    for one in 1..all.len() {
        let found: Vec<Conflict> = all[..one].iter().flat_map(|other| doubled(other, &all[one], name)).collect();
        all[one].conflicts.extend(found);
    }
    all
}

fn doubled(one: &Calendar, other: &Calendar, name: &dyn Fn(&ContactId) -> String) -> Vec<Conflict> {
    let regular = |span: &&Span| span.source != super::spans::Source::Fallback;
    let mut found: Vec<Conflict> = Vec::new();
    for mine in other.result.iter().filter(regular) {
        for theirs in one.result.iter().filter(regular) {
            let (from, until) = (mine.from.max(theirs.from), mine.until.min(theirs.until));
            if from >= until {
                continue;
            }
            for person in mine.people.iter().filter(|person| theirs.people.contains(person)) {
                let same = |last: &&mut Conflict| last.until == from && last.contact.as_ref() == Some(person);
                match found.last_mut().filter(same) {
                    Some(last) => last.until = until,
                    None => found.push(Conflict {
                        from,
                        until,
                        kind: ConflictKind::TwoRoles,
                        contact: Some(person.clone()),
                        text: format!("{} is on call as {} and as {}.", name(person), one.role, other.role),
                    }),
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, OverrideId, ScheduleId};
    use crate::domain::oncall::OverrideAct;

    const HOUR: i64 = 3_600_000;

    /// `name` alone from one hour to another, else nobody.
    fn schedule(role: &str, name: &str, from: i64, until: i64) -> Schedule {
        let over = Override {
            id: OverrideId::named(role),
            act: OverrideAct::Only { contact: ContactId::named(name) },
            from: UtcMs(from * HOUR),
            until: UtcMs(until * HOUR),
            by: "the office".into(),
            made_at: UtcMs(0),
            note: String::new(),
        };
        let blank = Schedule::blank(ScheduleId::named(role), AccountId::named("a"), role.into(), "UTC".into());
        Schedule { overrides: vec![over], ..blank }
    }

    #[test]
    fn whoever_is_on_call_for_two_roles_is_named() {
        let schedules =
            [schedule("leasing", "jane", 1, 5), schedule("night", "jane", 3, 8), schedule("other", "ben", 1, 9)];
        let name = |id: &ContactId| id.as_str().replace("con_jane", "Jane Doe");
        let all = calendars(&schedules, UtcMs(0), UtcMs(10 * HOUR), &name);
        let told: Vec<_> = all.iter().flat_map(|one| &one.conflicts).map(|c| (&*c.text, c.from, c.until)).collect();
        assert_eq!(told, [("Jane Doe is on call as leasing and as night.", UtcMs(3 * HOUR), UtcMs(5 * HOUR))]);
    }
}
