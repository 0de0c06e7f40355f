//! Callers who are parked, fetched, and passed on; keys that operators send.

use super::*;

const SECOND: LegId = LegId(9);

fn lee() -> UserId {
    UserId::named("lee")
}

fn parked() -> Line {
    let mut line = Line::talking();
    line.does(OperatorCommand::Park { slot: 2 });
    line
}

fn lee_fetches(line: &mut Line) -> Vec<Output> {
    line.tell(Input::Fetch { user: lee(), leg: SECOND, ring: true })
}

fn lee_answers(line: &mut Line) -> Vec<Output> {
    line.leg(SECOND, LegInput::Answered);
    line.leg(SECOND, LegInput::MediaUp)
}

#[test]
fn a_parked_caller_hears_music_the_operator_is_free_and_another_fetches_them() {
    let mut line = Line::talking();
    let told = line.does(OperatorCommand::Park { slot: 2 });
    assert!(told.contains(&Output::WrappedUp { user: kim() }), "nothing is left for her to do");
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Parked, vec![Source::Music]));
    assert_eq!((line.call.seat(), line.hung_up(OPERATOR)), (None, 1));
    assert_eq!(line.call.parked().map(|p| (p.slot(), p.by.clone())), Some((Some(2), kim())));
    // She logs off.
    assert_eq!(line.tell(Input::SeatLost { user: kim() }), []);

    let told = lee_fetches(&mut line);
    assert!(told.contains(&Output::Dial { leg: SECOND, to: Party::Operator(lee()) }));
    assert_eq!(line.hears(CALLER), [Source::Music]);
    let told = lee_answers(&mut line);
    assert!(told.contains(&Output::OfferAccepted { user: lee() }));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Talking, vec![Source::Leg(SECOND)]));
    assert!(line.recorded(&RecordEvent::Fetched { user: lee(), slot: 2 }) && line.call.parked().is_none());
}

#[test]
fn a_fetch_that_fails_leaves_the_caller_parked_and_only_one_fetches() {
    let mut line = parked();
    lee_fetches(&mut line);
    let told = line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
    assert!(told.contains(&Output::OfferFailed { user: kim(), why: OfferEnd::Withdrawn }), "lee was faster");
    let told = line.leg(SECOND, LegInput::Ended(Cause::Busy));
    assert!(told.contains(&Output::OfferFailed { user: lee(), why: OfferEnd::PhoneFailed }));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Parked, vec![Source::Music]));
    assert!(!line.all.contains(&Output::Requeue));
}

#[test]
fn a_caller_parked_for_three_minutes_is_back_at_the_head_of_the_queue() {
    let mut line = parked();
    assert!(!line.after(179).contains(&Output::Requeue));
    assert!(line.after(1).contains(&Output::Requeue));
    assert_eq!(line.call.stage(), Stage::Queued);
    assert!(line.recorded(&RecordEvent::ParkedTooLong));
    assert_eq!(line.call.poll_timeout(), None);

    // Not while somebody is about to have them, but after that came to nothing.
    let mut line = parked();
    line.after(175);
    lee_fetches(&mut line);
    assert!(!line.after(10).contains(&Output::Requeue));
    line.leg(SECOND, LegInput::Ended(Cause::Busy));
    assert!(line.after(0).contains(&Output::Requeue));
}

#[test]
fn a_caller_who_hangs_up_while_parked_is_abandoned_there() {
    let mut line = parked();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Abandoned(Stage::Parked))]);
    assert!(line.call.is_done());

    let mut line = parked();
    lee_fetches(&mut line);
    let told = line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(told.contains(&Output::OfferFailed { user: lee(), why: OfferEnd::Withdrawn }));
    assert_eq!((line.ended().len(), line.hung_up(SECOND)), (1, 1));
}

#[test]
fn a_caller_is_passed_on_to_another_operator_with_a_note() {
    let mut line = Line::talking();
    let pass = OperatorCommand::Pass { to: Some(lee()), note: Some("speaks French".to_owned()) };
    let told = line.does(pass.clone());
    let free = told.iter().position(|o| *o == Output::WrappedUp { user: kim() });
    let offered = told.iter().position(|o| *o == Output::Pass { user: lee() });
    assert!(free.is_some() && free < offered, "{told:?}");
    assert_eq!(line.hears(CALLER), [Source::Music]);
    // Nobody else gets them on the way.
    let told = line.tell(Input::Fetch { user: UserId::named("max"), leg: CONTACT, ring: true });
    assert!(told.iter().any(|o| matches!(o, Output::OfferFailed { .. })));
    lee_fetches(&mut line);
    lee_answers(&mut line);
    assert_eq!(line.hears(CALLER), [Source::Leg(SECOND)]);
    assert_eq!(line.call.note().and_then(|n| n.text.clone()), Some("speaks French".to_owned()));

    let mut line = Line::talking();
    line.does(pass.clone());
    lee_fetches(&mut line);
    assert!(line.after(20).contains(&Output::Requeue), "lee missed it");

    let mut line = Line::talking();
    line.does(pass.clone());
    assert!(line.tell(Input::PassRefused { user: lee() }).contains(&Output::Requeue));

    let mut line = Line::talking();
    line.does(pass);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Handled)]);

    let mut line = Line::talking();
    assert_eq!(line.refuses(OperatorCommand::Pass { to: Some(kim()), note: None }), CommandError::NotNow);
}

#[test]
fn a_caller_is_given_back_to_the_head_of_the_queue() {
    let mut line = Line::talking();
    let told = line.does(OperatorCommand::Pass { to: None, note: Some("asks for Dr Patel".to_owned()) });
    let free = told.iter().position(|o| *o == Output::WrappedUp { user: kim() });
    let back = told.iter().position(|o| *o == Output::Requeue);
    assert!(free.is_some() && free < back, "{told:?}");
    assert_eq!((line.call.stage(), line.hung_up(OPERATOR)), (Stage::Queued, 1));
}

#[test]
fn an_operator_asks_another_and_hands_the_caller_over() {
    let (operator, colleague) = (Source::Leg(OPERATOR), Source::Leg(SECOND));
    let asking = || {
        let mut line = Line::talking();
        let told = line.does(OperatorCommand::Ask { user: lee() });
        assert!(told.contains(&Output::Pass { user: lee() }));
        assert_eq!(line.table(), [vec![Source::Music], vec![Source::Ringback], vec![]]);
        lee_fetches(&mut line);
        line
    };
    let together = || {
        let mut line = asking();
        let told = lee_answers(&mut line);
        assert!(told.contains(&Output::ColleagueThere { user: lee() }));
        assert_eq!((line.hears(CALLER), line.hears(OPERATOR)), (vec![Source::Music], vec![colleague]));
        assert_eq!((line.hears(SECOND), line.call.stage()), (vec![operator], Stage::Consulting));
        line
    };
    let mut line = together();
    let told = line.does(OperatorCommand::HandOver);
    assert!(told.contains(&Output::WrappedUp { user: kim() }) && told.contains(&Output::OfferAccepted { user: lee() }));
    assert_eq!((line.hears(CALLER), line.hears(SECOND)), (vec![colleague], vec![Source::Leg(CALLER)]));
    assert_eq!((line.call.seat().cloned(), line.hung_up(OPERATOR)), (Some(lee()), 1));
    assert!(line.recorded(&RecordEvent::HandedOver { from: kim(), to: lee() }));

    // Who hangs up, or is lost, has handed over.
    let mut line = together();
    line.leg(OPERATOR, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.hears(CALLER), line.call.stage()), (vec![colleague], Stage::Talking));
    let mut line = together();
    let told = line.tell(Input::SeatLost { user: kim() });
    assert!(told.contains(&Output::OperatorLost { user: kim() }) && !told.contains(&Output::Requeue));
    assert_eq!(line.hears(CALLER), [colleague]);

    // Back to the caller: by the operator's wish, or because the colleague is not there.
    let mut line = together();
    assert!(line.does(OperatorCommand::Cancel).contains(&Output::WrappedUp { user: lee() }));
    assert_eq!((line.hears(CALLER), line.hung_up(SECOND)), (vec![operator], 1));
    let mut line = together();
    line.leg(SECOND, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.hears(CALLER), [operator]);
    let mut line = asking();
    assert_eq!(line.refuses(OperatorCommand::HandOver), CommandError::NotNow);
    let told = line.after(20);
    assert!(told.contains(&Output::OfferFailed { user: lee(), why: OfferEnd::Missed }));
    assert_eq!(line.hears(CALLER), [operator]);
    let mut line = Line::talking();
    line.does(OperatorCommand::Ask { user: lee() });
    line.tell(Input::PassRefused { user: lee() });
    assert_eq!(line.hears(CALLER), [operator]);
    let mut line = Line::talking();
    line.does(OperatorCommand::Ask { user: lee() });
    line.does(OperatorCommand::Cancel);
    let told = lee_fetches(&mut line);
    assert!(told.contains(&Output::OfferFailed { user: lee(), why: OfferEnd::Withdrawn }), "brought too late");

    // The operator is lost while the colleague's phone rings; the caller hangs up.
    let mut line = asking();
    assert!(line.tell(Input::SeatLost { user: kim() }).contains(&Output::Requeue));
    assert_eq!(line.hung_up(SECOND), 1);
    let mut line = together();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!((line.ended().len(), line.hung_up(SECOND)), (1, 1));
}

#[test]
fn a_call_for_the_wrong_account_goes_on_as_another_s_and_the_record_tells_both() {
    let (from, to) = (AccountId::named("plumbing"), AccountId::named("clinic"));
    let change = || change_account(RecordingPolicy::default());
    let mut line = Line::talking();
    let OperatorCommand::ChangeAccount(changed) = change() else { unreachable!("it is one") };
    let nowhere = OperatorCommand::ChangeAccount(Box::new(AccountChange { to: from.clone(), ..*changed }));
    assert_eq!(line.refuses(nowhere), CommandError::NotNow, "it is");
    line.does(change());
    assert!(line.recorded(&RecordEvent::AccountChanged { user: kim(), from, to }));
    assert_eq!(line.call.stage(), Stage::Talking);
    // What the caller hears from now on is the other account's, and so are rank and limits.
    line.does(OperatorCommand::Pass { to: None, note: None });
    assert_eq!(line.call.priority(), 7);
    line.tell(Input::Overdue);
    assert_eq!(line.last_play.clone().map(|p| p.2), Some(Speech::Spoken { text: "the clinic is sorry".to_owned() }));
    let mut line = Line::talking();
    line.does(change());
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.call.wrap_up_until(), Some(line.clock.instant() + Duration::from_secs(90)));
    let mut line = Line::queued();
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert_eq!(line.refuses(change()), CommandError::NotNow);
}

#[test]
fn keys_go_to_the_caller_and_to_the_contact_once_there_is_one() {
    let keys = || OperatorCommand::Keys("12#".to_owned());
    let to = |leg| Output::Keys { leg, keys: "12#".to_owned() };
    let mut line = Line::talking();
    assert!(line.does(keys()).contains(&to(CALLER)));
    assert!(line.recorded(&RecordEvent::KeysSent { count: 3 }));
    line.does(OperatorCommand::Hold);
    assert_eq!(line.refuses(keys()), CommandError::NotNow);
    let mut line = Line::dialling();
    assert_eq!(line.refuses(keys()), CommandError::NotNow, "nobody is there yet");
    for mut line in [Line::private(), Line::joined()] {
        assert!(line.does(keys()).contains(&to(CONTACT)));
    }
}
