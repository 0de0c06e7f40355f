//! What goes in a circle for a whole night: few lines, few answers, and how often it came.

use super::super::event::Failure;
use super::super::mail::Fate;
use super::super::protocol::{Method, Step, Until};
use super::super::recurring::{LINES, with_counted};
use super::super::state::{Channel, Purpose, Reason};
use super::super::*;
use super::{Night, named, number, on_call, protocol};

fn times(lines: &[String], words: &str) -> usize {
    lines.iter().filter(|line| line.contains(words)).count()
}

fn shown(night: &Night) -> Vec<String> {
    let all = with_counted(&night.log, &night.s);
    assert!(all.is_sorted_by_key(|entry| entry.at), "in the order in which it happened");
    all.iter().map(|entry| timeline::sentence(entry, "UTC").1).collect()
}

#[test]
fn a_mail_server_that_says_all_night_that_it_is_still_trying_is_a_few_lines() {
    let steps = vec![(Method::EmailConfirm, vec![named("ada", "email")], 24 * 3_600)];
    let mut night = Night::of(protocol(steps, false, Until::Confirmed));
    night.until(0);
    let attempt = night.s.attempts[0].id.clone();
    for n in 1..=500 {
        night.until(n * 60);
        let fate = Fate::Delayed { status: "4.4.1".into() };
        night.tell(Event::Mail { attempt: attempt.clone(), fate });
    }
    let lines = shown(&night);
    assert_eq!(times(&night.lines(), "still under way"), LINES as usize, "stored");
    assert_eq!(times(&lines, "still under way"), LINES as usize, "shown");
    assert_eq!(times(&lines, "their mail server has said so 500 times since 00:01:05 UTC."), 1, "{lines:#?}");
    let counted = night.s.attempts[0].delayed.expect("it was counted");
    assert_eq!((counted.times, counted.last), (500, night.now));
    // It still wakes, and a yes still counts.
    assert_eq!(night.s.wake().map(|(_, reason)| reason), Some(Reason::WaitOver));
    night.tell(Event::MailYes { attempt });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

/// Found by a simulated night (seed 219): the end that was taken back had silenced the alarm of later rounds.
#[test]
fn a_bounce_in_a_later_round_brings_the_alarm_back_that_nobody_has_been_told() {
    let email = Step { done: Some(Until::HandedOver), ..Step::new(Method::Email, vec![named("ada", "email")], 0) };
    let mut steps = protocol(vec![(Method::TextConfirm, on_call("mobile"), 900)], true, Until::Confirmed);
    steps.steps.push(email);
    let mut night = Night::of(steps);
    night.refuse = Some((Channel::Email, Failure::Permanent));
    night.until(900);
    night.refuse = None;
    night.until(1_800);
    assert_eq!((night.s.phase, night.s.round), (Phase::Delivered, 2));
    let attempt = night.s.attempts.last().expect("an email").id.clone();
    let fate = Fate::Failed { status: "5.1.1".into(), for_good: true, said: None };
    night.tell(Event::Mail { attempt, fate });
    assert_eq!(night.s.phase, Phase::Running);
    assert!(night.s.troubles.contains(&Trouble::NobodyTold), "{:?}", night.s.troubles);
}

#[test]
fn a_telephone_that_answers_every_text_by_itself_is_answered_a_few_times() {
    let mut night = Night::of(protocol(vec![(Method::TextConfirm, on_call("mobile"), 900)], true, Until::Confirmed));
    night.until(60);
    for n in 0..300 {
        night.tell(Event::Replied { number: number(100), code: 1 });
        night.until(60 + n);
    }
    let answers = night.s.attempts.iter().filter(|a| a.purpose == Purpose::AlreadyReply).count();
    assert_eq!(answers, LINES as usize, "each is a text to them, and might bring another back");
    assert_eq!(times(&night.lines(), "replied again; it was confirmed before"), LINES as usize);
    let lines = shown(&night);
    assert_eq!(times(&lines, "ben has replied again 299 times since"), 1, "{lines:#?}");
    assert_eq!(night.s.closed_by.as_deref(), Some("ben"), "and the first yes stands");
}

#[test]
fn a_yes_to_what_an_operator_has_closed_is_no_line_of_a_confirmation() {
    let mut night = Night::of(protocol(vec![(Method::TextConfirm, on_call("mobile"), 900)], true, Until::Confirmed));
    night.until(60);
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Close { reason: "a drill".into() } });
    night.tell(Event::Replied { number: number(100), code: 1 });
    let said = "ben replied after it was closed by the service; that confirms nothing.";
    assert_eq!(times(&night.lines(), said), 1, "{:#?}", night.lines());
    let kinds: Vec<&str> = night.log.iter().map(|entry| timeline::sentence(entry, "UTC").0).collect();
    assert!(!kinds.contains(&"confirmed"), "{kinds:?}");
    assert!(night.s.attempts.iter().any(|a| a.purpose == Purpose::AlreadyReply), "and he is answered");
}
