//! Reading `[seats]`: how many calls an operator may have, and how long a caller may be parked.

use std::time::Duration;

use super::section::Section;
use crate::domain::call::park::ParkTimes;
use crate::domain::operator::SEAT_CALLS;

/// What operators' seats may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats {
    /// Calls that one operator may have at once.
    pub calls: usize,
    pub park: ParkTimes,
}

impl Default for Seats {
    fn default() -> Self {
        Self { calls: SEAT_CALLS, park: ParkTimes::default() }
    }
}

/// The most that fit on a desk, and in a head.
const MOST_CALLS: i64 = 9;
/// The longest that a caller may be parked, in seconds.
const LONGEST: i64 = 3_600;

pub(super) fn read_seats(section: &Section<'_>) -> Option<Seats> {
    let usual = Seats::default();
    let calls = section.number("calls", 1..=MOST_CALLS);
    let remind = section.number("park_reminder_secs", 1..=LONGEST);
    let give_back = section.number("park_secs", 1..=LONGEST);
    section.finish();
    let wrong = (calls.is_none() && section.has("calls"))
        || (remind.is_none() && section.has("park_reminder_secs"))
        || (give_back.is_none() && section.has("park_secs"));
    let secs = |secs: Option<i64>, usual| secs.and_then(|s| u64::try_from(s).ok()).map_or(usual, Duration::from_secs);
    let park = ParkTimes {
        remind: secs(remind.as_ref().map(|at| at.value), usual.park.remind),
        give_back: secs(give_back.as_ref().map(|at| at.value), usual.park.give_back),
    };
    if !wrong && park.remind >= park.give_back {
        let span = remind.or(give_back).map_or_else(|| section.span(), |at| at.span);
        let what = "nobody would be reminded of a parked caller: they are back in the queue by then";
        section.complain(span, what, "Make `park_reminder_secs` less than `park_secs`");
        return None;
    }
    let calls = calls.and_then(|at| usize::try_from(at.value).ok()).unwrap_or(usual.calls);
    (!wrong).then_some(Seats { calls, park })
}
