//! Callers who are called back: the promise, and the call that keeps it.

use super::*;
use crate::base::phone::PhoneNumber;
use crate::domain::call::callback::{CallbackTerms, NextTry};
use crate::domain::call::errand::Errand;
use crate::domain::call::ring_back::RingBack;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a valid number")
}

fn own() -> PhoneNumber {
    number("+12025550150")
}

/// In the queue of an account that offers it after a minute.
fn waiting(terms: CallbackTerms) -> Line {
    let clock = TestClock::at(UtcMs(0));
    let call = Call::new(clock.instant(), Setup { callback: terms, ..setup() });
    let mut line = Line { clock, call, all: vec![], last_play: None };
    line.tell(Input::Arrived);
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line
}

fn terms() -> CallbackTerms {
    CallbackTerms { after: Some(Duration::from_secs(60)), number: Some(own()), ..CallbackTerms::default() }
}

fn offered() -> Line {
    let mut line = waiting(terms());
    line.after(60);
    assert!(line.says("press 1. You keep your place"));
    line
}

impl Line {
    fn says(&self, words: &str) -> bool {
        matches!(&self.last_play, Some((_, _, Speech::Spoken { text })) if text.contains(words))
    }

    fn keys(&mut self, keys: &str) -> Vec<Output> {
        keys.chars().flat_map(|key| self.leg(CALLER, LegInput::Digit(key))).collect()
    }
}

fn stores(outputs: &[Output]) -> Option<PhoneNumber> {
    outputs.iter().find_map(|output| match output {
        Output::StoreCallback { number } => Some(number.clone()),
        _ => None,
    })
}

#[test]
fn a_caller_who_wants_it_is_promised_a_callback_once_it_is_stored() {
    let mut line = offered();
    assert!(line.keys("1").contains(&Output::Pause), "the place is kept and not used up");
    assert!(line.says("call you back at 2, 0, 2. 5, 5, 5. 0, 1, 5, 0."));
    let told = line.keys("1");
    assert_eq!(stores(&told), Some(own()));
    assert!(!told.contains(&Output::Dequeue) && !line.says("Thank you"), "nothing is promised yet");
    assert!(line.tell(Input::CallbackStored(true)).contains(&Output::Dequeue));
    assert!(line.says("We will call you back. Goodbye."));
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Callback)]);
    assert_eq!(line.all.iter().filter(|o| **o == Output::Dequeue).count(), 1);
}

#[test]
fn keys_count_only_once_it_was_offered() {
    let mut line = waiting(terms());
    assert_eq!(line.keys("1"), []);
    let mut line = waiting(CallbackTerms { after: None, ..terms() });
    line.after(3_600);
    assert_eq!(line.keys("1"), []);
}

#[test]
fn another_number_is_entered_confirmed_and_stored() {
    let mut line = offered();
    line.keys("12");
    assert!(line.says("Please enter the number"));
    line.keys("20255*2025550188#");
    assert!(line.says("2, 0, 2. 5, 5, 5. 0, 1, 8, 8."), "the star begins anew: {:?}", line.last_play);
    assert_eq!(stores(&line.keys("1")), Some(number("+12025550188")));
}

#[test]
fn a_withheld_number_must_be_entered_and_what_is_no_number_is_refused() {
    let mut line = waiting(CallbackTerms { number: None, ..terms() });
    line.after(60);
    line.keys("1");
    assert!(line.says("Please enter the number"));
    for wrong in ["12#", "911#"] {
        line.keys(wrong);
        assert!(line.says("We cannot call that number."), "{wrong}");
    }
    assert!(line.keys("#").contains(&Output::Resume), "asked often enough");
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Queued, vec![Source::Music]));
}

#[test]
fn who_does_not_answer_is_asked_again_and_then_waits_on() {
    let mut line = offered();
    line.keys("1");
    for _ in 0..2 {
        line.hears_to_end();
        assert!(!line.after(10).contains(&Output::Resume));
    }
    line.hears_to_end();
    assert!(line.after(10).contains(&Output::Resume));
    let told = line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert!(told.contains(&Output::Dial { leg: OPERATOR, to: Party::Operator(kim()) }));
}

#[test]
fn an_operator_who_was_on_the_way_is_let_go_while_the_caller_gives_a_number() {
    let mut line = offered();
    line.keys("1");
    let told = line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert_eq!(told, [Output::OfferFailed { user: kim(), why: OfferEnd::Withdrawn }]);
}

#[test]
fn what_cannot_be_stored_is_not_promised() {
    let mut line = offered();
    line.keys("11");
    assert!(line.tell(Input::CallbackStored(false)).contains(&Output::Resume));
    assert!(line.says("that did not work"));
    assert_eq!(line.call.stage(), Stage::Queued);
    assert_eq!(line.tell(Input::CallbackStored(true)), [], "too late to count");
}

#[test]
fn a_caller_who_hangs_up_while_it_is_stored_has_asked_for_it() {
    let mut line = offered();
    line.keys("11");
    let told = line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(told.contains(&Output::Dequeue));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Callback)]);
    assert!(!line.all.iter().any(|o| matches!(o, Output::Record { event: RecordEvent::Abandoned { .. }, .. })));
    let mut line = offered();
    line.keys("1");
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Abandoned(Stage::Queued))]);
}

#[test]
fn the_maximum_wait_ends_with_the_question_and_only_without_an_answer_with_the_apology() {
    let overdue = || CallbackTerms { when_overdue: true, after: None, ..terms() };
    let mut line = waiting(overdue());
    line.tell(Input::Overdue);
    assert!(line.says("All our operators are busy."));
    line.keys("11");
    line.tell(Input::CallbackStored(true));
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Callback)]);

    let mut line = waiting(overdue());
    line.tell(Input::Overdue);
    line.hears_to_end();
    assert!(line.after(10).contains(&Output::Alarm(CallAlarm::NoOperator)));
    assert!(line.says("apology"));
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::NoAnswer, CallOutcome::NoOperator)]);
}

/// The call that keeps the promise, waiting.
fn to_ring_back() -> Line {
    let clock = TestClock::at(UtcMs(0));
    let ring_back =
        Some(RingBack { number: own(), ring: Duration::from_secs(45), errand: Errand::Promise, to_contact: false });
    let call = Call::new(clock.instant(), Setup { ring_back, ..setup() });
    let mut line = Line { clock, call, all: vec![], last_play: None };
    assert!(line.tell(Input::Arrived).contains(&Output::Enqueue { priority: 0, call_type: None }));
    line
}

fn ringing_back() -> Line {
    let mut line = to_ring_back();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    line.does(OperatorCommand::Take);
    line.leg(OPERATOR, LegInput::Answered);
    let told = line.leg(OPERATOR, LegInput::MediaUp);
    assert!(told.contains(&Output::Dial { leg: CALLER, to: Party::Number(own()) }));
    line
}

#[test]
fn nobody_is_dialled_before_an_operator_is_there_and_then_the_two_talk() {
    let mut line = to_ring_back();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    assert!(line.all.iter().all(|o| !matches!(o, Output::Dial { .. })));
    let mut line = ringing_back();
    assert_eq!((line.call.stage(), line.hears(OPERATOR)), (Stage::RingingBack, vec![Source::Ringback]));
    line.leg(CALLER, LegInput::Ringing);
    line.leg(CALLER, LegInput::Answered);
    assert_eq!(line.table(), [vec![Source::Leg(OPERATOR)], vec![Source::Leg(CALLER)], vec![]]);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    line.does(OperatorCommand::WrapUpDone { disposition: None });
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Handled)]);
}

#[test]
fn a_caller_who_is_not_reached_is_told_with_the_end_and_the_operator_wraps_up() {
    let mut line = ringing_back();
    line.leg(CALLER, LegInput::Ended(Cause::Busy));
    assert_eq!(line.ended(), [(Cause::Busy, CallOutcome::NotReached)]);
    assert_eq!(line.call.stage(), Stage::WrapUp);

    let mut line = ringing_back();
    line.after(45);
    assert_eq!((line.ended(), line.hung_up(CALLER)), (vec![(Cause::NoAnswer, CallOutcome::NotReached)], 1));

    let mut line = ringing_back();
    line.does(OperatorCommand::HangUp);
    assert_eq!((line.ended(), line.hung_up(CALLER)), (vec![(Cause::Released, CallOutcome::NotReached)], 1));

    let mut line = ringing_back();
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!((line.ended(), line.hung_up(CALLER)), (vec![(Cause::Lost, CallOutcome::NotReached)], 1));
    assert!(line.call.is_done());
}

#[test]
fn it_makes_way_for_somebody_on_the_line_until_its_operator_has_pressed_the_key() {
    let make_way = || Input::MakeWay { user: kim() };
    let mut line = to_ring_back();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    let withdrawn = Output::OfferFailed { user: kim(), why: OfferEnd::Withdrawn };
    assert_eq!(line.tell(Input::MakeWay { user: UserId::named("lee") }), []);
    assert!(line.tell(make_way()).contains(&withdrawn));
    assert_eq!((line.call.stage(), line.call.seat()), (Stage::Queued, None));
    assert_eq!(line.tell(make_way()), []);
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    line.does(OperatorCommand::Take);
    assert_eq!(line.tell(make_way()), [], "her phone rings already");
}

#[test]
fn an_offer_of_it_that_is_missed_goes_back_to_the_queue() {
    let mut line = to_ring_back();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    assert!(line.after(20).contains(&Output::OfferFailed { user: kim(), why: OfferEnd::Missed }));
    assert!(line.call.waits_to_ring_back());
    line.tell(Input::Stop);
    assert_eq!((line.ended(), line.hung_up(CALLER)), (vec![(Cause::Released, CallOutcome::NotReached)], 0));
}

#[test]
fn when_somebody_is_rung_again_is_one_of_four() {
    let (now, later) = (UtcMs(1_000), UtcMs(2_000));
    let next = |is_over, is_rung, next_at| NextTry::pick(is_over, is_rung, next_at, now);
    assert_eq!(next(false, false, later), NextTry::Later);
    assert_eq!(next(false, false, now), NextTry::WhenFree, "its time has come");
    assert_eq!((next(false, true, now), next(false, true, later)), (NextTry::Now, NextTry::Now));
    assert_eq!((next(true, false, later), next(true, true, now)), (NextTry::Never, NextTry::Never));
}
