//! Bodies that are wrong or too large, and what their senders are told.

use axum::Router;
use axum::http::{Method, StatusCode};
use cordboard::http::{router, serve};
use cordboard::io::net::census::{Caps, Census};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::House;

#[tokio::test]
async fn a_body_of_another_form_is_told_by_its_place_and_never_in_the_words_of_a_parser() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let body = json!({"name": 5, "zone": "UTC"});
    let got = house.ask(Method::POST, "/api/v1/accounts", &sam, body).await;
    assert_eq!((got.status, got.problem().as_str()), (StatusCode::BAD_REQUEST, "body.invalid"));
    let problem = got.json();
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    assert_eq!(problem["detail"], "/name: A number stands where a text belongs. Send a text.");
    let got = house.fetch("/api/v1/calls?abandoned=bored", &sam).await.json();
    assert_eq!(got["errors"][0]["pointer"], "/abandoned");
    let detail = got["detail"].as_str().expect("a detail");
    assert!(detail.contains("Write one of: any, greeting, menu,") && !detail.contains("bored"), "{detail}");
}

/// Sends `body` over a connection of its own; what comes back.
async fn over_a_socket(house: &House, token: &str, path: &str, body: &[u8], expect: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopping) = watch::channel(false);
    let census = Census::new(Caps { total: 4, reserved: 1, per_address: 4 }, Vec::new());
    let router = router::build(house.front.clone(), Router::new());
    let serving = tokio::spawn(serve::serve(listener, None, census, router, stopping));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let expects = if expect { "Expect: 100-continue\r\n" } else { "" };
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         {expects}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("the head is taken");
    if !expect {
        stream.write_all(body).await.expect("all of it is taken");
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    stop.send(true).expect("it is served");
    serving.await.expect("no panic");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn who_sends_far_too_much_hears_that_and_is_not_cut_off() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let large = vec![b' '; 20 << 20];
    for path in ["/api/v1/accounts", "/api/v1/speech/recordings"] {
        let answer = over_a_socket(&house, &sam, path, &large, false).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
        assert!(answer.contains("body.too_large"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn who_asks_before_sending_too_much_is_told_before_sending() {
    let house = House::new().await;
    let sam = house.sign_in("sam").await;
    let answer = over_a_socket(&house, &sam, "/api/v1/accounts", &[b' '; 1 << 20], true).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}
