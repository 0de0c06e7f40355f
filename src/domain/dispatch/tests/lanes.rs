//! Attempts that wait for their turn, as the dispatch sees it: said, an alarm, and no reason to stand still.

use super::*;
use crate::domain::dispatch::along::{is_whole, pick_last};
use crate::domain::dispatch::lanes::Ready;

impl Night {
    /// There is room again: all that waits has its turn.
    fn frees_the_lanes(&mut self) {
        self.full = false;
        let waiting: Vec<AttemptId> = self.s.attempts.iter().filter(|a| a.is_planned()).map(|a| a.id.clone()).collect();
        for attempt in waiting {
            self.tell(Event::Hand { attempt, node: "n".into() });
        }
    }

    fn full(protocol: Protocol) -> Self {
        let mut night = Self::of(protocol);
        night.full = true;
        night
    }
}

const HELD: Trouble = Trouble::HeldBack { channel: Channel::Text };

#[test]
fn a_text_that_has_its_turn_within_the_minute_is_waited_for_from_when_it_was_taken() {
    let mut night = Night::full(plumbing());
    night.until(30);
    assert!(night.lines().contains(&"Text to ben waits for its turn: more is to leave than may at once.".to_owned()));
    let (_, next) = timeline::next(&night.s, "UTC").expect("something comes");
    assert!(next.starts_with("Text to ben waits for its turn since "), "{next}");
    night.frees_the_lanes();
    night.until(931);
    assert_eq!(night.times(), [(30, Channel::Text), (930, Channel::Call)]);
    assert!(!night.s.troubles.contains(&HELD));
}

#[test]
fn an_urgent_text_that_is_held_back_is_an_alarm_and_the_call_after_it_comes_in_time() {
    let mut night = Night::full(plumbing());
    night.until(59);
    assert!(night.s.troubles.is_empty());
    night.until(60);
    assert!(night.s.troubles.contains(&HELD));
    night.until(180);
    night.frees_the_lanes();
    assert!(night.s.troubles.is_empty(), "it has left");
    night.until(901);
    assert_eq!(
        night.times(),
        [(180, Channel::Text), (900, Channel::Call)],
        "the wait ran from when it was put in line"
    );
}

#[test]
fn a_text_that_becomes_urgent_while_it_waits_for_its_turn_is_an_alarm_like_any_urgent_one() {
    let mut night = Night::full(plumbing());
    night.s.urgency = Urgency::Routine;
    night.until(30);
    let protocol = Some(Box::new(night.s.protocol.clone()));
    let act = OperatorAct::Change { urgency: Urgency::Urgent, protocol, again: false, unsent: None };
    night.tell(Event::Operator { by: "Kim".into(), act });
    night.until(59);
    assert!(night.s.troubles.is_empty());
    night.until(60);
    assert!(night.s.troubles.contains(&HELD));
}

#[test]
fn a_routine_email_waits_as_long_as_it_takes_and_nobody_is_alarmed() {
    let steps = vec![(Method::Email, vec![named("ben", "email")], 600), (Method::Text, on_call("mobile"), 0)];
    let mut night = Night::full(protocol(steps, false, Until::Confirmed));
    night.s.urgency = Urgency::Routine;
    night.until(3_600);
    assert_eq!((night.s.runs.len(), night.s.troubles.len()), (1, 0));
    night.frees_the_lanes();
    night.until(4_201);
    assert_eq!(night.times(), [(3_600, Channel::Email), (4_200, Channel::Text)]);
}

#[test]
fn a_step_that_comes_again_before_its_text_has_left_says_it_once() {
    let mut night = Night::full(plumbing());
    night.until(2_000);
    assert_eq!(night.s.round, 2, "calls that have no turn hold up no round either");
    night.frees_the_lanes();
    let texts: Vec<_> = night.s.attempts.iter().filter(|a| a.channel == Channel::Text).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts[0].cancelled && texts[1].accepted_at.is_some());
    assert_eq!(texts[0].code, texts[1].code);
    assert_eq!(night.times().iter().filter(|(_, channel)| *channel == Channel::Text).count(), 1);
    let said = "The text to ben that still waits for its turn is left out: the next says the same.";
    assert!(night.lines().contains(&said.to_owned()), "{:?}", night.lines());
}

#[test]
fn what_waits_is_dropped_by_the_yes_to_something_else() {
    let mut night = Night::full(plumbing());
    night.until(70);
    night.tell(Event::Replied { number: number(100), code: 1 });
    assert_eq!((night.s.phase, night.s.troubles.len()), (Phase::Confirmed, 0));
    night.full = false;
    let first = night.s.attempts[0].id.clone();
    night.tell(Event::Hand { attempt: first, node: "n".into() });
    assert!(night.times().is_empty(), "nothing of it leaves any more");
    assert!(night.s.attempts[0].is_settled(), "and nothing waits for ever");
}

#[test]
fn after_a_start_what_waits_is_put_in_line_again_and_has_waited_as_long() {
    let mut night = Night::full(plumbing());
    night.until(20);
    let since = night.s.attempts[0].queued_at;
    assert_eq!(since, Some(night.s.open_at));
    let (after, effects) = apply(&night.s, &Event::Resume, night.now, &night.town);
    assert_eq!(effects, [Effect::Hand(after.attempts[0].id.clone())]);
    assert_eq!(after.attempts[0].queued_at, since);
    assert_eq!(Ready::of(&after, &after.attempts[0], None).due, night.s.open_at, "and keeps its place");
}

#[test]
fn only_what_asks_for_nothing_and_is_not_urgent_may_leave_in_one_with_others() {
    let to = || vec![named("ben", "mobile")];
    let mail = || vec![named("ben", "email")];
    let steps = vec![
        (Method::Text, to(), 0),
        (Method::Email, mail(), 0),
        (Method::TextConfirm, to(), 0),
        (Method::EmailConfirm, mail(), 0),
        (Method::CallOut { leave_message: false }, to(), 60),
    ];
    for (urgency, joining) in [(Urgency::Routine, [true, true, false, false, false]), (Urgency::Urgent, [false; 5])] {
        let mut night = Night::of(protocol(steps.clone(), false, Until::Confirmed));
        night.s.urgency = urgency;
        night.until(1);
        let joins: Vec<bool> = night.s.attempts.iter().map(|a| night.s.may_join(a)).collect();
        assert_eq!(joins, joining, "{urgency:?}");
        night.s.urgency = Urgency::Urgent;
        assert!(!night.s.attempts.iter().any(|a| night.s.may_join(a)), "it has become urgent since");
    }
}

#[test]
fn one_of_several_in_a_text_has_its_own_facts_and_says_so() {
    let mut night =
        Night::of(protocol(vec![(Method::Text, vec![named("ben", "mobile")], 0)], false, Until::HandedOver));
    night.silent = true;
    night.until(0);
    let own = night.s.attempts[0].id.clone();
    let first = AttemptId::named("another-1");
    let event = Event::AcceptedAlong { attempt: own, provider_id: "SM1".into(), along: first.clone(), of: 3 };
    night.tell(event);
    night.tell(Event::Due);
    let a = &night.s.attempts[0];
    assert_eq!((a.along.as_ref(), a.provider_id.as_deref()), (Some(&first), Some("SM1")));
    assert_eq!(night.s.phase, Phase::Delivered);
    let line = "It went to ben in one text with others that had waited: 3 messages.";
    assert!(night.lines().iter().any(|said| said == line), "{:?}", night.lines());
}

/// A text that the carrier took `secs` after T0 under a name that it gives again and again; `along`: in one with others, so many.
fn taken_after(name: &str, secs: i64, along: Option<(&str, usize)>) -> (DispatchId, Attempt) {
    let mut night =
        Night::full(protocol(vec![(Method::Text, vec![named("ben", "mobile")], 0)], false, Until::HandedOver));
    night.silent = true;
    night.until(secs);
    night.frees_the_lanes();
    let (attempt, provider_id) = (night.s.attempts[0].id.clone(), "7".to_owned());
    night.tell(match along {
        Some((first, of)) => Event::AcceptedAlong { attempt, provider_id, along: AttemptId::named(first), of },
        None => Event::Accepted { attempt, provider_id: Some(provider_id) },
    });
    let taken = Attempt { id: AttemptId::named(name), ..night.s.attempts[0].clone() };
    (DispatchId::named(name), taken)
}

#[test]
fn a_name_that_a_carrier_gives_anew_means_what_had_it_last_and_all_that_left_with_that() {
    let before =
        [taken_after("a", 10, None), taken_after("b", 20, Some(("b", 2))), taken_after("c", 20, Some(("b", 2)))];
    let last = ["d", "e", "f"].map(|name| taken_after(name, 300, Some(("d", 3))));
    let alone = taken_after("g", 600, None);
    let names = |picked: &[(DispatchId, Attempt)]| -> Vec<String> {
        picked.iter().map(|(_, attempt)| attempt.id.as_str().trim_start_matches("att_").to_owned()).collect()
    };
    let picked = pick_last([&last[..], &before[..]].concat());
    assert_eq!((names(&picked), is_whole(&picked)), (vec!["d".into(), "e".into(), "f".into()], true));
    let part = pick_last([&before[..], &last[..2]].concat());
    assert_eq!(
        (names(&part), is_whole(&part)),
        (vec!["d".into(), "e".into()], false),
        "the third is not on record yet"
    );
    let picked = pick_last([&before[..], std::slice::from_ref(&alone), &last[..]].concat());
    assert_eq!((names(&picked), is_whole(&picked)), (vec!["g".into()], true));
    assert!(!is_whole(&pick_last(vec![])), "nothing is known of it");
}
