//! A supervisor in a call, heard with real sockets and injected time: the call's own machine says who hears whom in each
//! phase and mode, and each party's tone must be in exactly the ears, and on the recording, that it belongs to.

use std::time::Duration;

use super::Codec;
use super::call_rig::CallRig;
use super::shard::Command;
use super::shard_tests::{MUSIC_HZ, Rig};
use crate::base::id::UserId;
use crate::base::phone::PhoneNumber;
use crate::domain::account::flow::Flow;
use crate::domain::call::bridge::LegId;
use crate::domain::call::leg::LegInput;
use crate::domain::call::listener::ListenMode::{self, Barge, Monitor, Whisper};
use crate::domain::call::{Input, OperatorCommand};
use crate::io::recording::{Tap, TapeForTest};
use crate::proto::audio::tone::power_at;

const CALLER: LegId = LegId(1);
const OPERATOR: LegId = LegId(2);
const CONTACT: LegId = LegId(3);
const SUPERVISOR: LegId = LegId(4);
const C: f64 = 700.0;
const O: f64 = 1_100.0;
const T: f64 = 1_900.0;
const S: f64 = 2_500.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Talk,
    Hold,
    Announce,
    Joined,
    Dropped,
}

struct Story {
    calls: CallRig,
    tape: TapeForTest,
}

impl Story {
    /// A call in this phase, its parties talking, the caller's leg recorded.
    fn at(phase: Phase) -> Self {
        let mut rig = Rig::new();
        // The supervisor's browser speaks another codec than the two who are relayed.
        let codecs = [Codec::Pcmu, Codec::Pcmu, Codec::Pcmu, Codec::Pcma];
        let parties = [(CALLER, C), (OPERATOR, O), (CONTACT, T), (SUPERVISOR, S)];
        for ((leg, hz), codec) in parties.into_iter().zip(codecs) {
            assert_eq!(rig.add(leg.0, hz, codec, 20), leg);
        }
        let (tap, tape) = Tap::for_test();
        rig.commands.send(Command::Record(CALLER, Box::new(tap))).unwrap();
        let mut calls = CallRig::new(rig);
        calls.calls_in(CALLER, Flow::default());
        calls.tell(0, Input::Offer { user: UserId::named("kim"), leg: OPERATOR, ring: true });
        calls.comes_up(0, OPERATOR);
        let mut story = Self { calls, tape };
        story.goes_to(phase);
        story
    }

    fn goes_to(&mut self, phase: Phase) {
        let number = PhoneNumber::parse("+12025550190").expect("a valid number");
        let ring = Duration::from_secs(30);
        let patch =
            OperatorCommand::Patch { leg: CONTACT, number, contact: None, ring, then: Default::default(), cold: false };
        match phase {
            Phase::Talk => {}
            Phase::Hold => self.does(OperatorCommand::Hold),
            Phase::Announce => {
                self.does(patch);
                self.calls.leg(0, CONTACT, LegInput::Answered);
            }
            Phase::Joined => {
                self.goes_to(Phase::Announce);
                self.does(OperatorCommand::Join);
            }
            Phase::Dropped => {
                self.goes_to(Phase::Joined);
                self.does(OperatorCommand::Drop);
            }
        }
    }

    fn does(&mut self, command: OperatorCommand) {
        self.calls.does(0, &UserId::named("kim"), command);
    }

    fn listens(&mut self, mode: ListenMode) {
        let now = self.calls.rig.now();
        self.calls.calls[0].listen(now, &UserId::named("sam"), SUPERVISOR, mode).expect("somebody talks");
        self.calls.carry_out(0);
        self.calls.comes_up(0, SUPERVISOR);
    }

    /// What is on the recording's two sides.
    fn recorded(&mut self) -> (Vec<f64>, Vec<f64>) {
        self.calls.rig.run(20);
        self.tape.take();
        self.calls.rig.run(50);
        let frames = self.tape.take();
        let tones = |samples: Vec<i16>| {
            let whole = &samples[..samples.len() / 800 * 800];
            assert!(whole.len() >= 6_400);
            [C, O, T, S, MUSIC_HZ].into_iter().filter(|hz| power_at(whole, *hz).sqrt() > 300.0).collect()
        };
        let caller = frames.iter().flat_map(|frame| frame.caller.to_vec()).collect();
        let ours = frames.iter().flat_map(|frame| frame.ours.to_vec()).collect();
        (tones(caller), tones(ours))
    }

    /// Caller, operator, contact, supervisor: each hears exactly these, for 10 s.
    fn assert_ears(&mut self, ears: [&[f64]; 4]) {
        self.calls.rig.listen();
        for (leg, wants) in [CALLER, OPERATOR, CONTACT, SUPERVISOR].into_iter().zip(ears) {
            if self.calls.rig.peers.iter().any(|(l, ..)| *l == leg) {
                self.calls.rig.assert_hears(leg, wants);
            }
        }
    }
}

/// The ears of all four and what is recorded of our side.
type Row<'a> = (ListenMode, [&'a [f64]; 4], &'a [f64]);

fn assert_phase(phase: Phase, rows: [Row<'_>; 3]) {
    let mut story = Story::at(phase);
    for (mode, ears, ours) in rows {
        // The first rings the supervisor, the others are one key each.
        story.listens(mode);
        println!("{phase:?} {mode:?}");
        story.assert_ears(ears);
        assert_eq!(story.recorded(), (vec![C], ours.to_vec()), "{phase:?} {mode:?}");
    }
}

#[test]
fn in_talk_a_monitor_is_heard_by_nobody_a_whisper_by_the_operator_and_a_barge_by_both() {
    assert_phase(
        Phase::Talk,
        [
            (Monitor, [&[O], &[C], &[], &[C, O]], &[O]),
            (Whisper, [&[O], &[C, S], &[], &[C, O]], &[O]),
            (Barge, [&[O, S], &[C, S], &[], &[C, O]], &[O, S]),
        ],
    );
}

#[test]
fn on_hold_the_caller_hears_music_whatever_is_said_and_none_of_it_is_recorded() {
    assert_phase(
        Phase::Hold,
        [
            (Monitor, [&[MUSIC_HZ], &[], &[], &[MUSIC_HZ]], &[]),
            (Whisper, [&[MUSIC_HZ], &[S], &[], &[O]], &[]),
            (Barge, [&[MUSIC_HZ], &[S], &[], &[O]], &[]),
        ],
    );
}

#[test]
fn in_the_announcement_who_listens_hears_what_the_operator_hears_and_the_caller_nothing_of_it() {
    assert_phase(
        Phase::Announce,
        [
            (Monitor, [&[MUSIC_HZ], &[T], &[O], &[O, T]], &[O, T]),
            (Whisper, [&[MUSIC_HZ], &[T, S], &[O], &[O, T]], &[O, T]),
            (Barge, [&[MUSIC_HZ], &[T, S], &[O, S], &[O, T]], &[O, T, S]),
        ],
    );
}

#[test]
fn joined_all_three_are_heard_and_the_operator_alone_hears_a_whisper() {
    assert_phase(
        Phase::Joined,
        [
            (Monitor, [&[O, T], &[C, T], &[C, O], &[C, O, T]], &[O, T]),
            (Whisper, [&[O, T], &[C, T, S], &[C, O], &[C, O, T]], &[O, T]),
            (Barge, [&[O, T, S], &[C, T, S], &[C, O, S], &[C, O, T]], &[O, T, S]),
        ],
    );
}

#[test]
fn a_patch_whose_operator_has_left_can_be_listened_to_and_joined() {
    assert_phase(
        Phase::Dropped,
        [
            (Monitor, [&[T], &[], &[C], &[C, T]], &[T]),
            (Whisper, [&[T], &[], &[C], &[C, T]], &[T]),
            (Barge, [&[T, S], &[], &[C, S], &[C, T]], &[T, S]),
        ],
    );
}

#[test]
fn nobody_misses_a_packet_when_a_supervisor_comes_switches_and_goes() {
    let mut story = Story::at(Phase::Talk);
    story.calls.rig.run(20);
    for (.., peer) in &mut story.calls.rig.peers {
        peer.packets.clear();
    }
    for mode in [Monitor, Whisper, Barge, Monitor] {
        story.calls.rig.run(20);
        story.listens(mode);
    }
    story.calls.rig.run(20);
    let now = story.calls.rig.now();
    story.calls.calls[0].leave(now, &UserId::named("sam"));
    story.calls.carry_out(0);
    story.calls.rig.run(20);
    for leg in [CALLER, OPERATOR] {
        story.calls.rig.assert_seamless(leg);
        let packets = story.calls.rig.peer(leg).packets.len();
        assert!(packets >= 6 * 20 - 2, "{leg:?}: {packets}");
    }
    story.assert_ears([&[O], &[C], &[], &[]]);
}
