//! Two agents on a network that loses, doubles, delays and reorders, from one seed. Test rig.

mod change;
mod early;
mod flows;
mod random;
mod session;
mod transfer;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::words::{Command, DialogId, EndReason, Event, Flow, Input, Output, Transport};
use super::{Admit, Agent, AgentConfig, Role};
use crate::base::clock::{Clock as _, TestClock, UtcMs};
use crate::base::rng::Rng;

const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
const ANSWER: &[u8] = b"v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\n";

/// What the network does to a datagram, in percent.
#[derive(Clone, Copy)]
struct Weather {
    lost: u64,
    doubled: u64,
    jitter_ms: u64,
}

const CALM: Weather = Weather { lost: 0, doubled: 0, jitter_ms: 0 };

struct Pair {
    now: Instant,
    start: Instant,
    agents: [Agent; 2],
    events: [Vec<Event>; 2],
    wire: BTreeMap<(Instant, u64), (usize, Flow, Vec<u8>)>,
    sequence: u64,
    weather: Weather,
    rng: Rng,
    /// Start lines sent, by side.
    sent: [Vec<String>; 2],
    /// The same messages whole.
    texts: [Vec<String>; 2],
}

fn address(side: usize) -> std::net::SocketAddr {
    (std::net::Ipv4Addr::LOCALHOST, [5060, 5070][side]).into()
}

fn flow(side: usize) -> Flow {
    Flow { transport: Transport::Udp, local: address(side), peer: address(1 - side), connection: 0 }
}

impl Pair {
    fn new(seed: u64, weather: Weather) -> Self {
        Self::with(seed, weather, |_, _| {})
    }

    /// With agents set up by `set_up`, which is told the side.
    fn with(seed: u64, weather: Weather, set_up: impl Fn(usize, &mut AgentConfig)) -> Self {
        let now = TestClock::at(UtcMs(0)).instant();
        let agent = |side: usize| {
            let mut config = AgentConfig::new(Role::Trunk, Admit::Any);
            set_up(side, &mut config);
            Agent::new(config, Rng::seeded(seed * 2 + side as u64))
        };
        Self {
            now,
            start: now,
            agents: [agent(0), agent(1)],
            events: [Vec::new(), Vec::new()],
            wire: BTreeMap::new(),
            sequence: 0,
            weather,
            rng: Rng::seeded(seed ^ 0x5eed),
            sent: [Vec::new(), Vec::new()],
            texts: [Vec::new(), Vec::new()],
        }
    }

    fn command(&mut self, side: usize, command: Command) {
        self.agents[side].handle(self.now, Input::Command(command));
        self.collect(side);
    }

    fn collect(&mut self, side: usize) {
        while let Some(output) = self.agents[side].poll_output() {
            match output {
                Output::Event(event) => self.events[side].push(event),
                Output::CloseFlow { .. } => {}
                Output::Transmit { flow: out, bytes } | Output::Refuse { flow: out, bytes } => {
                    assert_eq!(out.peer, address(1 - side), "sent to nobody of this test");
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    self.sent[side].push(text.lines().next().unwrap_or_default().to_owned());
                    self.texts[side].push(text);
                    if self.rng.below(100) < self.weather.lost {
                        continue;
                    }
                    let copies = 1 + u64::from(self.rng.below(100) < self.weather.doubled);
                    for _ in 0..copies {
                        let delay = 5 + self.rng.below(self.weather.jitter_ms + 1);
                        self.sequence += 1;
                        let at = self.now + Duration::from_millis(delay);
                        self.wire.insert((at, self.sequence), (1 - side, flow(1 - side), bytes.clone()));
                    }
                }
            }
        }
    }

    /// Runs until `until` says so or `limit` of simulated time has passed.
    fn run(&mut self, limit: Duration, mut until: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        for _ in 0..100_000 {
            if until(self) {
                return true;
            }
            let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
            let timer = self.agents.iter().filter_map(|a| a.poll_timeout().map(|(at, _)| at)).min();
            let Some(next) = arrival.into_iter().chain(timer).min().filter(|at| *at <= end) else {
                self.now = end;
                return until(self);
            };
            self.now = next.max(self.now);
            if arrival == Some(next) {
                let (_, (side, from, bytes)) = self.wire.pop_first().expect("just seen");
                self.agents[side].handle(self.now, Input::Received { flow: from, bytes });
                self.collect(side);
            } else {
                for side in [0, 1] {
                    self.agents[side].handle(self.now, Input::Timeout);
                    self.collect(side);
                }
            }
        }
        panic!("the simulation does not come to rest");
    }

    fn call(&mut self, offer: Option<&[u8]>) -> DialogId {
        let dialog = self.agents[0].next_dialog();
        self.command(
            0,
            Command::Invite {
                dialog,
                flow: flow(0),
                request_uri: "sip:+12025550102@127.0.0.1:5070".to_owned(),
                from: "<sip:+12025550199@127.0.0.1:5060>".to_owned(),
                to: "<sip:+12025550102@127.0.0.1:5070>".to_owned(),
                headers: vec![],
                offer: offer.map(<[u8]>::to_vec),
            },
        );
        dialog
    }

    fn incoming(&mut self) -> DialogId {
        let there = |p: &Self| p.events[1].iter().any(|e| matches!(e, Event::Incoming { .. }));
        assert!(self.run(Duration::from_secs(32), there), "no call came in");
        let dialog = self.events[1].iter().find_map(|e| match e {
            Event::Incoming { dialog, .. } => Some(*dialog),
            _ => None,
        });
        dialog.expect("there is one")
    }

    fn wait(&mut self, side: usize, what: fn(&Event) -> bool) -> bool {
        self.run(Duration::from_secs(33), |p| p.events[side].iter().any(what))
    }

    /// A call that is up: the caller's dialog and the callee's.
    fn up(&mut self) -> (DialogId, DialogId) {
        let out = self.call(Some(OFFER));
        let inside = self.incoming();
        self.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
        assert!(self.wait(0, |e| matches!(e, Event::Answered { .. })), "not answered");
        assert!(self.wait(1, |e| matches!(e, Event::Established { .. })), "never acknowledged");
        (out, inside)
    }

    fn pass(&mut self, secs: u64) {
        self.run(Duration::from_secs(secs), |_| false);
    }

    /// Messages of a side that begin so.
    fn texts_of(&self, side: usize, start: &str) -> Vec<&str> {
        self.texts[side].iter().filter(|t| t.starts_with(start)).map(String::as_str).collect()
    }

    /// Hands a message to a side as if the other had sent it.
    fn inject(&mut self, side: usize, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.agents[side].handle(self.now, Input::Received { flow: flow(side), bytes });
        self.collect(side);
    }

    fn count(&self, side: usize, what: fn(&Event) -> bool) -> usize {
        self.events[side].iter().filter(|e| what(e)).count()
    }

    /// Nothing may be left in any table once all timers have run.
    fn settles(&mut self) {
        self.run(Duration::from_secs(700), |_| false);
        assert_eq!(self.agents[0].load(), (0, 0), "the caller's tables");
        assert_eq!(self.agents[1].load(), (0, 0), "the callee's tables");
        assert!(self.agents.iter().all(Agent::indexes_are_empty), "what finds things in them");
    }
}

fn is_ended(event: &Event) -> bool {
    matches!(event, Event::Ended { .. } | Event::Rejected { .. } | Event::Canceled { .. })
}

fn bye(dialog: DialogId) -> Command {
    Command::Bye { dialog, headers: vec![] }
}

/// Call, ring, answer, re-INVITE, BYE. Returns whether it came up.
fn whole_call(seed: u64, weather: Weather) -> Pair {
    let mut pair = Pair::new(seed, weather);
    let out = pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.command(1, Command::Ring { dialog: inside, sdp: None });
    pair.run(Duration::from_secs(2), |_| false);
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    assert!(pair.wait(0, |e| matches!(e, Event::Answered { sdp: Some(_), .. })), "seed {seed}: not answered");
    assert!(pair.wait(1, |e| matches!(e, Event::Established { .. })), "seed {seed}: never acknowledged");
    // The one who called changes the session, then the one who was called.
    for (side, dialog, other) in [(0, out, inside), (1, inside, out)] {
        pair.events = [Vec::new(), Vec::new()];
        pair.command(side, Command::Reinvite { dialog, sdp: OFFER.to_vec() });
        assert!(pair.wait(1 - side, |e| matches!(e, Event::Reoffered { offer: Some(_), .. })), "seed {seed}");
        pair.command(1 - side, Command::AnswerReinvite { dialog: other, sdp: ANSWER.to_vec() });
        let answered = pair.wait(side, |e| matches!(e, Event::ReinviteAnswered { sdp: Some(_), .. }));
        assert!(answered, "seed {seed}: re-INVITE not answered");
        pair.run(Duration::from_secs(33), |p| p.agents[1 - side].dialogs_are_quiet());
    }
    pair.events = [Vec::new(), Vec::new()];
    let (by, dialog) = if seed.is_multiple_of(2) { (0, out) } else { (1, inside) };
    pair.command(by, bye(dialog));
    assert!(pair.wait(1 - by, |e| matches!(e, Event::Ended { why: EndReason::Bye, .. })), "seed {seed}: no BYE");
    assert_eq!(pair.count(by, is_ended), 0, "the one who hung up is told nothing more");
    pair.settles();
    pair
}

/// A header's value in a message.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| *n == name).map(|(_, value)| value))
}

#[test]
fn a_call_is_set_up_changed_and_ended() {
    let pair = whole_call(1, CALM);
    assert!(pair.sent[1].iter().any(|l| l == "SIP/2.0 180 Ringing"));
    assert_eq!(pair.sent[0].iter().filter(|l| l.starts_with("INVITE")).count(), 2);
}

#[test]
fn calls_come_up_and_end_through_ten_percent_loss() {
    let weather = Weather { lost: 10, doubled: 10, jitter_ms: 120 };
    for seed in 0..120 {
        whole_call(seed, weather);
    }
}

#[test]
fn a_caller_that_wants_our_offer_answers_it_in_the_ack() {
    let mut pair = Pair::new(3, CALM);
    let text = |start: &str, cseq: &str, to: &str, body: &str| {
        format!(
            "{start} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{cseq}\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: {to}\r\nCall-ID: late\r\nCSeq: 1 {cseq}\r\nContact: <sip:a@127.0.0.1:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let send = |pair: &mut Pair, text: String| {
        pair.agents[1].handle(pair.now, Input::Received { flow: flow(1), bytes: text.into_bytes() });
        while let Some(output) = pair.agents[1].poll_output() {
            match output {
                Output::Transmit { bytes, .. } | Output::Refuse { bytes, .. } => {
                    pair.sent[1].push(String::from_utf8(bytes).expect("text"));
                }
                Output::Event(event) => pair.events[1].push(event),
                Output::CloseFlow { .. } => {}
            }
        }
    };
    send(&mut pair, text("INVITE sip:+12025550102@127.0.0.1", "INVITE", "<sip:b@h>", ""));
    let Some(Event::Incoming { dialog, invite, .. }) = pair.events[1].first() else { panic!("no call") };
    assert!(invite.offer.is_none());
    pair.agents[1].handle(pair.now, Input::Command(Command::Answer { dialog: *dialog, sdp: OFFER.to_vec() }));
    send(&mut pair, "\r\n".to_owned());
    let answer = pair.sent[1].iter().find(|l| l.starts_with("SIP/2.0 200")).expect("a 200").clone();
    let to = answer.lines().find_map(|l| l.strip_prefix("To: ")).expect("To").to_owned();
    send(&mut pair, text("ACK sip:x@h", "ACK", &to, "v=0\r\n"));
    let established = pair.events[1].iter().find_map(|e| match e {
        Event::Established { answer, .. } => Some(answer.clone()),
        _ => None,
    });
    assert_eq!(established, Some(Some(b"v=0\r\n".to_vec())));
}

#[test]
fn a_call_given_up_while_it_rings_ends_on_both_sides_whatever_is_lost() {
    for seed in 0..80 {
        let weather = Weather { lost: 10 * (seed % 2), doubled: 5, jitter_ms: 60 };
        let mut pair = Pair::new(seed, weather);
        let out = pair.call(Some(OFFER));
        let inside = pair.incoming();
        pair.command(1, Command::Ring { dialog: inside, sdp: None });
        pair.run(Duration::from_secs(1), |_| false);
        pair.command(0, Command::Cancel { dialog: out });
        assert!(pair.wait(1, |e| matches!(e, Event::Canceled { .. })), "seed {seed}");
        assert!(pair.wait(0, |e| matches!(e, Event::Rejected { status: 487, .. })), "seed {seed}");
        assert_eq!((pair.count(0, is_ended), pair.count(1, is_ended)), (1, 1), "seed {seed}");
        pair.settles();
    }
}

#[test]
fn a_cancel_that_crosses_the_answer_leaves_no_call_behind() {
    for seed in 0..60 {
        let mut pair = Pair::new(seed, Weather { lost: 5, doubled: 5, jitter_ms: 40 });
        let out = pair.call(Some(OFFER));
        let inside = pair.incoming();
        pair.command(1, Command::Ring { dialog: inside, sdp: None });
        pair.run(Duration::from_millis(seed * 10), |_| false);
        // Both at the same moment.
        pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
        pair.command(0, Command::Cancel { dialog: out });
        assert!(pair.wait(0, is_ended), "seed {seed}: the caller hears no end");
        assert!(pair.wait(1, is_ended), "seed {seed}: the callee hears no end");
        pair.settles();
        assert_eq!((pair.count(0, is_ended), pair.count(1, is_ended)), (1, 1), "seed {seed}");
    }
}

#[test]
fn a_refusal_reaches_the_caller_once() {
    for seed in 0..40 {
        let mut pair = Pair::new(seed, Weather { lost: 10, doubled: 10, jitter_ms: 100 });
        pair.call(Some(OFFER));
        let inside = pair.incoming();
        pair.command(1, Command::Reject { dialog: inside, status: 486, headers: vec![] });
        assert!(pair.wait(0, |e| matches!(e, Event::Rejected { status: 486, .. })), "seed {seed}");
        pair.settles();
        assert_eq!((pair.count(0, is_ended), pair.count(1, is_ended)), (1, 0));
    }
}

#[test]
fn nobody_there_is_told_after_32_seconds() {
    let mut pair = Pair::new(5, Weather { lost: 100, ..CALM });
    pair.call(Some(OFFER));
    assert!(pair.wait(0, |e| matches!(e, Event::Rejected { status: 408, .. })));
    assert_eq!(pair.now - pair.start, Duration::from_secs(32));
    assert_eq!(pair.sent[0].len(), 7);
}

#[test]
fn an_answer_never_acknowledged_ends_with_a_bye() {
    let mut pair = Pair::new(6, CALM);
    pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.weather.lost = 100;
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    assert!(pair.wait(1, |e| matches!(e, Event::Ended { why: EndReason::NoAck, .. })));
    assert_eq!(pair.sent[1].iter().filter(|l| l.starts_with("SIP/2.0 200")).count(), 11);
    assert!(pair.sent[1].iter().any(|l| l.starts_with("BYE")));
}

/// A call that is up, in the middle of a network that loses so much from now on.
fn call_up(seed: u64, then_lost: u64) -> (Pair, DialogId, DialogId) {
    let mut pair = Pair::new(seed, CALM);
    let out = pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    assert!(pair.wait(1, |e| matches!(e, Event::Established { .. })));
    pair.run(Duration::from_secs(1), |_| false);
    pair.weather.lost = then_lost;
    (pair, out, inside)
}

#[test]
fn a_far_end_that_answers_a_probe_is_still_there_even_if_it_answers_late() {
    for (seed, lost) in [(1, 0), (2, 40)] {
        let (mut pair, out, inside) = call_up(seed, lost);
        for (side, dialog) in [(0, out), (1, inside)] {
            pair.command(side, Command::Probe { dialog });
            pair.command(side, Command::Probe { dialog });
            pair.run(Duration::from_secs(20), |_| false);
            assert_eq!(pair.count(side, is_ended), 0);
        }
        if lost == 0 {
            let asked = pair.sent.iter().flatten().filter(|line| line.starts_with("OPTIONS")).count();
            assert_eq!(asked, 2, "one probe at a time");
        }
        pair.weather.lost = 0;
        pair.command(0, bye(out));
        pair.settles();
    }
}

#[test]
fn a_far_end_that_answers_no_probe_is_gone_and_gets_a_bye_in_case_it_is_deaf() {
    let (mut pair, out, _) = call_up(3, 100);
    pair.command(0, Command::Probe { dialog: out });
    assert!(pair.wait(0, |e| matches!(e, Event::Ended { why: EndReason::Timeout, .. })));
    assert!(pair.sent[0].last().is_some_and(|line| line.starts_with("BYE")), "{:?}", pair.sent[0].last());
    pair.run(Duration::from_secs(40), |_| false);
    assert_eq!((pair.count(0, is_ended), pair.agents[0].load()), (1, (0, 0)));
}

#[test]
fn a_probe_is_answered_within_fifteen_seconds_or_not_at_all() {
    let (mut pair, out, _) = call_up(3, 100);
    pair.command(0, Command::Probe { dialog: out });
    pair.run(Duration::from_secs(14), |_| false);
    assert_eq!(pair.count(0, is_ended), 0);
    pair.run(Duration::from_secs(2), |_| false);
    assert_eq!(pair.count(0, is_ended), 1, "{:?}", pair.sent[0].last());
}

#[test]
fn a_far_end_that_no_longer_knows_the_call_ends_it() {
    let (mut pair, out, inside) = call_up(4, 100);
    // Its BYE never comes.
    pair.command(1, bye(inside));
    pair.run(Duration::from_secs(40), |_| false);
    pair.weather.lost = 0;
    pair.command(0, Command::Probe { dialog: out });
    assert!(pair.wait(0, |e| matches!(e, Event::Ended { why: EndReason::Timeout, .. })));
    pair.settles();
}

#[test]
fn a_hang_up_before_the_ack_waits_for_it() {
    let mut pair = Pair::new(7, CALM);
    pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    pair.command(1, bye(inside));
    assert!(!pair.sent[1].iter().any(|l| l.starts_with("BYE")));
    assert!(pair.wait(0, |e| matches!(e, Event::Ended { why: EndReason::Bye, .. })));
    pair.settles();
}

#[test]
fn a_hang_up_before_the_ack_says_why() {
    for acknowledged in [true, false] {
        let mut pair = Pair::new(8, CALM);
        pair.call(Some(OFFER));
        let inside = pair.incoming();
        pair.weather.lost = if acknowledged { 0 } else { 100 };
        pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
        let why = "Q.850;cause=16";
        pair.command(1, Command::Bye { dialog: inside, headers: vec![("Reason".to_owned(), why.to_owned())] });
        pair.pass(33);
        let bye = pair.texts_of(1, "BYE")[0];
        assert_eq!(field(bye, "Reason"), Some(why), "acknowledged: {acknowledged}");
    }
}

#[test]
fn a_full_table_refuses_new_calls_and_keeps_the_old() {
    let mut pair = Pair::new(9, CALM);
    pair.agents[1].limit_dialogs(1);
    pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    pair.wait(1, |e| matches!(e, Event::Established { .. }));
    pair.call(Some(OFFER));
    assert!(pair.wait(0, |e| matches!(e, Event::Rejected { status: 503, .. })));
    assert_eq!(pair.agents[1].load().0, 1);
}

#[test]
fn calls_that_would_wait_too_long_are_refused_at_once_and_the_one_that_is_up_goes_on() {
    let mut pair = Pair::new(10, CALM);
    let up = pair.call(Some(OFFER));
    let inside = pair.incoming();
    pair.command(1, Command::Answer { dialog: inside, sdp: ANSWER.to_vec() });
    pair.wait(1, |e| matches!(e, Event::Established { .. }));
    for _ in 0..150 {
        pair.call(Some(OFFER));
    }
    pair.run(Duration::from_secs(1), |_| false);
    let refused = pair.events[0].iter().filter(|e| matches!(e, Event::Rejected { status: 503, .. })).count();
    let held = pair.agents[1].load();
    assert_eq!((refused, held), (50, (101, 101)), "nothing is kept of those refused");
    pair.command(0, bye(up));
    assert!(pair.wait(1, |e| matches!(e, Event::Ended { why: EndReason::Bye, .. })));
}

/// A phone-side agent with a call out over a WebSocket, and its INVITE.
fn ringing_phone() -> (Agent, Instant, Flow, DialogId, String) {
    let now = TestClock::at(UtcMs(0)).instant();
    let mut agent = Agent::new(AgentConfig::new(Role::Phones, Admit::Any), Rng::seeded(1));
    let ws = Flow { transport: Transport::Ws, connection: 7, ..flow(0) };
    let dialog = agent.next_dialog();
    agent.handle(
        now,
        Input::Command(Command::Invite {
            dialog,
            flow: ws,
            request_uri: "sip:abc@xyz.invalid;transport=ws".to_owned(),
            from: "<sip:calls@h>".to_owned(),
            to: "<sip:abc@xyz.invalid>".to_owned(),
            headers: vec![],
            offer: Some(OFFER.to_vec()),
        }),
    );
    let Some(Output::Transmit { bytes, .. }) = agent.poll_output() else { panic!("no INVITE") };
    (agent, now, ws, dialog, String::from_utf8(bytes).expect("text"))
}

fn ok_to(invite: &str, tag: &str) -> Vec<u8> {
    let echoed: String = invite
        .lines()
        .filter(|l| ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| l.starts_with(name)))
        .map(|l| format!("{l}\r\n"))
        .collect();
    format!(
        "SIP/2.0 200 OK\r\n{echoed}To: <sip:abc@xyz.invalid>;tag={tag}\r\nContact: <sip:{tag}@xyz.invalid>\r\n\
         Content-Type: application/sdp\r\n\r\nv=0\r\n"
    )
    .into_bytes()
}

fn drain(agent: &mut Agent) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(output) = agent.poll_output() {
        match output {
            Output::Transmit { bytes, .. } | Output::Refuse { bytes, .. } => {
                seen.push(String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned());
            }
            Output::Event(event) => {
                seen.push(format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned())
            }
            Output::CloseFlow { .. } => {}
        }
    }
    seen
}

#[test]
fn a_second_branch_that_answers_is_acknowledged_and_hung_up() {
    let (mut agent, now, ws, _, invite) = ringing_phone();
    agent.handle(now, Input::Received { flow: ws, bytes: ok_to(&invite, "one") });
    assert_eq!(drain(&mut agent), ["ACK sip:one@xyz.invalid SIP/2.0", "Answered"]);
    // A copy of the first is acknowledged again, and no more.
    agent.handle(now, Input::Received { flow: ws, bytes: ok_to(&invite, "one") });
    assert_eq!(drain(&mut agent), ["ACK sip:one@xyz.invalid SIP/2.0"]);
    agent.handle(now, Input::Received { flow: ws, bytes: ok_to(&invite, "two") });
    assert_eq!(drain(&mut agent), ["ACK sip:two@xyz.invalid SIP/2.0", "BYE sip:two@xyz.invalid SIP/2.0"]);
    assert_eq!(agent.load().0, 1, "the first goes on");
}

#[test]
fn an_answered_call_outlives_its_connection_by_ten_seconds() {
    let (mut agent, now, ws, dialog, invite) = ringing_phone();
    agent.handle(now, Input::Received { flow: ws, bytes: ok_to(&invite, "one") });
    drain(&mut agent);
    agent.handle(now, Input::FlowClosed { flow: ws });
    assert_eq!(drain(&mut agent), ["FlowLost"]);
    let (at, _) = agent.poll_timeout().expect("armed");
    assert_eq!(at - now, Duration::from_secs(10));
    // A request on another connection is not believed, whatever tags it knows.
    let stranger = Flow { connection: 8, ..ws };
    let line = |name: &str| invite.lines().find_map(|l| l.strip_prefix(name)).expect("a header").to_owned();
    let bye = format!(
        "BYE sip:x@h SIP/2.0\r\nVia: SIP/2.0/WS y.invalid;branch=z9hG4bKbye\r\nFrom: {};tag=one\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: 1 BYE\r\n\r\n",
        line("To: "),
        line("From: "),
        line("Call-ID: ")
    );
    agent.handle(now, Input::Received { flow: stranger, bytes: bye.into_bytes() });
    assert_eq!(drain(&mut agent), ["SIP/2.0 481 Call/Transaction Does Not Exist", "Refused"]);
    agent.handle(at, Input::Timeout);
    let ended = drain(&mut agent);
    assert_eq!(ended, ["Ended"], "{dialog:?}");
    assert_eq!(agent.load().0, 0);
}
