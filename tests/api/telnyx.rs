//! Callbacks of a provider in Telnyx's shape: taken with the right signature and fresh only; repeats and any order do no
//! harm.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cordboard::base::clock::Clock as _;
use cordboard::io::store::inbound::Arrival;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::support::{Got, House, TELNYX_SEED};

const HOOK: &str = "/hooks/sms/telnyx/telnyx";

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(TELNYX_SEED).expect("a seed")
}

async fn post(house: &House, path: &str, body: &str, at: &str, signed: &str) -> Got {
    let signature = STANDARD.encode(key().sign(format!("{at}|{signed}").as_bytes()));
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("telnyx-timestamp", at)
        .header("telnyx-signature-ed25519", signature);
    house.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

fn at(house: &House, after_secs: i64) -> String {
    (house.clock.utc().0 / 1_000 + after_secs).to_string()
}

fn event(kind: &str, payload: Value) -> String {
    json!({ "data": { "id": "e1", "event_type": kind, "payload": payload } }).to_string()
}

fn text() -> String {
    event(
        "message.received",
        json!({
            "id": "m1", "direction": "inbound", "text": "on my way",
            "from": { "phone_number": "+12025550121" }, "to": [{ "phone_number": "+12025550102", "status": "webhook_delivered" }],
        }),
    )
}

#[tokio::test]
async fn a_signed_text_is_taken_once_however_often_it_comes() {
    let house = House::new().await;
    for _ in 0..3 {
        assert_eq!(post(&house, HOOK, &text(), &at(&house, 0), &text()).await.status, StatusCode::OK);
    }
    let waiting = house.store.list_unplaced_texts(10).await.expect("the store answers");
    let [came] = waiting.as_slice() else { panic!("{waiting:?}") };
    let Arrival::Text { from, to, body } = &came.what else { panic!("{came:?}") };
    assert_eq!((came.provider.as_str(), came.provider_msg_id.as_str()), ("telnyx", "m1"));
    assert_eq!((from.as_e164(), body.as_str()), ("+12025550121", "on my way"));
    assert_eq!(to.as_ref().map(|number| number.as_e164()), Some("+12025550102"));
}

#[tokio::test]
async fn what_was_touched_or_kept_or_is_of_somebody_else_is_refused() {
    let house = House::new().await;
    let refused =
        |got: &Got| assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "hook.signature"));
    let touched = text().replace("way", "wax");
    refused(&post(&house, HOOK, &touched, &at(&house, 0), &text()).await);
    refused(&post(&house, HOOK, &text(), &at(&house, -301), &text()).await);
    refused(&post(&house, HOOK, &text(), &at(&house, 301), &text()).await);
    refused(&post(&house, HOOK, &text(), "", &text()).await);
    refused(&post(&house, "/hooks/sms/nobody/telnyx", &text(), &at(&house, 0), &text()).await);
    refused(&post(&house, "/hooks/sms/twilio/telnyx", &text(), &at(&house, 0), &text()).await);
    refused(&post(&house, "/hooks/sms/telnyx/inbound", &text(), &at(&house, 0), &text()).await);
    let bare = Request::post(HOOK).body(Body::from(text())).expect("a request");
    refused(&house.send(bare).await);
    assert!(house.store.list_unplaced_texts(10).await.expect("the store answers").is_empty());
}

#[tokio::test]
async fn receipts_come_in_any_order_and_the_best_that_is_known_stands() {
    let house = House::new().await;
    let receipt = |kind: &str, status: &str| {
        event(kind, json!({ "id": "SM1", "to": [{ "phone_number": "+12025550121", "status": status }], "errors": [] }))
    };
    for body in [
        receipt("message.finalized", "delivered"),
        receipt("message.sent", "sent"),
        receipt("message.finalized", "delivered"),
        event("call.hangup", json!({ "id": "c" })),
        "no JSON".to_owned(),
    ] {
        assert_eq!(post(&house, HOOK, &body, &at(&house, 0), &body).await.status, StatusCode::OK, "{body}");
    }
    // No text of ours has that name yet: they wait for it, each once.
    let mut waiting: Vec<String> = house
        .store
        .list_waiting_inbound(10)
        .await
        .expect("the store answers")
        .into_iter()
        .map(|row| row.provider_msg_id)
        .collect();
    waiting.sort();
    assert_eq!(waiting, ["SM1:delivered", "SM1:sent"]);
}
