//! Patches that nobody makes by hand, and caller and contact on their own, told as phone conversations.

use std::collections::VecDeque;

use super::bridge::Source;
use super::patch::PatchState;
use super::reach::{Number, Person};
use super::tests::{CALLER, Line, OPERATOR, kim, setup};
use super::*;
use crate::base::phone::PhoneNumber;
use crate::domain::account::flow::Flow;
use crate::domain::account::patching::{AutoPatch, Unreached, Whom};

const MOBILE: LegId = LegId(11);
const HOME: LegId = LegId(12);
const OTHER: LegId = LegId(13);
const HUNG_UP: LegInput = LegInput::Ended(Cause::HungUp);

fn number() -> PhoneNumber {
    PhoneNumber::parse("+12025550190").expect("a valid number")
}

fn person(name: &str, legs: &[LegId]) -> Person {
    let rings = |leg: &LegId| Number { leg: *leg, number: number(), ring: Duration::from_secs(20) };
    let numbers: VecDeque<_> = legs.iter().map(rings).collect();
    Person { contact: ContactId::named(name), why: "on call".into(), numbers }
}

/// A caller who has heard the greeting, and for whom Ann's mobile rings; then her home, then Bob.
fn sought_with(failed: Unreached, patch_limit: Option<Duration>) -> Line {
    let whom = vec![Whom::Role { role: "technician".into() }];
    let flow = Flow::Patch(AutoPatch { whom: whom.clone(), speech: None, failed });
    let mut line = Line::arrives_with(Setup { flow, patch_limit, ..setup() });
    line.leg(CALLER, LegInput::Established);
    let told = line.hears_to_end();
    assert!(told.contains(&Output::FindPeople { whom }));
    line.hears_to_end();
    line.tell(Input::People(vec![person("ann", &[MOBILE, HOME]), person("bob", &[OTHER])]));
    line
}

fn sought() -> Line {
    sought_with(Unreached::default(), None)
}

fn dialled(line: &Line) -> Vec<LegId> {
    let to = |o: &Output| if let Output::Dial { leg, .. } = o { Some(*leg) } else { None };
    line.all.iter().filter_map(to).collect()
}

/// Ann has answered her mobile, and is asked.
fn asked() -> Line {
    let mut line = sought();
    line.leg(MOBILE, LegInput::Ringing);
    line.leg(MOBILE, LegInput::Answered);
    line
}

fn alone_with(limit: Option<Duration>) -> Line {
    let mut line = sought_with(Unreached::default(), limit);
    line.leg(MOBILE, LegInput::Answered);
    line.leg(MOBILE, LegInput::Digit('1'));
    line
}

fn played(outputs: &[Output], to: LegId) -> Vec<String> {
    let said = |o: &Output| match o {
        Output::Play { leg, speech: Speech::Spoken { text } | Speech::Recorded { prompt: text }, .. } if *leg == to => {
            Some(text.clone())
        }
        _ => None,
    };
    outputs.iter().filter_map(said).collect()
}

#[test]
fn whoever_presses_one_is_connected_and_not_before() {
    let mut line = sought();
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Reaching, vec![Source::Music]));
    assert!(line.recorded(&RecordEvent::PersonFound { contact: ContactId::named("ann"), why: "on call".into() }));
    line.leg(MOBILE, LegInput::Early);
    assert_eq!(line.hears(CALLER), [Source::Music], "no ringing that is not theirs");
    let told = line.leg(MOBILE, LegInput::Answered);
    let question = "A call for Imaginary Plumbing. To take it, press 1. To decline, press 2.";
    assert_eq!(played(&told, MOBILE), [question]);
    assert!(told.contains(&Output::BindKeys { leg: MOBILE, bound: KeysBound::All }));
    assert_eq!((line.hears(CALLER), line.hears(MOBILE)), (vec![Source::Music], vec![]));
    line.leg(MOBILE, LegInput::Digit('5'));
    assert_eq!(line.hears(MOBILE), [], "another key is no yes");

    line.leg(MOBILE, LegInput::Digit('1'));
    assert_eq!((line.hears(CALLER), line.hears(MOBILE)), (vec![Source::Leg(MOBILE)], vec![Source::Leg(CALLER)]));
    assert_eq!((line.call.stage(), line.call.patch().map(|p| p.state)), (Stage::Patched, Some(PatchState::Dropped)));
    assert!(line.recorded(&RecordEvent::PatchAccepted) && line.recorded(&RecordEvent::PatchJoined));
    line.after(90);
    line.leg(CALLER, HUNG_UP);
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Patched)]);
    assert!(line.recorded(&RecordEvent::PatchOver { ms: 90_000, alone_ms: 90_000 }));
    assert_eq!((line.hung_up(MOBILE), dialled(&line)), (1, vec![MOBILE]));
}

#[test]
fn no_answer_a_busy_line_and_a_voicemail_lead_to_the_next_number_and_then_to_the_next_person() {
    let mut line = sought();
    line.after(20);
    assert_eq!((dialled(&line), line.hung_up(MOBILE)), (vec![MOBILE, HOME], 1));
    line.leg(HOME, LegInput::Ended(Cause::Busy));
    assert_eq!(dialled(&line), [MOBILE, HOME, OTHER]);
    assert!(line.recorded(&RecordEvent::PatchFailed { why: Cause::NoAnswer }));
    assert!(line.recorded(&RecordEvent::PatchFailed { why: Cause::Busy }));
    // A voicemail hears the question three times, and nothing else.
    let said = line.leg(OTHER, LegInput::Answered);
    assert_eq!(played(&said, OTHER).len(), 1);
    for again in [1, 1, 0] {
        line.hears_to_end();
        assert_eq!(played(&line.after(4), OTHER).len(), again);
    }
    assert!(line.recorded(&RecordEvent::PatchNotAccepted { declined: false }));
    assert_eq!((line.hung_up(OTHER), line.call.stage()), (1, Stage::Queued));
    assert!(line.recorded(&RecordEvent::NobodyReached));
    assert!(line.all.contains(&Output::Enqueue { priority: 0, call_type: None }), "never lost");
    assert_eq!(line.hears(CALLER), [Source::Music]);
}

#[test]
fn whoever_presses_two_is_not_rung_at_another_number_but_who_only_hangs_up_is() {
    let mut line = asked();
    line.leg(MOBILE, LegInput::Digit('2'));
    assert_eq!(dialled(&line), [MOBILE, OTHER], "Bob is next");
    assert!(line.recorded(&RecordEvent::PatchNotAccepted { declined: true }));
    let mut line = asked();
    line.leg(MOBILE, HUNG_UP);
    assert_eq!(dialled(&line), [MOBILE, HOME]);
}

#[test]
fn the_caller_hears_a_word_every_half_minute() {
    let mut line = sought();
    let mut said = 0;
    for _ in 0..4 {
        let told = line.after(15);
        said += played(&told, CALLER).len();
        if line.call.caller_hears_prompt() {
            line.hears_to_end();
        }
    }
    assert_eq!(said, 2, "in a minute");
    assert_eq!(line.hears(CALLER), [Source::Music]);
}

#[test]
fn a_caller_who_hangs_up_stops_the_ringing_and_whoever_is_asked_is_told() {
    let mut line = sought();
    line.leg(MOBILE, LegInput::Ringing);
    line.leg(CALLER, HUNG_UP);
    assert_eq!(
        (line.hung_up(MOBILE), line.ended()),
        (1, vec![(Cause::HungUp, CallOutcome::Abandoned(Stage::Reaching))])
    );
    let gave_up = RecordEvent::Abandoned { on: abandoned::Abandoned::PutThrough };
    assert!(line.recorded(&gave_up), "no operator was looked for");

    let mut line = asked();
    let told = line.leg(CALLER, HUNG_UP);
    assert_eq!(played(&told, MOBILE), ["The caller has hung up."]);
    line.leg(MOBILE, LegInput::Digit('1'));
    assert_eq!((line.hung_up(MOBILE), line.ended()), (0, vec![]), "it is being said");
    line.hears_to_end();
    assert_eq!(
        (line.hung_up(MOBILE), line.ended()),
        (1, vec![(Cause::HungUp, CallOutcome::Abandoned(Stage::Reaching))])
    );
    assert!(line.recorded(&gave_up), "nobody was joined yet");
    assert!(line.call.is_done());
}

#[test]
fn where_nobody_is_on_call_or_can_be_told_the_caller_goes_on_at_once() {
    for failed in [Unreached::default(), Unreached::Apology] {
        let flow = Flow::Patch(AutoPatch { whom: vec![], speech: None, failed: failed.clone() });
        let mut line = Line::arrives_with(Setup { flow, ..setup() });
        line.leg(CALLER, LegInput::Established);
        line.hears_to_end();
        line.tell(Input::People(vec![]));
        let stage = if failed == Unreached::Apology { Stage::Apology } else { Stage::Queued };
        assert_eq!(line.call.stage(), stage);
    }
    // The store never says.
    let flow = Flow::Patch(AutoPatch { whom: vec![], speech: None, failed: Unreached::default() });
    let mut line = Line::arrives_with(Setup { flow, ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line.after(10);
    assert_eq!(line.call.stage(), Stage::Queued);
    line.tell(Input::People(vec![person("ann", &[MOBILE])]));
    assert_eq!(dialled(&line), [], "too late");
}

#[test]
fn a_question_that_cannot_be_said_is_asked_of_nobody_else() {
    let mut line = sought();
    let told = line.leg(MOBILE, LegInput::Answered);
    let play =
        told.iter().find_map(|o| if let Output::Play { leg: MOBILE, play, .. } = o { Some(*play) } else { None });
    line.tell(Input::Unspoken { leg: MOBILE, play: play.expect("the question") });
    assert_eq!((dialled(&line), line.call.stage()), (vec![MOBILE], Stage::Queued));
}

#[test]
fn a_star_of_either_brings_an_operator_and_the_two_talk_on_meanwhile() {
    for who in [CALLER, MOBILE] {
        let mut line = alone_with(None);
        let told = line.leg(who, LegInput::Digit('*'));
        assert!(told.contains(&Output::Requeue), "at the head of the queue");
        assert_eq!(played(&told, who), ["An operator is being called."]);
        assert!(line.recorded(&RecordEvent::PatchRecalled { by_caller: who == CALLER }));
        let together = |line: &Line| (line.hears(CALLER), line.hears(MOBILE));
        let both = (vec![Source::Leg(MOBILE)], vec![Source::Leg(CALLER)]);
        assert_eq!((together(&line), line.call.stage()), (both.clone(), Stage::Patched));
        assert!(!line.leg(who, LegInput::Digit('*')).contains(&Output::Requeue), "once");
        line.hears_to_end();
        assert_eq!(played(&line.tell(Input::Comfort), CALLER), [""; 0], "they are not waiting in silence");

        line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
        line.leg(OPERATOR, LegInput::Answered);
        assert_eq!((together(&line), line.hears(OPERATOR)), (both, vec![]));
        line.leg(OPERATOR, LegInput::MediaUp);
        assert_eq!(line.hears(OPERATOR), [Source::Leg(CALLER), Source::Leg(MOBILE)]);
        assert_eq!(line.hears(CALLER), [Source::Leg(OPERATOR), Source::Leg(MOBILE)]);
        assert_eq!((line.call.stage(), line.call.seat()), (Stage::Conference, Some(&kim())));
        assert!(line.recorded(&RecordEvent::PatchRejoined));
        line.does(OperatorCommand::Drop);
        assert_eq!(together(&line), (vec![Source::Leg(MOBILE)], vec![Source::Leg(CALLER)]));
    }
}

#[test]
fn nobody_is_parted_by_a_star_that_no_operator_answers() {
    let mut line = alone_with(None);
    line.leg(MOBILE, LegInput::Digit('*'));
    let told = line.tell(Input::Overdue);
    assert!(told.contains(&Output::Dequeue) && told.contains(&Output::Alarm(CallAlarm::NobodyCame)));
    assert_eq!(played(&told, MOBILE), ["No operator is free just now."]);
    assert_eq!((line.hears(CALLER), line.call.stage()), (vec![Source::Leg(MOBILE)], Stage::Patched));
    assert!(line.leg(CALLER, LegInput::Digit('*')).contains(&Output::Requeue), "it may be tried again");
    // The contact goes: the caller waits for the operator like anybody.
    line.leg(MOBILE, HUNG_UP);
    assert_eq!((line.hears(CALLER), line.call.stage(), line.ended()), (vec![Source::Music], Stage::Queued, vec![]));
    line.leg(CALLER, HUNG_UP);
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Patched)]);
}

#[test]
fn a_tone_warns_both_a_minute_before_the_accounts_time_is_over() {
    let mut line = alone_with(Some(Duration::from_secs(180)));
    line.take_outputs();
    assert_eq!(line.after(119), []);
    let told = line.after(1);
    assert_eq!((played(&told, CALLER), played(&told, MOBILE)), (vec!["beep".to_owned()], vec!["beep".to_owned()]));
    assert_eq!(line.ended(), []);
    line.after(60);
    assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Patched)]);
    assert!(line.recorded(&RecordEvent::PatchTimeOver));
    assert!(line.recorded(&RecordEvent::PatchOver { ms: 180_000, alone_ms: 180_000 }));
}

#[test]
fn who_calls_an_operator_in_vain_has_no_more_time_than_was_left() {
    let mut line = alone_with(Some(Duration::from_secs(180)));
    line.after(100);
    line.leg(CALLER, LegInput::Digit('*'));
    line.after(45);
    line.tell(Input::Overdue);
    assert!(line.recorded(&RecordEvent::RecallFailed));
    line.after(19);
    assert!(!line.recorded(&RecordEvent::PatchWarned));
    line.after(1);
    assert!(line.recorded(&RecordEvent::PatchWarned));
    line.after(60);
    assert!(line.recorded(&RecordEvent::PatchTimeOver));
    assert!(line.recorded(&RecordEvent::PatchOver { ms: 225_000, alone_ms: 180_000 }));
}

#[test]
fn with_an_operator_the_time_does_not_run() {
    let mut line = alone_with(Some(Duration::from_secs(180)));
    line.after(100);
    line.leg(CALLER, LegInput::Digit('*'));
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp);
    line.after(300);
    line.does(OperatorCommand::Drop);
    line.after(119);
    assert!(!line.recorded(&RecordEvent::PatchWarned), "they have it anew");
    line.leg(MOBILE, HUNG_UP);
    assert!(line.recorded(&RecordEvent::PatchOver { ms: 519_000, alone_ms: 219_000 }));
}
