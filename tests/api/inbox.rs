//! A person's secure inbox from outside: invited, opened by PIN, read, confirmed, answered; and what opens nothing.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Got, House, Told, message_body};

const PIN: &str = "4711";
const BEN: &str = "/api/v1/contacts/con_ben/inbox";
/// RFC 8291, Appendix A.
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// A house whose urgent calls go to Ben's inbox, with a confirmation.
struct Secure {
    house: House,
    kim: String,
    sam: String,
}

impl Secure {
    async fn new() -> Self {
        let house = House::new().await;
        let (kim, sam) = (house.sign_in("kim").await, house.sign_in("sam").await);
        let edition = house.fetch("/api/v1/accounts/acc_plumbing", &sam).await.json()["edition"].clone();
        let ben = json!({"edition": edition, "name": "Ben Ortiz", "title": "technician", "destinations": [
            {"id": "dst_ben-mobile", "label": "mobile", "reach": {"kind": "phone", "address": "+12025550121"}},
            {"id": "dst_ben-email", "label": "email", "reach": {"kind": "email", "address": "ben@example.com"}},
            {"label": "inbox", "reach": {"kind": "inbox", "address": "mobile"}},
        ]});
        let got = house.ask(Method::PUT, "/api/v1/contacts/con_ben", &sam, ben).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.json());
        let to = json!({"kind": "contact", "contact": "con_ben", "destination": "inbox"});
        let protocol = json!({"edition": got.json()["edition"], "name": "secure", "repeat": null, "until": "confirmed",
            "call_types": ["ct_urgent"],
            "steps": [{"method": {"kind": "secure_message", "confirm": true}, "to": [to], "wait_secs": 900}]});
        let got = house.ask(Method::POST, "/api/v1/accounts/acc_plumbing/protocols", &sam, protocol).await;
        assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
        let said =
            "1. Send a secure message to Ben Ortiz (inbox) and ask for a confirmation, wait 15 minutes for an answer.";
        assert_eq!(got.json()["text"][0], said);
        Self { house, kim, sam }
    }

    async fn with_pin() -> Self {
        let secure = Self::new().await;
        let pin = json!({"pin": PIN});
        let got = secure.house.ask(Method::PUT, "/api/v1/contacts/con_ben/pin", &secure.sam, pin).await;
        assert_eq!(got.status, StatusCode::OK);
        secure
    }

    /// Sends an invitation; the token of its link.
    async fn invites(&self, to: &str) -> String {
        let got = self.house.ask(Method::POST, &format!("{BEN}/invitations"), &self.kim, json!({"to": to})).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "{:?}", got.body);
        let words = match to {
            "email" => Told::so_far(&self.house.told.mails).last().expect("an email").body.clone(),
            _ => Told::so_far(&self.house.told.texts).last().expect("a text").body.clone(),
        };
        token_in(&words)
    }

    async fn opens(&self, link: Option<&str>, pin: &str, cookie: Option<&str>) -> Got {
        let body = json!({"pin": pin, "link": link, "device": "iPhone"});
        self.ask(Method::POST, "/api/v1/inbox/session", "", cookie, body).await
    }

    async fn ask(&self, method: Method, path: &str, token: &str, cookie: Option<&str>, body: Value) -> Got {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "desk.example.com");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        self.house.send(request.expect("a request")).await
    }

    /// Ben's phone: the session's token and the device's cookie.
    async fn installs(&self) -> (String, String) {
        let link = self.invites("mobile").await;
        let got = self.opens(Some(&link), PIN, None).await;
        assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
        let cookie = got.headers[header::SET_COOKIE].to_str().expect("text").to_owned();
        for part in ["Path=/api/v1/inbox", "HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let token = got.json()["token"].as_str().expect("a token").to_owned();
        let to = json!({"endpoint": "https://push.example.net/ben", "keys": {"p256dh": P256DH, "auth": AUTH}});
        let kept = self.ask(Method::PUT, "/api/v1/inbox/push", &token, None, to).await;
        assert_eq!(kept.status, StatusCode::NO_CONTENT);
        (token, cookie.split(';').next().expect("a pair").to_owned())
    }

    /// A message is taken and goes out; its dispatch.
    async fn takes(&self) -> String {
        let saved = self.house.ask(Method::POST, "/api/v1/messages", &self.kim, message_body()).await;
        assert_eq!(saved.status, StatusCode::CREATED, "{}", saved.json());
        self.house.advance(Duration::from_secs(6)).await;
        // The delivery is a task of its own.
        self.house.advance(Duration::ZERO).await;
        saved.json()["dispatch"]["id"].as_str().expect("a dispatch").to_owned()
    }
}

fn token_in(words: &str) -> String {
    let (_, after) = words.split_once("https://desk.example.com/inbox#").expect("a link");
    after.split_whitespace().next().expect("a token").to_owned()
}

#[tokio::test]
async fn ben_is_invited_installs_reads_confirms_and_writes() {
    let secure = Secure::with_pin().await;
    let (token, cookie) = secure.installs().await;
    let dispatch = secure.takes().await;
    let pushes = Told::so_far(&secure.house.told.pushes);
    let [push] = pushes.as_slice() else { panic!("one push: {pushes:?}") };
    assert_eq!(push.to.endpoint, "https://push.example.net/ben");

    let path = format!("/api/v1/inbox/pushes/{}", push.attempt);
    let woken = secure.ask(Method::POST, &path, "", Some(&cookie), Value::Null).await;
    assert_eq!(woken.json(), json!({"show": "message", "open": 1}));

    let list = secure.ask(Method::GET, "/api/v1/inbox/messages", &token, None, Value::Null).await;
    let item = list.json()["items"][0].clone();
    assert_eq!((&item["id"], &item["state"], &item["asks"]), (&json!(dispatch), &json!("open"), &json!(true)));
    assert!(!list.json().to_string().contains("Burst"), "the list says nothing of it: {}", list.json());

    let path = |what: &str| format!("/api/v1/inbox/messages/{dispatch}/{what}");
    let got = secure.ask(Method::GET, &path("read"), &token, None, Value::Null).await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED, "a GET reads nothing");
    let got = secure.ask(Method::POST, &path("read"), &token, None, Value::Null).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let problem = json!({"label": "problem", "words": "Burst pipe in the cellar", "long": true});
    assert!(got.json()["answers"].as_array().expect("answers").contains(&problem), "{}", got.json());
    assert!(got.json()["read_at"].is_i64());

    let stale = secure.ask(Method::POST, &path("confirm"), &token, None, json!({"edition": 2})).await;
    assert_eq!((stale.status, stale.problem().as_str()), (StatusCode::CONFLICT, "inbox.changed"));
    for _ in 0..2 {
        let got = secure.ask(Method::POST, &path("confirm"), &token, None, json!({"edition": 1})).await;
        assert_eq!(got.status, StatusCode::NO_CONTENT, "pressed twice, it counts once");
    }
    let got = secure.ask(Method::POST, &path("reply"), &token, None, json!({"text": " On my way "})).await;
    assert_eq!(got.status, StatusCode::ACCEPTED);
    assert_eq!(secure.ask(Method::POST, &path("reply"), &token, None, json!({"text": " "})).await.status, 422);
    let alarms = secure.house.front.dispatcher.alarms();
    let job = alarms.into_iter().find(|a| a.text.ends_with(": “On my way”")).expect("an operator reads it");
    assert!(job.text.starts_with("Ben Ortiz wrote from the inbox about Imaginary Plumbing, "), "{}", job.text);
    assert!(job.message.is_some(), "it leads to the message, whose dispatch is over");
    let again = secure.ask(Method::POST, &path("read"), &token, None, Value::Null).await.json();
    assert_eq!(again["written"][0]["text"], "On my way", "his inbox shows it");
    let seen = format!("/api/v1/alarms/{}", job.id);
    let got = secure.house.ask(Method::DELETE, &seen, &secure.kim, Value::Null).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT);

    let view = secure.house.front.dispatcher.find_view(&dispatch.parse().expect("an id")).await.expect("read");
    let view = view.expect("a dispatch");
    assert_eq!((view.state.as_str(), view.confirmed_by.as_deref()), ("confirmed", Some("Ben Ortiz")));
    let said: Vec<&str> = view.timeline.iter().map(|line| line.text.as_str()).collect();
    for line in [
        "Sending a secure message to Ben Ortiz.",
        "Secure message sent to Ben Ortiz, accepted.",
        "Secure message delivered to Ben Ortiz's device.",
        "Ben Ortiz opened the message in the inbox.",
        "Ben Ortiz confirmed in the inbox.",
        "Ben Ortiz wrote from the inbox: “On my way”",
        "KIM saw to what came in: it is off the desks.",
    ] {
        assert!(said.contains(&line), "{line:?} is not in {said:#?}");
    }
    let log = secure.house.fetch("/api/v1/audit?act=inbox.read", &secure.sam).await.json();
    assert_eq!(log["items"][0]["who"], json!({"kind": "contact", "id": "con_ben", "name": "Ben Ortiz"}));
    let log = secure.house.fetch("/api/v1/audit?act=alarm.dismissed", &secure.sam).await.json();
    assert_eq!((&log["items"][0]["who"]["id"], &log["items"][0]["object"]), (&json!("usr_kim"), &json!(view.message)));
}

#[tokio::test]
async fn a_preview_of_a_link_reads_nothing_and_uses_nothing_up() {
    let secure = Secure::with_pin().await;
    let link = secure.invites("email").await;
    for _ in 0..3 {
        // What makes previews fetches the page, with what stands behind the # or without.
        for path in
            ["/inbox".to_owned(), format!("/inbox?{link}"), format!("/inbox/{link}"), "/api/v1/inbox".to_owned()]
        {
            let got = secure.ask(Method::GET, &path, "", None, Value::Null).await;
            assert_eq!(got.status, StatusCode::OK, "{path}");
            let page = String::from_utf8_lossy(&got.body).into_owned();
            for said in ["Ben", "Ortiz", "Imaginary", "Burst", link.as_str()] {
                assert!(!page.contains(said), "{path} names {said}");
            }
            assert!(!got.headers.contains_key(header::SET_COOKIE));
        }
        let got = secure.ask(Method::GET, "/api/v1/inbox/session", "", None, Value::Null).await;
        assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(secure.opens(Some(&link), PIN, None).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn links_that_are_over_and_links_that_never_were_open_nothing() {
    let secure = Secure::with_pin().await;
    let first = secure.invites("mobile").await;
    let second = secure.invites("mobile").await;
    let long = "x".repeat(5_000);
    for link in [first.as_str(), "AAAAAAAAAAAAAAAAAAAAAA", "", long.as_str()] {
        let got = secure.opens(Some(link), PIN, None).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNAUTHORIZED, "inbox.unknown"));
    }
    assert_eq!(secure.opens(None, PIN, None).await.problem(), "inbox.unknown", "no device, no link");
    assert_eq!(secure.opens(None, PIN, Some("cordboard_inbox=abc")).await.problem(), "inbox.unknown");
    secure.house.advance(Duration::from_secs(72 * 3_600 - 1)).await;
    assert_eq!(secure.opens(Some(&second), PIN, None).await.status, StatusCode::CREATED);
    secure.house.advance(Duration::from_secs(2)).await;
    assert_eq!(secure.opens(Some(&second), PIN, None).await.problem(), "inbox.unknown", "three days are over");
}

#[tokio::test]
async fn wrong_pins_are_counted_and_the_right_one_sounds_wrong_afterwards() {
    let secure = Secure::with_pin().await;
    let shared = json!({"pin": "8642"});
    let got = secure.house.ask(Method::PUT, "/api/v1/accounts/acc_plumbing/pin", &secure.sam, shared).await;
    assert_eq!(got.status, StatusCode::OK);
    let link = secure.invites("mobile").await;
    // The PIN that all share shows nobody to be Ben.
    for pin in ["8642", "1111", "2222", "3333", "4444", "5555"] {
        let got = secure.opens(Some(&link), pin, None).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "inbox.pin"));
    }
    let locked = secure.opens(Some(&link), PIN, None).await;
    assert_eq!((locked.status, locked.problem().as_str()), (StatusCode::FORBIDDEN, "inbox.pin"));
    assert!(secure.house.front.dispatcher.alarms().iter().any(|a| a.text.contains("too many wrong PINs")));
    let log = secure.house.fetch("/api/v1/audit?act=inbox.refused", &secure.sam).await.json();
    assert_eq!(log["items"].as_array().map(Vec::len), Some(7));
    secure.house.advance(Duration::from_secs(3_601)).await;
    assert_eq!(secure.opens(Some(&link), PIN, None).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_device_that_is_taken_away_and_a_pin_that_is_changed_close_the_inbox() {
    let secure = Secure::with_pin().await;
    let (token, cookie) = secure.installs().await;
    let list = async |token: &str| secure.ask(Method::GET, "/api/v1/inbox/messages", token, None, Value::Null).await;
    assert_eq!(list(&token).await.status, StatusCode::OK);

    let other = json!({"pin": "2580"});
    secure.house.ask(Method::PUT, "/api/v1/contacts/con_ben/pin", &secure.sam, other).await;
    assert_eq!(list(&token).await.problem(), "inbox.closed", "whoever knew the old PIN is out");
    let token = secure.opens(None, "2580", Some(&cookie)).await.json()["token"].as_str().expect("a token").to_owned();

    let shown = secure.house.fetch(BEN, &secure.kim).await.json();
    let device = &shown["devices"][0];
    assert_eq!((&device["name"], &device["push"], &shown["has_pin"]), (&json!("iPhone"), &json!("on"), &json!(true)));
    let path = format!("{BEN}/devices/{}", device["id"].as_str().expect("an id"));
    let gone = secure.house.ask(Method::DELETE, &path, &secure.kim, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(list(&token).await.problem(), "inbox.closed");
    assert_eq!(secure.opens(None, "2580", Some(&cookie)).await.problem(), "inbox.unknown");
    assert_eq!(secure.house.ask(Method::DELETE, &path, &secure.kim, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(secure.house.fetch(BEN, &secure.kim).await.json()["devices"], json!([]));
}

#[tokio::test]
async fn an_inbox_that_nobody_touches_closes_and_its_tokens_are_no_operators() {
    let secure = Secure::with_pin().await;
    let (token, _) = secure.installs().await;
    let list = async |token: &str| secure.ask(Method::GET, "/api/v1/inbox/messages", token, None, Value::Null).await;
    let touch = async |token: &str| secure.ask(Method::PUT, "/api/v1/inbox/session", token, None, Value::Null).await;
    for _ in 0..6 {
        secure.house.advance(Duration::from_secs(540)).await;
        assert_eq!(touch(&token).await.status, StatusCode::NO_CONTENT, "touched, it stays open");
    }
    assert_eq!(secure.house.fetch("/api/v1/messages", &token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(list(&secure.sam).await.status, StatusCode::UNAUTHORIZED);
    secure.house.advance(Duration::from_secs(601)).await;
    assert_eq!(list(&token).await.problem(), "inbox.closed");
    assert_eq!(touch(&token).await.problem(), "inbox.closed", "what is closed is not kept open");
}

#[tokio::test]
async fn a_page_that_only_asks_for_news_keeps_no_inbox_open() {
    let secure = Secure::with_pin().await;
    let (token, _) = secure.installs().await;
    let dispatch = secure.takes().await;
    let list = async || secure.ask(Method::GET, "/api/v1/inbox/messages", &token, None, Value::Null).await;
    // It lies in sight on a counter, and its page asks every 30 seconds.
    for _ in 0..19 {
        secure.house.advance(Duration::from_secs(30)).await;
        assert_eq!(list().await.status, StatusCode::OK);
    }
    // Reading is an act.
    let path = format!("/api/v1/inbox/messages/{dispatch}/read");
    assert_eq!(secure.ask(Method::POST, &path, &token, None, Value::Null).await.status, StatusCode::OK);
    for _ in 0..19 {
        secure.house.advance(Duration::from_secs(30)).await;
        assert_eq!(list().await.status, StatusCode::OK);
    }
    secure.house.advance(Duration::from_secs(31)).await;
    assert_eq!(list().await.problem(), "inbox.closed", "nobody has touched it for ten minutes");
}

#[tokio::test]
async fn a_browser_that_makes_its_subscription_anew_tells_so_without_a_pin() {
    let secure = Secure::with_pin().await;
    let (token, cookie) = secure.installs().await;
    let to = |endpoint: &str| json!({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}});
    let renew = async |cookie: Option<&str>, endpoint: &str| {
        secure.ask(Method::PUT, "/api/v1/inbox/push/renewed", "", cookie, to(endpoint)).await
    };
    let got = renew(None, "https://push.example.net/new").await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNAUTHORIZED, "inbox.unknown"), "nobody's device");
    let got = renew(Some(&cookie), "https://10.0.0.1/x").await;
    assert_eq!(got.problem(), "inbox.subscription", "it leads no further in than another");
    assert_eq!(renew(Some(&cookie), "https://push.example.net/new").await.status, StatusCode::NO_CONTENT);
    secure.takes().await;
    let pushes = Told::so_far(&secure.house.told.pushes);
    let [push] = pushes.as_slice() else { panic!("one push: {pushes:?}") };
    assert_eq!(push.to.endpoint, "https://push.example.net/new");
    // Where its person has turned them off, they stay off.
    let off = secure.ask(Method::DELETE, "/api/v1/inbox/push", &token, None, Value::Null).await;
    assert_eq!(off.status, StatusCode::NO_CONTENT);
    let got = renew(Some(&cookie), "https://push.example.net/newer").await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::CONFLICT, "inbox.push_off"));
}

#[tokio::test]
async fn a_device_that_is_invited_again_stays_one_device() {
    let secure = Secure::with_pin().await;
    let (_, cookie) = secure.installs().await;
    let link = secure.invites("mobile").await;
    let got = secure.opens(Some(&link), PIN, Some(&cookie)).await;
    assert_eq!((got.status, &got.json()["installed"]), (StatusCode::CREATED, &json!(true)));
    assert!(!got.headers.contains_key(header::SET_COOKIE), "it keeps the one that it has");
    let shown = secure.house.fetch(BEN, &secure.kim).await.json();
    assert_eq!(shown["devices"].as_array().map(Vec::len), Some(1), "{shown}");
    // Another browser is another device.
    let link = secure.invites("mobile").await;
    secure.opens(Some(&link), PIN, Some("cordboard_inbox=abc")).await;
    assert_eq!(secure.house.fetch(BEN, &secure.kim).await.json()["devices"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_message_is_in_nobody_elses_inbox_and_ends_after_seven_days() {
    let secure = Secure::with_pin().await;
    let (token, cookie) = secure.installs().await;
    let dispatch = secure.takes().await;
    let path = format!("/api/v1/inbox/messages/{dispatch}/read");
    let elsewhere = "/api/v1/inbox/messages/dsp_unknown/read";
    assert_eq!(secure.ask(Method::POST, elsewhere, &token, None, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(secure.ask(Method::POST, &path, "", None, Value::Null).await.problem(), "inbox.closed");
    assert_eq!(secure.ask(Method::POST, &path, "", Some(&cookie), Value::Null).await.problem(), "inbox.closed");
    secure.house.advance(Duration::from_secs(7 * 24 * 3_600 + 1)).await;
    let opened = secure.opens(None, PIN, Some(&cookie)).await.json();
    let token = opened["token"].as_str().expect("a token");
    let got = secure.ask(Method::POST, &path, token, None, Value::Null).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::GONE, "inbox.expired"));
    let list = secure.ask(Method::GET, "/api/v1/inbox/messages", token, None, Value::Null).await.json();
    assert_eq!(list["items"][0]["expired"], true);
}

#[tokio::test]
async fn nobody_is_invited_without_a_pin_or_where_they_have_no_such_destination() {
    let secure = Secure::new().await;
    let invite = async |to: &str| {
        secure.house.ask(Method::POST, &format!("{BEN}/invitations"), &secure.kim, json!({"to": to})).await.problem()
    };
    assert_eq!(invite("mobile").await, "inbox.no_pin");
    secure.house.ask(Method::PUT, "/api/v1/contacts/con_ben/pin", &secure.sam, json!({"pin": PIN})).await;
    assert_eq!(invite("pager").await, "inbox.no_destination");
    assert_eq!(invite("inbox").await, "inbox.no_destination");
    assert!(Told::so_far(&secure.house.told.texts).is_empty());
}

#[tokio::test]
async fn a_subscription_that_leads_into_the_house_is_refused() {
    let secure = Secure::with_pin().await;
    let (token, _) = secure.installs().await;
    for endpoint in [
        "http://push.example.net/x",
        "http://127.0.0.1:8080/",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://[::ffff:192.168.0.1]/x",
        "file:///etc/passwd",
    ] {
        let to = json!({"endpoint": endpoint, "keys": {"p256dh": P256DH, "auth": AUTH}});
        let got = secure.ask(Method::PUT, "/api/v1/inbox/push", &token, None, to).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "inbox.subscription"));
    }
}
