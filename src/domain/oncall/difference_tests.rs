//! The words of changes.

use super::*;
use crate::base::id::{AccountId, OverrideId, ScheduleId};
use crate::domain::oncall::{Rotation, ShiftLength};

fn name(id: &ContactId) -> String {
    id.as_str().trim_start_matches("con_").to_owned()
}

fn schedule() -> Schedule {
    let people = ["Ben", "Ada"].map(ContactId::named).to_vec();
    let layer = Layer::plain("rotation A", Rotation::even(people, "2026-11-02T08:00", ShiftLength::Weeks(1)));
    let (id, account) = (ScheduleId::named("s"), AccountId::named("a"));
    let blank = Schedule::blank(id, account, "technician".into(), "America/Chicago".into());
    Schedule { layers: vec![layer], ..blank }
}

fn said(before: &Schedule, after: &Schedule) -> Vec<(String, Option<String>, Option<String>)> {
    let lines = difference(Some(before), Some(after), &name);
    lines.into_iter().map(|line| (line.what, line.before, line.after)).collect()
}

#[test]
fn what_was_changed_is_said_in_words() {
    let before = schedule();
    assert_eq!(said(&before, &before), []);
    let mut after = before.clone();
    after.overrides.push(Override {
        id: OverrideId::named("o"),
        act: OverrideAct::Replace { contact: ContactId::named("Cy"), instead_of: ContactId::named("Ben") },
        // 2026-11-28 02:00 and 14:00 UTC.
        from: UtcMs(1_795_831_200_000),
        until: UtcMs(1_795_874_400_000),
        by: "Kim".into(),
        made_at: UtcMs(0),
        note: "wedding".into(),
    });
    after.fallback = Some(ContactId::named("Office"));
    let put = "put Cy in the place of Ben, Fri 27 Nov 20:00 – Sat 28 Nov 08:00 (wedding)".to_owned();
    let lines = said(&before, &after);
    // That week is Ada's: who looks sees that it changes nobody.
    assert_eq!(lines[0], (put, Some("Ada".into()), Some("Ada".into())));
    assert_eq!(lines[1], ("changed who stands in".into(), None, Some("Office".into())));
    let back = said(&after, &before);
    assert_eq!(back[0].0, "took an override back (put Cy in the place of Ben), Fri 27 Nov 20:00 – Sat 28 Nov 08:00");
}

#[test]
fn an_override_is_told_with_who_was_on_call_before_it_and_who_is() {
    let before = schedule();
    let over = |name: &str, from: i64, until: i64| Override {
        id: OverrideId::named(name),
        act: OverrideAct::Only { contact: ContactId::named(name) },
        from: UtcMs(from),
        until: UtcMs(until),
        by: "Kim".into(),
        made_at: UtcMs(0),
        note: String::new(),
    };
    let mut after = before.clone();
    // From Sunday evening on, over the hand-off of Monday 2026-11-30 14:00 UTC.
    after.overrides.push(over("Cy", 1_795_996_800_000, 1_796_083_200_000));
    let (was, is) = ("Ada until Mon 30 Nov 08:00, then Ben", "Cy");
    let put = &said(&before, &after)[0];
    assert_eq!((put.1.as_deref(), put.2.as_deref()), (Some(was), Some(is)), "{put:?}");
    // Somebody else's on top of it goes.
    let mut both = after.clone();
    both.overrides.push(over("Dee", 1_795_996_800_000, 1_796_040_000_000));
    let gone = &said(&both, &after)[0];
    assert_eq!((gone.1.as_deref(), gone.2.as_deref()), (Some("Dee"), Some("Cy")), "{gone:?}");
}

#[test]
fn of_many_who_take_turns_in_an_override_s_time_the_first_are_named() {
    let mut before = schedule();
    before.layers[0].rotation.turns.iter_mut().for_each(|turn| turn.length = ShiftLength::Hours(1));
    let mut after = before.clone();
    after.overrides.push(Override {
        id: OverrideId::named("o"),
        act: OverrideAct::Only { contact: ContactId::named("Cy") },
        from: UtcMs(1_795_831_200_000),
        until: UtcMs(1_795_874_400_000),
        by: "Kim".into(),
        made_at: UtcMs(0),
        note: String::new(),
    });
    let was = said(&before, &after)[0].1.clone().unwrap_or_default();
    assert!(was.ends_with(", and so on"), "{was}");
    assert_eq!(was.matches(", then ").count(), 5, "{was}");
}

#[test]
fn a_time_is_told_in_the_zone_of_the_text_with_the_role_s_own_beside_it() {
    let (from, until) = (UtcMs(1_795_831_200_000), UtcMs(1_795_874_400_000));
    let here = "Fri 27 Nov 20:00 – Sat 28 Nov 08:00 (America/Chicago";
    assert_eq!(period_in(from, until, "America/Chicago", "America/Chicago"), format!("{here})"));
    let both = format!("{here}; Sat 28 Nov 02:00 – Sat 28 Nov 14:00 UTC)");
    assert_eq!(period_in(from, until, "America/Chicago", "UTC"), both);
}

#[test]
fn a_temporary_schedule_is_told_as_set_trimmed_taken_away_and_put_back() {
    let blank = schedule();
    // 2026-11-28 02:00 to 14:00 UTC, Ben's.
    let shift = |from: i64, until: i64| crate::domain::oncall::TemporaryShift {
        contact: ContactId::named("Ben"),
        from: UtcMs(from),
        until: UtcMs(until),
    };
    let plan = |from: i64, until: i64| Temporary {
        name: "storm".into(),
        from: UtcMs(from),
        until: UtcMs(until),
        shifts: vec![shift(from, until)],
        by: "Kim".into(),
        made_at: UtcMs(0),
    };
    let [two, five, ten, fourteen] = [0, 3, 8, 12].map(|hours| 1_795_831_200_000 + hours * 3_600_000);
    let whole = Schedule { temporary: vec![plan(two, fourteen)], ..blank.clone() };
    let cut = Schedule { temporary: vec![plan(two, five), plan(ten, fourteen)], ..blank.clone() };
    let all = "Fri 27 Nov 20:00 – Sat 28 Nov 08:00";
    let parts = ["Fri 27 Nov 20:00 – Fri 27 Nov 23:00", "Sat 28 Nov 04:00 – Sat 28 Nov 08:00"];
    let set = format!("set the temporary schedule storm, {all}");
    assert_eq!(said(&blank, &whole), [(set.clone(), None, Some(format!("Ben {all}")))]);
    let trimmed = "trimmed the temporary schedule storm".to_owned();
    assert_eq!(said(&whole, &cut), [(trimmed, Some(all.to_owned()), Some(parts.join("; ")))]);
    let was = parts.map(|part| format!("Ben {part}")).join("; ");
    assert_eq!(said(&cut, &whole), [(set, Some(was), Some(format!("Ben {all}")))]);
    let away = format!("took the temporary schedule storm away, {all}");
    assert_eq!(said(&whole, &blank), [(away, Some(format!("Ben {all}")), None)]);
}

#[test]
fn layers_are_told_as_they_were_and_as_they_are() {
    let before = schedule();
    let mut after = before.clone();
    after.layers[0].rotation.turns[1].people.push(ContactId::named("Cy"));
    let lines = said(&before, &after);
    let was = "Ben, then Ada, 1 week each, first at 2026-11-02 08:00".to_owned();
    let is = "Ben, then Ada and Cy, 1 week each, first at 2026-11-02 08:00".to_owned();
    assert_eq!(lines, [("changed the layer rotation A".to_owned(), Some(was.clone()), Some(is))]);
    let made = difference(None, Some(&before), &name);
    assert_eq!(made[0].after, Some(format!("rotation A: {was}")));
    assert_eq!(difference(Some(&before), None, &name)[0].what, "removed the schedule technician");
    let mut gone = before.clone();
    gone.layers.clear();
    assert_eq!(said(&before, &gone)[0].0, "removed the layer rotation A");
}
