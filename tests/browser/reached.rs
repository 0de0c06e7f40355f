//! An automated patch and the operator it may need: whoever is on call declines and the caller is hers; or accepts, and a star
//! brings her to the two. SIPp is the on-call phone, Chromium her desk.

use serde_json::json;

use super::api::{Api, wait_for};
use super::ear::{Ear, assert_hears};
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::{CALLER_HZ, CONTACT_HZ, OPERATOR_HZ, dial, one_at_a_time, peers, peers_are_there};
use super::{quick_demo_with_carrier, sit_down};

/// Callers of the plumbers are put through to the technician on call, by the account's page.
fn puts_callers_through(server: &Server) {
    const PATH: &str = "/api/v1/accounts/acc_plumbing";
    let admin = Api::log_in(server.http, "admin");
    let account = admin.get(PATH);
    let whom = json!([{ "by": "role", "role": "technician" }]);
    let flow =
        json!({ "edition": account["edition"], "menus": [], "hours": { "usual": { "kind": "patch", "whom": whom } } });
    let (status, refused) = admin.put(&format!("{PATH}/flow"), &flow);
    assert_eq!(status, 200, "{refused}");
}

fn can_run(test: &str) -> bool {
    peers_are_there(test) && peers::find_program(test, "espeak-ng").is_some()
}

/// The caller was greeted, the contact has answered and hears the question, whose end need not be waited for.
fn is_asked(server: &Server, contact: &Ear) {
    let kims = Api::log_in(server.http, "kim");
    wait_for("the contact to be asked", || {
        (kims.get("/api/v1/calls")["items"][0]["patch"]["state"] == "asked").then_some(())
    });
    contact.listen(1.0);
}

/// The contact answers, presses this or nothing, and is let go; the operator has the caller.
fn is_left_to_the_operator(test: &str, key: Option<char>) {
    let _turn = one_at_a_time();
    if !can_run(test) {
        return;
    }
    let phone_port = free_port();
    let server = quick_demo_with_carrier(phone_port);
    puts_callers_through(&server);
    let contact = Ear::open(CONTACT_HZ);
    // Of the technician's two telephones whoever declines is asked at one.
    let calls = if key.is_some() { "1" } else { "2" };
    let phone = Sipp::start_with("callee", "127.0.0.1:9", phone_port, contact.port(), &[], &["-m", calls], &server.dir);
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller_on_cue", &server, &caller);
    is_asked(&server, &contact);
    if let Some(key) = key {
        contact.press(key);
    }
    phone.expect_success();
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    caller.listen(0.5);
    let from = caller.mark();
    kim.assert_hears(&[CALLER_HZ], &[CONTACT_HZ, OPERATOR_HZ], 2);
    assert_hears("the caller", &caller.heard_since(from, 2.0), &[OPERATOR_HZ], &[CONTACT_HZ, CALLER_HZ]);
    call.cue();
    call.expect_success();
}

#[test]
fn whoever_declines_an_automated_patch_leaves_the_caller_to_the_operator() {
    is_left_to_the_operator("whoever_declines_an_automated_patch_leaves_the_caller_to_the_operator", Some('2'));
}

#[test]
fn so_does_whoever_answers_and_presses_nothing() {
    is_left_to_the_operator("so_does_whoever_answers_and_presses_nothing", None);
}

#[test]
fn a_star_brings_the_operator_to_the_two_whom_nobody_connected_by_hand() {
    let _turn = one_at_a_time();
    if !can_run("a_star_brings_the_operator_to_the_two_whom_nobody_connected_by_hand") {
        return;
    }
    let phone_port = free_port();
    let server = quick_demo_with_carrier(phone_port);
    puts_callers_through(&server);
    let contact = Ear::open(CONTACT_HZ);
    let phone = Sipp::start("callee", "127.0.0.1:9", phone_port, contact.port(), &[], &server.dir);
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller_on_cue", &server, &caller);
    is_asked(&server, &contact);
    contact.press('1');
    let kims = Api::log_in(server.http, "kim");
    wait_for("the two to be joined", || {
        (kims.get("/api/v1/calls")["items"][0]["patch"]["state"] == "dropped").then_some(())
    });
    // They hear each other once the words to both are over.
    caller.listen(1.5);
    let from = contact.mark();
    assert_hears("the caller", &caller.listen(2.0), &[CONTACT_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    assert_hears("the contact", &contact.heard_since(from, 2.0), &[CALLER_HZ], &[OPERATOR_HZ, CONTACT_HZ]);

    contact.press('*');
    kim.act("expect_patch", json!({ "state": "joined" }));
    // Whoever pressed it hears to its end that an operator is called, even if she is there before.
    contact.listen(4.0);
    let (from_caller, from_contact) = (caller.mark(), contact.mark());
    kim.assert_hears(&[CALLER_HZ, CONTACT_HZ], &[OPERATOR_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from_caller, 3.0), &[OPERATOR_HZ, CONTACT_HZ], &[CALLER_HZ]);
    assert_hears("the contact", &contact.heard_since(from_contact, 3.0), &[OPERATOR_HZ, CALLER_HZ], &[CONTACT_HZ]);

    // With each alone: the other hears music.
    kim.act("press", json!({ "key": "Alt+b" }));
    kim.act("expect_patch", json!({ "state": "held" }));
    contact.listen(0.5);
    let (from_caller, from_contact) = (caller.mark(), contact.mark());
    kim.assert_hears(&[CALLER_HZ], &[CONTACT_HZ, OPERATOR_HZ], 2);
    assert_hears("the caller", &caller.heard_since(from_caller, 2.0), &[OPERATOR_HZ], &[CONTACT_HZ, CALLER_HZ]);
    assert_hears("the contact on hold", &contact.heard_since(from_contact, 2.0), &[], &[OPERATOR_HZ, CALLER_HZ]);
    kim.act("press", json!({ "key": "F9" }));
    kim.act("expect_patch", json!({ "state": "joined" }));
    kim.act("press", json!({ "key": "Alt+p" }));
    kim.act("expect_patch", json!({ "state": "private" }));
    caller.listen(0.5);
    let (from_caller, from_contact) = (caller.mark(), contact.mark());
    kim.assert_hears(&[CONTACT_HZ], &[CALLER_HZ, OPERATOR_HZ], 2);
    assert_hears("the caller on hold", &caller.heard_since(from_caller, 2.0), &[], &[OPERATOR_HZ, CONTACT_HZ]);
    assert_hears("the contact", &contact.heard_since(from_contact, 2.0), &[OPERATOR_HZ], &[CALLER_HZ, CONTACT_HZ]);
    call.cue();
    call.expect_success();
    kim.act("press", json!({ "key": "Shift+F8" }));
    phone.expect_success();
}
