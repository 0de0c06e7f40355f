//! A client rings to check in, and an operator reads out what was held: found, read and marked by keys, closed as it is at the
//! telephone.

use serde_json::{Value, json};

use super::api::{Api, wait_for};
use super::ear::Ear;
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::{CALLER_HZ, OPERATOR_HZ, one_at_a_time, peers_are_there, sit_down};

const LAWYER: &str = "+12025550101";
/// The lawyer's own telephone: whose it is stands beside the message.
const HARRIET: &str = "+12025550121";
const HELD: &str = "/api/v1/accounts/acc_lawyer/held";

#[test]
fn an_operator_reads_a_held_message_out_to_the_client_who_rings_and_it_is_delivered() {
    let _turn = one_at_a_time();
    if !peers_are_there("an_operator_reads_a_held_message_out_to_the_client_who_rings_and_it_is_delivered") {
        return;
    }
    let server = Server::start();
    let api = Api::log_in(server.http, "kim");
    let answers =
        json!({ "name": "Gloria Sand", "callback": "+12025550170", "message": "Invoice 1187 was paid twice." });
    let body = json!({ "account": "acc_lawyer", "call_type": "ct_lawyer-wait", "answers": answers });
    let (status, saved) = api.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{saved}");
    wait_for("the message to be held", || api.get(HELD)["items"].as_array().filter(|held| held.len() == 1).map(|_| ()));

    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let target = format!("127.0.0.1:{}", server.sip);
    let keys = [("did", LAWYER), ("caller", HARRIET)];
    let call = Sipp::start("caller", &target, free_port(), caller.port(), &keys, &server.dir);
    kim.act("expect_talking", json!({ "account": "Law Office of Harriet Vance" }));
    kim.act("press", json!({ "key": "Alt+h" }));
    let read = kim.act("text", json!({ "selector": "[data-held]" }));
    assert!(read.as_str().is_some_and(|words| words.contains("Invoice 1187 was paid twice.")), "{read}");
    kim.act("press", json!({ "key": "Alt+j" }));
    wait_for("nothing to be held", || (api.get(HELD)["items"] == json!([])).then_some(()));
    let path = format!("/api/v1/messages/{}", saved["id"].as_str().expect("an id"));
    let dispatch = wait_for("the dispatch to close", || {
        let dispatch = api.get(&path)["dispatch"].clone();
        (dispatch["state"] == "read_at_check_in").then_some(dispatch)
    });
    let told = dispatch["timeline"].to_string();
    assert!(told.contains("Harriet Vance") && told.contains("Kim Arden"), "to whom, and by whom: {dispatch}");
    assert_ne!(dispatch["closed_at"], Value::Null, "{dispatch}");
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
}
