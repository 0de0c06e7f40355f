//! One operator's caller becomes another's, in two real browsers: parked and fetched, handed over after a talk between the two.
//! Who hears whom in every phase, and the form that goes along.

use serde_json::json;

use super::api::{Api, wait_for};
use super::ear::{Ear, assert_hears};
use super::seat::Seat;
use super::server::Server;
use super::{CALLER_HZ, COLLEAGUE_HZ, OPERATOR_HZ, dial, one_at_a_time, peers_are_there, quick_demo, sit_down};

/// Kim has the caller and has begun the form; it is kept on the server, so that it can go along.
fn with_a_caller(server: &Server, caller: &Ear) -> (Seat, super::Sipp) {
    let mut kim = sit_down("kim", OPERATOR_HZ, server);
    let call = dial("caller_on_cue", server, caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    kim.act("fill", json!({ "call_type": "Urgent", "answers": { "name": "Ann Archer", "address": "12 Elm" } }));
    (kim, call)
}

/// The form as the first operator left it, in front of the second.
fn has_the_form(seat: &mut Seat) {
    seat.act("expect_field", json!({ "field": "address" }));
    for (field, answer) in [("name", "Ann Archer"), ("address", "12 Elm")] {
        wait_for("what was typed before", || (seat.act("value", json!({ "field": field })) == answer).then_some(()));
    }
}

/// The second operator finishes what the first began, and it is one message on the account that was called.
fn is_taken_by(login: &str, seat: &mut Seat, server: &Server) {
    let answers =
        json!({ "callback": "+1 202 555 0190", "problem": "Leak", "message": "Water is coming through the ceiling." });
    seat.act("fill", json!({ "answers": answers }));
    seat.act("save", json!({}));
    seat.act("expect_dispatch", json!({ "text": "Ann Archer" }));
    let saved = Api::log_in(server.http, login).get("/api/v1/messages");
    let messages = saved["items"].as_array().expect("a list");
    assert_eq!(messages.len(), 1, "{saved}");
    assert_eq!(messages[0]["account"]["name"], "Imaginary Plumbing", "{saved}");
    assert_eq!(messages[0]["answers"]["address"], "12 Elm", "{saved}");
}

#[test]
fn a_parked_caller_hears_music_alone_and_is_fetched_with_the_form_by_another_operator() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_parked_caller_hears_music_alone_and_is_fetched_with_the_form_by_another_operator") {
        return;
    }
    let server = quick_demo();
    let caller = Ear::open(CALLER_HZ);
    let (mut kim, call) = with_a_caller(&server, &caller);
    kim.act("press", json!({ "key": "Shift+F4" }));
    kim.act("expect_words", json!({ "words": "Parked" }));
    caller.listen(0.5);
    let heard = caller.listen(2.0);
    assert_hears("the parked caller", &heard, &[], &[OPERATOR_HZ, CALLER_HZ]);
    assert!(heard.iter().any(|sample| sample.unsigned_abs() > 300), "there is music");

    let mut lee = sit_down("lee", COLLEAGUE_HZ, &server);
    lee.act("press", json!({ "key": "Shift+F2" }));
    lee.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    caller.listen(0.5);
    let from = caller.mark();
    lee.assert_hears(&[CALLER_HZ], &[OPERATOR_HZ, COLLEAGUE_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[COLLEAGUE_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    has_the_form(&mut lee);
    is_taken_by("lee", &mut lee, &server);
    call.cue();
    call.expect_success();
}

#[test]
fn a_caller_is_handed_over_after_a_talk_that_they_did_not_hear() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_caller_is_handed_over_after_a_talk_that_they_did_not_hear") {
        return;
    }
    let server = quick_demo();
    let caller = Ear::open(CALLER_HZ);
    let (mut kim, call) = with_a_caller(&server, &caller);
    let mut lee = sit_down("lee", COLLEAGUE_HZ, &server);
    kim.act("give", json!({ "to": "Lee", "first": true }));
    kim.act("expect_words", json!({ "words": "are private" }));

    // The two talk; the caller hears music.
    caller.listen(0.5);
    let from = caller.mark();
    kim.assert_hears(&[COLLEAGUE_HZ], &[CALLER_HZ, OPERATOR_HZ], 3);
    lee.assert_hears(&[OPERATOR_HZ], &[CALLER_HZ, COLLEAGUE_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[], &[OPERATOR_HZ, COLLEAGUE_HZ, CALLER_HZ]);
    lee.act("expect", json!({ "selector": ".asked", "words": "The caller hears music and neither of you." }));
    lee.act("screenshot", json!({ "name": "asked" }));

    // All together: three hear each other.
    kim.act("press", json!({ "key": "Alt+c" }));
    kim.act("expect_words", json!({ "words": "all hear each other" }));
    // The colleague reads who hears whom, and what is said for this client.
    lee.act("expect", json!({ "selector": ".asked", "words": "You, Kim Arden and the caller hear each other." }));
    lee.act("expect", json!({ "selector": ".phrase", "words": "Imaginary Plumbing" }));
    caller.listen(0.5);
    let from = caller.mark();
    kim.assert_hears(&[COLLEAGUE_HZ, CALLER_HZ], &[OPERATOR_HZ], 3);
    lee.assert_hears(&[OPERATOR_HZ, CALLER_HZ], &[COLLEAGUE_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[OPERATOR_HZ, COLLEAGUE_HZ], &[CALLER_HZ]);

    // Handed over: the caller and the colleague, and nobody else.
    kim.act("press", json!({ "key": "Shift+F9" }));
    lee.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    caller.listen(0.5);
    let from = caller.mark();
    lee.assert_hears(&[CALLER_HZ], &[OPERATOR_HZ, COLLEAGUE_HZ], 3);
    assert_hears("the caller", &caller.heard_since(from, 3.0), &[COLLEAGUE_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    has_the_form(&mut lee);
    is_taken_by("lee", &mut lee, &server);
    call.cue();
    call.expect_success();
}
