//! Texts go out as the provider's documents say, and its answers are understood.

use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use cordboard::base::id::AttemptId;
use cordboard::domain::dispatch::event::Failure;
use cordboard::io::deliver::sms::twilio::{TwilioConfig, TwilioTexter};
use cordboard::io::deliver::{Delivery, TextMessage, Texter as _};
use serde_json::{Value, json};

use crate::town::number;

/// The login of a request, and its form.
type Request = (String, Vec<(String, String)>);

#[derive(Clone)]
struct Provider {
    answer: (u16, Value),
    got: Arc<Mutex<Vec<Request>>>,
}

async fn take(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> (StatusCode, Json<Value>) {
    let login = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    provider.got.lock().expect("unpoisoned").push((login, form));
    (StatusCode::from_u16(provider.answer.0).expect("a status"), Json(provider.answer.1.clone()))
}

/// A provider that answers so, and a texter that uses it.
async fn provider(status: u16, body: Value) -> (Provider, TwilioTexter) {
    let provider = Provider { answer: (status, body), got: Arc::default() };
    let app = Router::new().route("/2010-04-01/Accounts/AC1/Messages.json", post(take)).with_state(provider.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (provider, texter(base_url))
}

fn texter(base_url: String) -> TwilioTexter {
    TwilioTexter::new(TwilioConfig {
        name: "twilio".into(),
        base_url,
        account_sid: "AC1".into(),
        auth_token: "secret".to_owned().into(),
        from: number("+12025550199"),
        public_url: Some("https://desk.example.com/".into()),
    })
    .expect("a sound configuration")
}

fn text() -> TextMessage {
    TextMessage {
        attempt: AttemptId::named("a-1"),
        own: Vec::new(),
        from: None,
        to: number("+12025550110"),
        body: "burst pipe & more. Reply 1ok".into(),
    }
}

#[tokio::test]
async fn a_text_goes_out_with_login_and_callback_and_is_taken() {
    let (provider, texter) = provider(201, json!({"sid": "SM1", "status": "queued", "error_code": null})).await;
    assert_eq!(texter.send(&text()).await, Delivery::Accepted { provider_id: Some("SM1".into()) });
    let got = provider.got.lock().expect("unpoisoned").clone();
    let [(login, form)] = got.as_slice() else { panic!("{got:?}") };
    // base64 of AC1:secret (RFC 7617).
    assert_eq!(login, "Basic QUMxOnNlY3JldA==");
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(field("To"), Some("+12025550110"));
    assert_eq!(field("From"), Some("+12025550199"));
    assert_eq!(field("Body"), Some("burst pipe & more. Reply 1ok"));
    assert_eq!(field("StatusCallback"), Some("https://desk.example.com/hooks/sms/twilio/status"));
}

#[tokio::test]
async fn a_number_that_takes_no_texts_is_not_tried_again() {
    let (_, texter) = provider(400, json!({"code": 21614, "message": "not a mobile number", "status": 400})).await;
    let failed = Delivery::Failed { failure: Failure::Permanent, why: "code_21614".into() };
    assert_eq!(texter.send(&text()).await, failed);
}

#[tokio::test]
async fn a_provider_that_is_busy_or_away_is_tried_again() {
    let (_, texter_busy) = provider(429, json!({"code": 20429})).await;
    let sent = texter_busy.send(&text()).await;
    assert_eq!(sent, Delivery::Failed { failure: Failure::Temporary, why: "code_20429".into() });
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let sent = texter(format!("http://{gone}")).send(&text()).await;
    assert_eq!(sent, Delivery::Failed { failure: Failure::Temporary, why: "no_connection".into() });
}
