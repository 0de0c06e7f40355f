//! Legs on one shard over real loopback sockets, time injected: each party says its own tone, each ear must
//! hear exactly what it should.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::leg::Leg;
use super::news::{Ear, Homes, news};
use super::port::PortPool;
use super::rtp_path::RtpPath;
use super::shard::{Command, Shard, Sounds};
use super::{Codec, EventTypes, MediaEvent, PlayId, Prompt, RtpParameters, Strays};
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::rng::Rng;
use crate::domain::call::bridge::{BridgeId, HearMatrix, KeysBound, LegId, Source};
use crate::proto::audio::codec::{Decoder, Encoder};
use crate::proto::audio::dtmf;
use crate::proto::audio::tone::{power_at, sine};
use crate::proto::rtp::packet::{self, Header, MAX_PACKET};
use crate::proto::rtp::rtcp::{self, Rtcp};
use crate::proto::rtp::telephone_event::Press;

pub(super) const MUSIC_HZ: f64 = 300.0;
const BRIDGE: BridgeId = BridgeId(1);

/// A far end: says its tone, keeps what it hears.
pub(super) struct Peer {
    pub(super) socket: UdpSocket,
    pub(super) rtcp: UdpSocket,
    pub(super) to: SocketAddr,
    pub(super) codec: Codec,
    pub(super) encoder: Encoder,
    pub(super) decoder: Decoder,
    pub(super) samples: usize,
    pub(super) tone: Vec<i16>,
    pub(super) said: usize,
    pub(super) owed: usize,
    pub(super) header: Header,
    pub(super) heard: Vec<i16>,
    pub(super) packets: Vec<(Header, Vec<u8>)>,
    pub(super) mute: bool,
    /// RTCP that came where sound comes.
    pub(super) reports: Vec<Vec<u8>>,
}

impl Peer {
    pub(super) fn say(&mut self, samples: usize) {
        self.owed += samples;
        while self.owed >= self.samples {
            self.owed -= self.samples;
            let sound = (self.said..self.said + self.samples).map(|n| self.tone[n % self.tone.len()]);
            let payload: Vec<u8> = sound.map(|s| self.encoder.sample(self.codec, s)).collect();
            self.said += self.samples;
            if !self.mute {
                self.send(&payload);
            }
            self.header.timestamp = self.header.timestamp.wrapping_add(self.samples as u32);
        }
    }

    pub(super) fn send(&mut self, payload: &[u8]) {
        let mut bytes = [0; MAX_PACKET];
        let len = packet::write(&self.header, payload, &mut bytes);
        self.socket.send_to(&bytes[..len], self.to).unwrap();
        self.header.sequence = self.header.sequence.wrapping_add(1);
    }

    pub(super) fn listen(&mut self) {
        let mut bytes = [0; 2_048];
        while let Ok((len, _)) = self.socket.recv_from(&mut bytes) {
            if packet::is_rtcp(&bytes[..len]) {
                self.reports.push(bytes[..len].to_vec());
                continue;
            }
            let (header, payload) = packet::read(&bytes[..len]).expect("we send RTP");
            if let Some(codec) = Codec::of_payload_type(header.payload_type) {
                self.heard.extend(payload.iter().map(|b| self.decoder.octet(codec, *b)));
            }
            self.packets.push((header, payload.to_vec()));
        }
    }
}

pub(super) struct Rig {
    pub(super) shard: Shard,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) ear: Ear,
    pub(super) clock: TestClock,
    pub(super) pool: PortPool,
    pub(super) ip: IpAddr,
    pub(super) rng: Rng,
    pub(super) peers: Vec<(LegId, f64, Peer)>,
    pub(super) rev: u64,
}

impl Rig {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(2);
        // Each rig its own loopback address: no two tests, in whatever process, share a port.
        let [_, _, b, c] = std::process::id().to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(127, b | 64, c, NEXT.fetch_add(1, Ordering::Relaxed)));
        let clock = TestClock::at(UtcMs(1_800_000_000_000));
        let (commands, receiver) = super::inbox::inbox();
        let (teller, ear) = news();
        let music = Arc::new(Prompt::from_pcm(sine(MUSIC_HZ, 6_000.0, 8_000)));
        let shard = Shard::new(receiver, teller, Arc::new(clock.clone()), Sounds::new(music)).unwrap();
        let pool = PortPool::new(&(16_000..=16_031));
        Self { shard, commands, ear, clock, pool, ip, rng: Rng::seeded(9), peers: Vec::new(), rev: 0 }
    }

    pub(super) fn add(&mut self, id: u64, hz: f64, codec: Codec, ptime_ms: u8) -> LegId {
        let leg = LegId(id);
        let (rtp, rtcp, lease) = self.pool.bind_pair(self.ip, false).unwrap();
        let to = rtp.local_addr().unwrap();
        let made = Leg::rtp(leg, RtpPath::new(rtp, rtcp, lease, Strays::Ports), &mut self.rng);
        let port = 17_000 + id as u16 * 2;
        let socket = UdpSocket::bind((self.ip, port)).unwrap();
        let rtcp = UdpSocket::bind((self.ip, port + 1)).unwrap();
        socket.set_nonblocking(true).unwrap();
        rtcp.set_nonblocking(true).unwrap();
        let payload_type = codec.payload_type();
        let header =
            Header { payload_type, marker: false, sequence: 65_500, timestamp: u32::MAX - 1_000, ssrc: id as u32 };
        let peer = Peer {
            socket,
            rtcp,
            to,
            codec,
            encoder: Encoder::default(),
            decoder: Decoder::default(),
            samples: usize::from(ptime_ms) * 8,
            tone: sine(hz, 8_000.0, 8_000),
            said: 0,
            owed: 0,
            header,
            heard: Vec::new(),
            packets: Vec::new(),
            mute: false,
            reports: Vec::new(),
        };
        self.commands.send(Command::Open(Box::new(made))).unwrap();
        let parameters = RtpParameters {
            remote: peer.socket.local_addr().unwrap(),
            codec,
            telephone_event: Some(EventTypes::same(101)),
            comfort_noise: false,
            rtcp_mux: false,
            send: true,
            receive: true,
            ptime_ms,
            srtp: None,
        };
        self.peers.push((leg, hz, peer));
        self.connect(leg, parameters);
        leg
    }

    pub(super) fn parameters(&mut self, leg: LegId) -> RtpParameters {
        let peer = self.peer(leg);
        RtpParameters {
            remote: peer.socket.local_addr().unwrap(),
            codec: peer.codec,
            telephone_event: Some(EventTypes::same(101)),
            comfort_noise: false,
            rtcp_mux: false,
            send: true,
            receive: true,
            ptime_ms: (peer.samples / 8) as u8,
            srtp: None,
        }
    }

    pub(super) fn connect(&self, leg: LegId, parameters: RtpParameters) {
        self.commands.send(Command::Connect(leg, parameters)).unwrap();
    }

    pub(super) fn bridge(&mut self, matrix: HearMatrix) {
        self.rev += 1;
        self.commands.send(Command::SetBridge(BRIDGE, self.rev, matrix)).unwrap();
    }

    pub(super) fn peer(&mut self, leg: LegId) -> &mut Peer {
        &mut self.peers.iter_mut().find(|(l, ..)| *l == leg).expect("the test added this leg").2
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.instant()
    }

    /// Runs for so many ticks, everybody talking.
    pub(super) fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            for (.., peer) in &mut self.peers {
                peer.say(160);
            }
            let now = self.now();
            for ms in [0, 5, 10] {
                self.shard.pump(now + Duration::from_millis(ms));
            }
            self.clock.advance(Duration::from_millis(20));
            self.shard.tick(self.now());
            for (.., peer) in &mut self.peers {
                peer.listen();
            }
        }
    }

    /// Lets things settle, then listens for 10 s.
    pub(super) fn listen(&mut self) {
        self.run(10);
        for (.., peer) in &mut self.peers {
            peer.heard.clear();
            peer.packets.clear();
        }
        self.run(500);
    }

    /// Each leg in `wants` heard its tones, at least 20 dB over any other tone in the rig.
    pub(super) fn assert_hears(&mut self, leg: LegId, wants: &[f64]) {
        let tones: Vec<f64> = self.peers.iter().map(|p| p.1).chain([MUSIC_HZ, 440.0]).collect();
        let heard = &self.peer(leg).heard;
        assert!(wants.is_empty() || heard.len() >= 500 * 160 - 960, "{leg:?} heard only {} samples", heard.len());
        let power = |hz: f64| power_at(heard, hz).max(1.0);
        let unwanted = tones.iter().filter(|t| !wants.contains(t)).map(|t| power(*t)).fold(1.0, f64::max);
        for want in wants {
            let db = 10.0 * (power(*want) / unwanted).log10();
            assert!(db >= 20.0, "{leg:?} hears {want} Hz only {db:.1} dB over the rest");
            assert!(power(*want).sqrt() > 4_000.0, "{leg:?} hears {want} Hz too softly: {}", power(*want).sqrt());
        }
        if wants.is_empty() {
            assert!(unwanted < 100.0, "{leg:?} should hear nothing, hears {unwanted}");
        }
    }

    /// Sequence numbers without a hole, one SSRC, timestamps that go on by what was in each packet.
    pub(super) fn assert_seamless(&mut self, leg: LegId) {
        let packets = &self.peer(leg).packets;
        assert!(packets.len() > 10);
        for pair in packets.windows(2) {
            let [(a, sound), (b, _)] = pair else { unreachable!("windows of two") };
            assert_eq!(b.ssrc, a.ssrc);
            assert_eq!(b.sequence, a.sequence.wrapping_add(1));
            assert_eq!(b.timestamp.wrapping_sub(a.timestamp), sound.len() as u32, "{a:?} {b:?}");
        }
    }

    pub(super) fn events(&mut self) -> Vec<MediaEvent> {
        let (sender, mut events) = mpsc::channel(8_192);
        self.ear.turn(&sender, &Homes::default());
        std::iter::from_fn(|| events.try_recv().ok()).collect()
    }

    /// Without the figures that come every 5 s.
    pub(super) fn news(&mut self) -> Vec<MediaEvent> {
        self.events().into_iter().filter(|e| !matches!(e, MediaEvent::Quality { .. })).collect()
    }
}

/// The keys that the shard told of.
pub(super) fn told_keys(rig: &mut Rig) -> String {
    let digit = |e| if let MediaEvent::Digit { digit, .. } = e { Some(digit) } else { None };
    rig.events().into_iter().filter_map(digit).collect()
}

#[test]
fn two_parties_are_relayed_and_hear_each_other_alone() {
    for (one, two) in [(Codec::Pcmu, Codec::Pcmu), (Codec::Pcmu, Codec::Pcma)] {
        let mut rig = Rig::new();
        let (a, b) = (rig.add(1, 700.0, one, 20), rig.add(2, 1_100.0, two, 20));
        rig.bridge(HearMatrix::conference(&[a, b]));
        rig.listen();
        rig.assert_hears(a, &[1_100.0]);
        rig.assert_hears(b, &[700.0]);
        rig.assert_seamless(a);
        rig.assert_seamless(b);
        // Relayed sound is the same bytes; mixed sound of one party is too, but 40 ms later.
        let seen = rig.peer(a).packets.last().cloned().unwrap().1;
        assert_eq!(seen.len(), 160);
    }
}

#[test]
fn a_relayed_packet_goes_on_at_the_next_pump() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(5);
    rig.peer(b).packets.clear();
    rig.peer(a).send(&[0x55; 160]);
    rig.shard.pump(rig.now() + Duration::from_millis(5));
    rig.peer(b).listen();
    let (_, payload) = &rig.peer(b).packets[0];
    assert_eq!(payload, &[0x55; 160]);
}

#[test]
fn packet_times_from_10_to_60_ms_work_in_relay_and_mix() {
    for (one, two) in [(10, 10), (60, 60), (30, 20), (10, 60)] {
        let mut rig = Rig::new();
        let (a, b) = (rig.add(1, 700.0, Codec::Pcma, one), rig.add(2, 1_100.0, Codec::Pcma, two));
        rig.bridge(HearMatrix::conference(&[a, b]));
        rig.listen();
        rig.assert_hears(a, &[1_100.0]);
        rig.assert_hears(b, &[700.0]);
        let (ours, theirs) = (usize::from(one) * 8, usize::from(two) * 8);
        assert!(rig.peer(a).packets.iter().all(|(_, p)| p.len() == ours));
        assert!(rig.peer(b).packets.iter().all(|(_, p)| p.len() == theirs));
        rig.assert_seamless(a);
        rig.assert_seamless(b);
    }
}

#[test]
fn three_parties_hear_the_other_two() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    let b = rig.add(2, 1_100.0, Codec::Pcma, 20);
    let c = rig.add(3, 1_900.0, Codec::Pcmu, 30);
    rig.bridge(HearMatrix::conference(&[a, b, c]));
    rig.listen();
    rig.assert_hears(a, &[1_100.0, 1_900.0]);
    rig.assert_hears(b, &[700.0, 1_900.0]);
    rig.assert_hears(c, &[700.0, 1_100.0]);
}

#[test]
fn a_warm_patch_from_hold_to_drop_off_is_heard_as_it_should_be_in_every_phase() {
    let mut rig = Rig::new();
    let caller = rig.add(1, 700.0, Codec::Pcmu, 20);
    let operator = rig.add(2, 1_100.0, Codec::Pcmu, 20);
    let contact = rig.add(3, 1_900.0, Codec::Pcmu, 20);

    rig.bridge(HearMatrix::default().with(caller, &[Source::Music]).with(operator, &[Source::Ringback]));
    rig.listen();
    rig.assert_hears(caller, &[MUSIC_HZ]);
    rig.assert_hears(contact, &[]);
    let ringing = rig.peer(operator).heard.clone();
    for hz in [440.0, 480.0] {
        let level = power_at(&ringing, hz).sqrt();
        assert!(level > 1_000.0, "{hz} Hz of the ringing tone: {level}");
    }
    for hz in [700.0, 1_900.0, MUSIC_HZ] {
        assert!(power_at(&ringing, hz).sqrt() < 10.0);
    }

    let announce = HearMatrix::conference(&[operator, contact]).with(caller, &[Source::Music]);
    rig.bridge(announce.clone());
    rig.listen();
    rig.assert_hears(caller, &[MUSIC_HZ]);
    rig.assert_hears(operator, &[1_900.0]);
    rig.assert_hears(contact, &[1_100.0]);

    // The join: nobody misses more than 40 ms.
    for (.., peer) in &mut rig.peers {
        peer.packets.clear();
    }
    rig.run(20);
    rig.bridge(HearMatrix::conference(&[caller, operator, contact]));
    rig.run(20);
    for leg in [caller, operator, contact] {
        rig.assert_seamless(leg);
        assert!(rig.peer(leg).packets.len() >= 39, "{leg:?}: {}", rig.peer(leg).packets.len());
    }
    rig.listen();
    rig.assert_hears(caller, &[1_100.0, 1_900.0]);
    rig.assert_hears(operator, &[700.0, 1_900.0]);
    rig.assert_hears(contact, &[700.0, 1_100.0]);

    // The operator's leg just goes; the matrix still names it.
    rig.commands.send(Command::Close(operator)).unwrap();
    rig.listen();
    rig.assert_hears(caller, &[1_900.0]);
    rig.assert_hears(contact, &[700.0]);
    rig.peers.retain(|(leg, ..)| *leg != operator);
    rig.bridge(HearMatrix::conference(&[caller, contact]));
    rig.listen();
    rig.assert_hears(caller, &[1_900.0]);
    rig.assert_hears(contact, &[700.0]);
    rig.assert_seamless(caller);
}

#[test]
fn a_prompt_is_heard_from_its_very_first_sample() {
    let mut rig = Rig::new();
    let caller = rig.add(1, 700.0, Codec::Pcmu, 20);
    let mut rng = Rng::seeded(4);
    // Noise correlates with nothing but itself.
    let pcm: Vec<i16> = (0..12_345).map(|_| (rng.next_u64() as i16) / 4).collect();
    let prompt = Arc::new(Prompt::from_pcm(pcm.clone()));
    rig.commands.send(Command::Play { leg: caller, play: PlayId(5), prompt, repeat: false }).unwrap();
    rig.run(100);
    let heard = &rig.peer(caller).heard;
    assert!(correlation(&heard[..1_600], &pcm[..1_600]) > 0.99, "the first 200 ms");
    assert!(correlation(&heard[..12_345], &pcm) > 0.99, "all of it");
    assert!(heard[12_345..].iter().all(|s| s.abs() < 16), "silence after it");
    let done: Vec<_> = rig.events().into_iter().filter(|e| matches!(e, MediaEvent::PlayDone { .. })).collect();
    assert!(matches!(done[..], [MediaEvent::PlayDone { play: PlayId(5), .. }]));
    rig.assert_seamless(caller);
}

fn correlation(a: &[i16], b: &[i16]) -> f64 {
    let dot = |x: &[i16], y: &[i16]| x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn a_prompt_waits_until_the_far_end_can_hear_it_and_a_stopped_one_never_ends() {
    let mut rig = Rig::new();
    let (rtp, rtcp, lease) = rig.pool.bind_pair(rig.ip, false).unwrap();
    let leg = LegId(50);
    let made = Leg::rtp(leg, RtpPath::new(rtp, rtcp, lease, Strays::Ports), &mut rig.rng);
    rig.commands.send(Command::Open(Box::new(made))).unwrap();
    let prompt = Arc::new(Prompt::from_pcm(vec![1_000; 320]));
    rig.commands.send(Command::Play { leg, play: PlayId(1), prompt: prompt.clone(), repeat: false }).unwrap();
    rig.run(20);
    assert!(rig.shard.leg(leg).is_playing());
    rig.commands.send(Command::Play { leg, play: PlayId(2), prompt, repeat: false }).unwrap();
    rig.commands.send(Command::Stop(leg, PlayId(1))).unwrap();
    rig.run(1);
    assert!(rig.shard.leg(leg).is_playing(), "stopping an earlier play leaves this one alone");
    rig.commands.send(Command::Stop(leg, PlayId(2))).unwrap();
    rig.run(5);
    assert!(rig.events().is_empty());
}

#[test]
fn a_prompt_waits_out_a_hold_and_is_then_heard_to_its_end() {
    let mut rig = Rig::new();
    let caller = rig.add(1, 700.0, Codec::Pcmu, 20);
    let parameters = rig.parameters(caller);
    let done = |rig: &mut Rig| rig.events().iter().any(|event| matches!(event, MediaEvent::PlayDone { .. }));
    let pcm: Vec<i16> = sine(1_300.0, 8_000.0, 8_000);
    for receive in [true, false] {
        rig.connect(caller, RtpParameters { send: false, receive, ..parameters });
        let prompt = Arc::new(Prompt::from_pcm(pcm.clone()));
        rig.commands.send(Command::Play { leg: caller, play: PlayId(1), prompt, repeat: false }).unwrap();
        rig.run(200);
        assert!(!done(&mut rig) && rig.shard.leg(caller).is_playing(), "nobody has heard a word of it");
        rig.connect(caller, parameters);
        rig.peer(caller).heard.clear();
        rig.run(60);
        assert!(done(&mut rig));
        assert!(correlation(&rig.peer(caller).heard[..8_000], &pcm) > 0.99);
    }
}

#[test]
fn changing_between_relay_prompt_and_mix_leaves_no_seam() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let c = rig.add(3, 1_900.0, Codec::Pcmu, 20);
    rig.run(3);
    let prompt = Arc::new(Prompt::from_pcm(sine(2_500.0, 8_000.0, 1_600)));
    for round in 0..5 {
        rig.bridge(HearMatrix::conference(&[a, b]));
        rig.run(12);
        rig.commands
            .send(Command::Play { leg: a, play: PlayId(round), prompt: prompt.clone(), repeat: false })
            .unwrap();
        rig.run(7);
        rig.bridge(HearMatrix::conference(&[a, b, c]));
        rig.run(12);
    }
    for leg in [a, b, c] {
        rig.assert_seamless(leg);
        let packets = &rig.peer(leg).packets;
        assert_eq!(packets.iter().filter(|(h, _)| h.marker).count(), 1, "one stream, one beginning");
        assert!(packets.len().abs_diff(3 + 5 * 31) <= 2, "{}", packets.len());
    }
}

#[test]
fn whoever_hears_two_far_ends_of_one_ssrc_in_turn_hears_the_second_at_once() {
    let mut rig = Rig::new();
    let (a, b, c) = (
        rig.add(1, 600.0, Codec::Pcmu, 20),
        rig.add(2, 1_000.0, Codec::Pcmu, 20),
        rig.add(3, 1_700.0, Codec::Pcmu, 20),
    );
    // As telephones of one make have it that number their packets alike; the second has been on for less long.
    rig.peer(c).header = rig.peer(b).header;
    let behind = rig.peer(c).header.sequence.wrapping_sub(40);
    rig.peer(c).header.sequence = behind;
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(50);
    rig.bridge(HearMatrix::conference(&[a, c]));
    rig.run(50);
    rig.assert_seamless(a);
    assert!(rig.peer(a).packets.len().abs_diff(100) <= 2, "{}", rig.peer(a).packets.len());
    rig.listen();
    rig.assert_hears(a, &[1_700.0]);
}

#[test]
fn digits_are_told_once_and_passed_on_unless_bound() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    let c = rig.add(3, 1_900.0, Codec::Pcma, 20);
    let dial = |rig: &mut Rig, keys: &str| {
        for key in keys.chars() {
            let start = rig.peer(a).header.timestamp;
            let mut press = Press::new(key, start).unwrap();
            rig.peer(a).mute = true;
            while let Some(packet) = press.next_packet(800, true) {
                let audio = rig.peer(a).header;
                let peer = rig.peer(a);
                peer.header = Header { payload_type: 101, timestamp: start, marker: packet.first, ..audio };
                peer.send(&packet.payload);
                peer.header = Header { sequence: peer.header.sequence, ..audio };
                rig.run(1);
            }
            rig.peer(a).mute = false;
            rig.run(5);
        }
        told_keys(rig)
    };
    let passed = |rig: &mut Rig, leg: LegId| -> Vec<u8> {
        let mut presses: Vec<(u32, u8)> = rig
            .peer(leg)
            .packets
            .iter()
            .filter(|(h, _)| h.payload_type == 101)
            .map(|(h, p)| (h.timestamp, p[0]))
            .collect();
        presses.dedup();
        rig.peer(leg).packets.clear();
        presses.into_iter().map(|(_, event)| event).collect()
    };
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    assert_eq!(dial(&mut rig, "159#"), "159#");
    assert_eq!(passed(&mut rig, b), [1, 5, 9, 11], "relayed");
    rig.bridge(HearMatrix::conference(&[a, b, c]));
    rig.run(2);
    assert_eq!(dial(&mut rig, "20"), "20");
    rig.run(40);
    assert_eq!(passed(&mut rig, b), [2, 0], "mixed");
    assert_eq!(passed(&mut rig, c), [2, 0], "mixed");
    for matrix in [HearMatrix::conference(&[a, b]), HearMatrix::conference(&[a, b, c])] {
        rig.bridge(matrix);
        rig.commands.send(Command::BindDigits(a, KeysBound::All)).unwrap();
        rig.run(10);
        rig.peer(b).packets.clear();
        assert_eq!(dial(&mut rig, "1*"), "1*");
        let sequences: Vec<u16> = rig.peer(b).packets.iter().map(|(h, _)| h.sequence).collect();
        assert!(sequences.windows(2).all(|w| w[1] == w[0].wrapping_add(1)), "no hole where digits were");
        assert_eq!(passed(&mut rig, b), [] as [u8; 0]);
    }
    rig.commands.send(Command::PressKeys(b, "7".into())).unwrap();
    rig.run(20);
    assert_eq!(passed(&mut rig, b), [7]);
}

#[test]
fn keys_as_tones_are_heard_where_no_telephone_event_was_agreed() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcma, 20);
    let parameters = rig.parameters(a);
    rig.connect(a, RtpParameters { telephone_event: None, ..parameters });
    rig.peer(a).tone = "9#0"
        .chars()
        .flat_map(|key| dtmf::tones(key, 800).unwrap().into_iter().chain(vec![0; 800]))
        .chain(vec![0; 16_000])
        .collect();
    rig.run(70);
    assert_eq!(told_keys(&mut rig), "9#0");
}

#[test]
fn a_far_end_on_hold_is_sent_nothing_and_is_not_silent() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    let parameters = rig.parameters(a);
    rig.connect(a, RtpParameters { send: false, receive: false, remote: "0.0.0.0:9".parse().unwrap(), ..parameters });
    rig.peer(a).mute = true;
    rig.run(1);
    rig.peer(a).packets.clear();
    rig.run(2_000);
    assert!(rig.peer(a).packets.is_empty());
    assert!(!rig.events().iter().any(|e| matches!(e, MediaEvent::Silent { .. })));
    rig.connect(a, parameters);
    rig.peer(a).mute = false;
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    rig.assert_hears(b, &[700.0]);
}

#[test]
fn a_far_end_that_falls_silent_is_told_after_15_s_and_when_it_comes_back() {
    let mut rig = Rig::new();
    let a = rig.add(1, 700.0, Codec::Pcmu, 20);
    rig.run(50);
    rig.peer(a).mute = true;
    rig.run(740);
    assert!(rig.news().is_empty());
    rig.run(20);
    assert!(matches!(rig.news()[..], [MediaEvent::Silent { .. }]));
    // Told again each 30 s, so that the far end is probed again.
    rig.run(1_500);
    assert!(matches!(rig.news()[..], [MediaEvent::Silent { .. }]));
    rig.peer(a).mute = false;
    rig.run(5);
    assert!(matches!(rig.news()[..], [MediaEvent::Heard { .. }]));
}

#[test]
fn strangers_are_not_heard() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::conference(&[a, b]));
    rig.run(10);
    let stranger = UdpSocket::bind((Ipv4Addr::new(127, 79, 0, 1), 0)).unwrap();
    let to = rig.peer(a).to;
    rig.peer(b).packets.clear();
    for n in 0..100 {
        let header = Header { payload_type: 0, marker: false, sequence: n, timestamp: u32::from(n) * 160, ssrc: 66 };
        let mut bytes = [0; MAX_PACKET];
        let len = packet::write(&header, &[0x12; 160], &mut bytes);
        stranger.send_to(&bytes[..len], to).unwrap();
        stranger.send_to(&[0x80; 3], to).unwrap();
        rig.run(1);
    }
    assert!(rig.peer(b).packets.iter().all(|(_, p)| p[..] != [0x12; 160]));
    assert_eq!(rig.peer(b).packets.len(), 100);
}

#[test]
fn a_receiver_that_misses_the_first_packets_still_knows_the_rollover_counter() {
    let mut rig = Rig::new();
    let legs: Vec<LegId> = (1..=16).map(|id| rig.add(id, 700.0, Codec::Pcmu, 20)).collect();
    rig.run(2);
    let first = legs.iter().map(|leg| rig.peer(*leg).packets.first().expect("it is spoken to").0.sequence);
    let first: Vec<u16> = first.collect();
    assert!(first.iter().all(|sequence| *sequence < 0x8000), "{first:?}");
    assert_ne!(first[0], first[1], "drawn for each");
}

#[test]
fn reports_go_out_under_a_name_for_each_leg_and_say_good_bye() {
    let mut rig = Rig::new();
    let legs = [rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20)];
    rig.run(1_000);
    for leg in legs {
        rig.commands.send(Command::Close(leg)).unwrap();
    }
    rig.run(1);
    let (mut names, mut sent, mut bytes) = (Vec::new(), 0, [0; 2_048]);
    for leg in legs {
        let (mut reports, mut byes) = (Vec::new(), 0);
        while let Ok((len, _)) = rig.peer(leg).rtcp.recv_from(&mut bytes) {
            assert!(rtcp::read(&bytes[..len], |said| match said {
                Rtcp::Sender { info, .. } => reports.push(info),
                Rtcp::Report { block, .. } => assert_eq!(block.lost, 0),
                Rtcp::Bye { .. } => byes += 1,
            }));
            // The SDES follows an SR with one block, and its first item is the name.
            names.push(bytes[62..78].to_vec());
        }
        assert!((3..=9).contains(&reports.len()), "{}", reports.len());
        assert_eq!(byes, 1);
        assert!(reports.windows(2).all(|w| w[1].packets > w[0].packets && w[1].ntp > w[0].ntp));
        sent += reports.len();
    }
    names.dedup();
    assert_eq!(names.len(), 2, "each its own, and the same all along: {names:?}");
    let mut events = rig.events();
    let told = events.extract_if(.., |e| matches!(e, MediaEvent::Quality { .. })).count();
    assert_eq!(told, sent - 2, "with each report but the last");
    for event in events {
        let MediaEvent::Closed { stats, .. } = event else { panic!("{event:?}") };
        assert_eq!((stats.packets_in, stats.lost), (1_000, 0));
        assert!(stats.packets_out >= 999);
    }
    assert_eq!(rig.pool.free(), 16, "the ports are back");
}

#[test]
fn stale_revisions_are_ignored_and_each_new_one_is_acknowledged() {
    let mut rig = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), rig.add(2, 1_100.0, Codec::Pcmu, 20));
    for (rev, matrix) in [(2, HearMatrix::conference(&[a, b])), (1, HearMatrix::default()), (2, HearMatrix::default())]
    {
        rig.commands.send(Command::SetBridge(BRIDGE, rev, matrix)).unwrap();
    }
    rig.listen();
    rig.assert_hears(a, &[1_100.0]);
    assert!(matches!(rig.news()[..], [MediaEvent::Bridged { rev: 2, .. }]));
    rig.commands.send(Command::SetBridge(BRIDGE, 3, HearMatrix::default().with(a, &[Source::Leg(a)]))).unwrap();
    rig.listen();
    rig.assert_hears(a, &[700.0]);
    rig.assert_hears(b, &[]);
}

#[test]
fn a_leg_moves_to_another_shard_without_a_seam() {
    let mut rig = Rig::new();
    let mut other = Rig::new();
    let (a, b) = (rig.add(1, 700.0, Codec::Pcmu, 20), other.add(2, 1_100.0, Codec::Pcmu, 20));
    rig.bridge(HearMatrix::default().with(a, &[Source::Music]));
    rig.run(50);
    rig.commands.send(Command::Move(vec![a], other.commands.clone())).unwrap();
    rig.run(1);
    let moved = rig.peers.remove(0);
    other.peers.push(moved);
    other.bridge(HearMatrix::conference(&[a, b]));
    other.run(50);
    other.assert_seamless(a);
    other.listen();
    other.assert_hears(a, &[1_100.0]);
    other.assert_hears(b, &[700.0]);
}
