//! Two calls on two shards that become one: the calls' own machines say who hears whom, real sockets and injected time do
//! it, and nobody is left in silence on the way.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::call_rig::setup;
use super::shard_tests::{MUSIC_HZ, Peer};
use super::{Codec, EventTypes, Media, MediaConfig, Prompt, RtpParameters, ShardDriver, ShardId};
use crate::base::clock::{Clock, TestClock, UtcMs};
use crate::base::id::{CallId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::bridge::{BridgeId, LegId};
use crate::domain::call::joining::Joining;
use crate::domain::call::leg::LegInput;
use crate::domain::call::{Call, Input, OperatorCommand, Output};
use crate::proto::audio::codec::{Decoder, Encoder};
use crate::proto::audio::tone::{power_at, sine};
use crate::proto::rtp::packet::Header;

const PATIENT: LegId = LegId(1);
/// The operator in the patient's call, and in the doctor's.
const FIRST: LegId = LegId(2);
const DOCTOR: LegId = LegId(3);
const SECOND: LegId = LegId(4);
const TONES: [f64; 4] = [700.0, 1_100.0, 1_900.0, 1_300.0];
/// Two packets.
const GAP: usize = 320;

struct Rig {
    media: Media,
    drivers: Vec<ShardDriver>,
    clock: TestClock,
    peers: Vec<Peer>,
    /// On shards 0 and 1.
    calls: [Call; 2],
    /// How many packets each far end had after each tick.
    counts: Vec<[usize; 4]>,
}

impl Rig {
    fn new() -> Self {
        let [_, _, b, c] = std::process::id().to_be_bytes();
        let clock = TestClock::at(UtcMs(1_800_000_000_000));
        let (sender, _) = mpsc::channel(4_096);
        let config = MediaConfig {
            bind_ip: [127, b | 64, c, 248].into(),
            public_ip: None,
            ports: 16_000..=16_031,
            shards: 2,
            music: Arc::new(Prompt::from_pcm(sine(MUSIC_HZ, 6_000.0, 8_000))),
            clock: Arc::new(clock.clone()),
        };
        let (media, drivers) = Media::prepare(config, sender).unwrap();
        let calls = [PATIENT, DOCTOR].map(|caller| Call::new(clock.instant(), setup(caller)));
        let mut rig = Self { media, drivers, clock, peers: Vec::new(), calls, counts: Vec::new() };
        for (leg, shard) in [(PATIENT, 0), (FIRST, 0), (DOCTOR, 1), (SECOND, 1)] {
            rig.open(leg, ShardId(shard));
        }
        rig
    }

    fn open(&mut self, leg: LegId, shard: ShardId) {
        let to = self.media.open_rtp(shard, leg).unwrap();
        let [socket, rtcp] = [(); 2].map(|()| UdpSocket::bind((to.ip(), 0)).unwrap());
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
        self.media.connect_rtp(leg, parameters).unwrap();
        self.peers.push(Peer {
            socket,
            rtcp,
            to,
            codec: Codec::Pcmu,
            encoder: Encoder::default(),
            decoder: Decoder::default(),
            samples: 160,
            tone: sine(TONES[leg.0 as usize - 1], 8_000.0, 8_000),
            said: 0,
            owed: 0,
            header: Header { payload_type: 0, marker: false, sequence: 1, timestamp: 0, ssrc: leg.0 as u32 },
            heard: Vec::new(),
            packets: Vec::new(),
            mute: false,
            reports: Vec::new(),
        });
    }

    fn carry_out(&mut self, nth: usize) {
        while let Some(output) = self.calls[nth].poll_output() {
            match output {
                Output::SetBridge { rev, matrix } => {
                    self.media.set_bridge(ShardId(nth), BridgeId(nth as u64), rev, matrix);
                }
                Output::HangUp { leg } => self.media.close(leg),
                _ => {}
            }
        }
    }

    fn tell(&mut self, nth: usize, input: Input) {
        self.calls[nth].handle(self.clock.instant(), input);
        self.carry_out(nth);
    }

    fn does(&mut self, nth: usize, command: OperatorCommand) {
        self.calls[nth].command(self.clock.instant(), &kim(), command).expect("it fits the phase");
        self.carry_out(nth);
    }

    /// Kim speaks with that call's caller.
    fn talks(&mut self, nth: usize, caller: LegId, operator: LegId) {
        self.tell(nth, Input::Arrived);
        self.tell(nth, Input::Leg { leg: caller, event: LegInput::Established });
        self.tell(nth, Input::PlayDone { leg: caller, play: 1 });
        self.tell(nth, Input::Offer { user: kim(), leg: operator, ring: true });
        for event in [LegInput::Answered, LegInput::MediaUp] {
            self.tell(nth, Input::Leg { leg: operator, event });
        }
    }

    fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.peers.iter_mut().for_each(|peer| peer.say(160));
            self.clock.advance(Duration::from_millis(20));
            for driver in &mut self.drivers {
                driver.pump(self.clock.instant());
                driver.tick(self.clock.instant());
                driver.tell();
            }
            self.peers.iter_mut().for_each(Peer::listen);
            self.counts.push([0, 1, 2, 3].map(|nth| self.peers[nth].packets.len()));
        }
    }

    fn peer(&self, leg: LegId) -> &Peer {
        &self.peers[leg.0 as usize - 1]
    }

    /// Lets things settle, listens for 10 s, and has each of these hear exactly those.
    fn assert_hear(&mut self, wanted: &[(LegId, &[f64])]) {
        self.run(10);
        self.peers.iter_mut().for_each(|peer| peer.heard.clear());
        self.run(500);
        for (leg, tones) in wanted {
            let heard = &self.peer(*leg).heard;
            let power = |hz: f64| power_at(heard, hz).max(1.0);
            let is_wanted = |hz: &&f64| tones.contains(hz);
            let unwanted =
                TONES.iter().chain([&MUSIC_HZ]).filter(|hz| !is_wanted(hz)).map(|hz| power(*hz)).fold(1.0, f64::max);
            for hz in *tones {
                let db = 10.0 * (power(*hz) / unwanted).log10();
                assert!(db >= 20.0, "{leg:?} hears {hz} Hz only {db:.1} dB over the rest");
            }
        }
    }
}

fn kim() -> UserId {
    UserId::named("kim")
}

/// The longest run without sound.
fn longest_silence(heard: &[i16]) -> usize {
    // A tone passes zero: only what stays there is silence.
    heard.split(|sample| sample.unsigned_abs() > 200).map(<[i16]>::len).max().unwrap_or(0)
}

#[test]
fn a_doctor_who_rings_back_to_another_shard_is_put_through_without_a_gap_of_more_than_40_ms() {
    let mut rig = Rig::new();
    rig.talks(0, PATIENT, FIRST);
    rig.does(0, OperatorCommand::Hold);
    rig.talks(1, DOCTOR, SECOND);
    let [patient, _, doctor, second] = TONES;
    rig.assert_hear(&[(PATIENT, &[MUSIC_HZ]), (DOCTOR, &[second]), (SECOND, &[doctor])]);

    let first = TONES[1];
    rig.peers.iter_mut().for_each(|peer| peer.heard.clear());
    rig.run(20);
    let before = rig.counts.len();
    // In the order in which the two calls' tasks do it.
    let number = PhoneNumber::parse("+12025550160").unwrap();
    let joining = Joining { leg: DOCTOR, number, contact: None, call: CallId::named("two") };
    let now = rig.clock.instant();
    rig.calls[0].take_in(now, &kim(), joining).expect("it fits");
    rig.carry_out(0);
    let leg = rig.calls[1].give_away(now, &kim(), CallId::named("one")).expect("it fits");
    rig.carry_out(1);
    rig.media.move_legs(&[leg], ShardId(0)).unwrap();
    rig.run(20);
    for leg in [PATIENT, DOCTOR] {
        let silence = longest_silence(&rig.peer(leg).heard);
        assert!(silence <= GAP, "{leg:?} heard nothing for {} ms", silence / 8);
    }
    // Her headset goes from one of her legs to the other: what the doctor says is in one of the two all the time.
    let [by_second, by_first] = [SECOND, FIRST].map(|leg| &rig.peer(leg).heard);
    let heard_until = by_second.iter().rposition(|s| s.unsigned_abs() > 200).expect("she heard the doctor");
    let heard_from = by_first.iter().position(|s| s.unsigned_abs() > 200).expect("and hears them again");
    assert!(heard_from <= heard_until + GAP, "she heard nothing for {} ms", (heard_from - heard_until) / 8);
    for at in before + 2..rig.counts.len() {
        for leg in [PATIENT, FIRST, DOCTOR] {
            let nth = leg.0 as usize - 1;
            assert!(rig.counts[at][nth] > rig.counts[at - 2][nth], "{leg:?} was sent nothing for 40 ms");
        }
    }
    rig.assert_hear(&[(PATIENT, &[MUSIC_HZ]), (FIRST, &[doctor]), (DOCTOR, &[first])]);
    rig.does(0, OperatorCommand::Join);
    rig.assert_hear(&[(PATIENT, &[first, doctor]), (FIRST, &[patient, doctor]), (DOCTOR, &[patient, first])]);
    rig.does(0, OperatorCommand::Drop);
    rig.assert_hear(&[(PATIENT, &[doctor]), (DOCTOR, &[patient])]);
}
