//! What a file of shifts puts out of force, which of that time it leaves open, when it puts two on call at once, and which of its dates
//! may not be meant: said before anything is stored. Pure; asked by whoever reads files in.
//!
//! What always holds: each instant between the first beginning and the last end is in a shift of the file or in a span of `open`.

use serde::Serialize;

use super::Schedule;
use super::read_in::Shift;
use super::spans::{Span, final_spans};
use crate::base::clock::UtcMs;

const DAY_MS: i64 = 86_400_000;
/// Less than this between two shifts is no reason to ask.
const APART_MS: i64 = 14 * DAY_MS;
/// Nor is a shift that is not longer than a week and a day.
const LONG_MS: i64 = 8 * DAY_MS;
/// Overlaps that are told.
const MAX_BOTH: usize = 100;

/// What a file puts out of force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Displaced {
    /// From then on no layer counts,
    pub from: UtcMs,
    /// until then.
    pub until: UtcMs,
    /// What no shift of the file covers, and who is on call then instead: the fallback, somebody by an override, or nobody.
    pub open: Vec<Span>,
    /// When two are on call at once by lines that overlap, the first so many of them.
    pub both: Vec<Both>,
    pub odd: Vec<OddDate>,
}

/// Two who are on call at once, each by a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ShiftsOverlap)]
pub struct Both {
    pub from: UtcMs,
    pub until: UtcMs,
    pub one: BothLine,
    pub other: BothLine,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ShiftsOverlapLine)]
pub struct BothLine {
    pub name: String,
    pub line: usize,
}

/// Shifts whose date may be a slip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OddDate {
    pub lines: Vec<usize>,
    pub from: UtcMs,
    pub until: UtcMs,
    pub kind: OddKind,
    /// So many days from the rest, or so many long.
    pub days: i64,
}

/// What is odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OddKind {
    /// Far from all others.
    Apart,
    /// Much longer than the others.
    Long,
}

/// From the first beginning to the last end. None: there are no shifts.
pub fn extent(shifts: &[Shift]) -> Option<(UtcMs, UtcMs)> {
    let from = shifts.iter().map(|shift| shift.from).min()?;
    let until = shifts.iter().map(|shift| shift.until).max()?;
    Some((from, until))
}

/// What of the time of a file its shifts do not cover, as `after` has it, the schedule with the file in it.
pub fn left_open(after: &Schedule, shifts: &[Shift]) -> Vec<Span> {
    let shifts = by_time(shifts);
    let mut open = Vec::new();
    let Some(mut covered) = shifts.first().map(|shift| shift.from) else { return open };
    for shift in shifts {
        if shift.from > covered {
            open.extend(final_spans(after, covered, shift.from));
        }
        covered = covered.max(shift.until);
    }
    open
}

/// When lines of two people overlap, by time; no more than anybody reads.
pub fn both_on_call(shifts: &[Shift]) -> Vec<Both> {
    let mut both = Vec::new();
    let mut going_on: Vec<&Shift> = Vec::new();
    let told = |shift: &Shift| BothLine { name: shift.name.clone(), line: shift.line };
    for shift in by_time(shifts) {
        going_on.retain(|other| other.until > shift.from);
        for other in going_on.iter().filter(|other| other.contact != shift.contact) {
            if both.len() == MAX_BOTH {
                return both;
            }
            let until = other.until.min(shift.until);
            both.push(Both { from: shift.from, until, one: told(other), other: told(shift) });
        }
        going_on.push(shift);
    }
    both
}

/// Those that lie far from the rest, and those that are much longer: a month or a year may be mistaken.
pub fn odd_dates(shifts: &[Shift]) -> Vec<OddDate> {
    let length = |shift: &Shift| shift.until.since(shift.from);
    let usual = usual(shifts.iter().map(length).collect()).unwrap_or(0);
    let is_long = |shift: &&Shift| length(shift) > LONG_MS && length(shift) > usual.saturating_mul(4);
    let (long, plain): (Vec<&Shift>, Vec<&Shift>) = by_time(shifts).into_iter().partition(is_long);
    let groups = groups(&plain, usual);
    let mut odd: Vec<OddDate> = long
        .into_iter()
        .map(|shift| OddDate {
            lines: vec![shift.line],
            from: shift.from,
            until: shift.until,
            kind: OddKind::Long,
            days: length(shift) / DAY_MS,
        })
        .collect();
    // The rest is where most of them are; of two alike the earlier.
    let Some(rest) = groups.iter().rev().max_by_key(|group| group.shifts.len()) else { return odd };
    let (begins, ends) = (rest.from, rest.until);
    odd.extend(groups.iter().filter(|group| group.from != begins).map(|group| OddDate {
        lines: group.shifts.iter().map(|shift| shift.line).collect(),
        from: group.from,
        until: group.until,
        kind: OddKind::Apart,
        days: group.from.since(ends).max(begins.since(group.until)) / DAY_MS,
    }));
    odd.sort_by_key(|one| one.from);
    odd
}

/// Shifts that follow each other without a long pause.
struct Group<'a> {
    shifts: Vec<&'a Shift>,
    from: UtcMs,
    until: UtcMs,
}

/// A pause is long by what is usual between two of these shifts: a duty of one weekend a month is no slip.
fn groups<'a>(shifts: &[&'a Shift], length: i64) -> Vec<Group<'a>> {
    let steps: Vec<i64> = shifts.windows(2).map(|pair| pair[1].from.since(pair[0].from)).collect();
    // The one step between two says nothing of what is usual.
    let step = if steps.len() < 2 { length } else { usual(steps).unwrap_or(length) };
    let pause = step.saturating_mul(3).max(APART_MS);
    let mut groups: Vec<Group<'a>> = Vec::new();
    for shift in shifts {
        match groups.last_mut().filter(|group| shift.from.since(group.until) < pause) {
            Some(group) => {
                group.until = group.until.max(shift.until);
                group.shifts.push(*shift);
            }
            None => groups.push(Group { shifts: vec![*shift], from: shift.from, until: shift.until }),
        }
    }
    groups
}

/// The one in the middle, the lower of two.
fn usual(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

fn by_time(shifts: &[Shift]) -> Vec<&Shift> {
    let mut sorted: Vec<&Shift> = shifts.iter().collect();
    sorted.sort_by_key(|shift| (shift.from, shift.until));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{AccountId, ContactId, ScheduleId};
    use crate::domain::oncall::{Layer, Rotation, ShiftLength, Temporary, TemporaryShift};

    /// Days since the first of December.
    fn at(days: i64) -> UtcMs {
        UtcMs(1_796_083_200_000 + days * DAY_MS)
    }

    fn shifts(days: &[(i64, i64)]) -> Vec<Shift> {
        let shift = |(line, (from, until)): (usize, &(i64, i64))| Shift {
            contact: ContactId::named("ann"),
            name: "Ann".into(),
            from: at(*from),
            until: at(*until),
            line: line + 2,
        };
        days.iter().enumerate().map(shift).collect()
    }

    fn odd(days: &[(i64, i64)]) -> Vec<(Vec<usize>, OddKind, i64)> {
        odd_dates(&shifts(days)).into_iter().map(|one| (one.lines, one.kind, one.days)).collect()
    }

    #[test]
    fn a_date_far_from_the_rest_and_an_end_far_from_its_beginning_are_told_and_what_is_regular_is_not() {
        // Three days, one on the twelfth, and one in March.
        assert_eq!(odd(&[(0, 1), (1, 2), (2, 3), (11, 12), (103, 104)]), [(vec![6], OddKind::Apart, 91)]);
        // A year that is over, on two lines.
        assert_eq!(odd(&[(-364, -363), (0, 1), (1, 2), (2, 3), (-363, -362)]), [(vec![2, 6], OddKind::Apart, 362)]);
        assert_eq!(odd(&[(0, 1), (1, 92), (2, 3)]), [(vec![3], OddKind::Long, 91)]);
        assert_eq!(odd(&[(0, 1), (103, 104)]), [(vec![3], OddKind::Apart, 102)]);
        assert_eq!(odd(&[(0, 3), (28, 31), (56, 59), (84, 87)]), [], "one weekend in four");
        assert_eq!(odd(&[(0, 14), (14, 28), (28, 42)]), [], "two weeks each");
        assert_eq!(odd(&[(0, 90)]), [], "there is nothing to measure it by");
        assert_eq!(odd(&[]), []);
    }

    #[test]
    fn what_the_file_leaves_open_falls_to_whoever_stands_in_or_to_nobody() {
        let days = shifts(&[(0, 1), (1, 3), (2, 3), (11, 12)]);
        let people = vec![ContactId::named("ben")];
        let blank = Schedule::blank(ScheduleId::named("s"), AccountId::named("a"), "doctor".into(), "UTC".into());
        let as_temporary =
            |shift: &Shift| TemporaryShift { contact: shift.contact.clone(), from: shift.from, until: shift.until };
        let mut after = Schedule {
            layers: vec![Layer::plain("rotation", Rotation::even(people, "2026-01-01T00:00", ShiftLength::Days(1)))],
            temporary: vec![Temporary {
                name: "read in".into(),
                from: at(0),
                until: at(12),
                shifts: days.iter().map(as_temporary).collect(),
                by: "Kim".into(),
                made_at: UtcMs(0),
            }],
            ..blank
        };
        let told = |after: &Schedule| -> Vec<(i64, i64, Vec<ContactId>)> {
            let open = left_open(after, &days).into_iter();
            open.map(|span| (span.from.since(at(0)) / DAY_MS, span.until.since(at(0)) / DAY_MS, span.people)).collect()
        };
        assert_eq!(told(&after), [(3, 11, vec![])], "the rotation does not count then");
        after.fallback = Some(ContactId::named("office"));
        assert_eq!(told(&after), [(3, 11, vec![ContactId::named("office")])]);
        assert_eq!(extent(&days), Some((at(0), at(12))));
        assert_eq!((extent(&[]), left_open(&after, &[])), (None, vec![]));
    }

    #[test]
    fn two_whose_lines_overlap_are_told_from_when_until_when_and_nobody_beside_themselves() {
        let mut days = shifts(&[(0, 2), (1, 5), (2, 3), (5, 6)]);
        (days[1].contact, days[1].name) = (ContactId::named("ben"), "Ben".into());
        let told = |days: &[Shift]| -> Vec<(i64, i64, String)> {
            let words =
                |one: &Both| format!("{} {}, {} {}", one.one.name, one.one.line, one.other.name, one.other.line);
            let day = |when: UtcMs| when.since(at(0)) / DAY_MS;
            both_on_call(days).iter().map(|one| (day(one.from), day(one.until), words(one))).collect()
        };
        // Ann's own lines beside each other are one person on call; Ben ends as her last begins.
        assert_eq!(told(&days), [(1, 2, "Ann 2, Ben 3".to_owned()), (2, 3, "Ben 3, Ann 4".to_owned())]);
        for day in &mut days {
            day.contact = ContactId::named("ann");
        }
        assert_eq!(told(&days), []);
        let all: Vec<(i64, i64)> = (0..40).map(|day| (day, 100)).collect();
        let mut many = shifts(&all);
        for (n, shift) in many.iter_mut().enumerate() {
            shift.contact = ContactId::named(&n.to_string());
        }
        assert_eq!(both_on_call(&many).len(), MAX_BOTH);
    }
}
