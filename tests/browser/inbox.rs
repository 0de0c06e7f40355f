//! A secure message on a doctor's phone, in Chromium: from the invitation to the yes, through a push service of another make
//! and the worker that wakes on it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::api::{Api, wait_for};
use super::server::Server;
use super::{one_at_a_time, peers};

const OSEI: &str = "+12025550118";
const PIN: &str = "4863";

#[test]
fn a_doctor_opens_her_inbox_is_pushed_reads_confirms_and_answers() {
    let _turn = one_at_a_time();
    let test = "a_doctor_opens_her_inbox_is_pushed_reads_confirms_and_answers";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let server = Server::start();
    let api = Api::log_in(server.http, "admin");
    let account = api.get("/api/v1/accounts/acc_clinic");
    let to = json!({ "kind": "contact", "contact": "con_osei", "destination": "inbox" });
    let step = json!({ "method": { "kind": "secure_message", "confirm": true }, "to": [to], "wait_secs": 900 });
    let protocol = json!({ "edition": account["edition"], "name": "To the inbox", "steps": [step], "repeat": null,
        "until": "confirmed", "call_types": ["ct_clinic-patient"] });
    let (status, added) = api.post("/api/v1/accounts/acc_clinic/protocols", &protocol);
    assert_eq!(status, 201, "{added}");
    let (status, said) = api.post("/api/v1/contacts/con_osei/inbox/invitations", &json!({ "to": "mobile" }));
    assert_eq!(status, 204, "{said}");
    let link = wait_for("the invitation on the doctor's phone", || {
        let state = api.get("/sandbox/api/state");
        let phone = state["phones"].as_array()?.iter().find(|phone| phone["number"] == OSEI)?.clone();
        let text = phone["texts"].as_array()?.iter().find_map(|text| text["body"].as_str().map(str::to_owned))?;
        text.split_whitespace().find(|word| word.contains("/inbox#")).map(str::to_owned)
    });

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/inbox.mjs");
    let pictures = std::env::var_os("CORDBOARD_PICTURES").map_or_else(|| server.dir.clone(), Into::into);
    let mut walk = Command::new("node")
        .arg(script)
        .arg(format!("http://127.0.0.1:{}", server.http))
        .args([&link, PIN])
        .arg(&pictures)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node was found");
    let mut lines = BufReader::new(walk.stdout.take().expect("stdout is piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("the walk goes on: its steps are above").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(next(), json!({ "ready": true }));

    let answers = json!({ "name": "Ann Archer", "callback": "+1 202 555 0190", "patient": "Tom Archer",
        "birth": "1952-03-03", "problem": "Short of breath since noon." });
    let kim = Api::log_in(server.http, "kim");
    let body = json!({ "account": "acc_clinic", "call_type": "ct_clinic-patient", "answers": answers });
    let (status, saved) = kim.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{saved}");
    assert_eq!(next(), json!({ "locked": true }));

    let path = format!("/api/v1/messages/{}", saved["id"].as_str().expect("an id"));
    let dispatch = kim.get(&path)["dispatch"].clone();
    assert_eq!((&dispatch["state"], &dispatch["confirmed_by"]), (&json!("confirmed"), &json!("Dr. Amara Osei")));
    let told = dispatch["timeline"].to_string();
    for line in [
        "Secure message sent to Dr. Amara Osei, accepted.",
        "Secure message delivered to Dr. Amara Osei's device.",
        "Dr. Amara Osei opened the message in the inbox.",
        "Dr. Amara Osei confirmed in the inbox.",
    ] {
        assert!(told.contains(line), "{line}: {dispatch}");
    }
    let inbox = kim.get("/api/v1/contacts/con_osei/inbox");
    assert_eq!((&inbox["devices"][0]["push"], &inbox["has_pin"]), (&json!("on"), &json!(true)), "{inbox}");
    let device = inbox["devices"][0]["id"].as_str().expect("an id");
    assert_eq!(kim.delete(&format!("/api/v1/contacts/con_osei/inbox/devices/{device}")), 204);
    writeln!(walk.stdin.as_mut().expect("stdin is piped"), "revoked").expect("the walk listens");

    let seen = next();
    assert!(walk.wait().expect("it ends").success());
    let said = |key: &str| seen[key].as_str().unwrap_or_else(|| panic!("{key}: {seen}")).to_owned();
    assert!(said("noLink").contains("no link of ours"), "{seen}");
    for named in ["Osei", "Maple", "Archer"] {
        assert!(!said("before").contains(named), "before the PIN nobody is named: {seen}");
    }
    assert!(said("wrong").contains("That PIN does not open it."), "{seen}");
    assert!(said("address").ends_with("/inbox"), "the link has done its work and is out of sight: {seen}");
    assert_eq!(seen["manifest"], json!(["standalone", "/inbox", "/inbox"]));
    assert_eq!((&seen["subscribed"], &seen["scope"]), (&json!(204), &json!("/inbox")));
    assert_eq!((&seen["renewed"], &seen["idle"]), (&json!(204), &json!([0, false])), "{seen}");
    let payload: Value = serde_json::from_str(&said("payload")).expect("JSON");
    assert!(payload["id"].as_str().is_some_and(|id| id.starts_with("att_")), "{payload}");
    assert_eq!(payload.as_object().map(serde_json::Map::len), Some(1), "an identifier and nothing else: {payload}");
    assert_eq!(seen["notification"], json!(["A secure message waits", "Open with your PIN."]));
    assert!(said("list").contains("Urgent message") && !said("list").contains("Archer"), "{seen}");
    assert!(said("content").contains("Short of breath since noon."), "{seen}");
    assert_eq!(seen["kept"], json!([0, 0]), "nothing is left on the device");
    assert!(said("revoked").contains("this device was taken away"), "{seen}");
    assert_eq!((&seen["axe"], &seen["broken"]), (&json!([]), &json!([])));
    let alarms = kim.feed();
    let wrote = alarms.find_where(|frame| frame.to_string().contains(": “On my way, ten minutes.”"));
    assert!(wrote.is_some(), "an operator reads what was written");
}
