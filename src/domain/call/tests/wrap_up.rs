//! How long an operator may wrap up.

use super::*;
use crate::base::phone::PhoneNumber;

fn limited() -> Line {
    let clock = TestClock::at(UtcMs(0));
    let call = Call::new(clock.instant(), Setup { wrap_up: Some(Duration::from_secs(30)), ..setup() });
    let mut line = Line { clock, call, all: vec![], last_play: None };
    line.tell(Input::Arrived);
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp);
    line
}

fn over(outputs: &[Output]) -> bool {
    outputs.contains(&Output::WrappedUp { user: kim() })
}

#[test]
fn a_wrap_up_ends_by_itself_when_its_time_is_up() {
    let mut line = limited();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.call.poll_timeout(), line.call.wrap_up_until().map(|until| (until, Reason::WrapUp)));
    assert!(!over(&line.after(29)));
    assert_eq!(line.call.stage(), Stage::WrapUp);
    assert!(over(&line.after(1)) && line.recorded(&RecordEvent::WrapUpRanOut { user: kim() }));
    assert!(line.call.is_done() && line.call.wrap_up_until().is_none());
}

#[test]
fn an_operator_who_asks_for_it_gets_as_much_time_once_more() {
    let mut line = limited();
    assert_eq!(line.refuses(OperatorCommand::WrapUpMore), CommandError::NotNow);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    line.after(20);
    line.does(OperatorCommand::WrapUpMore);
    assert!(!over(&line.after(39)));
    assert!(over(&line.after(1)));
}

#[test]
fn an_operator_who_dropped_off_wraps_up_in_time_while_the_two_talk_on() {
    let mut line = limited();
    let number = PhoneNumber::parse("+12025550190").expect("a valid number");
    line.does(OperatorCommand::Patch {
        leg: CONTACT,
        number,
        contact: None,
        ring: Duration::from_secs(30),
        then: Default::default(),
        cold: false,
    });
    line.leg(CONTACT, LegInput::Answered);
    line.does(OperatorCommand::Join);
    line.does(OperatorCommand::Drop);
    assert!(over(&line.after(30)));
    assert_eq!((line.call.stage(), line.ended()), (Stage::Patched, vec![]));
}

#[test]
fn without_a_limit_a_wrap_up_lasts_and_there_is_nothing_to_prolong() {
    let mut line = Line::talking();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(!over(&line.after(3_600)));
    assert_eq!(line.refuses(OperatorCommand::WrapUpMore), CommandError::NotLimited);
}
