//! The keys that an operator needs less than once an hour: recording, and pausing it; the keypad; a contact connected
//! unannounced; what a call was, by a digit; not ready, and why. All by keyboard, in a real browser, with real sound.

use serde_json::{Value, json};

use super::api::{Api, wait_for};
use super::ear::{Ear, assert_hears};
use super::seat::Seat;
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::{
    CALLER_HZ, CONTACT_HZ, OPERATOR_HZ, dial, one_at_a_time, peers_are_there, quick_demo_with_carrier, sit_down,
};

const PLUMBER: &str = "Imaginary Plumbing";

struct Shift {
    server: Server,
    carrier: u16,
    kim: Seat,
    kims: Api,
}

impl Shift {
    fn press(&mut self, key: &str) {
        self.kim.act("press", json!({ "key": key }));
    }

    fn sees(&mut self, selector: &str, words: &str) -> String {
        let seen = self.kim.act("expect", json!({ "selector": selector, "words": words }));
        seen.as_str().expect("words").to_owned()
    }

    fn judges(&mut self, name: &str) {
        assert_eq!(self.kim.act("judge", json!({ "name": name })), json!([]), "{name}");
    }

    fn call(&self) -> Value {
        self.kims.get("/api/v1/calls")["items"][0].clone()
    }

    /// What the server says of the recording, once it says so.
    fn recording_is(&self, state: &str) {
        wait_for(&format!("a recording that is {state}"), || {
            (self.call()["recording"]["state"] == state).then_some(())
        });
    }

    /// The account leaves it to her; what the page shows is what the server does.
    fn records(&mut self) {
        self.sees(".recording", "Not recorded");
        for (key, state, words) in [
            ("Alt+.", "on", "Recording"),
            ("Alt+,", "paused", "Recording paused"),
            ("Alt+,", "on", "Pause recording"),
            ("Alt+.", "off", "Not recorded"),
        ] {
            self.press(key);
            self.recording_is(state);
            self.sees(".recording", words);
        }
    }

    /// Keys to the caller's bank, say; Escape gives the keyboard back.
    fn sends_keys(&mut self) {
        self.press("Alt+k");
        self.sees(".pad", "Keys to the caller");
        self.judges("keypad");
        for key in ["4", "2", "#"] {
            self.press(key);
        }
        self.sees(".pad", "3 sent");
        self.press("Escape");
        self.kim.act("expect_gone", json!({ "selector": ".pad" }));
    }

    /// The two are connected without a word of hers, and she is out of it.
    fn connects_unannounced(&mut self, call: &Sipp, caller: &Ear) {
        let contact = Ear::open(CONTACT_HZ);
        let phone = Sipp::start("callee", "127.0.0.1:9", self.carrier, contact.port(), &[], &self.server.dir);
        self.press("F8");
        self.sees("#patch-list li[aria-selected=true]", "mobile");
        self.press("Shift+Enter");
        self.sees(".wrap", "The two talk on");
        caller.listen(0.5);
        contact.listen(0.1);
        let (from, since) = (caller.mark(), contact.mark());
        assert_hears("the caller", &caller.heard_since(from, 1.0), &[CONTACT_HZ], &[OPERATOR_HZ, CALLER_HZ]);
        assert_hears("the contact", &contact.heard_since(since, 1.0), &[CALLER_HZ], &[OPERATOR_HZ, CONTACT_HZ]);
        // What it was, by its digit.
        self.press("Alt+Enter");
        self.sees(".wrap kbd", "3");
        self.judges("what-it-was");
        self.press("3");
        self.kim.act("expect_ready", json!({}));
        call.cue();
        phone.expect_success();
    }

    /// Why she is away is chosen by a digit, and stands where supervisors look.
    fn takes_a_break(&mut self) {
        self.press("Alt+s");
        self.sees(".menu", "Not ready: Lunch");
        self.judges("seat-menu");
        self.press("2");
        self.sees("header", "Lunch");
        let sam = Api::log_in(self.server.http, "sam");
        let floor = sam.get("/api/v1/board");
        assert!(floor.to_string().contains("Lunch"), "{floor}");
        self.press("Alt+s");
        self.press("0");
        self.kim.act("expect_ready", json!({}));
    }
}

#[test]
fn the_keys_of_recording_keypad_cold_patch_endings_and_breaks_do_what_they_say() {
    let _turn = one_at_a_time();
    if !peers_are_there("the_keys_of_recording_keypad_cold_patch_endings_and_breaks_do_what_they_say") {
        return;
    }
    let carrier = free_port();
    let server = quick_demo_with_carrier(carrier);
    let kims = Api::log_in(server.http, "kim");
    let kim = sit_down("kim", OPERATOR_HZ, &server);
    let mut shift = Shift { server, carrier, kim, kims };
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller_on_cue", &shift.server, &caller);
    shift.kim.act("expect_talking", json!({ "account": PLUMBER }));
    shift.records();
    shift.sends_keys();
    shift.connects_unannounced(&call, &caller);
    call.expect_success();
    shift.takes_a_break();
    assert_eq!(shift.kim.act("hand_complaints", json!({})), json!([]));
}
