//! No telephone number, name or message text in a log line or a metric, however a message goes its way: saved,
//! texted, called, mailed, replied to, refused. Every line of every crate is read, down to TRACE.

#[allow(dead_code)]
#[path = "api/support.rs"]
mod support;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use cordboard::engine::callout::{CallOutEvent, CallOutResult};
use support::{House, PASSWORD, PUBLIC_URL, SMS_SECRET, Told, message_body};

/// What must not be seen: numbers in every usual spelling, names, words of messages, secrets.
const SECRETS: &[&str] = &[
    "2025550188",
    "202 555 0188",
    "202-555-0188",
    "(202) 555",
    "2025550121",
    "2025550102",
    "2025550177",
    "2025550199",
    "5550188",
    "Pat Doe",
    "Ben Ortiz",
    "ben@example.com",
    "Imaginary Plumbing",
    "Burst pipe",
    "cellar",
    "water is turned",
    "on my way",
    "Somebody Unknown",
    "by telephone",
    "half a thought",
    PASSWORD,
    SMS_SECRET,
    "wrong horse",
];

/// Keeps every line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, mut line: String, write: impl FnOnce(&mut Text<'_>)) {
        write(&mut Text(&mut line));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lines that hold any of `secrets`, with what they hold.
    fn leaks(&self, secrets: &[&str]) -> Vec<String> {
        let holds = |line: &String| {
            let folded = line.to_lowercase();
            secrets.iter().find(|secret| folded.contains(&secret.to_lowercase())).map(|s| format!("{s:?} in {line}"))
        };
        self.all().iter().filter_map(holds).collect()
    }
}

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, _id: &Id, _: Context<'_, S>) {
        let meta = attributes.metadata();
        self.push(format!("{} {}", meta.target(), meta.name()), |text| attributes.record(text));
    }

    fn on_record(&self, _id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.push("record".into(), |text| values.record(text));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        self.push(format!("{} {}", meta.level(), meta.target()), |text| event.record(text));
    }
}

/// A provider's callback with its signature.
async fn hook(house: &House, path: &str, fields: &[(&str, &str)], good: bool) -> StatusCode {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text = sorted.iter().fold(format!("{PUBLIC_URL}{path}"), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, if good { SMS_SECRET } else { "other" }.as_bytes());
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", STANDARD.encode(hmac::sign(&key, text.as_bytes())))
        .body(Body::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()));
    house.send(request.expect("a request")).await.status
}

async fn text_in(house: &House, id: &str, from: &str, body: &str) {
    let fields = [("MessageSid", id), ("From", from), ("To", "+12025550102"), ("Body", body)];
    assert_eq!(hook(house, "/hooks/sms/twilio/inbound", &fields, true).await, StatusCode::OK);
    house.advance(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn nothing_personal_is_logged_while_messages_go_their_way() {
    let lines = Lines::default();
    tracing_log::LogTracer::init().expect("the only logger of this process");
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber of this process");

    let house = House::new().await;
    let wrong = json!({"login": "Pat Doe", "password": "wrong horse battery"});
    house.ask(Method::POST, "/api/v1/sessions", "", wrong).await;
    let mut kim = house.sign_in("kim").await;
    let post = async |kim: &str, path: String, body: Value| house.ask(Method::POST, &path, kim, body).await;

    // Refused: malformed, incomplete, unknown, with numbers in path, query and body.
    let mut incomplete = message_body();
    incomplete["answers"] = json!({"phone": "call 202 555 0188", "problem": "Burst pipe"});
    assert_eq!(post(&kim, "/api/v1/messages".into(), incomplete).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    post(&kim, "/api/v1/messages".into(), json!({"caller": ["+12025550188", "Pat Doe"]})).await;
    house.fetch("/api/v1/accounts/acc_plumbing/messages?caller=%2B12025550188", &kim).await;
    house.fetch("/api/v1/accounts/acc_plumbing/messages?caller=Pat%20Doe", &kim).await;
    house.fetch("/api/v1/accounts/+12025550188?name=Pat%20Doe", &kim).await;
    house.fetch("/somewhere/+12025550188", "").await;

    // A draft, then its message; taken back, and saved again.
    let draft = json!({"account": "acc_plumbing", "caller": "+12025550188", "answers": {"problem": "half a thought"}});
    house.ask(Method::PUT, "/api/v1/drafts/drf_1", &kim, draft).await;
    let id =
        post(&kim, "/api/v1/messages".into(), message_body()).await.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(post(&kim, format!("/api/v1/messages/{id}/undo"), Value::Null).await.status, StatusCode::NO_CONTENT);
    let saved = post(&kim, "/api/v1/messages".into(), message_body()).await.json();

    // Texted; texts come back that match nothing, that are forged, that report failure; called; mailed.
    house.advance(Duration::from_secs(6)).await;
    assert_eq!(Told::so_far(&house.told.texts).len(), 1);
    text_in(&house, "SM101", "+12025550121", "on my way").await;
    text_in(&house, "SM102", "+12025550199", "Somebody Unknown here").await;
    let forged = [("MessageSid", "SM103"), ("From", "+12025550121"), ("Body", "1ok Pat Doe")];
    assert_eq!(hook(&house, "/hooks/sms/twilio/inbound", &forged, false).await, StatusCode::FORBIDDEN);
    let failed = [("MessageSid", "SM1"), ("To", "+12025550121"), ("MessageStatus", "delivered")];
    assert_eq!(hook(&house, "/hooks/sms/twilio/status", &failed, true).await, StatusCode::OK);
    house.advance(Duration::from_secs(15 * 60)).await;
    let calls = Told::so_far(&house.told.calls);
    let [(request, news)] = calls.as_slice() else { panic!("{} calls", calls.len()) };
    for event in [CallOutEvent::Answered, CallOutEvent::Ended(CallOutResult::NotAccepted)] {
        news.send((request.attempt.clone(), event)).expect("somebody listens");
    }
    house.advance(Duration::from_secs(1)).await;
    house.advance(Duration::from_secs(10 * 60)).await;
    assert_eq!(Told::so_far(&house.told.mails).len(), 1);

    // The first token is worn out by now.
    kim = house.sign_in("kim").await;

    // Patched, confirmed by text, and looked at.
    post(&kim, "/api/v1/calls/call_1/patch".into(), json!({"number": "202 555 0177"})).await;
    post(&kim, "/api/v1/calls/call_1/patch".into(), json!({"number": "Pat Doe"})).await;
    let texts = Told::so_far(&house.told.texts);
    let code = texts.iter().find_map(|text| text.body.split_whitespace().find(|w| w.to_lowercase().contains("ok")));
    let code = code.expect("a code to reply with").trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    text_in(&house, "SM104", "+12025550121", &code).await;
    let path = format!("/api/v1/messages/{}", saved["id"].as_str().expect("an id"));
    let shown = house.fetch(&path, &kim).await.json();
    assert_eq!(shown["dispatch"]["state"], "confirmed", "{shown}");
    text_in(&house, "SM105", "+12025550121", "STOP").await;
    let again = json!({"by": "Ben Ortiz", "note": "by telephone"});
    post(&kim, format!("/api/v1/dispatches/{}/confirm", shown["dispatch"]["id"].as_str().expect("an id")), again).await;
    house.store.close().await;
    house.fetch(&path, &kim).await;

    let all = lines.all();
    assert!(all.iter().any(|line| line.contains("message saved")), "the story left no trace: {} lines", all.len());
    assert!(all.iter().any(|line| line.contains("cordboard")) && all.len() > 50, "{} lines", all.len());
    let leaks = lines.leaks(SECRETS);
    assert!(leaks.is_empty(), "{} of {} lines:\n{}", leaks.len(), all.len(), leaks.join("\n"));
    let figures = house.front.metrics.as_ref().expect("a recorder").render();
    assert!(figures.contains("cordboard_http_requests_total"), "{figures}");
    for secret in SECRETS {
        assert!(!figures.to_lowercase().contains(&secret.to_lowercase()), "{secret:?} in a metric");
    }
}

#[test]
fn a_leak_is_seen_wherever_it_hides() {
    let lines = Lines::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.clone()), || {
        tracing::info!("calling +12025550188");
        tracing::debug!(who = "Pat Doe", "called");
        tracing::trace!(parts = ?["a", "BURST PIPE"]);
        let span = tracing::info_span!("call", to = "ben@example.com", later = tracing::field::Empty);
        span.record("later", "in the cellar");
        tracing::info!(number = ?cordboard::base::phone::PhoneNumber::parse("+12025550188"), "this one is redacted");
    });
    assert_eq!(lines.all().len(), 6);
    assert_eq!(lines.leaks(SECRETS).len(), 5, "{:?}", lines.all());
}
