//! A client's own password: changed by whoever knows the old one, and guessed by nobody.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::audit::{row, rows};
use crate::peers::postgres::Postgres;
use crate::portal::client;
use crate::support::{House, PASSWORD};

const PATH: &str = "/api/v1/portal/password";
const NEW: &str = "seven green kettles";

fn change(old: &str, new: &str) -> Value {
    json!({"old_password": old, "password": new})
}

#[tokio::test]
async fn a_client_changes_their_password_and_stays_signed_in_where_they_did() {
    changed(&House::new().await).await;
    if let Some(server) = Postgres::start("a_client_changes_their_password_and_stays_signed_in_where_they_did") {
        changed(&House::on(Some(server.create_database())).await).await;
    }
}

async fn changed(house: &House) {
    let phone = client(house, "pat", &["messages"]).await;
    let here = house.session("pat").await;
    let token = here["access_token"].as_str().expect("a token");
    let id = house.fetch("/api/v1/portal", token).await.json()["user"]["id"].as_str().expect("an id").to_owned();
    // Neither with another's word for the old one, nor with one that is too short or the same.
    for (body, pointer, code) in [
        (change("wrong horse battery", NEW), "/old_password", "user.password_wrong"),
        (change(PASSWORD, "short"), "/password", "user.password"),
        (change(PASSWORD, PASSWORD), "/password", "user.password_same"),
    ] {
        let got = house.ask(Method::PUT, PATH, token, body).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
        let fault = &got.json()["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!(pointer), &json!(code)));
    }
    assert_eq!(house.fetch("/api/v1/portal", &phone).await.status, StatusCode::OK, "nothing was changed");

    let got = house.ask(Method::PUT, PATH, token, change(PASSWORD, NEW)).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    assert_eq!(house.fetch("/api/v1/portal", token).await.status, StatusCode::OK, "signed in here");
    assert_eq!(house.fetch("/api/v1/portal", &phone).await.problem(), "auth.ended", "and nowhere else");
    let refresh = json!({"refresh_token": here["refresh_token"]});
    let got = house.ask(Method::POST, "/api/v1/sessions/refresh", "", refresh).await;
    assert_eq!(got.status, StatusCode::OK, "for as long as before");
    let sign_in = |password: &str| json!({"login": "pat", "password": password});
    assert_eq!(house.ask(Method::POST, "/api/v1/sessions", "", sign_in(PASSWORD)).await.problem(), "auth.wrong");
    let got = house.ask(Method::POST, "/api/v1/sessions", "", sign_in(NEW)).await;
    assert_eq!(got.status, StatusCode::CREATED);
    assert_eq!(rows(house, &format!("object={id}&act=user.changed")).await, [row(&id, "user.changed", &id)]);
    let tried = rows(house, &format!("object={id}&act=session.failed")).await;
    assert!(tried.contains(&row(&id, "session.failed", &id)), "who tried a wrong one is on record: {tried:?}");
}

#[tokio::test]
async fn guessing_the_old_password_is_slowed_down_as_signing_in_is() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["messages"]).await;
    for _ in 0..5 {
        let got = house.ask(Method::PUT, PATH, &pat, change("wrong horse battery", NEW)).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let got = house.ask(Method::PUT, PATH, &pat, change(PASSWORD, NEW)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "auth.too_many"));
    // One bucket for both doors.
    let sign_in = json!({"login": "pat", "password": PASSWORD});
    assert_eq!(house.ask(Method::POST, "/api/v1/sessions", "", sign_in).await.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = got.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    house.clock.advance(Duration::from_secs(wait));
    let got = house.ask(Method::PUT, PATH, &pat, change(PASSWORD, NEW)).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn only_a_client_has_this_door() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    assert_eq!(house.ask(Method::PUT, PATH, &kim, change(PASSWORD, NEW)).await.problem(), "auth.role");
    house.sign_in("kim").await;
}
