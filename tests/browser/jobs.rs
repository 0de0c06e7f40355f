//! A call that an operator makes for a dispatch, and the one who was asked rings back: offered, taken by one key, with the account's
//! number, free only when its outcome is said; then served before whoever waits, confirmed by one key, and joined with the
//! client's caller.

use std::path::PathBuf;

use serde_json::{Value, json};

use cordboard::domain::dispatch::protocol::Method;

use super::api::{Api, wait_for};
use super::ear::{Ear, assert_hears};
use super::house;
use super::seat::Seat;
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::sit_down;
use super::{CALLER, CALLER_HZ, CONTACT_HZ, OPERATOR_HZ, PLUMBING, changed_demo, one_at_a_time, peers_are_there};

const LAWYER: &str = "+12025550101";
const CLIENT: &str = "+12025550191";

/// Whoever is technician now: their name, and the number of their mobile.
fn on_call(api: &Api) -> (String, String) {
    let account = api.get("/api/v1/accounts/acc_plumbing");
    let name = account["on_call"][0]["contact"]["name"].as_str().expect("somebody is on call").to_owned();
    let contacts = account["contacts"].as_array().expect("contacts");
    let contact = contacts.iter().find(|contact| contact["name"] == name.as_str()).expect("one of them");
    let mobile = contact["destinations"].as_array().expect("destinations").iter().find(|d| d["label"] == "mobile");
    (name, mobile.expect("a mobile")["reach"]["address"].as_str().expect("a number").to_owned())
}

/// A telephone at `port` that answers, and what was said to it.
pub(super) fn phone_that_tells(port: u16, ear: &Ear, server: &Server) -> (Sipp, PathBuf) {
    let told = server.dir.join(format!("told-{}.log", ear.port()));
    let options = ["-trace_msg", "-message_file", told.to_str().expect("a path of ours is text")];
    (Sipp::start_with("callee", "127.0.0.1:9", port, ear.port(), &[], &options, &server.dir), told)
}

/// Who it was told is calling.
pub(super) fn shown_to(told: &PathBuf) -> String {
    let said = std::fs::read_to_string(told).expect("SIPp writes down what it is told");
    let from = said.lines().find(|line| line.starts_with("From:")).expect("a request says from whom it is");
    from.to_owned()
}

fn waiting(api: &Api) -> usize {
    let calls = api.get("/api/v1/calls");
    calls["items"].as_array().expect("a list").iter().filter(|call| call["state"] == "queued").count()
}

#[test]
fn an_operator_makes_a_dispatchs_call_and_whoever_rings_back_is_served_first_confirms_and_is_joined() {
    let _turn = one_at_a_time();
    let test = "an_operator_makes_a_dispatchs_call_and_whoever_rings_back_is_served_first_confirms_and_is_joined";
    if !peers_are_there(test) {
        return;
    }
    let carrier = free_port();
    let server = changed_demo(&["--carrier", &format!("127.0.0.1:{carrier}")], |plumber| {
        plumber.account.undo_secs = 1;
        let urgent = plumber.protocols.iter_mut().find(|p| p.name == "Urgent").expect("the plumbers' urgent one");
        urgent.steps.remove(0);
        urgent.steps[0].method = Method::OperatorCall { leave_message: true, then_machine: false };
    });
    let contact = Ear::open(CONTACT_HZ);
    let (phone, told) = phone_that_tells(carrier, &contact, &server);
    let kims = Api::log_in(server.http, "kim");
    let (name, mobile) = on_call(&kims);
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let answers = json!({ "name": "Ann Archer", "callback": CALLER, "address": "12 Elm Street", "problem": "Leak" });
    let body = json!({ "account": "acc_plumbing", "call_type": "ct_plumbing-urgent", "answers": answers });
    let (status, saved) = kims.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{saved}");
    let path = format!("/api/v1/messages/{}", saved["id"].as_str().expect("an id"));

    makes_the_call(&mut kim, &name, &contact);
    phone.expect_success();
    assert!(shown_to(&told).contains(PLUMBING), "the account's number is shown: {}", shown_to(&told));
    let left = wait_for("what came of it", || {
        let dispatch = kims.get(&path)["dispatch"].clone();
        dispatch["timeline"].to_string().contains("voicemail").then_some(dispatch)
    });
    assert_eq!(left["closed_at"], Value::Null, "a voicemail is nobody's yes: {left}");

    rings_back(&mut kim, &server, &kims, &name, &mobile);
    let dispatch = kims.get(&path)["dispatch"].clone();
    assert_eq!((&dispatch["state"], &dispatch["confirmed_by"]), (&json!("confirmed"), &json!(name)), "{dispatch}");
}

/// One key dials; the two talk; nothing else comes before she has said what came of it.
fn makes_the_call(kim: &mut Seat, name: &str, contact: &Ear) {
    kim.act("expect", json!({ "selector": ".band", "words": "A call to make" }));
    let whom = kim.act("expect", json!({ "selector": ".whom", "words": name }));
    assert!(whom.as_str().is_some_and(|words| words.contains("mobile")), "{whom}");
    assert_eq!(kim.act("judge", json!({ "name": "job" })), json!([]));
    kim.act("press", json!({ "key": "F2" }));
    kim.act("expect", json!({ "selector": ".band", "words": &format!("Talking with {name}") }));
    contact.listen(0.5);
    let from = contact.mark();
    kim.assert_hears(&[CONTACT_HZ], &[OPERATOR_HZ], 1);
    assert_hears("the contact", &contact.heard_since(from, 1.0), &[OPERATOR_HZ], &[CONTACT_HZ]);
    kim.act("press", json!({ "key": "F10" }));
    kim.act("expect", json!({ "selector": ".band", "words": "The talk is over" }));
    kim.act("press", json!({ "key": "Control+ArrowDown" }));
    kim.act("expect", json!({ "selector": ".notice", "words": "Say first what came of the call." }));
    kim.act("press", json!({ "key": "5" }));
    kim.act("expect_ready", json!({}));
}

/// While she talks, a client's caller comes to wait, and then whoever was asked.
fn rings_back(kim: &mut Seat, server: &Server, kims: &Api, name: &str, mobile: &str) {
    let (first, caller, contact) = (Ear::open(0.0), Ear::open(CALLER_HZ), Ear::open(CONTACT_HZ));
    let before = house::dial(server, "caller", &first, LAWYER, CLIENT);
    kim.act("expect_talking", json!({ "account": "Law Office of Harriet Vance" }));
    let client = house::dial(server, "caller_on_cue", &caller, PLUMBING, CALLER);
    wait_for("a caller who waits", || (waiting(kims) == 1).then_some(()));
    let back = house::dial(server, "caller", &contact, PLUMBING, mobile);
    kim.act("expect", json!({ "selector": ".waiting", "words": &format!("{name} rings back, waits") }));
    assert_eq!(waiting(kims), 2);
    kim.act("press", json!({ "key": "F10" }));
    kim.act("expect", json!({ "selector": ".wrap", "words": "The call is over" }));
    kim.act("press", json!({ "key": "Control+ArrowDown" }));
    before.expect_success();

    kim.act("expect", json!({ "selector": ".back", "words": &format!("{name} rings back") }));
    // What is to be read out, once it is there.
    kim.act("expect", json!({ "selector": ".back", "words": "12 Elm Street" }));
    kim.assert_hears(&[CONTACT_HZ], &[CALLER_HZ, OPERATOR_HZ], 1);
    assert_eq!(kim.act("judge", json!({ "name": "rings-back" })), json!([]));
    kim.act("press", json!({ "key": "Alt+y" }));
    kim.act("expect", json!({ "selector": ".back", "words": &format!("{name} has nothing open any more.") }));

    // The client's caller too, and one call of two.
    kim.act("press", json!({ "key": "F2" }));
    kim.act("expect", json!({ "selector": ".facts", "words": "190" }));
    kim.act("expect_state", json!({ "state": "talking" }));
    contact.listen(0.5);
    kim.assert_hears(&[CALLER_HZ], &[CONTACT_HZ, OPERATOR_HZ], 1);
    kim.act("press", json!({ "key": "Control+F9" }));
    kim.act("expect_patch", json!({ "state": "private" }));
    caller.listen(0.5);
    let from = (caller.mark(), contact.mark());
    kim.assert_hears(&[CONTACT_HZ], &[CALLER_HZ, OPERATOR_HZ], 2);
    assert_hears("the caller", &caller.heard_since(from.0, 2.0), &[], &[OPERATOR_HZ, CONTACT_HZ, CALLER_HZ]);
    assert_hears("the contact", &contact.heard_since(from.1, 2.0), &[OPERATOR_HZ], &[CALLER_HZ, CONTACT_HZ]);
    kim.act("press", json!({ "key": "F9" }));
    kim.act("expect_patch", json!({ "state": "joined" }));
    caller.listen(0.5);
    let from = (caller.mark(), contact.mark());
    kim.assert_hears(&[CALLER_HZ, CONTACT_HZ], &[OPERATOR_HZ], 2);
    assert_hears("the caller", &caller.heard_since(from.0, 2.0), &[OPERATOR_HZ, CONTACT_HZ], &[CALLER_HZ]);
    assert_hears("the contact", &contact.heard_since(from.1, 2.0), &[OPERATOR_HZ, CALLER_HZ], &[CONTACT_HZ]);
    client.cue();
    client.expect_success();
    kim.act("press", json!({ "key": "Shift+F8" }));
    back.expect_success();
}
