//! The whole binary at its most talkative (`RUST_LOG=trace`), with real calls in and out, a log-in, a console's
//! feed, a softphone's registration, texts and mails: no number, name, word of a message or secret in its log.

#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "support/api.rs"]
mod api;
#[path = "support/peers.rs"]
mod peers;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "support/server.rs"]
mod server;
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
#[path = "support/sipp.rs"]
mod sipp;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use api::{Api, wait_for};
use server::{Server, scratch};
use sipp::{Sipp, free_port};

/// What must not be seen. All numbers of the demo and of the test begin like the first.
const SECRETS: &[&str] = &[
    "202555",
    "202 555",
    "202-555",
    "(202)",
    "Ann Archer",
    "Elm Street",
    "hearing was moved",
    "Water is coming",
    "Harriet",
    "Tomas Reed",
    "Ortiz",
    "Lindqvist",
    "Kim Arden",
    "imaginary-plumbing",
    "Imaginary Plumbing",
    "cordboard-demo",
    "wrong horse",
];

/// A softphone signs in as JsSIP does: the token with its REGISTER.
fn register(api: &Api, port: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let mut request = format!("ws://127.0.0.1:{port}/sip").into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", "sip".parse().expect("a header value"));
        let (mut socket, _) = connect_async(request).await.expect("the softphone connects");
        let register = format!(
            "REGISTER sip:cordboard.local SIP/2.0\r\nVia: SIP/2.0/WS phone.invalid;branch=z9hG4bK1\r\n\
             Max-Forwards: 69\r\nTo: <sip:kim@cordboard.local>\r\nFrom: \"Kim Arden\" <sip:kim@cordboard.local>;tag=a\r\n\
             Call-ID: register-1\r\nCSeq: 1 REGISTER\r\nAuthorization: Bearer {}\r\n\
             Contact: <sip:kim@phone.invalid;transport=ws>;expires=600\r\nContent-Length: 0\r\n\r\n",
            api.token()
        );
        socket.send(Message::text(register)).await.expect("the line is open");
        loop {
            let answer = socket.next().await.expect("an answer").expect("an answer");
            if let Message::Text(text) = answer {
                assert!(text.starts_with("SIP/2.0 200"), "{text}");
                return;
            }
        }
    });
}

#[test]
fn nothing_personal_is_logged_by_the_whole_binary_in_calls_in_and_out() {
    if peers::find_program("nothing_personal_is_logged_in_calls", "sipp").is_none() {
        return;
    }
    let dir = scratch();
    let phone_port = free_port();
    let carrier = format!("127.0.0.1:{phone_port}");
    let mut server = Server::start_in(&dir, &["--carrier", &carrier], &[("RUST_LOG", "trace")]);
    let phone = Sipp::start("callee_busy", "127.0.0.1:9", phone_port, free_port(), &[], &dir);

    let (status, _) = Api::stranger(server.http)
        .post("/api/v1/sessions", &json!({ "login": "Ann Archer", "password": "wrong horse battery" }));
    assert_eq!(status, 401);
    let api = Api::log_in(server.http, "kim");
    let feed = api.feed();
    register(&api, server.http);

    // A call in: by number, then one for a number that is nobody's.
    let target = format!("127.0.0.1:{}", server.sip);
    let keys = [("did", "+12025550101"), ("caller", "+12025550190")];
    let caller = Sipp::start("caller_on_cue", &target, free_port(), free_port(), &keys, &dir);
    let call = wait_for("the caller in the queue", || {
        let calls = api.get("/api/v1/calls")["items"].clone();
        let call = calls.as_array().expect("calls").first()?.clone();
        (call["state"] == "queued").then(|| call["id"].as_str().expect("an id").to_owned())
    });
    let keys = [("did", "+12025550177"), ("caller", "+12025550190")];
    Sipp::start("caller_404", &target, free_port(), free_port(), &keys, &dir).expect_success();

    // A message whose mail waits for the call's end; one that is texted, then called.
    let answers =
        json!({ "name": "Ann Archer", "callback": "+12025550190", "message": "The hearing was moved to Monday." });
    let body = json!({ "account": "acc_lawyer", "call_type": "ct_lawyer-client", "call": call, "answers": answers });
    let (status, mailed) = api.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{mailed}");
    let answers = json!({ "name": "Ann Archer", "callback": "+12025550190", "address": "12 Elm Street",
        "problem": "Broken pipe", "message": "Water is coming through the ceiling." });
    let body = json!({ "account": "acc_plumbing", "call_type": "ct_plumbing-urgent", "answers": answers });
    let (status, urgent) = api.post("/api/v1/messages", &body);
    assert_eq!(status, 201, "{urgent}");
    let shown = |message: &Value| api.get(&format!("/api/v1/messages/{}", message["id"].as_str().expect("an id")));
    wait_for("the text's reply is waited for", || {
        let shown = shown(&urgent);
        shown["dispatch"]["next"]["text"].as_str().is_some_and(|text| text.starts_with("If no reply by")).then_some(())
    });
    let dispatch = urgent["dispatch"]["id"].as_str().expect("a dispatch").to_owned();
    api.post(&format!("/api/v1/dispatches/{dispatch}/skip"), &Value::Null);
    phone.expect_success();
    wait_for("the call-out was busy", || {
        shown(&urgent)["dispatch"]["timeline"].to_string().contains("): busy.").then_some(())
    });
    caller.cue();
    caller.expect_success();
    wait_for("the mail went out", || (shown(&mailed)["dispatch"]["state"] == "delivered").then_some(()));
    let by = json!({ "by": "Ben Ortiz", "note": "by telephone" });
    api.post(&format!("/api/v1/dispatches/{dispatch}/confirm"), &by);
    drop(feed);
    server.terminate();
    server.exit_code();

    let log = server.log();
    assert!(log.lines().count() > 200 && log.contains("DEBUG"), "the story left no trace:\n{log}");
    let keys: Vec<String> = ["sms.secret", "jwt.secret", "cordboard.key"]
        .iter()
        .filter_map(|name| std::fs::read(dir.join(name)).ok())
        .map(|secret| String::from_utf8_lossy(&secret).trim().to_owned())
        .collect();
    let token = api.token().rsplit('.').next().expect("a signature").to_owned();
    let secrets = SECRETS.iter().map(|&secret| secret.to_owned()).chain(keys).chain([token]);
    let secrets: Vec<String> = secrets.map(|secret| secret.to_lowercase()).collect();
    let folded = log.to_lowercase();
    let leaks: Vec<String> = folded
        .lines()
        .filter_map(|line| secrets.iter().find(|s| line.contains(s.as_str())).map(|s| format!("{s:?} in {line:.400}")))
        .collect();
    let shown = leaks.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(leaks.is_empty(), "{} of {} lines:\n{shown}", leaks.len(), folded.lines().count());
}
