//! Calls by operators on simulated time: taken, told, let go, left lying, stood down; and pauses for who rings back.

use super::*;
use crate::base::id::AttemptId;
use crate::domain::dispatch::describe::describe;
use crate::domain::dispatch::event::{Event, OperatorAct};
use crate::domain::dispatch::protocol::Until;
use crate::domain::dispatch::state::{Channel, Phase, RunState};
use crate::domain::dispatch::tests::{Night, by_operators, named, on_call, protocol};
use crate::domain::dispatch::timeline;

fn kim() -> UserId {
    UserId::named("kim")
}

fn job(night: &Night) -> AttemptId {
    night.s.attempts.last().expect("an attempt").id.clone()
}

fn tell(night: &mut Night, news: JobNews) {
    let attempt = job(night);
    night.tell(Event::Job { attempt, news });
}

fn takes(night: &mut Night) {
    tell(night, JobNews::Taken { by: kim(), name: "Kim".into() });
}

fn says(night: &mut Night, outcome: JobOutcome) {
    tell(night, JobNews::Done { by: kim(), name: "Kim".into(), outcome });
}

fn next(night: &Night) -> String {
    timeline::next(&night.s, "UTC").expect("something is next").1
}

#[test]
fn a_job_that_is_taken_and_told_leaves_the_facts_of_a_call_and_its_wait_runs_from_the_end() {
    let mut night = Night::of(by_operators());
    night.until(20);
    assert_eq!(next(&night), "If no operator takes the call to ben by 00:01:05 UTC: the machine calls.");
    takes(&mut night);
    assert_eq!(next(&night), "Kim calls ben now.");
    night.until(50);
    tell(&mut night, JobNews::Answered { by: kim() });
    night.until(100);
    says(&mut night, JobOutcome::Told { name: "ben".into() });
    let a = &night.s.attempts[0];
    let at = |secs: i64| Some(night.s.open_at.plus_secs(secs));
    assert_eq!((a.handed_at, a.accepted_at, a.told_at, a.ended_at), (at(20), at(50), at(100), at(100)));
    assert_eq!((a.confirmed_at, a.outcome), (None, Some(CallOutcome::ToldOnly)));
    assert_eq!(night.times(), [], "no machine has called");
    night.until(699);
    assert_eq!(night.s.runs.len(), 1, "he may still confirm");
    night.until(700);
    assert_eq!(night.s.runs[0].state, RunState::TimedOut);
    let lines = night.lines();
    for line in [
        "An operator is asked to call ben (mobile); if none takes it within 60 s, the machine calls.",
        "Kim calls ben (mobile).",
        "ben's phone was answered.",
        "Kim's call to ben (mobile): told ben.",
        "ben heard the message.",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
    }
}

#[test]
fn told_ends_what_runs_until_delivered() {
    let mut protocol = by_operators();
    protocol.until = Until::Told;
    let mut night = Night::of(protocol);
    night.until(5);
    takes(&mut night);
    says(&mut night, JobOutcome::Told { name: "his wife".into() });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Told, Some("his wife")));
    assert_eq!(night.s.wake(), None);
}

#[test]
fn a_yes_to_the_operator_confirms_in_the_name_she_gives() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    says(&mut night, JobOutcome::Confirmed { name: "ben".into() });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ben")));
    assert!(night.s.attempts[0].told_at.is_some() && night.s.attempts[0].confirmed_at.is_some());
    assert!(night.lines().contains(&"ben confirmed to Kim.".to_owned()), "{:#?}", night.lines());
    assert_eq!(night.s.wake(), None);
}

#[test]
fn a_job_that_nobody_takes_is_the_machines_after_sixty_seconds() {
    let mut night = Night::of(by_operators());
    night.until(59);
    assert_eq!(night.times(), []);
    night.until(61);
    assert_eq!(night.times(), [(60, Channel::Call)]);
    assert_eq!(night.cancelled.len(), 1, "it is off the desks");
    takes(&mut night);
    assert!(night.s.attempts[0].job.is_none(), "too late to take it");
    assert_eq!(night.s.troubles.len(), 0);
}

#[test]
fn a_job_for_operators_alone_alarms_all_desks_until_it_is_taken() {
    let mut night = Night::of(protocol(
        vec![(Method::OperatorCall { leave_message: false, then_machine: false }, on_call("mobile"), 0)],
        false,
        Until::Confirmed,
    ));
    night.until(60);
    assert!(night.s.troubles.contains(&Trouble::JobWaits { who: "ben".into() }));
    night.until(3_600);
    assert_eq!((night.s.phase, night.times().len()), (Phase::Running, 0));
    takes(&mut night);
    assert!(!night.s.needs_operator());
    says(&mut night, JobOutcome::NoAnswer);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
}

#[test]
fn an_operator_who_never_says_what_came_of_it_is_asked() {
    let mut night = Night::of(by_operators());
    night.until(10);
    takes(&mut night);
    night.until(10 + 15 * 60);
    assert!(night.s.troubles.contains(&Trouble::JobWaits { who: "ben".into() }));
    says(&mut night, JobOutcome::Busy);
    assert!(!night.s.needs_operator());
}

#[test]
fn one_operator_has_it_and_only_she_says_what_came_of_it() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    let before = night.s.clone();
    let lee = UserId::named("lee");
    tell(&mut night, JobNews::Taken { by: lee.clone(), name: "Lee".into() });
    tell(&mut night, JobNews::Freed { by: lee.clone() });
    tell(&mut night, JobNews::Done { by: lee, name: "Lee".into(), outcome: JobOutcome::Refused });
    assert_eq!(night.s, before);
}

#[test]
fn a_job_that_is_let_go_late_waits_a_moment_for_another_operator() {
    let mut night = Night::of(by_operators());
    night.until(50);
    takes(&mut night);
    night.until(80);
    tell(&mut night, JobNews::Freed { by: kim() });
    night.until(89);
    assert_eq!(night.times(), []);
    night.until(90);
    assert_eq!(night.times(), [(90, Channel::Call)]);
}

#[test]
fn a_job_that_is_passed_around_is_the_machines_as_soon_as_one_that_nobody_takes() {
    let mut night = Night::of(by_operators());
    for at in [10, 25, 40] {
        night.until(at);
        takes(&mut night);
        night.until(at + 8);
        tell(&mut night, JobNews::Freed { by: kim() });
    }
    night.until(59);
    assert_eq!(night.times(), []);
    night.until(60);
    assert_eq!(night.times(), [(60, Channel::Call)]);
}

#[test]
fn a_crash_frees_the_lock_and_offers_the_job_anew() {
    let mut night = Night::of(by_operators());
    night.until(50);
    takes(&mut night);
    let attempt = job(&night);
    night.tell(Event::Interrupted { attempt });
    let a = &night.s.attempts[0];
    assert_eq!(a.job.as_ref().map(|job| job.taken.is_none()), Some(true));
    assert!(a.in_flight_since.is_some() && a.owner.is_some(), "it is on the desks again");
    assert_eq!(a.interruptions, 0);
    night.until(60);
    assert_eq!(night.times(), [(60, Channel::Call)]);
}

#[test]
fn what_an_operator_said_before_a_crash_counts_after_it_and_the_job_is_off_the_desks() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    let attempt = job(&night);
    night.tell(Event::Interrupted { attempt: attempt.clone() });
    says(&mut night, JobOutcome::Confirmed { name: "ben".into() });
    assert_eq!((night.s.phase, night.cancelled.clone()), (Phase::Confirmed, vec![attempt]));
}

#[test]
fn a_wrong_number_moves_on_at_once_and_alarms() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    says(&mut night, JobOutcome::WrongNumber);
    assert_eq!(night.s.runs[0].state, RunState::Failed);
    assert_eq!(night.s.runs.len(), 2, "the next step has begun");
    assert!(night.s.troubles.contains(&Trouble::Unreachable { who: "ben".into() }));
}

#[test]
fn a_request_left_on_voicemail_is_neither_told_nor_confirmed() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    says(&mut night, JobOutcome::LeftOnVoicemail);
    assert!(!night.s.anybody_told());
    assert_eq!(night.s.attempts[0].outcome, Some(CallOutcome::LeftRequest));
    night.until(604);
    assert_eq!(night.s.runs.len(), 1, "ten minutes for him to call back");
}

#[test]
fn a_confirmation_elsewhere_takes_a_job_off_the_desks_at_once() {
    let mut night = Night::of(by_operators());
    night.until(5);
    let attempt = job(&night);
    night.tell(Event::Operator {
        by: "Lee".into(),
        act: OperatorAct::Confirm { who: "ben".into(), note: None, edition: None },
    });
    assert_eq!(night.cancelled, [attempt]);
    assert!(night.s.attempts[0].is_settled() && night.s.attempts[0].cancelled);
    assert_eq!(night.s.wake(), None);
}

#[test]
fn what_an_operator_says_after_the_confirmation_is_written_down_and_changes_nothing() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    night.tell(Event::Operator {
        by: "Lee".into(),
        act: OperatorAct::Confirm { who: "ada".into(), note: None, edition: None },
    });
    assert!(!night.s.attempts[0].is_settled(), "she may be speaking with him");
    says(&mut night, JobOutcome::Confirmed { name: "ben".into() });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ada")));
    assert!(night.lines().contains(&"Kim's call to ben (mobile): ben confirmed.".to_owned()));
    assert_eq!(night.s.wake(), None);
}

#[test]
fn a_job_that_was_taken_and_is_stood_down_ends_when_the_call_side_says_so() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    night.tell(Event::Operator { by: "Lee".into(), act: OperatorAct::Skip { moves: None } });
    assert_eq!(night.cancelled.len(), 1);
    let attempt = night.s.attempts[0].id.clone();
    night.tell(Event::Job { attempt, news: JobNews::Dropped });
    assert!(night.s.attempts[0].is_settled());
}

#[test]
fn a_yes_to_an_operator_whose_step_was_skipped_meanwhile_confirms() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    let attempt = job(&night);
    night.tell(Event::Operator { by: "Lee".into(), act: OperatorAct::Skip { moves: None } });
    assert_eq!((night.s.phase, night.s.runs.len()), (Phase::Running, 2), "nothing is handled: step 2 runs");
    let outcome = JobOutcome::Confirmed { name: "ben".into() };
    night.tell(Event::Job { attempt, news: JobNews::Done { by: kim(), name: "Kim".into(), outcome } });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ben")));
    assert_eq!(night.s.wake(), None);
}

#[test]
fn a_lock_whose_call_was_lost_falls_and_the_next_one_stands() {
    let mut night = Night::of(by_operators());
    night.until(5);
    takes(&mut night);
    let (attempt, taken_at) = (night.s.attempts[0].id.clone(), night.now);
    let left = |at| Event::Job { attempt: attempt.clone(), news: JobNews::Left { at } };
    night.tell(left(taken_at.plus_ms(-1)));
    let has_it = |night: &Night| night.s.attempts[0].job.as_ref().is_some_and(|job| job.taken.is_some());
    assert!(has_it(&night), "word of a call before hers");
    night.tell(left(taken_at));
    assert!(!has_it(&night));
    takes(&mut night);
    assert!(has_it(&night), "another operator, or she again");
}

#[test]
fn nothing_goes_out_while_the_contact_who_rang_back_speaks_with_an_operator() {
    let text =
        vec![(Method::TextConfirm, vec![named("ben", "mobile")], 60), (Method::Text, vec![named("ada", "mobile")], 0)];
    let mut night = Night::of(protocol(text, false, Until::Confirmed));
    night.until(30);
    night.tell(Event::RingsBack { who: "ben".into(), by: "Kim".into() });
    assert_eq!(next(&night), "Paused while ben speaks with Kim; goes on at 00:05:35 UTC at the latest.");
    night.until(329);
    assert_eq!(night.times(), [(0, Channel::Text)]);
    night.until(330);
    assert_eq!(night.times(), [(0, Channel::Text), (330, Channel::Text)]);
}

#[test]
fn the_protocol_goes_on_as_soon_as_the_talk_is_over() {
    let text =
        vec![(Method::TextConfirm, vec![named("ben", "mobile")], 60), (Method::Text, vec![named("ada", "mobile")], 0)];
    let mut night = Night::of(protocol(text, false, Until::Confirmed));
    night.until(30);
    night.tell(Event::RingsBack { who: "ben".into(), by: "Kim".into() });
    night.until(90);
    night.tell(Event::RangBack);
    assert_eq!(night.times(), [(0, Channel::Text), (90, Channel::Text)]);
    assert!(night.lines().contains(&"The talk is over: the protocol goes on.".to_owned()));
}

#[test]
fn a_message_that_is_held_waits_for_who_rings_back_too() {
    let held = Method::HoldForCheckIn { until: None };
    let steps = vec![
        (Method::Text, vec![named("ben", "mobile")], 0),
        (held, vec![], 60),
        (Method::Text, vec![named("ada", "mobile")], 0),
    ];
    let mut night = Night::of(protocol(steps, false, Until::HandedOver));
    night.until(30);
    assert_eq!(night.s.phase, Phase::HeldForCheckIn);
    night.tell(Event::RingsBack { who: "ben".into(), by: "Kim".into() });
    assert_eq!(next(&night), "Paused while ben speaks with Kim; goes on at 00:05:35 UTC at the latest.");
    night.until(200);
    assert_eq!(night.times(), [(0, Channel::Text)], "its time is over meanwhile");
    night.tell(Event::RangBack);
    assert_eq!(night.times(), [(0, Channel::Text), (200, Channel::Text)]);
}

#[test]
fn a_pause_does_not_outlive_the_process_whose_operator_speaks() {
    let text =
        vec![(Method::TextConfirm, vec![named("ben", "mobile")], 60), (Method::Text, vec![named("ada", "mobile")], 0)];
    let mut night = Night::of(protocol(text, false, Until::Confirmed));
    night.until(30);
    night.tell(Event::RingsBack { who: "ben".into(), by: "Kim".into() });
    night.until(90);
    night.tell(Event::Resume);
    assert_eq!((night.s.paused.clone(), night.times().len()), (None, 2));
}

#[test]
fn a_yes_in_a_pause_counts_at_once() {
    let mut night = Night::of(by_operators());
    night.until(30);
    night.tell(Event::RingsBack { who: "ben".into(), by: "Kim".into() });
    night.tell(Event::Operator {
        by: "Kim".into(),
        act: OperatorAct::Confirm { who: "ben".into(), note: None, edition: None },
    });
    assert_eq!((night.s.phase, night.s.paused.clone(), night.s.wake()), (Phase::Confirmed, None, None));
}

#[test]
fn a_job_reads_as_plain_english() {
    let lines = describe(&by_operators(), &[], &[]);
    assert_eq!(
        lines[..2],
        [
            "1. Have an operator call the technician on call (mobile), or the machine if none takes it within 60 s, \
             leave a message if nobody takes the call, wait 10 minutes for an answer.",
            "2. Have an operator call the technician on call (home), leave a message if nobody takes the call.",
        ]
    );
}
