//! Shifts that touch a time, whole: with the beginning and the end that they have beyond it. Pure; what calendars elsewhere are given.
//!
//! What always holds: whichever time is asked about, a shift that touches it is told alike, so that a calendar that is read again an hour
//! later holds the same shift and not another. One that goes on for years is cut at the beginning of a year: that moves once a year.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::reminder::shifts;
use super::{Schedule, first_instant};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;

const DAY_MS: i64 = 86_400_000;
/// An edge is looked for so near first, and then twice as far each time.
const FIRST_LOOK_MS: i64 = 4 * DAY_MS;
/// But never over more than this at once.
const LONGEST_LOOK_MS: i64 = 64 * DAY_MS;

/// Somebody's time on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeShift {
    pub contact: ContactId,
    pub from: UtcMs,
    pub until: UtcMs,
    /// It begins there; false: it began before the year in which it is cut.
    pub begins: bool,
    /// It ends there; false: no end of it is planned for the year to come.
    pub ends: bool,
}

impl WholeShift {
    /// What tells it from the person's other shifts: the same as long as it begins when it does.
    pub fn key(&self) -> String {
        if self.begins { self.from.to_string() } else { "always".to_owned() }
    }
}

/// All shifts of a schedule that touch the time between two instants, by their beginnings. Whoever stands in has none.
pub fn whole_shifts(schedule: &Schedule, from: UtcMs, until: UtcMs) -> Vec<WholeShift> {
    let zone = TimeZone::get(&schedule.zone).unwrap_or(TimeZone::UTC);
    let (earliest, latest) = (new_year(&zone, from, -1), new_year(&zone, until, 2));
    let mut whole: Vec<WholeShift> = Vec::new();
    for (contact, starts, stops) in shifts(schedule, from, until) {
        let begin = if starts > from { Some(starts) } else { beginning(schedule, &contact, from, earliest) };
        let end = stops.or_else(|| ending(schedule, &contact, until, latest));
        whole.push(WholeShift {
            begins: begin.is_some(),
            ends: end.is_some(),
            from: begin.unwrap_or(earliest),
            until: end.unwrap_or(latest),
            contact,
        });
    }
    whole.sort_by_key(|shift| shift.from);
    whole
}

/// The beginning of the year that lies `years` after that of `at`.
fn new_year(zone: &TimeZone, at: UtcMs, years: i16) -> UtcMs {
    let found = Timestamp::from_millisecond(at.0).ok().and_then(|now| {
        let year = zone.to_datetime(now).year().checked_add(years)?;
        first_instant(zone, Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0))
    });
    // A time without such a year lies beyond what any calendar can write.
    found.unwrap_or(at)
}

/// Since when somebody who is on call at `at` has been without a pause. None: since before `earliest`.
fn beginning(schedule: &Schedule, contact: &ContactId, at: UtcMs, earliest: UtcMs) -> Option<UtcMs> {
    let (mut upto, mut look) = (at, FIRST_LOOK_MS);
    while upto > earliest {
        let since = upto.plus_ms(-look).max(earliest);
        let found = shifts(schedule, since, upto);
        match found.iter().find(|(person, _, end)| person == contact && end.is_none()) {
            None => return Some(upto),
            Some((_, from, _)) if *from > since => return Some(*from),
            Some(_) => upto = since,
        }
        look = (look * 2).min(LONGEST_LOOK_MS);
    }
    None
}

/// Until when somebody who is on call up to `at` goes on without a pause. None: beyond `latest`.
fn ending(schedule: &Schedule, contact: &ContactId, at: UtcMs, latest: UtcMs) -> Option<UtcMs> {
    let (mut since, mut look) = (at, FIRST_LOOK_MS);
    while since < latest {
        let upto = since.plus_ms(look).min(latest);
        let found = shifts(schedule, since, upto);
        match found.iter().find(|(person, from, _)| person == contact && *from == since) {
            None => return Some(since),
            Some((_, _, Some(end))) => return Some(*end),
            Some((_, _, None)) => since = upto,
        }
        look = (look * 2).min(LONGEST_LOOK_MS);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, OverrideId, ScheduleId};
    use crate::domain::oncall::{Layer, Override, OverrideAct, Rotation, ShiftLength};

    const HOUR: i64 = 3_600_000;
    /// 2026-11-27T10:53:01Z, a Friday.
    const NOW: UtcMs = UtcMs(1_795_776_781_000);

    fn schedule(people: &[&str], length: ShiftLength) -> Schedule {
        let people = people.iter().map(|name| ContactId::named(name)).collect();
        let layer = Layer::plain("rotation", Rotation::even(people, "2026-01-05T08:00", length));
        let blank = Schedule::blank(ScheduleId::named("s"), AccountId::named("a"), "doctor".into(), "UTC".into());
        Schedule { layers: vec![layer], ..blank }
    }

    fn window(now: UtcMs) -> (UtcMs, UtcMs) {
        (now.plus_ms(-14 * DAY_MS), now.plus_ms(60 * DAY_MS))
    }

    fn civil(at: UtcMs) -> String {
        let at = Timestamp::from_millisecond(at.0).expect("an instant");
        TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    #[test]
    fn a_shift_over_the_edge_of_what_is_asked_for_has_its_own_beginning_and_end() {
        let schedule = schedule(&["a", "b"], ShiftLength::Weeks(1));
        let (from, until) = window(NOW);
        let found = whole_shifts(&schedule, from, until);
        assert_eq!(found.first().map(|shift| civil(shift.from)).as_deref(), Some("2026-11-09 08:00:00"));
        assert_eq!(found.last().map(|shift| civil(shift.until)).as_deref(), Some("2027-02-01 08:00:00"));
        assert!(found.iter().all(|shift| shift.begins && shift.ends && shift.until.since(shift.from) == 7 * DAY_MS));
    }

    #[test]
    fn what_two_looks_an_hour_apart_both_hold_is_the_same_in_both() {
        let mut odd = schedule(&["a", "b", "c"], ShiftLength::Hours(7));
        // Over the later edge, beginning within it; and one person from the beginning of time on.
        odd.overrides = vec![Override {
            id: OverrideId::named("o"),
            act: OverrideAct::Add { contact: ContactId::named("d") },
            from: NOW.plus_ms(59 * DAY_MS),
            until: NOW.plus_ms(200 * DAY_MS),
            by: "the office".into(),
            made_at: UtcMs(0),
            note: String::new(),
        }];
        for schedule in [odd, schedule(&["a"], ShiftLength::Days(1)), schedule(&["a", "b"], ShiftLength::Months(1))] {
            for hours in [0_i64, 1, 7, 25] {
                let looks = [hours, hours + 1].map(|hour| {
                    let (from, until) = window(NOW.plus_ms(hour * HOUR));
                    (whole_shifts(&schedule, from, until), from, until)
                });
                let [(one, from, _), (other, _, until)] = looks;
                // Both hold what touches the time that both ask about.
                let until = until.plus_ms(-HOUR);
                let shared = |shift: &&WholeShift| shift.from < until && shift.until > from.plus_ms(HOUR);
                let (one, other): (Vec<_>, Vec<_>) =
                    (one.iter().filter(shared).collect(), other.iter().filter(shared).collect());
                assert!(!one.is_empty());
                assert_eq!(one, other, "{hours}");
            }
        }
    }

    #[test]
    fn whoever_is_always_on_call_is_so_from_one_new_year_to_another() {
        let (from, until) = window(NOW);
        let mut alone = schedule(&["a"], ShiftLength::Days(1));
        // 2026-01-05T08:00Z.
        alone.layers[0].from = Some(UtcMs(1_767_600_000_000));
        let found = whole_shifts(&alone, from, until);
        let told: Vec<_> =
            found.iter().map(|shift| (civil(shift.from), civil(shift.until), shift.begins, shift.ends)).collect();
        assert_eq!(told, [("2026-01-05 08:00:00".to_owned(), "2029-01-01 00:00:00".to_owned(), true, false)]);
        // Three years later its beginning is out of sight; it is one shift all the same, called by one name.
        let later = NOW.plus_ms(3 * 365 * DAY_MS);
        let mut names = Vec::new();
        for hours in [0_i64, 1, 30 * 24] {
            let (from, until) = window(later.plus_ms(hours * HOUR));
            let found = whole_shifts(&alone, from, until);
            names.extend(found.iter().map(|shift| (shift.key(), civil(shift.from))));
        }
        assert_eq!(names, vec![("always".to_owned(), "2028-01-01 00:00:00".to_owned()); 3]);
    }
}
