//! The ways after the greeting, told as phone conversations.

use super::bridge::{KeysBound, Source};
use super::tests::{CALLER, Line, OPERATOR, kim, setup};
use super::*;
use crate::base::phone::PhoneNumber;
use crate::domain::account::flow::{Flow, Spill, SpillFailed};
use crate::domain::account::patching::{AutoPatch, Unreached};
use crate::domain::account::{RecordingMode, RecordingPolicy};
use crate::domain::call::abandoned::Abandoned;
use crate::domain::ivr::digits_tests;
use crate::domain::ivr::menu::{Menu, Step};
use crate::domain::ivr::tests::{exit, gather, says, spoken};

const ELSEWHERE: LegId = LegId(99);

fn urgent() -> CallTypeId {
    CallTypeId::named("urgent")
}

fn voicemail() -> Flow {
    Flow::Voicemail(Voicemail { speech: spoken("speak"), call_type: urgent(), max_secs: 60, silence_secs: 5 })
}

fn spill(failed: SpillFailed) -> Flow {
    let number = PhoneNumber::parse("+12025550190").expect("a valid number");
    Flow::Spill(Spill { number, ring_secs: 25, failed, before_answer: false })
}

fn menu() -> Menu {
    let first = Flow::Queue { priority: Some(7), call_type: Some(urgent()), skills: Default::default() };
    let nodes = vec![
        gather("press", &[("1", "first"), ("2", "message"), ("3", "words"), ("4", "away")]),
        exit("first", first),
        exit("message", voicemail()),
        exit("words", says("we are closed")),
        exit("away", spill(SpillFailed::Queue)),
    ];
    Menu { name: "main".into(), start: "press".into(), nodes, otherwise: Flow::default() }
}

/// A caller who has heard the greeting.
fn greeted(flow: Flow) -> Line {
    let mut line = Line::arrives_with(Setup { flow, menus: vec![menu()], ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line
}

fn in_menu() -> Line {
    greeted(Flow::Menu { menu: "main".into() })
}

fn presses(line: &mut Line, key: char) -> Vec<Output> {
    line.leg(CALLER, LegInput::Digit(key))
}

fn played(line: &Line) -> Vec<Speech> {
    let speech = |o: &Output| if let Output::Play { speech, .. } = o { Some(speech.clone()) } else { None };
    line.all.iter().filter_map(speech).collect()
}

fn enqueued(line: &Line) -> Option<(i32, Option<CallTypeId>)> {
    let waits = |o: &Output| match o {
        Output::Enqueue { priority, call_type } => Some((*priority, call_type.clone())),
        _ => None,
    };
    line.all.iter().find_map(waits)
}

fn recording(line: &Line) -> Vec<RecordingState> {
    let state = |o: &Output| if let Output::SetRecording { state, .. } = o { Some(*state) } else { None };
    line.all.iter().filter_map(state).collect()
}

/// A caller whose telephone is not answered yet, while the client's own office rings.
fn office_first(failed: SpillFailed) -> Line {
    let Flow::Spill(there) = spill(failed) else { unreachable!("it is a spill") };
    Line::arrives_with(Setup { flow: Flow::Spill(Spill { before_answer: true, ..there }), ..setup() })
}

fn has(line: &Line, wanted: &Output) -> bool {
    line.all.contains(wanted)
}

#[test]
fn an_office_that_takes_the_call_itself_is_heard_ringing_and_then_speaking_and_nobody_is_greeted() {
    let mut line = office_first(SpillFailed::Queue);
    assert!(has(&line, &Output::Ring { leg: CALLER }) && !has(&line, &Output::Answer { leg: CALLER }));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Spilling, vec![]));
    line.leg(ELSEWHERE, LegInput::Ringing);
    assert!(!has(&line, &Output::EarlyAudio { leg: CALLER }), "their own telephone rings");
    line.leg(ELSEWHERE, LegInput::Early);
    assert!(has(&line, &Output::EarlyAudio { leg: CALLER }));
    assert_eq!((line.hears(CALLER), line.hears(ELSEWHERE)), (vec![Source::Leg(ELSEWHERE)], vec![]));
    line.leg(ELSEWHERE, LegInput::Answered);
    assert!(has(&line, &Output::PickUp { leg: CALLER }));
    line.leg(CALLER, LegInput::Established);
    assert_eq!((line.hears(CALLER), line.hears(ELSEWHERE)), (vec![Source::Leg(ELSEWHERE)], vec![Source::Leg(CALLER)]));
    line.leg(ELSEWHERE, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Spilled)]);
    assert_eq!((played(&line), line.hung_up(CALLER)), (vec![], 1));
    assert_eq!(recording(&line), [], "nobody was told of a recording");
}

#[test]
fn what_the_office_does_not_take_is_answered_in_its_name() {
    for (failed, stage) in [(SpillFailed::Queue, Stage::Queued), (SpillFailed::Apology, Stage::Apology)] {
        for end in [Some(Cause::Busy), None] {
            let mut line = office_first(failed);
            line.leg(ELSEWHERE, LegInput::Early);
            match end {
                Some(why) => drop(line.leg(ELSEWHERE, LegInput::Ended(why))),
                None => drop(line.after(25)),
            }
            assert_eq!(line.hung_up(ELSEWHERE), 1, "released, whoever ended it");
            assert!(has(&line, &Output::Answer { leg: CALLER }));
            assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Arriving, vec![]));
            line.leg(CALLER, LegInput::Established);
            assert_eq!((line.call.stage(), played(&line)), (Stage::Greeting, vec![setup().greeting]));
            line.hears_to_end();
            assert_eq!(line.call.stage(), stage);
            let dialled = line.all.iter().filter(|o| matches!(o, Output::Dial { .. })).count();
            assert_eq!(dialled, 1, "they are not rung again");
        }
    }
}

#[test]
fn whoever_hangs_up_while_the_office_rings_is_on_record_and_it_rings_no_more() {
    let mut line = office_first(SpillFailed::Queue);
    line.leg(ELSEWHERE, LegInput::Ringing);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Abandoned(Stage::Spilling))]);
    assert_eq!((line.hung_up(ELSEWHERE), line.hung_up(CALLER)), (1, 1));
    assert!(!line.recorded(&RecordEvent::Abandoned { on: Abandoned::Greeting }), "they had not come to us yet");
    assert!(line.call.is_done());
}

#[test]
fn a_choice_leads_to_the_queue_with_its_rank_and_what_it_is_about() {
    let mut line = in_menu();
    assert_eq!((line.call.stage(), enqueued(&line)), (Stage::Menu, None));
    presses(&mut line, '1');
    assert_eq!(enqueued(&line), Some((7, Some(urgent()))));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Queued, vec![Source::Music]));
    let choice = &line.call.choices()[0];
    assert_eq!((choice.digits.as_str(), choice.label.as_str()), ("1", "to first"));
    assert!(line.recorded(&RecordEvent::MenuChosen { choice: "to first".into() }));
    assert!(line.recorded(&RecordEvent::MenuLeft { to: "queue".into() }));
    let said =
        line.all.iter().any(|o| matches!(o, Output::Record { event, .. } if format!("{event:?}").contains("'1'")));
    assert!(!said, "the key itself is not on record");
}

#[test]
fn keys_are_the_menus_alone_until_it_is_left() {
    let mut line = in_menu();
    let bound = |line: &Line| -> Vec<bool> {
        let bound =
            |o: &Output| if let Output::BindKeys { bound, .. } = o { Some(*bound == KeysBound::All) } else { None };
        line.all.iter().filter_map(bound).collect()
    };
    assert_eq!(bound(&line), [true]);
    presses(&mut line, '1');
    assert_eq!(bound(&line), [true, false]);
}

#[test]
fn whoever_presses_nothing_waits_for_an_operator_as_ever() {
    let mut line = in_menu();
    for _ in 0..2 {
        line.hears_to_end();
        line.after(5);
    }
    assert_eq!((enqueued(&line), line.call.stage()), (Some((0, None)), Stage::Queued));
    assert!(line.recorded(&RecordEvent::MenuMissed { silent: true }));
}

#[test]
fn a_menu_that_is_not_there_is_no_dead_end() {
    let line = greeted(Flow::Menu { menu: "gone".into() });
    assert_eq!(line.call.stage(), Stage::Queued);
}

#[test]
fn whoever_hangs_up_in_the_menu_is_on_record_as_lost_there() {
    let mut line = in_menu();
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Abandoned(Stage::Menu))]);
    assert!(line.recorded(&RecordEvent::Abandoned { on: Abandoned::Menu }));
    assert!(line.call.is_done());
}

#[test]
fn an_announcement_is_heard_and_then_the_call_is_over() {
    let mut line = in_menu();
    presses(&mut line, '3');
    assert_eq!(line.call.stage(), Stage::Announcement);
    assert_eq!(played(&line).last(), Some(&spoken("we are closed")));
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Announced)]);
    assert_eq!(line.hung_up(CALLER), 1);
}

/// A caller who may speak now.
fn speaking() -> Line {
    let mut line = greeted(voicemail());
    line.hears_to_end();
    line.hears_to_end();
    line
}

#[test]
fn a_voicemail_begins_after_the_tone_and_is_recorded_though_the_account_records_nothing() {
    let mut line = greeted(voicemail());
    assert_eq!((line.call.stage(), recording(&line)), (Stage::Voicemail, vec![]));
    line.hears_to_end();
    let beep = Speech::Recorded { prompt: "beep".into() };
    assert_eq!((played(&line).last(), recording(&line)), (Some(&beep), vec![]));
    line.hears_to_end();
    assert_eq!(recording(&line), [RecordingState::On]);
    assert!(line.recorded(&RecordEvent::VoicemailBegun { call_type: urgent() }));
    line.leg(CALLER, LegInput::Spoke);
    line.after(20);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&RecordEvent::VoicemailEnded { why: VoicemailEnd::HungUp, heard: true }));
    assert_eq!(recording(&line), [RecordingState::On, RecordingState::Off]);
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Voicemail)]);
}

type Way<'a> = &'a dyn Fn(&mut Line);

#[test]
fn the_hash_silence_and_the_limit_end_it_with_thanks() {
    let hash = |line: &mut Line| {
        presses(line, '#');
    };
    let silence = |line: &mut Line| {
        line.leg(CALLER, LegInput::Quiet);
        line.after(3);
        assert!(line.ended().is_empty(), "a second and three");
        line.after(1);
    };
    let limit = |line: &mut Line| {
        line.after(59);
        assert_eq!(recording(line), [RecordingState::On]);
        line.after(1);
    };
    let ways: [(Way<'_>, VoicemailEnd); 3] =
        [(&hash, VoicemailEnd::Key), (&silence, VoicemailEnd::Silence), (&limit, VoicemailEnd::Limit)];
    for (way, why) in ways {
        let mut line = speaking();
        line.leg(CALLER, LegInput::Spoke);
        way(&mut line);
        assert!(line.recorded(&RecordEvent::VoicemailEnded { why, heard: true }), "{why:?}");
        assert_eq!(recording(&line), [RecordingState::On, RecordingState::Off]);
        line.hears_to_end();
        assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Voicemail)]);
    }
}

#[test]
fn whoever_speaks_again_in_time_goes_on() {
    let mut line = speaking();
    line.leg(CALLER, LegInput::Spoke);
    line.leg(CALLER, LegInput::Quiet);
    line.after(3);
    line.leg(CALLER, LegInput::Spoke);
    line.after(30);
    assert_eq!(recording(&line), [RecordingState::On]);
}

#[test]
fn whoever_speaks_into_the_tone_is_not_taken_to_be_silent() {
    let mut line = greeted(voicemail());
    line.hears_to_end();
    line.leg(CALLER, LegInput::Spoke);
    line.hears_to_end();
    line.after(30);
    assert_eq!(recording(&line), [RecordingState::On]);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&RecordEvent::VoicemailEnded { why: VoicemailEnd::HungUp, heard: true }));
}

#[test]
fn whoever_says_nothing_has_left_no_message() {
    let mut line = speaking();
    line.after(5);
    assert!(line.recorded(&RecordEvent::VoicemailEnded { why: VoicemailEnd::Silence, heard: false }));
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::Released, CallOutcome::Abandoned(Stage::Voicemail))]);
    assert!(line.recorded(&RecordEvent::Abandoned { on: Abandoned::Voicemail }), "somebody may ring them back");
}

#[test]
fn whoever_hangs_up_before_the_tone_is_on_record_as_lost_there_and_who_left_a_message_is_not() {
    let lost = RecordEvent::Abandoned { on: Abandoned::Voicemail };
    let mut line = greeted(voicemail());
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&lost));
    let mut line = speaking();
    line.leg(CALLER, LegInput::Spoke);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(!line.recorded(&lost));
}

/// A caller who hears the greeting before a menu.
fn before_menu(setup: Setup) -> Line {
    let mut line = Line::arrives_with(Setup { flow: Flow::Menu { menu: "main".into() }, ..setup });
    line.leg(CALLER, LegInput::Established);
    line
}

fn with_menu() -> Setup {
    Setup { menus: vec![menu()], ..setup() }
}

#[test]
fn a_key_in_the_greeting_is_the_menus_and_cuts_the_greeting_short() {
    let mut line = before_menu(with_menu());
    assert_eq!(line.call.stage(), Stage::Greeting);
    presses(&mut line, '1');
    assert_eq!((line.call.stage(), enqueued(&line)), (Stage::Queued, Some((7, Some(urgent())))));
    assert!(line.all.iter().any(|o| matches!(o, Output::StopPlay { play: 1, .. })), "the greeting");
    let bound = |o: &Output| if let Output::BindKeys { bound, .. } = o { Some(*bound) } else { None };
    assert_eq!(
        line.all.iter().filter_map(bound).collect::<Vec<_>>(),
        [KeysBound::All, KeysBound::None],
        "ours alone from the first word on"
    );
}

#[test]
fn a_key_in_the_greeting_is_nothing_to_a_menu_that_wants_its_words_heard() {
    let mut patient = menu();
    let Step::Gather(gather) = &mut patient.nodes[0].step else { panic!("it asks first") };
    gather.barge_in = false;
    let mut line = before_menu(Setup { menus: vec![patient], ..setup() });
    presses(&mut line, '1');
    assert_eq!(line.call.stage(), Stage::Greeting);
    line.hears_to_end();
    assert_eq!((line.call.stage(), enqueued(&line)), (Stage::Menu, None));
}

#[test]
fn a_key_in_the_greeting_cuts_no_word_about_the_recording_short_and_counts_after_it() {
    let told = RecordingPolicy { mode: RecordingMode::On, ..RecordingPolicy::default() };
    let mut line = before_menu(Setup { recording: told.clone(), ..with_menu() });
    presses(&mut line, '1');
    assert_eq!(line.call.stage(), Stage::Greeting, "this call may be recorded");
    presses(&mut line, '1');
    assert_eq!(line.call.stage(), Stage::Greeting);
    line.hears_to_end();
    assert_eq!(enqueued(&line), Some((7, Some(urgent()))));
    // The greeting itself tells of it.
    let mut line = before_menu(Setup { recording: RecordingPolicy { announcement: None, ..told }, ..with_menu() });
    presses(&mut line, '1');
    assert_eq!(line.call.stage(), Stage::Greeting);
    line.hears_to_end();
    assert_eq!(enqueued(&line), Some((7, Some(urgent()))));
}

#[test]
fn a_voicemail_that_we_cut_off_has_its_end_on_record_before_the_call_has() {
    let mut line = speaking();
    line.leg(CALLER, LegInput::Spoke);
    line.tell(Input::Stop);
    let at = |wanted: &dyn Fn(&RecordEvent) -> bool| {
        line.all.iter().position(|o| matches!(o, Output::Record { event, .. } if wanted(event)))
    };
    let over = at(&|event| *event == RecordEvent::VoicemailEnded { why: VoicemailEnd::CutOff, heard: true });
    assert!(over.is_some() && over < at(&|event| matches!(event, RecordEvent::Ended { .. })));
}

#[test]
fn a_call_taken_elsewhere_hears_music_until_it_is_connected() {
    let mut line = greeted(spill(SpillFailed::Queue));
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Spilling, vec![Source::Music]));
    line.leg(ELSEWHERE, LegInput::Ringing);
    assert_eq!(line.hears(CALLER), [Source::Music], "no ringing that is not theirs");
    line.leg(ELSEWHERE, LegInput::Answered);
    assert_eq!(line.hears(CALLER), [Source::Leg(ELSEWHERE)]);
    assert_eq!((line.hears(ELSEWHERE), line.call.stage()), (vec![Source::Leg(CALLER)], Stage::Patched));
    line.leg(ELSEWHERE, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Spilled)]);
    assert_eq!((line.hung_up(CALLER), line.hung_up(ELSEWHERE)), (1, 1));
}

#[test]
fn where_nobody_answers_elsewhere_the_caller_waits_here_or_is_told() {
    for why in [Cause::Busy, Cause::NoAnswer] {
        let mut line = greeted(spill(SpillFailed::Queue));
        if why == Cause::NoAnswer {
            line.after(25);
        } else {
            line.leg(ELSEWHERE, LegInput::Ended(why));
        }
        assert!(line.recorded(&RecordEvent::SpillFailed { why }));
        assert_eq!((line.call.stage(), line.hung_up(ELSEWHERE)), (Stage::Queued, 1));
    }
    let mut line = greeted(spill(SpillFailed::Apology));
    line.leg(ELSEWHERE, LegInput::Ended(Cause::Busy));
    assert_eq!(line.call.stage(), Stage::Apology);
    assert!(line.all.contains(&Output::Alarm(CallAlarm::NoOperator)));
    line.hears_to_end();
    assert_eq!(line.ended(), [(Cause::NoAnswer, CallOutcome::NoOperator)]);
}

#[test]
fn a_caller_who_gives_up_while_it_rings_elsewhere_takes_that_ringing_along() {
    let mut line = greeted(spill(SpillFailed::Queue));
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Abandoned(Stage::Spilling))]);
    assert_eq!(line.hung_up(ELSEWHERE), 1);
}

#[test]
fn who_comes_back_to_the_queue_keeps_their_rank() {
    let mut line = in_menu();
    presses(&mut line, '1');
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp);
    line.tell(Input::SeatLost { user: kim() });
    assert!(line.all.contains(&Output::Requeue));
    assert_eq!(line.call.priority(), 7);
}

#[test]
fn all_that_may_be_said_is_known_before_it_is() {
    let line = in_menu();
    let said = line.call.speeches_on_the_way();
    for speech in
        [spoken("press"), spoken("speak"), spoken("we are closed"), Speech::Recorded { prompt: "beep".into() }]
    {
        assert!(said.contains(&speech), "{speech:?}");
    }
}

#[test]
fn a_caller_of_a_type_that_goes_first_goes_first_and_the_highest_rank_that_applies_counts() {
    let rank = |flow: i32, typed: Option<i32>| {
        let way = Flow::Queue { priority: Some(flow), call_type: Some(urgent()), skills: Default::default() };
        let ranks = typed.map(|rank| (urgent(), rank)).into_iter().collect();
        let mut line = Line::arrives_with(Setup { flow: way, ranks, priority: 3, ..setup() });
        line.leg(CALLER, LegInput::Established);
        line.hears_to_end();
        enqueued(&line).map(|(priority, _)| priority)
    };
    assert_eq!([rank(1, Some(9)), rank(9, Some(1)), rank(1, None)], [Some(9), Some(9), Some(1)]);
    // Without a rank of the flow's own, the account's is what the type's is held against.
    let way = Flow::Queue { priority: None, call_type: Some(urgent()), skills: Default::default() };
    let mut line = Line::arrives_with(Setup { flow: way, ranks: vec![(urgent(), -5)], priority: 3, ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    assert_eq!(enqueued(&line), Some((3, Some(urgent()))));
}

#[test]
fn who_presses_2_for_spanish_needs_an_operator_who_speaks_it() {
    let spanish = || crate::domain::operator::skill::Skill::parse("Spanish").expect("a skill");
    let flow = Flow::Queue { priority: None, call_type: None, skills: [spanish()].into() };
    let menu = Menu {
        name: "main".into(),
        start: "press".into(),
        nodes: vec![gather("press", &[("2", "spanish")]), exit("spanish", flow)],
        otherwise: Flow::default(),
    };
    let way = Flow::Menu { menu: "main".into() };
    let mut line = Line::arrives_with(Setup { flow: way, menus: vec![menu], ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    assert!(line.call.skills().is_empty());
    presses(&mut line, '2');
    assert_eq!((line.call.stage(), line.call.skills().clone()), (Stage::Queued, [spanish()].into()));
}

/// A caller of an account that says what follows a wait that was too long, in the queue.
fn waits(overdue: Flow) -> Line {
    let mut line = Line::arrives_with(Setup { overdue: Some(overdue), ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line
}

#[test]
fn who_has_waited_too_long_leaves_the_queue_for_a_voicemail() {
    let mut line = waits(voicemail());
    let told = line.tell(Input::Overdue);
    assert!(told.contains(&Output::Dequeue) && line.recorded(&RecordEvent::QueueLeft { to: "voicemail".into() }));
    assert_eq!(line.call.stage(), Stage::Voicemail);
    assert!(played(&line).contains(&spoken("speak")) && !played(&line).contains(&setup().apology));
    // An operator who is found a moment later is refused, not given somebody who is speaking to a machine.
    let told = line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    assert!(told.contains(&Output::OfferFailed { user: kim(), why: OfferEnd::Withdrawn }));
    // Who gives up there, with nothing said, had waited for an operator.
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&RecordEvent::Abandoned { on: Abandoned::Queue }));
}

#[test]
fn who_has_waited_too_long_and_gives_up_while_people_are_rung_had_waited_for_an_operator() {
    let mut line = waits(Flow::Patch(AutoPatch { whom: vec![], speech: None, failed: Unreached::default() }));
    line.tell(Input::Overdue);
    assert_eq!(line.call.stage(), Stage::Reaching);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert!(line.recorded(&RecordEvent::Abandoned { on: Abandoned::Queue }));
}

#[test]
fn who_has_waited_too_long_is_rung_elsewhere_and_hears_the_apology_if_nobody_answers_there() {
    const OVERDUE: LegId = LegId(98);
    let mut line = waits(spill(SpillFailed::Apology));
    line.tell(Input::Overdue);
    assert_eq!((line.call.stage(), line.hears(CALLER)), (Stage::Spilling, vec![Source::Music]));
    line.leg(OVERDUE, LegInput::Answered);
    assert_eq!(line.hears(CALLER), [Source::Leg(OVERDUE)]);
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended(), [(Cause::HungUp, CallOutcome::Spilled)]);
    let mut line = waits(spill(SpillFailed::Apology));
    line.tell(Input::Overdue);
    line.leg(OVERDUE, LegInput::Ended(Cause::Busy));
    assert_eq!(line.call.stage(), Stage::Apology);
    assert!(has(&line, &Output::Alarm(CallAlarm::NoOperator)), "somebody has to ring back");
}

#[test]
fn who_was_rung_elsewhere_before_may_be_rung_elsewhere_again_after_the_wait() {
    let mut line = Line::arrives_with(Setup {
        flow: spill(SpillFailed::Queue),
        overdue: Some(spill(SpillFailed::Apology)),
        ..setup()
    });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    line.leg(ELSEWHERE, LegInput::Ended(Cause::Busy));
    assert_eq!(line.call.stage(), Stage::Queued);
    line.tell(Input::Overdue);
    assert_eq!(line.call.stage(), Stage::Spilling);
    assert_eq!(line.hung_up(ELSEWHERE), 1);
}

#[test]
fn a_number_that_was_entered_goes_with_the_call_and_is_put_on_record_sealed() {
    let number = digits_tests::number();
    let mut node = digits_tests::node(number);
    let Step::Digits(digits) = &mut node.step else { panic!("it asks for digits") };
    digits.next = "first".into();
    let nodes = vec![node, exit("first", Flow::default())];
    let menu = Menu { name: "main".into(), start: "number".into(), nodes, otherwise: Flow::default() };
    let flow = Flow::Menu { menu: "main".into() };
    let mut line = Line::arrives_with(Setup { flow, menus: vec![menu], ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    "471#".chars().for_each(|key| drop(presses(&mut line, key)));
    let said = line.all.iter().rev().find_map(|o| match o {
        Output::PlayOnce { leg: CALLER, play, speech: Speech::Spoken { text } } => Some((*play, text.clone())),
        _ => None,
    });
    let (_, text) = said.expect("it is said back, and kept by nobody");
    assert!(text.contains("4, 7, 1"), "{text}");
    presses(&mut line, '1');
    let kept: Vec<_> = line.all.iter().filter(|o| matches!(o, Output::KeepDigits { .. })).collect();
    assert_eq!((kept.len(), line.call.stage()), (1, Stage::Queued));
    let entered: Vec<_> = line.call.entered().iter().map(|e| (e.label.as_str(), e.digits.reveal().as_str())).collect();
    assert_eq!(entered, [("policy number", "471")]);
    let bound = line.all.iter().any(|o| matches!(o, Output::BindKeys { leg: CALLER, bound: KeysBound::All }));
    assert!(bound, "neither passed on nor recorded");
    let in_the_open =
        line.all.iter().any(|o| matches!(o, Output::Record { event, .. } if format!("{event:?}").contains("471")));
    assert!(!in_the_open);
}

#[test]
fn a_number_that_could_not_be_said_back_does_not_keep_the_caller() {
    let mut node = digits_tests::node(digits_tests::number());
    let Step::Digits(digits) = &mut node.step else { panic!("it asks for digits") };
    digits.next = "first".into();
    let nodes = vec![node, exit("first", Flow::default())];
    let menu = Menu { name: "main".into(), start: "number".into(), nodes, otherwise: Flow::default() };
    let flow = Flow::Menu { menu: "main".into() };
    let mut line = Line::arrives_with(Setup { flow, menus: vec![menu], ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    "471#".chars().for_each(|key| drop(presses(&mut line, key)));
    let play = line.all.iter().rev().find_map(|o| match o {
        Output::PlayOnce { leg: CALLER, play, .. } => Some(*play),
        _ => None,
    });
    line.tell(Input::Unspoken { leg: CALLER, play: play.expect("it is to be said back") });
    assert_eq!((line.call.stage(), line.call.entered().len()), (Stage::Queued, 1));
}
