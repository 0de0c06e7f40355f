//! The service is gone from one moment to the next and back a moment later: what she was typing for the caller who was cut off
//! stays in front of her, though another client's form that was never saved is older.

use serde_json::json;

use super::api::{Api, wait_for};
use super::ear::Ear;
use super::house;
use super::{CALLER, CALLER_HZ, OPERATOR_HZ, PLUMBING, one_at_a_time, peers_are_there, quick_demo, sit_down};

const LAWYER: &str = "+12025550101";
const CLIENT: &str = "+12025550191";

#[test]
fn the_form_of_a_call_that_was_cut_off_with_the_service_stays_in_the_middle() {
    let _turn = one_at_a_time();
    if !peers_are_there("the_form_of_a_call_that_was_cut_off_with_the_service_stays_in_the_middle") {
        return;
    }
    let mut server = quick_demo();
    let kims = Api::log_in(server.http, "kim");
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);

    // A form of the plumbers' that is left as it is.
    let caller = Ear::open(CALLER_HZ);
    let call = house::dial(&server, "caller", &caller, PLUMBING, CALLER);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    kim.act("fill", json!({ "answers": { "name": "Bea Brook" } }));
    kim.act("press", json!({ "key": "F10" }));
    kim.act("expect", json!({ "selector": ".wrap", "words": "The call is over" }));
    call.expect_success();
    kim.act("press", json!({ "key": "Control+ArrowDown" }));
    kim.act("expect", json!({ "selector": ".why", "words": "has not been saved" }));

    // The lawyer's caller is cut off in the middle of it.
    let client = Ear::open(CALLER_HZ);
    let _cut_off = house::dial(&server, "caller_on_cue", &client, LAWYER, CLIENT);
    kim.act("expect_talking", json!({ "account": "Law Office of Harriet Vance" }));
    kim.act("fill", json!({ "answers": { "name": "Cleo Cole" } }));
    wait_for("what she typed to be kept", || {
        kims.get("/api/v1/drafts")["items"].to_string().contains("Cleo Cole").then_some(())
    });
    server.starts_anew();
    kim.act("expect", json!({ "selector": ".why", "words": "was cut off when the service was restarted" }));
    kim.act("expect", json!({ "selector": ".middle .band", "words": "Law Office of Harriet Vance" }));
    assert_eq!(kim.act("value", json!({ "field": "name" })), "Cleo Cole", "what is typed on is the lawyer's");

    // The other one is still there as well.
    kim.act("expect", json!({ "selector": ".left", "words": "Imaginary Plumbing" }));
    assert_eq!(kim.act("judge", json!({ "name": "cut-off" })), json!([]));
}
