//! Calls in over connections that close, and calls that come by two ways. A carrier is played by hand.

use super::*;

/// A trunk's agent, over TCP.
struct Trunk {
    now: Instant,
    agent: Agent,
    sent: Vec<(u64, String)>,
    events: Vec<Event>,
}

fn tcp(connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, connection, ..flow(1) }
}

fn invite(call_id: &str, branch: &str, cseq: u32) -> String {
    format!(
        "INVITE sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5062;branch=z9hG4bK{branch}\r\n\
         From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} INVITE\r\n\
         Contact: <sip:a@127.0.0.1:5064;transport=tcp>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}",
        OFFER.len(),
        String::from_utf8_lossy(OFFER)
    )
}

impl Trunk {
    fn new() -> Self {
        let agent = Agent::new(AgentConfig::new(Role::Trunk, Admit::Any), Rng::seeded(1));
        Self { now: TestClock::at(UtcMs(0)).instant(), agent, sent: Vec::new(), events: Vec::new() }
    }

    fn tell(&mut self, input: Input) {
        self.agent.handle(self.now, input);
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Transmit { flow, bytes } | Output::Refuse { flow, bytes } => {
                    self.sent.push((flow.connection, String::from_utf8(bytes).expect("text")));
                }
                Output::Event(event) => self.events.push(event),
                Output::CloseFlow { .. } => {}
            }
        }
    }

    fn receive(&mut self, connection: u64, text: &str) {
        self.tell(Input::Received { flow: tcp(connection), bytes: text.as_bytes().to_vec() });
    }

    fn command(&mut self, command: Command) {
        self.tell(Input::Command(command));
    }

    fn pass(&mut self, by: Duration) {
        self.now += by;
        self.tell(Input::Timeout);
    }

    /// The calls that came in.
    fn calls(&self) -> Vec<DialogId> {
        let dialog = |event: &Event| match event {
            Event::Incoming { dialog, .. } => Some(*dialog),
            _ => None,
        };
        self.events.iter().filter_map(dialog).collect()
    }

    fn ended(&self) -> Vec<&Event> {
        self.events.iter().filter(|event| is_ended(event)).collect()
    }

    /// The last message, and by which connection it went.
    fn last(&self) -> (u64, &str) {
        self.sent.last().map(|(connection, text)| (*connection, text.lines().next().unwrap_or_default())).expect("sent")
    }
}

#[test]
fn a_call_that_rings_in_outlives_its_connection_and_is_answered_by_another() {
    let mut trunk = Trunk::new();
    trunk.receive(1, &invite("c", "a", 1));
    let call = trunk.calls()[0];
    trunk.command(Command::Ring { dialog: call, sdp: None });
    trunk.tell(Input::FlowClosed { flow: tcp(1) });
    assert!(trunk.ended().is_empty(), "the caller still waits");
    assert!(matches!(trunk.events.last(), Some(Event::FlowLost { dialog }) if *dialog == call));
    let (_, hop) = trunk.agent.way_of(call).expect("it is there");
    assert_eq!(hop, Some(([127, 0, 0, 1], 5062).into()), "where its Via says (RFC 3261 §18.2.2)");
    trunk.command(Command::MoveFlow { dialog: call, flow: tcp(2) });
    trunk.command(Command::Answer { dialog: call, sdp: ANSWER.to_vec() });
    assert_eq!(trunk.last(), (2, "SIP/2.0 200 OK"));
    trunk.pass(Duration::from_secs(11));
    assert!(trunk.ended().is_empty(), "it is not waited for any more");
    // The old number means nothing now, the new one does.
    trunk.events.clear();
    trunk.tell(Input::FlowClosed { flow: tcp(1) });
    assert!(trunk.events.is_empty());
    trunk.tell(Input::FlowClosed { flow: tcp(2) });
    assert!(matches!(trunk.events[..], [Event::FlowLost { .. }]), "{:?}", trunk.events);
}

#[test]
fn a_call_that_rings_in_and_finds_no_other_way_is_lost_after_ten_seconds() {
    let mut trunk = Trunk::new();
    trunk.receive(1, &invite("c", "a", 1));
    trunk.tell(Input::FlowClosed { flow: tcp(1) });
    trunk.pass(Duration::from_secs(9));
    // Found dead once more by what is sent into it: that gives it no more time.
    trunk.tell(Input::FlowClosed { flow: tcp(1) });
    assert!(trunk.ended().is_empty());
    trunk.pass(Duration::from_secs(1));
    assert!(matches!(trunk.ended()[..], [Event::Ended { why: EndReason::FlowLost, .. }]), "not the caller's doing");
    assert_eq!(trunk.agent.load(), (0, 0));
    assert!(trunk.agent.indexes_are_empty());
}

#[test]
fn a_carrier_that_repeats_its_invite_over_a_new_connection_is_answered_there() {
    let mut trunk = Trunk::new();
    trunk.receive(1, &invite("c", "a", 1));
    let call = trunk.calls()[0];
    trunk.tell(Input::FlowClosed { flow: tcp(1) });
    trunk.receive(2, &invite("c", "a", 1));
    assert_eq!(trunk.last(), (2, "SIP/2.0 100 Trying"));
    trunk.command(Command::Answer { dialog: call, sdp: ANSWER.to_vec() });
    assert_eq!(trunk.last(), (2, "SIP/2.0 200 OK"));
    assert_eq!(trunk.calls().len(), 1);
}

#[test]
fn a_call_that_comes_by_two_ways_is_one_call() {
    let mut trunk = Trunk::new();
    trunk.receive(1, &invite("c", "a", 1));
    trunk.receive(2, &invite("c", "b", 1));
    assert_eq!(trunk.last(), (2, "SIP/2.0 482 Loop Detected"));
    let call = trunk.calls()[0];
    trunk.command(Command::Answer { dialog: call, sdp: ANSWER.to_vec() });
    trunk.receive(2, &invite("c", "d", 1));
    assert_eq!(trunk.last(), (2, "SIP/2.0 482 Loop Detected"), "nor while it is up");
    trunk.receive(2, &invite("other", "e", 1));
    trunk.receive(2, &invite("other", "f", 2));
    assert_eq!(trunk.calls().len(), 3, "another call, and another try of the same caller, are calls");
}

#[test]
fn a_call_that_was_refused_or_lost_may_come_by_another_way() {
    let mut trunk = Trunk::new();
    trunk.receive(1, &invite("c", "a", 1));
    let call = trunk.calls()[0];
    trunk.command(Command::Reject { dialog: call, status: 503, headers: vec![] });
    trunk.receive(2, &invite("c", "b", 1));
    assert_eq!(trunk.calls().len(), 2, "the carrier tries its next way");
    trunk.tell(Input::FlowClosed { flow: tcp(2) });
    trunk.receive(3, &invite("c", "d", 1));
    assert_eq!(trunk.calls().len(), 3, "with a branch of its own, as after an error");
    assert!(matches!(trunk.ended()[..], [Event::Ended { why: EndReason::FlowLost, .. }]), "in place of the one before");
}

#[test]
fn a_connection_that_closes_concerns_nobody_else() {
    let mut trunk = Trunk::new();
    for connection in 1..=50 {
        trunk.receive(connection, &invite(&format!("call-{connection}"), &format!("b{connection}"), 1));
    }
    let calls = trunk.calls();
    for dialog in &calls {
        trunk.command(Command::Answer { dialog: *dialog, sdp: ANSWER.to_vec() });
    }
    for (at, dialog) in calls.iter().enumerate() {
        trunk.events.clear();
        trunk.tell(Input::FlowClosed { flow: tcp(at as u64 + 1) });
        assert!(matches!(trunk.events[..], [Event::FlowLost { dialog: lost }] if lost == *dialog));
    }
}

#[test]
fn a_call_out_that_cannot_be_sent_fails_at_once_and_one_that_is_up_waits_for_the_route() {
    let mut pair = Pair::new(1, Weather { lost: 100, ..CALM });
    pair.call(Some(OFFER));
    let unsent = |pair: &mut Pair, start: &str| {
        let bytes = pair.texts_of(0, start)[0].as_bytes().to_vec();
        pair.agents[0].handle(pair.now, Input::Unsent { bytes });
        pair.collect(0);
    };
    unsent(&mut pair, "INVITE");
    assert_eq!(pair.count(0, |e| matches!(e, Event::Rejected { status: 503, .. })), 1);
    assert_eq!(pair.agents[0].load(), (0, 0));

    let (mut pair, out, _) = call_up(2, 100);
    pair.command(0, Command::Reinvite { dialog: out, sdp: OFFER.to_vec() });
    pair.command(0, bye(out));
    unsent(&mut pair, "BYE");
    pair.weather.lost = 0;
    assert!(pair.wait(1, |e| matches!(e, Event::Ended { why: EndReason::Bye, .. })), "the route has come back");
}

#[test]
fn a_carrier_over_udp_that_names_tcp_in_its_contact_is_spoken_to_over_tcp() {
    let mut trunk = Trunk::new();
    let udp = Flow { transport: Transport::Udp, connection: 0, ..flow(1) };
    let over_udp = invite("c", "a", 1).replace("SIP/2.0/TCP", "SIP/2.0/UDP");
    trunk.tell(Input::Received { flow: udp, bytes: over_udp.into_bytes() });
    let call = trunk.calls()[0];
    trunk.command(Command::Answer { dialog: call, sdp: ANSWER.to_vec() });
    let answer = trunk.sent.last().expect("sent").1.clone();
    let to = field(&answer, "To").expect("To");
    let ack = format!(
        "ACK sip:x@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKack\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: {to}\r\nCall-ID: c\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
    );
    trunk.tell(Input::Received { flow: udp, bytes: ack.into_bytes() });
    let wanted = trunk.events.iter().find_map(|event| match event {
        Event::OtherTransport { transport, hop, .. } => Some((*transport, *hop)),
        _ => None,
    });
    assert_eq!(wanted, Some((Transport::Tcp, Some(([127, 0, 0, 1], 5064).into()))));
    trunk.command(Command::MoveFlow { dialog: call, flow: tcp(7) });
    trunk.command(bye(call));
    let (connection, text) = trunk.sent.last().expect("sent");
    assert!(*connection == 7 && text.starts_with("BYE ") && text.contains("Via: SIP/2.0/TCP "), "{text}");
}
