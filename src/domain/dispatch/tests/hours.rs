//! Destinations with hours: which is used in place of one that is closed, and that nothing is lost over an hour.

use super::super::protocol::{Method, Until};
use super::super::state::{Phase, Reason};
use super::super::*;
use super::{Night, named, number, protocol};
use crate::base::id::CallId;
use crate::domain::account::hours::{Span, Weekday};
use crate::domain::account::{Contact, Urgency};
use crate::domain::oncall::Window;
use state::Channel;

const HOUR: i64 = 3_600;
/// A dispatch opens so long after midnight.
const OPENS: i64 = 5;

/// The clock of these nights begins on a Thursday, at midnight, in UTC.
fn daily(from: &str, until: &str) -> Vec<Window> {
    let days = vec![Weekday::Thursday, Weekday::Friday];
    vec![Window { days, span: Span { from: from.into(), until: until.into() } }]
}

fn hours(night: &mut Night, name: &str, label: &str, hours: Vec<Window>) {
    let person: &mut Contact = night.town.contacts.iter_mut().find(|c| c.name == name).expect("somebody");
    person.destinations.iter_mut().find(|d| d.label == label).expect("a destination").hours = hours;
}

fn texted(night: &Night) -> Vec<(i64, &str)> {
    night.sent.iter().map(|(at, _, to)| (*at, to.as_str())).collect()
}

fn text_ben() -> Night {
    Night::of(protocol(vec![(Method::TextConfirm, vec![named("ben", "mobile")], 900)], false, Until::Confirmed))
}

#[test]
fn outside_of_its_hours_the_next_of_the_person_is_used_that_takes_the_same() {
    let mut night = text_ben();
    hours(&mut night, "ben", "mobile", daily("08:00", "18:00"));
    night.until(60);
    assert_eq!(texted(&night), [(0, number(101).as_e164())]);
    let lines = night.lines();
    let line = "ben's mobile is not used before 08:00 UTC: home is used instead.";
    assert!(lines.iter().any(|l| l == line), "{lines:#?}");
    night.tell(Event::Replied { number: number(101), code: 1 });
    assert_eq!(night.s.phase, Phase::Confirmed);
}

#[test]
fn an_urgent_text_goes_out_though_nothing_is_within_its_hours_and_says_so() {
    let mut night = text_ben();
    hours(&mut night, "ben", "mobile", daily("08:00", "18:00"));
    hours(&mut night, "ben", "home", daily("19:00", "22:00"));
    night.until(60);
    assert_eq!(texted(&night), [(0, number(100).as_e164())]);
    let lines = night.lines();
    let line = "ben's mobile is not used before 08:00 UTC, and nothing else of theirs is within its hours; it is used all \
                the same, as the message is urgent.";
    assert!(lines.iter().any(|l| l == line), "{lines:#?}");
}

#[test]
fn what_is_not_urgent_waits_for_the_hours_to_begin_and_its_step_with_it() {
    let mut night = text_ben();
    night.s.urgency = Urgency::Routine;
    hours(&mut night, "ben", "mobile", daily("08:00", "18:00"));
    hours(&mut night, "ben", "home", daily("08:00", "18:00"));
    night.until(60);
    assert_eq!(texted(&night), []);
    assert_eq!(night.s.wake().map(|(at, reason)| (at.0, reason)), Some((8 * HOUR * 1_000, Reason::Hours)));
    let next = timeline::next(&night.s, "UTC").expect("something is next").1;
    assert_eq!(next, "Waits for the hours of who is to be reached: not before 08:00 UTC.");
    night.until(8 * HOUR + 60);
    assert_eq!(texted(&night), [(8 * HOUR - OPENS, number(100).as_e164())]);
    assert_eq!(night.s.phase, Phase::Running, "and the wait for an answer begins then");
    night.until(8 * HOUR + 1_000);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed);
}

#[test]
fn hours_that_begin_on_another_day_are_told_with_the_day() {
    let mut night = text_ben();
    night.s.urgency = Urgency::Routine;
    let span = || Span { from: "08:00".into(), until: "18:00".into() };
    for label in ["mobile", "home"] {
        hours(&mut night, "ben", label, vec![Window { days: vec![Weekday::Friday], span: span() }]);
    }
    for secs in [60, 30 * HOUR] {
        night.until(secs);
        let next = timeline::next(&night.s, "UTC").expect("something is next").1;
        assert_eq!(next, "Waits for the hours of who is to be reached: not before Fri 2 Jan 1970, 08:00.", "{secs}");
    }
}

#[test]
fn an_email_that_waits_for_the_call_waits_for_its_hours_after_it() {
    let steps = vec![(Method::Email, vec![named("ben", "email")], 0)];
    let mut night = Night::of(protocol(steps, false, Until::HandedOver));
    night.s.urgency = Urgency::Routine;
    night.s.on_call = Some(CallId::named("c"));
    hours(&mut night, "ben", "email", daily("08:00", "18:00"));
    night.until(60);
    night.tell(Event::CallEnded);
    assert_eq!(night.times(), []);
    night.until(8 * HOUR);
    assert_eq!(night.times(), [(8 * HOUR - OPENS, Channel::Email)]);
    assert_eq!(night.s.phase, Phase::Delivered);
}

#[test]
fn a_caller_on_the_line_is_put_through_at_any_hour() {
    let mut night = Night::of(protocol(vec![(Method::LivePatch, vec![named("ben", "mobile")], 0)], false, Until::Told));
    night.s.urgency = Urgency::Routine;
    night.s.on_call = Some(CallId::named("c"));
    for label in ["mobile", "home"] {
        hours(&mut night, "ben", label, daily("08:00", "18:00"));
    }
    night.until(10);
    assert_eq!(night.s.wake().map(|(_, reason)| reason), Some(Reason::Patch));
    let lines = night.lines();
    assert!(lines.iter().any(|l| l.ends_with("as the caller is on the line.")), "{lines:#?}");
}

#[test]
fn a_blocked_telephone_stands_in_for_no_other() {
    let mut night = text_ben();
    hours(&mut night, "ben", "mobile", daily("08:00", "18:00"));
    let ben = night.town.contacts.iter_mut().find(|c| c.name == "ben").expect("Ben");
    ben.destinations[1].blocked = true;
    night.until(60);
    assert_eq!(texted(&night), [(0, number(100).as_e164())], "it is urgent");
}

/// Kim raises the message to urgent and has nothing sent again.
fn raised(night: &Night) -> Event {
    let protocol = Some(Box::new(night.s.protocol.clone()));
    let act = OperatorAct::Change { urgency: Urgency::Urgent, protocol, again: false, unsent: None };
    Event::Operator { by: "Kim".into(), act }
}

#[test]
fn what_waits_for_its_hours_goes_out_at_once_when_it_becomes_urgent() {
    let mut night = text_ben();
    night.s.urgency = Urgency::Routine;
    hours(&mut night, "ben", "mobile", daily("08:00", "18:00"));
    hours(&mut night, "ben", "home", daily("08:00", "18:00"));
    night.until(60);
    assert_eq!(texted(&night), []);
    let raised = raised(&night);
    night.tell(raised);
    assert_eq!(texted(&night), [(60, number(100).as_e164())]);
    let lines = night.lines();
    let line = "ben's mobile is not used before 08:00 UTC: it is used all the same, as the message is urgent now.";
    assert!(lines.iter().any(|l| l == line), "{lines:#?}");
    night.until(1_000);
    assert_eq!(night.s.phase, Phase::ExhaustedUnconfirmed, "the wait for an answer began then");
    assert_eq!(texted(&night).len(), 1);
}

#[test]
fn an_email_that_becomes_urgent_waits_for_the_end_of_the_call_and_no_longer() {
    for (ends, goes) in [(Some(120), 120), (None, 30 * 60)] {
        let steps = vec![(Method::Email, vec![named("ben", "email")], 0)];
        let mut night = Night::of(protocol(steps, false, Until::HandedOver));
        night.s.urgency = Urgency::Routine;
        night.s.on_call = Some(CallId::named("c"));
        hours(&mut night, "ben", "email", daily("08:00", "18:00"));
        night.until(60);
        let raised = raised(&night);
        night.tell(raised);
        assert_eq!(night.times(), [], "its caller is on the line");
        if let Some(secs) = ends {
            night.until(secs);
            night.tell(Event::CallEnded);
        }
        night.until(HOUR);
        assert_eq!(night.times(), [(goes, Channel::Email)]);
    }
}
