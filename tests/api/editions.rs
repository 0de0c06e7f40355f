//! Messages that are changed: the next edition, what was before, who is told anew and who is not. On both stores.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::peers::postgres::Postgres;
use crate::support::{Got, House, Told, answers, message_body};

const PATH: &str = "/api/v1/messages";

async fn saved(house: &House, token: &str) -> String {
    let got = house.ask(Method::POST, PATH, token, message_body()).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    got.json()["id"].as_str().expect("an id").to_owned()
}

fn change(edition: u32, problem: &str, again: bool) -> Value {
    let mut answers = answers();
    answers["problem"] = json!(problem);
    json!({"edition": edition, "caller": "+12025550188", "answers": answers, "again": again})
}

async fn put(house: &House, token: &str, id: &str, body: Value) -> Got {
    house.ask(Method::PUT, &format!("{PATH}/{id}"), token, body).await
}

fn texts(house: &House) -> Vec<String> {
    Told::so_far(&house.told.texts).into_iter().map(|text| text.body).collect()
}

async fn changed_and_sent_again(house: &House) {
    let (kim, lee) = (house.sign_in("kim").await, house.sign_in("lee").await);
    let id = saved(house, &kim).await;
    house.advance(Duration::from_secs(6)).await;
    assert_eq!(texts(house).len(), 1);

    // Changed alone: on the time line, and nobody is told.
    house.clock.advance(Duration::from_secs(60));
    let got = put(house, &lee, &id, change(1, "Burst pipe in the attic", false)).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let message = got.json();
    assert_eq!((&message["edition"], &message["changed"]["by"]["name"]), (&json!(2), &json!("LEE")));
    assert_eq!(message["answers"]["problem"], "Burst pipe in the attic");
    let line = message["dispatch"]["timeline"].as_array().expect("lines").last().expect("one").clone();
    assert_eq!(line["kind"], "changed");
    assert!(line["text"].as_str().expect("a text").starts_with("Changed by LEE: what goes out from now on"), "{line}");
    house.advance(Duration::from_secs(1)).await;
    assert_eq!(texts(house).len(), 1);

    // Whoever has not seen that change overwrites nothing.
    let got = put(house, &kim, &id, change(1, "Nothing", true)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "message.stale"));
    let got = put(house, &kim, &id, change(2, "Burst pipe in the attic", false)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "message.unchanged"));

    // Sent again: the text says it as it is, under a code of its own; the old code confirms nothing.
    let got = put(house, &kim, &id, change(2, "Burst boiler", true)).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    house.advance(Duration::from_secs(1)).await;
    let told = texts(house);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("cellar") && told[0].contains("1ok"), "{}", told[0]);
    assert!(told[1].contains("Burst boiler") && told[1].contains("2ok"), "{}", told[1]);
    let reply = async |name: &str, body: &str| {
        let from = crate::support::number("+12025550121");
        let taken = house.front.dispatcher.take_text("twilio", name, from, None, body.to_owned()).await;
        taken.expect("taken in");
        house.advance(Duration::from_secs(1)).await;
    };
    let state = async || house.fetch(&format!("{PATH}/{id}"), &kim).await.json()["dispatch"]["state"].clone();
    reply("IN1", "1ok").await;
    assert_eq!(state().await, "running");
    let answer = texts(house).pop().expect("an answer");
    assert!(answer.contains("was changed since") && answer.contains("2ok"), "{answer}");
    reply("IN2", "2ok").await;
    assert_eq!(state().await, "confirmed");

    // Done; a change of what is done sends nothing only for a reason, and says so wherever the message is.
    let count = texts(house).len();
    let mut body = change(3, "Burst boiler, two of them", false);
    let got = put(house, &kim, &id, body.clone()).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "delivered with other words, and nobody says why");
    assert_eq!(
        (&got.json()["errors"][0]["field"], &got.json()["errors"][0]["code"]),
        (&json!("unsent"), &json!("required"))
    );
    body["unsent"] = json!("  told by telephone ");
    let got = put(house, &kim, &id, body).await;
    assert_eq!(got.json()["dispatch"]["state"], "confirmed");
    assert_eq!(got.json()["changed"]["unsent"], "told by telephone", "in the head of it");
    let listed = house.fetch(PATH, &kim).await.json();
    assert_eq!(listed["items"][0]["changed"]["unsent"], "told by telephone", "in the list");
    let line = got.json()["dispatch"]["timeline"].as_array().expect("lines").last().expect("one").clone();
    let line = line["text"].as_str().expect("a text").to_owned();
    assert!(line.contains("after delivery, not sent again") && line.contains("told by telephone"), "{line}");
    house.advance(Duration::from_secs(3_600)).await;
    assert_eq!(texts(house).len(), count);
    let kim = house.sign_in("kim").await;

    let editions = house.fetch(&format!("{PATH}/{id}/editions"), &kim).await.json();
    let editions = editions["items"].as_array().expect("editions").clone();
    let by: Vec<_> = editions.iter().map(|e| (e["edition"].as_u64(), e["by"]["name"].as_str())).collect();
    assert_eq!(by, [(Some(1), Some("KIM")), (Some(2), Some("LEE")), (Some(3), Some("KIM")), (Some(4), Some("KIM"))]);
    assert_eq!(editions[0]["answers"]["problem"], "Burst pipe in the cellar", "what was taken first is there");
    assert_eq!(editions[0]["differences"], json!([]));
    let difference = json!({"label": "problem", "before": "Burst pipe in the attic", "after": "Burst boiler"});
    assert_eq!(editions[2]["differences"], json!([difference]));
}

#[tokio::test]
async fn a_changed_message_keeps_its_editions_and_goes_out_again_only_if_wanted() {
    changed_and_sent_again(&House::new().await).await;
    if let Some(server) = Postgres::start("a changed message on PostgreSQL") {
        changed_and_sent_again(&House::on(Some(server.create_database())).await).await;
    }
}

#[tokio::test]
async fn a_change_of_the_call_type_is_checked_by_its_form_and_can_stop_the_dispatch() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let id = saved(&house, &kim).await;
    house.advance(Duration::from_secs(6)).await;
    let mut body = change(1, "A salesman", true);
    body["call_type"] = json!("ct_sales");
    let got = put(&house, &kim, &id, body.clone()).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let message = got.json();
    assert_eq!((&message["urgency"], &message["call_type"]["name"]), (&json!("not_legitimate"), &json!("sales")));
    assert_eq!(message["dispatch"]["state"], "closed_by_operator");
    house.advance(Duration::from_secs(1)).await;
    let count = texts(&house).len();
    house.advance(Duration::from_secs(7_200)).await;
    assert_eq!(texts(&house).len(), count, "nobody is told of it any more");
    let kim = house.sign_in("kim").await;
    let editions = house.fetch(&format!("{PATH}/{id}/editions"), &kim).await.json();
    let told = json!({"label": "Call type", "before": "urgent", "after": "sales"});
    assert_eq!(editions["items"][1]["differences"][0], told);

    body["call_type"] = json!("ct_nothing");
    body["edition"] = json!(2);
    assert_eq!(put(&house, &kim, &id, body).await.json()["errors"][0]["field"], "call_type");
}

#[tokio::test]
async fn what_was_not_dispatched_is_once_it_is_changed_to_something_that_is() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let mut body = message_body();
    body["call_type"] = json!("ct_sales");
    let id = house.ask(Method::POST, PATH, &kim, body).await.json()["id"].as_str().expect("an id").to_owned();
    let mut body = change(1, "It is a leak after all", true);
    body["call_type"] = json!("ct_urgent");
    let got = put(&house, &kim, &id, body).await;
    assert_eq!((got.status, &got.json()["dispatch"]["state"]), (StatusCode::OK, &json!("open")));
    house.advance(Duration::from_secs(6)).await;
    assert_eq!(texts(&house).len(), 1);
}

#[tokio::test]
async fn what_was_taken_back_is_not_changed() {
    let house = House::new().await;
    let kim = house.sign_in("kim").await;
    let id = saved(&house, &kim).await;
    house.ask(Method::POST, &format!("{PATH}/{id}/undo"), &kim, Value::Null).await;
    let got = put(&house, &kim, &id, change(1, "Else", false)).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "message.not_now"));
    let got = put(&house, &kim, "msg_nothing", change(1, "Else", false)).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
}
