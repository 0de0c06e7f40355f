//! An operator calls a person by hand, or has one texted, beside the steps.

use super::*;
use crate::base::id::UserId;
use crate::domain::dispatch::by_hand::{HandCall, telephones};
use crate::domain::dispatch::job::{JobNews, JobOutcome};
use crate::domain::dispatch::protocol::Tries;

fn kim() -> UserId {
    UserId::named("kim")
}

fn calls(night: &mut Night, name: &str, n: u32) {
    let call = HandCall {
        by: kim(),
        contact: ContactId::named(name),
        name: name.into(),
        label: "home".into(),
        number: number(n),
        ring_secs: 30,
    };
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Call(call) });
}

/// The attempt that is made by hand.
fn by_hand(night: &Night) -> &Attempt {
    night.s.attempts.iter().rfind(|a| a.is_by_hand()).expect("a call by hand")
}

fn news(night: &mut Night, news: JobNews) {
    let attempt = by_hand(night).id.clone();
    night.tell(Event::Job { attempt, news });
}

fn says(night: &mut Night, outcome: JobOutcome) {
    news(night, JobNews::Done { by: kim(), name: "Kim".into(), outcome });
}

#[test]
fn it_is_hers_at_once_and_a_yes_to_her_confirms() {
    let mut night = Night::of(plumbing());
    night.until(60);
    calls(&mut night, "ada", 111);
    let a = by_hand(&night);
    let taken = a.job.as_ref().and_then(|job| job.taken.as_ref()).map(|taken| taken.by.clone());
    assert_eq!((taken, a.in_flight_since, a.handed_at), (Some(kim()), Some(night.now), Some(night.now)));
    news(&mut night, JobNews::Answered { by: kim() });
    says(&mut night, JobOutcome::Confirmed { name: "ada".into() });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ada")));
    let lines = night.lines();
    for line in ["Kim calls ada (home).", "ada's phone was answered.", "Kim's call to ada (home): ada confirmed."] {
        assert!(lines.contains(&line.to_owned()), "{line} is not in {lines:#?}");
    }
    assert!(night.s.attempts.iter().any(|a| a.purpose == state::Purpose::StandDown), "ben was texted, and is told");
    night.until(4_000);
    assert_eq!(night.s.wake(), None);
}

#[test]
fn she_has_it_until_she_says_what_came_of_it_or_lets_go() {
    let mut night = Night::of(plumbing());
    night.until(60);
    assert_eq!(night.s.hand_caller(), None);
    let ends = [
        JobNews::Done { by: kim(), name: "Kim".into(), outcome: JobOutcome::NoAnswer },
        JobNews::Done { by: kim(), name: "Kim".into(), outcome: JobOutcome::WrongNumber },
        JobNews::Left { at: night.now.plus_secs(60) },
        JobNews::Dropped,
        JobNews::Freed { by: kim() },
    ];
    for end in ends {
        calls(&mut night, "ada", 111);
        assert_eq!(night.s.hand_caller(), Some(&kim()));
        news(&mut night, end.clone());
        assert_eq!(night.s.hand_caller(), None, "{end:?}");
    }
}

#[test]
fn the_steps_neither_wait_for_it_nor_end_it() {
    let mut night = Night::of(plumbing());
    night.until(60);
    calls(&mut night, "ada", 111);
    night.until(900);
    assert_eq!(night.times(), [(0, Channel::Text), (900, Channel::Call)], "ben's mobile rings when it is due");
    night.until(1_540);
    assert_eq!(night.s.runs.len(), 3, "his home follows");
    assert!(by_hand(&night).in_flight_since.is_some(), "a step that is over is not hers");
    says(&mut night, JobOutcome::NoAnswer);
    assert_eq!(by_hand(&night).outcome, Some(CallOutcome::NoAnswer));
    assert_eq!(night.s.phase, Phase::Running);
}

#[test]
fn a_step_does_not_ring_into_her_talk_on_the_same_telephone() {
    let mut night = Night::of(plumbing());
    night.until(870);
    calls(&mut night, "ben", 100);
    night.until(1_200);
    assert_eq!(night.times(), [(0, Channel::Text)], "they talk on it");
    assert_eq!(night.s.runs.len(), 2, "and nothing is left out");
    let next = timeline::next(&night.s, "UTC").map(|(_, next)| next);
    assert_eq!(next.as_deref(), Some("Calls ben once the call that an operator makes there is over."));
    says(&mut night, JobOutcome::Told { name: "ben".into() });
    assert_eq!(night.times(), [(0, Channel::Text), (1_200, Channel::Call)], "he has not said yes");
}

#[test]
fn a_step_waits_no_longer_for_her_telephone_than_she_has_time_to_say_what_came_of_it() {
    for is_left in [false, true] {
        let mut night = Night::of(plumbing());
        night.until(870);
        calls(&mut night, "ben", 100);
        night.until(1_000);
        if is_left {
            let at = night.now;
            news(&mut night, JobNews::Left { at });
            assert_eq!(night.times().len(), 2, "her call is lost");
        }
        night.until(1_765);
        assert_eq!(night.times().iter().any(|(_, channel)| *channel == Channel::Call), is_left);
        night.until(1_790);
        assert!(night.times().iter().any(|(_, channel)| *channel == Channel::Call));
    }
}

#[test]
fn told_by_hand_ends_what_runs_until_told() {
    let steps = vec![(Method::CallOut { leave_message: true }, on_call("mobile"), 600)];
    let mut night = Night::of(protocol(steps, true, Until::Told));
    night.until(200);
    calls(&mut night, "ben", 101);
    says(&mut night, JobOutcome::Told { name: "ben".into() });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Told, Some("ben")));
}

#[test]
fn before_it_opens_once_it_is_over_and_where_a_call_is_made_already_nothing_changes() {
    let mut night = Night::of(plumbing());
    let before = night.s.clone();
    calls(&mut night, "ada", 111);
    assert_eq!(night.s, before, "it can still be taken back");
    night.until(910);
    let before = night.s.clone();
    calls(&mut night, "ben", 100);
    assert_eq!(night.s, before, "the machine rings there");
    calls(&mut night, "ada", 111);
    let before = night.s.clone();
    calls(&mut night, "office", 121);
    assert_eq!(night.s, before, "one at a time");
    says(&mut night, JobOutcome::Busy);
    night.tell(Event::RingsBack { who: "ben".into(), by: "Lee".into() });
    let before = night.s.clone();
    calls(&mut night, "ada", 111);
    assert_eq!(night.s, before, "he is on the line");
    night.tell(Event::Operator { by: "Lee".into(), act: OperatorAct::Close { reason: "a drill".into() } });
    let before = night.s.clone();
    calls(&mut night, "ada", 111);
    assert_eq!(night.s, before, "it is over");
}

#[test]
fn a_yes_elsewhere_takes_back_what_rings_and_what_she_says_then_is_written_down() {
    let mut night = Night::of(plumbing());
    night.until(60);
    calls(&mut night, "ada", 111);
    let attempt = by_hand(&night).id.clone();
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(night.cancelled, [attempt]);
    assert!(!by_hand(&night).is_settled(), "she may be speaking with her");
    says(&mut night, JobOutcome::Told { name: "ada".into() });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ben")));
    assert_eq!(night.s.wake(), None);
}

#[test]
fn what_is_left_unsaid_is_offered_to_nobody_else_and_a_crash_ends_it() {
    for crashes in [false, true] {
        let mut night = Night::of(plumbing());
        night.until(60);
        calls(&mut night, "ada", 111);
        let (attempt, at) = (by_hand(&night).id.clone(), night.now);
        if crashes {
            night.tell(Event::Interrupted { attempt });
        } else {
            news(&mut night, JobNews::Freed { by: kim() });
            assert!(by_hand(&night).in_flight_since.is_some(), "ada may be on the line still");
            news(&mut night, JobNews::Left { at });
        }
        let a = by_hand(&night);
        assert!(a.is_settled() && a.cancelled && a.in_flight_since.is_none(), "{crashes}");
        let left = "Kim has let go of the call to ada without saying what came of it.";
        assert_eq!(night.lines().iter().filter(|line| *line == left).count(), 1, "{:#?}", night.lines());
        night.until(800);
        assert!(!night.s.needs_operator(), "nobody is asked for it");
        calls(&mut night, "ada", 111);
        assert!(by_hand(&night).in_flight_since.is_some(), "she may call again");
    }
}

#[test]
fn who_is_on_the_line_when_she_is_lost_is_the_next_operators() {
    let mut night = Night::of(plumbing());
    night.until(60);
    calls(&mut night, "ada", 111);
    news(&mut night, JobNews::Answered { by: kim() });
    news(&mut night, JobNews::Freed { by: kim() });
    let lee = UserId::named("lee");
    news(&mut night, JobNews::Taken { by: lee.clone(), name: "Lee".into() });
    news(&mut night, JobNews::Done { by: lee, name: "Lee".into(), outcome: JobOutcome::Told { name: "ada".into() } });
    assert!(by_hand(&night).told_at.is_some() && by_hand(&night).is_settled());
}

#[test]
fn who_was_asked_last_is_called_first() {
    let mut night = Night::of(plumbing());
    night.until(60);
    assert_eq!(night.s.asked_last(), [(ContactId::named("ben"), "mobile".to_owned())]);
    calls(&mut night, "ada", 111);
    assert_eq!(night.s.asked_last().len(), 1, "of the step alone");
}

#[test]
fn the_telephone_they_were_asked_by_comes_first_and_an_email_is_none() {
    let town = town();
    let labels = |first: Option<&str>| {
        let found = telephones(&town.contacts[0], first);
        found.into_iter().map(|(d, _)| d.label.clone()).collect::<Vec<_>>()
    };
    assert_eq!(labels(Some("home")), ["home", "mobile"]);
    assert_eq!(labels(Some("email")), ["mobile", "home"]);
    assert_eq!(labels(None), ["mobile", "home"]);
}

#[test]
fn she_is_asked_what_came_of_it_after_a_quarter_of_an_hour() {
    let held = Method::HoldForCheckIn { until: None };
    let mut night = Night::of(protocol(vec![(held, vec![], 0)], false, Until::HandedOver));
    night.until(10);
    calls(&mut night, "ada", 111);
    night.until(10 + 15 * 60);
    assert!(night.s.troubles.contains(&Trouble::JobWaits { who: "ada".into() }));
    says(&mut night, JobOutcome::Busy);
    assert!(!night.s.needs_operator());
    assert_eq!(night.s.phase, Phase::HeldForCheckIn);
}

/// Kim has the message texted there now.
fn texts(night: &mut Night, name: &str, label: &str) {
    let destination = DestinationId::named(&format!("{name}-{label}"));
    let act = OperatorAct::Text { contact: ContactId::named(name), destination };
    night.tell(Event::Operator { by: "Kim".into(), act });
}

#[test]
fn a_text_by_hand_asks_for_a_code_where_the_protocol_does_and_a_reply_to_it_confirms() {
    let mut night = Night::of(plumbing());
    night.until(60);
    texts(&mut night, "ada", "mobile");
    assert_eq!(night.times(), [(0, Channel::Text), (60, Channel::Text)]);
    assert_eq!((by_hand(&night).code, by_hand(&night).accepted_at), (Some(1), Some(night.now)));
    assert!(night.lines().contains(&"Kim has the message texted to ada (mobile).".to_owned()), "{:#?}", night.lines());
    night.until(70);
    night.tell(Event::Replied { number: number(110), code: 1 });
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Confirmed, Some("ada")));
    assert!(night.s.attempts.iter().any(|a| a.purpose == state::Purpose::StandDown), "ben was texted, and is told");
}

#[test]
fn a_text_by_hand_never_doubles_one_that_is_on_its_way_or_has_just_gone() {
    let mut night = Night::of(plumbing());
    night.until(29);
    texts(&mut night, "ben", "mobile");
    assert_eq!(night.times().len(), 1, "the step's has just gone");
    night.until(30);
    texts(&mut night, "ben", "mobile");
    texts(&mut night, "ben", "mobile");
    assert_eq!(night.times(), [(0, Channel::Text), (30, Channel::Text)]);
    assert_eq!(night.s.attempts[0].code, by_hand(&night).code, "the same code at that telephone");
    night.silent = true;
    night.until(40);
    texts(&mut night, "ada", "mobile");
    night.until(80);
    texts(&mut night, "ada", "mobile");
    assert_eq!(night.times().len(), 3, "whether it was taken is not known yet");
}

#[test]
fn a_text_by_hand_holds_up_no_step_and_asks_nothing_where_the_protocol_asks_nothing_by_text() {
    let steps = vec![(Method::CallOut { leave_message: true }, on_call("mobile"), 600)];
    let mut night = Night::of(protocol(steps, true, Until::Told));
    night.until(10);
    texts(&mut night, "ada", "mobile");
    assert_eq!(by_hand(&night).code, None);
    night.until(640);
    assert_eq!(night.times(), [(0, Channel::Call), (10, Channel::Text), (630, Channel::Call)]);
}

#[test]
fn a_step_that_is_made_again_leaves_alone_what_she_has_texted_meanwhile() {
    let mut twice = protocol(vec![(Method::TextConfirm, on_call("mobile"), 600)], false, Until::Confirmed);
    twice.steps[0].tries = Some(Tries { times: 2, apart_secs: 120 });
    let mut night = Night::of(twice);
    night.until(110);
    night.refuse = Some((Channel::Text, Failure::Temporary));
    texts(&mut night, "ada", "mobile");
    night.until(121);
    night.refuse = None;
    night.until(140);
    assert_eq!(night.s.runs[0].again, 1, "ben is texted again");
    let a = by_hand(&night);
    assert!(a.accepted_at.is_some() && !a.cancelled, "the carrier took it at the third try");
}

#[test]
fn what_takes_no_text_or_is_over_is_not_texted() {
    let mut night = Night::of(plumbing());
    let before = night.s.clone();
    texts(&mut night, "ada", "mobile");
    assert_eq!(night.s, before, "it can still be taken back");
    night.until(60);
    night.town.contacts[1].destinations[0].blocked = true;
    let before = night.s.clone();
    texts(&mut night, "ada", "mobile");
    texts(&mut night, "ada", "email");
    texts(&mut night, "nobody", "mobile");
    assert_eq!(night.s, before);
    night.tell(Event::Operator { by: "Lee".into(), act: OperatorAct::Close { reason: "a drill".into() } });
    let before = night.s.clone();
    texts(&mut night, "office", "mobile");
    assert_eq!(night.s, before);
}
