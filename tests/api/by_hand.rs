//! An operator calls a person by hand from the dispatch board, or has one texted: who comes first, whose it is, and what is refused.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::{AccountId, ContactId, DestinationId, UserId};
use serde_json::{Value, json};

use crate::dispatches::{gone_out, path};
use crate::support::{Told, number};

fn ben() -> Value {
    json!({"contact": "con_ben", "destination": "dst_ben-mobile"})
}

#[tokio::test]
async fn who_was_asked_is_called_first_and_a_yes_to_her_confirms() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let call = path(&dispatch, "call");
    let people = house.fetch(&call, &kim).await.json();
    let first = &people["items"][0];
    assert_eq!((&first["contact"]["id"], &first["asked"]), (&json!("con_ben"), &json!(true)), "{people}");
    assert_eq!(first["telephones"][0]["label"], "mobile", "{people}");
    let got = house.ask(Method::POST, &call, &kim, ben()).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&got.body));
    house.advance(Duration::from_secs(1)).await;
    let jobs = Told::so_far(&house.told.jobs);
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].by_hand.as_ref().map(UserId::as_str), Some("usr_kim"));
    assert_eq!(jobs[0].to, number("+12025550121"));
    let seen = house.fetch("/api/v1/dispatches", &lee).await.json();
    assert_eq!(seen["items"][0]["lock"]["by"]["name"], "KIM");
    let again = house.ask(Method::POST, &call, &kim, ben()).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
    let outcome = format!("/api/v1/jobs/{}/outcome", jobs[0].attempt.as_str());
    let theirs = house.ask(Method::POST, &outcome, &lee, json!({"kind": "no_answer"})).await;
    assert_eq!((theirs.status, theirs.problem().as_str()), (StatusCode::CONFLICT, "job.not_yours"));
    let said = house.ask(Method::POST, &outcome, &kim, json!({"kind": "confirmed", "name": "Ben Ortiz"})).await;
    assert_eq!(said.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch("/api/v1/dispatches", &kim).await.json()["items"], json!([]), "it is confirmed");
    let message = dispatch["message"].as_str().expect("an id");
    let shown = house.fetch(&format!("/api/v1/messages/{message}"), &kim).await.json();
    assert_eq!(shown["dispatch"]["confirmed_by"], "Ben Ortiz");
    let lines = shown["dispatch"]["timeline"].as_array().expect("a time line");
    assert!(lines.iter().any(|line| line["text"] == "KIM calls Ben Ortiz (mobile)."), "{shown}");
}

#[tokio::test]
async fn the_lock_goes_with_the_call_it_was_taken_for_and_one_that_she_had_before_stays() {
    let (house, kim, dispatch) = gone_out().await;
    let (call, lock) = (path(&dispatch, "call"), path(&dispatch, "lock"));
    let locked_by =
        async || house.fetch("/api/v1/dispatches", &kim).await.json()["items"][0]["lock"]["by"]["name"].clone();
    let calls = async || {
        let got = house.ask(Method::POST, &call, &kim, ben()).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&got.body));
        assert_eq!(locked_by().await, "KIM");
        house.advance(Duration::from_secs(1)).await;
    };
    let says = async |what: &str, body: Value| {
        let attempt = Told::so_far(&house.told.jobs).pop().expect("a job").attempt;
        let said = house.ask(Method::POST, &format!("/api/v1/jobs/{attempt}/{what}"), &kim, body).await;
        assert_eq!(said.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&said.body));
    };
    calls().await;
    says("outcome", json!({"kind": "no_answer"})).await;
    assert_eq!(locked_by().await, Value::Null);
    house.ask(Method::PUT, &lock, &kim, json!({})).await;
    calls().await;
    says("outcome", json!({"kind": "busy"})).await;
    assert_eq!(locked_by().await, "KIM", "she works on it beside the call");
    house.ask(Method::DELETE, &lock, &kim, json!({})).await;
    calls().await;
    says("give_back", json!({})).await;
    assert_eq!(locked_by().await, Value::Null, "she has left it unsaid");
}

#[tokio::test]
async fn what_cannot_be_called_for_now_is_refused_and_calls_nobody() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let call = path(&dispatch, "call");
    let ask = async |token: &str, body: Value| house.ask(Method::POST, &call, token, body).await;
    let nothing = ask(&kim, json!({"contact": "con_ben", "destination": "dst_nothing"})).await;
    assert_eq!((nothing.status, nothing.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "dispatch.invalid"));
    let unknown = house.ask(Method::POST, "/api/v1/dispatches/dsp_nothing/call", &kim, ben()).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(house.fetch("/api/v1/dispatches/dsp_nothing/call", &kim).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask("", ben()).await.status, StatusCode::UNAUTHORIZED);
    house.ask(Method::PUT, &path(&dispatch, "lock"), &lee, json!({})).await;
    let locked = ask(&kim, ben()).await;
    assert_eq!((locked.status, locked.problem().as_str()), (StatusCode::CONFLICT, "dispatch.locked"));
    *house.told.refuse.lock().expect("no panic while it was held") = true;
    let busy = ask(&lee, ben()).await;
    assert_eq!((busy.status, busy.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"));
    house.ask(Method::POST, &path(&dispatch, "close"), &lee, json!({"reason": "a drill"})).await;
    let over = ask(&lee, ben()).await;
    assert_eq!((over.status, over.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
    house.advance(Duration::from_secs(1)).await;
    assert!(Told::so_far(&house.told.jobs).is_empty());
}

#[tokio::test]
async fn the_message_is_texted_now_with_its_code_and_a_key_pressed_twice_texts_once() {
    let (house, kim, dispatch) = gone_out().await;
    let lee = house.sign_in("lee").await;
    let text = path(&dispatch, "text");
    let ask = async |token: &str, body: Value| house.ask(Method::POST, &text, token, body).await;
    let just_gone = ask(&kim, ben()).await;
    assert_eq!((just_gone.status, just_gone.problem().as_str()), (StatusCode::CONFLICT, "dispatch.not_now"));
    house.advance(Duration::from_secs(60)).await;
    let got = ask(&kim, ben()).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{}", String::from_utf8_lossy(&got.body));
    assert_eq!(ask(&kim, ben()).await.problem(), "dispatch.not_now");
    house.advance(Duration::from_secs(1)).await;
    let texts = Told::so_far(&house.told.texts);
    assert_eq!(texts.len(), 2);
    assert_eq!((&texts[1].to, &texts[1].body), (&texts[0].to, &texts[0].body), "as the step sent it, under its code");
    let seen = house.fetch("/api/v1/dispatches", &kim).await.json();
    let lines = seen["items"][0]["timeline"].as_array().expect("a time line");
    let line = "KIM has the message texted to Ben Ortiz (mobile).";
    assert_eq!(lines.iter().filter(|l| l["text"] == line).count(), 1, "{seen}");
    house.ask(Method::PUT, &path(&dispatch, "lock"), &lee, json!({})).await;
    house.advance(Duration::from_secs(60)).await;
    assert_eq!(ask(&kim, ben()).await.problem(), "dispatch.locked");
    let nothing = ask(&lee, json!({"contact": "con_ben", "destination": "dst_nothing"})).await;
    assert_eq!((nothing.status, nothing.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "dispatch.invalid"));
}

#[tokio::test]
async fn nobody_of_another_account_is_called_or_texted_by_hand() {
    let (house, kim, dispatch) = gone_out().await;
    let plumbing = house.store.list_accounts().await.expect("the store answers").remove(0);
    let ben = house.store.list_contacts(&plumbing.id).await.expect("the store answers").remove(0);
    let (mut other, mut dana) = (plumbing, ben);
    other.id = AccountId::named("clinic");
    other.name = "Imaginary Clinic".into();
    other.dids = vec![number("+12025550104")];
    other.call_types.clear();
    (dana.id, dana.account) = (ContactId::named("dana"), other.id.clone());
    dana.destinations.truncate(1);
    dana.destinations[0].id = DestinationId::named("dana-mobile");
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_account(&other, crate::support::START).await.expect("an account");
    tx.upsert_contact(&dana).await.expect("a contact");
    tx.commit("test").await.expect("written");
    let texts = Told::so_far(&house.told.texts).len();
    for act in ["call", "text"] {
        let body = json!({"contact": "con_dana", "destination": "dst_dana-mobile"});
        let got = house.ask(Method::POST, &path(&dispatch, act), &kim, body).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{act}");
        assert_eq!(got.json()["errors"][0]["field"], "contact", "{act}: {}", got.json());
    }
    house.advance(Duration::from_secs(1)).await;
    assert!(Told::so_far(&house.told.jobs).is_empty());
    assert_eq!(Told::so_far(&house.told.texts).len(), texts);
}
