//! Codecs, keys, silence and reports of legs on one shard, in the rig of `shard_tests`.

use super::shard::Command;
use super::shard_tests::{Rig, told_keys};
use super::{Codec, MediaEvent, PlayId, Prompt, RtpParameters, Sound};
use crate::domain::call::bridge::{HearMatrix, KeysBound, LegId, Source};
use crate::proto::audio::dtmf::{self, Detector};
use crate::proto::audio::frame::FRAME;
use crate::proto::audio::tone::{power_at, sine};
use crate::proto::rtp::packet::{self, Header, MAX_PACKET};
use crate::proto::rtp::rtcp::{self, ReportBlock, Rtcp};
use crate::proto::rtp::telephone_event::Press;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn wideband_is_relayed_untouched_between_equals_and_transcoded_for_others() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::G722, 20), rig.add(2, 1_100.0, Codec::G722, 20));
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    // Bytes that no encoder of ours would make pass as they are.
    rig.peer(a).mute = true;
    let odd: Vec<u8> = (0..FRAME).map(|n| (n * 7) as u8).collect();
    rig.peer(b).packets.clear();
    rig.peer(a).send(&odd);
    rig.run(2);
    assert!(rig.peer(b).packets.iter().any(|(h, p)| h.payload_type == 9 && *p == odd));
    rig.peer(a).mute = false;
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
    rig.assert_seamless(a);

    let c = rig.add(3, 1_900.0, Codec::Pcma, 30);
    let d = rig.add(4, 2_300.0, Codec::Pcmu, 20);
    rig.bridge(HearMatrix::conference(&[a, b, c, d]));
    rig.listen();
    rig.assert_hears(a, &[1_100.0, 1_900.0, 2_300.0]);
    rig.assert_hears(c, &[700.0, 1_100.0, 2_300.0]);
    rig.assert_hears(d, &[700.0, 1_100.0, 1_900.0]);
}

#[test]
fn a_prompt_music_and_silence_are_spoken_in_wideband() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::G722, 20);
    let prompt = Arc::new(Prompt::from_pcm(sine(1_300.0, 8_000.0, 16_000)));
    rig.commands.send(Command::Play { leg: a, play: PlayId(1), prompt, repeat: false }).unwrap();
    rig.run(100);
    let level = power_at(&rig.peer(a).heard[1_600..14_400], 1_300.0).sqrt();
    assert!((7_500.0..8_500.0).contains(&level), "{level}");
    rig.peer(a).heard.clear();
    rig.run(50);
    let silence = rig.peer(a).heard[3_200..].to_vec();
    assert!(silence.iter().all(|s| s.abs() < 64), "{:?}", silence.iter().max());
    rig.bridge(HearMatrix::default().with(a, &[Source::Music]));
    rig.listen();
    rig.assert_hears(a, &[super::shard_tests::MUSIC_HZ]);
}

/// Presses `key` at leg `a`'s far end for `length` samples; a packet each 20 ms.
fn press(rig: &mut Rig, a: LegId, key: char, length: u32) {
    let start = rig.peer(a).header.timestamp;
    let mut press = Press::new(key, start).unwrap();
    let mut held = 0;
    rig.peer(a).mute = true;
    loop {
        held = (held + 160).min(length);
        let Some(packet) = press.next_packet(held, held == length) else { break };
        let audio = rig.peer(a).header;
        let peer = rig.peer(a);
        peer.header = Header { payload_type: 101, timestamp: packet.timestamp, marker: packet.first, ..audio };
        peer.send(&packet.payload);
        peer.header = Header { sequence: peer.header.sequence, ..audio };
        rig.run(1);
    }
    rig.peer(a).mute = false;
    rig.run(10);
}

/// Timestamps, keys, longest durations and numbers of ends of the presses in `packets`.
fn presses(packets: &[(Header, Vec<u8>)]) -> Vec<(u8, u16, usize)> {
    let mut presses: Vec<(u32, u8, u16, usize)> = Vec::new();
    for (header, payload) in packets.iter().filter(|(h, _)| h.payload_type == 101) {
        let duration = u16::from_be_bytes([payload[2], payload[3]]);
        let end = usize::from(payload[1] & 0x80 != 0);
        match presses.last_mut() {
            Some(last) if last.0 == header.timestamp => {
                assert!(duration >= last.2, "durations only grow");
                (last.2, last.3) = (duration, last.3 + end);
            }
            _ => presses.push((header.timestamp, payload[0], duration, end)),
        }
    }
    presses.into_iter().map(|(_, key, duration, ends)| (key, duration, ends)).collect()
}

#[test]
fn a_key_keeps_its_exact_length_relayed_or_mixed_in_any_packet_time() {
    for (codec, ptime) in [(Codec::Pcmu, 20), (Codec::Pcma, 20), (Codec::Pcmu, 60), (Codec::G722, 10)] {
        let mut rig = Rig::new();
        let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, codec, ptime));
        rig.bridge(HearMatrix::conference(&[a, b]));
        rig.run(20);
        for length in [400, 800, 1_333, 24_000] {
            rig.peer(b).packets.clear();
            press(&mut rig, a, '4', length);
            let passed = presses(&rig.peer(b).packets);
            assert_eq!(passed, [(4, length as u16, 3)], "{codec:?} {ptime} ms");
            let markers = rig.peer(b).packets.iter().filter(|(h, _)| h.payload_type == 101 && h.marker).count();
            assert_eq!(markers, 1);
        }
        assert_eq!(told_keys(&mut rig), "4444");
    }
}

#[test]
fn keys_are_told_after_a_re_offer_though_the_far_end_began_its_stream_anew() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    rig.run(5);
    press(&mut rig, a, '1', 800);
    let parameters = rig.parameters(a);
    rig.connect(a, RtpParameters { ptime_ms: 30, ..parameters });
    let header = &mut rig.peer(a).header;
    (header.sequence, header.timestamp) = (header.sequence.wrapping_sub(90), header.timestamp.wrapping_sub(30_000));
    press(&mut rig, a, '2', 800);
    assert_eq!(told_keys(&mut rig), "12");
}

#[test]
fn a_far_end_without_events_gets_keys_as_tones() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let parameters = rig.parameters(b);
    rig.connect(b, RtpParameters { telephone_event: None, ..parameters });
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(20);
    rig.peer(b).heard.clear();
    press(&mut rig, a, '8', 800);
    press(&mut rig, a, '#', 1_600);
    rig.run(20);
    let (mut detector, mut heard) = (Detector::default(), String::new());
    for frame in rig.peer(b).heard.chunks_exact(FRAME) {
        heard.extend(detector.hear(frame.try_into().unwrap()));
    }
    assert_eq!(heard, "8#");
    rig.assert_seamless(b);
}

#[test]
fn keys_as_tones_that_are_bound_are_told_and_not_heard() {
    for bound in [false, true] {
        let mut rig = Rig::new();
        let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
        for leg in [a, b] {
            let parameters = rig.parameters(leg);
            rig.connect(leg, RtpParameters { telephone_event: None, ..parameters });
        }
        rig.peer(a).tone = "19"
            .chars()
            .flat_map(|key| dtmf::tones(key, 800).unwrap().into_iter().chain(vec![0; 800]))
            .chain(vec![0; 16_000])
            .collect();
        rig.commands.send(Command::BindDigits(a, if bound { KeysBound::All } else { KeysBound::None })).unwrap();
        rig.bridge(HearMatrix::conference(&[a, b]));
        rig.run(60);
        assert_eq!(told_keys(&mut rig), "19");
        let (mut detector, mut passed) = (Detector::default(), String::new());
        for frame in rig.peer(b).heard.chunks_exact(FRAME) {
            passed.extend(detector.hear(frame.try_into().unwrap()));
        }
        assert_eq!(passed, if bound { "" } else { "19" });
    }
}

#[test]
fn silence_that_the_far_end_describes_is_heard_as_noise_or_passed_on_to_who_agreed() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let c = rig.add(3, 1_900.0, Codec::Pcmu, 20);
    for leg in [a, b] {
        let parameters = rig.parameters(leg);
        rig.connect(leg, RtpParameters { comfort_noise: true, ..parameters });
    }
    let describe = |rig: &mut Rig| {
        let header = rig.peer(a).header;
        rig.peer(a).mute = true;
        rig.peer(a).header.payload_type = 13;
        rig.peer(a).send(&[40]);
        rig.peer(a).header.payload_type = header.payload_type;
    };
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    describe(&mut rig);
    rig.run(3);
    assert!(rig.peer(b).packets.iter().any(|(h, p)| h.payload_type == 13 && p[..] == [40]), "relayed");
    rig.peer(a).mute = false;
    rig.bridge(HearMatrix::default().with(c, &[Source::Leg(a)]));
    rig.run(20);
    describe(&mut rig);
    rig.run(10);
    rig.peer(c).heard.clear();
    rig.run(50);
    let heard = &rig.peer(c).heard;
    let rms = (heard.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / heard.len() as f64).sqrt();
    assert!((250.0..420.0).contains(&rms), "-40 dB are 328: {rms}");
}

#[test]
fn figures_go_both_ways_on_two_ports_and_on_one() {
    for mux in [false, true] {
        let mut rig = Rig::new();
        let a = rig.add(1, 700.0, Codec::Pcmu, 20);
        let parameters = rig.parameters(a);
        rig.connect(a, RtpParameters { rtcp_mux: mux, ..parameters });
        let (mut bytes, mut reports) = ([0; 2_048], 0);
        for n in 0..1_200 {
            rig.peer(a).mute = n % 20 == 7;
            if n % 20 == 7 {
                rig.peer(a).header.sequence = rig.peer(a).header.sequence.wrapping_add(1);
            }
            rig.run(1);
            // Our reports are among the sound on one port, or beside it.
            let mut came: Vec<Vec<u8>> = std::mem::take(&mut rig.peer(a).reports);
            while let Ok((len, _)) = rig.peer(a).rtcp.recv_from(&mut bytes) {
                assert!(!mux, "the other port is not used");
                came.push(bytes[..len].to_vec());
            }
            for report in came {
                reports += 1;
                let mut answer = ReportBlock { fraction_lost: 26, lost: 12, jitter: 80, ..ReportBlock::default() };
                rtcp::read(&report, |said| match said {
                    Rtcp::Sender { ssrc, info } => (answer.ssrc, answer.last_sr) = (ssrc, (info.ntp >> 16) as u32),
                    Rtcp::Report { block, .. } => assert!(n < 200 || (10..=16).contains(&block.fraction_lost)),
                    Rtcp::Bye { .. } => {}
                });
                // The far end keeps it for 40 ms, the network for 20 on the way back.
                rig.run(2);
                answer.since_sr = 65_536 / 50;
                let mut out = [0; rtcp::MAX_COMPOUND];
                let len = rtcp::write(&mut out, 1, None, Some(&answer), "peer", false);
                let to = rig.peer(a).to;
                let peer = rig.peer(a);
                if mux {
                    peer.socket.send_to(&out[..len], to).unwrap();
                } else {
                    peer.rtcp.send_to(&out[..len], (to.ip(), to.port() + 1)).unwrap();
                }
                rig.run(1);
            }
        }
        assert!(reports >= 2, "{reports}");
        let mut figures = rig.events().into_iter().filter_map(|e| match e {
            MediaEvent::Quality { quality, .. } => Some(quality),
            _ => None,
        });
        let last = figures.next_back().expect("figures came");
        assert!((40..=60).contains(&last.lost_in), "{last:?}");
        assert_eq!((last.lost_out, last.jitter_out_us), (Some(101), Some(10_000)));
        let round_trip = last.round_trip_us.expect("a round trip");
        assert!((19_000..=61_000).contains(&round_trip), "{round_trip}");
        rig.commands.send(Command::Close(a)).unwrap();
        rig.run(1);
        let events = rig.events();
        let Some(MediaEvent::Closed { stats, .. }) = events.last() else { panic!("{events:?}") };
        assert_eq!((stats.lost_out, stats.round_trip_us), (Some(12), last.round_trip_us));
    }
}

#[test]
fn packets_from_elsewhere_never_reach_a_locked_leg_and_a_new_source_at_the_same_address_is_heard() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    rig.bridge(HearMatrix::default().with(a, &[Source::Leg(a)]));
    rig.run(10);
    let stranger = std::net::UdpSocket::bind("127.79.0.2:0").unwrap();
    let to = rig.peer(a).to;
    for n in 0..50 {
        let header = Header { payload_type: 0, marker: false, sequence: n, timestamp: u32::from(n) * 160, ssrc: 66 };
        let mut bytes = [0; MAX_PACKET];
        let len = packet::write(&header, &[0x12; 160], &mut bytes);
        stranger.send_to(&bytes[..len], to).unwrap();
        rig.run(1);
    }
    rig.peer(a).header.ssrc = 4_242;
    rig.listen();
    rig.assert_hears(a, &[700.0]);
    rig.commands.send(Command::Close(a)).unwrap();
    rig.run(1);
    let events = rig.events();
    let Some(MediaEvent::Closed { stats, .. }) = events.last() else { panic!("{events:?}") };
    // The socket is connected by then: the kernel itself keeps strangers out, and there is nothing to count.
    assert_eq!(stats.strangers, 0);
    // Ten, then fifty beside the stranger's, then those of `listen`: the far end's own, and no others.
    assert_eq!(stats.packets_in, 10 + 50 + 510);
}

#[test]
fn a_stranger_that_speaks_first_does_not_keep_the_named_host_out() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    rig.bridge(HearMatrix::default().with(a, &[Source::Leg(a)]));
    rig.peer(a).mute = true;
    let stranger = std::net::UdpSocket::bind("127.79.0.3:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let mut bytes = [0; MAX_PACKET];
    let to = rig.peer(a).to;
    for n in 0..9 {
        let header = Header { payload_type: 0, marker: false, sequence: n, timestamp: u32::from(n) * 160, ssrc: 66 };
        let len = packet::write(&header, &[0x12; 160], &mut bytes);
        stranger.send_to(&bytes[..len], to).unwrap();
        rig.run(1);
    }
    rig.run(1);
    let got = std::iter::from_fn(|| stranger.recv_from(&mut bytes).ok()).count();
    assert!(got > 0, "it persisted while the named host was silent, and is believed until then");
    rig.peer(a).mute = false;
    rig.run(2);
    while stranger.recv_from(&mut bytes).is_ok() {}
    rig.listen();
    rig.assert_hears(a, &[700.0]);
    assert!(stranger.recv_from(&mut bytes).is_err(), "nothing goes there any more");
}

#[test]
fn a_far_end_on_hold_is_silent_after_half_an_hour_and_not_before() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    rig.run(10);
    let parameters = rig.parameters(a);
    rig.connect(a, RtpParameters { send: true, receive: false, ..parameters });
    rig.peer(a).mute = true;
    rig.run(1);
    // Only the time matters: a tick each 10 s.
    let mut silent_after = Vec::new();
    for n in 1..=185_u64 {
        rig.clock.advance(Duration::from_secs(10));
        let now = rig.now();
        rig.shard.tick(now);
        silent_after.extend(rig.events().iter().filter(|e| matches!(e, MediaEvent::Silent { .. })).map(|_| n * 10));
    }
    assert_eq!(silent_after, [1_800, 1_830]);
}

#[test]
fn what_answered_is_told_of_a_leg_that_is_listened_to_and_of_no_other() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 1_000.0, Codec::Pcmu, 20), rig.add(2, 1_000.0, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::default().with(a, &[]).with(b, &[]));
    rig.run(20);
    rig.commands.send(Command::Listen(a, Box::default())).unwrap();
    rig.run(30);
    rig.peer(a).tone = vec![0; 8_000];
    rig.peer(b).tone = vec![0; 8_000];
    rig.run(60);
    let sound = |e| if let MediaEvent::Sound { leg, sound } = e { Some((leg, sound)) } else { None };
    let told: Vec<_> = rig.news().into_iter().filter_map(sound).collect();
    assert_eq!(told, [(a, Sound::Tone), (a, Sound::Beep)]);
}
