//! Signing in, refreshing, signing out, and being limited.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{House, PASSWORD};

#[tokio::test]
async fn a_login_and_password_give_tokens_that_work() {
    let house = House::new().await;
    let session = house.session("kim").await;
    assert_eq!(session["expires_in"], 900);
    assert_eq!(session["user"]["role"], "operator");
    let me = house.fetch("/api/v1/me", session["access_token"].as_str().expect("a token")).await;
    assert_eq!(me.status, StatusCode::OK);
    assert_eq!(me.json()["user"]["login"], "kim");
    assert_eq!(me.json()["seat"]["state"], "not_ready");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_refused_alike() {
    let house = House::new().await;
    let mut told = Vec::new();
    for (login, password) in [("kim", "wrong horse battery"), ("nobody", PASSWORD)] {
        let got = house.ask(Method::POST, "/api/v1/sessions", "", json!({"login": login, "password": password})).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED);
        assert_eq!(got.problem(), "auth.wrong");
        told.push(got.json());
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down_and_then_allowed_again() {
    let house = House::new().await;
    let wrong = json!({"login": "kim", "password": "wrong horse battery"});
    for _ in 0..5 {
        house.ask(Method::POST, "/api/v1/sessions", "", wrong.clone()).await;
    }
    let right = json!({"login": " KIM ", "password": PASSWORD});
    let got = house.ask(Method::POST, "/api/v1/sessions", "", right.clone()).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "auth.too_many"));
    let wait: u64 = got.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    house.clock.advance(Duration::from_secs(wait));
    let got = house.ask(Method::POST, "/api/v1/sessions", "", right).await;
    assert_eq!(got.status, StatusCode::CREATED);
    house.sign_in("lee").await;
}

#[tokio::test]
async fn a_refresh_token_works_once_and_a_second_use_ends_the_session() {
    let house = House::new().await;
    let first = house.session("kim").await;
    let refresh = |token: &Value| json!({"refresh_token": token});
    let path = "/api/v1/sessions/refresh";
    house.clock.advance(Duration::from_secs(800));
    let second = house.ask(Method::POST, path, "", refresh(&first["refresh_token"])).await;
    assert_eq!(second.status, StatusCode::OK);
    let second = second.json();
    let token = second["access_token"].as_str().expect("a token");
    house.clock.advance(Duration::from_secs(200));
    assert_eq!(house.fetch("/api/v1/me", token).await.status, StatusCode::OK);
    let old = house.fetch("/api/v1/me", first["access_token"].as_str().expect("a token")).await;
    assert_eq!(old.problem(), "auth.expired");

    // Not at once, as who has lost the answer would.
    let stolen = house.ask(Method::POST, path, "", refresh(&first["refresh_token"])).await;
    assert_eq!((stolen.status, stolen.problem().as_str()), (StatusCode::UNAUTHORIZED, "auth.reused"));
    assert_eq!(house.fetch("/api/v1/me", token).await.problem(), "auth.ended");
    let both = house.ask(Method::POST, path, "", refresh(&second["refresh_token"])).await;
    assert_eq!(both.problem(), "auth.refresh");
    let made_up = house.ask(Method::POST, path, "", refresh(&json!("made up"))).await;
    assert_eq!(made_up.problem(), "auth.refresh");
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let house = House::new().await;
    let session = house.session("kim").await;
    let token = session["access_token"].as_str().expect("a token");
    let other = house.sign_in("kim").await;
    let out = house.ask(Method::DELETE, "/api/v1/sessions/current", token, Value::Null).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch("/api/v1/me", token).await.problem(), "auth.ended");
    let refresh = json!({"refresh_token": session["refresh_token"]});
    let got = house.ask(Method::POST, "/api/v1/sessions/refresh", "", refresh).await;
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.fetch("/api/v1/me", &other).await.status, StatusCode::OK, "another session is not affected");
}

#[tokio::test]
async fn a_session_ended_on_another_node_is_refused_within_seconds() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    assert_eq!(house.fetch("/api/v1/me", &token).await.status, StatusCode::OK);
    let session = house.front.tokens.check(&token).expect("a good token").session;
    let mut tx = house.store.write().await.expect("a transaction");
    tx.revoke_session(&session, "by another node", crate::support::START).await.expect("revoked");
    tx.commit("test").await.expect("committed");
    house.clock.advance(Duration::from_secs(6));
    assert_eq!(house.fetch("/api/v1/me", &token).await.problem(), "auth.ended");
}
