//! What carriers and callers do on day one, by SIPp. Against the trunk driver: early media, forked answers, reliable
//! provisional responses and an UPDATE before the answer, two changes at once. Against the whole binary: holds of all
//! kinds, packets of 10 to 60 ms, codecs and faxes that we refuse, forwarded lines, late offers.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cordboard::base::phone::PhoneNumber;
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{DialOut, LEG_EVENT_DEPTH, LegCommand, LegEvent};
use cordboard::engine::trunk::LegNumbers;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::api::Api;
use crate::ear::Ear;
use crate::house::{PLUMBING, find_call};
use crate::server::Server;
use crate::sipp::{Sipp, free_port};
use crate::{SDP, calls_in, peers, scenario, sipp as run_sipp, start, wait_for};

/// Calls out to a carrier that plays `name` and hangs up; how often each thing happened.
async fn calls_out(test: &str, name: &str, count: usize) -> Option<BTreeMap<&'static str, usize>> {
    peers::find_program(test, "sipp")?;
    let port = free_port();
    let (file, calls) = (scenario(name), count.to_string());
    let carrier = tokio::spawn(async move { run_sipp(&["-sf", &file, "-nd", "-m", &calls], port).await });
    let (trunk, _incoming) = start(([127, 0, 0, 1], port).into()).await;
    let to = PhoneNumber::parse("+12025550150").expect("a number");
    let legs = LegNumbers::default();
    let mut seen = BTreeMap::new();
    let mut heard = Vec::new();
    for _ in 0..count {
        let (events, receiver) = mpsc::channel(LEG_EVENT_DEPTH);
        let leg = legs.fresh();
        trunk.dial(leg, DialOut { to: to.clone(), caller_id: None, account: None }, SDP.to_vec(), events);
        heard.push((leg, receiver));
    }
    for (leg, mut events) in heard {
        while let Some(event) = timeout(Duration::from_secs(40), events.recv()).await.expect("in time") {
            let what = match event {
                LegEvent::EarlyMedia(_) => "early",
                LegEvent::Ringing => "ringing",
                LegEvent::Answered(sdp) => {
                    assert!(sdp.starts_with(b"v=0"), "answered without a description");
                    "answered"
                }
                LegEvent::Reoffered(Some(_)) => {
                    trunk.send(leg, LegCommand::AnswerReoffer(SDP.to_vec()));
                    "reoffered"
                }
                LegEvent::Ended(Cause::HungUp) => "hung up",
                LegEvent::Ended(cause) => panic!("it ended by {cause:?}"),
                _ => continue,
            };
            *seen.entry(what).or_default() += 1;
        }
    }
    if let Err(printed) = carrier.await.expect("SIPp's task lives") {
        panic!("SIPp's {name} failed:\n{printed}");
    }
    Some(seen)
}

#[tokio::test]
async fn what_a_carrier_plays_before_the_answer_is_heard_and_is_no_answer() {
    let Some(seen) = calls_out("early media", "trunk_early", 10).await else { return };
    assert_eq!(seen, BTreeMap::from([("early", 10), ("answered", 10), ("hung up", 10)]));
}

#[tokio::test]
async fn of_two_phones_that_answer_at_once_the_first_goes_on_and_the_second_is_hung_up() {
    let Some(seen) = calls_out("forked answers", "trunk_forks", 10).await else { return };
    assert_eq!((seen["answered"], seen["hung up"]), (10, 10), "{seen:?}");
}

#[tokio::test]
async fn reliable_responses_are_acknowledged_and_a_change_before_the_answer_is_answered() {
    let Some(seen) = calls_out("reliable responses to us", "trunk_reliable_out", 10).await else { return };
    assert_eq!((seen["early"], seen["reoffered"], seen["answered"], seen["hung up"]), (10, 10, 10, 10), "{seen:?}");
}

#[tokio::test]
async fn two_changes_at_once_are_one_too_many_and_the_other_goes_through() {
    // Half of the shortest session that there is passes before we refresh it.
    let Some(tally) = calls_in("glare", "trunk_glare", 3, true).await else { return };
    assert_eq!(tally.established.load(Ordering::SeqCst), 3);
    assert_eq!(tally.reoffers.load(Ordering::SeqCst), 0, "the change that crossed ours came through");
    assert_eq!(tally.hung_up.load(Ordering::SeqCst), 3);
}

fn call(server: &Server, scenario: &str, audio_port: u16, caller: &str, keys: &[(&str, &str)]) -> Sipp {
    let target = format!("127.0.0.1:{}", server.sip);
    let keys = [&[("did", PLUMBING), ("caller", caller)], keys].concat();
    Sipp::start(scenario, &target, free_port(), audio_port, &keys, &server.dir)
}

#[test]
fn callers_hold_fax_offer_late_and_send_what_packets_they_like_and_are_served() {
    if peers::find_program("what callers do", "sipp").is_none() {
        return;
    }
    let server = Server::start();
    std::thread::scope(|scope| {
        scope.spawn(|| call(&server, "caller_holds", Ear::open(0.0).port(), "+12025550180", &[]).expect_success());
        scope.spawn(|| call(&server, "caller_g729", 9, "+12025550181", &[]).expect_success());
        scope.spawn(|| is_greeted_after_a_fax_was_refused(&server));
    });
    std::thread::scope(|scope| {
        scope.spawn(|| is_greeted_after_a_late_offer(&server));
        scope.spawn(|| is_known_to_be_forwarded(&server));
    });
    std::thread::scope(|scope| {
        for (ptime, caller) in [(10, "+12025550184"), (30, "+12025550185"), (40, "+12025550186"), (60, "+12025550187")]
        {
            let server = &server;
            scope.spawn(move || gets_packets_of(ptime, server, caller));
        }
    });
}

fn is_greeted_after_a_fax_was_refused(server: &Server) {
    let ear = Ear::open(0.0);
    let caller = call(server, "caller_faxes", ear.port(), "+12025550182", &[]);
    caller.expect_success();
    // It went on for one and a half seconds after the refusal.
    assert!(ear.mark() >= 8_000, "only {} samples were heard", ear.mark());
}

fn is_greeted_after_a_late_offer(server: &Server) {
    let ear = Ear::open(0.0);
    let caller = call(server, "caller_late", ear.port(), "+12025550183", &[]);
    ear.heard_since(0, 1.0);
    caller.cue();
    caller.expect_success();
}

fn gets_packets_of(ptime: usize, server: &Server, number: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket takes a timeout");
    let port = socket.local_addr().expect("bound").port();
    let caller = call(server, "caller_ptime", port, number, &[("ptime", &ptime.to_string())]);
    let mut buffer = [0; 2_048];
    let mut last: Option<(u16, u32)> = None;
    for _ in 0..25 {
        let len = socket.recv(&mut buffer).unwrap_or_else(|e| panic!("ptime {ptime}: {e}"));
        assert_eq!((len, buffer[1] & 0x7f), (12 + ptime * 8, 0), "ptime {ptime}");
        let sequence = u16::from_be_bytes([buffer[2], buffer[3]]);
        let timestamp = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]);
        if let Some((before, then)) = last {
            assert_eq!(sequence, before.wrapping_add(1), "ptime {ptime}");
            assert_eq!(timestamp, then.wrapping_add(ptime as u32 * 8), "ptime {ptime}");
        }
        last = Some((sequence, timestamp));
    }
    caller.cue();
    caller.expect_success();
}

fn is_known_to_be_forwarded(server: &Server) {
    let number = "+12025550188";
    let ear = Ear::open(0.0);
    let caller = call(server, "caller_diverted", ear.port(), number, &[]);
    let api = Api::log_in(server.http, "kim");
    let line = wait_for("the call on the desk", || {
        let calls = api.get("/api/v1/calls");
        let found = calls["items"].as_array()?.iter().find(|call| call["caller"] == number)?;
        Some(found["forwarded_from"].clone())
    });
    assert_eq!(line, "+12025550160");
    ear.heard_since(0, 0.5);
    caller.cue();
    caller.expect_success();
    let (record, _) = wait_for("its record", || find_call(&server.dir, number));
    assert_eq!(record.forwarded_from.map(|line| line.as_e164().to_owned()).as_deref(), Some("+12025550160"));
}
