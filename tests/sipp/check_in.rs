//! A check-in with a real telephone and the whole binary: a message is held, its client calls, says who they are by keys, hears
//! it in the house's voice and marks it.

use serde_json::{Value, json};

use crate::api::Api;
use crate::ear::Ear;
use crate::house::{dial, find_call, finished_call, has_event};
use crate::server::{Server, scratch};
use crate::{peers, wait_for};

const HELD: &str = "/api/v1/accounts/acc_lawyer/held";
const LINE: &str = "+12025550105";
const HARRIET: &str = "+12025550121";

#[test]
fn a_client_hears_what_was_held_and_marks_it_by_the_keys_of_a_telephone() {
    if peers::find_program("a check-in", "sipp").is_none() {
        return;
    }
    let server = Server::start_in(&scratch(), &[], &[]);
    let kim = Api::log_in(server.http, "kim");
    let answers = json!({"name": "Gloria Sand", "callback": "+12025550170", "message": "Invoice 1187 was paid twice."});
    let body = json!({"account": "acc_lawyer", "call_type": "ct_lawyer-wait", "answers": answers});
    let (status, saved) = kim.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{saved}");
    wait_for("the message to be held", || kim.get(HELD)["items"].as_array().filter(|held| held.len() == 1).map(|_| ()));
    let ear = Ear::open(0.0);
    let call = dial(&server, "caller_on_cue", &ear, LINE, HARRIET);
    let on_record = |kind: &str| {
        let (_, events) = find_call(&server.dir, HARRIET)?;
        has_event(&events, kind).then_some(())
    };
    wait_for("the question for the PIN", || on_record("check_in_begun"));
    cordboard::demo::PIN.chars().chain(['#']).for_each(|key| ear.press(key));
    wait_for("the PIN to be taken", || on_record("checked_in"));
    let before = ear.mark();
    // Before the end of the message the key counts for nothing.
    wait_for("the message to be marked", || {
        ear.press('2');
        on_record("read_at_check_in")
    });
    assert!(ear.mark() - before > 5 * crate::ear::RATE, "it was heard to its end: {}", ear.mark() - before);
    let path = format!("/api/v1/messages/{}", saved["id"].as_str().expect("an id"));
    let dispatch = wait_for("the dispatch to close", || {
        let dispatch = kim.get(&path)["dispatch"].clone();
        (dispatch["state"] == "read_at_check_in").then_some(dispatch)
    });
    assert!(dispatch["timeline"].to_string().contains("heard it at check-in, by telephone."), "{dispatch}");
    assert_eq!(kim.get(HELD)["items"], Value::Array(vec![]));
    call.cue();
    call.expect_success();
    let (record, _) = finished_call(&server.dir, HARRIET);
    assert_eq!(record.end.expect("it is finished").outcome, "checked_in");
}
