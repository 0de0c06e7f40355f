//! The front door over TLS: it says so to whoever asks, shows a renewed certificate, lets its last requests end, and is
//! not held up by those who say nothing.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::Extensions;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use cordboard::http::extract::OverTls;
use cordboard::http::serve::{ALPN, serve};
use cordboard::io::net::census::{Caps, Census, Voucher};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::{Authority, SOON};

async fn who(ConnectInfo(peer): ConnectInfo<SocketAddr>, extensions: Extensions) -> String {
    format!("{} tls={}", peer.ip(), extensions.get::<OverTls>().is_some())
}

async fn connect(authority: &Authority, to: SocketAddr) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(to).await.expect("it listens");
    let name = ServerName::try_from("desk.test").expect("a name");
    authority.connector().connect(name, stream).await.expect("a handshake")
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> String {
    stream.write_all(b"GET /who HTTP/1.1\r\nHost: desk.test\r\nConnection: close\r\n\r\n").await.expect("open");
    let mut answer = String::new();
    // A peer that closes TLS without a word has said all the same.
    let _ = timeout(SOON, stream.read_to_string(&mut answer)).await.expect("in time");
    answer
}

#[tokio::test]
async fn requests_over_tls_are_known_for_it_and_renewed_certificates_are_shown() {
    let authority = Authority::fresh();
    let identity = authority.identity("desk", &["desk.test"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopping) = watch::channel(false);
    let router = Router::new().route("/who", get(who));
    let census = Census::new(Caps { total: 8, reserved: 2, per_address: 5 }, Vec::new());
    let serving = tokio::spawn(serve(listener, Some(identity.acceptor(&ALPN)), census.clone(), router, stopping));
    let mut stream = connect(&authority, address).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let first = stream.get_ref().1.peer_certificates().expect("one")[0].clone();
    assert!(ask(&mut stream).await.ends_with("127.0.0.1 tls=true"));
    authority.issue("desk", &["desk.test"]);
    assert_eq!(identity.refresh(true), Ok(true));
    let mut stream = connect(&authority, address).await;
    assert_ne!(stream.get_ref().1.peer_certificates().expect("one")[0], first);
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200 "));
    drop(stream);

    // As many as one address may have, silent; then one more is turned away, and another address is not.
    let silent: Vec<TcpStream> = {
        let mut silent = Vec::new();
        for _ in 0..5 {
            silent.push(TcpStream::connect(address).await.expect("it listens"));
        }
        silent
    };
    let counted = async {
        while census.count() < 5 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, counted).await.expect("all are seen");
    let mut sixth = TcpStream::connect(address).await.expect("it listens");
    assert!(matches!(timeout(SOON, sixth.read(&mut [0; 8])).await, Ok(Ok(0) | Err(_))), "a sixth was let in");
    drop(silent);
    let gone = async {
        while census.count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.expect("their places come back");

    stop.send(true).expect("it listens");
    timeout(SOON, serving).await.expect("in time").expect("no panic");
    assert!(TcpStream::connect(address).await.is_err(), "it still listens");
}

#[tokio::test]
async fn without_a_certificate_it_is_plain_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (_stop, stopping) = watch::channel(false);
    let router = Router::new().route("/who", get(who));
    tokio::spawn(serve(listener, None, Census::new(Caps::of(64), Vec::new()), router, stopping));
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    assert!(ask(&mut stream).await.ends_with("127.0.0.1 tls=false"));
}

/// Says everything back.
async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

#[tokio::test]
async fn a_websocket_over_tls_keeps_its_place_while_it_lasts_and_outlives_the_drain() {
    let authority = Authority::fresh();
    let identity = authority.identity("desk", &["desk.test"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopping) = watch::channel(false);
    let census = Census::new(Caps::of(64), Vec::new());
    let router = Router::new().route("/echo", get(echo));
    let serving = tokio::spawn(serve(listener, Some(identity.acceptor(&ALPN)), census.clone(), router, stopping));
    let stream = connect(&authority, address).await;
    let (mut socket, _) = tokio_tungstenite::client_async("wss://desk.test/echo", stream).await.expect("an upgrade");
    let mut turn = async |words: &str| {
        socket.send(words.into()).await.expect("open");
        let back = timeout(SOON, socket.next()).await.expect("in time").expect("open").expect("a message");
        assert_eq!(back.into_text().expect("text"), words);
    };
    turn("hello").await;
    assert_eq!(census.count(), 1);
    stop.send(true).expect("it listens");
    timeout(SOON, serving).await.expect("in time").expect("no panic");
    turn("still here").await;
    drop(socket);
    let gone = async {
        while census.count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, gone).await.expect("its place comes back");
}

/// Says who it is with its first message.
async fn vouched(Extension(voucher): Extension<Voucher>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        while let Some(Ok(message)) = socket.recv().await {
            voucher.redeem();
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

#[tokio::test]
async fn a_websocket_makes_room_for_others_until_its_client_has_shown_who_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (_stop, stopping) = watch::channel(false);
    let caps = Caps { total: 4, reserved: 1, per_address: 3 };
    let router = Router::new().route("/echo", get(echo)).route("/vouched", get(vouched));
    tokio::spawn(serve(listener, None, Census::new(caps, Vec::new()), router, stopping));
    let open = async |last: u8, path: &str| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).expect("loopback has many addresses");
        let stream = socket.connect(address).await.expect("it listens");
        let url = format!("ws://desk.test{path}");
        tokio_tungstenite::client_async(url, stream).await.expect("an upgrade").0
    };
    let mut known = open(2, "/vouched").await;
    known.send("it is me".into()).await.expect("open");
    timeout(SOON, known.next()).await.expect("in time").expect("open").expect("a message");
    // Three strangers is what fits beside; each address more takes the place of the oldest.
    let mut strangers = Vec::new();
    for last in 3..=6 {
        strangers.push(open(last, "/echo").await);
    }
    let first = timeout(SOON, strangers[0].next()).await.expect("the first stranger has made room");
    assert!(!matches!(first, Some(Ok(_))), "{first:?}");
    known.send("still me".into()).await.expect("open");
    let back = timeout(SOON, known.next()).await.expect("in time").expect("open").expect("a message");
    assert_eq!(back.into_text().expect("text"), "still me");
}
