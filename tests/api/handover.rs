//! What passes between operators: who is at work, callers parked and passed on with a note, the form that goes along; keys.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::{AccountId, CallId, UserId};
use cordboard::engine::calls::Command;
use cordboard::engine::feed::CallState;
use cordboard::io::store::drafts::LATE_MS;
use serde_json::{Value, json};

use crate::support::{House, Told, call_of, message_body};

#[tokio::test]
async fn callers_are_parked_fetched_and_passed_on_and_keys_are_sent() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for (path, body) in [
        ("park", Value::Null),
        ("fetch", Value::Null),
        ("pass", json!({"to": "usr_lee", "note": "  speaks French "})),
        ("pass", json!({"note": " "})),
        ("keys", json!({"keys": "12#a"})),
        ("ask", json!({"user": "usr_lee"})),
        ("ask/hand_over", Value::Null),
        ("ask/cancel", Value::Null),
        ("patch/let_go", Value::Null),
    ] {
        let got = house.ask(Method::POST, &format!("/api/v1/calls/call_1/{path}"), &kim, body).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "{path}");
    }
    let acts: Vec<_> = Told::so_far(&house.told.commands).into_iter().map(|(_, _, command)| command).collect();
    assert_eq!(acts[0], Command::Park);
    assert_eq!(acts[1], Command::Fetch);
    assert_eq!(acts[2], Command::Pass { to: Some(UserId::named("lee")), note: Some("speaks French".into()) });
    assert_eq!(acts[3], Command::Pass { to: None, note: None });
    assert_eq!(acts[4], Command::Keys("12#A".into()));
    assert_eq!(acts[5], Command::Ask { user: UserId::named("lee") });
    assert_eq!((&acts[6], &acts[7]), (&Command::HandOver, &Command::Cancel));
    assert_eq!(acts[8], Command::LetGo);
    for keys in ["", "12x", &"1".repeat(33)] {
        let got = house.ask(Method::POST, "/api/v1/calls/call_1/keys", &kim, json!({ "keys": keys })).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "keys.invalid"), "{keys}");
    }
}

#[tokio::test]
async fn two_calls_are_joined_by_naming_the_other_and_what_stands_in_the_way_is_said() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let join = async |body: Value| house.ask(Method::POST, "/api/v1/calls/call_1/join", &kim, body).await;
    assert_eq!(join(json!({"call": "call_2"})).await.status, StatusCode::NO_CONTENT);
    let acts = Told::so_far(&house.told.commands);
    assert_eq!(acts[0], (CallId::named("1"), UserId::named("kim"), Command::JoinCall { other: CallId::named("2") }));
    assert!(join(json!({})).await.status.is_client_error(), "which?");
    *house.told.refuse.lock().expect("no panic") = true;
    let got = join(json!({"call": "call_2"})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"));
}

#[tokio::test]
async fn the_last_words_typed_in_a_form_that_is_moved_come_after_it_and_write_over_nobodys() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let saves = async |who: &str, problem: &str| {
        let body = json!({"account": "acc_plumbing", "call": "call_1", "answers": {"problem": problem}});
        house.ask(Method::PUT, "/api/v1/drafts/drf_1", who, body).await.status
    };
    let reads = async || house.fetch("/api/v1/drafts", &lee).await.json()["items"][0]["answers"]["problem"].clone();
    assert_eq!(saves(&kim, "burst").await, StatusCode::OK);
    house.told.up.lock().expect("no panic").push(call_of("lee"));
    let taken = house.ask(Method::POST, "/api/v1/calls/call_1/form", &lee, Value::Null).await;
    assert_eq!((taken.status, taken.json()["answers"]["problem"].clone()), (StatusCode::OK, json!("burst")));

    assert_eq!(saves(&kim, "burst pipe").await, StatusCode::OK, "they were on their way");
    assert_eq!(reads().await, json!("burst pipe"));
    assert_eq!(house.fetch("/api/v1/drafts", &kim).await.json()["items"], json!([]), "the form is not hers by that");
    let mut message = message_body();
    message["draft"] = json!("drf_1");
    let got = house.ask(Method::POST, "/api/v1/messages", &kim, message).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "draft.settled"), "it is Lee's to save");
    assert_eq!(reads().await, json!("burst pipe"));
    house.clock.advance(Duration::from_millis(LATE_MS.unsigned_abs() + 1));
    assert_eq!(saves(&kim, "burst pipe, much later").await, StatusCode::NOT_FOUND);

    assert_eq!(saves(&lee, "burst pipe in the cellar").await, StatusCode::OK);
    assert_eq!(saves(&kim, "burst").await, StatusCode::NOT_FOUND, "it has words of its own now");
    assert_eq!(reads().await, json!("burst pipe in the cellar"));
}

#[tokio::test]
async fn who_was_too_late_for_a_caller_is_told_who_has_them() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    *house.told.refuse.lock().expect("no panic") = true;
    for way in ["take", "fetch"] {
        let gets =
            async |who: &str| house.ask(Method::POST, &format!("/api/v1/calls/call_1/{way}"), who, Value::Null).await;
        let got = gets(&kim).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"), "nobody has them");
        house.told.up.lock().expect("no panic").push(call_of("lee"));
        let got = gets(&kim).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.taken"), "{way}");
        assert_eq!(got.json()["detail"], "Lee has this call now.");
        assert_eq!(gets(&lee).await.problem(), "call.not_now", "her own is nobody else's");
        let is_now = |state: CallState| house.told.up.lock().expect("no panic")[0].state = state;
        is_now(CallState::Offered);
        let got = gets(&kim).await;
        assert_eq!((got.problem().as_str(), &got.json()["detail"]), ("call.not_now", &json!("It rings at Lee's now.")));
        is_now(CallState::WrapUp);
        assert_eq!(gets(&kim).await.problem(), "call.not_now", "it is over");
        house.told.up.lock().expect("no panic").clear();
    }
}

#[tokio::test]
async fn whoever_has_the_call_has_its_form() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let draft = json!({"account": "acc_plumbing", "call": "call_1", "answers": {"problem": "burst pipe"}});
    assert_eq!(house.ask(Method::PUT, "/api/v1/drafts/drf_1", &kim, draft).await.status, StatusCode::OK);
    let take = async |who: &str| house.ask(Method::POST, "/api/v1/calls/call_1/form", who, Value::Null).await;

    let got = take(&lee).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"), "not at her seat");
    house.told.up.lock().expect("no panic").push(call_of("lee"));
    let got = take(&lee).await;
    assert_eq!((got.status, got.json()["answers"]["problem"].clone()), (StatusCode::OK, json!("burst pipe")));
    assert_eq!(got.json()["owner"], "usr_lee");
    assert_eq!(house.fetch("/api/v1/drafts", &kim).await.json()["items"], json!([]));
    assert_eq!(take(&lee).await.status, StatusCode::NO_CONTENT, "it is hers already");
}

#[tokio::test]
async fn a_call_that_was_for_another_account_is_changed_and_its_message_is_saved_there() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let change = async |account: &str| {
        house.ask(Method::POST, "/api/v1/calls/call_1/account", &kim, json!({ "account": account })).await
    };
    assert_eq!(change("acc_nobody").await.problem(), "not_found");
    assert_eq!(change("acc_plumbing").await.status, StatusCode::NO_CONTENT);
    let acts = Told::so_far(&house.told.commands);
    let Command::ChangeAccount(account) = &acts[0].2 else { panic!("{:?}", acts[0].2) };
    assert_eq!(account.id, AccountId::named("plumbing"));

    let mut body = message_body();
    body["call"] = json!("call_1");
    let refused = house.ask(Method::POST, "/api/v1/messages", &kim, body.clone()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody knows the call");
    house.told.up.lock().expect("no panic").push(call_of("kim"));
    let saved = house.ask(Method::POST, "/api/v1/messages", &kim, body).await;
    assert_eq!(saved.status, StatusCode::CREATED, "it is this account's now: {:?}", saved.json());
}

#[tokio::test]
async fn who_is_at_work_is_told_by_name() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let seats = house.fetch("/api/v1/seats", &kim).await.json();
    assert_eq!(seats["items"][0]["user"], json!({"id": "usr_lee", "name": "Lee"}));
    assert_eq!(house.fetch("/api/v1/seats", "").await.status, StatusCode::UNAUTHORIZED);
}
