//! A plumber's office manager on a phone, in Chromium: her log-in is made at the service, she reads the night, finds a message, changes a
//! number, proposes a change and approves; the service decides, and she reads that. Another account is nowhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::api::{Api, wait_for};
use super::server::Server;
use super::{one_at_a_time, peers};

const PASSWORD: &str = "seven-copper-pipes";

#[test]
fn a_client_reads_changes_proposes_and_approves_on_a_phone() {
    let _turn = one_at_a_time();
    let test = "a_client_reads_changes_proposes_and_approves_on_a_phone";
    if !["chromium", "node"].iter().all(|program| peers::find_program(test, program).is_some()) {
        return;
    }
    let server = Server::start();
    let admin = Api::log_in(server.http, "admin");
    let rights = ["schedule", "messages", "contacts", "protocol", "reports", "recordings", "settings"];
    let body = json!({ "login": "ada", "name": "Ada Moss", "password": PASSWORD,
        "accounts": [{ "account": "acc_plumbing", "rights": rights }] });
    let (status, made) = admin.post("/api/v1/clients", &body);
    assert_eq!(status, 201, "{made}");
    let kim = Api::log_in(server.http, "kim");
    let answers =
        json!({ "name": "Ann Archer", "callback": "+1 202 555 0190", "address": "12 Elm Street", "problem": "Leak" });
    let body = json!({ "account": "acc_plumbing", "call_type": "ct_plumbing-urgent", "answers": answers });
    let (status, saved) = kim.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{saved}");
    let path = format!("/api/v1/messages/{}", saved["id"].as_str().expect("an id"));
    wait_for("the dispatch", || kim.get(&path)["dispatch"].is_object().then_some(()));

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/portal.mjs");
    let pictures = std::env::var_os("CORDBOARD_PICTURES").map_or_else(|| server.dir.clone(), Into::into);
    let mut walk = Command::new("node")
        .arg(script)
        .arg(format!("http://127.0.0.1:{}", server.http))
        .args(["ada", PASSWORD])
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

    assert_eq!(next(), json!({ "proposed": true }));
    let queue = admin.get("/api/v1/protocol_changes?state=waiting");
    let change = &queue["items"][0];
    assert_eq!(
        (&change["proposed_by"]["name"], &change["note"]),
        (&json!("Ada Moss"), &json!("Nobody waits that long.")),
        "{queue}"
    );
    assert_ne!(change["before"], change["after"], "{queue}");
    let refuse = format!("/api/v1/protocol_changes/{}/refuse", change["id"].as_str().expect("an id"));
    let (status, said) = admin.post(&refuse, &json!({ "words": "Let us talk first." }));
    assert_eq!(status, 200, "{said}");
    writeln!(walk.stdin.as_mut().expect("stdin is piped"), "refused").expect("the walk listens");

    let seen = next();
    assert!(walk.wait().expect("it ends").success());
    let said = |key: &str| seen[key].as_str().unwrap_or_else(|| panic!("{key}: {seen}")).to_owned();
    assert!(said("wrong").contains("Name or password is not right."), "{seen}");
    assert!(said("address").ends_with("/portal/acc_plumbing/night"), "the morning page comes first: {seen}");
    assert!(said("list").contains("Leak") || said("list").contains("Ann Archer"), "{seen}");
    assert!(said("message").contains("12 Elm Street") && said("message").contains("What became of it"), "{seen}");
    assert!(said("uses").contains("Used in"), "whoever is in a protocol is not removed without a word: {seen}");
    assert_eq!(seen["hidden"], json!(false), "a field that is wrong is seen where the form jumps to it: {seen}");
    let night = said("night");
    let is_clock = |line: &str| line.len() == 5 && line.as_bytes()[2] == b':';
    let minute = |clock: &str| -> String {
        let after = night.lines().skip_while(|line| line.trim() != clock).skip(1);
        after.take_while(|line| !is_clock(line.trim())).collect::<Vec<_>>().join("\n")
    };
    // The account's own protocol, and no other: 15 minutes for a reply to the text, his mobile, ten minutes, his home, and again.
    for (clock, step) in
        [("02:00", "Step 1: text"), ("02:15", "Step 2: call"), ("02:25", "Step 3: call"), ("02:26", "Step 1: text")]
    {
        assert!(minute(clock).contains(step), "{step} at {clock}: {night}");
    }
    assert!(said("refused").contains("Let us talk first."), "{seen}");
    assert_eq!(
        seen["foreign"],
        json!("/portal/acc_plumbing/night"),
        "an account of somebody else leads to her own: {seen}"
    );
    assert_eq!(seen["named"], json!([]), "nothing of another account: {seen}");
    assert_eq!((&seen["axe"], &seen["broken"]), (&json!([]), &json!([])));
    let account = admin.get("/api/v1/accounts/acc_plumbing").to_string();
    assert!(account.contains("+12025550188"), "the number is changed: {account}");
}
