//! The form in a real browser: the client's list suggests what is urgent, and the recording is silent while a card number
//! is typed.

use serde_json::{Value, json};

use super::api::{Api, wait_for};
use super::ear::Ear;
use super::seat::Seat;
use super::{CALLER_HZ, OPERATOR_HZ, dial, one_at_a_time, peers_are_there, quick_demo, sit_down};

/// Records the plumbers' calls, without a word about it, and asks their callers for a card number.
fn set_up(admin: &Api) {
    const PATH: &str = "/api/v1/accounts/acc_plumbing";
    let account = admin.get(PATH);
    let mut edit = json!({ "recording": { "mode": "on", "announcement": null, "tell_contact": false } });
    for key in ["edition", "name", "zone", "color", "answer_phrase", "notes", "dids", "greeting", "apology", "comfort"]
    {
        edit[key] = account[key].clone();
    }
    let (status, changed) = admin.put(PATH, &edit);
    assert_eq!(status, 200, "{changed}");
    let card = json!({ "label": "Card number", "kind": { "kind": "text" }, "sensitive": "not_kept" });
    let mut types = account["call_types"].clone();
    for call_type in types.as_array_mut().expect("call types") {
        call_type["form"]["fields"].as_array_mut().expect("fields").push(card.clone());
    }
    let (status, refused) =
        admin.put(&format!("{PATH}/call_types"), &json!({ "edition": changed["edition"], "call_types": types }));
    assert_eq!(status, 200, "{refused}");
}

/// She says why it is not urgent, takes it as urgent all the same, and then does not: she is asked anew.
fn why_it_was_not_urgent_is_forgotten_with_its_call_type(kim: &mut Seat) {
    kim.act("press", json!({ "key": "Control+Enter" }));
    kim.act("expect_field", json!({ "field": "reason" }));
    kim.act("fill", json!({ "answers": { "reason": "It is about the bill." } }));
    kim.act("press", json!({ "key": "Alt+u" }));
    kim.act("expect_gone", json!({ "selector": "[data-field=reason]" }));
    kim.act("fill", json!({ "call_type": "Non-urgent", "answers": {} }));
    kim.act("expect", json!({ "selector": ".note.met", "words": "leak" }));
    kim.act("press", json!({ "key": "Control+Enter" }));
    kim.act("expect_field", json!({ "field": "reason" }));
    assert_eq!(kim.act("value", json!({ "field": "reason" })), "", "what was said of the other choice counts no more");
}

#[test]
fn a_form_suggests_what_is_urgent_and_a_card_number_is_neither_recorded_nor_kept() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_form_suggests_what_is_urgent_and_a_card_number_is_neither_recorded_nor_kept") {
        return;
    }
    let server = quick_demo();
    let admin = Api::log_in(server.http, "admin");
    set_up(&admin);
    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller", &server, &caller);
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    let live = || admin.get("/api/v1/calls")["items"][0].clone();
    let recording = |state: &str| {
        wait_for(&format!("a recording that is {state}"), || {
            let call = live();
            (call["recording"]["state"] == state).then_some(call)
        })
    };
    let id = recording("on")["id"].as_str().expect("an id").to_owned();

    // Routine at first; a word of the caller's is on the client's list.
    let answers = json!({ "name": "Ann Archer", "callback": "+1 202 555 0190", "message": "The ceiling is leaking." });
    kim.act("fill", json!({ "call_type": "Non-urgent", "answers": answers }));
    let note = kim.act("text", json!({ "selector": ".note.met" }));
    assert!(note.as_str().is_some_and(|words| words.contains("leak")), "{note}");
    why_it_was_not_urgent_is_forgotten_with_its_call_type(&mut kim);
    kim.act("press", json!({ "key": "Alt+u" }));
    kim.act("expect_field", json!({ "field": "problem" }));
    assert_eq!(kim.act("value", json!({ "field": "name" })), "Ann Archer", "nothing typed is lost");

    // A field that another answer shows, and the card.
    kim.act("fill", json!({ "answers": { "address": "5 Elm", "problem": "Leak" } }));
    kim.act("expect_field", json!({ "field": "valve" }));
    kim.act("fill", json!({ "answers": { "card_number": "4000 0000 0000 0002" } }));
    let covered = recording("paused");
    assert_eq!(covered["recording"]["covered"], true, "{covered}");
    let told = kim.act("text", json!({ "selector": ".silent" }));
    assert!(told.as_str().is_some_and(|words| words.contains("The recording is silent")), "{told}");
    kim.act("screenshot", json!({ "name": "card" }));
    kim.act("fill", json!({ "answers": { "address": "5 Elm Street" } }));
    recording("on");
    let kims = Api::log_in(server.http, "kim");
    let drafts = wait_for("the draft", || {
        let drafts = kims.get("/api/v1/drafts");
        (drafts["items"][0]["answers"]["address"] == "5 Elm Street").then_some(drafts)
    });
    assert!(!drafts.to_string().contains("4000"), "{drafts}");

    kim.act("save", json!({}));
    kim.act("expect_dispatch", json!({ "text": "Ann Archer" }));
    let saved = kims.get("/api/v1/messages");
    assert_eq!(saved["items"][0]["graded"], Value::Null, "as the client's list has it");
    assert!(!saved.to_string().contains("4000"), "{saved}");
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
    let figures = wait_for("the recording", || {
        let figures = kims.get(&format!("/api/v1/calls/{id}/recording/figures"));
        (figures["complete"] == true).then_some(figures)
    });
    let ms = |kind: &str| figures["figures"][kind].as_u64().unwrap_or_default();
    assert!(ms("paused_ms") > 0 && ms("sound_ms") > 0, "{figures}");
    assert_eq!(ms("length_ms"), ms("paused_ms") + ms("sound_ms") + ms("gap_ms"), "time is kept: {figures}");
    let peaks = kims.get(&format!("/api/v1/calls/{id}/recording/peaks"));
    assert!(peaks["caller"].as_array().is_some_and(|peaks| peaks.iter().any(|peak| *peak != 0)), "{peaks}");

    // The same in the browser: both sides are drawn, and it plays as long as it is.
    kim.act("press", json!({ "key": "Control+ArrowDown" }));
    kim.act("open_message", json!({ "text": "Ann Archer" }));
    let drawn = kim.act("wave", json!({}));
    kim.act("screenshot", json!({ "name": "wave" }));
    assert!(["caller", "ours"].iter().all(|side| drawn[side].as_u64() > Some(0)), "{drawn}");
    let seconds = drawn["seconds"].as_f64().unwrap_or_default();
    assert!((seconds * 1_000.0 - ms("length_ms") as f64).abs() < 100.0, "{drawn}, {figures}");
}
