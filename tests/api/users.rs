//! Users, changed by admins: a sign-in that ends at once, and an admin who is always left.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{House, PASSWORD};

#[tokio::test]
async fn an_operator_is_made_locked_out_and_let_in_again() {
    made_locked_let_in(&House::new().await).await;
    if let Some(server) = Postgres::start("an_operator_is_made_locked_out_and_let_in_again") {
        made_locked_let_in(&House::on(Some(server.create_database())).await).await;
    }
}

async fn made_locked_let_in(house: &House) {
    let ada = house.sign_in("ada").await;
    let new = json!({"login": "Mia.K", "name": "Mia", "role": "operator", "password": PASSWORD});
    let got = house.ask(Method::POST, "/api/v1/users", &ada, new.clone()).await;
    assert_eq!((got.status, &got.json()["login"]), (StatusCode::CREATED, &json!("mia.k")));
    let path = format!("/api/v1/users/{}", got.json()["id"].as_str().unwrap());
    let got = house.ask(Method::POST, "/api/v1/users", &ada, new).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "user.login_taken"));

    let mia = house.sign_in("mia.k").await;
    assert_eq!(house.fetch("/api/v1/me", &mia).await.status, StatusCode::OK);
    let got = house.ask(Method::PATCH, &path, &ada, json!({"disabled": true})).await;
    assert_eq!((got.status, &got.json()["disabled"]), (StatusCode::OK, &json!(true)));
    // No clock has moved: it ends at once.
    let got = house.fetch("/api/v1/me", &mia).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNAUTHORIZED, "auth.ended"));
    let sign_in = json!({"login": "mia.k", "password": PASSWORD});
    assert_eq!(house.ask(Method::POST, "/api/v1/sessions", "", sign_in).await.problem(), "auth.wrong");

    let other = "another good password";
    let change = json!({"disabled": false, "password": other, "name": "Mia King"});
    assert_eq!(house.ask(Method::PATCH, &path, &ada, change).await.json()["name"], "Mia King");
    let sign_in = json!({"login": "mia.k", "password": other});
    let got = house.ask(Method::POST, "/api/v1/sessions", "", sign_in).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let mia = got.json()["access_token"].as_str().unwrap().to_owned();
    // Another role is another token.
    house.ask(Method::PATCH, &path, &ada, json!({"role": "supervisor"})).await;
    assert_eq!(house.fetch("/api/v1/me", &mia).await.problem(), "auth.ended");
}

#[tokio::test]
async fn everything_wrong_with_a_user_is_told_at_once() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    let bad = json!({"login": "no spaces", "role": "operator", "password": "short"});
    let got = house.ask(Method::POST, "/api/v1/users", &ada, bad).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "user.invalid"));
    let codes: Vec<Value> = got.json()["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
    assert_eq!(codes, ["user.login", "user.password"]);
    let long = json!({"login": "mia", "name": "Mia", "role": "operator", "password": "a".repeat(1_200)});
    let got = house.ask(Method::POST, "/api/v1/users", &ada, long).await.json();
    let fault = &got["errors"][0];
    assert_eq!((&fault["code"], &fault["cure"]), (&json!("user.password_too_long"), &json!("Choose a shorter one.")));
}

#[tokio::test]
async fn somebody_is_always_left_who_can_let_others_in() {
    let house = House::new().await;
    let ada = house.sign_in("ada").await;
    for change in [json!({"disabled": true}), json!({"role": "operator"})] {
        let got = house.ask(Method::PATCH, "/api/v1/users/usr_ada", &ada, change).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "user.last_admin"));
    }
    assert_eq!(house.fetch("/api/v1/me", &ada).await.status, StatusCode::OK);
}

#[tokio::test]
async fn operators_do_not_see_users_and_only_admins_change_them() {
    let house = House::new().await;
    for login in ["kim", "sam"] {
        let token = house.sign_in(login).await;
        let seen = house.fetch("/api/v1/users", &token).await.status;
        assert_eq!(seen, if login == "sam" { StatusCode::OK } else { StatusCode::FORBIDDEN });
        let got = house.ask(Method::PATCH, "/api/v1/users/usr_ada", &token, json!({"disabled": true})).await;
        assert_eq!(got.status, StatusCode::FORBIDDEN);
    }
    let ada = house.sign_in("ada").await;
    let users = house.fetch("/api/v1/users", &ada).await;
    assert!(!String::from_utf8_lossy(&users.body).contains("argon2"));
    assert_eq!(users.json()["items"].as_array().unwrap().len(), 4);
}
