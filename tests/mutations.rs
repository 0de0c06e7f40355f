//! A crowd of mutated messages against the agent, in simulated time: no panic, no silence towards the healthy among them, no
//! memory that grows. 100,000 of them, or a million where `CORDBOARD_LONG` is set (`make torture`). From one seed:
//! `CORDBOARD_SEED` plays another.
//!
//! Memory is what is allocated and not freed, counted by the allocator itself, which is why this is a program of its own.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/mutate.rs"]
mod mutate;

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use agent::{Bench, Owner};
use cordboard::base::clock::{Clock as _, TestClock, UtcMs};
use cordboard::base::rng::Rng;
use cordboard::proto::sip::{Admit, AgentConfig, Command, DialogId, Event, Input, Role, Transport};
use mutate::mutate;

static LIVE: AtomicI64 = AtomicI64::new(0);

struct Counting;

// SAFETY: hands everything through to the system's allocator unchanged; the count is an atomic number.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller's promise for `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the pointer came from `System` through `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What may be added after the warm-up.
const GROWTH: i64 = 5 << 20;
/// Between two messages: twenty a second.
const STEP: Duration = Duration::from_millis(50);
/// How long an owner of ours talks.
const TALK: Duration = Duration::from_secs(20);
const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.44\r\ns=-\r\nc=IN IP4 192.0.2.44\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// RFC 4475's messages, a carrier's and a phone's, and those of calls, in which `@T@` and the like stand for tags.
fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for folder in ["tests/torture", "fuzz/seeds/sip_wire", "fuzz/seeds/sip_agent", "fuzz/seeds/sip_agent"] {
        let entries = std::fs::read_dir(root.join(folder)).expect(folder);
        let mut files: Vec<_> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
        files.retain(|file| file.extension().is_none_or(|ending| ending == "dat"));
        files.sort();
        for file in files.into_iter().filter(|file| file.is_file()) {
            let bytes = std::fs::read(&file).expect("a seed");
            let text = String::from_utf8_lossy(&bytes).into_owned();
            // Those of calls are several, three zero bytes apart.
            match std::str::from_utf8(&bytes) {
                Ok(_) if folder.ends_with("sip_agent") => {
                    seeds.extend(text.split("\0\0\0").map(|part| part.as_bytes().to_vec()));
                }
                _ => seeds.push(bytes),
            }
        }
    }
    seeds
}

fn replace(bytes: Vec<u8>, what: &str, by: &str) -> Vec<u8> {
    if !bytes.windows(what.len()).any(|window| window == what.as_bytes()) {
        return bytes;
    }
    let (mut out, mut rest) = (Vec::new(), &bytes[..]);
    while let Some(at) = rest.windows(what.len()).position(|window| window == what.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by.as_bytes());
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn field(text: &str, name: &str) -> String {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
}

fn tag(text: &str, name: &str) -> String {
    field(text, name).split_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap_or_default()
}

/// Answers, refuses or lets ring, as it likes, and talks for [`TALK`].
struct Whim {
    rng: Rng,
    /// Calls, and when they are hung up.
    open: VecDeque<(Instant, DialogId)>,
}

impl Owner for Whim {
    fn hears(&mut self, now: Instant, event: Event) -> Vec<Command> {
        vec![match event {
            Event::Incoming { dialog, .. } => {
                self.open.push_back((now + TALK, dialog));
                match self.rng.below(8) {
                    0 => Command::Reject { dialog, status: 486, headers: Vec::new() },
                    1 => Command::Ring { dialog, sdp: Some(SDP.to_vec()) },
                    _ => Command::Answer { dialog, sdp: SDP.to_vec() },
                }
            }
            Event::Reoffered { dialog, .. } => Command::AnswerReinvite { dialog, sdp: SDP.to_vec() },
            Event::Refer { dialog, .. } => Command::AcceptRefer { dialog },
            Event::Register { request, .. } => Command::Respond { request, status: 401, headers: Vec::new() },
            _ => return Vec::new(),
        }]
    }
}

/// An agent and its owner.
struct Side {
    bench: Bench<Whim>,
    /// What `@T@`, `@C@`, `@F@` and `@B@` stand for now, and the number in `known`.
    names: [String; 4],
    calls: u64,
}

impl Side {
    fn new(role: Role, transport: Transport, seed: u64) -> Self {
        let mut config = AgentConfig::new(role, Admit::Any);
        config.transfers = true;
        let owner = Whim { rng: Rng::seeded(seed), open: VecDeque::new() };
        let bench = Bench::new(config, transport, seed, TestClock::at(UtcMs(0)).instant(), owner);
        Self { bench, names: Default::default(), calls: 0 }
    }

    fn pass(&mut self, by: Duration) {
        self.bench.pass(by);
        let now = self.bench.now;
        while let Some((_, dialog)) = self.bench.owner.open.pop_front_if(|(ends, _)| *ends <= now) {
            self.bench.feed(Input::Command(Command::Bye { dialog, headers: Vec::new() }));
        }
    }

    fn finals(&self, call_id: &str) -> Vec<String> {
        let wanted = format!("Call-ID: {call_id}\r\n");
        let ours = self.bench.sent.iter().filter(|m| m.contains(&wanted) && m.starts_with("SIP/2.0 "));
        ours.map(|m| m[8..11].to_owned()).filter(|status| !status.starts_with('1')).collect()
    }

    fn ask(&mut self, method: &str, call_id: &str, cseq: u32, to_tag: &str) -> Vec<String> {
        self.bench.sent.clear();
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        // CANCEL goes by the branch of its INVITE; an ACK to a 2xx has one of its own.
        let own = if method == "ACK" { "ack" } else { "" };
        let text = format!(
            "{method} sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.44:5066;branch=z9hG4bK{call_id}{cseq}{own}\r\n\
             From: <sip:+12025550150@192.0.2.44>;tag=t\r\nTo: <sip:+12025550102@127.0.0.1>{to_tag}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:p@192.0.2.44:5066>\r\nMax-Forwards: 70\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
            SDP.len()
        );
        self.bench.receive([text.as_bytes(), SDP].concat());
        self.finals(call_id)
    }

    /// A question has its answer.
    fn asks(&mut self, number: u64) {
        let answered = self.ask("OPTIONS", &format!("healthy-{number}"), 1, "");
        let right = if self.agent_is_for_phones() { "403" } else { "200" };
        assert_eq!(answered, [right], "message {number}: the healthy are not answered");
    }

    fn agent_is_for_phones(&self) -> bool {
        self.bench.flow.transport == Transport::Wss
    }

    /// A call comes, is answered or refused as its owner likes, and ends.
    fn calls(&mut self, number: u64) {
        let call_id = format!("healthy-call-{number}");
        let answered = self.ask("INVITE", &call_id, 1, "");
        match answered.first().map(String::as_str) {
            Some("200") => {}
            Some("486") => return,
            Some(other) => panic!("message {number}: a call gets {other}"),
            None => {
                assert!(
                    self.bench.sent.iter().any(|m| m.starts_with("SIP/2.0 18")),
                    "message {number}: silence for a call"
                );
                // It rings, and is given up.
                let answered = self.ask("CANCEL", &call_id, 1, "");
                assert_eq!(answered, ["200", "487"], "message {number}: a call that rings is not given up");
                return;
            }
        }
        let tag = tag(self.bench.sent.iter().rfind(|m| m.starts_with("SIP/2.0 200")).expect("just seen"), "To: ");
        self.ask("ACK", &call_id, 1, &tag);
        assert_eq!(self.ask("BYE", &call_id, 2, &tag), ["200"], "message {number}: a call does not end");
    }

    /// Fresh calls whose messages are then mutated: one that comes, one that goes out.
    fn renew(&mut self, number: u64) {
        self.calls = number;
        if !self.agent_is_for_phones() {
            for _ in 0..20 {
                let call_id = format!("known{}", self.calls);
                if self.ask("INVITE", &call_id, 1, "") == ["200"] {
                    self.names[0] = tag(&self.bench.sent.concat(), "To: ");
                    let tag = self.names[0].clone();
                    self.ask("ACK", &call_id, 1, &tag);
                    break;
                }
                self.calls += 1;
            }
        }
        self.bench.sent.clear();
        let dialog = self.bench.agent.next_dialog();
        let ends = self.bench.now + 3 * TALK;
        self.bench.owner.open.push_back((ends, dialog));
        self.bench.feed(Input::Command(Command::Invite {
            dialog,
            flow: self.bench.flow,
            request_uri: "sip:+12025550150@192.0.2.44".to_owned(),
            from: "<sip:+12025550102@127.0.0.1>".to_owned(),
            to: "<sip:+12025550150@192.0.2.44>".to_owned(),
            headers: Vec::new(),
            offer: Some(SDP.to_vec()),
        }));
        let invite = self.bench.sent.iter().find(|m| m.starts_with("INVITE")).expect("it goes out");
        let via = field(invite, "Via: ");
        let branch =
            via.split_once("branch=").and_then(|(_, b)| b.split(';').next()).expect("it has a branch").to_owned();
        self.names = [self.names[0].clone(), field(invite, "Call-ID: "), tag(invite, "From: "), branch];
    }

    fn mutated(&mut self, seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
        let pick = |rng: &mut Rng| usize::try_from(rng.below(seeds.len() as u64)).expect("small");
        let (one, two) = (pick(&mut self.bench.owner.rng), pick(&mut self.bench.owner.rng));
        let mut bytes = seeds[one].clone();
        for (name, value) in ["@T@", "@C@", "@F@", "@B@"].into_iter().zip(&self.names) {
            bytes = replace(bytes, name, value);
        }
        bytes = replace(bytes, "Call-ID: known\r", &format!("Call-ID: known{}\r", self.calls));
        if self.bench.owner.rng.below(2) == 0 && bytes.starts_with(b"SIP/").eq(&false) {
            // A transaction of its own, not one more copy.
            bytes = replace(bytes, "z9hG4bK", &format!("z9hG4bK{number}"));
        }
        for _ in 0..self.bench.owner.rng.below(6) {
            mutate(&mut self.bench.owner.rng, &mut bytes, &seeds[two]);
        }
        bytes
    }
}

fn run(side: &mut Side, seeds: &[Vec<u8>], count: u64) {
    let warm_up = count / 5;
    let (mut before, mut most) = (0, 0);
    for number in 0..count {
        if number.is_multiple_of(1_000) {
            side.renew(number);
        }
        if number.is_multiple_of(100) {
            side.asks(number);
        }
        if number.is_multiple_of(1_000) && !side.agent_is_for_phones() {
            side.calls(number);
        }
        let bytes = side.mutated(seeds, number);
        let shown = bytes.clone();
        side.bench.sent.clear();
        if catch_unwind(AssertUnwindSafe(|| side.bench.receive(bytes))).is_err() {
            panic!("message {number} makes the agent panic:\n{}", String::from_utf8_lossy(&shown));
        }
        side.pass(STEP);
        if number.is_multiple_of(500) {
            side.bench.sent = Vec::new();
            let live = LIVE.load(Ordering::Relaxed);
            if number < warm_up {
                before = before.max(live);
            }
            most = most.max(live);
        }
    }
    let load = side.bench.agent.load();
    println!(
        "{count} messages: {} KiB after the warm-up, {} KiB at most, {load:?} in the tables",
        before >> 10,
        most >> 10
    );
    assert!(most - before <= GROWTH, "{} KiB more than after the warm-up", (most - before) >> 10);
    // Nobody comes any more: everything runs out by itself.
    for _ in 0..200 {
        side.pass(Duration::from_secs(5));
        side.bench.sent.clear();
    }
    assert_eq!(side.bench.agent.load(), (0, 0), "left in the tables");
}

#[test]
fn a_crowd_of_mutated_messages_neither_panics_nor_silences_nor_fattens_the_agent() {
    let seed = std::env::var("CORDBOARD_SEED").map_or(4475, |seed| seed.parse().expect("a number"));
    let count = if std::env::var_os("CORDBOARD_LONG").is_some() { 1_000_000 } else { 100_000 };
    let seeds = seeds();
    let before = LIVE.load(Ordering::Relaxed);
    drop(std::hint::black_box(vec![0_u8; 4_096]));
    assert_eq!(LIVE.load(Ordering::Relaxed), before, "the counter counts what is freed");
    println!("seed {seed}");
    for (role, transport, part) in
        [(Role::Trunk, Transport::Udp, 6), (Role::Trunk, Transport::Tcp, 2), (Role::Phones, Transport::Wss, 2)]
    {
        run(&mut Side::new(role, transport, seed), &seeds, count * part / 10);
    }
}
