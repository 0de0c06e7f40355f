//! Callers who are handed about, heard with real sockets and injected time: parked and fetched, given to a colleague unasked
//! and asked, set aside for another caller at the same seat, put through by machine, and an operator who is called back.
//!
//! The calls' own machines say who hears whom. Judged in each half second by the rule of `tests/support/tones.rs`: after each
//! step everybody hears exactly whom they should, and while it happens nobody hears whom they must not.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::Codec;
use super::call_rig::CallRig;
use super::shard_tests::{MUSIC_HZ, Rig};
use crate::base::id::{ContactId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::flow::Flow;
use crate::domain::account::patching::{AutoPatch, Unreached};
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::leg::LegInput;
use crate::domain::call::reach::{Number, Person};
use crate::domain::call::{Input, OperatorCommand};
use crate::proto::audio::tone::power_at;

#[path = "../../../tests/support/tones.rs"]
mod tones;

const CALLER: LegId = LegId(1);
const OPERATOR: LegId = LegId(2);
const SECOND: LegId = LegId(3);
const CONTACT: LegId = LegId(4);
/// Another call at the operator's seat: its caller, and her leg in it.
const CALLER_2: LegId = LegId(5);
const OPERATOR_2: LegId = LegId(6);

const PARTIES: [(LegId, f64); 6] = [
    (CALLER, 700.0),
    (OPERATOR, 1_100.0),
    (SECOND, 1_500.0),
    (CONTACT, 1_900.0),
    (CALLER_2, 2_300.0),
    (OPERATOR_2, 2_700.0),
];
/// A ringing tone's, beside the parties' own.
const RINGING_HZ: f64 = 440.0;
const TENTH: usize = 800;

const NOBODY: &[LegId] = &[];
/// In place of a party.
const MUSIC: LegId = LegId(0);

fn hz_of(who: LegId) -> f64 {
    PARTIES.iter().find(|(leg, _)| *leg == who).map_or(MUSIC_HZ, |(_, hz)| *hz)
}

fn kim() -> UserId {
    UserId::named("kim")
}

fn lee() -> UserId {
    UserId::named("lee")
}

/// Who hears whom.
type Ears<'a> = [(LegId, &'a [LegId])];

struct Night(CallRig);

impl Deref for Night {
    type Target = CallRig;
    fn deref(&self) -> &CallRig {
        &self.0
    }
}

impl DerefMut for Night {
    fn deref_mut(&mut self) -> &mut CallRig {
        &mut self.0
    }
}

impl Night {
    fn begin(flow: Flow) -> Self {
        let mut rig = Rig::new();
        for (n, (leg, hz)) in PARTIES.into_iter().enumerate() {
            // Not all speak alike, so that some are relayed and some are mixed.
            assert_eq!(rig.add(leg.0, hz, if n == 2 { Codec::Pcma } else { Codec::Pcmu }, 20), leg);
        }
        let mut calls = CallRig::new(rig);
        calls.calls_in(CALLER, flow);
        Self(calls)
    }

    /// Kim talks with the caller.
    fn talking() -> Self {
        let mut night = Self::begin(Flow::default());
        night.tell(0, Input::Offer { user: kim(), leg: OPERATOR, ring: true });
        night.comes_up(0, OPERATOR);
        night
    }

    /// How loud each of these tones is in each tenth of a second of what `leg` has heard since the last time, in dB.
    fn tenths(&mut self, leg: LegId, tones: &[f64]) -> Vec<Vec<f64>> {
        let heard = &self.rig.peer(leg).heard;
        let level = |tenth: &[i16], hz: f64| 20.0 * (power_at(tenth, hz).max(1e-3).sqrt() / 32_768.0).log10();
        heard.chunks_exact(TENTH).map(|tenth| tones.iter().map(|hz| level(tenth, *hz)).collect()).collect()
    }

    fn forget(&mut self) {
        for (.., peer) in &mut self.rig.peers {
            peer.heard.clear();
        }
    }

    /// Does `step`; from a second before it to two after it nobody of `nobody` is heard by `by`.
    fn unheard(&mut self, by: LegId, nobody: &[LegId], step: impl FnOnce(&mut Self)) {
        self.forget();
        self.rig.run(50);
        step(self);
        self.rig.run(100);
        let unwanted: Vec<f64> = nobody.iter().map(|who| hz_of(*who)).chain([RINGING_HZ]).collect();
        let tenths = self.tenths(by, &unwanted);
        tones::assert_hears(&format!("{by:?}"), &tenths, &[], &unwanted);
    }

    /// From now on, once it has settled, each hears exactly these in each half second of three.
    fn assert_ears(&mut self, ears: &Ears<'_>) {
        self.rig.run(10);
        self.forget();
        self.rig.run(150);
        for (leg, whom) in ears {
            let wanted: Vec<f64> = whom.iter().map(|who| hz_of(*who)).collect();
            let all = PARTIES.iter().map(|(_, hz)| *hz).chain([MUSIC_HZ, RINGING_HZ]);
            let unwanted: Vec<f64> = all.filter(|hz| !wanted.contains(hz)).collect();
            let tenths = self.tenths(*leg, &[wanted.clone(), unwanted.clone()].concat());
            if wanted.is_empty() && tenths.is_empty() {
                // Nothing at all came, which is as silent as can be.
                continue;
            }
            tones::assert_hears(&format!("{leg:?}"), &tenths, &wanted, &unwanted);
        }
    }
}

#[test]
fn a_parked_caller_hears_music_alone_until_fetched_and_then_the_one_who_fetched_them() {
    let mut night = Night::talking();
    night.assert_ears(&[(CALLER, &[OPERATOR]), (OPERATOR, &[CALLER])]);
    night.unheard(CALLER, &[SECOND], |night| night.does(0, &kim(), OperatorCommand::Park { slot: 1 }));
    night.assert_ears(&[(CALLER, &[MUSIC])]);
    // Lee's telephone rings: the caller hears none of it.
    night.unheard(CALLER, &[SECOND], |night| night.tell(0, Input::Fetch { user: lee(), leg: SECOND, ring: true }));
    night.assert_ears(&[(CALLER, &[MUSIC]), (SECOND, NOBODY)]);
    night.comes_up(0, SECOND);
    night.assert_ears(&[(CALLER, &[SECOND]), (SECOND, &[CALLER])]);
}

#[test]
fn a_caller_given_away_unasked_hears_music_on_the_way_and_then_the_other_alone() {
    let mut night = Night::talking();
    night.unheard(CALLER, &[SECOND], |night| {
        night.does(0, &kim(), OperatorCommand::Pass { to: Some(lee()), note: None });
        night.tell(0, Input::Fetch { user: lee(), leg: SECOND, ring: true });
    });
    night.assert_ears(&[(CALLER, &[MUSIC]), (SECOND, NOBODY)]);
    night.comes_up(0, SECOND);
    night.assert_ears(&[(CALLER, &[SECOND]), (SECOND, &[CALLER])]);
}

#[test]
fn what_two_operators_say_about_a_caller_the_caller_never_hears() {
    let mut night = Night::talking();
    night.unheard(CALLER, &[SECOND], |night| night.does(0, &kim(), OperatorCommand::Ask { user: lee() }));
    night.unheard(CALLER, &[OPERATOR, SECOND], |night| {
        night.tell(0, Input::Fetch { user: lee(), leg: SECOND, ring: true });
        night.comes_up(0, SECOND);
    });
    night.assert_ears(&[(CALLER, &[MUSIC]), (OPERATOR, &[SECOND]), (SECOND, &[OPERATOR])]);
    night.does(0, &kim(), OperatorCommand::HandOver);
    night.assert_ears(&[(CALLER, &[SECOND]), (SECOND, &[CALLER])]);

    // Or back to the caller, alone.
    let mut night = Night::talking();
    night.does(0, &kim(), OperatorCommand::Ask { user: lee() });
    night.tell(0, Input::Fetch { user: lee(), leg: SECOND, ring: true });
    night.comes_up(0, SECOND);
    night.does(0, &kim(), OperatorCommand::Cancel);
    night.assert_ears(&[(CALLER, &[OPERATOR]), (OPERATOR, &[CALLER])]);
}

#[test]
fn of_two_callers_at_a_seat_neither_hears_the_other_nor_what_is_said_to_them() {
    let mut night = Night::talking();
    night.calls_in(CALLER_2, Flow::default());
    let others = [OPERATOR_2, CALLER_2];
    night.assert_ears(&[(CALLER, &[OPERATOR]), (CALLER_2, &[MUSIC])]);
    // She takes the second: the first hears music before the second hears her.
    night.unheard(CALLER, &others, |night| {
        night.does(0, &kim(), OperatorCommand::Hold);
        night.tell(1, Input::Offer { user: kim(), leg: OPERATOR_2, ring: true });
        night.comes_up(1, OPERATOR_2);
    });
    let second: &Ears<'_> =
        &[(CALLER, &[MUSIC]), (OPERATOR, NOBODY), (CALLER_2, &[OPERATOR_2]), (OPERATOR_2, &[CALLER_2])];
    night.assert_ears(second);
    // And back.
    night.unheard(CALLER_2, &[CALLER, OPERATOR], |night| {
        night.does(1, &kim(), OperatorCommand::Hold);
        night.does(0, &kim(), OperatorCommand::Retrieve);
    });
    let first: &Ears<'_> = &[(CALLER, &[OPERATOR]), (OPERATOR, &[CALLER]), (CALLER_2, &[MUSIC]), (OPERATOR_2, NOBODY)];
    night.assert_ears(first);
    night.leg(0, CALLER, LegInput::Ended(Cause::HungUp));
    night.assert_ears(&[(CALLER_2, &[MUSIC]), (OPERATOR_2, NOBODY)]);
}

/// Kim with the caller and a contact, all three talking.
fn joined() -> Night {
    let mut night = Night::talking();
    let number = PhoneNumber::parse("+12025550190").expect("a valid number");
    let ring = Duration::from_secs(30);
    let (contact, then) = (None, Default::default());
    night.does(0, &kim(), OperatorCommand::Patch { leg: CONTACT, number, contact, ring, then, cold: false });
    night.leg(0, CONTACT, LegInput::Answered);
    night.does(0, &kim(), OperatorCommand::Join);
    night
}

#[test]
fn whoever_is_put_aside_hears_nothing_of_the_others() {
    let mut night = joined();
    night.does(0, &kim(), OperatorCommand::HoldContact);
    night.assert_ears(&[(CALLER, &[OPERATOR]), (OPERATOR, &[CALLER]), (CONTACT, &[MUSIC])]);
    night.unheard(CALLER, &[CONTACT], |night| night.does(0, &kim(), OperatorCommand::Private));
    night.assert_ears(&[(CALLER, &[MUSIC]), (OPERATOR, &[CONTACT]), (CONTACT, &[OPERATOR])]);
}

#[test]
fn four_hear_each_other_and_three_go_on_when_the_operator_leaves() {
    let mut night = joined();
    night.does(0, &kim(), OperatorCommand::Ask { user: lee() });
    night.tell(0, Input::Fetch { user: lee(), leg: SECOND, ring: true });
    night.comes_up(0, SECOND);
    let aside: &Ears<'_> = &[(CALLER, &[CONTACT]), (CONTACT, &[CALLER]), (OPERATOR, &[SECOND]), (SECOND, &[OPERATOR])];
    night.assert_ears(aside);
    night.does(0, &kim(), OperatorCommand::Join);
    let all: &Ears<'_> = &[
        (CALLER, &[OPERATOR, CONTACT, SECOND]),
        (OPERATOR, &[CALLER, CONTACT, SECOND]),
        (CONTACT, &[CALLER, OPERATOR, SECOND]),
        (SECOND, &[CALLER, OPERATOR, CONTACT]),
    ];
    night.assert_ears(all);
    night.does(0, &kim(), OperatorCommand::Drop);
    let three: &Ears<'_> = &[(CALLER, &[CONTACT, SECOND]), (CONTACT, &[CALLER, SECOND]), (SECOND, &[CALLER, CONTACT])];
    night.assert_ears(three);
}

fn put_through() -> Night {
    let mut night = Night::begin(Flow::Patch(AutoPatch { whom: vec![], speech: None, failed: Unreached::default() }));
    let number = PhoneNumber::parse("+12025550190").expect("a valid number");
    let numbers = [Number { leg: CONTACT, number, ring: Duration::from_secs(30) }].into();
    let person = Person { contact: ContactId::named("ann"), why: "on call".into(), numbers };
    night.tell(0, Input::PlayDone { leg: CALLER, play: 2 });
    night.tell(0, Input::People(vec![person]));
    night
}

#[test]
fn a_caller_who_is_put_through_hears_music_until_the_contact_has_pressed_one() {
    let mut night = put_through();
    night.unheard(CALLER, &[CONTACT], |night| {
        night.leg(0, CONTACT, LegInput::Ringing);
        night.leg(0, CONTACT, LegInput::Early);
    });
    night.assert_ears(&[(CALLER, &[MUSIC])]);
    night.unheard(CALLER, &[CONTACT], |night| night.leg(0, CONTACT, LegInput::Answered));
    // What is asked is said by a prompt; beside it the contact hears nobody.
    night.assert_ears(&[(CALLER, &[MUSIC]), (CONTACT, NOBODY)]);
    night.leg(0, CONTACT, LegInput::Digit('1'));
    night.assert_ears(&[(CALLER, &[CONTACT]), (CONTACT, &[CALLER])]);
}

#[test]
fn two_who_want_an_operator_hear_each_other_until_she_is_there_and_then_all_three_do() {
    let mut night = put_through();
    night.leg(0, CONTACT, LegInput::Answered);
    night.leg(0, CONTACT, LegInput::Digit('1'));
    night.leg(0, CONTACT, LegInput::Digit('*'));
    night.assert_ears(&[(CALLER, &[CONTACT]), (CONTACT, &[CALLER])]);
    night.tell(0, Input::Offer { user: kim(), leg: OPERATOR, ring: true });
    night.leg(0, OPERATOR, LegInput::Answered);
    night.assert_ears(&[(CALLER, &[CONTACT]), (CONTACT, &[CALLER]), (OPERATOR, NOBODY)]);
    night.leg(0, OPERATOR, LegInput::MediaUp);
    let all: &Ears<'_> =
        &[(CALLER, &[OPERATOR, CONTACT]), (OPERATOR, &[CALLER, CONTACT]), (CONTACT, &[CALLER, OPERATOR])];
    night.assert_ears(all);
    night.does(0, &kim(), OperatorCommand::Drop);
    night.assert_ears(&[(CALLER, &[CONTACT]), (CONTACT, &[CALLER])]);
}
