//! Operators at home: the real binary with its own certificate, SIPp as the caller, a Chromium with the console in a
//! network of its own, which changes in mid-call, stands behind routers, or lets no audio through but by a relay.
//! Who hears whom is proven by tones.

#![allow(dead_code, reason = "shared test support is used in part by each test binary")]

mod desk;
mod relay;

#[path = "../support/ear.rs"]
mod ear;
#[path = "../support/net.rs"]
mod net;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/seat.rs"]
mod seat;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/sipp.rs"]
mod sipp;
#[path = "../support/temp.rs"]
mod temp;
#[path = "../support/tones.rs"]
mod tones;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use desk::Desk;
use ear::{Ear, assert_hears};
use net::{DESK, Place};
use seat::Seat;

const CALLER_HZ: f64 = 600.0;
const OPERATOR_HZ: f64 = 1_000.0;
/// What the world sees of a desk behind a router.
const PUBLIC: &str = "203.0.113.7";

/// Browsers and media share few cores: one story runs at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn peers_are_there(test: &str) -> bool {
    ["sipp", "chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some())
}

/// Asserts that caller and operator hear each other and not themselves.
fn assert_they_talk(kim: &mut Seat, caller: &Ear) {
    caller.listen(0.5);
    let from = caller.mark();
    kim.assert_hears(&[CALLER_HZ], &[OPERATOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[OPERATOR_HZ], &[CALLER_HZ]);
}

#[test]
fn an_operator_whose_network_changes_in_mid_call_keeps_her_caller_and_her_form() {
    let test = "an_operator_whose_network_changes_in_mid_call_keeps_her_caller_and_her_form";
    let _turn = one_at_a_time();
    if !peers_are_there(test) || !net::inside(test) {
        return;
    }
    let (wifi, mobile) = ("10.77.1", "10.77.2");
    let home = Place::new();
    home.link("wifi", wifi);
    home.route_by(wifi);
    let desk = Desk::open(DESK, None, "");
    let mut kim = desk.seat(&home, DESK, OPERATOR_HZ);
    let caller = Ear::open(CALLER_HZ);
    let mut call = desk.dial(&caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    assert_they_talk(&mut kim, &caller);
    kim.act("fill", json!({ "answers": { "name": "Ann Archer" } }));

    assert_eq!(kim.act("path", json!({}))["address"], format!("{wifi}.2"));

    // From one moment to the next: nobody is told, and what was under way leads nowhere.
    home.link("mobile", mobile);
    home.route_by(mobile);
    home.leave("wifi");
    kim.act("expect_path", json!({ "address": format!("{mobile}.2") }));
    assert_they_talk(&mut kim, &caller);

    // And back, with no network at all for a moment.
    home.leave("mobile");
    home.come_back("wifi", wifi);
    home.route_by(wifi);
    kim.act("expect_path", json!({ "address": format!("{wifi}.2") }));
    assert_they_talk(&mut kim, &caller);
    kim.act("expect_state", json!({ "state": "talking" }));
    assert_eq!(kim.act("value", json!({ "field": "name" })), "Ann Archer");
    assert_eq!(desk.count_events("operator_lost"), 0);
    assert_eq!(desk.count_events("talking"), 1, "the same operator from first to last");

    // A network that stays away: she is told what goes on, and the caller is not left to wait for her.
    home.leave("wifi");
    let words = kim.act("expect_banner", json!({ "words": "Your connection to the telephone is being restored" }));
    assert!(words.as_str().is_some_and(|w| w.contains("The caller is still on the line")), "{words}");
    kim.act("screenshot", json!({ "name": "no-network-wide" }));
    kim.act("screenshot", json!({ "name": "no-network-narrow", "width": 800, "height": 900 }));
    assert_eq!(kim.act("axe", json!({})), json!([]));
    while desk.count_events("requeued") == 0 {
        assert_eq!(call.ended(), None, "the caller is let go:\n{}", call.tail());
        caller.listen(0.5);
    }
    assert_hears("the caller, waiting again", &caller.listen(2.0), &[], &[OPERATOR_HZ]);
}

#[test]
fn a_desk_behind_a_router_and_an_operator_behind_another_hear_each_other() {
    let test = "a_desk_behind_a_router_and_an_operator_behind_another_hear_each_other";
    let _turn = one_at_a_time();
    if !peers_are_there(test) || !net::inside(test) {
        return;
    }
    // Both routers in one: the desk's public address leads to the desk, and what she sends comes from other ports than hers.
    let home = Place::new();
    home.link("line", "10.77.1");
    home.route_by("10.77.1");
    home.run(
        "nft",
        &[&format!(
            "table ip nat {{\nchain out {{\ntype nat hook output priority -100\nip daddr {PUBLIC} dnat to {DESK}\n}}\n\
             chain post {{\ntype nat hook postrouting priority 100\noifname \"line\" masquerade random\n}}\n}}"
        )],
    );
    let desk = Desk::open(DESK, Some(PUBLIC), "");
    let mut kim = desk.seat(&home, PUBLIC, OPERATOR_HZ);
    let caller = Ear::open(CALLER_HZ);
    let call = desk.dial(&caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    assert_they_talk(&mut kim, &caller);
    assert_eq!(kim.act("offered", json!({})), json!([PUBLIC]));
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
}

#[test]
fn an_operator_whose_network_lets_no_udp_through_speaks_by_the_relay() {
    let test = "an_operator_whose_network_lets_no_udp_through_speaks_by_the_relay";
    let _turn = one_at_a_time();
    if !peers_are_there(test) || peers::find_program(test, "turnserver").is_none() || !net::inside(test) {
        return;
    }
    let relay = relay::Relay::start("north");
    let home = Place::new();
    home.link("wifi", "10.77.1");
    home.route_by("10.77.1");
    net::run(
        "nft",
        &[
            "table inet t {\nchain in {\ntype filter hook input priority 0\niifname \"wifi0\" meta l4proto udp drop\n}\n}",
        ],
    );
    let desk = Desk::open(DESK, None, &relay.section());
    let mut kim = desk.seat(&home, DESK, OPERATOR_HZ);
    let caller = Ear::open(CALLER_HZ);
    let call = desk.dial(&caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    assert_they_talk(&mut kim, &caller);
    let path: Value = kim.act("path", json!({}));
    assert_eq!((&path["type"], &path["relay"]), (&json!("relay"), &json!("tcp")), "{path}");
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
}
