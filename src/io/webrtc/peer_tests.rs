//! The peer against an answerer made of the same core, over real loopback sockets.

use std::net::UdpSocket;

use bytes::Bytes;
use rtc::peer_connection::message::RTCMessage;

use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::proto::rtp::packet::{self, Header, MAX_PACKET};
use crate::proto::rtp::srtp::{Guard, MAX_GROWTH};

/// The browser's side: takes an offer, answers it, keeps what it hears.
struct Answerer {
    core: RTCPeerConnection,
    sender: Option<RTCRtpSenderId>,
    socket: UdpSocket,
    /// What the core takes for its address.
    local: SocketAddr,
    heard: Vec<rtc::rtp::Packet>,
    up: bool,
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_read_timeout(Some(Duration::from_millis(2))).expect("a read timeout");
    socket
}

impl Answerer {
    fn answer(offer: &str, codecs: &[RTCRtpCodecParameters]) -> (Self, String) {
        let now = SystemClock.instant();
        let socket = socket();
        let local = socket.local_addr().expect("a bound socket");
        let certificate = Certificate::generate().expect("a certificate");
        let keying = Keying::new(crypto::default_provider().expect("a provider"));
        let mut core = build(now, local.ip(), &certificate, codecs, &keying).expect("a core");
        let offer = RTCSessionDescription::offer(offer.to_owned()).expect("an offer");
        core.set_remote_description(now, offer).expect("the offer is taken");
        let track = MediaStreamTrack::new(
            "s".to_owned(),
            "t".to_owned(),
            "t".to_owned(),
            RtpCodecKind::Audio,
            vec![RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(4711), ..Default::default() },
                codec: codecs[0].rtp_codec.clone(),
                ..Default::default()
            }],
        );
        let sender = core.add_track(track).ok();
        core.add_local_candidate(host_candidate(local).expect("a candidate")).expect("the candidate is taken");
        let answer = core.create_answer(None).expect("an answer");
        core.set_local_description(now, answer.clone()).expect("the answer is ours");
        // Browsers post the answer before they gathered: no candidates in it.
        let sdp: String =
            answer.sdp.lines().filter(|l| !l.starts_with("a=candidate")).map(|l| format!("{l}\r\n")).collect();
        (Self { core, sender, socket, local, heard: Vec::new(), up: false }, sdp)
    }

    /// Answers an offer of another path.
    fn answer_again(&mut self, offer: &str) -> String {
        let now = SystemClock.instant();
        let offer = RTCSessionDescription::offer(offer.to_owned()).expect("an offer");
        self.core.set_remote_description(now, offer).expect("the offer is taken");
        let answer = self.core.create_answer(None).expect("an answer");
        self.core.set_local_description(now, answer.clone()).expect("the answer is ours");
        answer.sdp.lines().filter(|l| !l.starts_with("a=candidate")).map(|l| format!("{l}\r\n")).collect()
    }

    /// Another network: what it sent from is gone, and what it sends comes from elsewhere. The core need not know.
    fn move_away(&mut self) {
        self.socket = socket();
    }

    fn pump(&mut self) {
        let now = SystemClock.instant();
        let local_addr = self.local;
        let mut buffer = [0; 2_000];
        while let Ok((len, peer_addr)) = self.socket.recv_from(&mut buffer) {
            let transport =
                TransportContext { local_addr, peer_addr, ecn: None, transport_protocol: TransportProtocol::UDP };
            let message = BytesMut::from(&buffer[..len]);
            self.core.handle_read(TaggedBytesMut { now, transport, message }).expect("the core reads");
        }
        if self.core.poll_timeout().is_some_and(|at| at <= now) {
            let _ = self.core.handle_timeout(now);
        }
        while let Some(event) = self.core.poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                self.up = state == RTCPeerConnectionState::Connected;
            }
        }
        while let Some(read) = self.core.poll_read() {
            if let RTCMessage::RtpPacket(_, packet) = read.message {
                self.heard.push(packet);
            }
        }
        while let Some(out) = self.core.poll_write() {
            let _ = self.socket.send_to(&out.message, out.transport.peer_addr);
        }
    }

    fn say(&mut self, payload_type: u8, sequence: u16, payload: &'static [u8]) {
        let header = rtc::rtp::Header {
            version: 2,
            payload_type,
            sequence_number: sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 4711,
            ..Default::default()
        };
        let packet = rtc::rtp::Packet { header, payload: Bytes::from_static(payload) };
        let mut sender = self.core.rtp_sender(self.sender.expect("a track")).expect("a sender");
        sender.write_rtp(SystemClock.instant(), packet).expect("the packet is taken");
    }
}

/// Our side: the peer on its socket, and SRTP with the keys that it gives.
struct Ours {
    peer: WebPeer,
    socket: UdpSocket,
    /// Out, and in.
    guards: Option<(Guard, Guard)>,
    heard: Vec<(Header, Vec<u8>)>,
}

impl Ours {
    fn offer(codecs: &[Codec]) -> (Self, String) {
        let socket = socket();
        let local = socket.local_addr().expect("a bound socket");
        let certificate = Certificate::generate().expect("a certificate");
        let (peer, offer) =
            WebPeer::new(SystemClock.instant(), local, None, &certificate, codecs).expect("a peer can be made");
        (Self { peer, socket, guards: None, heard: Vec::new() }, offer)
    }

    /// As a leg sends.
    fn say(&mut self, payload_type: u8, sequence: u16, payload: &[u8]) {
        let ssrc = self.peer.ssrc();
        let header = Header { payload_type, marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc };
        let mut bytes = [0; MAX_PACKET + MAX_GROWTH];
        let len = packet::write(&header, payload, &mut bytes);
        let (out, _) = self.guards.as_mut().expect("the handshake is through");
        let len = out.protect(&mut bytes, len).expect("it has room");
        let to = self.peer.remote().expect("a path is chosen");
        self.socket.send_to(&bytes[..len], to).expect("loopback takes it");
    }

    fn pump(&mut self) {
        let now = SystemClock.instant();
        let mut buffer = [0; 2_000];
        while let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            if !is_media(&buffer[..len]) {
                self.peer.handle_datagram(now, from, &buffer[..len]);
            } else if let Some((_, inward)) = &mut self.guards {
                let len = inward.open(&mut buffer[..len]).expect("it is from whom the keys were agreed with");
                let (header, payload) = packet::read(&buffer[..len]).expect("it is RTP");
                self.heard.push((header, payload.to_vec()));
            }
        }
        if self.peer.poll_timeout().is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now);
        }
        while let Some((to, bytes)) = self.peer.poll_transmit() {
            assert!(!is_media(&bytes), "the core sends no media");
            let _ = self.socket.send_to(&bytes, to);
        }
        if let Some(keys) = self.peer.take_keys() {
            self.guards = Some((Guard::new(keys.suite, &keys.ours), Guard::new(keys.suite, &keys.theirs)));
        }
    }
}

/// Pumps both sides until `done`, some thousand rounds at most.
fn until(ours: &mut Ours, theirs: &mut Answerer, what: &str, done: impl Fn(&Ours, &Answerer) -> bool) {
    for _ in 0..2_500 {
        ours.pump();
        theirs.pump();
        if done(ours, theirs) {
            return;
        }
    }
    panic!("{what} did not happen");
}

fn connected(codecs: &[Codec]) -> (Ours, Answerer) {
    let (mut ours, offer) = Ours::offer(codecs);
    let takes = [codec_parameters(Codec::Pcmu), codec_parameters(Codec::Pcma), telephone_event()];
    let (mut theirs, answer) = Answerer::answer(&offer, &takes);
    ours.peer.accept(SystemClock.instant(), &answer).expect("the answer is taken");
    until(&mut ours, &mut theirs, "the connection", |o, t| o.peer.state() == PeerState::Up && t.up);
    (ours, theirs)
}

#[test]
fn the_offer_holds_what_was_asked_for_in_that_order_and_digits_at_8000_only() {
    let (_, offer) = Ours::offer(&[Codec::Pcma, Codec::Pcmu]);
    assert!(offer.contains("m=audio 9 UDP/TLS/RTP/SAVPF 8 0 101") || offer.contains("SAVPF 8 0 101"), "{offer}");
    assert_eq!(offer.matches("telephone-event/8000").count(), 1, "{offer}");
    assert_eq!(offer.matches("telephone-event").count(), 1, "{offer}");
    assert!(offer.contains("PCMU/8000\r\n"), "no channel count: {offer}");
    assert!(offer.contains("a=candidate:") && offer.contains("127.0.0.1"), "{offer}");
    assert!(!offer.contains("ice-lite"), "{offer}");
}

#[test]
fn audio_and_digits_pass_both_ways_and_any_offered_payload_type_is_heard() {
    let (mut ours, mut theirs) = connected(&[Codec::Pcmu, Codec::Pcma]);
    assert_eq!(ours.peer.codec(), Codec::Pcmu);
    assert_eq!(ours.peer.telephone_event(), Some(TELEPHONE_EVENT));

    for sequence in 0..20 {
        ours.say(0, sequence, &[0x55; 160]);
        theirs.say(if sequence < 10 { 0 } else { 8 }, sequence, &[0x2a; 160]);
        ours.pump();
        theirs.pump();
    }
    // RFC 4733 §2.3: event 5, end bit, volume 10, duration 800.
    ours.say(TELEPHONE_EVENT, 20, &[5, 0x8a, 3, 0x20]);
    theirs.say(TELEPHONE_EVENT, 20, &[11, 0x8a, 3, 0x20]);
    until(&mut ours, &mut theirs, "the audio", |o, t| o.heard.len() == 21 && t.heard.len() == 21);

    assert!(theirs.heard.iter().all(|p| p.header.ssrc == ours.peer.ssrc()));
    assert_eq!(theirs.heard[0].payload, vec![0x55; 160]);
    assert_eq!(theirs.heard[20].payload.as_ref(), [5, 0x8a, 3, 0x20]);
    assert_eq!(ours.heard[0].1, [0x2a; 160]);
    assert_eq!(ours.heard.iter().filter(|(header, _)| header.payload_type == 8).count(), 10);
    assert_eq!(ours.heard[20].1, [11, 0x8a, 3, 0x20]);
    assert!(ours.heard.iter().map(|(header, _)| header.sequence).eq(0..=20));
}

#[test]
fn before_the_handshake_there_are_no_keys_and_no_path_and_after_it_the_keys_are_told_once() {
    let (mut waiting, _) = Ours::offer(&[Codec::Pcmu]);
    waiting.pump();
    assert!(waiting.guards.is_none() && waiting.peer.remote().is_none());
    let (mut ours, theirs) = connected(&[Codec::Pcmu]);
    assert!(ours.guards.is_some());
    assert_eq!(ours.peer.remote(), theirs.socket.local_addr().ok());
    assert!(ours.peer.take_keys().is_none());
}

#[test]
fn a_peer_of_which_nobody_wants_anything_says_nothing_until_something_is_due() {
    let (mut ours, mut theirs) = connected(&[Codec::Pcmu]);
    ours.pump();
    theirs.pump();
    ours.pump();
    let due_at = ours.peer.poll_timeout().expect("checks go on");
    assert!(!ours.peer.core.is_stirred() && ours.peer.poll_transmit().is_none());
    ours.peer.handle_timeout(due_at + Duration::from_secs(3));
    assert!(ours.peer.poll_transmit().is_some(), "a check of the path");
    while ours.peer.poll_transmit().is_some() {}
    assert!(ours.peer.poll_timeout().is_some_and(|at| at > due_at));
}

#[test]
fn a_silent_browser_is_down_after_five_seconds_and_a_closed_peer_stays_closed() {
    let (mut ours, mut theirs) = connected(&[Codec::Pcmu]);
    // Time passes for our side alone: nothing arrives any more.
    let start = SystemClock.instant();
    let mut at = start;
    while ours.peer.state() == PeerState::Up && at < start + Duration::from_secs(10) {
        at += Duration::from_millis(20);
        ours.peer.handle_timeout(at);
        while ours.peer.poll_transmit().is_some() {}
    }
    assert_eq!(ours.peer.state(), PeerState::Down);
    let silent = at - start;
    assert!(silent > Duration::from_secs(4) && silent < Duration::from_secs(7), "{silent:?}");

    ours.peer.close();
    ours.pump();
    theirs.pump();
    ours.pump();
    assert_eq!(ours.peer.state(), PeerState::Failed);
}

#[test]
fn noise_on_the_socket_and_a_useless_answer_are_survived() {
    let (mut ours, mut theirs) = connected(&[Codec::Pcmu]);
    let now = SystemClock.instant();
    for noise in
        [&b""[..], b"\0", &[0xff; 1_500], b"GET / HTTP/1.1\r\n\r\n", &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]]
    {
        ours.peer.handle_datagram(now, SocketAddr::from(([127, 0, 0, 1], 9)), noise);
    }
    ours.say(0, 0, &[0x55; 160]);
    until(&mut ours, &mut theirs, "the audio", |_, t| t.heard.len() == 1);

    let (mut fresh, offer) = Ours::offer(&[Codec::Pcmu]);
    let (_, answer) = Answerer::answer(&offer, &[codec_parameters(Codec::Pcmu)]);
    assert!(matches!(fresh.peer.accept(now, "hello"), Err(WebError::Core(_))));
    assert_eq!(fresh.peer.accept(now, &"a".repeat(MAX_ANSWER + 1)), Err(WebError::TooLong));
    let refused = answer.replace("m=audio 9 ", "m=audio 0 ");
    assert_eq!(fresh.peer.accept(now, &refused), Err(WebError::NoCommonCodec));
    let unspecified = SocketAddr::from(([0, 0, 0, 0], 4000));
    let certificate = Certificate::generate().expect("a certificate");
    assert_eq!(WebPeer::new(now, unspecified, None, &certificate, &[Codec::Pcmu]).map(|_| ()), Err(WebError::Address));
}

/// How our side's offer names its ICE session.
fn ufrag(sdp: &str) -> String {
    sdp.lines().find_map(|l| l.strip_prefix("a=ice-ufrag:")).expect("an ICE session").to_owned()
}

fn talk(ours: &mut Ours, theirs: &mut Answerer, from: u16) {
    let (heard, hear) = (theirs.heard.len(), ours.heard.len());
    for sequence in from..from + 10 {
        ours.say(0, sequence, &[0x55; 160]);
        theirs.say(0, sequence, &[0x2a; 160]);
        ours.pump();
        theirs.pump();
    }
    until(ours, theirs, "the audio", |o, t| o.heard.len() == hear + 10 && t.heard.len() == heard + 10);
}

#[test]
fn a_browser_that_moves_to_another_network_is_found_again_and_the_audio_goes_on() {
    let (mut ours, mut theirs) = connected(&[Codec::Pcmu]);
    assert!(ours.peer.take_connected());
    talk(&mut ours, &mut theirs, 0);
    let ssrc = ours.peer.ssrc();
    // Twice: the second time an offer goes unanswered before.
    for (round, unanswered) in [(1, 0), (2, 1)] {
        theirs.move_away();
        let mut offer = ours.peer.restart(SystemClock.instant()).expect("another path can be offered");
        for _ in 0..unanswered {
            let before = ufrag(&offer);
            offer = ours.peer.restart(SystemClock.instant()).expect("and another");
            assert_ne!(ufrag(&offer), before);
        }
        assert!(offer.contains("a=candidate:") && offer.contains("127.0.0.1"), "{offer}");
        assert_eq!(ours.peer.state(), PeerState::Up, "nothing is missed yet");
        assert!(!ours.peer.take_connected());
        let answer = theirs.answer_again(&offer);
        ours.peer.accept(SystemClock.instant(), &answer).expect("the answer is taken");
        let mut found = false;
        for _ in 0..2_500 {
            ours.pump();
            theirs.pump();
            found |= ours.peer.take_connected();
            if found && theirs.up {
                break;
            }
        }
        assert!(found && theirs.up, "no path was found");
        talk(&mut ours, &mut theirs, round * 20);
    }
    assert_eq!(ours.peer.ssrc(), ssrc);
}

#[test]
fn a_browser_that_comes_back_after_it_was_missed_is_found_again() {
    let (mut ours, mut theirs) = connected(&[Codec::Pcmu]);
    assert!(ours.peer.take_connected());
    // Its time stands still meanwhile, so that it does not miss us as well.
    let mut at = SystemClock.instant();
    while ours.peer.state() == PeerState::Up {
        at += Duration::from_millis(20);
        ours.peer.handle_timeout(at);
        while ours.peer.poll_transmit().is_some() {}
    }
    assert_eq!(ours.peer.state(), PeerState::Down);
    theirs.move_away();
    let offer = ours.peer.restart(at).expect("another path can be offered");
    let answer = theirs.answer_again(&offer);
    ours.peer.accept(at, &answer).expect("the answer is taken");
    let mut buffer = [0; 2_000];
    for _ in 0..2_500 {
        at += Duration::from_millis(20);
        while let Ok((len, from)) = ours.socket.recv_from(&mut buffer) {
            ours.peer.handle_datagram(at, from, &buffer[..len]);
        }
        ours.peer.handle_timeout(at);
        while let Some((to, bytes)) = ours.peer.poll_transmit() {
            let _ = ours.socket.send_to(&bytes, to);
        }
        theirs.pump();
        if ours.peer.take_connected() {
            assert_eq!(ours.peer.state(), PeerState::Up);
            return;
        }
    }
    panic!("no path was found");
}
