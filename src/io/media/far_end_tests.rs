//! Far ends that move, fall silent or send as nobody agreed: who is still heard, and what is told.

use std::net::UdpSocket;
use std::time::Duration;

use super::shard_tests::Rig;
use super::{Codec, MediaEvent, RtpParameters};
use crate::domain::call::bridge::{HearMatrix, LegId};
use crate::proto::rtp::packet;
use crate::proto::rtp::rtcp::{self, MAX_COMPOUND};

/// Two who are relayed, the first of whom sits behind a NAT: its description names an address that is nobody's.
fn behind_a_nat(rig: &mut Rig) -> (LegId, LegId, RtpParameters) {
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let parameters = RtpParameters { remote: "127.79.0.2:4000".parse().unwrap(), ..rig.parameters(a) };
    rig.connect(a, parameters);
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
    (a, b, parameters)
}

/// The NAT begins anew: the same telephone on the same host comes from another port.
fn rebind(rig: &mut Rig, leg: LegId) {
    let socket = UdpSocket::bind((rig.ip, 18_000 + leg.0 as u16 * 2)).unwrap();
    socket.set_nonblocking(true).unwrap();
    rig.peer(leg).socket = socket;
}

#[test]
fn a_telephone_whose_nat_begins_anew_is_heard_again_when_the_old_way_was_silent_for_30_s() {
    let mut rig = Rig::new();
    let (a, b, _) = behind_a_nat(&mut rig);
    rebind(&mut rig, a);
    let mut report = [0; MAX_COMPOUND];
    let len = rtcp::write(&mut report, 1, None, None, "a", false);
    for second in 0..31 {
        // Its reports still come, and say nothing about whether its sound does.
        let to = rig.peer(a).to;
        rig.peer(a).rtcp.send_to(&report[..len], (to.ip(), to.port() + 1)).unwrap();
        rig.peer(b).packets.clear();
        rig.run(50);
        assert!(second >= 29 || rig.peer(b).packets.is_empty(), "locked for {second} s");
    }
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
    rig.assert_seamless(b);
}

#[test]
fn a_telephone_that_describes_itself_again_after_its_nat_began_anew_is_heard_again_at_once() {
    let mut rig = Rig::new();
    let (a, b, parameters) = behind_a_nat(&mut rig);
    rebind(&mut rig, a);
    rig.run(20);
    // The same words as before: it does not know better.
    rig.connect(a, parameters);
    rig.run(100);
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
}

#[test]
fn who_sprays_our_ports_gets_no_word_of_a_carriers_call_that_has_fallen_silent() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let parameters = rig.parameters(a);
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    let (stranger, to) = (UdpSocket::bind("127.79.0.3:0").unwrap(), rig.peer(a).to);
    stranger.set_nonblocking(true).unwrap();
    let sprayed = sound_from(66);
    rig.peer(a).mute = true;
    // A refresh of the session in between: then 2 s of silence are enough for another port.
    for second in 0..33 {
        if second == 10 {
            rig.connect(a, parameters);
        }
        for _ in 0..50 {
            stranger.send_to(&sprayed, to).unwrap();
            rig.run(1);
        }
    }
    assert!(stranger.recv_from(&mut [0; 2_048]).is_err(), "what is said to the caller went to a stranger");
    // Whom the call is with is heard as soon as it speaks.
    rig.peer(a).mute = false;
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
}

/// A packet of sound from that source.
fn sound_from(ssrc: u32) -> Vec<u8> {
    let mut bytes = [0; packet::MAX_PACKET];
    let header = packet::Header { payload_type: 0, marker: false, sequence: 1, timestamp: 160, ssrc };
    let len = packet::write(&header, &[0x12; 160], &mut bytes);
    bytes[..len].to_vec()
}

#[test]
fn the_same_description_again_touches_no_sound_and_lets_nobody_else_in() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 60), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let parameters = rig.parameters(a);
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    let stranger = UdpSocket::bind("127.79.0.3:0").unwrap();
    let to = rig.peer(a).to;
    rig.peer(a).packets.clear();
    rig.peer(b).heard.clear();
    for _ in 0..600 {
        rig.connect(a, parameters);
        for _ in 0..3 {
            stranger.send_to(&[0x80; 172], to).unwrap();
        }
        rig.run(1);
    }
    rig.assert_seamless(a);
    assert!(rig.peer(a).packets.len().abs_diff(200) <= 1, "{}", rig.peer(a).packets.len());
    rig.assert_hears(b, &[700.0]);
}

/// Ticks of 10 s each: only the time matters. When each of these was told, in s.
fn told(rig: &mut Rig, seconds: u64, what: fn(&MediaEvent) -> bool) -> Vec<u64> {
    let mut times = Vec::new();
    for n in 1..=seconds / 10 {
        rig.clock.advance(Duration::from_secs(10));
        let now = rig.now();
        rig.shard.tick(now);
        times.extend(rig.events().iter().filter(|event| what(event)).map(|_| n * 10));
    }
    times
}

#[test]
fn a_far_end_that_should_talk_and_sends_nothing_for_3_minutes_is_told_to_be_gone() {
    let gone = |event: &MediaEvent| matches!(event, MediaEvent::Gone { .. });
    let mut rig = Rig::new();
    rig.add(1, 700.0, Codec::Pcmu, 20);
    rig.run(10);
    assert_eq!(told(&mut rig, 1_000, gone), [180], "once");
    rig.run(10);
    assert_eq!(told(&mut rig, 200, gone), [180], "and again after it was heard");

    // On hold, whatever the word for it, it owes us nothing.
    for (send, receive) in [(false, true), (true, false), (false, false)] {
        let mut rig = Rig::new();
        let a = rig.add(1, 700.0, Codec::Pcmu, 20);
        let parameters = rig.parameters(a);
        rig.run(10);
        rig.connect(a, RtpParameters { send, receive, ..parameters });
        assert_eq!(told(&mut rig, 4_000, gone), [] as [u64; 0]);
        // Taken back, it has its time again.
        rig.connect(a, parameters);
        assert_eq!(told(&mut rig, 200, gone), [190], "counted from the first look after that");
    }
}

#[test]
fn packets_as_long_as_the_mix_takes_are_relayed_too() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let mut rig = Rig::new();
        let (a, b) = (rig.add(1, 700.0, codec, 20), rig.add(2, 1_100.0, codec, 20));
        rig.bridge(HearMatrix::conference(&[a, b]));
        rig.run(5);
        for ptime_ms in [80, 120] {
            // Nobody agreed to that, and it does so all the same.
            rig.peer(a).samples = ptime_ms * 8;
            rig.listen();
            rig.assert_hears(b, &[700.0]);
            rig.assert_hears(a, &[1_100.0]);
            rig.assert_seamless(b);
            assert!(rig.peer(b).packets.iter().all(|(_, sound)| sound.len() == ptime_ms * 8), "relayed");
        }
    }
}
