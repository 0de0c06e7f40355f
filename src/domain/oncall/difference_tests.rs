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
    let put = "put Cy in the place of Ben, Fri 27 Nov 20:00 – Sat 28 Nov 08:00".to_owned();
    let lines = said(&before, &after);
    assert_eq!(lines[0], (put.clone(), None, Some("wedding".into())));
    assert_eq!(lines[1], ("changed who stands in".into(), None, Some("Office".into())));
    let back = said(&after, &before);
    assert_eq!(back[0].0, "took an override back, Fri 27 Nov 20:00 – Sat 28 Nov 08:00");
    assert_eq!(back[0].1, Some(put));
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
