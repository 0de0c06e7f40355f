//! Callers who hang up too early, by where they were.

use super::*;
use crate::domain::call::abandoned::Abandoned;

/// What is on record after the caller hangs up.
fn hangs_up(mut line: Line) -> Vec<Abandoned> {
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    kinds(&line)
}

fn kinds(line: &Line) -> Vec<Abandoned> {
    let on = |output: &Output| match output {
        Output::Record { event: RecordEvent::Abandoned { on }, .. } => Some(*on),
        _ => None,
    };
    line.all.iter().filter_map(on).collect()
}

#[test]
fn each_kind_is_told_apart_and_told_once() {
    let mut greeted = Line::arrives();
    greeted.leg(CALLER, LegInput::Established);
    assert_eq!(hangs_up(greeted), [Abandoned::Greeting]);
    assert_eq!(hangs_up(Line::arrives()), [Abandoned::Greeting]);
    assert_eq!(hangs_up(Line::queued()), [Abandoned::Queue]);
    let mut offered = Line::queued();
    offered.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert_eq!(hangs_up(offered), [Abandoned::Queue]);
    let mut held = Line::talking();
    held.does(OperatorCommand::Hold);
    assert_eq!(hangs_up(held), [Abandoned::Hold]);
}

#[test]
fn who_was_served_is_not_abandoned() {
    assert_eq!(hangs_up(Line::talking()), []);
    assert_eq!(hangs_up(Line::private()), [], "the operator knows and speaks with the contact");
    assert_eq!(hangs_up(Line::dropped()), []);
}

#[test]
fn a_caller_who_lost_the_operator_and_gives_up_waiting_is_abandoned_in_the_queue() {
    let mut line = Line::talking();
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!(hangs_up(line), [Abandoned::Queue]);
}

#[test]
fn who_hears_the_apology_is_abandoned_whether_to_its_end_or_not() {
    let mut line = Line::queued();
    line.tell(Input::Overdue);
    line.hears_to_end();
    assert_eq!(kinds(&line), [Abandoned::NoOperator], "as the figures count them");
    let mut line = Line::queued();
    line.tell(Input::Overdue);
    assert_eq!(hangs_up(line), [Abandoned::NoOperator]);
}

#[test]
fn a_caller_and_a_phone_that_hang_up_together_have_finished_talking() {
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    assert_eq!(hangs_up(line), []);
    let mut line = Line::talking();
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&RecordEvent::CallerGone { stage: Stage::Talking, why: Cause::HungUp }));
    // The operator had turned away before.
    let mut line = Line::talking();
    line.does(OperatorCommand::Hold);
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    assert_eq!(hangs_up(line), [Abandoned::Hold]);
}

#[test]
fn a_stop_of_the_service_cuts_callers_off_wherever_they_are_and_nobody_who_has_gone() {
    let mut parked = Line::talking();
    parked.does(OperatorCommand::Park { slot: 1 });
    for mut line in [Line::arrives(), Line::queued(), Line::talking(), Line::joined(), parked] {
        line.tell(Input::Stop);
        assert_eq!(line.ended(), [(Cause::Released, CallOutcome::CutOff)]);
        assert!(line.call.is_done());
    }
    let mut line = Line::private();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    line.tell(Input::Stop);
    assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Handled)]);
}

#[test]
fn a_form_that_is_being_finished_when_the_service_stops_is_left_and_on_record_as_that() {
    let mut line = Line::talking();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.call.stage(), Stage::WrapUp);
    line.tell(Input::Stop);
    let left = RecordEvent::WrappedUp { user: kim(), disposition: None };
    assert!(line.recorded(&left) && line.call.is_done());
    let mut line = Line::talking();
    line.tell(Input::Stop);
    assert!(line.recorded(&left), "cut off in mid-talk with half a form");
}

#[test]
fn a_caller_who_gives_up_while_the_contact_is_dialled_is_in_the_list() {
    assert_eq!(hangs_up(Line::dialling()), [Abandoned::Hold], "they heard music, and nobody was there yet");
    let mut ringing = Line::dialling();
    ringing.leg(CONTACT, LegInput::Ringing);
    assert_eq!(hangs_up(ringing), [Abandoned::Hold]);
    // Once the contact had been with them, they were served.
    let mut aside = Line::joined();
    aside.does(OperatorCommand::Private);
    assert_eq!(hangs_up(aside), []);
}
