//! Held messages that operators read out, and the PINs of those who check in by telephone.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::{CallId, ContactId, UserId};
use cordboard::engine::calls::Command;
use serde_json::{Value, json};

use crate::audit::{row, rows};
use crate::feed::{console, hear};
use crate::support::{House, Told, message_body};

const HELD: &str = "/api/v1/accounts/acc_plumbing/held";

/// A house whose urgent calls are held for check-in, with a message that is.
async fn holding() -> (House, String, Value) {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
    let protocol = json!({
        "edition": edition, "name": "check-in", "repeat": null, "until": "handed_over", "call_types": ["ct_urgent"],
        "steps": [{"method": {"kind": "hold_for_check_in"}, "to": [], "wait_secs": 0}],
    });
    let added = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, protocol).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());
    assert_eq!(added.json()["text"][0], "1. Hold until the client checks in.");
    let kim = house.sign_in("kim").await;
    let saved = house.ask(Method::POST, "/api/v1/messages", &kim, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.json());
    assert_eq!(house.fetch(HELD, &kim).await.json()["items"], json!([]), "it may still be taken back");
    house.advance(Duration::from_secs(6)).await;
    let held = house.fetch(HELD, &kim).await.json()["items"][0].clone();
    (house, kim, held)
}

fn read(held: &Value) -> String {
    format!("/api/v1/dispatches/{}/read", held["dispatch"]["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_held_message_is_read_out_once_and_the_time_line_says_by_whom() {
    let (house, kim, held) = holding().await;
    assert_eq!(held["answers"]["problem"], "Burst pipe in the cellar");
    assert_eq!(held["dispatch"]["state"], "held_for_check_in");
    assert!(held["dispatch"]["held_since"].is_i64(), "{held}");
    let next = held["dispatch"]["next"]["text"].as_str().expect("what comes next");
    assert!(next.starts_with("Held for check-in since "), "{next}");
    let to = json!({"to": "Dr Patel", "edition": 1});
    let got = house.ask(Method::POST, &read(&held), &kim, to.clone()).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let message = held["id"].as_str().expect("an id");
    let shown = house.fetch(&format!("/api/v1/messages/{message}"), &kim).await.json()["dispatch"].clone();
    assert_eq!((&shown["state"], &shown["confirmed_by"]), (&json!("read_at_check_in"), &json!("Dr Patel")));
    assert!(shown["timeline"].to_string().contains("KIM read it out to Dr Patel at check-in."), "{shown}");
    assert_eq!(house.fetch(HELD, &kim).await.json()["items"], json!([]));
    let again = house.ask(Method::POST, &read(&held), &kim, to).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_held"));
}

#[tokio::test]
async fn what_is_held_is_shown_to_nobody_who_is_not_on_the_log_for_it() {
    let (house, kim, held) = holding().await;
    let message = held["id"].as_str().expect("an id");
    let listed = async |who: &str| {
        let wanted = row(who, "message.listed", message);
        rows(&house, &format!("object={message}")).await.into_iter().filter(|row| *row == wanted).count()
    };
    assert_eq!(listed("usr_kim").await, 1, "she asked for it, to read it out");

    // Every console is told that there is one, and no more.
    let lee = house.sign_in("lee").await;
    let mut socket = console(house.listen().await, &lee).await;
    let hello = hear(&mut socket).await;
    assert_eq!(hello["dispatches"][0]["message"], message);
    assert_eq!(hello["dispatches"][0]["headline"], "");
    let got = house.ask(Method::POST, &read(&held), &kim, json!({"to": "Dr Patel", "edition": 1})).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{}", got.json());
    let told = loop {
        let frame = hear(&mut socket).await;
        assert!(frame["close"].is_null(), "{frame}");
        if frame["dispatch"]["state"] == "read_at_check_in" {
            break frame;
        }
    };
    assert_eq!(told["dispatch"]["headline"], "");
    assert_eq!(listed("usr_lee").await, 0);
}

#[tokio::test]
async fn whoever_lists_what_is_open_is_on_the_log_once_for_each_message() {
    let (house, _kim, held) = holding().await;
    let message = held["id"].as_str().expect("an id");
    for (who, path) in [("lee", "/api/v1/dispatches"), ("sam", "/api/v1/handover")] {
        let token = house.sign_in(who).await;
        for _ in 0..3 {
            assert_eq!(house.fetch(path, &token).await.status, StatusCode::OK);
        }
        let wanted = row(&format!("usr_{who}"), "message.listed", message);
        let found = rows(&house, &format!("object={message}")).await.into_iter().filter(|row| *row == wanted).count();
        assert_eq!(found, 1, "{path}");
    }
}

/// Somebody changes the message that is held.
async fn changes(house: &House, by: &str, held: &Value) {
    let path = format!("/api/v1/messages/{}", held["id"].as_str().expect("an id"));
    let mut answers = held["answers"].clone();
    answers["problem"] = json!("Burst pipe in the attic");
    let body = json!({"edition": held["edition"], "call_type": null, "caller": held["caller"], "answers": answers,
        "reason": null});
    let got = house.ask(Method::PUT, &path, by, body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
}

#[tokio::test]
async fn what_is_changed_while_it_is_read_out_is_not_delivered_by_the_old_words() {
    let (house, kim, held) = holding().await;
    changes(&house, &kim, &held).await;
    let got = house.ask(Method::POST, &read(&held), &kim, json!({"to": "Dr Patel", "edition": 1})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "message.stale"));
    let anew = house.fetch(HELD, &kim).await.json()["items"][0].clone();
    assert_eq!(anew["answers"]["problem"], "Burst pipe in the attic");
    assert_eq!((&anew["edition"], &anew["dispatch"]["edition"]), (&json!(2), &json!(2)));
    let got = house.ask(Method::POST, &read(&held), &kim, json!({"to": "Dr Patel", "edition": 2})).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_yes_to_words_of_before_a_change_confirms_nothing() {
    let (house, kim, held) = holding().await;
    changes(&house, &kim, &held).await;
    let path = format!("/api/v1/dispatches/{}/confirm", held["dispatch"]["id"].as_str().expect("an id"));
    let yes = json!({"by": "Dr Patel", "note": "rang back", "edition": 1});
    let got = house.ask(Method::POST, &path, &kim, yes).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "message.stale"));
    let yes = json!({"by": "Dr Patel", "edition": 2});
    assert_eq!(house.ask(Method::POST, &path, &kim, yes.clone()).await.status, StatusCode::NO_CONTENT);
    let got = house.ask(Method::POST, &path, &kim, json!({"by": "Dr Patel", "edition": 1})).await;
    assert_eq!(got.problem(), "dispatch.not_now", "it is over, whatever was read");
}

#[tokio::test]
async fn to_whom_it_was_read_has_to_be_said() {
    let (house, kim, held) = holding().await;
    let got = house.ask(Method::POST, &read(&held), &kim, json!({"to": " ", "edition": 1})).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gone = json!({"dispatch": {"id": "dsp_gone"}});
    let got = house.ask(Method::POST, &read(&gone), &kim, json!({"to": "Dr Patel", "edition": 1})).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(house.fetch("/api/v1/accounts/acc_gone/held", &kim).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_caller_is_sent_into_the_check_in_by_pin_or_by_the_operators_word() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let path = "/api/v1/calls/call_1/check_in";
    for body in [json!({}), json!({"vouched": "con_ben"})] {
        assert_eq!(house.ask(Method::POST, path, &kim, body).await.status, StatusCode::NO_CONTENT);
    }
    let nobody = json!({"vouched": "Ben"});
    assert_eq!(house.ask(Method::POST, path, &kim, nobody).await.status, StatusCode::BAD_REQUEST);
    let sent = |vouched| (CallId::named("1"), UserId::named("kim"), Command::CheckIn { vouched });
    assert_eq!(Told::so_far(&house.told.commands), [sent(None), sent(Some(ContactId::named("ben")))]);
}

#[tokio::test]
async fn supervisors_set_pins_and_nobody_ever_reads_one() {
    let house = House::new().await;
    let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
    let (bens, shared) = ("/api/v1/contacts/con_ben/pin", "/api/v1/accounts/acc_plumbing/pin");
    let put = async |path: &str, token: &str, pin: &str| house.ask(Method::PUT, path, token, json!({"pin": pin})).await;
    assert_eq!(put(bens, &kim, "4711").await.status, StatusCode::FORBIDDEN);
    let set = put(bens, &sam, "4711").await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.json());
    assert_eq!((&set.json()["contact"], &set.json()["set_by"]["name"]), (&json!("con_ben"), &json!("SAM")));
    for (pin, code) in [("47", "pin.invalid"), ("12345", "pin.invalid"), ("4711", "pin.refused")] {
        let got = put(shared, &sam, pin).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{pin}");
        let fault = got.json()["errors"][0].clone();
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/pin"), &json!(code)), "{pin}");
    }
    assert_eq!(put(shared, &sam, "2580").await.status, StatusCode::OK);
    let pins = house.fetch("/api/v1/accounts/acc_plumbing/pins", &sam).await.json();
    assert_eq!(pins["items"].as_array().map(Vec::len), Some(2), "{pins}");
    assert!(!pins.to_string().contains("4711") && !pins.to_string().contains("2580"), "{pins}");
    assert_eq!(house.fetch("/api/v1/accounts/acc_plumbing/pins", &kim).await.status, StatusCode::FORBIDDEN);
    for path in [bens, shared] {
        assert_eq!(house.ask(Method::DELETE, path, &sam, Value::Null).await.status, StatusCode::NO_CONTENT);
        assert_eq!(house.ask(Method::DELETE, path, &sam, Value::Null).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(put("/api/v1/contacts/con_gone/pin", &sam, "4711").await.status, StatusCode::NOT_FOUND);
    let document = house.front.clients.export("Imaginary Plumbing").await.expect("exported");
    assert!(!serde_json::to_string(&document).expect("JSON").contains("\"pin\""), "a document carries none");
}
