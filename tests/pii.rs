//! No telephone number, name or message text in a log line or a metric, however a message goes its way: saved,
//! texted, called, mailed, replied to, refused. Every line of every crate is read, down to TRACE.

#[allow(dead_code)]
#[path = "api/support/mod.rs"]
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

use cordboard::domain::dispatch::event::Failure;
use cordboard::engine::callout::{CallOutEvent, OutboundEnd};
use cordboard::engine::mail_in;
use cordboard::io::deliver::Delivery;
use cordboard::io::deliver::push::GONE;
use cordboard::io::mail_in::addresses::{Ours, Purpose};
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

const PIN: &str = "4711";
/// RFC 8291, Appendix A.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

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
    for event in [CallOutEvent::Answered, CallOutEvent::Ended(OutboundEnd::NotAccepted)] {
        news.send((request.attempt.clone(), event)).expect("somebody listens");
    }
    house.advance(Duration::from_secs(1)).await;
    house.advance(Duration::from_secs(10 * 60)).await;
    assert_eq!(Told::so_far(&house.told.mails).len(), 1);

    // Answered by mail, and come back undelivered.
    let attempt = Told::so_far(&house.told.mails)[0].attempt.clone();
    let reply = "From: Pat Doe <ben@example.com>\r\nMessage-ID: <2025550188@example.com>\r\nSubject: Burst pipe\r\n\r\non my way\r\n";
    let bounce = "From: MAILER-DAEMON@mx.example.net\r\nMessage-ID: <ben@example.com>\r\nContent-Type: multipart/report; report-type=delivery-status; \
        boundary=B\r\n\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; \
        ben@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--B--\r\n";
    for (purpose, sender, mail) in [(Purpose::Reply, "ben@example.com", reply), (Purpose::Bounce, "", bounce)] {
        let ours = vec![Ours { purpose, attempt: attempt.clone() }];
        let taken = mail_in::take(&house.front.dispatcher, sender.to_owned(), ours, mail.as_bytes().to_vec()).await;
        taken.expect("taken in");
    }
    house.advance(Duration::from_secs(1)).await;

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
    text_in(&house, "SM106", "+12025550121", "START").await;

    // And by way of an inbox.
    let tokens = goes_through_an_inbox(&house, &kim).await;
    house.store.close().await;
    house.fetch(&path, &kim).await;

    let all = lines.all();
    for trace in ["an inbox was opened", "a push failed"] {
        assert!(all.iter().any(|line| line.contains(trace)), "{trace:?} left no trace: {} lines", all.len());
    }
    let secrets: Vec<&str> = SECRETS.iter().copied().chain(tokens.iter().map(String::as_str)).collect();
    assert!(all.iter().any(|line| line.contains("message saved")), "the story left no trace: {} lines", all.len());
    assert!(all.iter().any(|line| line.contains("cordboard")) && all.len() > 50, "{} lines", all.len());
    let leaks = lines.leaks(&secrets);
    assert!(leaks.is_empty(), "{} of {} lines:\n{}", leaks.len(), all.len(), leaks.join("\n"));
    let figures = house.front.metrics.as_ref().expect("a recorder").render();
    assert!(figures.contains("cordboard_http_requests_total"), "{figures}");
    for secret in secrets {
        assert!(!figures.to_lowercase().contains(&secret.to_lowercase()), "{secret:?} in a metric");
    }
}

/// The inbox of Ben, whose inbox gets the message that kim takes; what is sent goes out.
async fn ben_has_an_inbox(house: &House) {
    let sam = house.sign_in("sam").await;
    let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
    let ben = json!({"edition": edition, "name": "Ben Ortiz", "title": "technician", "destinations": [
        {"id": "dst_ben-mobile", "label": "mobile", "reach": {"kind": "phone", "address": "+12025550121"}},
        {"id": "dst_ben-email", "label": "email", "reach": {"kind": "email", "address": "ben@example.com"}},
        {"label": "inbox", "reach": {"kind": "inbox", "address": "mobile"}},
    ]});
    let got = house.ask(Method::PUT, "/api/v1/contacts/con_ben", &sam, ben).await;
    assert_eq!(got.status, StatusCode::OK);
    let to = json!({"kind": "contact", "contact": "con_ben", "destination": "inbox"});
    let protocol = json!({"edition": got.json()["edition"], "name": "secure", "repeat": null, "until": "confirmed",
        "call_types": ["ct_urgent"],
        "steps": [{"method": {"kind": "secure_message", "confirm": true}, "to": [to], "wait_secs": 900}]});
    let got = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, protocol).await;
    assert_eq!(got.status, StatusCode::CREATED);
    let pin = json!({"pin": PIN});
    assert_eq!(house.ask(Method::PUT, "/api/v1/contacts/con_ben/pin", &sam, pin).await.status, StatusCode::OK);
}

/// A request of a browser, with its cookie.
async fn browse(house: &House, method: Method, path: &str, (token, cookie): (&str, &str), body: Value) -> support::Got {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "desk.example.com")
        .header("authorization", format!("Bearer {token}"))
        .header("cookie", cookie)
        .header("content-type", "application/json");
    house.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

/// Invited, opened, pushed, gone, noticed, read, confirmed and answered; and what is refused on the way. What nobody may see of it
/// besides, and the message's identifier.
async fn goes_through_an_inbox(house: &House, kim: &str) -> Vec<String> {
    ben_has_an_inbox(house).await;
    let invite = "/api/v1/contacts/con_ben/inbox/invitations";
    assert_eq!(house.ask(Method::POST, invite, kim, json!({"to": "mobile"})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.ask(Method::POST, invite, kim, json!({"to": "email"})).await.status, StatusCode::NO_CONTENT);
    let token_in = |words: &str| {
        let (_, after) = words.split_once("/inbox#").expect("a link");
        after.split_whitespace().next().expect("a token").to_owned()
    };
    let link = token_in(&Told::so_far(&house.told.mails).last().expect("an email").body);
    let open = async |pin: &str, device: &str| {
        let body = json!({"pin": pin, "link": link, "device": device});
        browse(house, Method::POST, "/api/v1/inbox/session", ("", ""), body).await
    };
    assert_eq!(open("3690", "Pat Doe's phone").await.status, StatusCode::FORBIDDEN);
    let opened = open(PIN, "Pat Doe's phone").await;
    assert_eq!(opened.status, StatusCode::CREATED);
    let token = opened.json()["token"].as_str().expect("a token").to_owned();
    let cookie = opened.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let ask = async |method: Method, path: &str, body: Value| {
        browse(house, method, path, (token.as_str(), cookie.as_str()), body).await
    };
    let to = |endpoint: &str| json!({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}});
    let inside = ask(Method::PUT, "/api/v1/inbox/push", to("https://10.0.0.9/2025550188")).await;
    assert_eq!(inside.status, StatusCode::UNPROCESSABLE_ENTITY);
    let kept = ask(Method::PUT, "/api/v1/inbox/push", to("https://push.example.net/a-secret-path")).await;
    assert_eq!(kept.status, StatusCode::NO_CONTENT);
    let renewed = ask(Method::PUT, "/api/v1/inbox/push/renewed", to("https://push.example.net/another-path")).await;
    assert_eq!(renewed.status, StatusCode::NO_CONTENT);
    assert_eq!(ask(Method::PUT, "/api/v1/inbox/session", Value::Null).await.status, StatusCode::NO_CONTENT);

    // Pushed; then its push service knows it no more, and a notice goes by text.
    let saved = house.ask(Method::POST, "/api/v1/messages", kim, message_body()).await.json();
    house.advance(Duration::from_secs(6)).await;
    house.advance(Duration::ZERO).await;
    let push = Told::so_far(&house.told.pushes).pop().expect("a push");
    ask(Method::POST, &format!("/api/v1/inbox/pushes/{}", push.attempt), Value::Null).await;
    *house.told.push_answer.lock().expect("unpoisoned") =
        Some(Delivery::Failed { failure: Failure::Permanent, why: GONE.into() });
    house.ask(Method::POST, "/api/v1/messages", kim, message_body()).await;
    let before = Told::so_far(&house.told.texts).len();
    house.advance(Duration::from_secs(6)).await;
    // The push, and then its notice: each is a task of its own.
    for _ in 0..1_000 {
        if Told::so_far(&house.told.texts).len() > before {
            break;
        }
        house.advance(Duration::ZERO).await;
    }
    let notice = Told::so_far(&house.told.texts).pop().expect("a text").body;
    assert!(notice.contains("a secure message waits for you"), "{notice}");
    let by_notice = token_in(&notice);

    let dispatch = saved["dispatch"]["id"].as_str().expect("an id").to_owned();
    let path = |what: &str| format!("/api/v1/inbox/messages/{dispatch}/{what}");
    ask(Method::GET, "/api/v1/inbox/messages", Value::Null).await;
    let read = ask(Method::POST, &path("read"), Value::Null).await;
    assert!(read.json().to_string().contains("Burst pipe"), "{}", read.json());
    ask(Method::POST, &path("reply"), json!({"text": "on my way, water is turned off"})).await;
    ask(Method::POST, &path("reply"), json!({"text": ["on my way"]})).await;
    ask(Method::POST, &path("confirm"), json!({"edition": "Pat Doe"})).await;
    assert_eq!(ask(Method::POST, &path("confirm"), json!({"edition": 1})).await.status, StatusCode::NO_CONTENT);
    // Locked by wrong ones.
    for pin in ["3691", "3692", "3693", "3694", "3695", "3696"] {
        assert_eq!(open(pin, "x").await.status, StatusCode::FORBIDDEN);
    }
    let secrets =
        [link.clone(), by_notice, token.clone(), cookie.clone(), "a-secret-path".into(), "another-path".into()];
    let cookie_value = cookie.split_once('=').expect("a pair").1.to_owned();
    secrets.into_iter().chain([cookie_value, P256DH.to_owned(), AUTH.to_owned()]).collect()
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
