//! The supervisor's floor in a real browser: she listens, whispers and barges, with who hears whom by tone; moves a call and sends
//! an operator home; and the row that has the focus keeps it.

use serde_json::json;

use super::api::wait_for;
use super::ear::{Ear, assert_hears};
use super::seat::Seat;
use super::server::Server;
use super::sipp::free_port;
use super::{CALLER_HZ, OPERATOR_HZ, dial, one_at_a_time, peers, peers_are_there, quick_demo, sit_down};

const SUPERVISOR_HZ: f64 = 1_300.0;
const COLLEAGUE_HZ: f64 = 2_100.0;

#[test]
fn a_supervisor_listens_whispers_barges_and_leaves_unnoticed_moves_the_call_and_sends_an_operator_home() {
    let _turn = one_at_a_time();
    let test = "a_supervisor_listens_whispers_barges_and_leaves_unnoticed_moves_the_call_and_sends_an_operator_home";
    if !peers_are_there(test) {
        return;
    }
    let server = quick_demo();
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    // Not ready for calls, and not having to be.
    let mut sam = Seat::open(server.http, SUPERVISOR_HZ, &server.dir);
    sam.act("log_in", json!({ "login": "sam" }));
    sam.act("open_floor", json!({}));

    sam.act("listen", json!({ "account": "Imaginary Plumbing", "key": "l" }));
    sam.act("expect_listening", json!({ "mode": "monitor", "words": "Nobody hears you." }));
    let from = caller.mark();
    sam.assert_hears(&[CALLER_HZ, OPERATOR_HZ], &[SUPERVISOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[OPERATOR_HZ], &[SUPERVISOR_HZ, CALLER_HZ]);
    kim.assert_hears(&[CALLER_HZ], &[SUPERVISOR_HZ, OPERATOR_HZ], 3);
    assert_eq!(sam.act("judge", json!({ "name": "floor-listening" })), json!([]));

    sam.act("press", json!({ "key": "w" }));
    sam.act("expect_listening", json!({ "mode": "whisper", "words": "hears you, nobody else." }));
    caller.listen(1.5);
    let from = caller.mark();
    kim.assert_hears(&[CALLER_HZ, SUPERVISOR_HZ], &[OPERATOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[OPERATOR_HZ], &[SUPERVISOR_HZ, CALLER_HZ]);

    sam.act("press", json!({ "key": "b" }));
    sam.act("expect_listening", json!({ "mode": "barge", "words": "hear you." }));
    caller.listen(1.5);
    let from = caller.mark();
    kim.assert_hears(&[CALLER_HZ, SUPERVISOR_HZ], &[OPERATOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[OPERATOR_HZ, SUPERVISOR_HZ], &[CALLER_HZ]);
    sam.assert_hears(&[CALLER_HZ, OPERATOR_HZ], &[SUPERVISOR_HZ], 2);

    sam.act("press", json!({ "key": "Escape" }));
    sam.act("expect_not_listening", json!({}));
    caller.listen(1.5);
    assert_hears("the caller", &caller.listen(2.0), &[OPERATOR_HZ], &[SUPERVISOR_HZ, CALLER_HZ]);
    kim.act("expect_state", json!({ "state": "talking" }));
    kim.act("fill", json!({ "answers": { "name": "Ann Archer" } }));
    is_moved_by_keys(&mut sam, &mut kim, &caller, &server);
    call.expect_success();
}

/// The caller goes to Lee, and Lee goes home after it.
fn is_moved_by_keys(sam: &mut Seat, kim: &mut Seat, caller: &Ear, server: &Server) {
    let mut lee = sit_down("lee", COLLEAGUE_HZ, server);
    sam.act("expect", json!({ "selector": ".seat.ready", "words": "Lee Sandoval" }));
    sam.act("hand_goes_to", json!({ "name": "Move Kim Arden's call" }));
    // The first on the way to the second: nobody is moved yet.
    sam.act("press", json!({ "key": "ArrowDown" }));
    sam.act("expect", json!({ "selector": "button", "words": "Move to the head of the queue" }));
    sam.act("press", json!({ "key": "ArrowDown" }));
    sam.act("expect", json!({ "selector": "button", "words": "Move to Lee Sandoval" }));
    kim.act("expect_state", json!({ "state": "talking" }));
    sam.act("press", json!({ "key": "Enter" }));
    lee.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    lee.act("expect", json!({ "selector": ".why", "words": "Sam Whitaker" }));
    caller.listen(0.5);
    let from = caller.mark();
    lee.assert_hears(&[CALLER_HZ], &[OPERATOR_HZ, SUPERVISOR_HZ, COLLEAGUE_HZ], 2);
    assert_hears("the caller", &caller.heard_since(from, 2.0), &[COLLEAGUE_HZ], &[OPERATOR_HZ, SUPERVISOR_HZ]);
    wait_for("the form that Kim began", || {
        (lee.act("value", json!({ "field": "name" })) == "Ann Archer").then_some(())
    });

    // Lee is sent home: the talk goes on to its end, and the log-in page comes after it.
    sam.act("hand_goes_to", json!({ "name": "Log out Lee Sandoval" }));
    sam.act("press", json!({ "key": "Enter" }));
    sam.act("expect", json!({ "selector": ".notice", "words": "Lee Sandoval is logged out after this call." }));
    lee.act("expect_state", json!({ "state": "talking" }));
    lee.act("press", json!({ "key": "F10" }));
    lee.act("expect", json!({ "selector": ".wrap", "words": "The call is over" }));
    lee.act("press", json!({ "key": "Control+ArrowDown" }));
    lee.act("expect", json!({ "selector": ".reason", "words": "Sam Whitaker logged you out." }));
}

#[test]
fn the_row_of_the_floor_that_has_the_focus_keeps_it_whatever_moves() {
    let _turn = one_at_a_time();
    let test = "the_row_of_the_floor_that_has_the_focus_keeps_it_whatever_moves";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/floor.mjs");
    let mut watch = std::process::Command::new("node");
    let watched = watch.arg(script).arg(free_port().to_string()).output().expect("node was found");
    let words = String::from_utf8_lossy(&watched.stderr);
    assert!(watched.status.success(), "{words}");
    assert_eq!(String::from_utf8_lossy(&watched.stdout).trim(), "[]", "{words}");
}
