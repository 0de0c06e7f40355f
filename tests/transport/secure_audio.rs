//! SRTP by SDES: two legs of ours hear each other through it; what is not authentic changes nothing.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::{SharedClock, SystemClock};
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{LegCommand, LegEvent, Offer};
use cordboard::engine::trunk::{Carriage, LegNumbers};
use cordboard::io::media::{LegStats, Media, MediaEvent, PlayId, RtpParameters};
use cordboard::io::net::tls::{PeerName, TlsPeer};
use cordboard::proto::audio::codec::Codec;
use cordboard::proto::audio::g711;
use cordboard::proto::audio::tone::power_at;
use cordboard::proto::rtp::packet::{self, Header};
use cordboard::proto::rtp::srtp::{Guard, Keys};
use cordboard::proto::sdp::{OwnKeys, Session, Srtp};
use tokio::sync::mpsc;

use super::media::{config, plain, prompt};
use super::{Authority, carrier, dial, dialled, end, next, trunk_side};

const RATE: f64 = 8_000.0;
const ONE_HZ: f64 = 700.0;
const TWO_HZ: f64 = 1_100.0;

pub fn media(ip: &str, ports: std::ops::RangeInclusive<u16>) -> (Media, mpsc::Receiver<MediaEvent>) {
    let (events, heard) = mpsc::channel(1_024);
    let config = config(ip.parse().expect("an address"), ports, Arc::new(SystemClock));
    (Media::start(config, events).expect("media"), heard)
}

/// A range of media ports that others here do not use.
pub fn ports(part: u16) -> std::ops::RangeInclusive<u16> {
    let base = 16_000 + (std::process::id() % 30) as u16 * 80 + part * 20;
    base..=base + 19
}

fn session(id: u64, local: SocketAddr, seed: u8, srtp: Srtp) -> Session {
    Session::new(id, local, &[Codec::Pcmu]).with_srtp(srtp, OwnKeys::new([[seed; 30], [seed + 1; 30]]))
}

/// How a leg went.
async fn closed(events: &mut mpsc::Receiver<MediaEvent>, wanted: LegId) -> LegStats {
    loop {
        if let MediaEvent::Closed { leg, stats } = next(events).await
            && leg == wanted
        {
            return stats;
        }
    }
}

/// A plain far end that speaks a tone and keeps what it hears.
struct Phone {
    socket: UdpSocket,
    hz: f64,
    header: Header,
    heard: Vec<i16>,
}

impl Phone {
    fn new(hz: f64, ssrc: u32) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        socket.set_nonblocking(true).expect("a socket");
        let header = Header { payload_type: 0, marker: false, sequence: 1, timestamp: 160, ssrc };
        Self { socket, hz, header, heard: Vec::new() }
    }

    fn parameters(&self, keys: Option<Keys>) -> RtpParameters {
        let remote = self.socket.local_addr().expect("bound");
        RtpParameters { telephone_event: None, srtp: keys, ..plain(remote) }
    }

    /// The next 20 ms of its tone.
    fn packet(&mut self, into: &mut [u8]) -> usize {
        let at = f64::from(self.header.timestamp);
        let tone =
            (0..160).map(|i| (8_000.0 * ((at + f64::from(i)) * self.hz / RATE * std::f64::consts::TAU).sin()) as i16);
        let sound: Vec<u8> = tone.map(g711::to_ulaw).collect();
        let len = packet::write(&self.header, &sound, into);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp += 160;
        len
    }

    fn turn(&mut self, to: SocketAddr) {
        let mut bytes = [0; 256];
        let len = self.packet(&mut bytes);
        self.socket.send_to(&bytes[..len], to).expect("loopback takes it");
        while let Ok((len, _)) = self.socket.recv_from(&mut bytes) {
            let (_, payload) = packet::read(&bytes[..len]).expect("RTP");
            self.heard.extend(payload.iter().map(|b| g711::from_ulaw(*b)));
        }
    }

    fn assert_hears(&self, hz: f64) {
        assert!(self.heard.len() > 12_000, "it heard {} samples", self.heard.len());
        let last = &self.heard[self.heard.len() - 8_000..];
        let (wanted, other) = (power_at(last, hz), power_at(last, self.hz).max(1.0));
        assert!(10.0 * (wanted / other).log10() >= 20.0, "{hz} Hz is not heard: {wanted} against {other}");
    }
}

/// Runs `each` every 20 ms.
fn every_20_ms(turns: u32, mut each: impl FnMut()) {
    let clock: SharedClock = Arc::new(SystemClock);
    let start = clock.instant();
    for turn in 0..turns {
        each();
        let due = start + Duration::from_millis(20) * (turn + 1);
        std::thread::sleep(due.saturating_duration_since(clock.instant()));
    }
}

#[tokio::test]
async fn two_legs_of_ours_hear_each_other_through_srtp_and_keep_to_it_when_keys_change() {
    // phone – leg 1 – leg 2 ~srtp~ leg 3 – leg 4 – phone
    let (media, mut events) = media("127.0.0.1", ports(0));
    let [a, b, c, d] = [1, 2, 3, 4].map(LegId);
    let shard = media.pick_shard();
    let at = [a, b, c, d].map(|leg| media.open_rtp(shard, leg).expect("a port"));
    let (mut one, mut two) = (Phone::new(ONE_HZ, 1), Phone::new(TWO_HZ, 2));
    media.connect_rtp(a, one.parameters(None)).expect("open");
    media.connect_rtp(d, two.parameters(None)).expect("open");
    let (mut ours, mut theirs) = (session(1, at[1], 1, Srtp::Off), session(2, at[2], 9, Srtp::Required));
    let offer = ours.offer_with(Srtp::Required);
    ours.settle(Srtp::Required);
    let (answer, agreed) = theirs.answer(&offer).expect("they agree");
    media.connect_rtp(c, agreed.into()).expect("open");
    media.connect_rtp(b, ours.accept(&answer).expect("we agree").into()).expect("open");
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[a, b]));
    media.set_bridge(shard, BridgeId(2), 1, HearMatrix::conference(&[c, d]));
    let talk = |one: &mut Phone, two: &mut Phone| {
        every_20_ms(110, || {
            one.turn(at[0]);
            two.turn(at[3]);
        });
        one.assert_hears(TWO_HZ);
        two.assert_hears(ONE_HZ);
    };
    talk(&mut one, &mut two);

    // Fresh keys on their side, by a re-offer.
    let mut theirs = session(3, at[2], 77, Srtp::Required);
    let offer = theirs.offer();
    let (answer, agreed) = ours.answer(&offer).expect("we agree");
    media.connect_rtp(b, agreed.into()).expect("open");
    media.connect_rtp(c, theirs.accept(&answer).expect("they agree").into()).expect("open");
    (one.heard, two.heard) = (Vec::new(), Vec::new());
    talk(&mut one, &mut two);
    for leg in [b, c] {
        media.close(leg);
        let stats = closed(&mut events, leg).await;
        assert!(stats.packets_in > 180, "{stats:?}");
        // A packet or two may have been on its way when the key changed.
        assert!(stats.srtp_refused < 5, "{stats:?}");
    }
}

#[tokio::test]
async fn packets_with_a_wrong_tag_change_nothing_from_wherever_they_come() {
    let (media, mut events) = media("127.0.0.1", ports(1));
    let (leg, shard) = (LegId(1), media.pick_shard());
    let at = media.open_rtp(shard, leg).expect("a port");
    let mut phone = Phone::new(ONE_HZ, 1);
    let mut ours = session(1, at, 1, Srtp::Required);
    let mut theirs = session(2, phone.socket.local_addr().expect("bound"), 9, Srtp::Required);
    let offer = theirs.offer();
    let (answer, agreed) = ours.answer(&offer).expect("we agree");
    media.connect_rtp(leg, agreed.into()).expect("open");
    let keys = theirs.accept(&answer).expect("they agree").srtp.expect("it is encrypted");
    let (mut out, mut inward) = (Guard::new(keys.suite, &keys.ours), Guard::new(keys.suite, &keys.theirs));
    media.play(leg, PlayId(1), prompt(TWO_HZ), true).expect("open");

    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    let forger = UdpSocket::bind("127.0.0.2:0").ok();
    let mut forgeries = 0_u64;
    every_20_ms(150, || {
        let mut bytes = [0; 256];
        let len = phone.packet(&mut bytes);
        // Plain RTP, damaged SRTP and noise, from the right address, from another port of that host, from another host,
        // and before anything authentic has come.
        let mut damaged = bytes;
        let sealed = out.protect(&mut bytes, len).expect("it has room");
        damaged[..sealed].copy_from_slice(&bytes[..sealed]);
        damaged[sealed - 1] ^= 1;
        for socket in [Some(&stranger), forger.as_ref(), Some(&phone.socket)].into_iter().flatten() {
            for forged in [&damaged[..sealed], &damaged[..len], &[0x80; 40]] {
                socket.send_to(forged, at).expect("loopback takes it");
            }
        }
        phone.socket.send_to(&bytes[..sealed], at).expect("loopback takes it");
        // A replay.
        phone.socket.send_to(&bytes[..sealed], at).expect("loopback takes it");
        // Once the phone's own address is known, others' do not even come to us: four from there are left.
        forgeries += 4;
        while let Ok((len, from)) = phone.socket.recv_from(&mut bytes) {
            assert_eq!(from, at);
            if packet::is_rtcp(&bytes[..len]) {
                // Both said that reports may share the port.
                inward.open_rtcp(&mut bytes[..len]).expect("so are our reports");
                continue;
            }
            let len = inward.open(&mut bytes[..len]).expect("what we send is authentic");
            let (_, payload) = packet::read(&bytes[..len]).expect("RTP");
            phone.heard.extend(payload.iter().map(|b| g711::from_ulaw(*b)));
        }
    });
    phone.assert_hears(TWO_HZ);
    assert!(stranger.set_nonblocking(true).is_ok() && stranger.recv_from(&mut [0; 64]).is_err(), "nothing bled");
    media.close(leg);
    let stats = closed(&mut events, leg).await;
    assert_eq!(stats.lost, 0, "{stats:?}");
    assert!(stats.packets_in <= 150 && stats.packets_in >= 140, "{stats:?}");
    assert!(stats.srtp_refused >= forgeries, "{stats:?}, {forgeries} forged");
}

#[tokio::test]
async fn a_trunk_that_must_encrypt_offers_keys_and_takes_no_plain_answer_or_call() {
    let authority = Authority::fresh();
    let name = PeerName::parse("sip.carrier.test").expect("a name");
    let peer = || TlsPeer::new("sip.carrier.test", name.clone(), Some(authority.ca_file()), None).expect("a peer");
    for (srtp, profile, keys) in
        [(Srtp::Required, "RTP/SAVP", 2), (Srtp::Preferred, "RTP/AVP", 2), (Srtp::Off, "RTP/AVP", 0)]
    {
        let theirs = authority.identity("carrier", &["sip.carrier.test"]);
        let (b, mut calls) = trunk_side("127.0.0.1:0", Some(theirs), carrier("127.0.0.1:9", Carriage::Udp, srtp)).await;
        let target = b.local_tls().expect("it listens for TLS").to_string();
        let (a, _calls) = trunk_side("127.0.0.1:0", None, carrier(&target, Carriage::Tls(peer()), srtp)).await;
        let (events, mut heard) = mpsc::channel(32);
        let session = session(1, "127.0.0.1:20000".parse().expect("an address"), 1, Srtp::Off);
        let leg = LegNumbers::default().fresh();
        a.dial(leg, dialled(), Offer::Of(Box::new(session)), events);
        let call = next(&mut calls).await;
        let offer = String::from_utf8(call.offer.expect("an offer")).expect("text");
        assert!(offer.contains(&format!("m=audio 20000 {profile} ")), "{offer}");
        assert_eq!((offer.matches("a=crypto:").count(), call.srtp), (keys, srtp));
        if srtp != Srtp::Off {
            assert!(matches!(next(&mut heard).await, LegEvent::Offered(offered) if offered.srtp == srtp));
        }
        b.send(call.leg, LegCommand::Reject(Cause::Busy));
        assert_eq!(end(&mut heard).await, Cause::Busy);
    }
    // The same carrier, calling in the clear.
    let (b, _calls) = trunk_side("127.0.0.1:0", None, carrier("127.0.0.1:9", Carriage::Udp, Srtp::Required)).await;
    let target = b.local().to_string();
    let (a, _calls) = trunk_side("127.0.0.1:0", None, carrier(&target, Carriage::Udp, Srtp::Off)).await;
    assert_eq!(end(&mut dial(&a, LegId(1))).await, Cause::Unreachable);
}
