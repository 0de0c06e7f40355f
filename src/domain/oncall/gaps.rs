//! When nobody is on call for a role, before it happens. Pure.

use serde::Serialize;

use super::{Schedule, resolve};
use crate::base::clock::UtcMs;

/// More changes than a day or a week of any schedule has.
const MAX_CHANGES: usize = 512;

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
    let mut at = from;
    for _ in 0..MAX_CHANGES {
        if at >= until {
            break;
        }
        match resolve(schedule, at) {
            Some(on_call) => match on_call.until {
                Some(next) => at = next,
                None => break,
            },
            // Whoever takes turns is always on call, and so is who stands in: only an override can end a gap.
            None => {
                let next = schedule.overrides.iter().map(|o| o.from).filter(|from| *from > at).min();
                let end = next.map_or(until, |next| next.min(until));
                found.push(Gap { from: at, until: end });
                at = end;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId, ScheduleId};
    use crate::domain::oncall::{Override, Rotation, ShiftLength};

    const HOUR: i64 = 3_600_000;

    fn schedule(overrides: &[(i64, i64)]) -> Schedule {
        let over = |(from, until): &(i64, i64)| Override {
            contact: ContactId::named("ben"),
            from: UtcMs(from * HOUR),
            until: UtcMs(until * HOUR),
            by: "office".into(),
            made_at: UtcMs(0),
        };
        Schedule {
            id: ScheduleId::named("s"),
            account: AccountId::named("a"),
            role: "technician".into(),
            zone: "America/Chicago".into(),
            rotation: None,
            overrides: overrides.iter().map(over).collect(),
            fallback: None,
        }
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
        turns.rotation = Some(Rotation { people, anchor: "1970-01-01T08:00".into(), length: ShiftLength::Hours(1) });
        assert_eq!(hours(&turns), []);
    }
}
