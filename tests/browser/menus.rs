//! A menu drawn, tried out and saved on the console's pages; the next call hears it, and its key leads where it should.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::accounts::write_tone;
use super::ear::{Ear, assert_hears, level_db};
use super::{CALLER_HZ, OPERATOR_HZ, dial, one_at_a_time, peers, peers_are_there, quick_demo, sit_down};

/// What the menu says, and how long.
const MENU_HZ: f64 = 1_700.0;
/// Below it, and above all that a voice has there.
const MENU_DB: f64 = -20.0;
/// How often the caller listens for it, half a second each.
const LISTENS: usize = 60;

#[test]
fn an_admin_draws_a_menu_and_the_next_caller_lands_by_its_key_in_the_queue_with_the_call_type() {
    let _turn = one_at_a_time();
    let test = "an_admin_draws_a_menu_and_the_next_caller_lands_by_its_key_in_the_queue_with_the_call_type";
    // Words that nobody recorded are spoken.
    if !peers_are_there(test) || peers::find_program(test, "espeak-ng").is_none() {
        return;
    }
    let server = quick_demo();
    let words = server.dir.join("menu.wav");
    write_tone(&words);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/menu.mjs");
    let mut walk = Command::new("node");
    walk.arg(script).arg(format!("http://127.0.0.1:{}", server.http)).arg(&words).arg(&server.dir);
    let walked = walk.output().expect("node was found");
    let steps = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{steps}");
    let seen: Value = serde_json::from_slice(&walked.stdout).unwrap_or_else(|_| panic!("no result:\n{steps}"));
    let said = |key: &str| seen[key].as_str().unwrap_or_else(|| panic!("{key}: {seen}")).to_owned();
    assert!(said("before").contains("the usual"), "{seen}");
    assert!(said("marked").contains("something is wrong here"), "a key that leads nowhere: {seen}");
    assert!(said("failed").starts_with("1 s is out of bounds."), "{seen}");
    assert_eq!(said("count"), "There is no number here. Write a whole number, such as 30.");
    let call_type = said("type");
    let tried = said("tried");
    assert!(
        tried.contains(&format!("Here a caller goes to the operators, as {call_type}, with priority 7.")),
        "{seen}"
    );
    assert!(tried.contains("Pressed 1 (emergency)."), "{seen}");
    assert!(said("now").contains("choose from the menu “night”"), "{seen}");
    assert!(said("undo").starts_with("Hours and calls saved."), "{seen}");
    assert_eq!(seen["broken"], json!([]));

    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller", &server, &caller);
    // Speech, as of the greeting before it, never has so much of one tone.
    let menu_is_heard = || level_db(&caller.listen(0.5), MENU_HZ) > MENU_DB;
    assert!((0..LISTENS).any(|_| menu_is_heard()), "the caller never heard the menu");
    caller.press('1');
    kim.act("expect_talking", json!({ "account": "Imaginary Plumbing" }));
    let chosen = kim.act("text", json!({ "selector": ".types label:has(input:checked)" }));
    assert!(chosen.as_str().is_some_and(|chosen| chosen.contains(&call_type)), "{chosen}");
    caller.listen(0.5);
    assert_hears("the caller", &caller.listen(1.0), &[OPERATOR_HZ], &[MENU_HZ, CALLER_HZ]);
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
}
