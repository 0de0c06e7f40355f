//! Automated patches with the whole binary and real signalling: the on-call person accepts, refuses, or is a machine; the
//! caller hangs up meanwhile. Who hears whom is measured, in each half second.

use std::path::PathBuf;

use cordboard::domain::account::Patching;
use cordboard::domain::account::flow::Flow;
use cordboard::domain::account::patching::{AutoPatch, Unreached, Whom};

use crate::api::Api;
use crate::ear::{Ear, RATE, assert_hears};
use crate::house::{
    CALLER, PLUMBING, assert_heard, assert_not_heard, dial, find_call, finished_call, has_event, seconds, seed_changed,
    spoken,
};
use crate::server::{Server, scratch};
use crate::sipp::{Sipp, free_port};
use crate::{peers, wait_for};

const CALLER_HZ: f64 = 700.0;
const BEN_HZ: f64 = 1_000.0;

/// A demo whose plumber has callers put through to the technician on call.
fn seeded() -> PathBuf {
    let dir = scratch();
    seed_changed(&dir, "plumbing", |client| {
        let whom = vec![Whom::Role { role: "technician".into() }];
        client.account.hours.usual = Flow::Patch(AutoPatch { whom, speech: None, failed: Unreached::default() });
        client.account.patching = Patching { max_secs: Some(900) };
    });
    dir
}

struct Night {
    server: Server,
    ear: Ear,
    caller: Sipp,
}

fn can_run(test: &str) -> bool {
    ["sipp", "espeak-ng"].iter().all(|program| peers::find_program(test, program).is_some())
}

impl Night {
    /// The technician's telephone plays `scenario`, and the caller is on the way to it.
    fn begin(scenario: &str, ear: &Ear) -> (Self, Sipp) {
        let carrier = free_port();
        let server = Server::start_in(&seeded(), &["--carrier", &format!("127.0.0.1:{carrier}")], &[]);
        let ben = Sipp::start(scenario, "127.0.0.1:9", carrier, ear.port(), &[], &server.dir);
        let caller_ear = Ear::open(CALLER_HZ);
        let caller = dial(&server, "caller_on_cue", &caller_ear, PLUMBING, CALLER);
        (Self { server, ear: caller_ear, caller }, ben)
    }

    fn expect_event(&self, kind: &str) {
        wait_for(&format!("{kind} on record"), || {
            let (_, events) = find_call(&self.server.dir, CALLER)?;
            has_event(&events, kind).then_some(())
        });
    }
}

fn question(night: &Night) -> Vec<i16> {
    spoken(&night.server.dir, "A call for Imaginary Plumbing. To take it, press 1. To decline, press 2.")
}

#[test]
fn whoever_is_on_call_hears_whose_call_it_is_presses_one_and_is_connected() {
    if !can_run("an automated patch that is accepted") {
        return;
    }
    let ben_ear = Ear::open(BEN_HZ);
    let (night, ben) = Night::begin("callee", &ben_ear);
    night.expect_event("patch_answered");
    let question = question(&night);
    let heard = ben_ear.heard_since(0, seconds(&question) + 3.0);
    assert_heard("the question", &heard, &question);
    // The words to both are over, and neither hears the other.
    assert_hears("the contact", &heard[heard.len() - 3 * RATE / 2..], &[], &[CALLER_HZ]);
    let heard = night.ear.heard();
    assert_hears("the caller", &heard[heard.len() - 3 * RATE / 2..], &[], &[BEN_HZ]);
    ben_ear.press('1');
    night.expect_event("patch_joined");
    for (who, ear, wanted, unwanted) in
        [("the caller", &night.ear, BEN_HZ, CALLER_HZ), ("the contact", &ben_ear, CALLER_HZ, BEN_HZ)]
    {
        let heard = ear.listen(4.0);
        assert_hears(who, &heard[heard.len() / 2..], &[wanted], &[unwanted]);
    }
    let kim = Api::log_in(night.server.http, "kim");
    let call = kim.get("/api/v1/calls")["items"][0].clone();
    assert_eq!((&call["state"], &call["patch"]["state"]), (&"patched".into(), &"dropped".into()), "{call:#}");
    night.caller.cue();
    night.caller.expect_success();
    ben.expect_success();
    let (record, events) = finished_call(&night.server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "patched");
    let found = events.iter().find(|event| event.kind == "person_found").expect("who was on call");
    let why = found.body["why"].as_str().unwrap_or_default();
    assert!(why.starts_with("on call as technician: "), "{why}");
    let patches = kim.get(&format!("/api/v1/calls/{}/patches", record.id));
    let patch = &patches["items"][0];
    assert_eq!(
        (&patch["outcome"], &patch["automated"], &patch["why_them"]),
        (&"joined".into(), &true.into(), &why.into())
    );
    assert!(patch["secs"].as_u64().is_some_and(|secs| secs >= 4), "{patch:#}");
}

#[test]
fn whoever_presses_two_is_let_go_and_the_caller_waits_for_an_operator_with_nothing_of_them_heard() {
    if !can_run("an automated patch that is refused") {
        return;
    }
    let ben_ear = Ear::open(BEN_HZ);
    let (night, ben) = Night::begin("callee", &ben_ear);
    night.expect_event("patch_answered");
    ben_ear.listen(1.0);
    ben_ear.press('2');
    ben.expect_success();
    night.expect_event("patch_not_accepted");
    // The schedule has one technician on call: nobody else is rung.
    night.expect_event("nobody_reached");
    assert_not_heard("the question", &night.ear.heard(), &question(&night));
    let kim = Api::log_in(night.server.http, "kim");
    wait_for("the caller in the queue", || (kim.get("/api/v1/calls")["items"][0]["state"] == "queued").then_some(()));
    night.caller.cue();
    night.caller.expect_success();
    let (record, events) = finished_call(&night.server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "abandoned");
    let declined = events.iter().find(|event| event.kind == "patch_not_accepted").expect("that it was refused");
    assert_eq!(declined.body["declined"], true);
}

#[test]
fn a_caller_who_hangs_up_stops_the_ringing() {
    if !can_run("an automated patch whose caller hangs up") {
        return;
    }
    let ben_ear = Ear::open(0.0);
    let (night, ben) = Night::begin("callee_rings", &ben_ear);
    night.expect_event("patch_ringing");
    night.caller.cue();
    night.caller.expect_success();
    // The scenario ends by the CANCEL.
    ben.expect_success();
    let (record, _) = finished_call(&night.server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "abandoned");
}
