//! The 49 messages of RFC 4475 against the user agent: what each deserves it gets, none is fatal, none
//! that deserves an answer goes silent, and the agent serves on. Then thousands of mutations of them.

#[path = "../support/agent.rs"]
mod agent;
#[path = "../support/authority.rs"]
mod authority;
mod crowd;
#[path = "../support/mutate.rs"]
mod mutate;
#[path = "../support/peers.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod peers;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod server;
mod sockets;
#[path = "../support/temp.rs"]
mod temp;
mod transports;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent::{Owner, flow};
use cordboard::base::clock::{Clock as _, TestClock, UtcMs};
use cordboard::base::rng::Rng;
use cordboard::proto::sip::{Admit, AgentConfig, Command, Event, Frame, Input, Output, Role, StreamFramer, Transport};
use mutate::mutate;

/// What a message deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deserves {
    /// This final status, from the agent itself.
    Status(u16),
    /// To be a call for the owner, who answers it.
    Call,
    /// To be a registration for the owner, who accepts it.
    Registration,
    /// Nothing: it is a response to no request of ours.
    Silence,
}
use Deserves::{Call, Registration, Silence, Status};

/// Where RFC 4475 leaves a choice, ours stands beside the line.
const TABLE: [(&str, Deserves); 49] = [
    ("wsinv.dat", Status(481)), // well-formed, inside a dialog nobody knows
    ("intmeth.dat", Status(501)),
    ("esc01.dat", Call),
    ("escnull.dat", Registration),
    ("esc02.dat", Status(501)), // RE%47IST%45R is a method of its own
    ("lwsdisp.dat", Status(200)),
    ("longreq.dat", Call),
    ("dblreq.dat", Registration), // what follows in the datagram is ignored
    ("semiuri.dat", Status(200)),
    ("transports.dat", Status(200)),
    ("mpart01.dat", Status(405)), // MESSAGE is read, and not served
    ("unreason.dat", Silence),
    ("noreason.dat", Silence),
    ("badinv01.dat", Status(400)),
    ("clerr.dat", Status(400)),
    ("ncl.dat", Status(400)),
    ("scalar02.dat", Status(400)),
    ("scalarlg.dat", Silence),
    ("quotbal.dat", Status(400)),
    ("ltgtruri.dat", Status(400)),
    ("lwsruri.dat", Status(400)),
    ("lwsstart.dat", Status(400)),
    ("trws.dat", Status(400)),
    ("escruri.dat", Status(400)),
    ("baddate.dat", Call), // §3.1.2.12: may be accepted, as Date is used for nothing
    ("regbadct.dat", Status(400)),
    ("badaspec.dat", Status(400)),
    ("baddn.dat", Status(400)), // the empty line is missing; the display name alone would pass
    ("badvers.dat", Status(505)),
    ("mismatch01.dat", Status(400)),
    ("mismatch02.dat", Status(501)),
    ("bigcode.dat", Silence),
    ("badbranch.dat", Status(200)), // matched the way of RFC 2543
    ("insuf.dat", Status(400)),
    ("unkscm.dat", Status(416)),
    ("novelsc.dat", Status(416)),
    ("unksm2.dat", Status(400)),
    ("bext01.dat", Status(420)),
    ("invut.dat", Status(415)),
    ("regaut01.dat", Status(403)), // as if it had no Authorization: the short 403
    ("multi01.dat", Status(400)),
    ("mcl01.dat", Status(400)),
    ("bcast.dat", Silence),
    ("zeromf.dat", Status(200)),
    ("cparam01.dat", Registration),
    ("cparam02.dat", Registration),
    ("regescrt.dat", Registration),
    ("sdp01.dat", Status(406)),
    ("inv2543.dat", Call),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture")
}

fn message(file: &str) -> Vec<u8> {
    std::fs::read(folder().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// Answers calls and accepts registrations, except those with an Authorization it can't check.
#[derive(Default)]
struct Host {
    seen: Vec<Deserves>,
}

impl Owner for Host {
    fn hears(&mut self, _now: Instant, event: Event) -> Vec<Command> {
        match event {
            Event::Incoming { dialog, .. } => {
                self.seen.push(Call);
                vec![Command::Answer { dialog, sdp: b"v=0\r\n".to_vec() }]
            }
            Event::Register { request, register, .. } => {
                self.seen.push(Registration);
                let status = if register.headers.first("Authorization").is_some() { 403 } else { 200 };
                vec![Command::Respond { request, status, headers: Vec::new() }]
            }
            Event::Reoffered { dialog, .. } => vec![Command::RejectReinvite { dialog, status: 488 }],
            _ => Vec::new(),
        }
    }
}

/// An agent of one side, and what became of the last message.
struct Bench {
    role: Role,
    agent: agent::Bench<Host>,
}

impl Bench {
    fn new(role: Role) -> Self {
        Self::with(AgentConfig::new(role, Admit::Any))
    }

    fn with(config: AgentConfig) -> Self {
        let (role, now) = (config.role, TestClock::at(UtcMs(0)).instant());
        Self { role, agent: agent::Bench::new(config, Transport::Udp, 4475, now, Host::default()) }
    }

    fn receive(&mut self, transport: Transport, bytes: Vec<u8>) {
        self.agent.sent.clear();
        self.agent.owner.seen.clear();
        self.agent.flow = flow(transport);
        self.agent.receive(bytes);
    }

    fn sent(&self) -> &[String] {
        &self.agent.sent
    }

    fn seen(&self) -> &[Deserves] {
        &self.agent.owner.seen
    }

    /// Statuses of the final responses that were sent.
    fn finals(&self) -> Vec<u16> {
        self.sent()
            .iter()
            .filter_map(|m| m.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok())
            .filter(|status| *status >= 200)
            .collect()
    }

    /// The agent still answers a proper request.
    fn is_alive(&mut self, mark: usize) -> bool {
        let probe = format!(
            "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.44:5066;branch=z9hG4bKprobe{mark}\r\n\
             From: <sip:p@192.0.2.44>;tag=p\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: probe{mark}\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nX-Padding: so that the short refusal is no larger than what asked for it\r\n\
             Content-Length: 0\r\n\r\n"
        );
        self.receive(Transport::Udp, probe.into_bytes());
        // The phone side gives the same short answer to all that it does not serve.
        self.finals() == [if self.role == Role::Trunk { 200 } else { 403 }]
    }
}

/// Registrations are the phone side's.
fn role_of(bytes: &[u8]) -> Role {
    if bytes.starts_with(b"REGISTER") { Role::Phones } else { Role::Trunk }
}

#[test]
fn each_of_the_49_gets_what_it_deserves() {
    let mut wrong = Vec::new();
    for (at, (file, deserves)) in TABLE.into_iter().enumerate() {
        let bytes = message(file);
        let mut bench = Bench::new(role_of(&bytes));
        bench.receive(Transport::Udp, bytes);
        let (finals, seen) = (bench.finals(), bench.seen().to_vec());
        let right = match deserves {
            Status(status) => finals == [status] && seen.iter().all(|s| *s == Registration && status == 403),
            Call => finals == [200] && seen == [Call],
            Registration => finals == [200] && seen == [Registration],
            Silence => finals.is_empty() && bench.sent().is_empty() && seen.is_empty(),
        };
        if !right {
            wrong.push(format!("{file} deserves {deserves:?}, got {finals:?} and {seen:?}: {:?}", bench.sent()));
        }
        if !bench.is_alive(at) {
            wrong.push(format!("{file}: the agent no longer answers"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_holds_every_message_of_the_index() {
    let index = std::fs::read_to_string(folder().join("index.json")).expect("the index");
    let index: Vec<serde_json::Value> = serde_json::from_str(&index).expect("JSON");
    let mut listed: Vec<&str> = index.iter().map(|e| e["file"].as_str().expect("a file")).collect();
    let mut table: Vec<&str> = TABLE.iter().map(|(file, _)| *file).collect();
    listed.sort_unstable();
    table.sort_unstable();
    assert_eq!(listed, table);
}

#[test]
fn refusals_say_what_would_be_right() {
    let answer = |file: &str| {
        let bytes = message(file);
        let mut bench = Bench::new(role_of(&bytes));
        bench.receive(Transport::Udp, bytes);
        bench.sent().first().cloned().unwrap_or_default()
    };
    assert!(answer("intmeth.dat").contains("\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS"));
    assert!(answer("bext01.dat").contains("\r\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r\n"));
    assert!(answer("invut.dat").contains("\r\nAccept: application/sdp\r\n"));
    for (file, _) in TABLE {
        let text = answer(file);
        if text.starts_with("SIP/2.0 ")
            && !text.starts_with("SIP/2.0 100")
            && !message(file).starts_with(b"INVITE sip:user@example.com SIP/2.0\r\nCSeq")
        {
            let to = text.lines().find(|l| l.starts_with("To:"));
            let tagged = to.is_some_and(|l| l.replace(' ', "").contains("tag="));
            // To headers that can't be read get no tag.
            assert!(tagged || ["quotbal.dat", "badaspec.dat"].contains(&file), "{file}: no To-tag in\n{text}");
        }
    }
}

#[test]
fn a_call_is_routed_by_its_unescaped_user() {
    let mut bench = Bench::new(Role::Trunk);
    let (now, agent) = (bench.agent.now, &mut bench.agent.agent);
    agent.handle(now, Input::Received { flow: flow(Transport::Udp), bytes: message("esc01.dat") });
    let mut dialled = None;
    while let Some(output) = agent.poll_output() {
        if let Output::Event(Event::Incoming { invite, .. }) = output {
            dialled = invite.dialled();
        }
    }
    assert_eq!(dialled.as_deref(), Some("sips:user@example.com"));
}

#[test]
fn two_requests_without_a_transaction_id_are_two() {
    let mut bench = Bench::new(Role::Trunk);
    let first = message("badbranch.dat");
    let second = String::from_utf8(first.clone()).expect("text").replace("badbranch.sad", "another.sad");
    bench.receive(Transport::Udp, first);
    assert_eq!(bench.finals(), [200]);
    bench.receive(Transport::Udp, second.into_bytes());
    assert_eq!(bench.finals(), [200]);
    assert!(bench.sent()[0].contains("another.sad"));
}

#[test]
fn a_stranger_gets_the_same_short_answer_to_everything() {
    for (file, deserves) in TABLE {
        let bytes = message(file);
        let config = AgentConfig::new(Role::Trunk, Admit::Sources(vec!["198.51.100.1".parse().expect("an address")]));
        let mut bench = Bench::with(config);
        let len = bytes.len();
        bench.receive(Transport::Udp, bytes);
        assert!(bench.seen().is_empty(), "{file}");
        assert!(bench.sent().len() <= 1, "{file}");
        for sent in bench.sent() {
            assert!(sent.starts_with("SIP/2.0 403 "), "{file}: {sent}");
            assert!(sent.len() <= len, "{file}: {} bytes for {len}", sent.len());
        }
        assert_eq!(bench.sent().is_empty(), deserves == Silence, "{file}");
        assert_eq!(bench.agent.agent.load(), (0, 0), "{file}: something was kept");
    }
}

#[test]
fn twenty_thousand_mutations_neither_panic_nor_silence_the_agent() {
    let originals: Vec<Vec<u8>> = TABLE.iter().map(|(file, _)| message(file)).collect();
    for (role, transport) in [(Role::Trunk, Transport::Udp), (Role::Phones, Transport::Ws)] {
        let mut rng = Rng::seeded(0x4475);
        let mut bench = Bench::new(role);
        for round in 0..10_000_usize {
            let pick = |rng: &mut Rng| usize::try_from(rng.below(originals.len() as u64)).expect("small");
            let (one, two) = (pick(&mut rng), pick(&mut rng));
            let mut bytes = originals[one].clone();
            for _ in 0..=rng.below(4) {
                mutate(&mut rng, &mut bytes, &originals[two]);
            }
            bench.receive(transport, bytes);
            if round.is_multiple_of(50) {
                assert!(bench.is_alive(round), "round {round}: the agent no longer answers");
                bench.agent.pass(Duration::from_secs(5));
            }
        }
        // Whatever was set up in all this runs out by itself, but for calls the owner holds.
        bench.agent.pass(Duration::from_secs(40));
        for _ in 0..100 {
            bench.agent.pass(Duration::from_secs(10));
        }
        let bench = bench.agent;
        assert!(bench.agent.poll_timeout().is_none_or(|(at, _)| at > bench.now), "a deadline in the past");
        assert_eq!(bench.agent.load(), (0, 0), "left in the tables");
    }
}

/// What a stream is cut into, if it arrives in pieces of `piece`.
fn frames(stream: &[u8], piece: usize) -> Vec<Frame> {
    let (mut framer, mut frames) = (StreamFramer::default(), Vec::new());
    for chunk in stream.chunks(piece) {
        framer.push(chunk);
        frames.extend(std::iter::from_fn(|| framer.poll_frame()).take(stream.len() + 1));
        assert_eq!(framer.poll_frame(), None, "frames without end");
    }
    frames
}

#[test]
fn mutated_streams_are_cut_into_the_same_messages_however_they_arrive() {
    let mut rng = Rng::seeded(99);
    let mut stream: Vec<u8> = TABLE.iter().flat_map(|(file, _)| message(file)).collect();
    let mut messages = 0;
    for round in 0..300 {
        for _ in 0..5 {
            let other = stream[..200].to_vec();
            mutate(&mut rng, &mut stream, &other);
            if stream.len() < 1000 {
                stream = TABLE.iter().flat_map(|(file, _)| message(file)).collect();
            }
        }
        // Pings that come at once are one; what a broken stream held by then is what had come.
        let whole_messages = |frames: Vec<Frame>| {
            frames.into_iter().filter(|frame| matches!(frame, Frame::Message(_))).collect::<Vec<_>>()
        };
        let whole = whole_messages(frames(&stream, stream.len()));
        let piece = 1 + usize::try_from(rng.below(400)).expect("small");
        assert_eq!(whole_messages(frames(&stream, piece)), whole, "round {round}, in pieces of {piece}");
        messages += whole.len();
    }
    assert!(messages > 300, "there is something to cut");
}
