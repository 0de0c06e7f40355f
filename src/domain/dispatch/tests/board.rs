//! What the dispatch board says beside the sentences of the time line.

use super::super::board;
use super::super::job::{JobNews, JobOutcome};
use super::*;
use crate::base::id::UserId;
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

#[test]
fn a_reference_is_left_by_a_call_that_asks_to_be_rung_back_and_by_nothing_else() {
    let mut night = Night::of(plumbing());
    // The text, then a call that rings in vain.
    night.until(960);
    assert!(!board::is_reference_left(&night.log), "{:#?}", night.lines());
    for (outcome, left) in [
        (CallOutcome::LeftOnMachine, true),
        (CallOutcome::LeftRequest, true),
        (CallOutcome::Machine, false),
        (CallOutcome::NotAccepted, false),
    ] {
        let mut night = Night::of(plumbing());
        night.until(910);
        let (_, attempt) = night.ringing.remove(0);
        night.tell(Event::Call { attempt: attempt.clone(), news: CallNews::Answered });
        night.tell(Event::Call { attempt, news: CallNews::Ended(outcome) });
        assert_eq!(board::is_reference_left(&night.log), left, "{outcome:?}");
    }
}

#[test]
fn an_operator_leaves_a_reference_as_well() {
    for (outcome, left) in [
        (JobOutcome::LeftOnVoicemail, true),
        (JobOutcome::LeftWith { name: "his wife".into() }, true),
        (JobOutcome::NoAnswer, false),
    ] {
        let mut night = Night::of(by_operators());
        night.until(5);
        let attempt = night.s.attempts.last().expect("an attempt").id.clone();
        let kim = UserId::named("kim");
        let taken = JobNews::Taken { by: kim.clone(), name: "Kim".into() };
        night.tell(Event::Job { attempt: attempt.clone(), news: taken });
        let done = JobNews::Done { by: kim, name: "Kim".into(), outcome: outcome.clone() };
        night.tell(Event::Job { attempt, news: done });
        assert_eq!(board::is_reference_left(&night.log), left, "{outcome:?}");
    }
}
