//! What the dispatch board says beside the sentences of the time line.

use super::super::board;
use super::*;
use crate::domain::alarm::Means;

/// One text to Ben and a minute, then nobody is left to ask.
fn soon_exhausted() -> Protocol {
    protocol(vec![(Method::TextConfirm, on_call("mobile"), 60)], false, Until::Confirmed)
}

#[test]
fn an_alarm_has_its_own_time_and_that_a_supervisor_is_told_is_nothing_done_for_the_caller() {
    let mut night = Night::of(soon_exhausted());
    night.until(30);
    assert_eq!(board::alarm_at(&night.s, &night.log), None);
    night.until(300);
    let exhausted = night.s.open_at.plus_secs(60);
    assert!(night.s.troubles.contains(&Trouble::Exhausted));
    assert_eq!(board::alarm_at(&night.s, &night.log), Some(exhausted));
    let told = Note::Alarmed { by: Means::Text, name: "Olive".into() };
    night.log.push(Entry { at: night.now, who: None, note: told });
    assert_eq!(board::alarm_at(&night.s, &night.log), Some(exhausted), "the chain makes it no younger");
    let last = night.log.iter().rev().find(|entry| board::may_be_last(&entry.note)).map(|entry| entry.at);
    assert_eq!(last, Some(exhausted));
}

#[test]
fn an_alarm_that_came_back_counts_from_then() {
    let mut night = Night::of(soon_exhausted());
    night.until(120);
    let again = Note::Trouble { trouble: Trouble::Exhausted };
    night.log.push(Entry { at: night.now, who: None, note: again });
    let other = Note::Trouble { trouble: Trouble::NobodyTold };
    night.log.push(Entry { at: night.now.plus_secs(60), who: None, note: other });
    assert_eq!(board::alarm_at(&night.s, &night.log), Some(night.now), "of the gravest, the newest");
}
