//! The ways after the greeting, with real callers and the whole binary: a choice by SIP INFO and an announcement; a choice by
//! telephone-event and a voicemail, texted to the technician and heard again; a call taken elsewhere.

use std::io::Cursor;
use std::path::PathBuf;

use cordboard::base::id::CallTypeId;
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::account::Speech;
use cordboard::domain::account::flow::{Flow, Spill, SpillFailed, Voicemail};
use cordboard::domain::ivr::digits::Digits;
use cordboard::domain::ivr::menu::{Choice, Gather, Menu, Node, Step};

use crate::api::Api;
use crate::ear::{Ear, RATE, assert_hears, level_db};
use crate::house::{
    CALLER, PLUMBING, assert_heard, dial, find_call, finished_call, has_event, recorded, seconds, seed_changed,
};
use crate::server::{Server, scratch};
use crate::sipp::{Sipp, free_port};
use crate::{peers, wait_for};

const CALLER_HZ: f64 = 700.0;
const OTHER_HZ: f64 = 1_000.0;
const ELSEWHERE: &str = "+12025550142";

fn prompt(name: &str) -> Speech {
    Speech::Recorded { prompt: name.to_owned() }
}

fn away(before_answer: bool) -> Spill {
    let number = PhoneNumber::parse(ELSEWHERE).expect("a number");
    Spill { number, ring_secs: 20, failed: SpillFailed::Queue, before_answer }
}

/// 1: an announcement; 2: voicemail; 3: elsewhere.
fn menu() -> Menu {
    let choice = |digits: &str, next: &str| Choice { digits: digits.into(), label: next.into(), next: next.into() };
    let ask = Gather {
        speech: prompt("clinic_menu"),
        choices: vec![choice("1", "words"), choice("2", "message"), choice("3", "away")],
        timeout_secs: 10,
        retries: 1,
        barge_in: true,
        invalid: None,
        silent: None,
        gave_up: None,
    };
    let message = Voicemail {
        speech: prompt("voicemail"),
        call_type: CallTypeId::named("plumbing-urgent"),
        max_secs: 30,
        silence_secs: 5,
    };
    let away = away(false);
    let exit = |id: &str, flow| Node { id: id.into(), step: Step::Exit { flow } };
    Menu {
        name: "main".into(),
        start: "ask".into(),
        nodes: vec![
            Node { id: "ask".into(), step: Step::Gather(ask) },
            exit("words", Flow::Announcement { speech: prompt("comfort") }),
            exit("message", Flow::Voicemail(message)),
            exit("away", Flow::Spill(away)),
        ],
        otherwise: Flow::default(),
    }
}

/// A demo whose plumber has that menu at all hours.
fn seeded() -> PathBuf {
    let dir = scratch();
    seed_changed(&dir, "plumbing", |client| {
        client.account.undo_secs = 1;
        client.account.menus = vec![menu()];
        client.account.hours.usual = Flow::Menu { menu: "main".into() };
    });
    dir
}

fn expect_event(server: &Server, kind: &str) {
    wait_for(&format!("{kind} on record"), || {
        let (_, events) = find_call(&server.dir, CALLER)?;
        has_event(&events, kind).then_some(())
    });
}

#[test]
fn a_caller_presses_by_sip_info_and_hears_the_announcement() {
    if peers::find_program("a choice by INFO", "sipp").is_none() {
        return;
    }
    let server = Server::start_in(&seeded(), &[], &[]);
    let ear = Ear::open(0.0);
    let target = format!("127.0.0.1:{}", server.sip);
    let keys = [("did", PLUMBING), ("caller", CALLER), ("pressed", "1")];
    let call = Sipp::start("caller_presses", &target, free_port(), ear.port(), &keys, &server.dir);
    expect_event(&server, "menu_entered");
    call.cue();
    // The service hangs up after its words.
    call.expect_success();
    let (heard, greeting) = (ear.heard(), recorded("plumbing"));
    let at = assert_heard("the greeting", &heard[..heard.len().min(greeting.len() + RATE)], &greeting);
    assert_heard("the announcement", &heard[at + greeting.len()..], &recorded("comfort"));
    let (record, events) = finished_call(&server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "announced");
    let chosen = events.iter().find(|event| event.kind == "menu_chosen").expect("a choice");
    assert_eq!(chosen.body, serde_json::json!({"choice": "words"}));
}

#[test]
fn a_voicemail_is_texted_to_the_technician_and_heard_again_by_an_operator() {
    if peers::find_program("a voicemail", "sipp").is_none() {
        return;
    }
    let server = Server::start_in(&seeded(), &[], &[]);
    let kim = Api::log_in(server.http, "kim");
    let ear = Ear::open(CALLER_HZ);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    expect_event(&server, "menu_entered");
    let from = ear.mark();
    ear.press('2');
    expect_event(&server, "voicemail_begun");
    let words = recorded("voicemail");
    assert_heard("the words before the tone", &ear.heard_since(from, seconds(&words) + 1.0), &words);
    ear.listen(4.0);
    call.cue();
    call.expect_success();
    let (record, events) = finished_call(&server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "voicemail");
    let over = events.iter().find(|event| event.kind == "voicemail_ended").expect("its end");
    assert_eq!(over.body, serde_json::json!({"why": "hung_up", "heard": true}));

    let message = wait_for("the message", || {
        let page = kim.get("/api/v1/messages");
        page["items"].as_array()?.iter().find(|message| message["call"] == record.id.to_string()).cloned()
    });
    assert_eq!((&message["urgency"], &message["taken_by"]), (&"urgent".into(), &serde_json::Value::Null));
    wait_for("the text to whoever is on call", || {
        let state = kim.get("/sandbox/api/state");
        let mut texts = state["phones"].as_array()?.iter().flat_map(|phone| phone["texts"].as_array()).flatten();
        let said = |text: &serde_json::Value| text["body"].as_str().is_some_and(|t| t.contains("Spoken message of"));
        texts.any(said).then_some(())
    });

    let wav = kim.get_bytes(&format!("/api/v1/calls/{}/recording", record.id));
    let wav = hound::WavReader::new(Cursor::new(wav)).expect("a WAV file");
    let samples: Vec<i16> = wav.into_samples().collect::<Result<_, _>>().expect("whole");
    let caller: Vec<i16> = samples.chunks_exact(2).map(|both| both[0]).collect();
    assert!(seconds(&caller) >= 3.0, "only {:.1} s are there", seconds(&caller));
    assert!(level_db(&caller[RATE / 2..], CALLER_HZ) > -30.0, "the caller is not heard");
}

#[test]
fn a_call_taken_elsewhere_is_a_talk_of_two() {
    if peers::find_program("a call taken elsewhere", "sipp").is_none() {
        return;
    }
    let carrier = free_port();
    let server = Server::start_in(&seeded(), &["--carrier", &format!("127.0.0.1:{carrier}")], &[]);
    let (ear, other_ear) = (Ear::open(CALLER_HZ), Ear::open(OTHER_HZ));
    let other = Sipp::start("callee", "127.0.0.1:9", carrier, other_ear.port(), &[], &server.dir);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    expect_event(&server, "menu_entered");
    ear.press('3');
    expect_event(&server, "spill_answered");
    for (who, ear, wanted, unwanted) in
        [("the caller", &ear, OTHER_HZ, CALLER_HZ), ("the other", &other_ear, CALLER_HZ, OTHER_HZ)]
    {
        let heard = ear.listen(3.0);
        assert_hears(who, &heard[heard.len() / 3..], &[wanted], &[unwanted]);
    }
    call.cue();
    call.expect_success();
    other.expect_success();
    let (record, _) = finished_call(&server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "spilled");
}

#[test]
fn an_office_that_is_rung_first_is_heard_before_it_answers_and_hears_nobody_until_then() {
    if peers::find_program("an office rung before the answer", "sipp").is_none() {
        return;
    }
    let carrier = free_port();
    let dir = scratch();
    seed_changed(&dir, "plumbing", |client| client.account.hours.usual = Flow::Spill(away(true)));
    let server = Server::start_in(&dir, &["--carrier", &format!("127.0.0.1:{carrier}")], &[]);
    let (ear, other_ear) = (Ear::open(CALLER_HZ), Ear::open(OTHER_HZ));
    let other = Sipp::start("callee_early", "127.0.0.1:9", carrier, other_ear.port(), &[], &server.dir);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    let early = ear.heard_since(0, 2.0);
    let answered = |kind: &str| find_call(&server.dir, CALLER).is_some_and(|(_, events)| has_event(&events, kind));
    assert!(!answered("spill_answered") && !answered("established"), "nobody has answered yet");
    assert_hears("a caller while it rings", &early[early.len() / 3..], &[OTHER_HZ], &[CALLER_HZ]);
    assert_hears("the office before it answers", &other_ear.heard(), &[], &[CALLER_HZ, OTHER_HZ]);

    expect_event(&server, "spill_answered");
    for (who, ear, wanted, unwanted) in
        [("the caller", &ear, OTHER_HZ, CALLER_HZ), ("the office", &other_ear, CALLER_HZ, OTHER_HZ)]
    {
        let heard = ear.listen(3.0);
        assert_hears(who, &heard[heard.len() / 3..], &[wanted], &[unwanted]);
    }
    call.cue();
    call.expect_success();
    other.expect_success();
    let (record, events) = finished_call(&server.dir, CALLER);
    assert_eq!(record.end.expect("it is finished").outcome, "spilled");
    assert!(!has_event(&events, "greeting_started"), "who was taken at once is not greeted by us");
}

#[test]
fn callers_whom_a_busy_office_does_not_take_are_greeted_here() {
    if peers::find_program("a busy office", "sipp").is_none() {
        return;
    }
    let carrier = free_port();
    let dir = scratch();
    seed_changed(&dir, "plumbing", |client| client.account.hours.usual = Flow::Spill(away(true)));
    let server = Server::start_in(&dir, &["--carrier", &format!("127.0.0.1:{carrier}")], &[]);
    let ear = Ear::open(CALLER_HZ);
    let other = Sipp::start("callee_busy", "127.0.0.1:9", carrier, free_port(), &[], &server.dir);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    other.expect_success();
    expect_event(&server, "queued");
    let greeting = recorded("plumbing");
    assert_heard("the greeting", &ear.heard_since(0, seconds(&greeting) + 1.0), &greeting);
    call.cue();
    call.expect_success();
    let (_, events) = finished_call(&server.dir, CALLER);
    assert!(has_event(&events, "spill_failed"));
}

/// A menu that asks for a number of two to eight digits and then takes a message.
fn asks_for_a_number() -> Menu {
    let mut menu = menu();
    let ask = Digits {
        speech: prompt("clinic_menu"),
        label: "Policy number".into(),
        field: None,
        min: 2,
        max: 8,
        say_back: true,
        back: None,
        timeout_secs: 10,
        retries: 1,
        barge_in: true,
        invalid: None,
        silent: None,
        next: "message".into(),
        gave_up: None,
    };
    menu.nodes = vec![
        Node { id: "ask".into(), step: Step::Digits(ask) },
        menu.nodes.into_iter().find(|node| node.id == "message").expect("the way to the voicemail"),
    ];
    menu
}

#[test]
fn a_number_that_is_entered_by_keys_is_said_back_and_stands_in_the_message_that_follows() {
    if peers::find_program("a number by keys", "sipp").is_none() {
        return;
    }
    let dir = scratch();
    seed_changed(&dir, "plumbing", |client| {
        client.account.undo_secs = 1;
        client.account.menus = vec![asks_for_a_number()];
        client.account.hours.usual = Flow::Menu { menu: "main".into() };
    });
    let server = Server::start_in(&dir, &[], &[]);
    let kim = Api::log_in(server.http, "kim");
    let ear = Ear::open(CALLER_HZ);
    let call = dial(&server, "caller_on_cue", &ear, PLUMBING, CALLER);
    expect_event(&server, "menu_entered");
    // Into the words, and the answer into what is said back.
    "00471#1".chars().for_each(|key| ear.press(key));
    expect_event(&server, "voicemail_begun");
    ear.listen(3.0);
    call.cue();
    call.expect_success();
    let (record, events) = finished_call(&server.dir, CALLER);
    let entered = events.iter().find(|event| event.kind == "digits_entered").expect("on record");
    assert_eq!((&entered.body["label"], &entered.body["count"]), (&"Policy number".into(), &5.into()));
    assert!(!entered.body.to_string().contains("00471"), "and sealed there: {}", entered.body);
    let message = wait_for("the message", || {
        let page = kim.get("/api/v1/messages");
        page["items"].as_array()?.iter().find(|message| message["call"] == record.id.to_string()).cloned()
    });
    assert_eq!(message["answers"]["entered_1"], "00471");
}
