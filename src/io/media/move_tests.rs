//! Legs that move between two shards while they are relayed, mixed and played to: no far end may notice. Time is
//! injected, sockets are real, and in which order the shards work is drawn from a seed.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Codec, EventTypes, Media, MediaConfig, MediaEvent, PlayId, Prompt, RtpParameters, ShardDriver, ShardId};
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::rng::Rng;
use crate::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use crate::io::recording::{FrameForTest, Kind, Tap};
use crate::proto::audio::g711;
use crate::proto::audio::tone::sine;
use crate::proto::rtp::packet::{self, Header, MAX_PACKET};

const MOVES: u64 = 1_000;

/// A far end whose packets are numbered by what they hold.
struct Peer {
    socket: UdpSocket,
    to: SocketAddr,
    header: Header,
    got: Vec<(Header, u8)>,
}

impl Peer {
    fn say(&mut self) {
        let mut bytes = [0; MAX_PACKET];
        let len = packet::write(&self.header, &[self.header.sequence as u8; 160], &mut bytes);
        self.socket.send_to(&bytes[..len], self.to).unwrap();
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
    }

    fn listen(&mut self) {
        let mut bytes = [0; MAX_PACKET];
        while let Ok((len, _)) = self.socket.recv_from(&mut bytes) {
            let (header, payload) = packet::read(&bytes[..len]).expect("we send RTP");
            self.got.push((header, payload[0]));
        }
    }
}

struct Rig {
    media: Media,
    drivers: Vec<ShardDriver>,
    events: mpsc::Receiver<MediaEvent>,
    clock: TestClock,
    rng: Rng,
    peers: Vec<Peer>,
}

impl Rig {
    fn new(legs: u64) -> Self {
        let [_, _, b, c] = std::process::id().to_be_bytes();
        let clock = TestClock::at(UtcMs(1_800_000_000_000));
        let (sender, events) = mpsc::channel(4_096);
        let config = MediaConfig {
            bind_ip: [127, b | 64, c, 249].into(),
            public_ip: None,
            ports: 16_000..=16_031,
            shards: 2,
            music: Arc::new(Prompt::from_pcm(sine(300.0, 6_000.0, 8_000))),
            clock: Arc::new(clock.clone()),
        };
        let (media, drivers) = Media::prepare(config, sender).unwrap();
        let mut peers = Vec::new();
        for id in 1..=legs {
            let to = media.open_rtp(ShardId(0), LegId(id)).unwrap();
            let socket = UdpSocket::bind((to.ip(), 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            let parameters = RtpParameters {
                remote: socket.local_addr().unwrap(),
                codec: Codec::Pcmu,
                telephone_event: Some(EventTypes::same(101)),
                send: true,
                receive: true,
                ptime_ms: 20,
                comfort_noise: false,
                rtcp_mux: false,
                srtp: None,
            };
            media.connect_rtp(LegId(id), parameters).unwrap();
            let header = Header { payload_type: 0, marker: false, sequence: 65_000, timestamp: 0, ssrc: id as u32 };
            peers.push(Peer { socket, to, header, got: Vec::new() });
        }
        Self { media, drivers, events, clock, rng: Rng::seeded(41), peers }
    }

    /// 20 ms: every far end talks, each shard ticks once, and where else they look is chance.
    fn beat(&mut self) {
        for peer in &mut self.peers {
            peer.say();
        }
        self.clock.advance(Duration::from_millis(20));
        let first = self.rng.below(2) as usize;
        for shard in [first, 1 - first] {
            for _ in 0..self.rng.below(3) {
                let pumped = self.rng.below(2) as usize;
                self.drivers[pumped].pump(self.clock.instant());
            }
            assert!(self.drivers[shard].tick(self.clock.instant()));
            self.drivers[shard].tell();
        }
        for peer in &mut self.peers {
            peer.listen();
        }
    }
}

#[test]
fn a_thousand_moves_under_load_lose_and_double_no_packet() {
    let mut rig = Rig::new(6);
    let groups = [vec![LegId(1), LegId(2)], vec![LegId(3), LegId(4), LegId(5)], vec![LegId(6)]];
    let bridge = |group: usize| BridgeId(group as u64);
    let mut homes = [ShardId(0); 3];
    for (n, group) in groups.iter().enumerate() {
        rig.media.set_bridge(ShardId(0), bridge(n), 0, HearMatrix::conference(group));
    }
    let prompt = Arc::new(Prompt::from_pcm(sine(500.0, 6_000.0, 5_000)));
    rig.media.play(LegId(6), PlayId(1), prompt, true).unwrap();
    let mut beats = 0;
    for moved in 1..=MOVES {
        for _ in 0..rig.rng.below(3) {
            rig.beat();
            beats += 1;
        }
        let n = rig.rng.below(3) as usize;
        let (from, to) = (homes[n], ShardId(1 - homes[n].0));
        rig.media.set_bridge(to, bridge(n), moved, HearMatrix::conference(&groups[n]));
        rig.media.move_legs(&groups[n], to).unwrap();
        rig.media.drop_bridge(from, bridge(n));
        homes[n] = to;
        while rig.events.try_recv().is_ok() {}
    }
    for _ in 0..10 {
        rig.beat();
        beats += 1;
    }
    for (n, peer) in rig.peers.iter().enumerate() {
        let gaps = peer.got.windows(2).filter(|w| w[1].0.sequence != w[0].0.sequence.wrapping_add(1)).count();
        let jumps = peer.got.windows(2).filter(|w| w[1].0.timestamp != w[0].0.timestamp.wrapping_add(160)).count();
        assert_eq!((gaps, jumps), (0, 0), "far end {}", n + 1);
        assert!(peer.got.len().abs_diff(beats) <= 2, "far end {} got {} in {beats} beats", n + 1, peer.got.len());
    }
    for (n, peer) in rig.peers[..2].iter().enumerate() {
        // The relay hands on what was said, each packet once and in its order.
        let said = peer.got[2..].windows(2).filter(|w| w[1].1 != w[0].1.wrapping_add(1)).count();
        assert_eq!(said, 0, "far end {}", n + 1);
    }
}

#[test]
fn what_is_asked_of_a_leg_on_its_way_is_done_when_it_arrives() {
    let mut rig = Rig::new(1);
    let leg = LegId(1);
    rig.beat();
    let free = rig.media.free_ports();
    rig.media.move_legs(&[leg], ShardId(1)).unwrap();
    let prompt = Arc::new(Prompt::from_pcm(vec![1_000; 160]));
    rig.media.play(leg, PlayId(7), prompt, false).unwrap();
    rig.media.move_legs(&[leg], ShardId(0)).unwrap();
    // The shard that is asked first does not have it yet.
    rig.drivers[1].tick(rig.clock.instant());
    rig.drivers[1].tell();
    for _ in 0..5 {
        rig.beat();
    }
    let events: Vec<MediaEvent> = std::iter::from_fn(|| rig.events.try_recv().ok()).collect();
    assert!(matches!(events[..], [MediaEvent::PlayDone { play: PlayId(7), .. }]), "{events:?}");
    rig.media.move_legs(&[leg], ShardId(1)).unwrap();
    rig.media.close(leg);
    for _ in 0..5 {
        rig.beat();
    }
    assert!(matches!(rig.events.try_recv(), Ok(MediaEvent::Closed { .. })));
    assert_eq!(rig.media.free_ports(), free + 1, "the port is back");
}

#[test]
fn a_recording_loses_nothing_while_its_call_moves_from_shard_to_shard() {
    let mut rig = Rig::new(2);
    let (caller, operator) = (LegId(1), LegId(2));
    let matrix = HearMatrix::conference(&[caller, operator]);
    rig.media.set_bridge(ShardId(0), BridgeId(1), 0, matrix.clone());
    for _ in 0..10 {
        rig.beat();
    }
    let (tap, mut tape) = Tap::for_test();
    rig.media.record(caller, tap).unwrap();
    let (mut home, mut beats, mut frames) = (0, 0, Vec::new());
    for moved in 1..=200 {
        for _ in 0..rig.rng.below(4) {
            rig.beat();
            beats += 1;
        }
        let to = 1 - home;
        rig.media.set_bridge(ShardId(to), BridgeId(1), moved, matrix.clone());
        rig.media.move_legs(&[caller, operator], ShardId(to)).unwrap();
        rig.media.drop_bridge(ShardId(home), BridgeId(1));
        home = to;
        frames.extend(tape.take());
        while rig.events.try_recv().is_ok() {}
    }
    for _ in 0..10 {
        rig.beat();
        beats += 1;
    }
    rig.media.close(caller);
    rig.beat();
    frames.extend(tape.take());
    assert!(frames.len().abs_diff(beats) <= 1, "{} frames in {beats} beats", frames.len());
    assert!(frames.iter().all(|frame| frame.kind == Kind::Sound), "no gap");
    // Both say packets of one octet after another: whatever is lost or doubled breaks the row on its side.
    for side in [|f: &FrameForTest| f.caller[80], |f: &FrameForTest| f.ours[80]] {
        let said: Vec<u8> = frames.iter().map(|frame| g711::to_ulaw(side(frame))).collect();
        // The two octets that mean nothing at all become one.
        let is_next =
            |w: &&[u8]| w[1] == w[0].wrapping_add(1) || (w[0] == 0x7e && w[1] == 0xff) || (w[0], w[1]) == (0xff, 0x80);
        let broken = said.windows(2).filter(|w| !is_next(w)).count();
        assert_eq!(broken, 0, "{said:x?}");
    }
}
