//! Check-ins on the line. What is said and which keys count is told in `domain/checkin`.

use super::*;
use crate::base::id::DispatchId;
use crate::domain::call::bridge::KeysBound;
use crate::domain::call::check_in::Wish;
use crate::domain::checkin::pin::Pin;
use crate::domain::checkin::{self, Held, Looked, Marked, Welcome};

/// Somebody who has heard the greeting of a line for check-ins.
fn checks_in() -> Line {
    let mut line = Line::arrives_with(Setup { flow: Flow::CheckIn, ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line
}

fn presses(line: &mut Line, keys: &str) {
    keys.chars().for_each(|key| drop(line.leg(CALLER, LegInput::Digit(key))));
}

fn is_let_in(line: &mut Line) {
    presses(line, "4711#");
    let held = vec![Held { dispatch: DispatchId::named("one"), edition: 3, words: "Burst pipe.".into() }];
    let welcome = Welcome { contact: Some(ContactId::named("ada")), who: "Ada".into(), held, ..Welcome::default() };
    line.tell(Input::CheckIn(checkin::Input::Looked(Looked::Welcome(Box::new(welcome)))));
    line.tell(Input::CheckIn(checkin::Input::ReadNoted(true)));
}

/// Words of the moment are heard to their end.
fn hears_out(line: &mut Line) {
    let play = line.all.iter().rev().find_map(|o| match o {
        Output::Play { leg: CALLER, play, .. } | Output::PlayOnce { leg: CALLER, play, .. } => Some(*play),
        _ => None,
    });
    line.tell(Input::PlayDone { leg: CALLER, play: play.expect("something was said") });
}

/// What it asks and is answered.
fn wishes(line: &Line) -> Vec<Wish> {
    let wish = |o: &Output| if let Output::CheckIn(wish) = o { Some(wish.clone()) } else { None };
    line.all.iter().filter_map(wish).filter(|wish| !matches!(wish, Wish::Read { .. })).collect()
}

#[test]
fn a_message_is_heard_and_marked_and_the_call_is_no_lost_one() {
    let mut line = checks_in();
    assert_eq!((line.call.stage(), wishes(&line)), (Stage::CheckIn, vec![]));
    is_let_in(&mut line);
    hears_out(&mut line);
    presses(&mut line, "2");
    let (look, mark) = (Wish::Look { pin: Pin::pressed("4711".into()) }, DispatchId::named("one"));
    assert_eq!(wishes(&line), [look, Wish::Mark { dispatch: mark.clone(), edition: 3 }]);
    assert!(line.all.contains(&Output::CheckIn(Wish::Read { dispatch: mark.clone() })), "that it is read is put down");
    assert!(line.recorded(&RecordEvent::CheckedIn { contact: Some(ContactId::named("ada")), held: 1 }));
    assert!(line.recorded(&RecordEvent::ReadAtCheckIn { dispatch: mark }));
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::CheckedIn)]);
    let lost = line.all.iter().any(|o| matches!(o, Output::Record { event: RecordEvent::Abandoned { .. }, .. }));
    assert!(!lost, "nobody need ring back");
}

#[test]
fn what_is_said_of_a_message_is_kept_nowhere_and_the_rest_is_made_ready() {
    let mut line = checks_in();
    is_let_in(&mut line);
    let once: Vec<_> = line.all.iter().filter(|o| matches!(o, Output::PlayOnce { .. })).collect();
    assert!(format!("{once:?}").contains("Burst pipe."), "{once:?}");
    let kept: Vec<_> = line.all.iter().filter(|o| matches!(o, Output::Play { .. })).collect();
    assert!(!format!("{kept:?}").contains("Burst pipe."), "{kept:?}");
    assert!(line.call.speeches_on_the_way().iter().any(CheckIn::is_fixed));
}

#[test]
fn the_keys_are_ours_alone_until_an_operator_is_wanted() {
    let mut line = checks_in();
    let bound = |line: &Line| -> Vec<KeysBound> {
        let bound = |o: &Output| if let Output::BindKeys { bound, .. } = o { Some(*bound) } else { None };
        line.all.iter().filter_map(bound).collect()
    };
    assert_eq!(bound(&line), [KeysBound::All]);
    is_let_in(&mut line);
    presses(&mut line, "0");
    assert_eq!((line.call.stage(), bound(&line)), (Stage::Queued, vec![KeysBound::All, KeysBound::None]));
    assert_eq!(line.hears(CALLER), vec![Source::Music]);
    // Late answers change nothing for whoever waits.
    line.tell(Input::CheckIn(checkin::Input::Marked(Marked::Noted)));
    assert_eq!(line.call.stage(), Stage::Queued);
}

#[test]
fn a_tone_in_place_of_a_message_is_no_message() {
    let mut line = checks_in();
    is_let_in(&mut line);
    let play =
        line.all.iter().rev().find_map(|o| if let Output::PlayOnce { play, .. } = o { Some(*play) } else { None });
    line.tell(Input::Unspoken { leg: CALLER, play: play.expect("words") });
    hears_out(&mut line);
    assert_eq!(line.call.stage(), Stage::Queued, "a person reads it out");
}

#[test]
fn no_pin_is_printed_with_what_a_call_wants_done() {
    let mut line = checks_in();
    is_let_in(&mut line);
    assert!(!format!("{:?}", line.all).contains("4711"));
}

/// A caller with Kim, who sends them on.
fn is_sent(vouched: Option<&str>) -> Line {
    let mut line = Line::talking();
    line.does(OperatorCommand::CheckIn { vouched: vouched.map(ContactId::named) });
    line
}

#[test]
fn whom_the_operator_sends_is_asked_for_the_pin_and_she_is_left_with_the_form() {
    let mut line = is_sent(None);
    assert!(line.recorded(&RecordEvent::SentToCheckIn { user: kim(), vouched: None }));
    assert!(line.all.contains(&Output::HangUp { leg: OPERATOR }));
    assert_eq!((line.call.stage(), line.call.seat()), (Stage::CheckIn, Some(&kim())));
    assert!(line.hears(CALLER).is_empty(), "nobody but the voice");
    is_let_in(&mut line);
    assert_eq!(wishes(&line), [Wish::Look { pin: Pin::pressed("4711".into()) }]);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Handled)]);
}

#[test]
fn whom_the_operator_vouches_for_is_asked_for_no_pin_and_it_is_on_record_who_said_so() {
    let mut line = is_sent(Some("ada"));
    let ada = ContactId::named("ada");
    assert!(line.recorded(&RecordEvent::SentToCheckIn { user: kim(), vouched: Some(ada.clone()) }));
    assert_eq!(wishes(&line), [Wish::Vouched { contact: ada.clone() }]);
    presses(&mut line, "4711#");
    let held = vec![Held { dispatch: DispatchId::named("one"), edition: 3, words: "Burst pipe.".into() }];
    let welcome = Welcome { contact: Some(ada), who: "Ada".into(), held, ..Welcome::default() };
    line.tell(Input::CheckIn(checkin::Input::Looked(Looked::Welcome(Box::new(welcome)))));
    line.tell(Input::CheckIn(checkin::Input::ReadNoted(true)));
    hears_out(&mut line);
    presses(&mut line, "2");
    assert_eq!(wishes(&line).last(), Some(&Wish::Mark { dispatch: DispatchId::named("one"), edition: 3 }));
}

#[test]
fn who_wants_an_operator_after_all_is_at_the_head_of_the_queue_with_the_form() {
    let mut line = is_sent(Some("ada"));
    line.tell(Input::CheckIn(checkin::Input::Looked(Looked::Failed)));
    hears_out(&mut line);
    assert_eq!((line.call.stage(), line.call.was_taken()), (Stage::Queued, true));
    assert!(line.all.contains(&Output::Requeue));
    assert!(line.all.contains(&Output::WrappedUp { user: kim() }), "she may be the one to come");
    let mut line = is_sent(None);
    is_let_in(&mut line);
    presses(&mut line, "0");
    assert!(line.all.contains(&Output::Requeue));
}

#[test]
fn who_is_being_patched_is_not_sent() {
    let mut line = Line::dialling();
    let now = line.clock.instant();
    let sent = line.call.command(now, &kim(), OperatorCommand::CheckIn { vouched: None });
    assert_eq!(sent, Err(CommandError::NotNow));
    let lee = UserId::named("lee");
    let mut line = Line::talking();
    let sent = line.call.command(now, &lee, OperatorCommand::CheckIn { vouched: None });
    assert_eq!(sent, Err(CommandError::NotYours));
}
