//! Callers of a running demo: the greeting in their ear, a number that nobody has, no operator, hanging up.

use crate::api::Api;
use crate::ear::{Ear, RATE, best_correlation};
use crate::house::{CALLER, PLUMBING, assert_heard, dial, finished_call, has_event, recorded, seconds, seed_changed};
use crate::server::{Server, scratch};
use crate::{peers, wait_for};

/// The state of the live call of `caller`.
fn state_of(api: &Api, caller: &str) -> Option<String> {
    let calls = api.get("/api/v1/calls");
    let call = calls["items"].as_array()?.iter().find(|call| call["caller"] == caller)?.clone();
    call["state"].as_str().map(str::to_owned)
}

#[test]
fn the_caller_hears_the_greeting_from_its_first_moment_and_waits_in_the_queue() {
    if peers::find_program("the greeting", "sipp").is_none() {
        return;
    }
    let server = Server::start();
    let api = Api::log_in(server.http, "kim");

    let nobody = Ear::open(0.0);
    let refused = dial(&server, "caller_404", &nobody, "+12025550199", "+12025550191");

    let ear = Ear::open(0.0);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    let greeting = recorded("plumbing");
    let heard = ear.heard_since(0, seconds(&greeting) + 2.0);
    let at = assert_heard("the greeting", &heard, &greeting);
    let first = &greeting[..RATE / 5];
    let (correlation, _) = best_correlation(&heard[at..at + first.len()], first);
    assert!(correlation >= 0.9, "the greeting's first 200 ms were not heard: correlation {correlation:.2}");

    wait_for("the call in the queue", || (state_of(&api, CALLER)? == "queued").then_some(()));
    call.cue();
    call.expect_success();
    let (record, events) = finished_call(&server.dir, CALLER);
    let end = record.end.expect("it is finished");
    assert_eq!((end.outcome.as_str(), end.answered_at), ("abandoned", None));
    assert_eq!(record.did.expect("a call in has one").as_e164(), PLUMBING);
    let gone = events.iter().find(|event| event.kind == "caller_gone").expect("the caller hung up");
    assert_eq!(gone.body["stage"], "queued");
    assert!(has_event(&events, "greeting_ended") && has_event(&events, "queued"), "{events:?}");
    wait_for("the call gone from the desk", || state_of(&api, CALLER).is_none().then_some(()));

    refused.expect_success();
    assert_eq!(nobody.mark(), 0, "a caller of no account's number heard something");
}

#[test]
fn a_caller_who_hangs_up_during_the_greeting_is_recorded_as_such() {
    if peers::find_program("hanging up in the greeting", "sipp").is_none() {
        return;
    }
    let server = Server::start();
    let ear = Ear::open(0.0);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    ear.heard_since(0, 0.5);
    call.cue();
    call.expect_success();
    let (record, events) = finished_call(&server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "abandoned");
    let gone = events.iter().find(|event| event.kind == "caller_gone").expect("the caller hung up");
    assert_eq!(gone.body["stage"], "greeting");
    assert!(has_event(&events, "greeting_started") && !has_event(&events, "queued"), "{events:?}");
}

#[test]
fn with_no_operator_in_time_the_caller_hears_the_apology_and_every_desk_an_alarm() {
    if peers::find_program("no operator", "sipp").is_none() {
        return;
    }
    let dir = scratch();
    seed_changed(&dir, "plumbing", |client| client.account.max_wait_secs = 1);
    let server = Server::start_in(&dir, &[], &[]);
    let api = Api::log_in(server.http, "kim");
    let feed = api.feed();
    let ear = Ear::open(0.0);
    let call = dial(&server, "caller", &ear, PLUMBING, CALLER);
    // The service hangs up.
    call.expect_success();
    let heard = ear.heard();
    let greeting = recorded("plumbing");
    let at = assert_heard("the greeting", &heard[..heard.len().min(greeting.len() + RATE)], &greeting);
    assert_heard("the apology", &heard[at + greeting.len()..], &recorded("apology"));
    let (record, events) = finished_call(&server.dir, CALLER);
    let end = record.end.expect("it is finished");
    assert_eq!((end.outcome.as_str(), end.answered_at), ("abandoned", None));
    assert!(has_event(&events, "apology_started"), "{events:?}");

    let alarm = wait_for("the alarm on the feed", || feed.find("alarm"))["alarm"].clone();
    assert_eq!(alarm["level"], "critical");
    assert!(alarm["text"].as_str().expect("an alarm is a sentence").contains("Imaginary Plumbing"), "{alarm}");
    // A console that comes later sees it too.
    let later = Api::log_in(server.http, "lee").feed().find("hello").expect("a feed says hello");
    assert!(later["alarms"].as_array().is_some_and(|all| all.iter().any(|a| a["id"] == alarm["id"])), "{later}");
}
