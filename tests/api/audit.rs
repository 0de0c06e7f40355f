//! The audit log at the front door: what is shown is on it first, and who may read it.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{House, PASSWORD, message_body};

/// What the log says, oldest first: who, what, to what.
pub async fn rows(house: &House, query: &str) -> Vec<(String, String, String)> {
    let sam = house.sign_in("sam").await;
    let got = house.fetch(&format!("/api/v1/audit?limit=200&{query}"), &sam).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let items = got.json()["items"].as_array().expect("rows").clone();
    items.iter().rev().map(|row| (text(&row["who"]["id"]), text(&row["act"]), text(&row["object"]))).collect()
}

pub fn row(who: &str, act: &str, object: &str) -> (String, String, String) {
    (who.to_owned(), act.to_owned(), object.to_owned())
}

async fn saved(house: &House, token: &str) -> String {
    let got = house.ask(Method::POST, "/api/v1/messages", token, message_body()).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    got.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn whoever_reads_a_message_is_on_the_log_once_for_one_reading() {
    let house = House::new().await;
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let id = saved(&house, &kim).await;
    let path = format!("/api/v1/messages/{id}");
    assert_eq!(rows(&house, &format!("object={id}")).await, [], "whoever takes a message has it from the caller");
    for token in [&kim, &kim, &lee] {
        assert_eq!(house.fetch(&path, token).await.status, StatusCode::OK);
    }
    let read = |who| row(who, "message.read", &id);
    assert_eq!(rows(&house, &format!("object={id}")).await, [read("usr_kim"), read("usr_lee")]);
    house.clock.advance(Duration::from_secs(299));
    house.fetch(&path, &house.sign_in("kim").await).await;
    assert_eq!(rows(&house, &format!("object={id}")).await.len(), 2);
    house.clock.advance(Duration::from_secs(1));
    house.fetch(&path, &house.sign_in("kim").await).await;
    assert_eq!(rows(&house, &format!("object={id}")).await.len(), 3, "the next is another reading");
    assert_eq!(house.fetch("/api/v1/messages/msg_nowhere", &lee).await.status, StatusCode::NOT_FOUND);
    assert_eq!(rows(&house, "object=msg_nowhere").await, []);
}

#[tokio::test]
async fn each_message_of_a_list_and_every_edition_is_on_the_log() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let (first, second) = (saved(&house, &kim).await, saved(&house, &kim).await);
    house.fetch("/api/v1/messages", &kim).await;
    let lee = house.sign_in("lee").await;
    house.fetch("/api/v1/accounts/acc_plumbing/messages", &lee).await;
    let mut expected: Vec<_> = ["usr_kim", "usr_lee"]
        .into_iter()
        .flat_map(|who| [row(who, "message.listed", &first), row(who, "message.listed", &second)])
        .collect();
    let mut listed = rows(&house, "act=message.listed").await;
    expected.sort();
    listed.sort();
    assert_eq!(listed, expected);

    let mut answers = message_body()["answers"].clone();
    answers["problem"] = json!("Burst pipe in the attic");
    let change = json!({"edition": 1, "caller": message_body()["caller"], "answers": answers});
    let got = house.ask(Method::PUT, &format!("/api/v1/messages/{first}"), &kim, change).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    house.fetch(&format!("/api/v1/messages/{first}/editions"), &kim).await;
    let about = rows(&house, &format!("object={first}&who=usr_kim")).await;
    let acts: Vec<&str> = about.iter().map(|(_, act, _)| act.as_str()).collect();
    assert_eq!(acts, ["message.listed", "message.changed", "message.editions_read"]);
}

#[tokio::test]
async fn nothing_is_shown_that_the_log_does_not_take() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let id = saved(&house, &kim).await;
    let sam = house.sign_in("sam").await;
    let run = async |sql: &'static str| {
        let mut tx = house.store.write().await.expect("the store writes");
        tx.execute(sql, Vec::new()).await.expect("a statement");
        tx.commit("test").await.expect("committed");
    };
    run("ALTER TABLE audit RENAME TO away").await;
    for path in
        [format!("/api/v1/messages/{id}"), "/api/v1/messages".to_owned(), format!("/api/v1/messages/{id}/editions")]
    {
        let got = house.fetch(&path, &kim).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "audit.away"), "{path}");
    }
    assert_eq!(house.fetch("/api/v1/audit", &sam).await.problem(), "audit.away");
    // A listener is let go again.
    let got = house.ask(Method::POST, "/api/v1/calls/call_1/listen", &sam, json!({"mode": "monitor"})).await;
    assert_eq!(got.problem(), "audit.away");
    assert_eq!(house.told.listens.lock().expect("no panic").last().map(|(.., mode)| *mode), Some(None));
    // Taking messages goes on.
    saved(&house, &kim).await;
    run("ALTER TABLE away RENAME TO audit").await;
    assert_eq!(house.fetch(&format!("/api/v1/messages/{id}"), &kim).await.status, StatusCode::OK);
    house.store.verify_audit(&[]).await.expect("read").expect("whole");
}

#[tokio::test]
async fn listening_signing_in_and_changing_are_on_the_log() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    for mode in ["monitor", "whisper", "barge"] {
        house.ask(Method::POST, "/api/v1/calls/call_1/listen", &sam, json!({ "mode": mode })).await;
    }
    let heard = ["call.monitored", "call.whispered", "call.barged"].map(|act| row("usr_sam", act, "call_1"));
    assert_eq!(rows(&house, "act=call").await, heard);

    let wrong = |login: &str| json!({ "login": login, "password": "not theirs at all" });
    for login in ["kim", "nobody.here"] {
        let got = house.ask(Method::POST, "/api/v1/sessions", "", wrong(login)).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    }
    let failed = [row("nobody", "session.failed", "usr_kim"), row("nobody", "session.failed", "none")];
    assert_eq!(rows(&house, "act=session.failed").await, failed);
    let kim = house.sign_in("kim").await;
    house.ask(Method::DELETE, "/api/v1/sessions/current", &kim, Value::Null).await;
    let kims: Vec<_> = rows(&house, "who=usr_kim").await.into_iter().map(|(_, act, _)| act).collect();
    assert_eq!(kims, ["session.opened", "session.closed"]);

    let edit = json!({"name": "Imaginary Heating", "zone": "America/New_York"});
    let got = house.ask(Method::POST, "/api/v1/accounts", &sam, edit.clone()).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let account = got.json()["id"].as_str().expect("an id").to_owned();
    let mut again = edit;
    again["edition"] = got.json()["edition"].clone();
    again["notes"] = json!("Ask for the model.");
    let got = house.ask(Method::PUT, &format!("/api/v1/accounts/{account}"), &sam, again).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let contact = json!({"name": "Dana Reyes", "title": "technician", "destinations": []});
    let got = house.ask(Method::POST, &format!("/api/v1/accounts/{account}/contacts"), &sam, contact).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let pin = format!("/api/v1/accounts/{account}/pin");
    assert_eq!(house.ask(Method::PUT, &pin, &sam, json!({"pin": "4711"})).await.status, StatusCode::OK);
    assert_eq!(house.ask(Method::DELETE, &pin, &sam, Value::Null).await.status, StatusCode::NO_CONTENT);
    let acts: Vec<_> = rows(&house, &format!("object={account}&who=usr_sam")).await.into_iter().map(|r| r.1).collect();
    assert_eq!(acts, ["account.added", "account.changed", "account.changed", "pin.set", "pin.removed"]);

    let ada = house.sign_in("ada").await;
    let new = json!({"login": "max", "role": "operator", "password": PASSWORD});
    let max =
        house.ask(Method::POST, "/api/v1/users", &ada, new).await.json()["id"].as_str().expect("an id").to_owned();
    house.ask(Method::PATCH, &format!("/api/v1/users/{max}"), &ada, json!({"disabled": true})).await;
    house.ask(Method::PUT, &format!("/api/v1/users/{max}/skills"), &sam, json!({"skills": ["spanish"]})).await;
    let expected = [
        row("usr_ada", "user.added", &max),
        row("usr_ada", "user.changed", &max),
        row("usr_sam", "user.changed", &max),
    ];
    assert_eq!(rows(&house, &format!("object={max}")).await, expected);
    house.store.verify_audit(&[]).await.expect("read").expect("whole");
}

#[tokio::test]
async fn the_log_is_for_supervisors_who_are_on_it_once_an_hour_and_is_read_in_pages() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    assert_eq!(house.fetch("/api/v1/audit", &kim).await.problem(), "auth.role");
    assert_eq!(house.fetch("/api/v1/audit", "").await.problem(), "auth.required");
    let sam = house.sign_in("sam").await;
    for _ in 0..3 {
        assert_eq!(house.fetch("/api/v1/audit", &sam).await.status, StatusCode::OK);
    }
    let looks = async |token: &str| {
        let got = house.fetch("/api/v1/audit?act=audit.read", token).await.json();
        got["items"].as_array().expect("rows").len()
    };
    assert_eq!(looks(&sam).await, 1);
    house.clock.advance(Duration::from_secs(3_600));
    let sam = house.sign_in("sam").await;
    assert_eq!(looks(&sam).await, 2);

    let id = saved(&house, &house.sign_in("kim").await).await;
    house.fetch(&format!("/api/v1/messages/{id}"), &house.sign_in("kim").await).await;
    let (mut cursor, mut numbers) = (String::new(), Vec::new());
    loop {
        let got = house.fetch(&format!("/api/v1/audit?limit=2{cursor}"), &sam).await.json();
        numbers
            .extend(got["items"].as_array().expect("rows").iter().map(|row| row["number"].as_i64().expect("a number")));
        match got["next"].as_i64() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let all: Vec<i64> = (1..=numbers.len() as i64).rev().collect();
    assert_eq!(numbers, all);
    let newest = &house.fetch("/api/v1/audit?limit=1", &sam).await.json()["items"][0];
    assert_eq!(newest["who"], json!({"kind": "user", "id": "usr_kim", "name": "KIM"}));
    assert_eq!((&newest["act"], &newest["object"]), (&json!("message.read"), &json!(id)));
    for wrong in ["object=%25", "who=a%20b", "act=message.%25", "limit=x"] {
        let got = house.fetch(&format!("/api/v1/audit?{wrong}"), &sam).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}
