//! The main job with real peers: SIPp as the caller and as the on-call phone, a headless Chromium with the real
//! console as the operator, the real binary between them. Who hears whom is proven by tones: each party
//! speaks a sine of its own.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

mod accounts;
#[path = "../support/api.rs"]
mod api;
mod calendar;
mod cut_off;
#[path = "../support/ear.rs"]
mod ear;
mod floor;
mod forms;
mod handing;
mod hour;
#[path = "../sipp/house.rs"]
mod house;
mod inbox;
mod jobs;
mod keys;
mod menus;
#[path = "../support/peers.rs"]
mod peers;
mod portal;
mod protocols;
mod reached;
mod read_out;
#[path = "../support/seat.rs"]
mod seat;
#[path = "../support/server.rs"]
mod server;
mod shift;
#[path = "../support/sipp.rs"]
mod sipp;
#[path = "../support/tones.rs"]
mod tones;
mod voicemail;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use cordboard::demo::Client;
use cordboard::domain::account::Speech;

use api::{Api, wait_for};
use ear::{Ear, assert_hears};
use seat::Seat;
use server::Server;
use sipp::{Sipp, free_port};

const PLUMBING: &str = "+12025550102";
const CALLER: &str = "+12025550190";

/// What a join may cost anybody, in the time of the sound itself.
const JOIN_GAP_MS: usize = 40;

const CALLER_HZ: f64 = 600.0;
const OPERATOR_HZ: f64 = 1_000.0;
const CONTACT_HZ: f64 = 1_700.0;
const COLLEAGUE_HZ: f64 = 1_300.0;

fn peers_are_there(test: &str) -> bool {
    ["sipp", "chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some())
}

fn dial(scenario: &str, server: &Server, ear: &Ear) -> Sipp {
    let target = format!("127.0.0.1:{}", server.sip);
    Sipp::start(scenario, &target, free_port(), ear.port(), &[("did", PLUMBING), ("caller", CALLER)], &server.dir)
}

/// Browsers and media share few cores: one story runs at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The demo with a greeting of two seconds in place of the plumbers' ten, which nobody here listens to.
fn quick_demo() -> Server {
    changed_demo(&[], |_| {})
}

/// The same; its calls out go to SIPp at 127.0.0.1:`port` instead of the sandbox's phones.
fn quick_demo_with_carrier(port: u16) -> Server {
    changed_demo(&["--carrier", &format!("127.0.0.1:{port}")], |_| {})
}

/// The same, with the plumbers changed before it starts.
fn changed_demo(arguments: &[&str], change: impl FnOnce(&mut Client)) -> Server {
    let dir = server::scratch();
    house::seed_changed(&dir, "plumbing", |client| {
        client.account.greeting = Speech::Recorded { prompt: "moment".to_owned() };
        change(client);
    });
    Server::start_in(&dir, arguments, &[])
}

/// An operator who is ready for calls.
fn sit_down(login: &str, voice_hz: f64, server: &Server) -> Seat {
    let mut seat = Seat::open(server.http, voice_hz, &server.dir);
    seat.act("log_in", json!({ "login": login }));
    seat.act("get_ready", json!({}));
    seat
}

#[test]
fn caller_and_operator_hear_each_other_and_not_themselves() {
    let _turn = one_at_a_time();
    if !peers_are_there("caller_and_operator_hear_each_other_and_not_themselves") {
        return;
    }
    let server = quick_demo();
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);

    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));

    let from = caller.mark();
    kim.assert_hears(&[CALLER_HZ], &[OPERATOR_HZ], 10);
    assert_hears("the caller", &caller.heard_since(from, 10.0), &[OPERATOR_HZ], &[CALLER_HZ]);

    kim.act("press", json!({ "key": "F4" }));
    kim.act("expect_state", json!({ "state": "held" }));
    // Whom she does not hear, no key cuts off.
    kim.act("press", json!({ "key": "F10" }));
    caller.listen(0.5);
    assert_hears("the caller on hold", &caller.listen(2.0), &[], &[OPERATOR_HZ, CALLER_HZ]);
    kim.act("press", json!({ "key": "F4" }));
    kim.act("expect_state", json!({ "state": "talking" }));
    caller.listen(0.5);
    assert_hears("the caller back from hold", &caller.listen(2.0), &[OPERATOR_HZ], &[CALLER_HZ]);

    kim.act(
        "fill",
        json!({ "call_type": "Urgent", "answers": {
            "name": "Ann Archer", "callback": "+1 202 555 0190", "address": "12 Elm Street", "problem": "Leak", "message": "Water is coming through the ceiling." } }),
    );
    kim.act("save", json!({}));
    kim.act("expect_dispatch", json!({ "text": "Ann Archer" }));
    kim.act("screenshot", json!({ "name": "after-save" }));
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
}

#[test]
fn a_warm_patch_lets_each_party_hear_just_whom_it_should_in_every_phase() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_warm_patch_lets_each_party_hear_just_whom_it_should_in_every_phase") {
        return;
    }
    // The on-call phone: calls out of this demo go to SIPp instead of the sandbox's phones.
    let phone_port = free_port();
    let server = quick_demo_with_carrier(phone_port);
    let contact = Ear::open(CONTACT_HZ);
    let phone = Sipp::start("callee", "127.0.0.1:9", phone_port, contact.port(), &[], &server.dir);

    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller_on_cue", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));

    // Announce: operator and contact are private, the caller hears music.
    kim.act("patch", json!({}));
    kim.act("expect_patch", json!({ "state": "private" }));
    caller.listen(0.5);
    let (from_caller, from_contact) = (caller.mark(), contact.mark());
    kim.assert_hears(&[CONTACT_HZ], &[CALLER_HZ, OPERATOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from_caller, 3.0), &[], &[OPERATOR_HZ, CONTACT_HZ, CALLER_HZ]);
    assert_hears("the contact", &contact.heard_since(from_contact, 3.0), &[OPERATOR_HZ], &[CALLER_HZ, CONTACT_HZ]);

    // Join: all three.
    let at_join = (caller.mark(), contact.mark());
    kim.act("press", json!({ "key": "F9" }));
    kim.act("expect_patch", json!({ "state": "joined" }));
    caller.listen(0.5);
    let (from_caller, from_contact) = (caller.mark(), contact.mark());
    kim.assert_hears(&[CALLER_HZ, CONTACT_HZ], &[OPERATOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from_caller, 3.0), &[OPERATOR_HZ, CONTACT_HZ], &[CALLER_HZ]);
    assert_hears("the contact", &contact.heard_since(from_contact, 3.0), &[OPERATOR_HZ, CALLER_HZ], &[CONTACT_HZ]);
    for (who, ear, from) in [("caller", &caller, at_join.0), ("contact", &contact, at_join.1)] {
        let gap = ear.longest_silence_since(from);
        assert!(gap <= JOIN_GAP_MS, "the {who} heard nothing for {gap} ms around the join");
        println!("around the join the {who} heard nothing for {gap} ms at most");
    }

    // Drop off: two remain, without the operator.
    kim.act("press", json!({ "key": "Shift+F9" }));
    kim.act("expect_patch", json!({ "state": "dropped" }));
    caller.listen(0.5);
    assert_hears("the caller", &caller.listen(3.0), &[CONTACT_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    assert_hears("the contact", &contact.listen(3.0), &[CALLER_HZ], &[OPERATOR_HZ, CONTACT_HZ]);

    // The operator is there for the next call; the two talk on until one of them hangs up.
    kim.act("end_patched_call", json!({}));
    kim.act("expect_ready", json!({}));
    assert_hears("the caller, the operator at the next call", &caller.listen(1.0), &[CONTACT_HZ], &[OPERATOR_HZ]);

    // The caller hangs up: the contact is let go as well.
    call.cue();
    call.expect_success();
    phone.expect_success();
}

#[test]
fn a_page_loaded_anew_in_mid_call_does_not_keep_its_caller_from_the_next_operator() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_page_loaded_anew_in_mid_call_does_not_keep_its_caller_from_the_next_operator") {
        return;
    }
    let server = quick_demo();
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    let mut lee = sit_down("lee", COLLEAGUE_HZ, &server);
    kim.act("reload", json!({}));
    lee.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    caller.listen(0.5);
    let from = caller.mark();
    lee.assert_hears(&[CALLER_HZ], &[COLLEAGUE_HZ], 2);
    assert_hears("the caller", &caller.heard_since(from, 2.0), &[COLLEAGUE_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    lee.act("press", json!({ "key": "F10" }));
    call.expect_success();
}

#[test]
fn a_contact_whose_telephones_are_all_busy_gives_the_caller_back_to_the_operator_at_once() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_contact_whose_telephones_are_all_busy_gives_the_caller_back_to_the_operator_at_once") {
        return;
    }
    let phone_port = free_port();
    let server = quick_demo_with_carrier(phone_port);
    let silent = Ear::open(0.0);
    // The technician's mobile, then the one at home.
    let both = ["-m", "2"];
    let phone = Sipp::start_with("callee_busy", "127.0.0.1:9", phone_port, silent.port(), &[], &both, &server.dir);
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let _call = dial("caller", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    kim.act("patch", json!({}));
    phone.expect_success();
    kim.act("expect_state", json!({ "state": "talking" }));
    caller.listen(0.5);
    assert_hears("the caller", &caller.listen(2.0), &[OPERATOR_HZ], &[CALLER_HZ]);
}

#[test]
fn a_caller_whose_operators_browser_dies_hears_music_and_then_the_next_operator() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_caller_whose_operators_browser_dies_hears_music_and_then_the_next_operator") {
        return;
    }
    let server = quick_demo();
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    caller.listen(0.5);
    assert_hears("the caller", &caller.listen(1.0), &[OPERATOR_HZ], &[CALLER_HZ]);

    kim.act("die", json!({}));
    let mut lee = sit_down("lee", COLLEAGUE_HZ, &server);
    lee.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    caller.listen(0.5);
    let from = caller.mark();
    lee.assert_hears(&[CALLER_HZ], &[COLLEAGUE_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[COLLEAGUE_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    lee.act("press", json!({ "key": "F10" }));
    call.expect_success();
}

#[test]
fn every_page_keeps_its_own_policy_and_can_be_read_by_everybody_and_in_a_narrow_window() {
    let _turn = one_at_a_time();
    let test = "every_page_keeps_its_own_policy_and_can_be_read_by_everybody_and_in_a_narrow_window";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let server = quick_demo();
    // Pages with something on them.
    let kim = Api::log_in(server.http, "kim");
    let answers =
        json!({ "name": "Ann Archer", "callback": "+12025550190", "address": "12 Elm Street", "problem": "Leak" });
    let body = json!({ "account": "acc_plumbing", "call_type": "ct_plumbing-urgent", "answers": answers });
    let (status, saved) = kim.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{saved}");
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/pages.mjs");
    let mut walk = std::process::Command::new("node");
    walk.arg(script).arg(format!("http://127.0.0.1:{}", server.http)).arg(saved["id"].as_str().expect("an id"));
    let walked = walk.output().expect("node was found");
    let words = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{words}");
    assert_eq!(String::from_utf8_lossy(&walked.stdout).trim(), "[]", "{words}");
}

#[test]
fn a_session_that_is_ended_elsewhere_leads_to_the_log_in_page_and_back() {
    let _turn = one_at_a_time();
    let test = "a_session_that_is_ended_elsewhere_leads_to_the_log_in_page_and_back";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/session.mjs");
    let mut watch = std::process::Command::new("node");
    let watched = watch.arg(script).arg(free_port().to_string()).output().expect("node was found");
    let words = String::from_utf8_lossy(&watched.stderr);
    assert!(watched.status.success(), "{words}");
    assert_eq!(String::from_utf8_lossy(&watched.stdout).trim(), "[]", "{words}");
}
