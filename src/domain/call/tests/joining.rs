//! The caller of another call becomes the contact, and a caller who is given away.

use super::*;
use crate::base::id::{CallId, ContactId};
use crate::domain::call::joining::Joining;

/// The other call's caller.
const DOCTOR: LegId = LegId(31);

fn doctor() -> Joining {
    let number = PhoneNumber::parse("+12025550160").expect("a valid number");
    Joining { leg: DOCTOR, number, contact: Some(ContactId::named("patel")), call: CallId::named("two") }
}

impl Line {
    fn takes_in(&mut self, by: &UserId) -> Result<(), CommandError> {
        let taken = self.call.take_in(self.clock.instant(), by, doctor());
        self.take_outputs();
        taken
    }

    fn gives_away(&mut self, by: &UserId) -> Result<LegId, CommandError> {
        let given = self.call.give_away(self.clock.instant(), by, CallId::named("one"));
        self.take_outputs();
        given
    }

    /// Caller, operator, doctor: what each hears.
    fn with_doctor(&self) -> [Vec<Source>; 3] {
        [self.hears(CALLER), self.hears(OPERATOR), self.hears(DOCTOR)]
    }
}

fn sources(legs: &[LegId]) -> Vec<Source> {
    legs.iter().map(|leg| Source::Leg(*leg)).collect()
}

#[test]
fn who_rings_back_is_announced_joined_and_left_to_the_caller_as_if_they_had_been_dialled() {
    for held in [false, true] {
        let mut line = Line::talking();
        if held {
            line.does(OperatorCommand::Hold);
        }
        assert_eq!(line.takes_in(&kim()), Ok(()));
        assert_eq!(line.with_doctor(), [vec![Source::Music], sources(&[DOCTOR]), sources(&[OPERATOR])]);
        assert_eq!(line.call.stage(), Stage::Patching);
        assert!(!line.all.iter().any(|o| matches!(o, Output::Dial { leg: DOCTOR, .. })), "nobody is rung");
        line.does(OperatorCommand::Join);
        let all = [sources(&[OPERATOR, DOCTOR]), sources(&[CALLER, DOCTOR]), sources(&[CALLER, OPERATOR])];
        assert_eq!(line.with_doctor(), all);
        line.does(OperatorCommand::Drop);
        assert_eq!(line.with_doctor(), [sources(&[DOCTOR]), vec![], sources(&[CALLER])]);
        line.leg(DOCTOR, LegInput::Ended(Cause::HungUp));
        assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Patched)]);
        let Joining { number, contact, call, .. } = doctor();
        assert!(line.recorded(&RecordEvent::CallTakenIn { call, contact, number }));
        assert_eq!((line.hung_up(DOCTOR), line.hung_up(CALLER)), (1, 1));
    }
}

#[test]
fn who_hangs_up_on_the_way_into_the_call_leaves_the_operator_with_her_caller() {
    let mut line = Line::talking();
    assert_eq!(line.takes_in(&kim()), Ok(()));
    line.leg(DOCTOR, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.with_doctor(), [sources(&[OPERATOR]), sources(&[CALLER]), vec![]]);
    assert_eq!(line.call.stage(), Stage::Talking);
}

#[test]
fn giving_up_hangs_up_on_nobody_who_had_called_and_that_takes_an_act_of_its_own() {
    for joined in [false, true] {
        let mut line = Line::talking();
        assert_eq!(line.takes_in(&kim()), Ok(()));
        if joined {
            line.does(OperatorCommand::Join);
        }
        line.does(OperatorCommand::Cancel);
        let apart = [sources(&[OPERATOR]), sources(&[CALLER]), vec![Source::Music]];
        assert_eq!(
            (line.with_doctor(), line.hung_up(DOCTOR)),
            (apart.clone(), 0),
            "she is with her caller, the other waits"
        );
        assert_eq!(line.refuses(OperatorCommand::Cancel), CommandError::ContactCalled, "the same key again");
        assert_eq!((line.with_doctor(), line.hung_up(DOCTOR)), (apart, 0));
        // And back to whoever waits.
        line.does(OperatorCommand::Private);
        assert_eq!(line.hears(DOCTOR), sources(&[OPERATOR]));
        line.does(OperatorCommand::LetGo);
        assert_eq!(line.hung_up(DOCTOR), 1);
        assert_eq!(line.with_doctor(), [sources(&[OPERATOR]), sources(&[CALLER]), vec![]]);
        assert_eq!((line.call.stage(), line.ended().len()), (Stage::Talking, 0));
    }
}

#[test]
fn a_joined_caller_who_loses_the_operator_is_told_of_on_the_desks_and_whom_we_rang_is_not() {
    let alarms = |told: Vec<Output>| -> Vec<CallAlarm> {
        let alarm = |output: Output| if let Output::Alarm(alarm) = output { Some(alarm) } else { None };
        told.into_iter().filter_map(alarm).collect()
    };
    let mut line = Line::talking();
    assert_eq!(line.takes_in(&kim()), Ok(()));
    let told = line.tell(Input::SeatLost { user: kim() });
    assert_eq!(alarms(told), [CallAlarm::JoinedCutOff { call: doctor().call, number: doctor().number }]);
    // So is one whom a stop of the service cuts off.
    let mut line = Line::talking();
    assert_eq!(line.takes_in(&kim()), Ok(()));
    let told = line.tell(Input::Stop);
    assert_eq!(alarms(told), [CallAlarm::JoinedCutOff { call: doctor().call, number: doctor().number }]);
    // Those who have each other talk on.
    let mut line = Line::talking();
    assert_eq!(line.takes_in(&kim()), Ok(()));
    line.does(OperatorCommand::Join);
    let told = line.tell(Input::SeatLost { user: kim() });
    assert_eq!((alarms(told), line.hung_up(DOCTOR)), (vec![], 0));
    let mut line = Line::private();
    let told = line.tell(Input::SeatLost { user: kim() });
    assert_eq!(alarms(told), []);
}

#[test]
fn whom_we_rang_is_given_up_as_ever_and_is_no_caller_to_be_let_go() {
    let mut line = Line::private();
    assert_eq!(line.refuses(OperatorCommand::LetGo), CommandError::NotNow);
    line.does(OperatorCommand::Cancel);
    assert_eq!((line.hung_up(CONTACT), line.call.stage()), (1, Stage::Talking));
}

#[test]
fn a_caller_who_is_given_away_is_not_hung_up_and_their_call_is_over() {
    for held in [false, true] {
        let mut line = Line::talking();
        if held {
            line.does(OperatorCommand::Hold);
        }
        assert_eq!(line.gives_away(&kim()), Ok(CALLER));
        assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Handled)]);
        assert_eq!((line.hung_up(CALLER), line.hung_up(OPERATOR)), (0, 1));
        assert_eq!(line.call.matrix(), &HearMatrix::default(), "nobody hears them here any more");
        assert!(line.recorded(&RecordEvent::GivenTo { user: kim(), call: CallId::named("one") }));
        // What is heard of them from now on is not this call's.
        line.leg(CALLER, LegInput::Ended(Cause::HungUp));
        assert_eq!((line.hung_up(CALLER), line.ended().len()), (0, 1));
        line.does(OperatorCommand::WrapUpDone { disposition: None });
        assert!(line.call.is_done());
    }
}

#[test]
fn calls_are_joined_by_the_operator_of_both_alone_and_not_in_the_middle_of_anything() {
    let mut line = Line::talking();
    assert_eq!(line.takes_in(&UserId::named("lee")), Err(CommandError::NotYours));
    assert_eq!(line.gives_away(&UserId::named("lee")), Err(CommandError::NotYours));
    let mut line = Line::queued();
    assert_eq!(
        (line.takes_in(&kim()), line.gives_away(&kim())),
        (Err(CommandError::NotYours), Err(CommandError::NotYours))
    );
    let mut line = Line::joined();
    assert_eq!(
        (line.takes_in(&kim()), line.gives_away(&kim())),
        (Err(CommandError::NotNow), Err(CommandError::NotNow))
    );
    // A desk phone that holds would leave its operator deaf.
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Hold(true));
    assert_eq!(
        (line.takes_in(&kim()), line.gives_away(&kim())),
        (Err(CommandError::NotNow), Err(CommandError::NotNow))
    );
    assert_eq!(line.hears(CALLER), [Source::Music], "nothing has changed");
}
