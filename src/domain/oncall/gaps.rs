//! When nobody is on call for a role, before it happens. Pure.

use serde::Serialize;

use super::Schedule;
use super::spans::final_spans;
use crate::base::clock::UtcMs;

/// A time in which nobody is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Gap {
    pub from: UtcMs,
    /// The end of what was looked at, if it goes on.
    pub until: UtcMs,
}

/// The gaps of a schedule between two instants.
pub fn gaps(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Vec<Gap> {
    let mut found: Vec<Gap> = Vec::new();
    for span in final_spans(schedule, from, until).into_iter().filter(|span| span.people.is_empty()) {
        // Nobody for one reason and then for another is one gap.
        match found.last_mut().filter(|last| last.until == span.from) {
            Some(last) => last.until = span.until,
            None => found.push(Gap { from: span.from, until: span.until }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId, OverrideId, ScheduleId};
    use crate::domain::oncall::{Layer, Override, OverrideAct, Rotation, ShiftLength};

    const HOUR: i64 = 3_600_000;

    fn schedule(overrides: &[(i64, i64)]) -> Schedule {
        let over = |(from, until): &(i64, i64)| Override {
            id: OverrideId::named(&format!("{from}")),
            act: OverrideAct::Only { contact: ContactId::named("ben") },
            from: UtcMs(from * HOUR),
            until: UtcMs(until * HOUR),
            by: "office".into(),
            made_at: UtcMs(0),
            note: String::new(),
        };
        let (id, account) = (ScheduleId::named("s"), AccountId::named("a"));
        let blank = Schedule::blank(id, account, "technician".into(), "America/Chicago".into());
        Schedule { overrides: overrides.iter().map(over).collect(), ..blank }
    }

    fn hours(schedule: &Schedule) -> Vec<(i64, i64)> {
        let found = gaps(schedule, UtcMs(10 * HOUR), UtcMs(34 * HOUR));
        found.into_iter().map(|gap| (gap.from.0 / HOUR, gap.until.0 / HOUR)).collect()
    }

    #[test]
    fn every_hole_between_overrides_is_found() {
        assert_eq!(hours(&schedule(&[])), [(10, 34)]);
        assert_eq!(hours(&schedule(&[(8, 12), (14, 20), (20, 30)])), [(12, 14), (30, 34)]);
        assert_eq!(hours(&schedule(&[(0, 40)])), []);
        assert_eq!(hours(&schedule(&[(40, 50)])), [(10, 34)]);
    }

    #[test]
    fn who_takes_turns_or_stands_in_leaves_no_gap() {
        let mut one = schedule(&[(12, 14)]);
        one.fallback = Some(ContactId::named("office"));
        assert_eq!(hours(&one), []);
        let mut turns = schedule(&[]);
        let people = vec![ContactId::named("ben"), ContactId::named("ada")];
        let rotation = Rotation::even(people, "1970-01-01T08:00", ShiftLength::Hours(1));
        turns.layers = vec![Layer::plain("rotation", rotation)];
        assert_eq!(hours(&turns), []);
    }

    #[test]
    fn whoever_is_taken_off_without_anybody_in_their_place_leaves_one() {
        let mut turns = schedule(&[(12, 14)]);
        turns.overrides[0].act = OverrideAct::Remove { contact: ContactId::named("ada") };
        let rotation = Rotation::even(vec![ContactId::named("ada")], "1970-01-01T08:00", ShiftLength::Days(1));
        turns.layers = vec![Layer::plain("rotation", rotation)];
        assert_eq!(hours(&turns), [(12, 14)]);
    }
}
