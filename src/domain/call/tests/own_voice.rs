//! An operator's own voice: when it plays, to whom, and what ends it.

use super::*;
use crate::domain::account::{RecordingMode, RecordingPolicy};
use crate::domain::call::recording::RecordingCommand;

fn own() -> Speech {
    Speech::Uploaded { recording: "kim".into() }
}

fn with_phrase() -> Setup {
    Setup { phrases: vec![(kim(), own())], ..setup() }
}

/// Kim has just taken the call.
fn taken(setup: Setup) -> Line {
    let mut line = Line::arrives_with(setup);
    line.leg(CALLER, LegInput::Established);
    while line.call.stage() == Stage::Greeting {
        line.hears_to_end();
    }
    offered(&mut line);
    line
}

fn offered(line: &mut Line) -> Vec<Output> {
    line.tell(Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp)
}

/// To whom her voice was played, so far.
fn played(line: &Line) -> Vec<(LegId, u64)> {
    let plays = |o: &Output| match o {
        Output::Play { leg, play, speech } if *speech == own() => Some((*leg, *play)),
        _ => None,
    };
    line.all.iter().filter_map(plays).collect()
}

fn stopped(told: &[Output], (leg, play): (LegId, u64)) -> bool {
    told.contains(&Output::StopPlay { leg, play })
}

#[test]
fn caller_and_operator_hear_her_voice_when_she_takes_the_call_and_talk_after_it() {
    let mut line = taken(with_phrase());
    let all = played(&line);
    assert_eq!(all.iter().map(|(leg, _)| *leg).collect::<Vec<_>>(), [CALLER, OPERATOR]);
    assert!(line.recorded(&RecordEvent::OwnPhrasePlayed { user: kim() }));
    for (leg, play) in all {
        line.tell(Input::PlayDone { leg, play });
    }
    assert_eq!(line.hears(CALLER), [Source::Leg(OPERATOR)]);
    assert_eq!(played(&taken(setup())), [], "who has recorded none speaks herself");
}

#[test]
fn a_key_of_hers_or_anything_that_she_does_ends_it_for_both() {
    let mut line = taken(with_phrase());
    let all = played(&line);
    let told = line.does(OperatorCommand::Speak);
    assert!(all.iter().all(|play| stopped(&told, *play)), "{told:?}");
    let mut line = taken(with_phrase());
    let all = played(&line);
    let told = line.does(OperatorCommand::Hold);
    assert!(all.iter().all(|play| stopped(&told, *play)), "{told:?}");
    let mut line = taken(with_phrase());
    let all = played(&line);
    let told = line.leg(OPERATOR, LegInput::Digit('1'));
    assert!(all.iter().all(|play| stopped(&told, *play)), "a key of a desk phone: {told:?}");
}

#[test]
fn it_plays_once_in_a_call_and_to_nobody_who_has_been_spoken_with() {
    let mut line = taken(with_phrase());
    line.does(OperatorCommand::Hold);
    line.does(OperatorCommand::Retrieve);
    line.does(OperatorCommand::Park { slot: 1 });
    line.tell(Input::Fetch { user: kim(), leg: OPERATOR, ring: true });
    line.leg(OPERATOR, LegInput::Answered);
    line.leg(OPERATOR, LegInput::MediaUp);
    assert_eq!(line.call.stage(), Stage::Talking);
    assert_eq!(played(&line).len(), 2, "once, to each of the two");
}

#[test]
fn the_words_about_a_recording_are_not_talked_over() {
    let words = Speech::Spoken { text: "recorded".into() };
    let policy = RecordingPolicy {
        mode: RecordingMode::OnDemand,
        announcement: Some(words.clone()),
        ..RecordingPolicy::default()
    };
    let mut line = taken(Setup { recording: policy, ..with_phrase() });
    let all = played(&line);
    let told = line.does(OperatorCommand::Recording(RecordingCommand::Start));
    assert!(all.iter().all(|play| stopped(&told, *play)), "{told:?}");
    assert_eq!(line.last_play.clone().map(|p| p.2), Some(words));
}
