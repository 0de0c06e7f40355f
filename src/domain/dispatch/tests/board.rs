//! What the dispatch board says beside the sentences of the time line.

use super::super::board;
use super::super::hold::TimeOfDay;
use super::super::job::{JobNews, JobOutcome};
use super::super::protocol::Tries;
use super::*;
use crate::base::id::UserId;
use crate::domain::alarm::Means;
use crate::domain::recap::report::became;

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
fn where_it_only_has_to_be_handed_over_the_alarm_says_what_could_not_be() {
    let email = (Method::Email, vec![named("ben", "email")], 0);
    let text = (Method::Text, vec![named("ada", "mobile")], 0);
    for (steps, some, said) in [
        (vec![email.clone()], false, "The steps have run out and nothing could be handed over."),
        (vec![email, text], true, "The steps have run out and not all could be handed over."),
    ] {
        let mut night = Night::of(protocol(steps, false, Until::HandedOver));
        night.refuse = Some((Channel::Email, Failure::Permanent));
        night.until(10);
        assert!(night.s.troubles.contains(&Trouble::NotHandedOver { some }), "{:?}", night.s.troubles);
        assert_eq!(night.lines().last().map(String::as_str), Some(said));
        let next = timeline::next(&night.s, "UTC").map(|(_, next)| next);
        assert_eq!(next.as_deref(), Some("The steps have run out: an operator must see to it."));
    }
}

#[test]
fn whom_one_step_asks_for_a_yes_may_give_it_late_and_everybody_says_so() {
    let steps = vec![(Method::Email, vec![named("office", "email")], 0), (Method::TextConfirm, on_call("mobile"), 60)];
    let mut asks = protocol(steps, false, Until::HandedOver);
    asks.steps[1].done = Some(Until::Confirmed);
    let mut night = Night::of(asks);
    night.until(120);
    assert_eq!((night.s.phase, night.s.only_hands_over()), (Phase::ExhaustedUnconfirmed, false));
    assert!(night.s.troubles.contains(&Trouble::Exhausted), "{:?}", night.s.troubles);
    let next = timeline::next(&night.s, "UTC").map(|(_, next)| next);
    assert_eq!(next.as_deref(), Some("The steps have run out: an operator must see to it. A late reply still counts."));
    let became = became(Some(&night.s), night.now, "UTC");
    assert_eq!(became, "NOT CONFIRMED: all steps were gone through.");
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

#[test]
fn a_wait_that_ends_on_the_minute_is_written_as_any_other() {
    let wait = |ms| {
        let note = Note::Waiting { until: UtcMs(ms), next: "call Ben".into(), asks_nobody: false };
        timeline::sentence(&Entry { at: UtcMs(0), who: None, note }, "UTC").1
    };
    assert_eq!(wait(9_900_000), "If no reply by 02:45:00 UTC: call Ben.");
    assert_eq!(wait(9_905_000), "If no reply by 02:45:05 UTC: call Ben.");
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
fn wrong_pins_are_no_alarm_any_more_once_that_person_has_heard_it() {
    let mut night = Night::of(plumbing());
    night.until(905);
    let (_, attempt) = night.ringing.remove(0);
    for news in [CallNews::Answered, CallNews::WrongPins, CallNews::Ended(CallOutcome::LeftRequest)] {
        night.tell(Event::Call { attempt: attempt.clone(), news });
    }
    let keyed = Trouble::WrongPins { who: "ben".into() };
    assert!(night.s.troubles.contains(&keyed), "{:?}", night.s.troubles);
    night.until(1_510);
    let (_, attempt) = night.ringing.remove(0);
    night.tell(Event::Call { attempt: attempt.clone(), news: CallNews::Answered });
    assert!(night.s.troubles.contains(&keyed), "nobody has heard it yet");
    night.tell(Event::Call { attempt, news: CallNews::Told });
    assert!(!night.s.troubles.contains(&keyed), "{:?}", night.s.troubles);
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
        (CallOutcome::LeftWithPerson, true),
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

#[test]
fn what_comes_next_begins_with_whom_and_how() {
    let call = Method::CallOut { leave_message: false };
    let steps =
        vec![(Method::TextConfirm, vec![named("ben", "mobile")], 600), (call, vec![named("ada", "mobile")], 60)];
    let mut night = Night::of(protocol(steps, true, Until::Confirmed));
    let brief = |night: &Night| board::next_brief(&night.s, &night.log);
    assert_eq!(brief(&night), None, "it can still be taken back: the sentence says so");
    night.until(10);
    assert_eq!(brief(&night).as_deref(), Some("call ada (mobile)"));
    night.until(610);
    assert_eq!(brief(&night), None, "it rings: the sentence says so");
    // The phone rang for 30 s in vain.
    night.until(640);
    assert_eq!(brief(&night).as_deref(), Some("text ben (mobile) and ask for a confirmation, again from step 1"));
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(brief(&night), None);
}

#[test]
fn the_end_of_a_wait_is_said_by_name_and_nothing_else_by_that_sentence() {
    let mut night = Night::of(plumbing());
    night.until(30);
    let by_name = |night: &Night| timeline::next_by_name(&night.s, &night.log, "UTC").map(|(_, next)| next);
    let said = "If no reply by 00:15:05 UTC: call the technician on call (mobile), leave a message if nobody takes it.";
    assert_eq!(by_name(&night).as_deref(), Some(said));
    night.until(910);
    assert_eq!(by_name(&night).as_deref(), Some("Calling ben now."));
}

#[test]
fn a_second_try_is_said_behind_whom_it_is_for_and_the_last_wait_leads_to_an_operator() {
    let mut twice = soon_exhausted();
    twice.steps[0].tries = Some(Tries { times: 2, apart_secs: 120 });
    let mut night = Night::of(twice);
    night.until(10);
    let brief = |night: &Night| board::next_brief(&night.s, &night.log);
    let text = "text the technician on call (mobile) and ask for a confirmation, try 2 of 2";
    assert_eq!(brief(&night).as_deref(), Some(text));
    night.until(130);
    assert_eq!(brief(&night).as_deref(), Some("call an operator: the steps have run out"));
    night.until(300);
    assert_eq!(brief(&night), None, "it needs an operator");
}

#[test]
fn a_call_that_no_operator_takes_is_the_machines_and_says_whom_it_calls() {
    let mut night = Night::of(by_operators());
    night.until(5);
    assert_eq!(board::next_brief(&night.s, &night.log).as_deref(), Some("the machine calls ben"));
    let attempt = night.s.attempts.last().expect("an attempt").id.clone();
    let taken = JobNews::Taken { by: UserId::named("kim"), name: "Kim".into() };
    night.tell(Event::Job { attempt, news: taken });
    assert_eq!(board::next_brief(&night.s, &night.log), None, "Kim calls him");
}

#[test]
fn what_is_held_says_whom_it_reaches_when_nobody_checks_in() {
    let until = TimeOfDay::parse("18:00");
    let steps =
        vec![(Method::HoldForCheckIn { until }, vec![], 0), (Method::TextConfirm, vec![named("ben", "mobile")], 900)];
    let mut night = Night::of(protocol(steps, false, Until::Confirmed));
    night.until(60);
    let brief = board::next_brief(&night.s, &night.log);
    assert_eq!(brief.as_deref(), Some("text ben (mobile) and ask for a confirmation"));
}

#[test]
fn the_step_it_is_in_is_counted_from_one_and_there_is_none_before_between_and_after() {
    let once = protocol(vec![(Method::TextConfirm, on_call("mobile"), 30)], true, Until::Confirmed);
    let mut night = Night::of(once);
    night.until(-3);
    assert_eq!(board::step(&night.s), None);
    night.until(10);
    assert_eq!(board::step(&night.s), Some(1));
    night.until(40);
    assert_eq!(board::step(&night.s), None, "between two rounds");
    let mut night = Night::of(plumbing());
    night.until(910);
    assert_eq!(board::step(&night.s), Some(2));
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(board::step(&night.s), None, "it is over");
}
