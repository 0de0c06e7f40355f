//! An urgent dispatch over the real edges: the text at the sandbox's provider, then SIPp as the on-call phone
//! that rings, listens and presses keys. The demo's own plumbing protocol with waits of seconds.

use std::path::{Path, PathBuf};

use cordboard::base::id::{AccountId, CallTypeId, MessageId};
use cordboard::domain::account::{Account, Urgency};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::message::Message;
use cordboard::domain::message::render::speech;
use cordboard::io::store::StoreConfig;
use cordboard::proto::audio::tone::sine;
use serde_json::{Value, json};

use crate::api::Api;
use crate::ear::{Ear, RATE, assert_hears};
use crate::house::{
    CALLER, assert_heard, assert_not_heard, find_call, finished_call, has_event, in_store, seconds, seed_changed,
    spoken,
};
use crate::server::{Server, scratch};
use crate::sipp::{Sipp, free_port};
use crate::{peers, wait_for};

const BEN_MOBILE: &str = "+12025550110";
const BEN_HZ: f64 = 1_000.0;
const CALLER_HZ: f64 = 700.0;

/// A demo in which Ben alone is on call, with these waits after the steps of the urgent protocol.
struct House {
    server: Server,
    api: Api,
    phone_port: u16,
}

impl House {
    fn start(waits: [u32; 3]) -> Self {
        let dir = scratch();
        seed_changed(&dir, "plumbing", |client| {
            client.account.undo_secs = 1;
            let layer = client.schedules[0].layers.first_mut().expect("technicians take turns");
            layer.rotation.turns.truncate(1);
            let urgent = client.protocols.iter_mut().find(|p| p.name == "Urgent").expect("an urgent protocol");
            for (step, wait) in urgent.steps.iter_mut().zip(waits) {
                step.wait_secs = wait;
            }
        });
        let phone_port = free_port();
        let server = Server::start_in(&dir, &["--carrier", &format!("127.0.0.1:{phone_port}")], &[]);
        let api = Api::log_in(server.http, "kim");
        Self { server, api, phone_port }
    }

    fn dir(&self) -> &Path {
        &self.server.dir
    }

    /// The on-call phone, whichever is dialled next.
    fn phone(&self, scenario: &str, ear: &Ear) -> Sipp {
        Sipp::start(scenario, "127.0.0.1:9", self.phone_port, ear.port(), &[], self.dir())
    }

    /// Kim takes a burst pipe; the path of its message.
    fn take_urgent(&self) -> String {
        let (status, message) = self.api.post(
            "/api/v1/messages",
            &json!({ "account": AccountId::named("plumbing"), "call_type": CallTypeId::named("plumbing-urgent"),
                "caller": CALLER, "answers": {
                "name": "Ann Archer", "callback": CALLER, "address": "12 Elm St", "problem": "Broken pipe" } }),
        );
        assert_eq!(status, 201, "{message}");
        format!("/api/v1/messages/{}", message["id"].as_str().expect("a message has an identifier"))
    }

    /// The texts on Ben's mobile.
    fn texts(&self) -> Vec<String> {
        let state = self.api.get("/sandbox/api/state");
        let phones = state["phones"].as_array().expect("the sandbox has phones");
        let ben = phones.iter().find(|phone| phone["number"] == BEN_MOBILE).expect("Ben has a phone");
        let texts = ben["texts"].as_array().expect("a phone keeps texts");
        texts.iter().filter_map(|text| text["body"].as_str().map(str::to_owned)).collect()
    }

    fn expect_text(&self, words: &str) {
        wait_for(&format!("a text with {words:?}"), || {
            self.texts().iter().any(|text| text.contains(words)).then_some(())
        });
    }

    fn dispatch(&self, message: &str) -> Value {
        self.api.get(message)["dispatch"].clone()
    }

    /// Waits until the time line holds a sentence with these words; when that was.
    fn expect_line(&self, message: &str, words: &str) -> i64 {
        for _ in 0..1_200 {
            let lines = self.dispatch(message)["timeline"].as_array().cloned().unwrap_or_default();
            if let Some(line) = lines.iter().find(|l| l["text"].as_str().is_some_and(|t| t.contains(words))) {
                return line["at"].as_i64().expect("a line has a time");
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("no line says {words:?}: {:#}", self.dispatch(message)["timeline"]);
    }

    /// What a person names who calls back.
    fn reference(&self, message: &str) -> String {
        self.dispatch(message)["reference"].as_str().expect("a dispatch has a reference").to_owned()
    }

    /// The message and its account as stored.
    fn stored(&self, message: &str) -> (Message, Account) {
        let id = message.rsplit('/').next().expect("a path ends with the identifier");
        let id: MessageId = serde_json::from_value(json!(id)).expect("an identifier");
        in_store(&StoreConfig::in_directory(self.dir()), async |store| {
            let message = store.find_message(&id).await.expect("reads").expect("it was saved");
            let account = store.find_account(&message.account).await.expect("reads").expect("it has an account");
            (message, account)
        })
    }
}

fn can_run(test: &str) -> bool {
    ["sipp", "espeak-ng"].iter().all(|program| peers::find_program(test, program).is_some())
}

/// `phone` answers; its owner hears who calls, presses 1, hears the message, presses 1, is thanked and hung up on.
fn listens_and_confirms(house: &House, message: &str, phone: Sipp, ear: &Ear) {
    let (taken, account) = house.stored(message);
    let dir: PathBuf = house.dir().to_owned();
    let intro = speech::intro(&account, Urgency::Urgent, "Ben Ortiz");
    let intro = spoken(&dir, &format!("{intro} To hear the message, press 1."));
    let content = spoken(&dir, &speech::content(&taken, &account));

    wait_for("the first word", || (ear.mark() > 0).then_some(()));
    let heard = ear.heard_since(0, seconds(&intro) + 1.0);
    assert_heard("who calls", &heard, &intro);
    assert_not_heard("the message before a key", &heard, &content);

    let from = ear.mark();
    ear.press('1');
    let heard = ear.heard_since(from, seconds(&content) + 2.0);
    assert_heard("the message", &heard, &content);
    house.expect_line(message, "Ben Ortiz heard the message.");
    assert_eq!(house.dispatch(message)["state"], "running", "heard is not confirmed");

    let from = ear.mark();
    ear.press('1');
    house.expect_line(message, "Ben Ortiz confirmed by key on the phone.");
    phone.expect_success();
    let thanks = spoken(&dir, "Thank you. The message is confirmed. Goodbye.");
    assert_heard("the thanks", &ear.heard()[from..], &thanks);
}

/// The two long ones side by side: they listen for a minute each and need hardly any processor.
#[test]
fn an_unanswered_text_becomes_a_call_that_is_confirmed_by_keys_or_leaves_a_request() {
    if can_run("call-outs") {
        std::thread::scope(|scope| {
            scope.spawn(a_call_is_heard_and_confirmed_by_keys);
            scope.spawn(a_voicemail_is_left_a_request_behind_its_beep_and_the_next_step_comes);
        });
    }
}

fn a_call_is_heard_and_confirmed_by_keys() {
    let house = House::start([2, 600, 600]);
    let ear = Ear::open(0.0);
    let phone = house.phone("callee", &ear);
    let message = house.take_urgent();
    house.expect_text("Reply 1ok to confirm.");
    listens_and_confirms(&house, &message, phone, &ear);

    let dispatch = house.dispatch(&message);
    assert_eq!(dispatch["state"], "confirmed", "{dispatch:#}");
    assert_eq!(dispatch["confirmed_by"], "Ben Ortiz");
    assert_eq!(dispatch["needs_operator"], false);
    let (record, events) = finished_call(house.dir(), BEN_MOBILE);
    assert_eq!(record.end.expect("it is finished").outcome, "confirmed");
    for kind in ["ringing", "answered", "told", "confirmed"] {
        assert!(has_event(&events, kind), "{kind}: {events:?}");
    }
}

/// With 2 he is connected with the caller, `*` leads back to the question, and only 1 confirms.
#[test]
fn whoever_has_heard_the_message_speaks_with_the_caller_by_two_and_confirms_afterwards() {
    if !can_run("a call-out that connects with the caller") {
        return;
    }
    let house = House::start([1, 600, 600]);
    // A person is silent while they are spoken to; a tone would be taken for a machine's.
    let (ben_ear, caller_ear) = (Ear::open(0.0), Ear::open(CALLER_HZ));
    let caller_port = caller_ear.port().to_string();
    let phones = Sipp::start_with(
        "callees",
        "127.0.0.1:9",
        house.phone_port,
        ben_ear.port(),
        &[("caller_port", &caller_port)],
        // Of the same option the last counts: two calls, at one time.
        &["-m", "2", "-l", "2"],
        house.dir(),
    );
    let message = house.take_urgent();
    let (taken, account) = house.stored(&message);
    wait_for("the first word", || (ben_ear.mark() > 0).then_some(()));
    ben_ear.press('1');
    let content = spoken(house.dir(), &speech::content(&taken, &account));
    house.expect_line(&message, "Ben Ortiz heard the message.");
    assert_heard("the message", &ben_ear.heard(), &content);
    assert_eq!(caller_ear.mark(), 0, "nobody has rung the caller yet");
    ben_ear.press('2');
    house.expect_line(&message, "Ben Ortiz pressed 2 and is connected to the caller.");
    ben_ear.say(&sine(BEN_HZ, 8_000.0, 12 * RATE));
    for (who, ear, wanted, unwanted) in
        [("the caller", &caller_ear, BEN_HZ, CALLER_HZ), ("the contact", &ben_ear, CALLER_HZ, BEN_HZ)]
    {
        let heard = ear.listen(4.0);
        assert_hears(who, &heard[heard.len() / 2..], &[wanted], &[unwanted]);
    }
    assert_eq!(house.dispatch(&message)["state"], "running", "a talk is no confirmation");
    let back = ben_ear.mark();
    ben_ear.press('*');
    house.expect_line(&message, "Ben Ortiz was connected to the caller ");
    let words = spoken(house.dir(), "You spoke with the caller. Press 1 to confirm.");
    let heard = ben_ear.heard_since(back, seconds(&words) + 3.0);
    assert_heard("what is asked after the talk", &heard, &words);
    ben_ear.press('1');
    house.expect_line(&message, "Ben Ortiz confirmed by key on the phone.");
    // Both were hung up on.
    phones.expect_success();
    let dispatch = house.dispatch(&message);
    assert_eq!((&dispatch["state"], &dispatch["confirmed_by"]), (&json!("confirmed"), &json!("Ben Ortiz")));
    let (record, _) = finished_call(house.dir(), BEN_MOBILE);
    assert_eq!(record.end.expect("it is finished").outcome, "confirmed");
}

/// Some 25 s of greeting, a beep, and nothing.
fn a_voicemail_is_left_a_request_behind_its_beep_and_the_next_step_comes() {
    let house = House::start([1, 3, 600]);
    let ear = Ear::open(0.0);
    let mut greeting = vec![0; RATE / 2];
    let words =
        spoken(house.dir(), "You have reached my mailbox. I cannot take your call now. Please leave a message.");
    while greeting.len() < 25 * RATE {
        greeting.extend(&words);
    }
    greeting.extend(vec![0; RATE / 4]);
    greeting.extend(sine(1_000.0, 8_000.0, RATE / 2));
    let phone = house.phone("callee", &ear);
    let message = house.take_urgent();
    let (taken, account) = house.stored(&message);
    let content = spoken(house.dir(), &speech::content(&taken, &account));
    let request = spoken(house.dir(), &speech::callback_request(&account, &house.reference(&message)));
    wait_for("the call to be answered", || (ear.mark() > 0).then_some(()));
    ear.say(&greeting);
    wait_for("the beep", || ear.has_said().then_some(()));
    let records = ear.mark();
    // The service hangs up.
    phone.expect_success();
    let home = house.phone("callee_busy", &Ear::open(0.0));
    let heard = ear.heard();
    // Whole, and begun before 3 s of silence would have ended the recording.
    let begun = assert_heard("the request to call back", &heard[records..], &request);
    assert!(begun < 3 * RATE, "{} ms of silence behind the beep", begun * 1_000 / RATE);
    assert_not_heard("the message without a key", &heard, &content);
    let left = house.expect_line(&message, "(mobile): voicemail answered, a request to call back was left.");
    let next = house.expect_line(&message, "Calling Ben Ortiz (home).");
    assert!(next - left >= 3_000, "the next step came {} ms after the call", next - left);
    home.expect_success();
    let dispatch = house.dispatch(&message);
    assert_eq!(dispatch["state"], "running", "{dispatch:#}");
    assert!(dispatch["confirmed_by"].is_null(), "{dispatch:#}");
}

#[test]
fn a_busy_phone_is_followed_by_the_next_step_after_its_wait() {
    if !can_run("a busy on-call phone") {
        return;
    }
    let house = House::start([1, 3, 600]);
    let mobile = house.phone("callee_busy", &Ear::open(0.0));
    let message = house.take_urgent();
    mobile.expect_success();
    let home = house.phone("callee_busy", &Ear::open(0.0));
    let busy = house.expect_line(&message, "Call to Ben Ortiz (mobile): busy.");
    let next = house.expect_line(&message, "Calling Ben Ortiz (home).");
    assert!(next - busy >= 3_000, "the next step came {} ms after the call", next - busy);
    home.expect_success();
    house.expect_line(&message, "Call to Ben Ortiz (home): busy.");
    let (record, events) = finished_call(house.dir(), BEN_MOBILE);
    let end = record.end.expect("it is finished");
    assert_eq!((end.outcome.as_str(), end.cause, end.answered_at), ("not_reached", Cause::Busy, None));
    assert!(!has_event(&events, "answered"), "{events:?}");
}

#[test]
fn a_reply_by_text_confirms_and_is_answered() {
    let house = House::start([600, 600, 600]);
    let message = house.take_urgent();
    house.expect_text("Reply 1ok to confirm.");
    let reply = format!("/sandbox/api/phones/%2B{}/reply", &BEN_MOBILE[1..]);
    let (status, answer) = house.api.post(&reply, &json!({ "body": "1ok" }));
    assert_eq!(status, 204, "{answer}");
    house.expect_line(&message, "Ben Ortiz confirmed by text.");
    let dispatch = house.dispatch(&message);
    assert_eq!((&dispatch["state"], &dispatch["confirmed_by"]), (&json!("confirmed"), &json!("Ben Ortiz")));
    house.expect_text("Confirmed ");
}

#[test]
fn a_reply_while_the_phone_rings_takes_the_call_back() {
    if !can_run("a call taken back") {
        return;
    }
    let house = House::start([1, 600, 600]);
    let phone = house.phone("callee_rings", &Ear::open(0.0));
    let message = house.take_urgent();
    wait_for("the phone to ring", || {
        find_call(house.dir(), BEN_MOBILE).filter(|(_, events)| has_event(events, "ringing"))
    });
    let reply = format!("/sandbox/api/phones/%2B{}/reply", &BEN_MOBILE[1..]);
    let (status, answer) = house.api.post(&reply, &json!({ "body": "1ok" }));
    assert_eq!(status, 204, "{answer}");
    // Ends with the CANCEL.
    phone.expect_success();
    assert_eq!(house.dispatch(&message)["state"], "confirmed");
    let (record, _) = finished_call(house.dir(), BEN_MOBILE);
    assert_eq!(record.end.expect("it is finished").outcome, "cancelled");
}
