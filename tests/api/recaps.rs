//! When and to whom an account's recap goes: set, refused with all that is wrong, and not taken away from under a message.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::House;

const RECAP: &str = "/api/v1/accounts/acc_plumbing/recap";
const PROTOCOLS: &str = "/api/v1/accounts/acc_plumbing/protocols";

/// A contact of the account who has an email address.
async fn with_email(house: &House, sam: &str) -> String {
    let body = json!({"name": "Olive", "title": "office", "destinations": [{"label": "email", "reach": {"kind": "email", "address": "olive@example.com"}}]});
    let added = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/contacts", sam, body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());
    added.json()["id"].as_str().expect("an id").to_owned()
}

fn routine() -> Value {
    json!({
        "name": "recap", "repeat": null, "until": "handed_over", "call_types": ["ct_urgent"],
        "steps": [{"method": {"kind": "hold_for_recap"}, "to": [], "wait_secs": 0}],
    })
}

#[tokio::test]
async fn a_supervisor_sets_the_recap_and_a_protocol_may_hold_for_it_only_then() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let nothing = house.fetch(RECAP, &sam).await.json();
    assert_eq!(nothing, json!({"plan": null, "next_at": null, "last": []}));
    let refused = house.ask(Method::POST, PROTOCOLS, &sam, routine()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fault = refused.json()["errors"][0].clone();
    assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/steps/0"), &json!("protocol.no_recap")));

    let olive = with_email(&house, &sam).await;
    let plan = json!({"times": ["08:00", "17:30"], "to": [{"contact": olive, "destination": "email"}], "empty": true,
        "files": {"pdf": true, "csv": false}});
    let set = house.ask(Method::PUT, RECAP, &sam, plan.clone()).await;
    assert_eq!((set.status, &set.json()["plan"]), (StatusCode::OK, &plan));
    assert!(house.fetch(RECAP, &sam).await.json()["next_at"].is_i64());
    let added = house.ask(Method::POST, PROTOCOLS, &sam, routine()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());

    let kept = house.ask(Method::DELETE, RECAP, &sam, Value::Null).await;
    assert_eq!((kept.status, &kept.json()["errors"][0]["code"]), (StatusCode::CONFLICT, &json!("recap.in_use")));
    let kim = house.sign_in("kim").await;
    assert_eq!(house.fetch(RECAP, &kim).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_recap_is_told_at_its_place() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let wrong = json!({"times": ["08:00", "08:00"], "to": [{"contact": "con_nobody", "destination": "email"}]});
    let refused = house.ask(Method::PUT, RECAP, &sam, wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<Value> =
        refused.json()["errors"].as_array().expect("faults").iter().map(|f| f["pointer"].clone()).collect();
    assert_eq!(pointers, ["/times/1", "/to/0/contact"]);
    let unread = house.ask(Method::PUT, RECAP, &sam, json!({"times": ["8 o'clock"], "to": []})).await;
    assert_eq!((unread.status, &unread.json()["errors"][0]["pointer"]), (StatusCode::BAD_REQUEST, &json!("/times/0")));
}

#[tokio::test]
async fn a_protocol_that_holds_for_a_recap_is_not_put_in_force_where_there_is_none() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let olive = with_email(&house, &sam).await;
    let plan = json!({"times": ["08:00"], "to": [{"contact": olive, "destination": "email"}], "empty": false});
    assert_eq!(house.ask(Method::PUT, RECAP, &sam, plan).await.status, StatusCode::OK);
    let mut idle = routine();
    idle["call_types"] = json!([]);
    let added = house.ask(Method::POST, PROTOCOLS, &sam, idle).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json());
    assert_eq!(house.ask(Method::DELETE, RECAP, &sam, Value::Null).await.status, StatusCode::NO_CONTENT);
    let account = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json();
    let (edition, mut call_types) = (account["edition"].clone(), account["call_types"].clone());
    call_types[0]["protocol"] = added.json()["id"].clone();
    let body = json!({"edition": edition, "call_types": call_types});
    let refused = house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/call_types", &sam, body).await;
    let fault = refused.json()["errors"][0].clone();
    assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/call_types/0/protocol"), &json!("protocol.no_recap")));
}
