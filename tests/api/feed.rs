//! The feed of a console, and the softphone's WebSocket, over real connections.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use cordboard::base::clock::UtcMs;
use cordboard::base::id::{CallId, UserId};
use cordboard::domain::operator::skill::{Skill, Skills};
use cordboard::engine::feed::{AlarmLevel, AlarmView, FeedEvent, QueueView};
use cordboard::io::net::census::{Caps, Census};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{House, Told};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PATIENCE: Duration = Duration::from_secs(10);

async fn open(address: SocketAddr, path: &str, subprotocol: &str, origin: Option<&str>) -> Result<Socket, Error> {
    let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", subprotocol.parse().expect("a header value"));
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().expect("a header value"));
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

pub async fn console(address: SocketAddr, token: &str) -> Socket {
    let mut socket = open(address, "/api/v1/events", "cordboard.v1", None).await.expect("it connects");
    say(&mut socket, json!({"type": "auth", "token": token})).await;
    socket
}

async fn say(socket: &mut Socket, frame: Value) {
    socket.send(Message::text(frame.to_string())).await.expect("it is sent");
}

/// The next frame; a close becomes `{"close": code}`.
pub async fn hear(socket: &mut Socket) -> Value {
    loop {
        let frame = tokio::time::timeout(PATIENCE, socket.next()).await.expect("a frame in time");
        match frame {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
            Some(Ok(Message::Close(frame))) => return json!({"close": frame.map(|f| u16::from(f.code))}),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return json!({"close": null}),
        }
    }
}

fn gone(n: usize) -> FeedEvent {
    FeedEvent::CallGone { id: CallId::named(&n.to_string()) }
}

#[tokio::test]
async fn a_console_sees_the_whole_picture_and_then_changes_in_order() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut socket = console(address, &token).await;
    let hello = hear(&mut socket).await;
    assert_eq!(hello["type"], "hello");
    assert_eq!(hello["user"]["name"], "KIM");
    assert_eq!(hello["not_ready_reasons"], json!(["Lunch", "Training"]));
    for part in ["seat", "calls", "queue", "dispatches", "alarms"] {
        assert!(!hello[part].is_null(), "{part}");
    }
    house.front.feed.publish(FeedEvent::Queue { queue: QueueView::default() });
    let alarm = AlarmView {
        id: "a".into(),
        level: AlarmLevel::Critical,
        text: "Nobody is on call.".into(),
        at: UtcMs(1),
        dispatch: None,
        message: None,
        call: None,
        dismissible: true,
    };
    house.front.feed.publish(FeedEvent::Alarm { alarm });
    for n in 0..100 {
        house.front.feed.publish(gone(n));
    }
    assert_eq!(hear(&mut socket).await["type"], "queue");
    assert_eq!(hear(&mut socket).await["alarm"]["level"], "critical");
    for n in 0..100 {
        assert_eq!(hear(&mut socket).await, json!({"type": "call_gone", "id": format!("call_{n}")}));
    }
}

#[tokio::test]
async fn a_console_that_fell_behind_gets_a_fresh_picture() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut socket = console(address, &token).await;
    assert_eq!(hear(&mut socket).await["type"], "hello");
    // More than the feed keeps, at once, without letting anybody read in between.
    for n in 0..5_000 {
        house.front.feed.publish(gone(n));
    }
    let mut fresh = false;
    for _ in 0..5_001 {
        fresh = hear(&mut socket).await["type"] == "hello";
        if fresh {
            break;
        }
    }
    assert!(fresh, "no fresh picture");
    house.front.feed.publish(gone(9_999));
    assert_eq!(hear(&mut socket).await["id"], "call_9999", "and goes on from there");
}

#[tokio::test]
async fn a_console_stays_while_calls_may_end_and_is_closed_when_the_process_does() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut socket = console(address, &token).await;
    assert_eq!(hear(&mut socket).await["type"], "hello");
    house.front.draining.store(true, Ordering::Relaxed);
    // Longer than between two looks.
    let quiet = tokio::time::timeout(Duration::from_millis(1_500), hear(&mut socket)).await;
    assert!(quiet.is_err(), "closed while draining: {quiet:?}");
    house.front.stopping.store(true, Ordering::Relaxed);
    assert_eq!(hear(&mut socket).await, json!({"close": 1001}));
}

#[tokio::test]
async fn pings_are_answered_and_reach_the_desk_with_typing() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut socket = console(address, &token).await;
    hear(&mut socket).await;
    say(&mut socket, json!({"type": "ping"})).await;
    assert_eq!(hear(&mut socket).await, json!({"type": "pong"}));
    say(&mut socket, json!({"type": "ping", "typing": true})).await;
    assert_eq!(hear(&mut socket).await, json!({"type": "pong"}));
    say(&mut socket, json!({"type": "something newer"})).await;
    say(&mut socket, json!({"type": "ping"})).await;
    assert_eq!(hear(&mut socket).await, json!({"type": "pong"}), "an unknown frame is passed over");
    let beats: Vec<bool> = house.told.beats.lock().expect("no panic").iter().map(|(_, typing)| *typing).collect();
    assert_eq!(beats, [false, false, true, false]);
}

#[tokio::test]
async fn without_a_good_token_there_is_no_feed() {
    let house = House::new().await;
    let address = house.listen().await;
    let mut socket = console(address, "not a token").await;
    assert_eq!(hear(&mut socket).await["code"], "auth.invalid");
    assert_eq!(hear(&mut socket).await["close"], 4401);
    let mut socket = open(address, "/api/v1/events", "cordboard.v1", None).await.expect("it connects");
    say(&mut socket, json!({"type": "ping"})).await;
    assert_eq!(hear(&mut socket).await["close"], 4408);
    let mut silent = open(address, "/api/v1/events", "cordboard.v1", None).await.expect("it connects");
    assert_eq!(hear(&mut silent).await["close"], 4408, "after 5 s");
}

#[tokio::test]
async fn a_feed_ends_with_its_token_unless_a_fresh_one_comes() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let (mut renewed, mut left) = (console(address, &token).await, console(address, &token).await);
    hear(&mut renewed).await;
    hear(&mut left).await;
    // Pinging as they go: a console that is silent for too long is closed for that.
    for _ in 0..7 {
        house.clock.advance(Duration::from_secs(80));
        for socket in [&mut renewed, &mut left] {
            say(socket, json!({"type": "ping"})).await;
            assert_eq!(hear(socket).await["type"], "pong");
        }
    }
    let fresh = house.sign_in("kim").await;
    say(&mut renewed, json!({"type": "auth", "token": fresh})).await;
    for _ in 0..5 {
        house.clock.advance(Duration::from_secs(80));
        say(&mut renewed, json!({"type": "ping"})).await;
        assert_eq!(hear(&mut renewed).await["type"], "pong");
    }
    assert_eq!(hear(&mut left).await["close"], 4401);
}

#[tokio::test]
async fn a_feed_ends_with_its_session() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut socket = console(address, &token).await;
    hear(&mut socket).await;
    house.ask(Method::DELETE, "/api/v1/sessions/current", &token, Value::Null).await;
    assert_eq!(hear(&mut socket).await["close"], 4401);
}

#[tokio::test]
async fn a_feed_takes_no_other_users_token() {
    let house = House::new().await;
    let (address, token, other) = (house.listen().await, house.sign_in("kim").await, house.sign_in("lee").await);
    let mut socket = console(address, &token).await;
    hear(&mut socket).await;
    say(&mut socket, json!({"type": "auth", "token": other})).await;
    assert_eq!(hear(&mut socket).await["close"], 4401);
}

#[tokio::test]
async fn a_softphone_connects_from_our_own_pages_only() {
    let house = House::new().await;
    let address = house.listen().await;
    let own = format!("http://{address}");
    let mut socket = open(address, "/sip", "sip", Some(&own)).await.expect("from our own page");
    socket.send(Message::text("REGISTER sip:x SIP/2.0\r\n\r\n")).await.expect("sent");
    let text = loop {
        let frame = tokio::time::timeout(PATIENCE, socket.next()).await.expect("in time").expect("a frame");
        if let Message::Text(text) = frame.expect("a good frame") {
            break text;
        }
    };
    assert_eq!(text.as_str(), "REGISTER sip:x SIP/2.0\r\n\r\n");
    for (origin, subprotocol, status) in
        [(Some("https://evil.example.com"), "sip", 403), (Some(own.as_str()), "chat", 400), (None, "cordboard.v1", 400)]
    {
        match open(address, "/sip", subprotocol, origin).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), status, "{origin:?} {subprotocol}"),
            other => panic!("{origin:?} {subprotocol}: {:?}", other.map(|_| "connected")),
        }
    }
}

#[tokio::test]
async fn a_console_and_a_softphone_are_strangers_until_they_have_shown_who_they_are() {
    let house = House::new().await;
    let token = house.sign_in("kim").await;
    let census = Census::new(Caps::default(), Vec::new());
    let seat = || census.admit([127, 0, 0, 1].into()).expect("there is room");

    let place = seat();
    let address = house.listen_at_seat(Some(&place)).await;
    let mut wrong = console(address, "no token").await;
    while hear(&mut wrong).await.get("close").is_none() {}
    let mut socket = open(address, "/api/v1/events", "cordboard.v1", None).await.expect("it connects");
    assert!(!place.voucher().is_redeemed(), "nobody has shown anything yet");
    say(&mut socket, json!({"type": "auth", "token": token})).await;
    assert_eq!(hear(&mut socket).await["type"], "hello");
    assert!(place.voucher().is_redeemed());

    let place = seat();
    let address = house.listen_at_seat(Some(&place)).await;
    let mut socket = open(address, "/sip", "sip", None).await.expect("it connects");
    for (words, known) in [("OPTIONS sip:x SIP/2.0\r\n\r\n", false), ("REGISTER sip:x SIP/2.0\r\n\r\n", true)] {
        socket.send(Message::text(words)).await.expect("sent");
        loop {
            let frame = tokio::time::timeout(PATIENCE, socket.next()).await.expect("in time").expect("a frame");
            if let Message::Text(text) = frame.expect("a good frame") {
                assert_eq!(text.as_str(), words);
                break;
            }
        }
        assert_eq!(place.voucher().is_redeemed(), known, "{words}");
    }
}

#[tokio::test]
async fn what_an_operator_can_do_reaches_the_desk_with_the_console_and_when_it_changes() {
    let house = House::new().await;
    let (address, token) = (house.listen().await, house.sign_in("kim").await);
    let mut socket = console(address, &token).await;
    hear(&mut socket).await;
    let kim = UserId::named("kim");
    assert_eq!(Told::so_far(&house.told.skilled), [(kim.clone(), Skills::new())]);
    let sam = house.sign_in("sam").await;
    let body = json!({"skills": ["spanish"]});
    let set = house.ask(Method::PUT, "/api/v1/users/usr_kim/skills", &sam, body).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    // Longer than what the store said of a session is believed.
    house.clock.advance(Duration::from_secs(6));
    let told = async {
        while Told::so_far(&house.told.skilled).len() < 2 {
            say(&mut socket, json!({"type": "ping"})).await;
            hear(&mut socket).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the desk is told");
    let spanish = Skill::parse("spanish").expect("a skill");
    assert_eq!(Told::so_far(&house.told.skilled).pop(), Some((kim, [spanish].into())));
}
