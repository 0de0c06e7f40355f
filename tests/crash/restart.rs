//! The whole binary, killed while it is at work and started again on the same data: a caller on the line, an
//! urgent dispatch between two steps, an email that waits for the caller's call to end.

use std::path::Path;

use cordboard::base::clock::{Clock as _, SystemClock};
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::message::render;
use cordboard::io::store::calls::CallRecord;
use cordboard::io::store::{Store, StoreConfig};
use serde_json::{Value, json};

use crate::api::{Api, wait_for};
use crate::peers;
use crate::server::{Server, scratch};
use crate::sipp::{Sipp, free_port};

const LAWYER: &str = "+12025550101";
const CALLER: &str = "+12025550190";

fn save(api: &Api, body: &Value) -> String {
    let (status, message) = api.post("/api/v1/messages", body);
    assert_eq!(status, 201, "{message}");
    message["id"].as_str().expect("an id").to_owned()
}

fn dispatch(api: &Api, message: &str) -> Value {
    api.get(&format!("/api/v1/messages/{message}"))["dispatch"].clone()
}

/// The record of the one call there was.
fn record(dir: &Path) -> CallRecord {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let store = Store::open(&StoreConfig::in_directory(dir), SystemClock.utc()).await.expect("the store opens");
        let mut calls = store.list_calls(None, None, 2).await.expect("calls");
        store.close().await;
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    })
}

/// The mails to Harriet Vance that the demo's mail server took.
fn mails(server: &Server) -> Vec<Value> {
    let state = Api::stranger(server.http).get("/sandbox/api/state");
    let mailboxes = state["mailboxes"].as_array().expect("mailboxes");
    let hers = mailboxes.iter().find(|m| m["address"] == "harriet.vance@example.com").expect("her mailbox");
    hers["mails"].as_array().expect("mails").clone()
}

#[test]
fn killed_with_a_caller_on_the_line_it_owes_nobody_anything_after_the_next_start() {
    if peers::find_program("killed_with_a_caller_on_the_line", "sipp").is_none() {
        return;
    }
    let dir = scratch();
    let mut killed = Server::start_in(&dir, &[], &[]);
    let target = format!("127.0.0.1:{}", killed.sip);
    let keys = [("did", LAWYER), ("caller", CALLER)];
    let _caller = Sipp::start("caller", &target, free_port(), free_port(), &keys, &dir);
    let api = Api::log_in(killed.http, "kim");
    let call = wait_for("the caller in the queue", || {
        let calls = api.get("/api/v1/calls")["items"].clone();
        let call = calls.as_array().expect("calls").first()?.clone();
        (call["state"] == "queued").then(|| call["id"].as_str().expect("an id").to_owned())
    });
    let answers = json!({ "name": "Ann Archer", "callback": CALLER, "message": "The hearing was moved to Monday." });
    let on_the_call = save(
        &api,
        &json!({ "account": "acc_lawyer", "call_type": "ct_lawyer-client", "call": call, "answers": answers }),
    );
    let answers =
        json!({ "name": "Ann Archer", "callback": CALLER, "address": "12 Elm Street", "problem": "Broken pipe" });
    let urgent =
        save(&api, &json!({ "account": "acc_plumbing", "call_type": "ct_plumbing-urgent", "answers": answers }));
    let before = wait_for("the urgent text's reply is waited for", || {
        let shown = dispatch(&api, &urgent);
        let waits = shown["next"]["text"].as_str().is_some_and(|text| text.starts_with("If no reply by"));
        waits.then_some(shown)
    });
    wait_for("the email waits for the call's end", || {
        let shown = dispatch(&api, &on_the_call);
        (shown["next"]["text"] == "Sends the email when the call has ended.").then_some(())
    });
    assert_eq!(mails(&killed), [] as [Value; 0]);
    assert!(record(&dir).end.is_none());
    killed.kill();

    let mut again = Server::start_in(&dir, &[], &[]);
    let api = Api::log_in(again.http, "kim");
    // The urgent dispatch runs on, its next step due when it was.
    let after = dispatch(&api, &urgent);
    assert_eq!((&after["state"], &after["next"]), (&json!("running"), &before["next"]), "{after}");
    let open = api.get("/api/v1/dispatches?open=1");
    assert!(open["items"].as_array().expect("dispatches").iter().any(|d| d["id"] == before["id"]), "{open}");
    // The caller who was cut off is on every desk, with the number to ring back, until somebody has seen to it.
    let hello = api.feed().find("hello").expect("the feed's hello");
    assert_eq!(hello["calls"], json!([]));
    let alarm = hello["alarms"].as_array().and_then(|alarms| alarms.iter().find(|a| a["call"] == json!(call)));
    let alarm = alarm.unwrap_or_else(|| panic!("no alarm of the call: {}", hello["alarms"]));
    let told = format!("call back {}", render::number(CALLER));
    assert!(alarm["text"].as_str().is_some_and(|text| text.contains(&told)), "{alarm}");
    assert_eq!((&alarm["level"], &alarm["dismissible"]), (&json!("critical"), &json!(true)));
    // What waited for the end of the call goes out.
    let mail = wait_for("the email of the call that was cut off", || mails(&again).first().cloned());
    assert!(mail["body"].as_str().is_some_and(|body| body.contains("The hearing was moved to Monday.")), "{mail}");
    wait_for("its dispatch is over", || (dispatch(&api, &on_the_call)["state"] == "delivered").then_some(()));
    again.kill();

    // Killed once more before anybody saw to that caller: the alarm sounds again, until an operator has.
    let mut third = Server::start_in(&dir, &[], &[]);
    let api = Api::log_in(third.http, "kim");
    let hello = api.feed().find("hello").expect("the feed's hello");
    let alarm = &hello["alarms"][0];
    assert_eq!((&alarm["call"], hello["alarms"].as_array().map(Vec::len)), (&json!(call), Some(1)), "{hello}");
    let path = format!("/api/v1/alarms/{}", alarm["id"].as_str().expect("an id"));
    assert_eq!(api.delete(&path), 204);
    assert_eq!(api.feed().find("hello").expect("the feed's hello")["alarms"], json!([]));
    third.terminate();
    assert_eq!(third.exit_code(), Some(0));
    let mut last = Server::start_in(&dir, &[], &[]);
    let hello = Api::log_in(last.http, "kim").feed().find("hello").expect("the feed's hello");
    assert_eq!(hello["alarms"], json!([]));
    last.kill();
    let end = record(&dir).end.expect("the call that was cut off is ended on its record");
    assert_eq!(end.outcome, "cut_off");
    assert_eq!(record(&dir).remote, PhoneNumber::parse(CALLER).ok());
}
