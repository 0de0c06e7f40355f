//! A call-out from end to end, as a person hears it who presses keys or does not.

use super::*;
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::phone::PhoneNumber;
use crate::base::rng::Rng;
use crate::domain::account::Speech;
use crate::domain::call::bridge::LegId;

pub(super) fn reading(name: &str, leave: Option<&str>) -> Reading {
    Reading {
        intro: format!("Intro{name}."),
        content: Some(format!("Content{name}.")),
        leave: leave.map(|leave| format!("{leave}{name}.")),
        ..Reading::default()
    }
}

pub(super) struct Phone {
    pub(super) clock: TestClock,
    pub(super) call: Outbound,
    pub(super) heard: Vec<String>,
    /// Of the first message.
    pub(super) events: Vec<OutboundEvent>,
    /// Of those that came later.
    pub(super) further: Vec<(usize, OutboundEvent)>,
    pub(super) hung_up: usize,
    play: u64,
    /// What else was to be done.
    pub(super) did: Vec<OutboundOutput>,
}

impl Phone {
    fn dialled(leave: Option<&str>) -> Self {
        Self::dialled_for(reading("", leave))
    }

    pub(super) fn dialled_for(first: Reading) -> Self {
        let clock = TestClock::at(UtcMs(0));
        let setup = OutboundSetup {
            leg: LegId(1),
            to: PhoneNumber::parse("+12025550190").expect("a valid number"),
            ring: Duration::from_secs(30),
            longest_talk: Some(Duration::from_secs(600)),
            first,
        };
        let call = Outbound::new(clock.instant(), setup);
        let mut phone =
            Self { clock, call, heard: vec![], events: vec![], further: vec![], hung_up: 0, play: 0, did: vec![] };
        phone.hear(OutboundInput::Start);
        phone
    }

    fn rings(leave: Option<&str>) -> Self {
        let mut phone = Self::dialled(leave);
        phone.hear(OutboundInput::Leg(LegInput::Ringing));
        phone
    }

    /// And says hello.
    fn answers(leave: Option<&str>) -> Self {
        Self::answers_for(reading("", leave))
    }

    pub(super) fn answers_for(first: Reading) -> Self {
        let mut phone = Self::dialled_for(first);
        phone.hear(OutboundInput::Leg(LegInput::Ringing));
        phone.hear(OutboundInput::Leg(LegInput::Answered));
        phone.says_hello();
        phone
    }

    /// The last words that were said.
    pub(super) fn last(&self) -> &str {
        self.heard.last().map_or("", String::as_str)
    }

    fn says_hello(&mut self) {
        self.hear(OutboundInput::Heard(Heard::Voice));
        self.clock.advance(Duration::from_secs(1));
        self.hear(OutboundInput::Heard(Heard::Quiet));
    }

    pub(super) fn ends(&self, reading: usize) -> Vec<OutboundEnd> {
        let ends = self.further.iter().filter(|(of, _)| *of == reading);
        ends.filter_map(|(_, event)| if let OutboundEvent::Ended(how) = event { Some(*how) } else { None }).collect()
    }

    pub(super) fn hear(&mut self, input: OutboundInput) {
        self.call.handle(self.clock.instant(), input);
        while let Some(output) = self.call.poll_output() {
            match output {
                OutboundOutput::Play { play, speech: Speech::Spoken { text }, .. } => {
                    self.play = play;
                    self.heard.push(text.split('.').next().unwrap_or_default().to_owned());
                }
                OutboundOutput::Event { reading: 0, event } => self.events.push(event),
                OutboundOutput::Event { reading, event } => self.further.push((reading, event)),
                OutboundOutput::HangUp { .. } => self.hung_up += 1,
                other => self.did.push(other),
            }
        }
    }

    pub(super) fn hears_to_end(&mut self) {
        self.hear(OutboundInput::PlayDone { play: self.play });
    }

    pub(super) fn presses(&mut self, key: char) {
        self.hear(OutboundInput::Leg(LegInput::Digit(key)));
    }

    pub(super) fn waits(&mut self) {
        if let Some(at) = self.call.poll_timeout() {
            self.clock.advance(at - self.clock.instant());
            self.hear(OutboundInput::Tick);
        }
    }

    pub(super) fn ended(&self) -> Option<OutboundEnd> {
        self.events.iter().find_map(|e| match e {
            OutboundEvent::Ended(how) => Some(*how),
            _ => None,
        })
    }
}

#[test]
fn one_hears_and_one_confirms() {
    let mut phone = Phone::answers(None);
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    assert_eq!(
        phone.events,
        [
            OutboundEvent::Ringing,
            OutboundEvent::Answered,
            OutboundEvent::Told,
            OutboundEvent::Confirmed,
            OutboundEvent::Ended(OutboundEnd::Confirmed)
        ]
    );
    assert_eq!(phone.hung_up, 1);
}

#[test]
fn a_one_before_the_call_back_number_does_not_confirm() {
    let mut phone = Phone::answers(None);
    phone.presses('1');
    phone.presses('1');
    phone.presses('1');
    phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
    assert_eq!(phone.ended(), Some(OutboundEnd::NotAccepted), "hung up in mid-message: not told");
    assert!(!phone.events.contains(&OutboundEvent::Confirmed) && !phone.events.contains(&OutboundEvent::Told));
}

#[test]
fn nine_repeats_the_message() {
    let mut phone = Phone::answers(None);
    phone.presses('1');
    phone.presses('9');
    phone.presses('1');
    assert_eq!(phone.ended(), None);
    assert!(!phone.events.contains(&OutboundEvent::Confirmed), "begun anew before its end: 1 is no confirmation");
    phone.hears_to_end();
    phone.presses('9');
    phone.hears_to_end();
    phone.presses('1');
    assert!(phone.events.contains(&OutboundEvent::Confirmed));
    assert_eq!(phone.heard.iter().filter(|h| *h == "Content").count(), 3);
    assert_eq!(phone.events.iter().filter(|e| **e == OutboundEvent::Told).count(), 1);
}

#[test]
fn who_has_heard_it_to_its_end_confirms_while_it_is_repeated() {
    let mut phone = Phone::answers(None);
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('9');
    assert_eq!(phone.last(), "Content");
    phone.clock.advance(Duration::from_secs(5));
    phone.presses('1');
    assert_eq!(phone.last(), "Thank you");
    phone.hears_to_end();
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::Confirmed), 1));
    // What was heard of one message says nothing of the next.
    let mut phone = Phone::answers(None);
    phone.hear(OutboundInput::Further(Box::new(reading(" two", None))));
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    assert_eq!(phone.last(), "Content two");
    phone.presses('1');
    phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
    assert_eq!(phone.ends(1), [OutboundEnd::NotAccepted]);
}

#[test]
fn where_no_key_is_pressed_the_callback_request_is_left_and_nothing_of_the_message() {
    let mut phone = Phone::answers(Some("Leave"));
    for _ in 0..3 {
        phone.hears_to_end();
        phone.waits();
    }
    phone.hears_to_end();
    assert_eq!(phone.heard, ["Intro", "Intro", "Intro", "Leave"]);
    assert_eq!(phone.ended(), Some(OutboundEnd::LeftRequest));
}

#[test]
fn without_words_to_leave_nothing_is_left() {
    let mut phone = Phone::answers(None);
    for _ in 0..3 {
        phone.hears_to_end();
        phone.waits();
    }
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::NotAccepted), 1));
}

#[test]
fn heard_and_not_confirmed_is_told_only() {
    let mut phone = Phone::answers(Some("Leave"));
    phone.presses('1');
    phone.hears_to_end();
    for _ in 0..3 {
        phone.hears_to_end();
        phone.waits();
    }
    assert_eq!(phone.ended(), Some(OutboundEnd::ToldOnly));
    assert!(!phone.heard.contains(&"Leave".to_owned()));
}

#[test]
fn a_telephone_that_never_rang_was_out_of_reach() {
    let mut phone = Phone::dialled(None);
    phone.waits();
    assert_eq!(phone.ended(), Some(OutboundEnd::NotReached(Cause::Unreachable)));
}

#[test]
fn nobody_answers_within_the_ring_time() {
    let mut phone = Phone::rings(Some("Leave"));
    phone.waits();
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::NotReached(Cause::NoAnswer)), 1));
}

#[test]
fn a_busy_number_is_not_reached() {
    let mut phone = Phone::rings(None);
    phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::Busy)));
    assert_eq!(phone.ended(), Some(OutboundEnd::NotReached(Cause::Busy)));
}

#[test]
fn a_stand_down_is_said_to_whoever_listens_and_silences_a_ringing_phone() {
    let mut phone = Phone::rings(None);
    phone.hear(OutboundInput::Cancel { reading: 0 });
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::Cancelled), 1));

    let mut phone = Phone::answers(None);
    phone.presses('1');
    phone.hear(OutboundInput::Cancel { reading: 0 });
    assert_eq!(phone.heard.last().map(String::as_str), Some("You are no longer needed for this message"));
    phone.hears_to_end();
    assert_eq!(phone.ended(), Some(OutboundEnd::Cancelled));
}

#[test]
fn a_service_that_stops_says_nothing_untrue() {
    let mut phone = Phone::answers(None);
    phone.hear(OutboundInput::Stop);
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::NotAccepted), 1));
    assert_eq!(phone.heard, ["Intro"]);
}

#[test]
fn further_messages_are_read_in_the_same_call_and_confirmed_one_by_one() {
    let mut phone = Phone::answers(Some("Leave"));
    phone.presses('1');
    phone.hear(OutboundInput::Further(Box::new(reading(" two", None))));
    phone.hears_to_end();
    phone.presses('1');
    assert_eq!(phone.heard.last().map(String::as_str), Some("Thank you"));
    phone.hears_to_end();
    assert_eq!((phone.ended(), phone.ends(1)), (None, vec![]), "their waits begin when the call ends");
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    assert_eq!(
        phone.heard,
        [
            "Intro",
            "Content",
            "To confirm that you have this message, press 1",
            "Thank you",
            "Intro two",
            "Content two",
            "To confirm that you have this message, press 1",
            "Thank you"
        ]
    );
    assert_eq!((phone.ended(), phone.ends(1)), (Some(OutboundEnd::Confirmed), vec![OutboundEnd::Confirmed]));
    let order: Vec<_> = phone.further.iter().map(|(_, event)| *event).collect();
    assert_eq!(order[..3], [OutboundEvent::Answered, OutboundEvent::Told, OutboundEvent::Confirmed]);
    assert_eq!(phone.hung_up, 1);
}

#[test]
fn a_further_message_that_is_not_taken_is_not_confirmed_with_the_first() {
    let mut phone = Phone::answers(None);
    phone.hear(OutboundInput::Further(Box::new(reading(" two", None))));
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp)));
    assert_eq!((phone.ended(), phone.ends(1)), (Some(OutboundEnd::Confirmed), vec![OutboundEnd::NotAccepted]));
}

#[test]
fn a_request_that_is_said_to_somebody_who_took_the_first_message_was_said_to_a_person() {
    let mut phone = Phone::answers(Some("Leave"));
    phone.hear(OutboundInput::Further(Box::new(reading(" two", Some("Leave")))));
    phone.presses('1');
    phone.hears_to_end();
    phone.presses('1');
    phone.hears_to_end();
    for _ in 0..3 {
        assert_eq!(phone.last(), "Intro two");
        phone.hears_to_end();
        phone.waits();
    }
    assert_eq!(phone.last(), "Leave two", "nothing is left of what they took");
    phone.hears_to_end();
    assert_eq!((phone.ended(), phone.ends(1)), (Some(OutboundEnd::Confirmed), vec![OutboundEnd::LeftWithPerson]));
}

#[test]
fn a_request_is_left_for_each_message_and_one_that_comes_meanwhile_is_left_too() {
    let mut phone = Phone::answers(Some("Leave"));
    phone.hear(OutboundInput::Further(Box::new(reading(" two", Some("Leave")))));
    for _ in 0..6 {
        phone.hears_to_end();
        phone.waits();
    }
    phone.hear(OutboundInput::Further(Box::new(reading(" three", Some("Leave")))));
    for _ in 0..3 {
        phone.hears_to_end();
    }
    assert_eq!(phone.heard[6..], ["Leave", "Leave two", "Leave three"]);
    assert_eq!(phone.ended(), Some(OutboundEnd::LeftRequest));
    assert_eq!((phone.ends(1), phone.ends(2)), (vec![OutboundEnd::LeftRequest], vec![OutboundEnd::LeftRequest]));
}

#[test]
fn a_telephone_in_a_pocket_ends_the_call_for_all_that_joined_and_none_of_them_prolongs_it() {
    for leave in [None, Some("Leave")] {
        let mut phone = Phone::rings(leave);
        phone.hear(OutboundInput::Leg(LegInput::Answered));
        for more in [" two", " three", " four"] {
            phone.hear(OutboundInput::Further(Box::new(reading(more, leave))));
            phone.hears_to_end();
            phone.waits();
        }
        if leave.is_some() {
            assert_eq!((phone.last(), phone.ended()), ("Leave", None), "somebody may hear it who cannot be heard");
            phone.hear(OutboundInput::Further(Box::new(reading(" five", leave))));
            phone.hears_to_end();
        }
        assert_eq!(phone.heard.len(), if leave.is_some() { 4 } else { 3 }, "{:?}", phone.heard);
        assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::Silent), 1));
        for joined in 1..=if leave.is_some() { 4 } else { 3 } {
            assert_eq!(phone.ends(joined), [OutboundEnd::Silent], "message {joined}");
        }
    }
}

#[test]
fn a_pocket_that_rustles_is_offered_no_further_message_after_a_minute() {
    let mut phone = Phone::answers(Some("Leave"));
    for more in [" two", " three", " four"] {
        phone.hear(OutboundInput::Further(Box::new(reading(more, Some("Leave")))));
    }
    while phone.ended().is_none() {
        phone.clock.advance(Duration::from_secs(8));
        phone.hears_to_end();
        if phone.last().starts_with("Intro") {
            phone.waits();
        }
    }
    let intros = [["Intro"; 3], ["Intro two"; 3]].concat();
    assert_eq!(phone.heard, [intros, vec!["Leave", "Leave two", "Leave three", "Leave four"]].concat());
    assert_eq!(phone.ended(), Some(OutboundEnd::LeftRequest));
    assert_eq!(phone.ends(3), [OutboundEnd::LeftRequest]);
}

#[test]
fn one_sound_or_key_at_any_time_and_the_messages_that_joined_are_offered() {
    let sounds = [
        OutboundInput::Heard(Heard::Voice),
        OutboundInput::Leg(LegInput::Digit('3')),
        OutboundInput::Heard(Heard::Quiet),
    ];
    for sound in sounds {
        let mut phone = Phone::rings(None);
        phone.hear(OutboundInput::Leg(LegInput::Answered));
        phone.hear(OutboundInput::Further(Box::new(reading(" two", None))));
        for _ in 0..3 {
            phone.hears_to_end();
            if phone.call.said == 3 {
                phone.hear(sound.clone());
            }
            phone.waits();
        }
        assert_eq!((phone.last(), phone.ended()), ("Intro two", None), "{sound:?}");
    }
    // Somebody who cannot be heard takes it while the request is said: the others are offered to them, too.
    let mut phone = Phone::rings(Some("Leave"));
    phone.hear(OutboundInput::Leg(LegInput::Answered));
    phone.hear(OutboundInput::Further(Box::new(reading(" two", Some("Leave")))));
    for _ in 0..3 {
        phone.hears_to_end();
        phone.waits();
    }
    assert_eq!(phone.last(), "Leave");
    for (key, says) in [('1', "Content"), ('1', "Thank you")] {
        phone.presses(key);
        assert_eq!(phone.last(), says);
        phone.hears_to_end();
    }
    assert_eq!(phone.last(), "Intro two");
}

#[test]
fn one_of_two_messages_that_is_handled_ends_and_the_other_is_read() {
    let mut phone = Phone::answers(None);
    phone.hear(OutboundInput::Further(Box::new(reading(" two", None))));
    phone.hear(OutboundInput::Cancel { reading: 0 });
    phone.hears_to_end();
    assert_eq!(phone.ended(), Some(OutboundEnd::Cancelled));
    assert_eq!(phone.heard.last().map(String::as_str), Some("Intro two"));
    phone.hear(OutboundInput::Further(Box::new(reading(" three", None))));
    phone.hear(OutboundInput::Cancel { reading: 2 });
    assert_eq!((phone.ends(2), phone.hung_up), (vec![OutboundEnd::Cancelled], 0), "one that was not spoken of yet");
    phone.hear(OutboundInput::Cancel { reading: 1 });
    phone.hears_to_end();
    assert_eq!((phone.ends(1), phone.hung_up), (vec![OutboundEnd::Cancelled], 1));
}

#[test]
fn a_phone_that_rings_for_two_messages_rings_on_when_one_is_handled() {
    let mut phone = Phone::rings(None);
    phone.hear(OutboundInput::Further(Box::new(reading(" two", None))));
    phone.hear(OutboundInput::Cancel { reading: 0 });
    assert_eq!((phone.ended(), phone.hung_up), (Some(OutboundEnd::Cancelled), 0));
    phone.hear(OutboundInput::Leg(LegInput::Answered));
    assert_eq!(phone.heard, ["Intro two"]);
    phone.hear(OutboundInput::Cancel { reading: 1 });
    phone.hears_to_end();
    assert_eq!(phone.hung_up, 1);
}

#[test]
fn whatever_happens_it_ends_once_and_a_confirmation_follows_a_whole_message() {
    for seed in 0..5_000 {
        let mut rng = Rng::seeded(seed);
        let mut phone = Phone::rings((seed % 2 == 0).then_some("Leave"));
        let mut further = 0;
        for _ in 0..200 {
            let heard = [Heard::Voice, Heard::Quiet, Heard::Tone, Heard::Beep, Heard::Quiet, Heard::Quiet];
            match rng.below(13) {
                0 => phone.hear(OutboundInput::Leg(LegInput::Answered)),
                1 | 2 => phone.hears_to_end(),
                3 => phone.presses('1'),
                4 => phone.presses('9'),
                5 if rng.below(6) == 0 => phone.hear(OutboundInput::Leg(LegInput::Ended(Cause::HungUp))),
                6 if rng.below(6) == 0 => {
                    phone.hear(OutboundInput::Cancel { reading: usize::try_from(rng.below(3)).expect("small") });
                }
                8 => {
                    phone.clock.advance(Duration::from_millis(rng.below(2_000)));
                    phone.hear(OutboundInput::Heard(heard[usize::try_from(rng.below(6)).expect("small")]));
                }
                9 if rng.below(20) == 0 => {
                    let leave = (rng.below(2) == 0).then_some("Leave");
                    if !phone.call.is_done() {
                        further += 1;
                        phone.hear(OutboundInput::Further(Box::new(reading(" more", leave))));
                    }
                }
                10 => phone.presses('5'),
                11 if rng.below(60) == 0 => phone.hear(OutboundInput::Heard(Heard::Fax)),
                12 if rng.below(60) == 0 => phone.hear(OutboundInput::Heard(Heard::Busy)),
                7 => phone.hear(OutboundInput::PlayDone { play: rng.below(phone.play + 2) }),
                _ => phone.waits(),
            }
        }
        while phone.call.poll_timeout().is_some() {
            phone.waits();
        }
        let at = |event: OutboundEvent| phone.events.iter().position(|e| *e == event);
        let ends = phone.events.iter().filter(|e| matches!(e, OutboundEvent::Ended(_))).count();
        assert_eq!((ends, phone.hung_up), (1, 1), "seed {seed}: {:?}", phone.events);
        assert!(phone.call.is_done(), "seed {seed}");
        for reading in 1..=further {
            assert_eq!(phone.ends(reading).len(), 1, "seed {seed}: message {reading}: {:?}", phone.further);
        }
        if let Some(confirmed) = at(OutboundEvent::Confirmed) {
            assert!(at(OutboundEvent::Told).is_some_and(|told| told < confirmed), "seed {seed}");
            assert_eq!(phone.ended(), Some(OutboundEnd::Confirmed), "seed {seed}");
        }
    }
}

#[test]
fn an_alarm_has_nothing_to_hear_and_the_first_1_acknowledges_it() {
    let mut phone = Phone::dialled(None);
    phone.call.entries[0].reading.content = None;
    phone.hear(OutboundInput::Leg(LegInput::Ringing));
    phone.hear(OutboundInput::Leg(LegInput::Answered));
    phone.says_hello();
    phone.hear(OutboundInput::Leg(LegInput::Digit('1')));
    assert_eq!(phone.events.last(), Some(&OutboundEvent::Confirmed));
    let thanks = phone.play;
    phone.hear(OutboundInput::PlayDone { play: thanks });
    assert_eq!(phone.ends(0), []);
    assert_eq!(phone.events.last(), Some(&OutboundEvent::Ended(OutboundEnd::Confirmed)));
    assert_eq!(
        (phone.heard.first().map(String::as_str), phone.heard.last().map(String::as_str)),
        (Some("Intro"), Some("Thank you"))
    );
    assert_eq!(phone.hung_up, 1);
}
