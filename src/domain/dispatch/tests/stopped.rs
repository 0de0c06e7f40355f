//! Somebody texted STOP: no text of any kind reaches them.

use super::*;

const UNTOLD: &str = "Ben is not texted about it: they asked for no more texts (STOP).";

/// What a STOP or a START does to what is known of the number.
fn block(night: &mut Night, blocked: bool) {
    night.town.contacts[0].destinations[0].blocked = blocked;
}

fn texts(night: &Night) -> usize {
    night.times().iter().filter(|(_, channel)| *channel == Channel::Text).count()
}

fn says_yes(night: &mut Night) {
    night.tell(Event::Replied { number: number(100), code: 1 });
}

#[test]
fn whoever_texted_stop_is_not_texted_that_it_is_over_and_that_is_said() {
    let mut night = Night::of(plumbing());
    night.until(60);
    block(&mut night, true);
    night.tell(Event::Stopped { number: number(100) });
    let act = OperatorAct::Close { reason: "a drill".into() };
    night.tell(Event::Operator { by: "kim".into(), act });
    says_yes(&mut night);
    assert_eq!(texts(&night), 1, "{:#?}", night.lines());
    let lines = night.lines();
    assert_eq!(lines.iter().filter(|line| *line == UNTOLD).count(), 2, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("will be told")), "{lines:#?}");
    // After a START they are answered again.
    block(&mut night, false);
    says_yes(&mut night);
    assert_eq!(texts(&night), 2);
}

#[test]
fn a_number_that_nobody_has_any_more_is_remembered_to_have_said_stop() {
    let mut night = Night::of(plumbing());
    night.until(60);
    night.town.contacts[0].destinations.clear();
    night.tell(Event::Stopped { number: number(100) });
    night.tell(Event::Operator { by: "kim".into(), act: OperatorAct::Close { reason: "a drill".into() } });
    assert_eq!(texts(&night), 1);
    assert!(night.lines().iter().any(|line| line == UNTOLD));
}

#[test]
fn an_answer_that_waits_for_its_turn_when_they_text_stop_does_not_leave() {
    let mut night = Night::of(plumbing());
    night.until(60);
    night.full = true;
    says_yes(&mut night);
    let answer = night.s.attempts.last().expect("an answer").id.clone();
    block(&mut night, true);
    night.full = false;
    night.tell(Event::Hand { attempt: answer, node: "n".into() });
    assert_eq!((texts(&night), night.s.wake()), (1, None));
    assert!(night.lines().iter().any(|line| line == UNTOLD), "{:#?}", night.lines());
}
