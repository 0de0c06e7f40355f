//! An account made from nothing on the console's pages; the next call to its number is greeted by it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::ear::{Ear, assert_hears};
use super::server::Server;
use super::sipp::{Sipp, free_port};
use super::{CALLER, CALLER_HZ, OPERATOR_HZ, one_at_a_time, peers, peers_are_there, sit_down};

const DID: &str = "+12025550150";
const GREETING_HZ: f64 = 1_700.0;
const GREETING_SECS: u32 = 4;

#[test]
fn an_admin_makes_an_account_and_the_next_call_to_its_number_is_greeted_by_it() {
    let _turn = one_at_a_time();
    let test = "an_admin_makes_an_account_and_the_next_call_to_its_number_is_greeted_by_it";
    // The words that nobody recorded are spoken.
    if !peers_are_there(test) || peers::find_program(test, "espeak-ng").is_none() {
        return;
    }
    let server = Server::start();
    let greeting = server.dir.join("greeting.wav");
    write_tone(&greeting);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/account.mjs");
    let mut walk = Command::new("node");
    walk.arg(script).arg(format!("http://127.0.0.1:{}", server.http)).arg(&greeting).arg(&server.dir);
    let walked = walk.output().expect("node was found");
    let steps = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{steps}");
    let seen: Value = serde_json::from_slice(&walked.stdout).unwrap_or_else(|_| panic!("no result:\n{steps}"));
    let said = |key: &str| seen[key].as_str().unwrap_or_else(|| panic!("{key}: {seen}")).to_owned();
    assert!(said("fault").contains("not a complete telephone number"), "{seen}");
    assert!(said("taken").contains("Imaginary Plumbing"), "{seen}");
    assert!(said("spoken").contains("Acme Heating"), "the greeting says its name unless it is changed: {seen}");
    assert_eq!(said("kept"), "Kind of boiler");
    assert_eq!(said("reads"), "1. Email Dana Reyes (email).");
    assert_eq!(seen["seconds"].as_f64().map(f64::round), Some(f64::from(GREETING_SECS)));
    assert!(said("undo").starts_with("Greetings saved."), "what was saved last is what can be taken back: {seen}");
    assert_eq!(seen["broken"], json!([]));

    let mut kim = sit_down("kim", OPERATOR_HZ, &server);
    let caller = Ear::open(CALLER_HZ);
    let to = format!("127.0.0.1:{}", server.sip);
    let keys = [("did", DID), ("caller", CALLER)];
    let call = Sipp::start("caller", &to, free_port(), caller.port(), &keys, &server.dir);
    let heard = caller.heard_since(0, 2.5);
    assert_hears("the caller, greeted", &heard[2_400..], &[GREETING_HZ], &[OPERATOR_HZ, CALLER_HZ]);
    let phrase = kim.act("expect_talking", json!({ "account": "Acme Heating" }));
    assert!(phrase.as_str().is_some_and(|phrase| phrase.contains("Acme Heating, how may I help you?")), "{phrase}");
    caller.listen(0.5);
    assert_hears("the caller", &caller.listen(1.0), &[OPERATOR_HZ], &[GREETING_HZ, CALLER_HZ]);
    let answers = json!({ "name": "Ann Archer", "callback": "+1 202 555 0190", "message": "No heat since noon." });
    kim.act("fill", json!({ "call_type": "Repair", "answers": answers }));
    kim.act("save", json!({}));
    kim.act("expect_on_board", json!({ "text": "Ann Archer" }));
    kim.act("press", json!({ "key": "F10" }));
    call.expect_success();
}

pub(super) fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("the scratch directory is writable");
    for n in 0..44_100 * GREETING_SECS {
        let sample = (std::f64::consts::TAU * GREETING_HZ * f64::from(n) / 44_100.0).sin() * 9_000.0;
        for _ in 0..2 {
            writer.write_sample(sample as i16).expect("the scratch directory is writable");
        }
    }
    writer.finalize().expect("the scratch directory is writable");
}
