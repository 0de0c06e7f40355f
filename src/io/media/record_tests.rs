//! What a recorded call's tap takes down, with real sockets and injected time: each party its own tone, each side of
//! the recording exactly those it should have.

use std::sync::Arc;

use super::shard::Command;
use super::shard_tests::{MUSIC_HZ, Rig};
use super::{Codec, MediaEvent, PlayId, Prompt};
use crate::domain::call::bridge::{HearMatrix, KeysBound, LegId, Source};
use crate::io::recording::{FrameForTest, Kind, Tap, TapeForTest};
use crate::proto::audio::dtmf;
use crate::proto::audio::frame::FRAME;
use crate::proto::audio::tone::{power_at, sine};

const CALLER: f64 = 500.0;
const OPERATOR: f64 = 900.0;
const CONTACT: f64 = 1_300.0;
const WORDS: f64 = 2_100.0;
const ALL: [f64; 5] = [CALLER, OPERATOR, CONTACT, WORDS, MUSIC_HZ];

fn record(rig: &Rig, leg: LegId) -> TapeForTest {
    let (tap, tape) = Tap::for_test();
    rig.commands.send(Command::Record(leg, Box::new(tap))).unwrap();
    tape
}

/// The next second, after `settle` beats for what is on its way: which tones are on which side.
fn hears(rig: &mut Rig, tape: &mut TapeForTest, settle: usize) -> (Vec<f64>, Vec<f64>) {
    rig.run(settle);
    tape.take();
    rig.run(50);
    let frames = tape.take();
    let of = |side: fn(&FrameForTest) -> &[i16]| {
        let samples: Vec<i16> = frames.iter().flat_map(|frame| side(frame).to_vec()).collect();
        assert!(samples.len() >= 40 * FRAME, "{}", samples.len());
        let level = |hz: &f64| power_at(&samples[..samples.len() / 800 * 800], *hz).sqrt();
        ALL.into_iter().filter(|hz| level(hz) > 300.0).collect()
    };
    (of(|frame| &frame.caller), of(|frame| &frame.ours))
}

#[test]
fn two_who_are_relayed_are_recorded_each_on_their_side() {
    let mut rig = Rig::new();
    let (caller, operator) = (rig.add(1, CALLER, Codec::Pcmu, 20), rig.add(2, OPERATOR, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&[caller, operator]));
    let mut tape = record(&rig, caller);
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![OPERATOR]));
}

#[test]
fn through_hold_patch_and_hand_over_everybody_is_on_the_right_side() {
    let mut rig = Rig::new();
    let caller = rig.add(1, CALLER, Codec::Pcma, 30);
    let (operator, contact) = (rig.add(2, OPERATOR, Codec::G722, 20), rig.add(3, CONTACT, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&[caller, operator]));
    let mut tape = record(&rig, caller);
    assert_eq!(hears(&mut rig, &mut tape, 30), (vec![CALLER], vec![OPERATOR]), "mixed");
    rig.bridge(HearMatrix::default().with(caller, &[Source::Music]).with(operator, &[]));
    assert_eq!(
        hears(&mut rig, &mut tape, 30),
        (vec![CALLER], vec![]),
        "on hold: neither music nor the operator's asides"
    );
    let private = HearMatrix::conference(&[operator, contact]).with(caller, &[Source::Music]);
    rig.bridge(private);
    assert_eq!(hears(&mut rig, &mut tape, 30), (vec![CALLER], vec![OPERATOR, CONTACT]), "announced");
    rig.bridge(HearMatrix::conference(&[caller, operator, contact]));
    assert_eq!(hears(&mut rig, &mut tape, 30), (vec![CALLER], vec![OPERATOR, CONTACT]), "joined");
    rig.bridge(HearMatrix::conference(&[caller, contact]));
    rig.commands.send(Command::Close(operator)).unwrap();
    assert_eq!(hears(&mut rig, &mut tape, 30), (vec![CALLER], vec![CONTACT]), "the operator has dropped off");
}

#[test]
fn whoever_is_not_to_be_recorded_is_silence_and_everybody_hears_them_all_the_same() {
    let mut rig = Rig::new();
    let caller = rig.add(1, CALLER, Codec::Pcmu, 20);
    let (operator, contact) = (rig.add(2, OPERATOR, Codec::Pcmu, 20), rig.add(3, CONTACT, Codec::Pcmu, 20));
    let without = |matrix: HearMatrix, off_record: &[LegId]| HearMatrix { off_record: off_record.to_vec(), ..matrix };
    let relayed = HearMatrix::conference(&[caller, operator]);
    let all = HearMatrix::conference(&[caller, operator, contact]);
    let alone = HearMatrix::conference(&[caller, contact]);
    rig.bridge(without(relayed.clone(), &[caller]));
    let mut tape = record(&rig, caller);
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![], vec![OPERATOR]), "relayed, and the caller not recorded");
    rig.bridge(without(relayed, &[operator]));
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![]));
    rig.bridge(without(all.clone(), &[contact]));
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![OPERATOR]));
    rig.bridge(without(all.clone(), &[operator]));
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![CONTACT]));
    rig.bridge(without(all.clone(), &[caller, operator]));
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![], vec![CONTACT]));
    rig.bridge(without(alone, &[contact]));
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![]), "the operator has dropped off");
    rig.bridge(all);
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![OPERATOR, CONTACT]), "and nobody is left out");
}

#[test]
fn words_to_the_caller_are_ours_and_a_pause_takes_all_out() {
    let mut rig = Rig::new();
    let caller = rig.add(1, CALLER, Codec::Pcmu, 20);
    rig.bridge(HearMatrix::default().with(caller, &[Source::Music]));
    rig.run(5);
    let mut tape = record(&rig, caller);
    let prompt = Arc::new(Prompt::from_pcm(sine(WORDS, 8_000.0, 80_000)));
    rig.commands.send(Command::Play { leg: caller, play: PlayId(1), prompt, repeat: false }).unwrap();
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![WORDS]));
    rig.commands.send(Command::SetRecording(caller, Kind::Paused)).unwrap();
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![], vec![]));
    rig.commands.send(Command::SetRecording(caller, Kind::Sound)).unwrap();
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![WORDS]));
    rig.commands.send(Command::Stop(caller, PlayId(1))).unwrap();
    assert_eq!(hears(&mut rig, &mut tape, 20), (vec![CALLER], vec![]), "music is nobody's words");
}

#[test]
fn every_beat_is_a_frame_also_those_that_the_shard_missed() {
    let mut rig = Rig::new();
    let caller = rig.add(1, CALLER, Codec::Pcmu, 20);
    rig.bridge(HearMatrix::default().with(caller, &[]));
    rig.run(10);
    let mut tape = record(&rig, caller);
    rig.run(35);
    let now = rig.now();
    rig.shard.skip(now, 60);
    rig.run(5);
    rig.commands.send(Command::Close(caller)).unwrap();
    rig.run(1);
    // Whoever reads what is told lets the leg go, and its tap.
    rig.events();
    let frames = tape.take();
    let of = |kind| frames.iter().filter(|frame| frame.kind == kind).count();
    assert_eq!((frames.len(), of(Kind::Sound), of(Kind::Gap)), (100, 40, 60));
}

#[test]
fn a_move_to_another_shard_loses_no_frame() {
    let (mut rig, mut other) = (Rig::new(), Rig::new());
    let (caller, operator) = (rig.add(1, CALLER, Codec::Pcmu, 20), other.add(2, OPERATOR, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::default().with(caller, &[Source::Music]));
    rig.run(10);
    // Shards count the same beats.
    other.run(51);
    let mut tape = record(&rig, caller);
    rig.run(40);
    rig.commands.send(Command::Move(vec![caller], other.commands.clone())).unwrap();
    rig.run(1);
    let moved = rig.peers.remove(0);
    other.peers.push(moved);
    other.bridge(HearMatrix::conference(&[caller, operator]));
    other.run(60);
    other.commands.send(Command::Close(caller)).unwrap();
    other.run(1);
    other.events();
    let frames = tape.take();
    assert!(frames.iter().all(|frame| frame.kind == Kind::Sound), "no beat is missing");
    assert_eq!(frames.len(), 101);
}

#[test]
fn whether_a_caller_speaks_is_told_where_they_speak_to_us_alone() {
    let mut rig = Rig::new();
    let caller = rig.add(1, CALLER, Codec::Pcmu, 20);
    rig.bridge(HearMatrix::default().with(caller, &[]));
    let _tape = record(&rig, caller);
    let voice = |e| if let MediaEvent::Voice { speaks, .. } = e { Some(speaks) } else { None };
    rig.run(50);
    assert_eq!(rig.news().into_iter().filter_map(voice).count(), 0, "not of a call like any other");
    rig.commands.send(Command::BindDigits(caller, KeysBound::All)).unwrap();
    rig.run(30);
    assert_eq!(rig.news().into_iter().filter_map(voice).collect::<Vec<_>>(), [true]);
    rig.peer(caller).mute = true;
    rig.run(100);
    assert_eq!(rig.news().into_iter().filter_map(voice).collect::<Vec<_>>(), [false]);
}

#[test]
fn keys_for_us_alone_that_come_as_tones_are_not_recorded() {
    let mut rig = Rig::new();
    let (caller, operator) = (rig.add(1, CALLER, Codec::Pcmu, 20), rig.add(2, OPERATOR, Codec::Pcmu, 20));
    let mut parameters = rig.parameters(caller);
    parameters.telephone_event = None;
    rig.connect(caller, parameters);
    rig.bridge(HearMatrix::conference(&[caller, operator]));
    rig.commands.send(Command::BindDigits(caller, KeysBound::All)).unwrap();
    let mut tape = record(&rig, caller);
    rig.peer(caller).tone = dtmf::tones('5', 8_000).unwrap();
    rig.run(20);
    tape.take();
    rig.run(50);
    let said: Vec<i16> = tape.take().into_iter().flat_map(|frame| frame.caller).collect();
    let loudest = said.chunks_exact(FRAME).map(|f| f.iter().map(|s| i32::from(*s).abs()).max()).max();
    assert!(loudest.flatten() < Some(50), "{loudest:?}");
}
