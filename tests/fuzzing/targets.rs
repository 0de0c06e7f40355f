//! What each fuzz target does with its bytes, and what must hold whatever they are. Shared by `fuzz/` (libFuzzer, for
//! hours) and by the tests beside it (seeded mutations, for seconds). Knows neither.

#[path = "../support/agent.rs"]
mod agent;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use agent::Owner;
use cordboard::base::clock::{Clock as _, TestClock, UtcMs};
use cordboard::base::phone::PhoneNumber;
use cordboard::base::rng::Rng;
use cordboard::io::media::Codec;
use cordboard::io::webrtc::{Certificate, PeerState, WebPeer};
use cordboard::proto::paging::{Dialogue, Input as Heard, Outcome, Output as Says};
use cordboard::proto::rtp::jitter::JitterBuffer;
use cordboard::proto::rtp::latch::Latch;
use cordboard::proto::rtp::outgoing::Outgoing;
use cordboard::proto::rtp::packet::{self, Header};
use cordboard::proto::rtp::reports::{CanonicalName, Reports};
use cordboard::proto::rtp::rtcp;
use cordboard::proto::rtp::srtp::{Guard, MAX_GROWTH, MasterKey, Suite};
use cordboard::proto::rtp::telephone_event::Receiver;
use cordboard::proto::sdp::{self, Session};
use cordboard::proto::sip::digest::fields::{Challenge, Credentials};
use cordboard::proto::sip::glance::Glance;
use cordboard::proto::sip::message::address::{Address, Via, split_list, stamp_via};
use cordboard::proto::sip::message::body::find_sdp;
use cordboard::proto::sip::message::uri::{parse_host_port, unescape};
use cordboard::proto::sip::message::{CSeq, Headers, Message, Request, Uri};
use cordboard::proto::sip::refer::ReferTo;
use cordboard::proto::sip::reliable::RAck;
use cordboard::proto::sip::session_timer::SessionExpires;
use cordboard::proto::sip::wire::{self, Read};
use cordboard::proto::sip::{
    Admit, AgentConfig, Command, DialogId, Event, Frame, Input, Reliable, Replaces, Role, StreamFramer, Transport,
};
use cordboard::proto::t38::udptl;

/// What a target is.
pub type Target = fn(&[u8]);

/// All of them. The names are those of `fuzz/fuzz_targets` and of the folders in `fuzz/seeds`.
pub const ALL: [(&str, Target); 19] = [
    ("sip_wire", sip_wire),
    ("sip_agent", sip_agent),
    ("sip_stream", sip_stream),
    ("uri", uri),
    ("sdp", sdp),
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("srtp", srtp),
    ("media_socket", media_socket),
    ("browser_socket", browser_socket),
    ("digest", digest),
    ("udptl", udptl),
    ("snpp", snpp),
    ("tap", tap),
    ("wctp", wctp),
    ("sms", sms),
    ("smtp", smtp),
    ("mail", mail),
    ("shifts", shifts),
];

fn now() -> Instant {
    static NOW: OnceLock<Instant> = OnceLock::new();
    *NOW.get_or_init(|| TestClock::at(UtcMs(0)).instant())
}

/// Everything that some code asks of a header section.
fn look_at(headers: &Headers, body: &[u8]) {
    let _ = (headers.from(), headers.to(), headers.contact(), headers.cseq(), headers.from_tag(), headers.to_tag());
    let _ = (find_sdp(headers, body), RAck::of(headers), SessionExpires::of(headers), ReferTo::of(headers));
    let _ = (Challenge::all_in(headers), Credentials::find(headers, "cordboard"));
}

/// A request's topmost Via takes where it came from, and stays what it was.
fn stamp(headers: &Headers) {
    if let (Some(first), Some(via)) = (headers.first("Via"), headers.via()) {
        let stamped = stamp_via(first, [192, 0, 2, 1].into(), 5060);
        let again = split_list(&stamped).next().and_then(Via::parse).expect("a stamped Via is still one");
        assert_eq!((again.branch(), &again.host), (via.branch(), &via.host));
    }
}

/// The front: a datagram, a framed message and a WebSocket's frame. What it lets through can be sent on and is then
/// let through again. A glance at it makes a response that is one.
pub fn sip_wire(data: &[u8]) {
    if let Some(glance) = Glance::at(data) {
        let from = ([192, 0, 2, 1], 5060).into();
        let refusal = glance.response("SIP/2.0 503 Service Unavailable", from, "t", "Retry-After: 5\r\n");
        let read = wire::read(&refusal, true);
        assert!(matches!(&read, Read::Message(Message::Response(_)) | Read::Drop(_)), "{read:?}");
        assert_eq!(refusal.windows(4).filter(|end| *end == b"\r\n\r\n").count(), 1);
    }
    for stream in [false, true] {
        match wire::read(data, stream) {
            Read::Message(Message::Request(request)) => {
                look_at(&request.headers, &request.body);
                stamp(&request.headers);
                let sent: Request = match wire::read(&request.to_bytes(), true) {
                    Read::Message(Message::Request(again)) => again,
                    other => panic!("what was taken is not taken again: {other:?}\n{request:?}"),
                };
                assert_eq!((&sent.method, &sent.body), (&request.method, &request.body));
                assert_eq!(sent.headers.call_id(), request.headers.call_id());
            }
            Read::Message(Message::Response(response)) => look_at(&response.headers, &response.body),
            Read::Refuse(refusal) => {
                assert!((400..600).contains(&refusal.status));
                look_at(&refusal.headers, &[]);
            }
            Read::Keepalive | Read::Drop(_) => {}
        }
    }
}

const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.44\r\ns=-\r\nc=IN IP4 192.0.2.44\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// Takes every call, and remembers those that are up.
#[derive(Default)]
struct Taker {
    open: Vec<DialogId>,
}

impl Owner for Taker {
    fn hears(&mut self, _now: Instant, event: Event) -> Vec<Command> {
        match event {
            Event::Incoming { dialog, invite, .. } => {
                let _ = (invite.dialled(), invite.dialled_first(), invite.caller(), invite.forwarded_from());
                let _ = (invite.verstat(), invite.is_anonymous());
                self.open.push(dialog);
                let rings = self.open.len().is_multiple_of(2).then_some(Command::Ring { dialog, sdp: None });
                rings.into_iter().chain([Command::Answer { dialog, sdp: OFFER.to_vec() }]).collect()
            }
            Event::Reoffered { dialog, .. } => vec![Command::AnswerReinvite { dialog, sdp: OFFER.to_vec() }],
            Event::Register { request, .. } => vec![Command::Respond { request, status: 200, headers: Vec::new() }],
            Event::Refer { dialog, .. } => vec![Command::AcceptRefer { dialog }],
            _ => Vec::new(),
        }
    }

    /// Our own requests are always well-formed, whatever we were told.
    fn looks_at(&mut self, sent: &[u8]) {
        if !sent.starts_with(b"SIP/2.0 ") && sent != b"\r\n" {
            let read = wire::read(sent, true);
            assert!(matches!(read, Read::Message(_)), "we sent {}: {read:?}", String::from_utf8_lossy(sent));
        }
    }
}

/// An agent, its owner, and two calls that are up: one that came in, one that went out.
type Bench = agent::Bench<Taker>;

fn bench(transport: Transport, role: Role) -> Bench {
    let mut config = AgentConfig::new(role, Admit::Any);
    (config.transfers, config.reliable) = (true, Reliable::Required);
    Bench::new(config, transport, 1, now(), Taker::default())
}

impl Bench {
    fn field(&self, start: &str, name: &str) -> String {
        let text = self.sent.iter().rfind(|text| text.starts_with(start)).expect("it was sent");
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("it has that header");
        line.to_owned()
    }

    fn request(&mut self, method: &str, to_tag: &str, cseq: u32) {
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let text = format!(
            "{method} sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.44:5066;branch=z9hG4bK{method}{cseq}\r\n\
             From: <sip:+12025550150@192.0.2.44>;tag=t\r\nTo: <sip:+12025550102@127.0.0.1>{to_tag}\r\nCall-ID: known\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:p@192.0.2.44:5066>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n",
            OFFER.len()
        );
        self.receive([text.as_bytes(), OFFER].concat());
    }
}

fn split(bytes: &[u8], at: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(found) = rest.windows(at.len()).position(|window| window == at) {
        parts.push(rest[..found].to_vec());
        rest = &rest[found + at.len()..];
    }
    parts.push(rest.to_vec());
    parts
}

fn replace(bytes: &[u8], what: &[u8], by: &str) -> Vec<u8> {
    split(bytes, what).join(by.as_bytes())
}

fn tag_of(value: &str) -> String {
    value.split_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap_or_default()
}

/// The agent: messages, three zero bytes apart, into one that has calls. `@T@` stands for our tag of the call that came in
/// (`known`); `@C@`, `@F@` and `@B@` for Call-ID, our tag and our branch of the one that goes out. How long the input is says
/// what it runs over. Whatever comes, the agent answers on and nothing stays behind.
pub fn sip_agent(data: &[u8]) {
    let transport = [Transport::Udp, Transport::Tcp, Transport::Ws, Transport::Udp][data.len() % 4];
    let role = if data.len() / 4 % 4 == 3 { Role::Phones } else { Role::Trunk };
    let mut bench = bench(transport, role);
    let mut names =
        [(&b"@T@"[..], "t".to_owned()), (b"@C@", String::new()), (b"@F@", String::new()), (b"@B@", String::new())];
    if role == Role::Trunk {
        bench.request("INVITE", "", 1);
        names[0].1 = tag_of(&bench.field("SIP/2.0 200", "To: "));
        let tag = names[0].1.clone();
        bench.request("ACK", &tag, 1);
    }
    let out = bench.agent.next_dialog();
    bench.owner.open.push(out);
    bench.feed(Input::Command(Command::Invite {
        dialog: out,
        flow: bench.flow,
        request_uri: "sip:+12025550150@192.0.2.44".to_owned(),
        from: "<sip:+12025550102@127.0.0.1>".to_owned(),
        to: "<sip:+12025550150@192.0.2.44>".to_owned(),
        headers: Vec::new(),
        offer: Some(OFFER.to_vec()),
    }));
    names[1].1 = bench.field("INVITE", "Call-ID: ");
    names[2].1 = tag_of(&bench.field("INVITE", "From: "));
    let via = bench.field("INVITE", "Via: ");
    names[3].1 =
        via.split_once("branch=").map(|(_, b)| b.split(';').next().unwrap_or_default().to_owned()).unwrap_or_default();
    for mut message in split(data, b"\0\0\0").into_iter().take(16) {
        for (name, value) in &names {
            message = replace(&message, name, value);
        }
        bench.receive(message);
        bench.pass(Duration::from_millis(300));
    }
    bench.sent.clear();
    let healthy = "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.44:5066;branch=z9hG4bKhealthy\r\n\
                   From: <sip:p@192.0.2.44>;tag=p\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: healthy\r\nCSeq: 1 OPTIONS\r\n\
                   Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    bench.receive(healthy.as_bytes().to_vec());
    let status = if role == Role::Trunk { "SIP/2.0 200 " } else { "SIP/2.0 403" };
    assert!(bench.sent.iter().any(|m| m.starts_with(status)), "no answer to the healthy");
    for dialog in std::mem::take(&mut bench.owner.open) {
        bench.feed(Input::Command(Command::Bye { dialog, headers: Vec::new() }));
    }
    for _ in 0..150 {
        let Some((at, _)) = bench.agent.poll_timeout() else { break };
        bench.now = bench.now.max(at);
        bench.feed(Input::Timeout);
        for dialog in std::mem::take(&mut bench.owner.open) {
            bench.feed(Input::Command(Command::Bye { dialog, headers: Vec::new() }));
        }
    }
    assert_eq!(bench.agent.load(), (0, 0), "left in the tables");
}

/// A stream cut into messages: however it arrives in pieces, the same come out.
pub fn sip_stream(data: &[u8]) {
    let frames = |piece: usize| {
        let (mut framer, mut frames) = (StreamFramer::default(), Vec::new());
        for chunk in data.chunks(piece.max(1)) {
            framer.push(chunk);
            for _ in 0..=data.len() {
                match framer.poll_frame() {
                    // Those that come at once are one.
                    Some(Frame::Ping) => {}
                    Some(frame) => frames.push(frame),
                    None => break,
                }
            }
            assert_eq!(framer.poll_frame(), None, "frames without end");
        }
        frames
    };
    let whole = frames(data.len());
    for piece in [1, 7, 1 + data.len() / 3] {
        let cut = frames(piece);
        let messages = |frames: &[Frame]| frames.iter().filter(|f| matches!(f, Frame::Message(_))).count();
        assert_eq!(messages(&whole), messages(&cut), "in pieces of {piece}");
        for (one, other) in whole.iter().zip(&cut) {
            match (one, other) {
                (Frame::Broken(_), Frame::Broken(_)) => {}
                _ => assert_eq!(one, other, "in pieces of {piece}"),
            }
        }
    }
    let mut from = 0;
    for frame in &whole {
        let (Frame::Message(bytes) | Frame::Broken(bytes)) = frame else { continue };
        let at = data[from..].windows(bytes.len().max(1)).position(|window| window == bytes);
        from += at.expect("nothing comes out that did not go in") + bytes.len();
        let _ = wire::read(bytes, true);
    }
    // A WebSocket's frame is a message as it is (RFC 7118 §4).
    let _ = wire::read(data, false);
}

/// URIs, and the header values that hold them.
pub fn uri(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(uri) = Uri::parse(&text) {
        let _ = (uri.user_plain(), uri.number_plain(), uri.is_phone(), uri.param("transport"));
        let printed = uri.to_string();
        assert_eq!(Uri::parse(&printed).as_ref(), Ok(&uri), "{printed}");
        if let Some(number) = uri.number_plain() {
            let _ = PhoneNumber::parse(&number);
        }
    }
    for one in split_list(&text) {
        if let Some(address) = Address::parse(one) {
            let _ = (address.param("tag"), address.param("expires"));
        }
        if let Some(via) = Via::parse(one) {
            let _ = (via.branch(), via.param("rport"));
        }
    }
    let _ = (CSeq::parse(&text), parse_host_port(&text), unescape(&text));
    if let Some(replaces) = Replaces::parse(&text) {
        assert_eq!(Replaces::parse(&replaces.value()).as_ref(), Some(&replaces));
    }
}

/// Session descriptions: what is read prints as something that reads the same, and an answer answers line by line.
pub fn sdp(data: &[u8]) {
    let Ok(read) = sdp::parse(data) else { return };
    let printed = read.to_string();
    let again = sdp::parse(printed.as_bytes());
    assert_eq!(again.as_ref(), Ok(&read), "{printed}");
    let local: SocketAddr = ([192, 0, 2, 1], 4_000).into();
    let mut session = Session::new(1, local, &Codec::ALL);
    if let Ok((answer, agreed)) = session.answer(data) {
        let answer = sdp::parse(&answer).expect("our answer is a description");
        // RFC 3264 §6: one m= line for each of theirs.
        assert_eq!(answer.media.len(), read.media.len());
        assert!((10..=60).contains(&agreed.ptime_ms));
        let offered = session.offer();
        assert!(sdp::parse(&offered).is_ok());
        let _ = session.accept(data);
    }
    let mut session = Session::new(1, local, &[Codec::Pcmu]);
    session.offer();
    let _ = session.accept(data);
    if let Ok((answer, fax)) = session.answer_fax(data) {
        let answer = sdp::parse(&answer).expect("our answer is a description");
        assert_eq!(answer.media.len(), read.media.len());
        assert!(fax.max_datagram <= udptl::MAX_DATAGRAM && fax.max_bit_rate <= 14_400);
        let _ = session.accept_fax(data);
        assert!(sdp::parse(&session.offer()).is_ok_and(|offer| offer.media.iter().any(|m| m.kind == "audio")));
    }
}

/// The pieces of an input, each after a byte that says how long it is.
fn packets(data: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut packets) = (data, Vec::new());
    while let Some((len, after)) = rest.split_first() {
        let (packet, after) = after.split_at(usize::from(*len).min(after.len()));
        packets.push(packet.to_vec());
        rest = after;
    }
    packets
}

/// What a SIP leg does with what its socket gives: demultiplexed, admitted, counted, played, keys heard.
struct Ear {
    latch: Latch,
    reports: Reports,
    jitter: JitterBuffer,
    keys: Receiver,
    out: Outgoing,
    now: Instant,
}

impl Ear {
    fn new() -> Self {
        let mut latch = Latch::default();
        latch.tell(([192, 0, 2, 44], 4_000).into());
        let mut reports = Reports::new(CanonicalName::new([7; 12]), Rng::seeded(7));
        reports.start(now());
        let (jitter, keys) = (JitterBuffer::default(), Receiver::default());
        Self { latch, reports, jitter, keys, out: Outgoing::new(7, 1, 1), now: now() }
    }

    fn receive(&mut self, bytes: &[u8]) {
        if packet::is_rtcp(bytes) {
            self.reports.rtcp(self.now, bytes, 7);
        } else if let Some((header, payload)) = packet::read(bytes) {
            self.latch.admit(([192, 0, 2, 44], 4_000).into(), header.ssrc);
            self.reports.packet(self.now, &header);
            self.hear(&header, payload);
        }
        self.now += Duration::from_millis(20);
        self.keys.tick();
        self.jitter.pull();
        assert!(self.jitter.depth_ms() <= 200 + 128 + 20, "sound is kept for {} ms", self.jitter.depth_ms());
        if self.reports.is_due(self.now) {
            let mut into = [0; rtcp::MAX_COMPOUND];
            let len = self.reports.write(self.now, 0, &self.out, false, &mut into);
            assert!(rtcp::read(&into[..len], |_| {}), "our report is none");
        }
        let _ = (self.reports.quality(), self.reports.lost());
    }

    fn hear(&mut self, header: &Header, payload: &[u8]) {
        match (header.payload_type, Codec::of_payload_type(header.payload_type)) {
            (_, Some(codec)) => self.jitter.put(header, payload, codec),
            (13, None) => self.jitter.put_noise(header, payload),
            (96..=127, None) => {
                self.keys.packet(header, payload);
                self.jitter.rest(header);
            }
            _ => self.out.swallow(header),
        }
        if let Some(relayed) = self.out.relayed(header, 0, payload.len() as u32, payload.len() as u32) {
            let mut into = [0; 2_048];
            let len = packet::write(&relayed, payload, &mut into);
            assert!(len == 0 || packet::read(&into[..len]) == Some((relayed, payload)));
        }
    }
}

/// RTP as a stream of packets.
pub fn rtp(data: &[u8]) {
    let mut ear = Ear::new();
    for bytes in packets(data) {
        ear.receive(&bytes);
    }
}

/// RTCP, one compound packet.
pub fn rtcp(data: &[u8]) {
    let mut said = 0;
    rtcp::read(data, |_| said += 1);
    assert!(said <= data.len() / 4, "more is said than fits");
    let mut reports = Reports::new(CanonicalName::new([7; 12]), Rng::seeded(7));
    reports.start(now());
    reports.rtcp(now(), data, 7);
    let _ = (reports.quality(), reports.lost_out());
}

/// SRTP: nothing is taken that was not sealed with the key; what was, is.
pub fn srtp(data: &[u8]) {
    let key = MasterKey([9; 30]);
    for suite in Suite::ALL {
        let mut guard = Guard::new(suite, &key);
        let mut bytes = data.to_vec();
        assert!(guard.open(&mut bytes).is_err(), "a forgery is taken");
        let mut bytes = data.to_vec();
        assert!(guard.open_rtcp(&mut bytes).is_err(), "a forgery is taken");
        let mut sealed = [data, &[0; MAX_GROWTH]].concat();
        if packet::read(data).is_some()
            && let Some(len) = Guard::new(suite, &key).protect(&mut sealed, data.len())
        {
            let opened = guard.open(&mut sealed[..len]).expect("it was sealed with this key");
            assert_eq!(&sealed[..opened], data);
            let mut forged = data.to_vec();
            assert!(guard.open(&mut forged).is_err());
        }
    }
}

/// A SIP leg's socket: whatever arrives there in place of RTP (STUN, DTLS, UDPTL of a fax that was never agreed, noise).
pub fn media_socket(data: &[u8]) {
    let mut ear = Ear::new();
    ear.receive(data);
    for bytes in packets(data) {
        ear.receive(&bytes);
    }
}

/// What a browser would answer. Its checks never come: whoever knows no password is a stranger.
const BROWSER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 0 101\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789abcdefghijklmn\r\na=fingerprint:sha-256 \
    00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=setup:active\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.44 4000 typ host\r\n";

/// A browser leg's socket: STUN, DTLS and anything else, as they are handed to `rtc`. None of it ends the leg or agrees
/// on keys.
pub fn browser_socket(data: &[u8]) {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| Certificate::generate().expect("a certificate"));
    let local: SocketAddr = ([192, 0, 2, 1], 4_000).into();
    let made = WebPeer::new(now(), local, None, certificate, &[Codec::Pcmu]);
    let (mut peer, _) = made.expect("a peer");
    peer.accept(now(), BROWSER).expect("a browser's answer");
    let mut at = now();
    let whole = [data.to_vec()];
    for bytes in whole.iter().chain(&packets(data)) {
        for from in [[192, 0, 2, 44], [203, 0, 113, 9]] {
            peer.handle_datagram(at, (from, 4_000).into(), bytes);
        }
        at += Duration::from_millis(20);
        peer.handle_timeout(at);
        for _ in 0..100 {
            if peer.poll_transmit().is_none() {
                break;
            }
        }
        assert!(peer.take_keys().is_none() && peer.remote().is_none(), "agreed with somebody who knows no password");
    }
    assert_ne!(peer.state(), PeerState::Failed, "noise ends a leg");
}

/// Digest's header values, both ways.
pub fn digest(data: &[u8]) {
    let text: String = String::from_utf8_lossy(data).chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let mut headers = Headers::default();
    for name in ["WWW-Authenticate", "Proxy-Authenticate", "Authorization"] {
        headers.push(name, &text);
    }
    for challenge in Challenge::all_in(&headers) {
        let _ = format!("{challenge:?}");
    }
    if let Some(given) = Credentials::find(&headers, "cordboard") {
        let _ = given.count();
    }
}

/// UDPTL, datagram after datagram: nothing is given twice or out of order, and what is given can be sent on and comes out the same.
pub fn udptl(data: &[u8]) {
    let (mut receiver, mut last) = (udptl::Receiver::default(), None::<u16>);
    let (mut sender, mut far) = (udptl::Sender::new(3, udptl::MAX_DATAGRAM), udptl::Receiver::default());
    let mut known = 0;
    let whole = [data.to_vec()];
    for bytes in whole.iter().chain(&packets(data)) {
        let lost = receiver.lost() + receiver.restored();
        let given = receiver.handle(bytes);
        assert!(given.len() <= udptl::MAX_EARLIER + 1 && receiver.lost() + receiver.restored() - lost <= 3_000);
        for two in given.windows(2) {
            assert_eq!(two[1].sequence.wrapping_sub(two[0].sequence), 1);
        }
        if let (Some(last), Some(first)) = (last, given.first()) {
            assert_ne!(first.sequence, last, "given twice");
        }
        last = given.last().map(|ifp| ifp.sequence).or(last);
        for ifp in given {
            let Some(sent) = sender.write(&ifp.bytes) else { continue };
            // Every third is lost, and comes with the next.
            known += 1;
            if known % 3 == 0 {
                continue;
            }
            let out = far.handle(&sent);
            assert_eq!(out.last().map(|out| &out.bytes), Some(&ifp.bytes));
        }
    }
}

/// A page through whatever a far end says, cut by what it says itself: it ends exactly once, in time, and by what was said.
fn page(mut dialogue: impl Dialogue, data: &[u8], taken_if: impl Fn(&[Vec<u8>]) -> bool) {
    let mut at = now();
    let mut said = Vec::new();
    let mut outcome = None;
    let mut listen = |dialogue: &mut dyn Dialogue, said: &mut Vec<Vec<u8>>| {
        while let Some(output) = dialogue.poll_output() {
            match output {
                Says::Send(bytes) => said.push(bytes),
                Says::Done(end) => assert!(outcome.replace(end).is_none(), "one outcome"),
            }
        }
    };
    dialogue.handle(at, Heard::Connected);
    listen(&mut dialogue, &mut said);
    let mut rest = data;
    while let Some((first, _)) = rest.split_first() {
        let (now, later) = rest.split_at(rest.len().min(usize::from(*first) % 64 + 1));
        dialogue.handle(at, Heard::Bytes(now));
        listen(&mut dialogue, &mut said);
        rest = later;
    }
    let mut turns = 0;
    while let Some((due, _)) = dialogue.poll_timeout() {
        at = due;
        dialogue.handle(at, Heard::Due);
        listen(&mut dialogue, &mut said);
        turns += 1;
        assert!(turns < 20, "it never ends");
    }
    assert!(at <= now() + Duration::from_secs(40));
    let outcome = outcome.expect("it is over when it waits for nothing");
    assert!(!matches!(outcome, Outcome::Taken { .. }) || taken_if(&said), "taken without having been sent: {said:?}");
}

/// A gateway's replies (RFC 1861).
pub fn snpp(data: &[u8]) {
    let messages = vec!["burst pipe".to_owned(), "w".repeat(300)];
    let job = cordboard::proto::snpp::Job { login: None, pager: "5550142".to_owned(), messages, urgent: true };
    let sent_all = |said: &[Vec<u8>]| said.iter().filter(|line| *line == b"SEND\r\n").count() == 2;
    page(cordboard::proto::snpp::Page::new(job), data, sent_all);
}

/// A paging terminal's answers (TAP 1.8).
pub fn tap(data: &[u8]) {
    let messages = vec!["burst pipe".to_owned(), "w".repeat(300)];
    let job = cordboard::proto::tap::Job { password: None, pager: "5550142".to_owned(), messages };
    let sent_all = |said: &[Vec<u8>]| said.iter().filter(|block| block.starts_with(b"\x02")).count() >= 3;
    page(cordboard::proto::tap::Page::new(job), data, sent_all);
}

/// A gateway's confirmation: read or left; no answer without a confirmation in it counts as one, and nothing of
/// theirs gets into what is logged.
pub fn wctp(data: &[u8]) {
    match cordboard::proto::wctp::read_answer(data) {
        Some(Outcome::Taken { .. }) => {
            assert!(data.windows(12).any(|w| w == b"wctp-Success"), "taken without a success");
        }
        Some(Outcome::Refused { why } | Outcome::Later { why } | Outcome::Unsure { why }) => {
            assert!(why.len() <= 16 && why.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        }
        None => {}
    }
    assert!(
        cordboard::proto::wctp::read_words(data).is_none_or(|words| !words.is_empty() && words.len() <= data.len())
    );
    let text = String::from_utf8_lossy(data);
    let submit = cordboard::proto::wctp::Submit {
        sender: text.to_string(),
        security_code: None,
        message_id: "1".to_owned(),
        at: "2026-03-07T02:10:00".to_owned(),
        pager: "5550142".to_owned(),
        text: text.to_string(),
        urgent: false,
    };
    let xml = String::from_utf8(submit.to_xml()).expect("UTF-8");
    assert_eq!(xml.matches("<wctp-Alphanumeric>").count(), 1, "{xml}");
    assert_eq!(cordboard::proto::wctp::read_answer(xml.as_bytes()), None, "a request is no answer");
}

/// What carriers send: texts in any coding, heads of parts, receipts, callbacks. What goes out in parts is the text when it is
/// put together again.
pub fn sms(data: &[u8]) {
    use cordboard::proto::sms::alphabet::{Alphabet, Coding, decode};
    use cordboard::proto::sms::parts::{measure, read_head, split};
    use cordboard::proto::sms::receipt::{self, Ids};
    let _ = cordboard::io::deliver::sms::telnyx::Callback::read(data);
    if let Some((place, body)) = read_head(data) {
        assert!(data.ends_with(body));
        assert!(place.is_none_or(|place| place.of > 1 && (1..=place.of).contains(&place.number)));
    }
    let short = &data[..data.len().min(1_000)];
    for alphabet in [Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ascii] {
        for coding in [0, 1, 3, 8, 0xf1] {
            let text = decode(coding, short, alphabet);
            if let Some(receipt) = receipt::read(&text) {
                assert!(!receipt.id.is_empty() && receipt.word.len() <= 16 && receipt.word.is_ascii());
                for ids in [Ids::AsTaken, Ids::Decimal, Ids::Hex] {
                    assert!(!ids.of_receipt(Some(&text), &receipt.id).is_empty());
                }
            }
            let best = Coding::of(&text, alphabet);
            assert_eq!(decode(best.number(), &best.encode(&text, alphabet), alphabet), text);
            let parts = split(&text, 7, alphabet);
            assert_eq!(parts.len(), measure(&text, alphabet).parts);
            let said = parts.iter().map(|part| {
                assert!(part.octets.len() <= 160);
                let body = if part.headed { read_head(&part.octets).expect("a head").1 } else { &part.octets };
                decode(part.coding.number(), body, alphabet)
            });
            assert_eq!(said.collect::<String>(), text);
        }
    }
}

/// A mail client at our door: the same comes of it however the network cuts it up, and nothing grows beyond its bound.
pub fn smtp(data: &[u8]) {
    use cordboard::proto::smtp::{Output, Session};
    let ours = |address: &str| address.starts_with("reply+");
    let talk = |chunk: usize| {
        let mut session = Session::new("desk.example.com", 4_096, true);
        let mut done = Vec::new();
        for part in data.chunks(chunk) {
            session.handle(part, &ours);
            while let Some(output) = session.poll_output() {
                match &output {
                    Output::Mail(mail) => {
                        assert!(mail.raw.len() <= 4_096 && !mail.to.is_empty() && mail.to.iter().all(|to| ours(to)));
                        session.stored(true, &ours);
                    }
                    Output::StartTls => return done,
                    Output::Say(line) => assert!(line.ends_with("\r\n") && line.len() <= 400),
                    Output::Close => {}
                }
                done.push(output);
            }
        }
        done
    };
    let whole = talk(data.len().max(1));
    // Where a line has no end, it depends on the chunk when that is seen; all else is the same.
    if data.len() <= 2_000 {
        assert_eq!(talk(1), whole);
    }
}

/// A mail that came in: read whatever it is, and what is kept of it is bounded.
pub fn mail(data: &[u8]) {
    use cordboard::proto::mail::{Letter, MAX_WORDS, read};
    for sender in ["", "ben@example.com"] {
        match read(data, sender).letter {
            Letter::Reply(reply) => {
                assert!(reply.words.chars().count() <= MAX_WORDS && reply.from.chars().count() <= 320);
                assert!(!reply.subject.contains(['\r', '\n']));
            }
            Letter::Report(report) => {
                assert!(report.status.len() <= 11 && report.status.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
            }
            Letter::Automatic => {}
        }
    }
}

/// A spreadsheet or calendar of shifts: each that is read has somebody and a length, and each line that was not has a reason.
pub fn shifts(data: &[u8]) {
    use cordboard::base::id::{AccountId, ContactId};
    use cordboard::domain::account::Contact;
    use cordboard::domain::oncall::dates::DateOrder::{DayFirst, MonthFirst};
    use cordboard::domain::oncall::read_in::read_ics;
    use cordboard::domain::oncall::read_table::read_csv;
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (zone, account) = (jiff::tz::TimeZone::UTC, AccountId::named("a"));
    let contact = |name: &str| Contact {
        id: ContactId::named(name),
        account: account.clone(),
        name: name.to_owned(),
        title: String::new(),
        language: None,
        zone: None,
        destinations: Vec::new(),
    };
    let contacts = ["Ann", "Ben"].map(contact);
    let tables = [None, Some(MonthFirst), Some(DayFirst)].map(|order| read_csv(text, &zone, &contacts, order));
    for read in tables.into_iter().chain([read_ics(text, &zone, &contacts, UtcMs(1_795_788_000_000))]) {
        let lines = text.lines().count().max(1);
        for shift in read.shifts {
            assert!(shift.from < shift.until && (1..=lines).contains(&shift.line));
        }
        for line in read.not_understood {
            assert!(!line.why.is_empty() && line.text.chars().count() <= 200 && (1..=lines).contains(&line.line));
        }
    }
}
