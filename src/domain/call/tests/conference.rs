//! More than two who talk: either of them put aside, and a colleague as the third or the fourth.

use super::*;

const SECOND: LegId = LegId(9);

fn lee() -> UserId {
    UserId::named("lee")
}

fn sources(legs: &[LegId]) -> Vec<Source> {
    legs.iter().map(|leg| Source::Leg(*leg)).collect()
}

fn music() -> Vec<Source> {
    vec![Source::Music]
}

/// Lee is asked, and has come.
pub(super) fn lee_comes(line: &mut Line) {
    line.does(OperatorCommand::Ask { user: lee() });
    line.tell(Input::Fetch { user: lee(), leg: SECOND, ring: true });
    line.leg(SECOND, LegInput::Answered);
    line.leg(SECOND, LegInput::MediaUp);
}

/// Caller, operator, contact and colleague.
fn four() -> Line {
    let mut line = Line::joined();
    lee_comes(&mut line);
    line.does(OperatorCommand::Join);
    line
}

#[test]
fn the_operator_talks_to_either_alone_and_the_other_hears_music() {
    let mut line = Line::joined();
    line.does(OperatorCommand::HoldContact);
    assert_eq!(line.table(), [sources(&[OPERATOR]), sources(&[CALLER]), music()]);
    line.does(OperatorCommand::Private);
    assert_eq!(line.table(), [music(), sources(&[CONTACT]), sources(&[OPERATOR])]);
    assert_eq!(line.call.stage(), Stage::Patching);
    line.does(OperatorCommand::Join);
    let all = [sources(&[OPERATOR, CONTACT]), sources(&[CALLER, CONTACT]), sources(&[CALLER, OPERATOR])];
    assert_eq!(line.table(), all);
    // Whoever is on hold is not left behind.
    line.does(OperatorCommand::HoldContact);
    assert_eq!(line.refuses(OperatorCommand::Drop), CommandError::NotNow);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.hears(OPERATOR), line.hears(CONTACT)), (sources(&[CONTACT]), sources(&[OPERATOR])));
}

#[test]
fn a_patch_lasts_for_as_long_as_caller_and_contact_hear_each_other() {
    let over = |line: &Line, secs: u64| {
        let is_it = |o: &Output| matches!(o, Output::Record { event: RecordEvent::PatchOver { ms, alone_ms: 0 }, .. } if *ms == secs * 1_000);
        assert!(line.all.iter().any(is_it), "not {secs} s");
    };
    let mut line = Line::joined();
    line.after(60);
    line.does(OperatorCommand::Private);
    line.after(600);
    line.does(OperatorCommand::Join);
    line.after(30);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    line.after(300);
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    over(&line, 90);
}

#[test]
fn a_contact_on_hold_who_hangs_up_leaves_the_operator_with_the_caller() {
    let mut line = Line::joined();
    line.does(OperatorCommand::HoldContact);
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.hears(CALLER), line.call.stage()), (sources(&[OPERATOR]), Stage::Talking));
    // And an operator who is lost leaves the caller with nobody, whom the queue takes back.
    let mut line = Line::joined();
    line.does(OperatorCommand::HoldContact);
    let told = line.tell(Input::SeatLost { user: kim() });
    assert!(!told.contains(&Output::Requeue), "the two are there, and talk on");
    assert_eq!((line.hears(CALLER), line.hears(CONTACT)), (sources(&[CONTACT]), sources(&[CALLER])));
}

#[test]
fn a_colleague_who_is_asked_may_join_and_then_all_three_hear_each_other() {
    let mut line = Line::talking();
    lee_comes(&mut line);
    assert_eq!((line.hears(CALLER), line.call.stage()), (music(), Stage::Consulting));
    line.does(OperatorCommand::Join);
    assert_eq!((line.hears(CALLER), line.call.stage()), (sources(&[OPERATOR, SECOND]), Stage::Conference));
    assert_eq!(line.hears(SECOND), sources(&[CALLER, OPERATOR]));
    assert!(line.recorded(&RecordEvent::ColleagueJoined { user: lee() }));
    // Who drops off leaves the caller to the colleague.
    let told = line.does(OperatorCommand::Drop);
    assert!(told.contains(&Output::WrappedUp { user: kim() }));
    assert_eq!((line.hears(CALLER), line.call.seat()), (sources(&[SECOND]), Some(&lee())));

    let mut line = Line::talking();
    lee_comes(&mut line);
    line.does(OperatorCommand::Join);
    line.leg(SECOND, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.hears(CALLER), line.call.stage()), (sources(&[OPERATOR]), Stage::Talking));
}

#[test]
fn while_the_operator_asks_a_colleague_caller_and_contact_talk_on() {
    let mut line = Line::joined();
    line.does(OperatorCommand::Ask { user: lee() });
    assert_eq!(line.table(), [sources(&[CONTACT]), vec![Source::Ringback], sources(&[CALLER])]);
    line.tell(Input::Fetch { user: lee(), leg: SECOND, ring: true });
    line.leg(SECOND, LegInput::Answered);
    line.leg(SECOND, LegInput::MediaUp);
    assert_eq!(line.table(), [sources(&[CONTACT]), sources(&[SECOND]), sources(&[CALLER])]);
    assert_eq!(line.refuses(OperatorCommand::Private), CommandError::NotNow);
    line.does(OperatorCommand::Join);
    let four = [CALLER, OPERATOR, CONTACT, SECOND];
    for me in four {
        let others: Vec<LegId> = four.iter().copied().filter(|leg| *leg != me).collect();
        assert_eq!(line.hears(me), sources(&others));
    }
}

#[test]
fn of_four_any_may_leave_and_the_others_go_on() {
    // The colleague, by the operator's wish.
    let mut line = four();
    line.does(OperatorCommand::Cancel);
    assert_eq!((line.hung_up(SECOND), line.hears(CALLER)), (1, sources(&[OPERATOR, CONTACT])));
    // The contact: the caller is with both operators.
    let mut line = four();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.hears(CALLER), line.call.stage()), (sources(&[OPERATOR, SECOND]), Stage::Conference));
    // The operator: the colleague has the call, and the contact stays in it.
    for goes in [OperatorCommand::Drop, OperatorCommand::HandOver] {
        let mut line = four();
        line.does(goes);
        assert_eq!((line.hears(CALLER), line.call.seat()), (sources(&[CONTACT, SECOND]), Some(&lee())));
        assert_eq!(line.call.stage(), Stage::Conference);
    }
    let mut line = four();
    line.tell(Input::SeatLost { user: kim() });
    assert_eq!((line.hears(CALLER), line.call.seat()), (sources(&[CONTACT, SECOND]), Some(&lee())));
    // The contact waits: the others go on.
    let mut line = four();
    line.does(OperatorCommand::HoldContact);
    assert_eq!((line.hears(CALLER), line.hears(CONTACT)), (sources(&[OPERATOR, SECOND]), music()));
}

#[test]
fn a_colleague_who_does_not_come_changes_nothing_for_the_three() {
    let mut line = Line::joined();
    line.does(OperatorCommand::Ask { user: lee() });
    line.after(20);
    let all = [sources(&[OPERATOR, CONTACT]), sources(&[CALLER, CONTACT]), sources(&[CALLER, OPERATOR])];
    assert_eq!((line.table(), line.call.stage()), (all, Stage::Conference));
}

/// The contact's second telephone.
const HOME: LegId = LegId(7);

fn with_home(cold: bool) -> Line {
    let mut line = Line::talking();
    let number = PhoneNumber::parse("+12025550190").expect("a valid number");
    let ring = Duration::from_secs(30);
    let then = [reach::Number { leg: HOME, number: number.clone(), ring }].into();
    line.does(OperatorCommand::Patch { leg: CONTACT, number, contact: None, ring, then, cold });
    line
}

#[test]
fn a_contact_who_is_busy_or_does_not_answer_is_tried_at_the_next_telephone() {
    let dials = |told: &[Output]| told.iter().any(|o| matches!(o, Output::Dial { leg: HOME, .. }));
    let mut line = with_home(false);
    assert!(dials(&line.leg(CONTACT, LegInput::Ended(Cause::Busy))));
    assert_eq!((line.hung_up(CONTACT), line.hears(CALLER), line.call.stage()), (1, music(), Stage::Patching));
    line.leg(HOME, LegInput::Ended(Cause::Busy));
    assert_eq!((line.hears(CALLER), line.call.stage()), (sources(&[OPERATOR]), Stage::Talking), "there is no other");
    let mut line = with_home(false);
    assert!(dials(&line.after(30)));
    // Our own rules would forbid that one as well.
    let mut line = with_home(false);
    assert!(!dials(&line.leg(CONTACT, LegInput::Ended(Cause::Limited))));
}

#[test]
fn a_machine_that_answers_is_left_by_a_key_for_the_next_telephone() {
    let mut line = with_home(false);
    line.leg(CONTACT, LegInput::Answered);
    line.does(OperatorCommand::NextNumber);
    assert!(line.recorded(&RecordEvent::PatchNotAccepted { declined: false }));
    assert_eq!((line.hung_up(CONTACT), line.hears(CALLER)), (1, music()));
    line.leg(HOME, LegInput::Answered);
    assert_eq!(line.refuses(OperatorCommand::NextNumber), CommandError::NoNumberLeft);
    line.does(OperatorCommand::Join);
    assert_eq!(line.hears(CALLER), sources(&[OPERATOR, HOME]));
}

#[test]
fn a_cold_patch_connects_whoever_answers_and_lets_the_operator_go() {
    let mut line = with_home(true);
    assert_eq!(line.hears(CALLER), music());
    let told = line.leg(CONTACT, LegInput::Answered);
    assert!(told.contains(&Output::SeatFreed { user: kim() }));
    assert_eq!((line.hears(CALLER), line.hears(CONTACT)), (sources(&[CONTACT]), sources(&[CALLER])));
    assert!(line.recorded(&RecordEvent::PatchJoined) && line.recorded(&RecordEvent::PatchDropped));
    assert!(line.recorded(&RecordEvent::PatchUnannounced));
    let mut warm = Line::private();
    warm.does(OperatorCommand::Join);
    assert!(warm.recorded(&RecordEvent::PatchJoined) && !warm.recorded(&RecordEvent::PatchUnannounced));
}

/// The doctor has answered privately and was put on hold: never joined.
fn held_before_join() -> Line {
    let mut line = Line::private();
    line.does(OperatorCommand::HoldContact);
    assert_eq!((line.hears(CALLER), line.hears(CONTACT)), (sources(&[OPERATOR]), music()));
    line
}

#[test]
fn an_operator_lost_in_mid_patch_connects_nobody_who_was_not_joined() {
    let lost = [Input::SeatLost { user: kim() }, Input::Leg { leg: OPERATOR, event: LegInput::Ended(Cause::HungUp) }];
    for lost in lost {
        let mut line = held_before_join();
        let told = line.tell(lost.clone());
        assert!(told.contains(&Output::Requeue), "{lost:?}: the caller waits for an operator: {told:?}");
        assert_eq!(line.hears(CALLER), music(), "{lost:?}");
        assert!(!line.hears(CONTACT).contains(&Source::Leg(CALLER)), "{lost:?}: the two are live together");
        assert!(!line.recorded(&RecordEvent::PatchDropped), "{lost:?}: nobody was left with anybody");
    }
    // Joined once, the two know each other: whoever is put aside then is not left behind.
    let mut line = held_before_join();
    line.does(OperatorCommand::Join);
    line.does(OperatorCommand::HoldContact);
    let told = line.tell(Input::SeatLost { user: kim() });
    assert!(!told.contains(&Output::Requeue), "{told:?}");
    assert_eq!((line.hears(CALLER), line.hears(CONTACT)), (sources(&[CONTACT]), sources(&[CALLER])));
}

#[test]
fn a_contact_held_before_the_join_who_hangs_up_was_not_reached() {
    let mut line = held_before_join();
    line.leg(CONTACT, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.hears(CALLER), line.call.stage()), (sources(&[OPERATOR]), Stage::Talking));
    assert!(line.recorded(&RecordEvent::PatchFailed { why: Cause::HungUp }), "the record says that it came to nothing");
}
