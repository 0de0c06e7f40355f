//! Messages posted to a client's system: signed over what arrives, octet by octet, sent nowhere else, and its answers understood.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use cordboard::base::clock::UtcMs;
use cordboard::base::id::{AttemptId, DispatchId};
use cordboard::config::webhook::WebhookReceiver;
use cordboard::domain::dispatch::event::Failure;
use cordboard::domain::message::render::webhook;
use cordboard::io::deliver::webhook::Webhooks;
use cordboard::io::deliver::{Delivery, Post, Poster as _};
use ring::hmac;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::town;

const AT: UtcMs = UtcMs(1_772_871_005_678);
/// 32 octets of 7.
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A client's system: what it answers, and what it got.
#[derive(Clone)]
struct System {
    status: u16,
    location: Option<String>,
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

async fn take(State(system): State<System>, headers: HeaderMap, body: Bytes) -> Response {
    system.got.lock().expect("unpoisoned").push((headers, body));
    let status = StatusCode::from_u16(system.status).expect("a status");
    match system.location {
        Some(to) => (status, [(header::LOCATION, to)]).into_response(),
        None => status.into_response(),
    }
}

impl System {
    /// One that answers so, and where it is.
    async fn start(status: u16, location: Option<String>) -> (Self, String) {
        let system = Self { status, location, got: Arc::default() };
        let app = Router::new().route("/hook", post(take)).with_state(system.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (system, url)
    }

    fn got(&self) -> Vec<(HeaderMap, Bytes)> {
        self.got.lock().expect("unpoisoned").clone()
    }
}

async fn send(url: &str) -> Delivery {
    let (name, url, secret) = ("desk".to_owned(), url.parse().expect("an address"), SECRET.to_owned().into());
    let webhooks = Webhooks::new(&[WebhookReceiver { name, url, secret }]).expect("a sound configuration");
    let (message, account) = (town::message("m1", "burst pipe", AT), town::account());
    let body = webhook::message(&DispatchId::named("d1"), &message, &account, "Urgent repair", None, AT);
    webhooks.post(&Post { attempt: AttemptId::named("a-1"), to: "desk".into(), body, at: AT }).await
}

fn failed(failure: Failure, why: &str) -> Delivery {
    Delivery::Failed { failure, why: why.into() }
}

#[tokio::test]
async fn what_arrives_is_signed_and_says_the_message() {
    let (system, url) = System::start(204, None).await;
    assert_eq!(send(&url).await, Delivery::Accepted { provider_id: None });
    assert_eq!(send(&url).await, Delivery::Accepted { provider_id: None });
    let got = system.got();
    let [(headers, body), (again, _)] = got.as_slice() else { panic!("two posts: {}", got.len()) };
    let field = |name: &str| headers[name].to_str().expect("ASCII").to_owned();
    assert_eq!((field("content-type"), field("webhook-timestamp")), ("application/json".into(), "1772871005".into()));
    let id = field("webhook-id");
    assert_eq!((id.as_str(), &again["webhook-id"]), ("att_a-1", &headers["webhook-id"]), "known again by it");
    let signed = [id.as_bytes(), &b".1772871005."[..], &body[..]].concat();
    let signature = field("webhook-signature");
    let tag = base64(signature.strip_prefix("v1,").expect("its version"));
    let key = |octets: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, octets);
    assert!(hmac::verify(&key(&[7; 32]), &signed, &tag).is_ok());
    assert!(hmac::verify(&key(&[8; 32]), &signed, &tag).is_err(), "by that secret alone");
    let json: Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!((&json["type"], &json["data"]["message"]), (&"message.dispatched".into(), &"msg_m1".into()));
    let answers = json["data"]["content"]["answers"].as_array().expect("answers");
    assert!(answers.iter().any(|answer| answer["name"] == "problem" && answer["value"] == "burst pipe"), "{json}");
}

fn base64(text: &str) -> Vec<u8> {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

#[tokio::test]
async fn nothing_is_posted_to_where_a_system_says_that_it_should_be() {
    let (inside, elsewhere) = System::start(200, None).await;
    for status in [301, 302, 307, 308] {
        let (system, url) = System::start(status, Some(elsewhere.clone())).await;
        assert_eq!(send(&url).await, failed(Failure::Permanent, "redirected"), "{status}");
        assert_eq!(system.got().len(), 1);
    }
    assert_eq!(inside.got().len(), 0);
}

#[tokio::test]
async fn a_system_that_fails_is_tried_again_and_one_that_wants_no_more_is_not() {
    let (_, url) = System::start(503, None).await;
    assert_eq!(send(&url).await, failed(Failure::Temporary, "http_503"));
    let (_, url) = System::start(410, None).await;
    assert_eq!(send(&url).await, failed(Failure::Permanent, "http_410"));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    assert_eq!(send(&format!("http://{gone}/hook")).await, failed(Failure::Temporary, "no_connection"));
    // Read, and never answered: it may have been taken.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let hangs_up = async {
        let (mut stream, _) = listener.accept().await.expect("it connects");
        stream.read_u8().await.expect("it says something");
    };
    let (sent, ()) = tokio::join!(send(&url), hangs_up);
    assert_eq!(sent, failed(Failure::Unknown, "broken_off"));
}

#[tokio::test]
async fn a_system_that_the_configuration_has_lost_is_somebody_s_to_mend() {
    let webhooks = Webhooks::new(&[]).expect("a sound configuration");
    let body = webhook::notice(&DispatchId::named("d1"), &town::message("m1", "x", AT), &town::account(), AT);
    let post = Post { attempt: AttemptId::named("a-1"), to: "desk".into(), body, at: AT };
    assert_eq!(webhooks.post(&post).await, failed(Failure::Temporary, "not_configured"));
}
