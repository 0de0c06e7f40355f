//! Who is on call at an instant: override beats rotation beats fallback.
//!
//! Nothing is stored per shift: hand-off n is the anchor's wall time plus n lengths, so that the past and
//! the future come out of the same configuration. Civil times that a zone skips or repeats: in a gap the
//! first instant after it, in a repeat the first occurrence. (`jiff`'s own `compatible` would move a time in
//! a gap by the gap's length instead.)

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::{OnCall, Rotation, Schedule, ShiftLength};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;

/// Changes looked at before a shift is called open-ended; more than any rotation with two people needs.
const MAX_BOUNDARIES: usize = 512;

/// Who is on call at `now`, until when, and why. `None`: nobody.
pub fn resolve(schedule: &Schedule, now: UtcMs) -> Option<OnCall> {
    let turns = schedule.rotation.as_ref().and_then(|rotation| Turns::of(rotation, &schedule.zone));
    let (contact, why) = who(schedule, turns.as_ref(), now)?;
    let mut at = now;
    for _ in 0..MAX_BOUNDARIES {
        let Some(next) = next_boundary(schedule, turns.as_ref(), at) else { break };
        match who(schedule, turns.as_ref(), next) {
            Some((next_contact, next_why)) if next_contact == contact && next_why == why => at = next,
            _ => return Some(OnCall { contact, until: Some(next), why }),
        }
    }
    Some(OnCall { contact, until: None, why })
}

fn who(schedule: &Schedule, turns: Option<&Turns<'_>>, at: UtcMs) -> Option<(ContactId, String)> {
    // Of overlapping overrides the one made last is meant.
    let over = schedule.overrides.iter().filter(|o| o.from <= at && at < o.until).max_by_key(|o| o.made_at);
    if let Some(over) = over {
        return Some((over.contact.clone(), format!("override by {}", over.by)));
    }
    if let Some(person) = turns.and_then(|turns| turns.person_at(at)) {
        return Some((person.clone(), "rotation".to_owned()));
    }
    schedule.fallback.clone().map(|contact| (contact, "fallback".to_owned()))
}

fn next_boundary(schedule: &Schedule, turns: Option<&Turns<'_>>, after: UtcMs) -> Option<UtcMs> {
    let overrides = schedule.overrides.iter().flat_map(|o| [o.from, o.until]).filter(|at| *at > after).min();
    // One person's rotation never changes, however often it hands over.
    let hand_off = turns.filter(|t| t.rotation.people.len() > 1).and_then(|t| t.next_hand_off(after));
    [overrides, hand_off].into_iter().flatten().min()
}

/// A rotation ready for arithmetic.
struct Turns<'a> {
    rotation: &'a Rotation,
    zone: TimeZone,
    anchor: DateTime,
}

impl<'a> Turns<'a> {
    fn of(rotation: &'a Rotation, zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).ok()?;
        let anchor = rotation.anchor.parse().ok()?;
        let usable = !rotation.people.is_empty() && rotation.length.hours() > 0;
        usable.then_some(Self { rotation, zone, anchor })
    }

    fn person_at(&self, at: UtcMs) -> Option<&'a ContactId> {
        let turn = self.turn_at(at)?;
        let len = i64::try_from(self.rotation.people.len()).ok()?;
        self.rotation.people.get(usize::try_from(turn.rem_euclid(len)).ok()?)
    }

    /// The number of the turn that has begun last at `at`; negative before the anchor.
    fn turn_at(&self, at: UtcMs) -> Option<i64> {
        let civil = self.zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?);
        let hours = civil.duration_since(self.anchor).as_hours();
        // Zones shift civil time by hours, so that the guess is off by a few turns at most.
        let mut turn = hours.div_euclid(self.rotation.length.hours()) + 1;
        while self.hand_off(turn + 1)? <= at {
            turn += 1;
        }
        while self.hand_off(turn)? > at {
            turn -= 1;
        }
        Some(turn)
    }

    fn next_hand_off(&self, after: UtcMs) -> Option<UtcMs> {
        // `turn_at` is the last turn begun, so the one after it lies later.
        self.hand_off(self.turn_at(after)? + 1)
    }

    fn hand_off(&self, turn: i64) -> Option<UtcMs> {
        let hours = turn.checked_mul(self.rotation.length.hours())?;
        let civil = self.anchor.checked_add(SignedDuration::from_hours(hours)).ok()?;
        first_instant(&self.zone, civil)
    }
}

impl ShiftLength {
    fn hours(self) -> i64 {
        match self {
            Self::Hours(n) => i64::from(n),
            Self::Days(n) => i64::from(n) * 24,
            Self::Weeks(n) => i64::from(n) * 24 * 7,
        }
    }
}

/// The instant at which the clocks of `zone` first show `civil`, or have passed it.
pub fn first_instant(zone: &TimeZone, civil: DateTime) -> Option<UtcMs> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let in_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let earlier = ambiguous.earlier().ok()?;
    let instant = if in_gap { zone.following(earlier).next()?.timestamp() } else { earlier };
    Some(UtcMs(instant.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::base::id::{AccountId, ScheduleId};
    use crate::domain::oncall::Override;

    fn schedule(zone: &str, people: &[&str], anchor: &str, length: ShiftLength) -> Schedule {
        Schedule {
            id: ScheduleId::named("s"),
            account: AccountId::named("a"),
            role: "technician".into(),
            zone: zone.into(),
            rotation: Some(Rotation {
                people: people.iter().map(|p| ContactId::named(p)).collect(),
                anchor: anchor.into(),
                length,
            }),
            overrides: vec![],
            fallback: None,
        }
    }

    fn utc(text: &str) -> UtcMs {
        UtcMs(text.parse::<Timestamp>().expect("a timestamp").as_millisecond())
    }

    fn local(zone: &str, text: &str) -> UtcMs {
        let zone = TimeZone::get(zone).expect("a zone");
        first_instant(&zone, text.parse().expect("a civil time")).expect("an instant")
    }

    /// The schedule of a case, with two people so that every hand-off shows; `None` for monthly ones,
    /// which the simple schedule does not have.
    fn case_schedule(given: &Value) -> Option<Schedule> {
        let rotation = &given["rotation"];
        let length = u32::try_from(rotation["length"].as_u64()?).ok()?;
        let length = match rotation["type"].as_str()? {
            "hourly" => ShiftLength::Hours(length),
            "daily" => ShiftLength::Days(length),
            "weekly" => ShiftLength::Weeks(length),
            _ => return None,
        };
        Some(schedule(rotation["tz"].as_str()?, &["a", "b"], rotation["start_local"].as_str()?, length))
    }

    fn cases(kind: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(include_str!("../../../tests/oncall-cases.json")).expect("valid JSON");
        let all = all["cases"].as_array().expect("a list of cases").clone();
        all.into_iter().filter(|case| case["kind"] == kind).collect()
    }

    #[test]
    fn rotations_hand_over_at_the_instants_of_the_published_cases() {
        let mut tried = 0;
        for case in cases("rotation_handoffs") {
            let Some(schedule) = case_schedule(&case["given"]) else { continue };
            let turns = Turns::of(schedule.rotation.as_ref().expect("set"), &schedule.zone).expect("usable");
            let expected: Vec<_> = case["expect"]["handoffs"].as_array().expect("a list").iter().collect();
            let expected: Vec<_> = expected.iter().map(|at| utc(at.as_str().expect("a text"))).collect();
            // The list begins with the hand-off at or before the window's start.
            let start = local(&schedule.zone, case["given"]["window_local"][0].as_str().expect("a text"));
            assert_eq!(turns.hand_off(turns.turn_at(start).expect("a turn")), Some(expected[0]), "{}", case["id"]);
            for pair in expected.windows(2) {
                assert_eq!(turns.next_hand_off(pair[0]), Some(pair[1]), "{}", case["id"]);
            }
            tried += 1;
        }
        assert_eq!(tried, 6);
    }

    #[test]
    fn shifts_end_where_the_published_cases_say() {
        let mut tried = 0;
        for case in cases("rotation_shift_end") {
            let Some(schedule) = case_schedule(&case["given"]) else { continue };
            let at = local(&schedule.zone, case["given"]["at_local"].as_str().expect("a text"));
            let expected = utc(case["expect"]["shift_end"].as_str().expect("a text"));
            assert_eq!(resolve(&schedule, at).and_then(|on| on.until), Some(expected), "{}", case["id"]);
            assert_eq!(expected.since(at) / 1_000, case["expect"]["seconds_from_at"].as_i64().expect("a number"));
            tried += 1;
        }
        assert_eq!(tried, 6);
        for case in cases("clock_of_day") {
            let given = &case["given"];
            let civil = format!("{}T{}", given["date"].as_str().expect("text"), given["clock"].as_str().expect("text"));
            let expected = utc(case["expect"]["first_instant"].as_str().expect("a text"));
            assert_eq!(local(given["tz"].as_str().expect("text"), &civil), expected, "{}", case["id"]);
        }
    }

    #[test]
    fn a_weekly_shift_over_the_autumn_change_is_an_hour_longer() {
        let schedule = schedule("America/Chicago", &["a", "b"], "2024-10-01T00:00", ShiftLength::Weeks(1));
        let on = resolve(&schedule, utc("2024-11-04T00:00:00Z")).expect("somebody");
        assert_eq!(on.until, Some(utc("2024-11-05T06:00:00Z")));
        assert_eq!(on.contact, ContactId::named("a"));
    }

    #[test]
    fn an_override_beats_the_rotation_and_the_one_made_last_beats_the_earlier() {
        let mut schedule = schedule("UTC", &["a", "b"], "2026-11-02T08:00", ShiftLength::Days(1));
        let over = |who: &str, from: &str, until: &str, made_at| Override {
            contact: ContactId::named(who),
            from: utc(from),
            until: utc(until),
            by: "the office".into(),
            made_at: UtcMs(made_at),
        };
        schedule.overrides.push(over("c", "2026-11-02T10:00:00Z", "2026-11-02T20:00:00Z", 1));
        schedule.overrides.push(over("d", "2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z", 2));
        let at = |text| resolve(&schedule, utc(text)).map(|on| (on.contact, on.until, on.why)).expect("somebody");
        let (c, d) = (ContactId::named("c"), ContactId::named("d"));
        assert_eq!(
            at("2026-11-02T09:00:00Z"),
            (ContactId::named("a"), Some(utc("2026-11-02T10:00:00Z")), "rotation".into())
        );
        assert_eq!(at("2026-11-02T11:00:00Z"), (c, Some(utc("2026-11-02T12:00:00Z")), "override by the office".into()));
        assert_eq!(at("2026-11-02T12:00:00Z").0, d);
        assert_eq!(at("2026-11-02T20:00:00Z").1, Some(utc("2026-11-03T08:00:00Z")));
    }

    #[test]
    fn the_fallback_stands_in_and_without_one_nobody_is_on_call() {
        let mut schedule = schedule("Nowhere/Land", &["a"], "2026-11-02T08:00", ShiftLength::Days(1));
        assert_eq!(resolve(&schedule, UtcMs(0)), None);
        schedule.fallback = Some(ContactId::named("f"));
        let on = resolve(&schedule, UtcMs(0)).expect("the fallback");
        assert_eq!((on.contact, on.until, on.why.as_str()), (ContactId::named("f"), None, "fallback"));
    }

    #[test]
    fn one_person_alone_is_on_call_open_endedly() {
        let schedule = schedule("Europe/Vienna", &["a"], "2026-11-02T08:00", ShiftLength::Weeks(1));
        assert_eq!(resolve(&schedule, utc("2026-11-09T12:00:00Z")).expect("somebody").until, None);
    }
}
