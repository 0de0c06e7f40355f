//! Acknowledging alarms: at a desk, and by text from whoever was told.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cordboard::base::clock::Clock as _;
use cordboard::base::id::AlarmChainId;
use cordboard::domain::alarm::{Kind, Standing, State, Via, advance};
use ring::hmac;
use serde_json::{Value, json};

use crate::feed::{console, hear};
use crate::support::{House, PUBLIC_URL, SMS_SECRET, alarm_plan, message_body};

const INBOUND: &str = "/hooks/sms/twilio/inbound";
const LEE: &str = "+12025550131";

/// A message needs an operator, and Lee was texted of it a minute later.
async fn lee_was_told(house: &House) -> String {
    let token = house.sign_in("kim").await;
    let got = house.ask(Method::POST, "/api/v1/messages", &token, message_body()).await;
    let dispatch = got.json()["dispatch"]["id"].as_str().expect("a dispatch").to_owned();
    let standing = Standing::from([(format!("dispatch:{dispatch}"), Kind::Message)]);
    let now = house.clock.utc();
    let (state, _) = advance(&State::new(AlarmChainId::named("one"), now), &alarm_plan(), &standing, &[], now);
    house.clock.advance(Duration::from_secs(60));
    let now = house.clock.utc();
    let (state, effects) = advance(&state, &alarm_plan(), &standing, &[], now);
    assert_eq!(effects.len(), 1);
    let mut tx = house.store.write().await.expect("the store writes");
    tx.save_alarm_chain(None, &state, now).await.expect("saved");
    tx.commit("test").await.expect("committed");
    dispatch
}

async fn chain(house: &House) -> State {
    house.store.find_alarm_chain().await.expect("read").expect("it stands").state
}

async fn text(house: &House, id: &str, from: &str, body: &str) {
    let fields = [("MessageSid", id), ("From", from), ("To", "+12025550102"), ("Body", body)];
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let signed = sorted.iter().fold(format!("{PUBLIC_URL}{INBOUND}"), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SMS_SECRET.as_bytes());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(INBOUND)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", STANDARD.encode(hmac::sign(&key, signed.as_bytes())));
    assert_eq!(house.send(request.body(Body::from(body)).expect("a request")).await.status, StatusCode::OK);
}

async fn on_the_log(house: &House) -> Vec<(String, Value)> {
    let token = house.sign_in("sam").await;
    let page = house.fetch("/api/v1/audit?act=alarm.acknowledged", &token).await.json();
    let items = page["items"].as_array().expect("rows");
    items.iter().map(|row| (row["who"]["kind"].as_str().expect("a kind").to_owned(), row["object"].clone())).collect()
}

#[tokio::test]
async fn an_operator_acknowledges_and_every_console_sees_who_does() {
    let house = House::new().await;
    let dispatch = lee_was_told(&house).await;
    let refused = house.ask(Method::POST, "/api/v1/alarms/acknowledge", "", Value::Null).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(chain(&house).await.acknowledged.is_none());

    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut watching = console(address, &token).await;
    assert_eq!(hear(&mut watching).await["type"], "hello");
    let got = house.ask(Method::POST, "/api/v1/alarms/acknowledge", &token, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);
    let seen = chain(&house).await.acknowledged.expect("it is stored");
    assert_eq!((seen.by.as_str(), seen.via), ("KIM", Via::Desk));
    let change = hear(&mut watching).await;
    assert_eq!((&change["type"], &change["chain"]["waits"]), (&json!("alarm_chain"), &json!([])));
    assert_eq!(change["chain"]["acknowledged"], json!([format!("dispatch:{dispatch}")]));
    assert_eq!(change["chain"]["by"]["text"], "KIM acknowledged the alarm at a desk.");
    assert_eq!(change["chain"]["told"][0]["text"], "Texting Lee Moss.");
    // Whoever comes later sees the same.
    let mut later = console(address, &token).await;
    assert_eq!(hear(&mut later).await["alarm_chain"], change["chain"]);

    let again = house.ask(Method::POST, "/api/v1/alarms/acknowledge", &token, Value::Null).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT, "there is nothing left, and that is no fault");
    assert_eq!(on_the_log(&house).await, [("user".to_owned(), json!("alc_one"))]);
}

#[tokio::test]
async fn a_reply_of_ack_from_whoever_was_told_acknowledges_once() {
    let house = House::new().await;
    lee_was_told(&house).await;
    text(&house, "SM1", "+12025550199", "ack").await;
    assert!(chain(&house).await.acknowledged.is_none(), "a stranger's word is none");
    text(&house, "SM2", LEE, "Ack").await;
    let seen = chain(&house).await.acknowledged.expect("it is stored");
    assert_eq!((seen.by.as_str(), seen.via), ("Lee Moss", Via::Text));
    text(&house, "SM2", LEE, "Ack").await;
    assert_eq!(chain(&house).await.acknowledged, Some(seen));
    assert_eq!(on_the_log(&house).await, [("alarm_telephone".to_owned(), json!("alc_one"))]);
    let unplaced = house.store.list_unplaced_texts(10).await.expect("the store answers");
    assert_eq!(unplaced.len(), 1, "the stranger's is an operator's job");
}
