//! The on-call calendar in a real browser: a shift is dragged to somebody else, and the next step of a dispatch that waits goes there.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{one_at_a_time, peers, quick_demo};

#[test]
fn a_shift_that_is_dragged_takes_the_next_step_of_a_dispatch_elsewhere() {
    let _turn = one_at_a_time();
    let test = "a_shift_that_is_dragged_takes_the_next_step_of_a_dispatch_elsewhere";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let server = quick_demo();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/calendar.mjs");
    let mut walk = Command::new("node");
    walk.arg(script).arg(format!("http://127.0.0.1:{}", server.http)).arg(&server.dir);
    let walked = walk.output().expect("node was found");
    let steps = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{steps}");
    let seen: Value = serde_json::from_slice(&walked.stdout).unwrap_or_else(|_| panic!("no result:\n{steps}"));
    let said = |key: &str| seen[key].as_str().unwrap_or_else(|| panic!("{key}: {seen}")).to_owned();
    let (first, other) = (said("first"), said("other"));
    assert!(said("row").contains(&first), "who is on call, in the list of all accounts: {seen}");
    for key in ["now", "after"] {
        assert!(said(key).contains("until"), "who, until when and why without a click: {seen}");
    }
    assert!(said("after").contains("override"), "why: {seen}");
    for key in ["inHand", "strip"] {
        // The same words while it is dragged and once it is done.
        assert!(said(key).contains(&format!("{other} in the place of {first}")), "{key}: {seen}");
    }
    assert_eq!(seen["called"], json!(true), "step 2 calls whoever has the shift now: {seen}");
    assert!(said("opened").contains("Override by"), "{seen}");
    assert_eq!(seen["covered"], json!([]), "buttons of the shift below the undo strip");
    assert!(said("reads").contains("take turns daily, changing at 08:00 New York time"), "{seen}");
    assert_eq!(seen["kept"], "technician on duty", "{seen}");
    assert_eq!(seen["axe"], json!([]));
    for key in ["wide", "window"] {
        assert!(seen[key].as_u64().is_some_and(|width| width <= 360), "wider than a telephone: {seen}");
    }
    assert_eq!(seen["cut"], json!([]), "cut off at the window's edge");
    assert!(said("list").contains(&first) || said("list").contains(&other), "{seen}");
    assert_eq!(seen["axe_narrow"], json!([]));
    assert_eq!(seen["broken"], json!([]));
}
