//! Listening to live calls: supervisors may, operators and clients may not.

use axum::http::{Method, StatusCode};
use cordboard::base::id::{CallId, UserId};
use cordboard::engine::calls::ListenMode;
use serde_json::{Value, json};

use crate::support::{House, Told};

const PATH: &str = "/api/v1/calls/call_1/listen";

#[tokio::test]
async fn a_supervisor_listens_in_each_mode_and_leaves() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    for mode in ["monitor", "whisper", "barge"] {
        let got = house.ask(Method::POST, PATH, &sam, json!({ "mode": mode })).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(house.ask(Method::DELETE, PATH, &sam, Value::Null).await.status, StatusCode::NO_CONTENT);
    let modes = [Some(ListenMode::Monitor), Some(ListenMode::Whisper), Some(ListenMode::Barge), None];
    let wanted = modes.map(|mode| (CallId::named("1"), UserId::named("sam"), mode));
    assert_eq!(Told::so_far(&house.told.listens), wanted);
}

#[tokio::test]
async fn operators_may_not_listen_to_each_other_and_strangers_to_nobody() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    for (method, body) in [(Method::POST, json!({"mode": "monitor"})), (Method::DELETE, Value::Null)] {
        let got = house.ask(method.clone(), PATH, &kim, body.clone()).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "auth.role"));
        assert_eq!(house.ask(method, PATH, "", body).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(Told::so_far(&house.told.listens), []);
}

#[tokio::test]
async fn the_floor_is_for_supervisors() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let floor = house.fetch("/api/v1/board", &sam).await.json();
    assert_eq!((&floor["seats"][0]["user"]["name"], &floor["answer_within_secs"]), (&json!("KIM"), &json!(20)));
    assert_eq!((&floor["figures"]["service"]["offered"], &floor["calls"]), (&json!(0), &json!([])));
    assert_eq!(house.fetch("/api/v1/board", &kim).await.problem(), "auth.role");
}

#[tokio::test]
async fn why_not_now_is_told_in_words() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    *house.told.refuse.lock().expect("nobody panicked") = true;
    let got = house.ask(Method::POST, PATH, &sam, json!({"mode": "barge"})).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "call.not_now"));
    assert_eq!(got.json()["detail"], "Nobody talks in this call now.");
    let got = house.ask(Method::POST, PATH, &sam, json!({"mode": "shout"})).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
}
