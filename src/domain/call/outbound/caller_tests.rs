//! A call-out in which 2 is pressed: who hears whom, and what comes after.

use super::tests::{Phone, reading};
use super::*;
use crate::base::clock::Clock;
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;

fn caller() -> PhoneNumber {
    PhoneNumber::parse("+12025550147").expect("a valid number")
}

fn connects(name: &str) -> Reading {
    Reading { caller: Some(caller()), ..reading(name, None) }
}

/// Somebody who has heard the message and pressed 2.
fn pressed_two() -> Phone {
    let mut phone = Phone::answers_for(connects(""));
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('2');
    assert_eq!(phone.last(), "You will be connected to the caller now");
    assert!(!has(&phone, &OutboundOutput::DialCaller { to: caller() }), "nobody rings before that was said");
    phone.hears_to_end();
    assert!(has(&phone, &OutboundOutput::DialCaller { to: caller() }));
    assert_eq!(hears(&phone), Hears::Ringback);
    phone
}

fn has(phone: &Phone, wanted: &OutboundOutput) -> bool {
    phone.did.contains(wanted)
}

fn hears(phone: &Phone) -> Hears {
    let hears =
        phone.did.iter().rev().find_map(|did| if let OutboundOutput::Hear(hears) = did { Some(*hears) } else { None });
    hears.unwrap_or(Hears::Alone)
}

fn caller_does(phone: &mut Phone, event: LegInput) {
    phone.hear(OutboundInput::Caller(event));
}

#[test]
fn two_connects_with_the_caller_and_confirms_nothing_until_1_is_pressed_afterwards() {
    let mut phone = pressed_two();
    caller_does(&mut phone, LegInput::Ringing);
    caller_does(&mut phone, LegInput::Early);
    assert_eq!(hears(&phone), Hears::Early);
    caller_does(&mut phone, LegInput::Answered);
    assert_eq!(hears(&phone), Hears::Each);
    phone.clock.advance(Duration::from_secs(180));
    phone.presses('1');
    assert!(!phone.events.contains(&OutboundEvent::Confirmed), "said in the talk: for the caller's ears");
    caller_does(&mut phone, LegInput::Ended(Cause::HungUp));
    assert_eq!((hears(&phone), phone.last()), (Hears::Alone, "You spoke with the caller"));
    phone.hears_to_end();
    assert_eq!(phone.last(), "To confirm that you have this message, press 1");
    phone.presses('1');
    phone.hears_to_end();
    let talked =
        [OutboundEvent::Told, OutboundEvent::Joined, OutboundEvent::Parted { secs: 180 }, OutboundEvent::Confirmed];
    assert_eq!(phone.events[2..6], talked);
    assert_eq!(phone.ended(), Some(OutboundEnd::Confirmed));
}

#[test]
fn who_hangs_up_in_the_talk_was_told_and_has_not_confirmed_and_the_caller_is_let_go() {
    let mut phone = pressed_two();
    caller_does(&mut phone, LegInput::Answered);
    phone.clock.advance(Duration::from_secs(20));
    phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
    assert!(has(&phone, &OutboundOutput::HangUpCaller));
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::ToldOnly), 1));
    assert!(phone.events.contains(&OutboundEvent::Parted { secs: 20 }));
}

#[test]
fn who_hangs_up_while_the_caller_rings_leaves_nobody_ringing() {
    let mut phone = pressed_two();
    phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
    assert!(has(&phone, &OutboundOutput::HangUpCaller));
    assert_eq!(phone.ended(), Some(OutboundEnd::ToldOnly));
    assert!(phone.events.contains(&OutboundEvent::NotJoined(Cause::Released)));
}

#[test]
fn who_spoke_with_the_caller_is_asked_at_once_and_a_1_counts_from_the_first_word() {
    let mut phone = pressed_two();
    caller_does(&mut phone, LegInput::Answered);
    phone.clock.advance(Duration::from_secs(9));
    caller_does(&mut phone, LegInput::Ended(Cause::HungUp));
    assert_eq!((phone.last(), phone.ended()), ("You spoke with the caller", None), "nobody is hung up on unasked");
    phone.presses('1');
    assert_eq!(phone.last(), "Thank you");
    assert!(phone.events.contains(&OutboundEvent::Confirmed));
}

#[test]
fn a_caller_who_cannot_be_had_is_told_of_and_the_question_is_asked_again() {
    let whys = [
        (Cause::Busy, "The caller's line is busy"),
        (Cause::NoAnswer, "The caller does not answer"),
        (Cause::Forbidden, "The caller could not be connected"),
        (Cause::Limited, "The caller could not be connected"),
    ];
    for (why, said) in whys {
        let mut phone = pressed_two();
        caller_does(&mut phone, LegInput::Ended(why));
        assert_eq!((phone.last(), hears(&phone)), (said, Hears::Alone));
        assert!(phone.events.contains(&OutboundEvent::NotJoined(why)));
        phone.hears_to_end();
        phone.presses('1');
        assert!(phone.events.contains(&OutboundEvent::Confirmed));
    }
}

#[test]
fn a_caller_who_rings_for_half_a_minute_does_not_answer_and_can_be_tried_three_times() {
    let mut phone = pressed_two();
    for nth in 1..=3 {
        phone.waits();
        assert_eq!(phone.last(), "The caller does not answer");
        phone.hears_to_end();
        phone.presses('2');
        if nth < 3 {
            phone.hears_to_end();
        }
    }
    assert_eq!(phone.last(), "To confirm that you have this message, press 1");
    let dialled = phone.did.iter().filter(|did| matches!(did, OutboundOutput::DialCaller { .. })).count();
    assert_eq!(dialled, 3);
}

#[test]
fn a_star_leads_back_from_ringing_and_from_talk() {
    for joined in [false, true] {
        let mut phone = pressed_two();
        if joined {
            caller_does(&mut phone, LegInput::Answered);
        }
        phone.presses('*');
        assert!(has(&phone, &OutboundOutput::HangUpCaller));
        let said = if joined { "You spoke with the caller" } else { "The caller is not rung any more" };
        assert_eq!(phone.last(), said);
    }
}

#[test]
fn a_talk_is_ended_after_as_long_as_the_account_lets_it_last_and_a_tone_warns_before() {
    let mut phone = pressed_two();
    caller_does(&mut phone, LegInput::Answered);
    let began = phone.clock.instant();
    phone.waits();
    assert!(has(&phone, &OutboundOutput::Warn) && phone.clock.instant() - began == Duration::from_secs(540));
    phone.waits();
    assert!(phone.events.contains(&OutboundEvent::Parted { secs: 600 }));
}

#[test]
fn two_is_nothing_before_the_message_was_heard_nor_where_the_caller_left_no_number() {
    let mut phone = Phone::answers_for(connects(""));
    phone.presses('2');
    phone.presses('1');
    phone.presses('2');
    assert_eq!(phone.last(), "Content");
    let mut phone = Phone::answers_for(reading("", None));
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('2');
    assert_eq!(phone.last(), "To confirm that you have this message, press 1");
}

#[test]
fn what_is_handled_meanwhile_is_told_after_the_talk_and_at_once_while_the_caller_rings() {
    let mut phone = pressed_two();
    caller_does(&mut phone, LegInput::Answered);
    phone.hear(OutboundInput::Cancel { reading: 0 });
    assert_eq!(hears(&phone), Hears::Each, "nobody is cut off in mid-word");
    caller_does(&mut phone, LegInput::Ended(Cause::HungUp));
    assert_eq!(phone.last(), "You are no longer needed for this message");
    let mut phone = pressed_two();
    phone.hear(OutboundInput::Cancel { reading: 0 });
    assert!(has(&phone, &OutboundOutput::HangUpCaller));
    assert_eq!((phone.last(), hears(&phone)), ("You are no longer needed for this message", Hears::Alone));
}

#[test]
fn the_other_messages_of_the_call_wait_for_the_talk() {
    let mut phone = Phone::answers_for(connects(""));
    phone.hear(OutboundInput::Further(Box::new(connects(" two"))));
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('2');
    phone.hears_to_end();
    phone.hear(OutboundInput::Further(Box::new(connects(" three"))));
    caller_does(&mut phone, LegInput::Answered);
    caller_does(&mut phone, LegInput::Ended(Cause::HungUp));
    let waits = |reading: usize| -> Vec<OutboundEvent> {
        let of = phone.further.iter().filter(|(of, _)| *of == reading).map(|(_, event)| *event);
        of.filter(|event| matches!(event, OutboundEvent::Waits(_))).collect()
    };
    for other in [1, 2] {
        assert_eq!(waits(other), [OutboundEvent::Waits(true), OutboundEvent::Waits(false)], "message {other}");
    }
}

#[test]
fn whatever_happens_each_caller_who_was_dialled_is_let_go_or_told_of_once() {
    for seed in 0..3_000 {
        let mut rng = Rng::seeded(seed);
        let mut phone = Phone::answers_for(connects(""));
        for _ in 0..150 {
            match rng.below(12) {
                0 => phone.presses('1'),
                1 | 2 => phone.presses('2'),
                3 => phone.presses(['*', '9'][usize::from(rng.below(2) == 0)]),
                4..=6 => phone.hears_to_end(),
                7 => caller_does(&mut phone, LegInput::Answered),
                8 if rng.below(3) == 0 => caller_does(&mut phone, LegInput::Ended(Cause::HungUp)),
                9 if rng.below(12) == 0 => phone.hear(OutboundInput::Cancel { reading: 0 }),
                10 if rng.below(40) == 0 => phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp))),
                _ => phone.waits(),
            }
        }
        while phone.call.poll_timeout().is_some() {
            phone.waits();
        }
        let count = |wanted: fn(&OutboundEvent) -> bool| phone.events.iter().filter(|event| wanted(event)).count();
        let dialled = phone.did.iter().filter(|did| matches!(did, OutboundOutput::DialCaller { .. })).count();
        let let_go = phone.did.iter().filter(|did| **did == OutboundOutput::HangUpCaller).count();
        let (joined, parted) =
            (count(|e| *e == OutboundEvent::Joined), count(|e| matches!(e, OutboundEvent::Parted { .. })));
        let in_vain = count(|e| matches!(e, OutboundEvent::NotJoined(_)));
        assert_eq!((dialled, joined), (let_go, parted), "seed {seed}: {:?}", phone.events);
        assert_eq!(dialled, joined + in_vain, "seed {seed}: {:?}", phone.events);
        assert_eq!((count(|e| matches!(e, OutboundEvent::Ended(_))), phone.hung_up), (1, 1), "seed {seed}");
        assert!(hears(&phone) == Hears::Alone, "seed {seed}");
    }
}
