//! What supervisors do, and operators may not: listen to live calls, move them, send operators home.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::id::{CallId, UserId};
use cordboard::domain::call::cause::Cause;
use cordboard::engine::calls::ListenMode;
use cordboard::engine::feed::{FeedEvent, SeatState};
use cordboard::io::store::inner_calls::InnerCall;
use serde_json::{Value, json};

use crate::support::{House, START, Told};

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
async fn who_called_which_colleague_is_for_supervisors_to_see() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let call = |n: i64, end| InnerCall {
        id: CallId::named(&n.to_string()),
        by: UserId::named("kim"),
        to: UserId::named("lee"),
        started_at: START.plus_ms(n),
        answered_at: None,
        end,
    };
    let mut tx = house.store.write().await.expect("a transaction");
    tx.upsert_inner_call(&call(1, Some((START.plus_ms(9), Cause::Busy)))).await.expect("a call");
    tx.upsert_inner_call(&call(2, None)).await.expect("a call");
    tx.commit("test").await.expect("written");
    let page = house.fetch("/api/v1/inner_calls?limit=1", &sam).await.json();
    assert_eq!((&page["items"][0]["to"]["name"], &page["items"][0]["ended_at"]), (&json!("LEE"), &Value::Null));
    let next = page["next"].as_str().expect("there is more");
    let page = house.fetch(&format!("/api/v1/inner_calls?cursor={next}"), &sam).await.json();
    assert_eq!((&page["items"][0]["cause"], &page["next"]), (&json!("busy"), &Value::Null));
    assert_eq!(house.fetch("/api/v1/inner_calls", &kim).await.problem(), "auth.role");
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

#[tokio::test]
async fn a_supervisor_moves_calls_and_an_operator_does_not() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    let path = "/api/v1/calls/call_1/move";
    for body in [json!({}), json!({"to": "usr_lee"})] {
        assert_eq!(house.ask(Method::POST, path, &sam, body).await.status, StatusCode::NO_CONTENT);
    }
    let lee = Some(UserId::named("lee"));
    let moved = [None, lee].map(|to| (CallId::named("1"), UserId::named("sam"), to));
    assert_eq!(Told::so_far(&house.told.moved), moved);
    assert_eq!(house.ask(Method::POST, path, &kim, json!({})).await.problem(), "auth.role");
}

#[tokio::test]
async fn who_is_logged_out_loses_her_sessions_once_her_call_and_its_form_are_done() {
    let house = House::new().await;
    let (sam, kim) = (house.sign_in("sam").await, house.sign_in("kim").await);
    *house.told.kims.lock().expect("nobody panicked") = Some(SeatState::Talking);
    let path = "/api/v1/seats/usr_kim/log_out";
    assert_eq!(house.ask(Method::POST, path, &kim, Value::Null).await.problem(), "auth.role");
    assert_eq!(house.ask(Method::POST, path, &sam, Value::Null).await.status, StatusCode::ACCEPTED);
    let nobody = house.ask(Method::POST, "/api/v1/seats/usr_nobody/log_out", &sam, Value::Null).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let session = house.front.tokens.check(&kim).expect("a token of ours").session;
    let asks = || async {
        // The store's word that a session lives would be believed for a while.
        house.front.live.forget(&session);
        house.fetch("/api/v1/me", &kim).await.status
    };
    assert_eq!(asks().await, StatusCode::OK, "she still talks");
    *house.told.kims.lock().expect("nobody panicked") = None;
    let floor = house.fetch("/api/v1/board", &sam).await;
    assert_eq!(floor.status, StatusCode::OK);
    let seat = house.front.desk.floor().await.expect("the desk is open").seats.remove(0);
    let ended = async {
        loop {
            // The watch may only begin to look after this was said.
            house.front.feed.publish(FeedEvent::Seat { seat: seat.clone() });
            if asks().await == StatusCode::UNAUTHORIZED {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("her sessions end");
    assert_eq!(house.fetch("/api/v1/board", &sam).await.status, StatusCode::OK, "hers alone");
}
