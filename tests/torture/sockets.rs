//! Hostile peers on real sockets: one that never reads, one that breaks its framing, strangers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::SystemClock;
use cordboard::engine::trunk::{self, Carrier, LegNumbers, TrunkHandle, TrunkSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

async fn start() -> TrunkHandle {
    let mut carrier = Carrier::new("test", "127.0.0.1:9".parse().expect("a target"));
    carrier.sources = vec!["127.0.0.1".parse().expect("an address")];
    carrier.ping_every = None;
    let settings = TrunkSettings::new(([127, 0, 0, 1], 0).into(), vec![carrier], LegNumbers::default());
    let (handle, calls) = trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
    // Nobody takes calls here; the channel stays open all the same.
    tokio::spawn(async move {
        let mut calls = calls;
        while calls.recv().await.is_some() {}
    });
    handle
}

fn options(transport: &str, port: u16, mark: usize) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:{port};branch=z9hG4bK{mark}\r\n\
         From: <sip:p@127.0.0.1>;tag=p\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

async fn asked(socket: &UdpSocket, target: SocketAddr, mark: usize) -> String {
    let port = socket.local_addr().expect("bound").port();
    socket.send_to(&options("UDP", port, mark), target).await.expect("loopback takes it");
    let mut buffer = [0; 4096];
    let (len, _) =
        timeout(Duration::from_secs(5), socket.recv_from(&mut buffer)).await.expect("an answer").expect("ok");
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

#[tokio::test]
async fn a_peer_that_never_reads_is_closed_and_stops_nobody_else() {
    let trunk = start().await;
    let mut deaf = TcpStream::connect(trunk.local()).await.expect("it listens");
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let mut flood = Vec::new();
    for mark in 0..500 {
        flood.extend(options("TCP", 9, mark));
    }
    let mut closed = false;
    for round in 0..400 {
        // Each batch asks for more answers than the socket's buffers hold, sooner or later.
        if let Ok(Err(_)) = timeout(Duration::from_millis(200), deaf.write_all(&flood)).await {
            closed = true;
            break;
        }
        if round % 10 == 0 {
            assert!(asked(&socket, trunk.local(), 10_000 + round).await.starts_with("SIP/2.0 200"));
        }
    }
    assert!(closed, "the deaf peer is still connected");
    assert!(asked(&socket, trunk.local(), 99).await.starts_with("SIP/2.0 200"));
}

#[tokio::test]
async fn broken_framing_is_refused_and_the_connection_closed() {
    let trunk = start().await;
    for file in ["ncl.dat", "mcl01.dat"] {
        let mut stream = TcpStream::connect(trunk.local()).await.expect("it listens");
        stream.write_all(&super::message(file)).await.expect("open");
        let mut answer = String::new();
        let read = timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await;
        assert!(read.is_ok(), "{file}: the connection stays open");
        assert!(answer.starts_with("SIP/2.0 400 "), "{file}: {answer}");
    }
    // Two messages in one go, and a keep-alive, are three answers.
    let mut stream = TcpStream::connect(trunk.local()).await.expect("it listens");
    let both = [options("TCP", 9, 1), b"\r\n\r\n".to_vec(), options("TCP", 9, 2)].concat();
    stream.write_all(&both).await.expect("open");
    let (mut answer, mut buffer) = (String::new(), [0; 4096]);
    for _ in 0..20 {
        let Ok(Ok(len)) = timeout(Duration::from_millis(500), stream.read(&mut buffer)).await else { break };
        answer.push_str(&String::from_utf8_lossy(&buffer[..len]));
    }
    assert_eq!(answer.matches("SIP/2.0 200 OK").count(), 2, "{answer}");
    assert!(answer.contains("\r\n\r\n\r\n") || answer.starts_with("\r\n"), "no pong in {answer:?}");
}

#[tokio::test]
async fn a_stranger_on_the_same_network_gets_a_short_403() {
    let trunk = start().await;
    let Ok(stranger) = UdpSocket::bind("127.0.0.2:0").await else {
        eprintln!("SKIPPED a stranger's 403: this system has no 127.0.0.2");
        return;
    };
    let answer = asked(&stranger, trunk.local(), 1).await;
    assert!(answer.starts_with("SIP/2.0 403 "), "{answer}");
    assert!(answer.len() <= options("UDP", 9999, 1).len() + 4, "{answer}");
}
