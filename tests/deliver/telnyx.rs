//! Texts go out in Telnyx's shape as its documents say, and its answers are understood.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use cordboard::base::id::AttemptId;
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::sms::telnyx::{TelnyxConfig, TelnyxTexter};
use cordboard::io::deliver::{Delivery, TextMessage, Texter as _};
use serde_json::{Value, json};

use crate::town::number;

#[derive(Clone)]
struct Provider {
    answer: (u16, Value),
    got: Arc<Mutex<Vec<(String, Value)>>>,
}

async fn take(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let login = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    provider.got.lock().expect("unpoisoned").push((login, body));
    (StatusCode::from_u16(provider.answer.0).expect("a status"), Json(provider.answer.1.clone()))
}

async fn sent(status: u16, body: Value, from: Option<&str>) -> (Delivery, Vec<(String, Value)>) {
    let provider = Provider { answer: (status, body), got: Arc::default() };
    let app = Router::new().route("/v2/messages", post(take)).with_state(provider.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let base_url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let texter = TelnyxTexter::new(TelnyxConfig {
        name: "telnyx".into(),
        base_url,
        api_key: "KEY1".to_owned().into(),
        from: number("+12025550199"),
        public_url: Some("https://desk.example.com/".into()),
    })
    .expect("a sound configuration");
    let text = TextMessage {
        attempt: AttemptId::named("a-1"),
        to: number("+12025550110"),
        own: Vec::new(),
        from: from.map(number),
        body: "Burst pipe & more. Reply 1ok to confirm.".into(),
    };
    let delivery = texter.send(&text).await;
    let got = provider.got.lock().expect("unpoisoned").clone();
    (delivery, got)
}

#[tokio::test]
async fn a_text_is_posted_whole_and_the_provider_s_name_for_it_kept() {
    let (delivery, got) =
        sent(200, json!({ "data": { "id": "40385f64-5717", "to": [{ "status": "queued" }] } }), None).await;
    assert_eq!(delivery, Delivery::Accepted { provider_id: Some("40385f64-5717".into()) });
    let [(login, body)] = got.as_slice() else { panic!("{got:?}") };
    assert_eq!(login, "Bearer KEY1");
    let expected = json!({
        "from": "+12025550199", "to": "+12025550110", "type": "SMS",
        "text": "Burst pipe & more. Reply 1ok to confirm.",
        "webhook_url": "https://desk.example.com/hooks/sms/telnyx/telnyx",
    });
    assert_eq!(*body, expected);
    let (_, got) = sent(200, json!({ "data": { "id": "2" } }), Some("+12025550102")).await;
    assert_eq!(got[0].1["from"], "+12025550102", "from the account's own number");
}

#[tokio::test]
async fn refusals_for_good_and_for_now_are_told_apart() {
    let failed = |failure, why: &str| Delivery::Failed { failure, why: why.into() };
    let stopped = json!({ "errors": [{ "code": "40300", "title": "Blocked due to STOP message" }] });
    assert_eq!(sent(403, stopped, None).await.0, failed(Failure::Permanent, "code_40300"));
    let ours = json!({ "errors": [{ "code": "10009", "title": "Authentication failed" }] });
    assert_eq!(sent(401, ours, None).await.0, failed(Failure::Temporary, "code_10009"));
    assert_eq!(sent(503, json!({}), None).await.0, failed(Failure::Temporary, "http_503"));
}
