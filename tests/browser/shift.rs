//! The rest of a shift by keys alone: an operator dials out, finds that a call is for another account, goes on to a contact's next
//! telephone, gives a patch up, says why she thinks otherwise than the client's list, throws out a salesman, is told that a
//! caller on hold has gone, loses her browser, and hands over.

use serde_json::{Value, json};

use super::api::{Api, wait_for};
use super::ear::{Ear, assert_hears};
use super::house;
use super::jobs::{phone_that_tells, shown_to};
use super::quick_demo_with_carrier;
use super::seat::Seat;
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::{CALLER, CALLER_HZ, CONTACT_HZ, OPERATOR_HZ, PLUMBING, one_at_a_time, peers_are_there};

const LAWYER: &str = "+12025550101";
const CLINIC: &str = "+12025550104";
const ON_HOLD: &str = "+12025550192";
const SALESMAN: &str = "+12025550193";
const PATIENT: &str = "+12025550194";

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

    fn talks_for(&mut self, account: &str) {
        self.kim.act("expect_talking", json!({ "account": account }));
    }

    /// The message in which this field says so.
    fn message_that(&self, field: &str, says: &str) -> Value {
        let saved = self.kims.get("/api/v1/messages");
        let messages = saved["items"].as_array().expect("a list");
        messages.iter().find(|m| m["answers"][field] == says).unwrap_or_else(|| panic!("{says}: {saved}")).clone()
    }

    fn finishes(&mut self) {
        self.press("F10");
        self.sees(".wrap", "The call is over");
        self.press("Control+ArrowDown");
    }

    /// With no caller on the line: the clinic's manager sees the clinic's number.
    fn dials_out(&mut self) {
        let contact = Ear::open(CONTACT_HZ);
        let (phone, told) = phone_that_tells(self.carrier, &contact, &self.server);
        self.kim.act("hand_picks", json!({ "key": "Alt+o", "list": "dial", "words": "Maple" }));
        self.sees("#patch-list li", "Rosa Whitfield");
        self.judges("dial-out");
        self.kim.act("type", json!({ "words": "Rosa" }));
        self.press("Enter");
        self.talks_for("Maple Street Clinic");
        self.sees(".back", "You are on the line with Rosa Whitfield");
        contact.listen(0.5);
        let from = contact.mark();
        self.kim.assert_hears(&[CONTACT_HZ], &[OPERATOR_HZ], 1);
        assert_hears("whom she dialled", &contact.heard_since(from, 1.0), &[OPERATOR_HZ], &[CONTACT_HZ]);
        self.finishes();
        phone.expect_success();
        assert!(shown_to(&told).contains(CLINIC), "the account's number is shown: {}", shown_to(&told));
    }

    /// A call to the lawyer is for the plumbers, and urgent though nothing of their list was said.
    fn changes_the_account(&mut self) {
        let caller = Ear::open(CALLER_HZ);
        let call = house::dial(&self.server, "caller", &caller, LAWYER, CALLER);
        self.talks_for("Law Office of Harriet Vance");
        self.kim.act("hand_writes", json!({ "answers": [["name", "Ann Archer"]] }));
        self.kim.act("hand_picks", json!({ "key": "Alt+a", "list": "account", "words": "Imaginary" }));
        self.talks_for("Imaginary Plumbing");
        self.sees(".phrase", "Imaginary Plumbing");
        assert_eq!(self.kim.act("value", json!({ "field": "name" })), "Ann Archer", "what was typed goes along");
        self.is_refused_for_the_account_before();
        self.kim.act("hand_takes_as", json!({ "call_type": "Urgent" }));
        let answers =
            json!([["callback", null], ["address", "12 Elm Street"], ["problem", "Other"], ["message", "A smell."]]);
        self.kim.act("hand_writes", json!({ "answers": answers }));
        self.kim.act("hand_is_asked_why", json!({ "reason": "She is ninety and alone." }));
        self.judges("asked-why");
        self.kim.act("hand_saves", json!({}));
        let message = self.message_that("name", "Ann Archer");
        assert_eq!(message["account"]["name"], "Imaginary Plumbing");
        assert_eq!(
            (&message["graded"]["how"], &message["graded"]["reason"]),
            (&json!("raised"), &json!("She is ninety and alone."))
        );
        self.gives_a_patch_up(&caller);
        self.finishes();
        call.expect_success();
    }

    /// While the call goes on, no message of it is saved for the account that it turned out not to be for.
    fn is_refused_for_the_account_before(&self) {
        let lawyer = self.kims.get("/api/v1/accounts/acc_lawyer");
        let call_type = lawyer["call_types"][0]["id"].clone();
        let call = self.kims.get("/api/v1/calls")["items"][0]["id"].clone();
        let body = json!({ "account": "acc_lawyer", "call_type": call_type, "call": call, "answers": {} });
        let (status, problem) = self.kims.post("/api/v1/messages", &body);
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("call")), "{problem}");
    }

    /// The mobile is a machine's, so to the next telephone; then back to the caller.
    fn gives_a_patch_up(&mut self, caller: &Ear) {
        let silent = Ear::open(0.0);
        let options = ["-m", "2"];
        let phones =
            Sipp::start_with("callee", "127.0.0.1:9", self.carrier, silent.port(), &[], &options, &self.server.dir);
        self.press("F8");
        self.sees("#patch-list li[aria-selected=true]", "mobile");
        self.press("Enter");
        self.sees("section.patch.private", "Next telephone");
        let patch = |shift: &Self| shift.kims.get("/api/v1/calls")["items"][0]["patch"].clone();
        let mobile = patch(self)["number"].clone();
        self.judges("patch-private");
        self.press("Alt+n");
        // By the server: her page may still show the first telephone's talk when the second rings.
        let is_next = |patch: &Value| patch["number"] != mobile && patch["state"] == "private";
        wait_for("the next telephone to answer", || is_next(&patch(self)).then_some(()));
        self.kim.act("expect_patch", json!({ "state": "private" }));
        self.press("Shift+F8");
        self.kim.act("expect_state", json!({ "state": "talking" }));
        phones.expect_success();
        caller.listen(0.5);
        let from = caller.mark();
        self.kim.assert_hears(&[CALLER_HZ], &[CONTACT_HZ, OPERATOR_HZ], 1);
        assert_hears("the caller, back from a patch", &caller.heard_since(from, 1.0), &[OPERATOR_HZ], &[CALLER_HZ]);
    }

    /// A caller hangs up on hold, unheard, while she throws out a salesman.
    fn is_left(&mut self) {
        let (caller, salesman) = (Ear::open(CALLER_HZ), Ear::open(0.0));
        let call = house::dial(&self.server, "caller_on_cue", &caller, PLUMBING, ON_HOLD);
        self.talks_for("Imaginary Plumbing");
        self.kim.act("hand_writes", json!({ "answers": [["name", "Bea Brook"]] }));
        let sales = house::dial(&self.server, "caller", &salesman, PLUMBING, SALESMAN);
        self.sees(".waiting, .incoming", "Imaginary Plumbing");
        self.press("F2");
        self.sees(".facts", "193");
        self.kim.act("expect_state", json!({ "state": "talking" }));
        call.cue();
        call.expect_success();
        let gone = self.sees(".gone", "the caller hung up while on hold");
        assert!(gone.contains("192"), "who it was: {gone}");
        self.judges("caller-gone");
        self.kim.act("hand_takes_as", json!({ "call_type": "Sales or wrong number" }));
        self.kim.act("hand_writes", json!({ "answers": [["message", "Sid Seller sells boilers."]] }));
        self.kim.act("hand_saves", json!({}));
        let thrown_out = self.message_that("message", "Sid Seller sells boilers.");
        assert_eq!(
            (&thrown_out["urgency"], &thrown_out["dispatch"]),
            (&json!("not_legitimate"), &Value::Null),
            "nothing goes out"
        );
        self.finishes();
        sales.expect_success();
    }

    /// What was begun with the caller who is gone becomes a message, though not as the list suggests.
    fn finishes_the_form_of_who_is_gone(&mut self) {
        self.kim.act("hand_opens", json!({ "key": "Alt+7", "words": "Callers who hung up" }));
        let row = self.sees("tbody tr", "192");
        assert!(row.contains("on hold") && row.contains("Bea Brook"), "{row}");
        self.judges("hung-up");
        self.press("o");
        self.kim.act("expect_field", json!({ "field": "name" }));
        self.press("Alt+i");
        self.kim.act("hand_takes_as", json!({ "call_type": "Non-urgent" }));
        let answers = json!([["callback", null], ["message", "The leak of last week: the bill."]]);
        self.kim.act("hand_writes", json!({ "answers": answers }));
        self.kim.act("hand_is_asked_why", json!({ "reason": "It is about the bill." }));
        self.press("Control+Enter");
        let message = wait_for("the message", || {
            let saved = self.kims.get("/api/v1/messages");
            saved["items"].as_array()?.iter().find(|m| m["answers"]["name"] == "Bea Brook").cloned()
        });
        assert_eq!((&message["graded"]["how"], &message["caller"]), (&json!("lowered"), &json!(ON_HOLD)));
        // Their call is hers until its wrap-up is over, and the form stands beside it.
        self.sees(".wrap", "The message is saved");
        self.press("Control+ArrowDown");
        self.kim.act("expect_ready", json!({}));
    }

    /// From one moment to the next her browser is gone; another one has every word, and the caller comes back to it.
    fn loses_the_browser(&mut self) {
        let caller = Ear::open(CALLER_HZ);
        let call = house::dial(&self.server, "caller", &caller, PLUMBING, PATIENT);
        self.talks_for("Imaginary Plumbing");
        let answers = json!([["name", "Cleo Cole"], ["callback", null], ["message", "No hot wat"]]);
        self.kim.act("hand_writes", json!({ "answers": answers }));
        let kept = || self.kims.get("/api/v1/drafts")["items"].to_string().contains("No hot wat");
        wait_for("what she typed to be kept", || kept().then_some(()));
        assert_eq!(self.kim.act("hand_pointers", json!({})), 0);
        self.kim.act("is_killed", json!({}));
        self.kim = sits_down_by_keys(&self.server);
        self.talks_for("Imaginary Plumbing");
        let at = wait_for("the cursor where it was", || {
            let at = self.kim.act("hand_at", json!({}));
            (at["field"] == "message").then_some(at)
        });
        assert_eq!(at, json!({ "field": "message", "value": "No hot wat", "end": true }));
        caller.listen(0.5);
        let from = caller.mark();
        self.kim.assert_hears(&[CALLER_HZ], &[OPERATOR_HZ], 1);
        assert_hears("the caller", &caller.heard_since(from, 1.0), &[OPERATOR_HZ], &[CALLER_HZ]);
        self.kim.act("hand_types", json!({ "words": "er." }));
        self.press("Alt+u");
        self.kim.act("hand_takes_as", json!({ "call_type": "Urgent" }));
        let answers = json!([["address", "5 Oak Street"], ["problem", "No hot water"]]);
        self.kim.act("hand_writes", json!({ "answers": answers }));
        self.kim.act("hand_saves", json!({}));
        let message = self.message_that("name", "Cleo Cole");
        assert_eq!((&message["answers"]["message"], &message["graded"]), (&json!("No hot water."), &Value::Null));
        self.finishes();
        call.expect_success();
    }

    /// Whoever comes next finds on one page what is open, and what was taken otherwise than the client wants.
    fn hands_over(&mut self) {
        self.kim.act("hand_opens", json!({ "key": "Alt+8", "words": "Hand-over" }));
        let sheet = self.sees("main", "Cleo Cole");
        for words in [
            "Urgent, not done (2)",
            "Ann Archer",
            "On a client’s list and not taken as urgent",
            "It is about the bill.",
        ] {
            // Headings are set in capitals.
            assert!(sheet.to_lowercase().contains(&words.to_lowercase()), "{words}: {sheet}");
        }
        assert!(!sheet.contains("Sid Seller"), "{sheet}");
        self.judges("hand-over-full");
    }
}

fn sits_down_by_keys(server: &Server) -> Seat {
    let mut kim = Seat::open(server.http, OPERATOR_HZ, &server.dir);
    let base = format!("http://127.0.0.1:{}", server.http);
    kim.act("hand_log_in", json!({ "base": base, "login": "kim", "password": "cordboard-demo" }));
    kim.act("hand_get_ready", json!({}));
    kim
}

#[test]
fn an_operator_dials_out_changes_accounts_gives_a_patch_up_is_left_loses_her_browser_and_hands_over() {
    let _turn = one_at_a_time();
    let test = "an_operator_dials_out_changes_accounts_gives_a_patch_up_is_left_loses_her_browser_and_hands_over";
    if !peers_are_there(test) {
        return;
    }
    let carrier = free_port();
    let server = quick_demo_with_carrier(carrier);
    let kims = Api::log_in(server.http, "kim");
    let kim = sits_down_by_keys(&server);
    let mut shift = Shift { server, carrier, kim, kims };
    shift.dials_out();
    shift.changes_the_account();
    shift.is_left();
    shift.finishes_the_form_of_who_is_gone();
    shift.loses_the_browser();
    shift.hands_over();
    assert_eq!(shift.kim.act("hand_pointers", json!({})), 0, "by the keyboard alone");
    assert_eq!(shift.kim.act("hand_complaints", json!({})), json!([]));
}
