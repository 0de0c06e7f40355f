//! Messages held for check-in, on simulated time.

use super::super::hold::TimeOfDay;
use super::*;
use crate::base::id::StepRunId;

const HOLD: Method = Method::HoldForCheckIn { until: None };

fn until_six() -> Method {
    Method::HoldForCheckIn { until: TimeOfDay::parse("18:00") }
}

fn read(by: Option<&str>) -> Event {
    Event::ReadAtCheckIn { who: "Ada".into(), by: by.map(str::to_owned), edition: Some(1) }
}

fn held_for_good() -> Protocol {
    protocol(vec![(HOLD, vec![], 0)], false, Until::HandedOver)
}

/// Held until six; then the technician is texted, and reminded for as long as it takes.
fn held_for_today() -> Protocol {
    let steps = vec![(until_six(), vec![], 0), (Method::TextConfirm, on_call("mobile"), 900)];
    Protocol { repeat: Some(Repeat { from_step: 2 }), ..protocol(steps, false, Until::Confirmed) }
}

#[test]
fn what_is_held_reaches_nobody_until_it_is_read() {
    let mut night = Night::of(held_for_good());
    night.until(3 * 86_400);
    assert_eq!((night.s.phase, night.s.wake()), (Phase::HeldForCheckIn, None));
    assert_eq!(night.s.held_since(), Some(UtcMs(5_000)));
    assert!(night.sent.is_empty() && !night.s.needs_operator());
    let (at, text) = timeline::next(&night.s, "UTC").expect("something to say");
    assert_eq!((at, text.as_str()), (UtcMs(5_000), "Held for check-in since 00:00:05 UTC."));
    night.tell(read(None));
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::ReadAtCheckIn, Some("Ada")));
    assert_eq!(night.lines().last().map(String::as_str), Some("Ada heard it at check-in, by telephone."));
    assert_eq!(night.s.runs[0].state, RunState::Told);
}

#[test]
fn it_is_read_once() {
    let mut night = Night::of(held_for_good());
    night.until(10);
    night.tell(read(Some("Kim")));
    let (lines, before) = (night.lines(), night.s.clone());
    assert_eq!(lines.last().map(String::as_str), Some("Kim read it out to Ada at check-in."));
    night.tell(read(None));
    assert_eq!((night.lines(), &night.s), (lines, &before));
}

#[test]
fn words_of_before_a_change_are_not_what_is_held() {
    let mut night = Night::of(held_for_good());
    night.until(10);
    night.town.changes = 1;
    let lines = night.lines().len();
    night.tell(read(Some("Kim")));
    assert_eq!((night.s.phase, night.lines().len()), (Phase::HeldForCheckIn, lines), "she sees that nothing changed");
    night.tell(read(None));
    assert_eq!(night.s.phase, Phase::HeldForCheckIn);
    let line = night.lines().pop().expect("a line");
    assert_eq!(line, "Ada heard it by telephone as it was before the change: it stays held.");
    let yes = |edition| {
        let act = OperatorAct::Confirm { who: "Ada".into(), note: None, edition };
        Event::Operator { by: "Kim".into(), act }
    };
    night.tell(yes(Some(1)));
    assert_eq!(night.s.phase, Phase::HeldForCheckIn, "nor is a yes to them one to it");
    night.tell(Event::ReadAtCheckIn { who: "Ada".into(), by: None, edition: Some(2) });
    assert_eq!(night.s.phase, Phase::ReadAtCheckIn);
    let mut other = Night::of(held_for_good());
    other.until(10);
    other.town.changes = 1;
    other.tell(yes(None));
    assert_eq!(other.s.phase, Phase::Confirmed, "of a yes to no words in particular nobody asks which");
}

#[test]
fn nothing_is_read_that_was_never_held_or_is_not_open_yet() {
    let mut night = Night::of(plumbing());
    night.until(10);
    night.tell(read(None));
    assert_eq!(night.s.phase, Phase::Running);
    let mut early = Night::of(held_for_good());
    early.tell(read(None));
    assert_eq!(early.s.phase, Phase::Open, "it may still be taken back");
}

#[test]
fn when_nobody_checks_in_by_six_the_next_step_goes_on() {
    const SIX: i64 = 18 * 3_600 - 5;
    let mut night = Night::of(held_for_today());
    night.until(SIX - 1);
    assert!(night.sent.is_empty());
    assert_eq!(night.s.wake(), Some((UtcMs(18 * 3_600_000), Reason::HoldOver)));
    let next = timeline::next(&night.s, "UTC").map(|(_, text)| text);
    assert_eq!(
        next.as_deref(),
        Some("Held for check-in since 00:00:05 UTC. If nobody has checked in by 18:00 UTC: step 2.")
    );
    assert_eq!(
        night.lines().last().map(String::as_str),
        Some("If nobody has checked in by 18:00 UTC: text the technician on call (mobile) and ask for a confirmation.")
    );
    night.until(SIX + 1);
    assert_eq!((night.s.phase, night.times()), (Phase::Running, vec![(SIX, Channel::Text)]));
    assert_eq!(night.s.runs[0].state, RunState::TimedOut);
}

#[test]
fn a_late_check_in_stands_the_others_down() {
    let mut night = Night::of(held_for_today());
    night.until(18 * 3_600);
    assert!(night.s.waits_for_check_in(), "who checks in after six hears it all the same");
    night.tell(read(None));
    assert_eq!(night.s.phase, Phase::ReadAtCheckIn);
    assert!(night.s.attempts.iter().any(|a| a.purpose == state::Purpose::StandDown && a.name == "ben"));
    night.until(20 * 3_600);
    assert_eq!(night.times().len(), 2, "the text, and word that it is handled");
}

#[test]
fn an_operator_goes_on_before_its_time() {
    let mut night = Night::of(held_for_today());
    night.until(60);
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Skip { moves: None } });
    assert_eq!((night.s.phase, night.times()), (Phase::Running, vec![(60, Channel::Text)]));
}

#[test]
fn a_hold_is_as_long_as_the_protocol_says() {
    let steps = vec![(HOLD, vec![], 3_600), (Method::Text, on_call("mobile"), 0)];
    let mut night = Night::of(protocol(steps, false, Until::HandedOver));
    night.until(3_601);
    assert_eq!((night.s.phase, night.times()), (Phase::Delivered, vec![(3_600, Channel::Text)]));
}

#[test]
fn a_patch_ends_what_is_held_too() {
    let mut night = Night::of(held_for_good());
    night.until(60);
    night.tell(Event::Patched { to: vec!["Ada".into()] });
    assert_eq!(night.s.phase, Phase::Patched);
}

#[test]
fn holds_that_could_not_work_are_refused_each_with_its_reason() {
    let town = town();
    let check = |steps, repeat| {
        let faults = validate::validate(&protocol(steps, repeat, Until::Confirmed), &town.contacts, &[]);
        faults.into_iter().map(|fault| (fault.step, fault.code)).collect::<Vec<_>>()
    };
    assert_eq!(check(vec![(HOLD, vec![], 0)], false), []);
    assert_eq!(check(vec![(until_six(), vec![], 0)], true), []);
    assert_eq!(check(vec![(HOLD, vec![], 0)], true), [(Some(1), "hold_without_end")]);
    let text = (Method::TextConfirm, vec![named("ben", "mobile")], 0);
    assert_eq!(check(vec![(HOLD, vec![], 0), text], false), [(Some(1), "hold_without_end")]);
    assert_eq!(check(vec![(HOLD, vec![named("ben", "mobile")], 0)], false), [(Some(1), "hold_reaches_nobody")]);
    assert_eq!(check(vec![(until_six(), vec![], 60)], false), [(Some(1), "hold_ends_twice")]);
}

#[test]
fn holds_read_as_plain_english() {
    let lines = |protocol: &Protocol| describe::describe(protocol, &town().contacts, &[]);
    assert_eq!(
        lines(&held_for_good()),
        ["1. Hold until the client checks in.", "Done when the client has heard it at check-in."]
    );
    let recap = protocol(vec![(Method::HoldForRecap, vec![], 0)], false, Until::HandedOver);
    assert_eq!(lines(&recap), ["1. Hold for the recap.", "Done when a recap with it has been accepted for delivery."]);
    assert_eq!(lines(&held_for_today())[0], "1. Hold until the client checks in, until 18:00 at the latest.");
    let hour = protocol(vec![(HOLD, vec![], 3_600)], true, Until::Told);
    assert_eq!(lines(&hour)[0], "1. Hold until the client checks in, for 1 hour at the most.");
}

#[test]
fn a_protocol_of_before_there_were_times_reads_as_held_for_good() {
    let read: Method = serde_json::from_str(r#"{"kind":"hold_for_check_in"}"#).expect("a method");
    assert_eq!(read, HOLD);
    let six: Method = serde_json::from_str(r#"{"kind":"hold_for_check_in","until":"18:00"}"#).expect("a method");
    assert_eq!(six, until_six());
    assert!(serde_json::from_str::<Method>(r#"{"kind":"hold_for_check_in","until":"6 pm"}"#).is_err());
}

#[test]
fn what_is_held_for_the_recap_is_done_by_the_recap_that_has_its_words_as_they_are() {
    let mut night = Night::of(protocol(vec![(Method::HoldForRecap, vec![], 0)], false, Until::HandedOver));
    night.until(3 * 86_400);
    assert_eq!((night.s.phase, night.s.wake()), (Phase::HeldForRecap, None));
    let run = night.s.held_for_recap().expect("it is held").id.clone();
    night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Skip { moves: None } });
    assert_eq!(night.s.phase, Phase::HeldForRecap, "nothing follows it, so there is nothing to go on to");
    let recapped = |run: &StepRunId, edition| Event::Recapped {
        run: run.clone(),
        to: vec!["Ada".into(), "Ben".into()],
        edition: Some(edition),
    };
    night.tell(recapped(&StepRunId::named("another"), 1));
    assert_eq!(night.s.phase, Phase::HeldForRecap, "a recap of before it was begun again");
    night.town.changes = 1;
    night.tell(recapped(&run, 1));
    assert_eq!(night.s.phase, Phase::HeldForRecap, "words of before a change");
    night.tell(recapped(&run, 2));
    assert_eq!((night.s.phase, night.s.closed_by.as_deref()), (Phase::Recapped, Some("Ada, Ben")));
    assert_eq!(night.lines().last().map(String::as_str), Some("In the recap to Ada, Ben, accepted."));
}
