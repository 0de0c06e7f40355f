//! A voicemail in the console: it comes as a message of nobody's, is drawn and heard, and who heard it is on the audit log.

use serde_json::json;

use cordboard::base::id::CallTypeId;
use cordboard::domain::account::Speech;
use cordboard::domain::account::flow::{Flow, Voicemail};

use super::api::{Api, wait_for};
use super::ear::Ear;
use super::seat::Seat;
use super::{CALLER_HZ, changed_demo, dial, one_at_a_time, peers_are_there};

#[test]
fn a_voicemail_is_seen_and_heard_by_a_supervisor_and_the_audit_log_says_so() {
    let _turn = one_at_a_time();
    if !peers_are_there("a_voicemail_is_seen_and_heard_by_a_supervisor_and_the_audit_log_says_so") {
        return;
    }
    let server = changed_demo(&[], |plumber| {
        plumber.account.hours.usual = Flow::Voicemail(Voicemail {
            speech: Speech::Recorded { prompt: "beep".to_owned() },
            call_type: CallTypeId::named("plumbing-urgent"),
            max_secs: 30,
            silence_secs: 5,
        });
    });
    let caller = Ear::open(CALLER_HZ);
    let call = dial("caller_on_cue", &server, &caller);
    let sams = Api::log_in(server.http, "sam");
    wait_for("the tone", || (sams.get("/api/v1/calls")["items"][0]["state"] == "voicemail").then_some(()));
    caller.listen(4.0);
    call.cue();
    call.expect_success();
    wait_for("the message", || sams.get("/api/v1/messages")["items"].get(0).map(|_| ()));

    // Not ready for calls, and not having to be.
    let mut sam = Seat::open(server.http, 0.0, &server.dir);
    sam.act("log_in", json!({ "login": "sam" }));
    sam.act("hand_opens", json!({ "key": "Alt+2", "words": "Messages" }));
    sam.act("hand_goes_to", json!({ "name": "Spoken message" }));
    sam.act("press", json!({ "key": "Enter" }));
    let drawn = sam.act("wave", json!({}));
    assert_eq!(sam.act("judge", json!({ "name": "voicemail" })), json!([]));
    // Nobody of ours was there to say anything.
    assert!(drawn["caller"].as_u64() > Some(10) && drawn["ours"] == 0, "{drawn}");
    assert!(drawn["seconds"].as_f64() > Some(2.0), "{drawn}");
    sam.act("hand_opens", json!({ "key": "Alt+9", "words": "Who read, heard or changed what" }));
    sam.act("hand_goes_to", json!({ "name": "All" }));
    sam.act("type", json!({ "words": "Recordings" }));
    let row = sam.act("expect", json!({ "selector": "tbody tr", "words": "heard the recording" }));
    assert!(row.as_str().is_some_and(|words| words.contains("Sam Whitaker")), "{row}");
}
