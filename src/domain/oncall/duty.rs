//! Until when those who are on call are on call, and who follows: across hand-offs, overrides and layers that leave the same people on call.
//! Pure; what people are told, where [`super::resolve`] says by which reason they are on call at an instant.

use std::collections::BTreeSet;

use super::Schedule;
use super::plan::Plan;
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;

/// Changes looked at before a duty is called open-ended.
const MAX_CHANGES: usize = 512;

/// What ends the duty of those who are on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relief {
    pub at: UtcMs,
    /// In their order; nobody if it is empty.
    pub people: Vec<ContactId>,
}

/// Who relieves those who are on call at `now`, or nobody, and when. None: it goes on for as long as nothing is changed.
pub fn relief(schedule: &Schedule, now: UtcMs) -> Option<Relief> {
    let plan = Plan::of(schedule);
    let on: BTreeSet<ContactId> = plan.at(now).people.into_iter().collect();
    let mut at = now;
    for _ in 0..MAX_CHANGES {
        at = plan.next_change(at)?;
        let people = plan.at(at).people;
        if people.iter().cloned().collect::<BTreeSet<_>>() != on {
            return Some(Relief { at, people });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, OverrideId, ScheduleId};
    use crate::domain::oncall::{Layer, Override, OverrideAct, Rotation, ShiftLength};

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_duty_goes_on_where_an_override_ends_and_leaves_the_same_person_on_call() {
        let people = ["a", "b"].map(ContactId::named).to_vec();
        let rotation = Rotation::even(people, "1970-01-01T00:00", ShiftLength::Days(1));
        let blank = Schedule::blank(ScheduleId::named("s"), AccountId::named("a"), "doctor".into(), "UTC".into());
        let over = Override {
            id: OverrideId::named("o"),
            act: OverrideAct::Only { contact: ContactId::named("a") },
            from: UtcMs(2 * HOUR),
            until: UtcMs(4 * HOUR),
            by: "the office".into(),
            made_at: UtcMs(0),
            note: String::new(),
        };
        let schedule = Schedule { layers: vec![Layer::plain("rotation", rotation)], overrides: vec![over], ..blank };
        let end = Relief { at: UtcMs(24 * HOUR), people: vec![ContactId::named("b")] };
        for hour in [0, 3, 23] {
            assert_eq!(relief(&schedule, UtcMs(hour * HOUR)).as_ref(), Some(&end), "{hour}");
        }
        let alone = Schedule { layers: vec![], fallback: Some(ContactId::named("a")), ..schedule };
        assert_eq!(relief(&alone, UtcMs(0)), None, "the override leaves whom the fallback names");
    }
}
