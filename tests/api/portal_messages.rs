//! What a client reads of their messages: lists and searches, one whole with why this person, the night in sentences, the recording where
//! the right is given, the figures; and that each reading is on the audit log.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::clock::Clock as _;
use cordboard::base::id::{AccountId, CallId};
use cordboard::domain::call::cause::Cause;
use cordboard::io::store::calls::{CallEnd, CallRecord, Direction, NewCallEvent};
use serde_json::{Value, json};

use crate::audit::rows;
use crate::portal::{HERE, client};
use crate::recordings::recorded;
use crate::support::{House, START, message_body, number};

async fn saved(house: &House, problem: &str, call: Option<&CallId>) -> String {
    let kim = house.sign_in("kim").await;
    let mut body = message_body();
    body["answers"]["problem"] = json!(problem);
    body["call"] = json!(call);
    let got = house.ask(Method::POST, "/api/v1/messages", &kim, body).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    house.clock.advance(Duration::from_millis(5));
    got.json()["id"].as_str().expect("an id").to_owned()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().filter_map(|item| item["id"].as_str()).collect()
}

#[tokio::test]
async fn messages_are_listed_in_pages_found_by_words_and_on_the_log() {
    let house = House::new().await;
    let first = saved(&house, "Burst pipe in the cellar", None).await;
    let second = saved(&house, "No hot water", None).await;
    let third = saved(&house, "Burst pipe at 5th St", None).await;
    let pat = client(&house, "pat", &["messages"]).await;
    let page = house.fetch(&format!("{HERE}/messages?limit=2"), &pat).await.json();
    assert_eq!(ids(&page), [third.as_str(), second.as_str()]);
    assert_eq!(page["items"][0]["headline"], "Pat Doe · Burst pipe at 5th St");
    let next = page["next"].as_str().expect("more");
    let page = house.fetch(&format!("{HERE}/messages?limit=2&cursor={next}"), &pat).await.json();
    assert_eq!((ids(&page), &page["next"]), (vec![first.as_str()], &Value::Null));
    let found = house.fetch(&format!("{HERE}/messages?q=BURST+cellar"), &pat).await.json();
    assert_eq!((ids(&found), &found["next"]), (vec![first.as_str()], &Value::Null));
    assert_eq!(
        ids(&house.fetch(&format!("{HERE}/messages?caller=%2B12025550188&urgency=urgent"), &pat).await.json()).len(),
        3
    );
    assert_eq!(ids(&house.fetch(&format!("{HERE}/messages?urgency=routine"), &pat).await.json()).len(), 0);
    assert_eq!(ids(&house.fetch(&format!("{HERE}/messages?open=1&call_type=ct_urgent"), &pat).await.json()).len(), 3);
    let until = format!("{HERE}/messages?until={}", START.0);
    assert_eq!(ids(&house.fetch(&until, &pat).await.json()).len(), 0);
    let log = rows(&house, &format!("object={first}&act=message.listed")).await;
    assert_eq!(log.len(), 1, "{log:?}");
}

#[tokio::test]
async fn a_message_says_who_was_told_when_and_why() {
    let house = House::new().await;
    let id = saved(&house, "Burst pipe at 5th St", None).await;
    house.advance(Duration::from_secs(6)).await;
    let pat = client(&house, "pat", &["messages"]).await;
    let path = format!("{HERE}/messages/{id}");
    let got = house.fetch(&path, &pat).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let message = got.json();
    let lines = message["timeline"].as_array().expect("lines");
    let step = lines.iter().find(|line| line["kind"] == "step").expect("a step");
    assert!(step["why"].as_str().is_some_and(|why| why.contains("fallback")), "{step}");
    assert!(lines.iter().any(|line| line["text"] == "Text sent to Ben Ortiz, accepted."), "{message}");
    assert!(message["next"]["text"].as_str().is_some_and(|next| next.starts_with("If no reply by")), "{message}");
    let problem = json!({"label": "problem", "text": "Burst pipe at 5th St"});
    assert!(message["answers"].as_array().expect("answers").contains(&problem), "{message}");
    let log = rows(&house, &format!("object={id}&act=message.read")).await;
    assert_eq!(log.len(), 1, "{log:?}");
    // Ben is being told: that is the first to be seen, whichever night is the last one.
    let morning = house.fetch(&format!("{HERE}/morning"), &pat).await.json();
    assert_eq!(
        (&morning["now"][0]["message"], &morning["now"][0]["state"]),
        (&json!(id), &json!("running")),
        "{morning}"
    );
    // Ben confirms to kim; in the morning it is one sentence.
    let kim = house.sign_in("kim").await;
    let dispatch = house.fetch(&format!("/api/v1/messages/{id}"), &kim).await.json()["dispatch"]["id"].clone();
    house.clock.advance(Duration::from_secs(300));
    let confirm = format!("/api/v1/dispatches/{}/confirm", dispatch.as_str().expect("an id"));
    let got = house.ask(Method::POST, &confirm, &kim, json!({"by": "Ben Ortiz"})).await;
    assert!(got.status.is_success(), "{} {:?}", got.status, String::from_utf8_lossy(&got.body));
    let morning = house.fetch(&format!("{HERE}/morning?date=2026-03-07"), &pat).await.json();
    let text = morning["lines"][0]["text"].as_str().expect("a sentence");
    assert_eq!(text, "21:00 Pat Doe · Burst pipe at 5th St: texted Ben Ortiz, confirmed by Ben Ortiz to KIM 21:05.");
    assert_eq!(house.fetch(&format!("{HERE}/morning?date=2026-03-06"), &pat).await.json()["lines"], json!([]));
    assert_eq!(house.fetch(&format!("{HERE}/morning"), &pat).await.json()["now"], json!([]));
    assert_eq!(house.fetch(&format!("{HERE}/morning?date=tomorrow"), &pat).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_a_carrier_has_only_accepted_is_sent_and_delivered_once_a_receipt_says_so() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let to = json!([{"kind": "contact", "contact": "con_ben", "destination": "mobile"}]);
    let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
    let protocol = json!({"edition": edition, "name": "notice", "repeat": null, "until": "handed_over",
        "call_types": ["ct_urgent"], "steps": [{"method": {"kind": "text"}, "to": to, "wait_secs": 0}]});
    let added = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, protocol).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());
    let id = saved(&house, "Burst pipe at 5th St", None).await;
    house.advance(Duration::from_secs(6)).await;
    let pat = client(&house, "pat", &["messages"]).await;
    let path = format!("{HERE}/messages/{id}");
    let dispatch = house.fetch(&path, &pat).await.json()["dispatch"].clone();
    assert_eq!(
        (&dispatch["state"], &dispatch["words"]),
        (&json!("delivered"), &json!("Sent, accepted for delivery")),
        "{dispatch}"
    );
    house.front.dispatcher.take_receipt("twilio", "SM1", "delivered", None).await.expect("taken in");
    assert_eq!(house.fetch(&path, &pat).await.json()["dispatch"]["words"], "Delivered");
}

#[tokio::test]
async fn what_only_had_to_be_handed_over_and_could_not_is_not_said_to_wait_for_a_yes() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let account = "/api/v1/accounts/acc_plumbing";
    let edition = house.fetch(account, &sam).await.json()["edition"].clone();
    let to = json!([{"kind": "contact", "contact": "con_ben", "destination": "mobile"}]);
    let protocol = json!({"edition": edition, "name": "notice", "repeat": null, "until": "handed_over",
        "call_types": ["ct_urgent"], "steps": [{"method": {"kind": "text"}, "to": to, "wait_secs": 0}]});
    let added = house.ask(Method::POST, &format!("{account}/protocols"), &sam, protocol).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());
    let mut tx = house.store.write().await.expect("a transaction");
    tx.block_number(&number("+12025550121"), true).await.expect("he has texted STOP");
    tx.commit("test").await.expect("written");
    saved(&house, "Burst pipe at 5th St", None).await;
    house.advance(Duration::from_secs(6)).await;
    let pat = client(&house, "pat", &["messages"]).await;
    let page = house.fetch(&format!("{HERE}/messages"), &pat).await.json();
    let dispatch = &page["items"][0]["dispatch"];
    assert_eq!(dispatch["state"], "exhausted_unconfirmed", "{dispatch}");
    assert_eq!(dispatch["words"], "Could not be handed over: an operator sees to it");
}

#[tokio::test]
async fn what_the_person_on_call_texts_back_stands_on_the_time_line() {
    let house = House::new().await;
    let id = saved(&house, "Burst pipe at 5th St", None).await;
    house.advance(Duration::from_secs(6)).await;
    let (dispatcher, ben) = (&house.front.dispatcher, number("+12025550121"));
    dispatcher.take_text("twilio", "SM9", ben, None, "On my way, 20 min".to_owned()).await.expect("taken in");
    let pat = client(&house, "pat", &["messages"]).await;
    let message = house.fetch(&format!("{HERE}/messages/{id}"), &pat).await.json();
    let lines = message["timeline"].as_array().expect("lines");
    let wrote = "Ben Ortiz sent a text that matches nothing: \u{201c}On my way, 20 min\u{201d}";
    assert!(lines.iter().any(|line| line["text"] == wrote && line["who"] == "Ben Ortiz"), "{message}");
}

#[tokio::test]
async fn a_protected_message_is_opened_by_itself_and_not_for_ever() {
    let house = House::new().await;
    let mut account = house.store.find_account(&AccountId::named("plumbing")).await.expect("a store").expect("there");
    account.call_types[0].protected = true;
    account.call_types[0].protocol = None;
    let mut tx = house.store.write().await.expect("the store writes");
    tx.upsert_account(&account, START).await.expect("written");
    tx.commit("test").await.expect("committed");
    let id = saved(&house, "Burst pipe at 5th St", None).await;
    let pat = client(&house, "pat", &["messages"]).await;
    let page = house.fetch(&format!("{HERE}/messages"), &pat).await.json();
    assert_eq!((&page["items"][0]["protected"], &page["items"][0]["headline"]), (&json!(true), &Value::Null));
    assert_eq!(page["items"][0]["caller"], Value::Null);
    for not_told in ["q=burst", "caller=%2B12025550188"] {
        assert_eq!(ids(&house.fetch(&format!("{HERE}/messages?{not_told}"), &pat).await.json()).len(), 0, "{not_told}");
    }
    let morning = house.fetch(&format!("{HERE}/morning?date=2026-03-07"), &pat).await.json();
    assert_eq!(morning["lines"][0]["text"], "21:00 Urgent (protected): nobody was to be told.");
    let path = format!("{HERE}/messages/{id}");
    assert!(house.fetch(&path, &pat).await.json().to_string().contains("Burst pipe"));
    house.clock.advance(Duration::from_secs(7 * 86_400));
    let pat = house.sign_in("pat").await;
    let got = house.fetch(&path, &pat).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "portal.message_over"));
}

#[tokio::test]
async fn a_recording_is_heard_with_the_right_alone_and_is_on_record() {
    let house = House::new().await;
    let call = recorded(&house).await;
    let id = saved(&house, "Burst pipe at 5th St", Some(&call)).await;
    let path = format!("{HERE}/messages/{id}/recording");
    let reads = client(&house, "pat", &["messages"]).await;
    assert_eq!(house.fetch(&path, &reads).await.problem(), "portal.right");
    let alone = client(&house, "mia", &["recordings"]).await;
    assert_eq!(house.fetch(&path, &alone).await.problem(), "portal.right");
    let hears = client(&house, "zoe", &["messages", "recordings"]).await;
    let got = house.fetch(&path, &hears).await;
    assert_eq!((got.status, got.headers["content-type"].to_str().ok()), (StatusCode::OK, Some("audio/wav")));
    assert_eq!(&got.body[..4], b"RIFF");
    assert_eq!(rows(&house, &format!("object={call}&act=recording.heard")).await.len(), 1);
    let without = saved(&house, "No hot water", None).await;
    assert_eq!(
        house.fetch(&format!("{HERE}/messages/{without}/recording"), &hears).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_figures_count_calls_messages_and_ends_by_day() {
    let house = House::new().await;
    let record = |n: i64| CallRecord {
        id: CallId::fresh(START.plus_secs(n)),
        account: AccountId::named("plumbing"),
        direction: Direction::In,
        trunk: "test".into(),
        did: Some(number("+12025550102")),
        remote: None,
        forwarded_from: None,
        started_at: START.plus_secs(n),
        end: Some(CallEnd {
            answered_at: None,
            ended_at: START.plus_secs(n + 60),
            outcome: "handled".into(),
            cause: Cause::HungUp,
            operator: None,
        }),
    };
    let (answered, lost) = (record(0), record(10));
    let mut tx = house.store.write().await.expect("the store writes");
    tx.insert_calls(&[&answered, &lost]).await.expect("calls");
    let event = |call, secs: i64, kind, body| NewCallEvent { call, at: START.plus_secs(secs), kind, body };
    let talking = json!({"user": "usr_kim"});
    let patched = json!({"ms": 90_000, "alone_ms": 60_000});
    let gone = json!({"on": "queue"});
    let events = [
        event(&answered.id, 4, "talking", &talking),
        event(&answered.id, 50, "patch_over", &patched),
        event(&lost.id, 40, "abandoned", &gone),
    ];
    tx.append_call_events(&events).await.expect("events");
    tx.commit("test").await.expect("committed");
    saved(&house, "Burst pipe", None).await;
    let pat = client(&house, "pat", &["reports"]).await;
    // START is 21:00 of the 6th in New York.
    let got = house.fetch(&format!("{HERE}/report?from=2026-03-06&to=2026-03-07"), &pat).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let report = got.json();
    let day = &report["days"][0];
    assert_eq!(
        (&day["date"], &day["calls"], &day["answered"]),
        (&json!("2026-03-06"), &json!(2), &json!(1)),
        "{report}"
    );
    assert_eq!((&day["messages"], &day["dispatches"]), (&json!(1), &json!({"open": 1})), "{report}");
    assert_eq!((&day["wait_median_ms"], &day["patch_ms"]), (&json!(4_000), &json!(90_000)), "{report}");
    assert_eq!((&report["days"][1]["calls"], &report["total"]["calls"]), (&json!(0), &json!(2)));
    let csv = house.fetch(&format!("{HERE}/report.csv?from=2026-03-06&to=2026-03-06"), &pat).await;
    let text = String::from_utf8(csv.body).expect("text");
    assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("2026-03-06,2,1,")), "{text}");
    let long = house.fetch(&format!("{HERE}/report?from=2025-03-06&to=2026-03-06"), &pat).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    assert!(house.clock.utc() > START);
}
