//! A protocol seen before it is saved, its versions, and one brought back, on the console's own pages; a message on paper.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::server::Server;
use super::{one_at_a_time, peers};

#[test]
fn an_admin_sees_what_would_happen_and_brings_a_version_back_and_a_message_is_printed_whole() {
    let _turn = one_at_a_time();
    let test = "an_admin_sees_what_would_happen_and_brings_a_version_back_and_a_message_is_printed_whole";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let server = Server::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/protocol.mjs");
    let mut walk = Command::new("node");
    walk.arg(script).arg(format!("http://127.0.0.1:{}", server.http)).arg(&server.dir);
    let walked = walk.output().expect("node was found");
    let steps = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{steps}");
    let seen: Value = serde_json::from_slice(&walked.stdout).unwrap_or_else(|_| panic!("no result:\n{steps}"));
    let said = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{seen}")).to_owned();
    assert_eq!(said(&seen["nobody"]), "After 2 h: still going on; an operator is needed.");
    assert!(said(&seen["first"]).contains("technician on call by rotation"), "why this person: {seen}");
    assert_eq!(said(&seen["confirmed"]), "After 2 h: confirmed.");
    assert!(said(&seen["fault"]).starts_with("Say whom this step reaches."), "{seen}");
    assert_eq!(said(&seen["changes"]), "Step 1: wait 15 minutes → 10 minutes.");
    assert!(said(&seen["author"]).contains(", by "), "{seen}");
    assert!(said(&seen["back"]).contains("brings back version 1"), "{seen}");
    assert!(said(&seen["back"]).contains("Step 1: wait 10 minutes → 15 minutes."), "{seen}");
    assert_eq!((said(&seen["player"]), said(&seen["named"])), ("technician on call".into(), "Urgent".into()));
    assert_eq!((&seen["short"]["pages"], &seen["short"]["nav"]), (&json!(1), &json!(false)), "{seen}");
    assert!(said(&seen["short"]["head"]).contains("Message for Imaginary Plumbing"), "{seen}");
    assert!(said(&seen["short"]["head"]).contains("All times are of America/New York."), "{seen}");
    assert!(seen["long"]["pages"].as_u64().is_some_and(|pages| pages > 1), "cut after one screen: {seen}");
    assert_eq!(seen["broken"], json!([]));
}
