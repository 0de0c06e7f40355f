//! Jobs of dispatches, and operators who dial out.

use super::*;
use crate::domain::call::errand::Errand;
use crate::domain::call::ring_back::RingBack;

fn doctor() -> PhoneNumber {
    PhoneNumber::parse("+12025550160").expect("a valid number")
}

/// A call on this errand, as it begins.
fn begun(errand: Errand) -> Line {
    let clock = TestClock::at(UtcMs(0));
    let ring_back = Some(RingBack { number: doctor(), ring: Duration::from_secs(30), errand, to_contact: true });
    let call = Call::new(clock.instant(), Setup { ring_back, wrap_up: None, ..setup() });
    let mut line = Line { clock, call, all: vec![], last_play: None };
    line.tell(Input::Arrived);
    line
}

/// An operator has taken the job, and the number is dialled.
fn dialled() -> Line {
    let mut line = begun(Errand::Job);
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    line.does(OperatorCommand::Take);
    line.leg(OPERATOR, LegInput::Answered);
    let told = line.leg(OPERATOR, LegInput::MediaUp);
    assert!(told.contains(&Output::Dial { leg: CALLER, to: Party::Number(doctor()) }));
    line
}

fn wrap_up_done(line: &mut Line) -> Result<(), CommandError> {
    let now = line.clock.instant();
    line.call.command(now, &kim(), OperatorCommand::WrapUpDone { disposition: None })
}

#[test]
fn nobody_is_done_with_a_job_before_it_is_known_what_came_of_it() {
    let mut line = dialled();
    line.leg(CALLER, LegInput::Ended(Cause::Busy));
    assert_eq!(line.call.stage(), Stage::WrapUp);
    assert_eq!(wrap_up_done(&mut line), Err(CommandError::OutcomeMissing));
    assert!(line.tell(Input::Settled).contains(&Output::WrappedUp { user: kim() }));
    assert!(line.call.is_done());
}

#[test]
fn an_operator_who_has_said_it_while_talking_is_ready_when_they_hang_up() {
    let mut line = dialled();
    line.leg(CALLER, LegInput::Answered);
    line.tell(Input::Settled);
    assert_eq!(line.call.stage(), Stage::Talking, "the talk goes on");
    let told = line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(told.contains(&Output::WrappedUp { user: kim() }), "{told:?}");
    assert!(line.call.is_done());
}

#[test]
fn a_job_that_is_stood_down_while_it_rings_frees_the_operator_at_once() {
    let mut line = dialled();
    line.leg(CALLER, LegInput::Ringing);
    let told = line.tell(Input::StoodDown);
    assert!(told.contains(&Output::WrappedUp { user: kim() }), "{told:?}");
    assert_eq!((line.hung_up(CALLER), line.hung_up(OPERATOR), line.call.is_done()), (1, 1, true));
}

#[test]
fn a_job_that_is_stood_down_unasked_is_off_the_desks_and_dials_nobody() {
    let mut line = begun(Errand::Job);
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: false });
    let told = line.tell(Input::StoodDown);
    assert!(told.contains(&Output::OfferFailed { user: kim(), why: OfferEnd::Withdrawn }));
    assert!(line.call.is_done());
    assert!(line.all.iter().all(|o| !matches!(o, Output::Dial { .. })));
}

#[test]
fn a_talk_is_not_cut_off_by_a_confirmation_elsewhere() {
    let mut line = dialled();
    line.leg(CALLER, LegInput::Answered);
    line.tell(Input::StoodDown);
    assert_eq!((line.call.stage(), line.ended()), (Stage::Talking, vec![]));
}

#[test]
fn who_has_talked_says_what_came_of_it_though_a_colleague_went_on_meanwhile() {
    let mut line = dialled();
    line.leg(CALLER, LegInput::Answered);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    line.tell(Input::StoodDown);
    assert_eq!((line.call.stage(), line.call.is_done()), (Stage::WrapUp, false));
    assert!(line.tell(Input::Settled).contains(&Output::WrappedUp { user: kim() }));
    let mut line = dialled();
    line.leg(CALLER, LegInput::Ended(Cause::Busy));
    let told = line.tell(Input::StoodDown);
    assert!(told.contains(&Output::WrappedUp { user: kim() }), "of nobody she has reached there is nothing to say");
    assert!(line.call.is_done());
}

#[test]
fn a_job_that_is_given_back_ends_and_its_operator_is_free() {
    let mut line = dialled();
    let told = line.tell(Input::GivenBack);
    assert!(told.contains(&Output::WrappedUp { user: kim() }), "{told:?}");
    assert!(line.call.is_done());
}

#[test]
fn a_job_is_not_passed_on() {
    let mut line = dialled();
    line.leg(CALLER, LegInput::Answered);
    let now = line.clock.instant();
    for command in [OperatorCommand::Park { slot: 1 }, OperatorCommand::Pass { to: None, note: None }] {
        assert_eq!(line.call.command(now, &kim(), command), Err(CommandError::IsJob));
    }
    // Nor by a supervisor: whoever got it could not say what came of it.
    line.does(OperatorCommand::Hold);
    assert_eq!(line.call.move_on(now, &UserId::named("sam"), None), Err(CommandError::IsJob));
    assert_eq!(line.call.stage(), Stage::Held);
}

#[test]
fn who_dials_out_is_rung_and_then_the_number_is_dialled() {
    let mut line = begun(Errand::Own(kim()));
    assert!(line.all.contains(&Output::Bring { user: kim() }));
    assert!(line.all.iter().all(|o| !matches!(o, Output::Enqueue { .. })), "it is in no queue");
    line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    let told = line.leg(OPERATOR, LegInput::MediaUp);
    assert!(told.contains(&Output::Dial { leg: CALLER, to: Party::Number(doctor()) }), "{told:?}");
    line.leg(CALLER, LegInput::Answered);
    assert_eq!(line.call.stage(), Stage::Talking);
    assert!(line.call.parked().is_none());
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(wrap_up_done(&mut line), Ok(()), "a form is hers to take or to leave");
}

#[test]
fn a_call_that_its_operator_does_not_get_is_over_and_comes_to_nobody_else() {
    for failure in 0..3 {
        let mut line = begun(Errand::Own(kim()));
        match failure {
            0 => line.tell(Input::PassRefused { user: kim() }),
            1 => {
                line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
                line.leg(OPERATOR, LegInput::Ended(Cause::Busy))
            }
            _ => line.after(60),
        };
        assert!(line.call.is_done(), "{failure}");
        assert!(line.all.iter().all(|o| !matches!(o, Output::Enqueue { .. } | Output::Requeue)), "{failure}");
    }
}

#[test]
fn a_call_by_hand_goes_to_its_operator_alone_and_wants_its_outcome() {
    let mut line = begun(Errand::JobOf(kim()));
    assert!(line.all.contains(&Output::Bring { user: kim() }));
    assert!(line.all.iter().all(|o| !matches!(o, Output::Enqueue { .. })), "it is in no queue");
    line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    let told = line.leg(OPERATOR, LegInput::MediaUp);
    assert!(told.contains(&Output::Dial { leg: CALLER, to: Party::Number(doctor()) }), "{told:?}");
    line.leg(CALLER, LegInput::Ended(Cause::Busy));
    assert_eq!(wrap_up_done(&mut line), Err(CommandError::OutcomeMissing));
    assert!(line.tell(Input::Settled).contains(&Output::WrappedUp { user: kim() }));
    assert!(line.call.is_done());
}

#[test]
fn a_call_by_hand_that_is_stood_down_on_its_way_to_her_dials_nobody() {
    for rings in [false, true] {
        let mut line = begun(Errand::JobOf(kim()));
        if rings {
            line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
        }
        line.tell(Input::StoodDown);
        assert!(line.call.is_done(), "rings: {rings}");
        let goes_on = |o: &Output| match o {
            Output::Dial { leg, .. } => *leg == CALLER,
            Output::Enqueue { .. } | Output::Requeue => true,
            _ => false,
        };
        assert!(!line.all.iter().any(goes_on), "rings: {rings}");
    }
}

#[test]
fn a_called_person_whose_operator_is_lost_goes_to_the_next() {
    let mut line = begun(Errand::Own(kim()));
    line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp);
    line.leg(CALLER, LegInput::Answered);
    assert!(line.tell(Input::SeatLost { user: kim() }).contains(&Output::Requeue));
}

#[test]
fn somebody_to_be_served_first_is_raised_in_the_queue_or_on_the_way_there() {
    let clock = TestClock::at(UtcMs(0));
    let call = Call::new(clock.instant(), setup());
    let mut line = Line { clock, call, all: vec![], last_play: None };
    line.tell(Input::Arrived);
    line.tell(Input::Raise { priority: 100 });
    line.leg(CALLER, LegInput::Established);
    assert!(line.hears_to_end().contains(&Output::Enqueue { priority: 100, call_type: None }));
    assert_eq!(line.tell(Input::Raise { priority: 200 }), [Output::Raise { priority: 200 }]);
}

#[test]
fn the_way_to_its_operator_is_no_parking_slot() {
    let line = begun(Errand::Own(kim()));
    assert_eq!(line.call.parked().and_then(Parked::slot), None);
}
