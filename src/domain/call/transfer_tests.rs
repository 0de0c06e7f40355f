//! Transfers from desk phones, through the machine.

use super::bridge::Source;
use super::tests::{CALLER, CONTACT, Line, OPERATOR, kim};
use super::transfer::{TransferTo, Wanted};
use super::*;
use crate::base::clock::Clock as _;
use crate::base::phone::PhoneNumber;
use crate::domain::call::transfer::TransferProgress;

const SECOND: LegId = LegId(4);

fn wanted() -> Wanted {
    let number = PhoneNumber::parse("+12025550142").expect("a valid number");
    Wanted { leg: CONTACT, number, ring: Duration::from_secs(30) }
}

/// The desk phone holds the caller and has called a contact, who has answered.
fn consulting() -> Line {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Hold(true));
    assert_eq!(line.call.consult(line.clock.instant(), &kim(), SECOND, wanted()), Ok(()));
    line.take_outputs();
    line.leg(CONTACT, LegInput::Ringing);
    let outputs = line.leg(CONTACT, LegInput::Answered);
    assert!(outputs.contains(&Output::PickUp { leg: SECOND }), "{outputs:?}");
    line.leg(SECOND, LegInput::Established);
    line
}

fn transfers(line: &mut Line, asked: LegId, to: TransferTo) -> Vec<Output> {
    assert_eq!(line.call.transfer(line.clock.instant(), asked, to), Ok(()));
    line.take_outputs()
}

fn told(outputs: &[Output]) -> Vec<TransferProgress> {
    let progress = |output: &Output| match output {
        Output::Transfer { progress, .. } => Some(*progress),
        _ => None,
    };
    outputs.iter().filter_map(progress).collect()
}

fn hears(line: &Line, leg: LegId) -> Vec<Source> {
    line.call.matrix().heard_by(leg).to_vec()
}

#[test]
fn a_caller_whom_the_phone_holds_hears_music_until_taken_back() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Hold(true));
    assert_eq!((line.call.stage(), hears(&line, CALLER)), (Stage::Held, vec![Source::Music]));
    // A phone that sends nothing meanwhile is not lost.
    assert_eq!(line.leg(OPERATOR, LegInput::Silent), []);
    line.leg(OPERATOR, LegInput::Hold(false));
    assert_eq!((line.call.stage(), hears(&line, CALLER)), (Stage::Talking, vec![Source::Leg(OPERATOR)]));
}

#[test]
fn a_caller_held_by_a_phone_that_dies_does_not_stay_on_music_for_ever() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Hold(true));
    assert_eq!(line.leg(OPERATOR, LegInput::Silent), []);
    let outputs = line.leg(OPERATOR, LegInput::Ended(Cause::Lost));
    assert!(
        outputs.contains(&Output::OperatorLost { user: kim() }) && outputs.contains(&Output::Requeue),
        "{outputs:?}"
    );
    assert_eq!(line.call.stage(), Stage::Queued);
    // The same after a consultation that failed.
    let mut line = consulting();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.call.stage(), Stage::Held);
    line.leg(OPERATOR, LegInput::Ended(Cause::Lost));
    assert_eq!(line.call.stage(), Stage::Queued);
}

#[test]
fn a_caller_whom_the_phone_holds_is_not_left_in_silence_by_taking_them_back_at_the_console() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Hold(true));
    // From the console, the caller would hear a phone that has them on hold.
    assert_eq!(line.refuses(OperatorCommand::Retrieve), CommandError::NotNow);
    assert_eq!((line.call.stage(), hears(&line, CALLER)), (Stage::Held, vec![Source::Music]));
}

#[test]
fn an_attended_transfer_joins_caller_and_contact_and_frees_the_operator() {
    for asked in [OPERATOR, SECOND] {
        let mut line = consulting();
        assert_eq!(hears(&line, CALLER), [Source::Music]);
        assert_eq!(hears(&line, SECOND), [Source::Leg(CONTACT)]);
        assert_eq!(hears(&line, CONTACT), [Source::Leg(SECOND)]);
        assert_eq!(hears(&line, OPERATOR), []);
        let other = if asked == OPERATOR { SECOND } else { OPERATOR };
        let outputs = transfers(&mut line, asked, TransferTo::Consulted(other));
        assert_eq!(told(&outputs), [TransferProgress::Begun, TransferProgress::Done]);
        assert!(!line.recorded(&RecordEvent::PatchUnannounced), "she has spoken with them");
        for leg in [OPERATOR, SECOND] {
            assert!(outputs.contains(&Output::HangUp { leg }), "{outputs:?}");
        }
        assert_eq!(
            (hears(&line, CALLER), hears(&line, CONTACT)),
            (vec![Source::Leg(CONTACT)], vec![Source::Leg(CALLER)])
        );
        assert_eq!(line.call.stage(), Stage::Patched);
        assert!(outputs.contains(&Output::SeatFreed { user: kim() }));
        // The phone says goodbye as well: too late to matter.
        assert_eq!(line.leg(OPERATOR, LegInput::Ended(Cause::HungUp)), []);
        let ended = line.leg(CALLER, LegInput::Ended(Cause::HungUp));
        assert!(ended.iter().any(|o| matches!(o, Output::Ended { outcome: CallOutcome::Patched, .. })), "{ended:?}");
    }
}

#[test]
fn a_blind_transfer_joins_whoever_answers_and_the_operator_hears_of_each_step() {
    let mut line = Line::talking();
    let outputs = transfers(&mut line, OPERATOR, TransferTo::Number(wanted()));
    assert_eq!(told(&outputs), [TransferProgress::Begun]);
    assert_eq!((hears(&line, CALLER), hears(&line, OPERATOR)), (vec![Source::Music], vec![]));
    assert_eq!(told(&line.leg(CONTACT, LegInput::Ringing)), [TransferProgress::Ringing]);
    let outputs = line.leg(CONTACT, LegInput::Answered);
    assert_eq!(told(&outputs), [TransferProgress::Done]);
    assert!(outputs.contains(&Output::HangUp { leg: OPERATOR }));
    assert_eq!(hears(&line, CALLER), [Source::Leg(CONTACT)]);
    assert!(line.recorded(&RecordEvent::PatchUnannounced));
}

#[test]
fn after_a_transfer_an_operator_brought_by_star_hears_and_is_heard_by_both() {
    let mut line = Line::talking();
    transfers(&mut line, OPERATOR, TransferTo::Number(wanted()));
    line.leg(CONTACT, LegInput::Answered);
    assert!(line.leg(CALLER, LegInput::Digit('*')).contains(&Output::Requeue));
    line.tell(Input::Offer { user: kim(), leg: SECOND, ring: false });
    line.does(OperatorCommand::Take);
    line.leg(SECOND, LegInput::Answered);
    line.leg(SECOND, LegInput::MediaUp);
    let sources = |legs: [LegId; 2]| legs.map(Source::Leg).to_vec();
    assert_eq!(line.hears(CALLER), sources([CONTACT, SECOND]));
    assert_eq!(line.hears(CONTACT), sources([CALLER, SECOND]));
    assert_eq!(line.hears(SECOND), sources([CALLER, CONTACT]));
    // She leaves them to it as she would any patch, and nobody is told of the transfer again.
    let outputs = line.leg(SECOND, LegInput::Ended(Cause::HungUp));
    assert_eq!((told(&outputs), line.call.stage()), (vec![], Stage::Patched));
    assert!(line.leg(CALLER, LegInput::Digit('*')).contains(&Output::Requeue), "once more");
}

#[test]
fn a_blind_transfer_that_fails_gives_the_caller_back() {
    for (held, stage) in [(false, Stage::Talking), (true, Stage::Held)] {
        let mut line = Line::talking();
        line.leg(OPERATOR, LegInput::Hold(held));
        transfers(&mut line, OPERATOR, TransferTo::Number(wanted()));
        let outputs = line.leg(CONTACT, LegInput::Ended(Cause::Busy));
        assert_eq!(told(&outputs), [TransferProgress::Failed(Cause::Busy)]);
        assert_eq!(line.call.stage(), stage, "as the phone has it");
    }
}

#[test]
fn a_phone_that_hangs_up_after_a_blind_transfer_leaves_the_caller_to_it_and_then_to_the_queue() {
    let mut line = Line::talking();
    transfers(&mut line, OPERATOR, TransferTo::Number(wanted()));
    let outputs = line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    assert!(outputs.contains(&Output::SeatFreed { user: kim() }), "{outputs:?}");
    let outputs = line.leg(CONTACT, LegInput::Ended(Cause::NoAnswer));
    assert!(outputs.contains(&Output::Requeue) && outputs.contains(&Output::WrappedUp { user: kim() }), "{outputs:?}");
    assert_eq!(line.call.stage(), Stage::Queued);

    let mut line = Line::talking();
    transfers(&mut line, OPERATOR, TransferTo::Number(wanted()));
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    line.leg(CONTACT, LegInput::Answered);
    assert_eq!((line.call.stage(), hears(&line, CALLER)), (Stage::Patched, vec![Source::Leg(CONTACT)]));
}

#[test]
fn a_transfer_to_somebody_who_still_rings_waits_for_them() {
    let mut line = Line::talking();
    assert_eq!(line.call.consult(line.clock.instant(), &kim(), SECOND, wanted()), Ok(()));
    line.take_outputs();
    let outputs = transfers(&mut line, OPERATOR, TransferTo::Consulted(SECOND));
    assert_eq!(told(&outputs), [TransferProgress::Begun]);
    // The phone gives its own call up.
    line.leg(SECOND, LegInput::Ended(Cause::HungUp));
    assert_eq!(told(&line.leg(CONTACT, LegInput::Answered)), [TransferProgress::Done]);
    assert_eq!(hears(&line, CALLER), [Source::Leg(CONTACT)]);
}

#[test]
fn a_consultation_that_comes_to_nothing_leaves_the_caller_on_hold() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Hold(true));
    assert_eq!(line.call.consult(line.clock.instant(), &kim(), SECOND, wanted()), Ok(()));
    line.take_outputs();
    let outputs = line.leg(CONTACT, LegInput::Ended(Cause::Busy));
    assert!(outputs.contains(&Output::Refuse { leg: SECOND, why: Cause::Busy }), "{outputs:?}");
    assert_eq!(line.call.stage(), Stage::Held);

    let mut line = consulting();
    line.leg(SECOND, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.call.stage(), hears(&line, CALLER)), (Stage::Held, vec![Source::Music]));
    assert!(line.all.contains(&Output::HangUp { leg: CONTACT }));
}

#[test]
fn nobody_transfers_a_call_that_is_not_theirs_or_over() {
    let mut line = Line::talking();
    let now = line.clock.instant();
    let lee = UserId::named("lee");
    assert_eq!(line.call.consult(now, &lee, SECOND, wanted()), Err(CommandError::NotYours));
    for asked in [CALLER, CONTACT, SECOND] {
        let to = TransferTo::Number(wanted());
        assert_eq!(line.call.transfer(now, asked, to), Err(CommandError::NotYours));
    }
    assert_eq!(line.call.transfer(now, OPERATOR, TransferTo::Consulted(SECOND)), Err(CommandError::NotNow));
    let mut line = consulting();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    let to = TransferTo::Consulted(SECOND);
    assert_eq!(line.call.transfer(now, OPERATOR, to), Err(CommandError::CallerGone));
    assert_eq!(line.take_outputs(), []);
}
