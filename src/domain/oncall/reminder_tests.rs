//! Who is reminded, when.

use super::*;
use crate::base::id::AccountId;
use crate::domain::oncall::{Layer, Rotation, ShiftLength, ShiftTurn};

const MIN: i64 = 60_000;
const HOUR: i64 = 60 * MIN;

fn schedule() -> Schedule {
    let turn = |people: &[&str]| ShiftTurn {
        people: people.iter().map(|name| ContactId::named(name)).collect(),
        length: ShiftLength::Hours(12),
    };
    let rotation =
        Rotation { anchor: "1970-01-01T00:00".into(), turns: vec![turn(&["a"]), turn(&["a", "b"]), turn(&[])] };
    let (id, account) = (ScheduleId::named("s"), AccountId::named("a"));
    let blank = Schedule::blank(id, account, "technician".into(), "UTC".into());
    let fallback = Some(ContactId::named("office"));
    Schedule { layers: vec![Layer::plain("rotation", rotation)], fallback, ..blank }
}

fn told(now: i64) -> Vec<(String, Kind, i64, Option<i64>)> {
    let all = due(&schedule(), UtcMs(now)).into_iter();
    all.map(|r| (r.contact.to_string(), r.kind, r.from.0 / HOUR, r.until.map(|at| at.0 / HOUR))).collect()
}

#[test]
fn people_are_told_before_their_shift_and_when_it_begins_and_not_again_at_hand_offs_that_leave_them_on_call() {
    // a: 0-24, b: 12-24, the office stands in: 24-36, and so on.
    assert_eq!(told(9 * HOUR), []);
    assert_eq!(told(10 * HOUR), [("con_b".to_owned(), Kind::Before, 12, Some(24))]);
    assert_eq!(told(12 * HOUR), [("con_b".to_owned(), Kind::Begins, 12, Some(24))]);
    assert_eq!(told(12 * HOUR + 14 * MIN).len(), 1);
    assert_eq!(told(12 * HOUR + 15 * MIN), [], "too late to be of use");
    assert_eq!(told(24 * HOUR), [], "whoever stands in has no shift");
    assert_eq!(told(34 * HOUR + MIN), [("con_a".to_owned(), Kind::Before, 36, Some(60))]);
}

#[test]
fn a_reminder_has_one_name_and_is_dropped_once_its_shift_has_begun() {
    let reminder = due(&schedule(), UtcMs(10 * HOUR)).remove(0);
    assert_eq!(reminder.key(), due(&schedule(), UtcMs(11 * HOUR)).remove(0).key());
    assert!(!reminder.is_over(UtcMs(12 * HOUR - 1)) && reminder.is_over(UtcMs(12 * HOUR)));
    let words = "Plumbing: you are on call as technician from Thu 1 Jan 12:00 until Fri 2 Jan 00:00 (UTC).";
    assert_eq!(reminder.words("Plumbing", "technician", "UTC"), words);
}
