//! A status greeting before the greeting, and a check-in that puts one up.

use super::*;
use crate::domain::call::check_in::Wish;
use crate::domain::checkin::status_greeting::StatusNow;
use crate::domain::checkin::{self, Looked, Welcome};

fn words(text: &str) -> Speech {
    Speech::Spoken { text: text.to_owned() }
}

fn ice() -> Speech {
    Speech::Uploaded { recording: "ice".into() }
}

/// Hears the last words to their end, whatever they were.
fn hears_out(line: &mut Line) -> Vec<Output> {
    let last = line.all.iter().rev().find_map(|o| match o {
        Output::Play { play, .. } | Output::PlayOnce { play, .. } | Output::PlayDictated { play, .. } => Some(*play),
        _ => None,
    });
    line.tell(Input::PlayDone { leg: CALLER, play: last.expect("something plays") })
}

#[test]
fn a_status_greeting_is_heard_before_the_greeting_and_the_flow_comes_after_both() {
    let mut line = Line::arrives_with(Setup { status: Some(ice()), ..setup() });
    line.leg(CALLER, LegInput::Established);
    assert_eq!(line.last_play.clone().map(|p| p.2), Some(ice()));
    assert!(line.recorded(&RecordEvent::StatusGreetingPlayed));
    line.hears_to_end();
    assert_eq!((line.last_play.clone().map(|p| p.2), line.call.stage()), (Some(words("greeting")), Stage::Greeting));
    line.hears_to_end();
    assert_eq!(line.call.stage(), Stage::Queued);
}

#[test]
fn a_status_greeting_whose_end_is_never_told_keeps_nobody_from_the_greeting() {
    let mut line = Line::arrives_with(Setup { status: Some(ice()), ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.after(PROMPT_LIMIT.as_secs());
    assert_eq!(line.last_play.clone().map(|p| p.2), Some(words("greeting")));
    line.after(PROMPT_LIMIT.as_secs());
    assert_eq!(line.call.stage(), Stage::Queued);
}

#[test]
fn who_knows_the_way_presses_past_both() {
    let mut line = Line::arrives_with(Setup { status: Some(ice()), flow: Flow::CheckIn, ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.leg(CALLER, LegInput::Digit('4'));
    assert_eq!(line.call.stage(), Stage::CheckIn);
}

#[test]
fn what_is_spoken_in_at_a_check_in_is_taken_down_played_back_and_put_up() {
    let mut line = Line::arrives_with(Setup { flow: Flow::CheckIn, ..setup() });
    line.leg(CALLER, LegInput::Established);
    line.hears_to_end();
    for key in "4711#".chars() {
        line.leg(CALLER, LegInput::Digit(key));
    }
    let welcome = Welcome { who: "Ada".into(), ..Welcome::default() };
    line.tell(Input::CheckIn(checkin::Input::Looked(Looked::Welcome(Box::new(welcome)))));
    line.leg(CALLER, LegInput::Digit('5'));
    // Straight to the tone.
    line.leg(CALLER, LegInput::Digit('#'));
    let told = hears_out(&mut line);
    assert!(told.contains(&Output::Dictate { leg: CALLER, on: true }), "{told:?}");
    let told = line.leg(CALLER, LegInput::Digit('#'));
    assert!(told.contains(&Output::Dictate { leg: CALLER, on: false }), "{told:?}");
    line.tell(Input::CheckIn(checkin::Input::Dictated(true)));
    let told = hears_out(&mut line);
    assert!(told.iter().any(|o| matches!(o, Output::PlayDictated { leg: CALLER, .. })), "{told:?}");
    hears_out(&mut line);
    let told = line.leg(CALLER, LegInput::Digit('1'));
    assert!(told.contains(&Output::CheckIn(Wish::PutUpGreeting { until_morning: false })), "{told:?}");
    let up = StatusNow { speech: ice(), words: "It plays.".into() };
    line.tell(Input::CheckIn(checkin::Input::GreetingUp(Some(up))));
    assert!(line.recorded(&RecordEvent::StatusGreetingPutUp));
    line.leg(CALLER, LegInput::Ended(Cause::HungUp));
    assert_eq!(line.ended().len(), 1);
}
