//! Dispatches as an operator sees them: on their way, confirmed, closed, skipped.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{House, Told, message_body};

/// A house in which an urgent message has just gone out; the token and the dispatch.
async fn gone_out() -> (House, String, Value) {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let saved = house.ask(Method::POST, "/api/v1/messages", &token, message_body()).await;
    assert_eq!(saved.status, StatusCode::CREATED, "{:?}", saved.json());
    assert_eq!(saved.json()["dispatch"]["state"], "open", "{:?}", saved.json());
    house.advance(Duration::from_secs(6)).await;
    let open = house.fetch("/api/v1/dispatches?open=1", &token).await.json();
    let dispatch = open["items"][0].clone();
    (house, token, dispatch)
}

fn path(dispatch: &Value, act: &str) -> String {
    format!("/api/v1/dispatches/{}/{act}", dispatch["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_dispatch_is_shown_with_what_was_done_and_what_comes_next() {
    let (house, token, dispatch) = gone_out().await;
    assert_eq!(dispatch["account"]["name"], "Imaginary Plumbing");
    assert_eq!(dispatch["state"], "running");
    let lines = dispatch["timeline"].as_array().expect("a time line");
    assert!(lines.iter().any(|line| line["text"] == "Text sent to Ben Ortiz, accepted."), "{dispatch}");
    assert!(dispatch["next"]["text"].is_string(), "{dispatch}");
    let texts = Told::so_far(&house.told.texts);
    assert_eq!(texts.len(), 1);
    assert!(texts[0].body.contains("Burst pipe"), "{}", texts[0].body);
    let open = house.fetch("/api/v1/messages?open=1", &token).await.json();
    assert_eq!(open["items"][0]["dispatch"]["id"], dispatch["id"]);
    assert_eq!(house.fetch("/api/v1/messages?open=1&account=acc_other", &token).await.json()["items"], json!([]));
}

#[tokio::test]
async fn who_calls_back_with_the_reference_of_a_voicemail_is_found_and_can_confirm() {
    let (house, token, dispatch) = gone_out().await;
    let named = dispatch["reference"].as_str().expect("a reference");
    let said = format!("{}%20{}", &named[..3], &named[3..]);
    let found = house.fetch(&format!("/api/v1/dispatches?reference={said}"), &token).await.json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["items"][0]["id"], dispatch["id"]);
    let other = if named == "100000" { "100001" } else { "100000" };
    assert_eq!(house.fetch(&format!("/api/v1/dispatches?reference={other}"), &token).await.json()["items"], json!([]));
    let got = house.fetch("/api/v1/dispatches?reference=12", &token).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::BAD_REQUEST, "query.invalid"));
    let confirm = json!({"by": "Ben Ortiz", "note": "called back"});
    let got = house.ask(Method::POST, &path(&found["items"][0], "confirm"), &token, confirm).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let none = house.fetch(&format!("/api/v1/dispatches?reference={named}"), &token).await.json();
    assert_eq!(none["items"], json!([]), "it is done");
}

#[tokio::test]
async fn an_operator_confirms_for_a_person_once() {
    let (house, token, dispatch) = gone_out().await;
    let confirm = json!({"by": "Ben Ortiz", "note": "by telephone"});
    let got = house.ask(Method::POST, &path(&dispatch, "confirm"), &token, confirm.clone()).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let message = dispatch["message"].as_str().expect("an id");
    let shown = house.fetch(&format!("/api/v1/messages/{message}"), &token).await.json();
    assert_eq!(shown["dispatch"]["state"], "confirmed");
    assert_eq!(shown["dispatch"]["confirmed_by"], "Ben Ortiz");
    assert_eq!(house.fetch("/api/v1/dispatches", &token).await.json()["items"], json!([]));
    let again = house.ask(Method::POST, &path(&dispatch, "confirm"), &token, confirm).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
    house.advance(Duration::from_secs(3_600)).await;
    assert!(Told::so_far(&house.told.calls).is_empty(), "nothing more is tried");
}

#[tokio::test]
async fn a_dispatch_is_closed_with_a_reason_only() {
    let (house, token, dispatch) = gone_out().await;
    for body in [json!({"reason": "  "}), json!({"reason": "x".repeat(501)})] {
        let got = house.ask(Method::POST, &path(&dispatch, "close"), &token, body).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "dispatch.invalid"));
    }
    let got = house.ask(Method::POST, &path(&dispatch, "close"), &token, json!({"reason": "caller rang off"})).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch("/api/v1/dispatches", &token).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_step_is_skipped_and_an_unknown_dispatch_is_not_found() {
    let (house, token, dispatch) = gone_out().await;
    let got = house.ask(Method::POST, &path(&dispatch, "skip"), &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let nothing = json!({"id": "dsp_nothing"});
    let got = house.ask(Method::POST, &path(&nothing, "skip"), &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(house.fetch("/api/v1/dispatches?open=0", &token).await.problem(), "query.invalid");
}
