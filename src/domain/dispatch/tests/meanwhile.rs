//! Two hands on one dispatch: the second acts on what it has seen, and hears who was first.

use super::super::meanwhile::{Asks, moved, over};
use super::*;

fn asks<'a>(by: &'a str, night: &Night) -> Asks<'a> {
    Asks { by, now: night.now }
}

fn skip(night: &mut Night, by: &str, moves: u32) {
    night.tell(Event::Operator { by: by.into(), act: OperatorAct::Skip { moves: Some(moves) } });
}

fn try_again(night: &mut Night, by: &str, moves: u32) {
    night.tell(Event::Operator { by: by.into(), act: OperatorAct::Retry { moves: Some(moves) } });
}

#[test]
fn two_who_skip_the_step_that_both_see_skip_one() {
    let mut night = Night::of(plumbing());
    night.until(10);
    let seen = night.s.moves();
    skip(&mut night, "Kim", seen);
    assert_eq!((night.s.runs.len(), night.s.current()), (2, Some(1)));
    let before = night.s.clone();
    skip(&mut night, "Lee", seen);
    assert_eq!(night.s, before, "the second changes nothing");
    assert_eq!(moved(&night.s, &night.log, asks("Lee", &night)), "Kim has skipped it: step 2 is running.");
    assert_eq!(moved(&night.s, &night.log, asks("Kim", &night)), "You have skipped it: step 2 is running.");
    let seen = night.s.moves();
    skip(&mut night, "Lee", seen);
    assert_eq!(night.s.runs.len(), 3, "who has seen step 2 may skip it");
}

#[test]
fn a_double_click_at_the_last_step_loses_no_text_of_the_next_round() {
    let mut night = Night::of(plumbing());
    night.until(61);
    for _ in 0..2 {
        let seen = night.s.moves();
        skip(&mut night, "Kim", seen);
    }
    night.until(70);
    assert_eq!(night.s.runs.last().map(|run| run.step), Some(2), "step 3 rings");
    let (seen, sent) = (night.s.moves(), night.sent.len());
    skip(&mut night, "Kim", seen);
    skip(&mut night, "Kim", seen);
    assert_eq!(night.s.runs.last().map(|run| (run.round, run.step)), Some((2, 0)));
    assert_eq!(night.sent[sent..].iter().map(|(_, channel, _)| *channel).collect::<Vec<_>>(), [Channel::Text]);
}

#[test]
fn what_was_seen_before_a_pause_between_rounds_does_not_end_the_pause() {
    let mut night = Night::of(protocol(vec![(Method::TextConfirm, on_call("mobile"), 900)], true, Until::Confirmed));
    night.until(10);
    let seen = night.s.moves();
    skip(&mut night, "Kim", seen);
    assert!(matches!(night.s.cursor, Cursor::Pausing { .. }), "{:?}", night.s.cursor);
    let before = night.s.clone();
    skip(&mut night, "Lee", seen);
    assert_eq!(night.s, before);
    let told = moved(&night.s, &night.log, asks("Lee", &night));
    assert_eq!(told, "Kim has skipped it: the next round is about to begin.");
}

#[test]
fn a_step_that_is_tried_again_by_two_is_tried_again_once() {
    let mut night = Night::of(plumbing());
    night.until(600);
    let seen = night.s.moves();
    try_again(&mut night, "Kim", seen);
    try_again(&mut night, "Lee", seen);
    assert_eq!(night.times(), [(0, Channel::Text), (600, Channel::Text)]);
    let told = moved(&night.s, &night.log, asks("Lee", &night));
    assert_eq!(told, "Kim has had it tried again: step 1 is running.");
}

#[test]
fn what_failed_and_is_tried_again_by_a_double_click_leaves_once() {
    let mut night = Night::of(plumbing());
    night.refuse = Some((Channel::Text, Failure::Temporary));
    night.until(1);
    night.refuse = None;
    let (seen, sent) = (night.s.moves(), night.sent.len());
    try_again(&mut night, "Kim", seen);
    try_again(&mut night, "Kim", seen);
    assert_eq!(night.sent.len() - sent, 1);
}

#[test]
fn a_step_that_went_on_by_itself_is_not_skipped_by_who_saw_the_one_before() {
    let mut night = Night::of(plumbing());
    night.until(899);
    let seen = night.s.moves();
    night.until(901);
    let before = night.s.clone();
    skip(&mut night, "Kim", seen);
    assert_eq!(night.s, before);
    let told = moved(&night.s, &night.log, asks("Kim", &night));
    assert_eq!(told, "It has gone on meanwhile: step 2 is running.");
}

#[test]
fn who_comes_too_late_hears_who_was_first_and_for_whom() {
    let mut night = Night::of(plumbing());
    night.until(10);
    assert_eq!(over(&night.s, &night.log, asks("Lee", &night)), None);
    let yes = OperatorAct::Confirm { who: "ben".into(), note: None, edition: None };
    night.tell(Event::Operator { by: "Kim".into(), act: yes });
    let told = |night: &Night, by| over(&night.s, &night.log, asks(by, night)).expect("it is over");
    assert_eq!(told(&night, "Lee"), "Kim has just confirmed it for ben.");
    night.now = night.now.plus_secs(600);
    assert_eq!(told(&night, "Kim"), "You have confirmed it for ben.");
    let mut night = Night::of(plumbing());
    night.until(10);
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!(told(&night, "Lee"), "ben has just confirmed it.");
    let mut night = Night::of(plumbing());
    night.until(10);
    night.tell(Event::Operator { by: "Kim".into(), act: OperatorAct::Close { reason: "a drill".into() } });
    assert_eq!(told(&night, "Lee"), "Kim has just closed it.");
}
