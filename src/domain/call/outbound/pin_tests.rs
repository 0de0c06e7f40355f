//! A call-out for a message that is read to nobody without a PIN.

use super::tests::{Phone, reading};
use super::*;
use crate::base::id::ContactId;
use crate::base::rng::Rng;

fn asks(name: &str, leave: Option<&str>) -> Reading {
    Reading { pin: Some(AskPin { contact: Some(ContactId::named("ben")) }), ..reading(name, leave) }
}

/// Somebody who has pressed 1 and is asked for the PIN.
fn asked(leave: Option<&str>) -> Phone {
    let mut phone = Phone::answers_for(asks("", leave));
    phone.presses('1');
    assert_eq!(phone.last(), "Please enter your PIN, then press the pound key");
    phone
}

/// Presses these digits; what is looked up then.
fn enters(phone: &mut Phone, keys: &str) -> Option<String> {
    phone.did.clear();
    keys.chars().for_each(|key| phone.presses(key));
    phone.did.iter().find_map(|did| match did {
        OutboundOutput::Look { pin, .. } => Some(pin.reveal().to_owned()),
        _ => None,
    })
}

fn looked(phone: &mut Phone, looked: PinLooked) {
    phone.hear(OutboundInput::Looked(looked));
}

#[test]
fn with_the_right_pin_the_message_is_read_and_before_it_not_a_word() {
    let mut phone = asked(None);
    assert_eq!(enters(&mut phone, "4711"), None, "there may come more");
    assert!(!phone.heard.contains(&"Content".to_owned()));
    assert_eq!(enters(&mut phone, "#").as_deref(), Some("4711"));
    looked(&mut phone, PinLooked::Right);
    assert_eq!(phone.last(), "Content");
    phone.hears_to_end();
    phone.presses('9');
    assert_eq!(phone.last(), "Content", "once is enough");
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    assert_eq!(phone.ended(), Some(OutboundEnd::Confirmed));
}

#[test]
fn three_wrong_ones_and_the_request_is_left_as_if_nobody_had_taken_it() {
    let mut phone = asked(Some("Leave"));
    for _ in 0..2 {
        assert_eq!(enters(&mut phone, "1111#").as_deref(), Some("1111"));
        looked(&mut phone, PinLooked::Wrong);
        assert_eq!(phone.last(), "That PIN is not right");
        phone.hears_to_end();
    }
    assert!(enters(&mut phone, "1112#").is_some());
    looked(&mut phone, PinLooked::Wrong);
    assert_eq!(phone.last(), "The message cannot be read out now");
    phone.hears_to_end();
    assert_eq!(phone.last(), "Leave");
    phone.hears_to_end();
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::LeftRequest), 1));
    assert!(!phone.heard.contains(&"Content".to_owned()));
    let told = phone.events.iter().filter(|event| **event == OutboundEvent::WrongPins).count();
    assert_eq!(told, 1, "operators are told that somebody is there who does not know it");
}

#[test]
fn nothing_entered_is_asked_for_twice_and_then_the_call_is_not_accepted() {
    let mut phone = asked(None);
    phone.hears_to_end();
    phone.waits();
    assert_eq!(phone.heard.iter().filter(|heard| heard.starts_with("Please enter")).count(), 2);
    phone.hears_to_end();
    phone.waits();
    phone.hears_to_end();
    assert_eq!(phone.ended(), Some(OutboundEnd::NotAccepted));
    assert!(!phone.events.contains(&OutboundEvent::WrongPins), "none was keyed");
}

#[test]
fn digits_that_nobody_ends_are_looked_up_and_a_star_begins_anew() {
    let mut phone = asked(None);
    assert_eq!(enters(&mut phone, "47*4712"), None);
    phone.waits();
    let pin = phone.did.iter().find_map(|did| match did {
        OutboundOutput::Look { pin, .. } => Some(pin.reveal().to_owned()),
        _ => None,
    });
    assert_eq!(pin.as_deref(), Some("4712"));
    // And nobody says what becomes of it.
    phone.waits();
    assert_eq!(phone.last(), "The message cannot be read out now");
    looked(&mut phone, PinLooked::Right);
    assert!(!phone.heard.contains(&"Content".to_owned()), "too late");
}

#[test]
fn a_pin_counts_for_the_other_messages_of_the_same_person_and_a_refusal_too() {
    for right in [true, false] {
        let mut phone = asked(None);
        phone.hear(OutboundInput::Further(Box::new(asks(" two", None))));
        for _ in 0..if right { 1 } else { 3 } {
            assert!(enters(&mut phone, "4711#").is_some());
            looked(&mut phone, if right { PinLooked::Right } else { PinLooked::Wrong });
        }
        phone.hears_to_end();
        if right {
            phone.presses('1');
            phone.hears_to_end();
            phone.presses('1');
            assert_eq!(phone.last(), "Content two");
        } else {
            assert_eq!(
                (phone.ended(), phone.ends(1)),
                (Some(OutboundEnd::NotAccepted), vec![OutboundEnd::NotAccepted])
            );
        }
    }
    let mut phone = asked(None);
    let other = Reading { pin: Some(AskPin { contact: Some(ContactId::named("ann")) }), ..reading(" two", None) };
    phone.hear(OutboundInput::Further(Box::new(other)));
    assert!(enters(&mut phone, "4711#").is_some());
    looked(&mut phone, PinLooked::Right);
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    assert!(phone.last().starts_with("Please enter"), "it was somebody else's");
}

#[test]
fn whatever_keys_come_nothing_is_read_before_a_pin_was_right() {
    for seed in 0..3_000 {
        let mut rng = Rng::seeded(seed);
        let mut phone = Phone::answers_for(asks("", (seed % 2 == 0).then_some("Leave")));
        let mut right = false;
        for _ in 0..120 {
            match rng.below(8) {
                0 | 1 => {
                    phone.presses(['1', '2', '5', '9', '*', '#', '4'][usize::try_from(rng.below(7)).expect("small")])
                }
                2 | 3 => phone.hears_to_end(),
                4 if matches!(phone.call.phase, Phase::Looking { .. }) => {
                    let answer = [PinLooked::Right, PinLooked::Wrong, PinLooked::Failed];
                    let answer = answer[usize::try_from(rng.below(3)).expect("small")];
                    right |= answer == PinLooked::Right;
                    looked(&mut phone, answer);
                }
                5 => phone.hear(OutboundInput::Heard([Heard::Voice, Heard::Quiet][usize::from(rng.below(2) == 0)])),
                _ => phone.waits(),
            }
            assert!(right || !phone.heard.contains(&"Content".to_owned()), "seed {seed}: {:?}", phone.heard);
        }
    }
}
