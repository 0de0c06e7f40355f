//! Who is on call, in the client's own hands: what they change counts at the desk at once, in their name.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::portal::{HERE, client};
use crate::support::{House, START};

const DESK: &str = "/api/v1/accounts/acc_plumbing/on_call";

fn at(hours: i64) -> i64 {
    START.0 + hours * 3_600_000
}

fn only(contact: &str, from: i64, until: i64) -> Value {
    json!({"kind": "only", "contact": contact, "from": at(from), "until": at(until)})
}

#[tokio::test]
async fn a_client_puts_somebody_on_call_and_the_desk_sees_who_did_it() {
    let house = House::new().await;
    let (kim, pat) = (house.sign_in("kim").await, client(&house, "pat", &["schedule"]).await);
    let door = format!("{HERE}/schedules/sch_technician");
    let now = house.fetch(&format!("{HERE}/on_call"), &pat).await.json();
    assert_eq!(now["items"][0]["people"], house.fetch(DESK, &kim).await.json()["items"][0]["people"]);

    let made = house.ask(Method::POST, &format!("{door}/overrides"), &pat, only("con_ben", 0, 2)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    let over = made.json()["overrides"].as_array().expect("overrides").last().expect("the new one").clone();
    assert_eq!(over["by"], "PAT");
    let seen = house.fetch(DESK, &kim).await.json()["items"][0].clone();
    assert_eq!(
        (&seen["people"][0]["id"], &seen["until"]),
        (&json!("con_ben"), &Value::Null),
        "after it Ben stands in: {seen}"
    );
    assert!(seen["why"].as_str().is_some_and(|why| why.starts_with("override by PAT")), "{seen}");
    let range = format!("from={}&until={}", at(0), at(24));
    let calendar = house.fetch(&format!("{HERE}/calendar?{range}"), &pat).await.json();
    assert_eq!(calendar["items"][0]["final"][0]["people"], json!(["con_ben"]));

    // Moved as a drag moves it, and taken back.
    let moved = json!({"remove": [over["id"]], "add": [only("con_ben", 4, 6)]});
    let moved = house.ask(Method::POST, &format!("{door}/changes"), &pat, moved).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.json());
    let over = moved.json()["overrides"].as_array().expect("overrides").last().expect("the moved one").clone();
    let path = format!("{door}/overrides/{}", over["id"].as_str().expect("an id"));
    assert_eq!(house.ask(Method::DELETE, &path, &pat, Value::Null).await.status, StatusCode::OK);
    assert_eq!(house.ask(Method::DELETE, &path, &pat, Value::Null).await.problem(), "account.invalid");
    let history = house.fetch(&format!("{HERE}/schedules/history"), &pat).await.json();
    let by: Vec<_> =
        history["items"].as_array().expect("changes").iter().take(3).map(|one| one["by"].clone()).collect();
    assert_eq!(by, ["PAT", "PAT", "PAT"]);
    let listed = house.fetch(&format!("{HERE}/schedules"), &pat).await.json();
    assert_eq!(listed["edition"], desk_edition(&house, &kim).await);
}

async fn desk_edition(house: &House, token: &str) -> Value {
    house.fetch("/api/v1/accounts/acc_plumbing/schedules", token).await.json()["edition"].clone()
}

#[tokio::test]
async fn who_cannot_be_reached_is_put_on_call_by_nobody_and_a_client_is_told_what_they_can_do() {
    let house = House::new().await;
    let (sam, pat) = (house.sign_in("sam").await, client(&house, "pat", &["schedule"]).await);
    let email = json!([{"label": "email", "reach": {"kind": "email", "address": "zoe@example.com"}}]);
    let zoe = json!({"name": "Zoe", "destinations": email});
    let zoe = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/contacts", &sam, zoe).await;
    assert_eq!(zoe.status, StatusCode::CREATED, "{}", zoe.json());
    let id = zoe.json()["id"].as_str().expect("an id").to_owned();
    let got =
        house.ask(Method::POST, &format!("{HERE}/schedules/sch_technician/overrides"), &pat, only(&id, 0, 2)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "account.clash"));
    // Two steps go to the mobile: it is told once.
    let told = got.json()["errors"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["detail"], "Zoe has no mobile. The protocol urgent (in force) goes by it.");
    let cure = told[0]["cure"].as_str().expect("a cure");
    assert!(cure.contains("portal under People") && !cure.contains("version"), "{cure}");
}

#[tokio::test]
async fn who_reads_messages_sees_who_is_on_call_and_changes_nothing() {
    let house = House::new().await;
    let pat = client(&house, "pat", &["messages"]).await;
    assert_eq!(house.fetch(&format!("{HERE}/on_call"), &pat).await.status, StatusCode::OK);
    let mut shut = vec![(Method::GET, "schedules".to_owned()), (Method::GET, "schedules/history".to_owned())];
    shut.push((Method::GET, format!("calendar?from={}&until={}", at(0), at(1))));
    for what in ["overrides", "changes", "swap"] {
        shut.push((Method::POST, format!("schedules/sch_technician/{what}")));
    }
    shut.push((Method::DELETE, "schedules/sch_technician/overrides/ovr_x".to_owned()));
    for (method, below) in shut {
        let got = house.ask(method.clone(), &format!("{HERE}/{below}"), &pat, Value::Null).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "portal.right"), "{method} {below}");
    }
    // Nor does a right to something else tell who is on call.
    let ray = client(&house, "ray", &["reports"]).await;
    assert_eq!(house.fetch(&format!("{HERE}/on_call"), &ray).await.problem(), "portal.right");
}
