//! Calls that are let in and end without an answer of their owner: none of them keeps its place at the gate.

use std::time::{Duration, Instant};

use super::super::admit::Admit;
use super::super::words::{Command, DialogId, Event, Flow, Input, Output, Transport};
use super::{Agent, AgentConfig, Role};
use crate::base::clock::{Clock as _, TestClock, UtcMs};
use crate::base::rng::Rng;

fn flow() -> Flow {
    let at = |text: &str| text.parse().expect("an address");
    Flow { transport: Transport::Udp, local: at("192.0.2.1:5060"), peer: at("198.51.100.1:5060"), connection: 0 }
}

fn agent() -> (Agent, Instant) {
    let mut config = AgentConfig::new(Role::Trunk, Admit::Any);
    config.transfers = true;
    (Agent::new(config, Rng::seeded(1)), TestClock::at(UtcMs(0)).instant())
}

/// The `n`th call: what it is answered with so far, and its dialog if its owner is told.
fn call(agent: &mut Agent, now: Instant, n: usize, more: &str) -> (Vec<String>, Option<DialogId>) {
    let invite = format!(
        "INVITE sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK{n}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@198.51.100.1>;tag=f{n}\r\nTo: <sip:us@192.0.2.1>\r\nCall-ID: c{n}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:a@198.51.100.1>\r\n{more}Content-Length: 0\r\n\r\n"
    );
    agent.handle(now, Input::Received { flow: flow(), bytes: invite.into_bytes() });
    outcome(agent)
}

fn outcome(agent: &mut Agent) -> (Vec<String>, Option<DialogId>) {
    let (mut sent, mut told) = (Vec::new(), None);
    while let Some(output) = agent.poll_output() {
        match output {
            Output::Transmit { bytes, .. } | Output::Refuse { bytes, .. } => {
                sent.push(String::from_utf8(bytes).expect("text"));
            }
            Output::Event(Event::Incoming { dialog, .. }) => told = Some(dialog),
            Output::Event(_) | Output::CloseFlow { .. } => {}
        }
    }
    (sent, told)
}

#[test]
fn calls_refused_for_another_reason_close_the_gate_for_nobody() {
    for (more, status) in
        [("Replaces: unknown;to-tag=a;from-tag=b\r\n", "481"), ("Supported: timer\r\nSession-Expires: 10\r\n", "422")]
    {
        let (mut agent, now) = agent();
        for n in 0..200 {
            let (sent, told) = call(&mut agent, now, n, more);
            assert!(sent[0].starts_with(&format!("SIP/2.0 {status} ")) && told.is_none(), "call {n}: {sent:?}");
        }
        assert!(call(&mut agent, now, 200, "").1.is_some(), "after two hundred times {status} a good call is let in");
        assert_eq!(agent.admission.waiting(), 1);
    }
}

#[test]
fn a_call_whose_reliable_response_is_never_acknowledged_leaves_its_place() {
    let (mut agent, mut now) = agent();
    let (_, dialog) = call(&mut agent, now, 1, "Require: 100rel\r\n");
    let dialog = dialog.expect("it is let in");
    assert_eq!(agent.admission.waiting(), 1);
    agent.handle(now, Input::Command(Command::Ring { dialog, sdp: Some(b"v=0\r\n".to_vec()) }));
    let mut refused = false;
    for _ in 0..50 {
        let Some((at, _)) = agent.poll_timeout().filter(|_| !refused) else { break };
        now = at.max(now);
        agent.handle(now, Input::Timeout);
        refused |= outcome(&mut agent).0.iter().any(|s| s.starts_with("SIP/2.0 504 "));
    }
    assert!(refused, "given up");
    assert_eq!(agent.admission.waiting(), 0);
}

#[test]
fn calls_that_ring_elsewhere_keep_no_other_out() {
    let (mut agent, mut now) = agent();
    let mut ringing = Vec::new();
    for n in 0..300 {
        let (_, dialog) = call(&mut agent, now, n, "");
        let dialog = dialog.unwrap_or_else(|| panic!("call {n} is let in"));
        agent.handle(now, Input::Command(Command::WaitForOthers { dialog }));
        ringing.push(dialog);
        // Counted anew now and then.
        now += Duration::from_millis(20);
    }
    assert_eq!(agent.admission.waiting(), 0);
    for dialog in ringing {
        agent.handle(now, Input::Command(Command::Answer { dialog, sdp: b"v=0\r\n".to_vec() }));
        outcome(&mut agent);
    }
    let (_, waits) = call(&mut agent, now, 301, "");
    assert!(waits.is_some());
    assert_eq!(agent.admission.waiting(), 1, "none was counted twice");
}

#[test]
fn a_place_that_a_fault_cost_comes_back_although_others_are_answered_all_the_time() {
    let (mut agent, mut now) = agent();
    // Nobody of these waits, as far as the table of calls knows.
    agent.admission.counted(50);
    for n in 0..20 {
        now += Duration::from_millis(10);
        let (_, dialog) = call(&mut agent, now, n, "");
        let dialog = dialog.expect("it is let in");
        now += Duration::from_millis(600);
        agent.handle(now, Input::Command(Command::Reject { dialog, status: 486, headers: Vec::new() }));
        outcome(&mut agent);
    }
    assert_eq!(agent.admission.waiting(), 0);
}

#[test]
fn in_a_flood_copies_of_calls_that_are_in_and_odd_messages_get_what_they_always_get() {
    let (mut agent, now) = agent();
    let (first, dialog) = call(&mut agent, now, 0, "");
    let dialog = dialog.expect("it is let in");
    let mut n = 0;
    let refused = loop {
        n += 1;
        let (sent, told) = call(&mut agent, now, n, "");
        if told.is_none() {
            break sent;
        }
    };
    assert_eq!(refused.len(), 1);
    assert!(refused[0].starts_with("SIP/2.0 503 ") && refused[0].contains("\r\nRetry-After: 5\r\n"), "{refused:?}");
    assert!(refused[0].contains(&format!("branch=z9hG4bK{n}")) && refused[0].contains(&format!("Call-ID: c{n}\r\n")));
    let (again, told) = call(&mut agent, now, 0, "");
    assert_eq!((again, told), (first, None), "a copy of one that is in");
    let (folded, _) = call(&mut agent, now, n, "Subject: a\r\n b\r\n");
    assert_eq!(folded, refused, "read in full and refused all the same");
    let tag = refused[0].lines().find_map(|line| line.strip_prefix("To: ")).expect("it has one").to_owned();
    let ack = |n: usize, to: &str| {
        format!(
            "ACK sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKack{n}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@198.51.100.1>;tag=f{n}\r\nTo: {to}\r\nCall-ID: c{n}\r\n\
             CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
        )
    };
    agent.handle(now, Input::Received { flow: flow(), bytes: ack(n, &tag).into_bytes() });
    assert_eq!(outcome(&mut agent), (Vec::new(), None));
    // A call that is answered in the middle of it is acknowledged as ever.
    let sdp =
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n".to_vec();
    agent.handle(now, Input::Command(Command::Answer { dialog, sdp }));
    let (answered, _) = outcome(&mut agent);
    let tag = answered[0].lines().find_map(|line| line.strip_prefix("To: ")).expect("it has one").to_owned();
    while agent.admission.waiting() < 100 {
        n += 1;
        call(&mut agent, now, n, "");
    }
    let mut told = 0;
    agent.handle(now, Input::Received { flow: flow(), bytes: ack(0, &tag).into_bytes() });
    while let Some(output) = agent.poll_output() {
        told += usize::from(matches!(output, Output::Event(Event::Established { .. })));
    }
    assert_eq!(told, 1);
}

#[test]
fn what_a_flood_has_taken_is_given_back_when_it_is_forgotten() {
    let (mut agent, mut now) = agent();
    for n in 0..20_000 {
        let (_, dialog) = call(&mut agent, now, n, "");
        let dialog = dialog.expect("it is let in");
        agent.handle(now, Input::Command(Command::Reject { dialog, status: 486, headers: Vec::new() }));
        outcome(&mut agent);
    }
    assert!(agent.servers.capacity() >= 20_000);
    now += Duration::from_secs(60);
    while agent.load() != (0, 0) {
        agent.handle(now, Input::Timeout);
        outcome(&mut agent);
        now += Duration::from_secs(1);
    }
    for room in [agent.servers.capacity(), agent.server_keys.capacity(), agent.armed.capacity()] {
        assert!(room < 8_192, "{room}");
    }
}
