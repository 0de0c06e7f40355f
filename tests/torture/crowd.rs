//! A crowd of mutated messages against a running trunk side, as datagrams and as streams, while a carrier asks and calls:
//! each of its questions is answered, over UDP and over the one connection that it keeps, and its calls come up and end.

use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::SystemClock;
use cordboard::base::rng::Rng;
use cordboard::engine::signal::{LegCommand, LegEvent};
use cordboard::engine::trunk::{self, Carrier, LegNumbers, TrunkHandle, TrunkSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::mutate::mutate;
use super::{TABLE, message};

const SOON: Duration = Duration::from_secs(20);
const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n";
/// Datagrams, and streams of a few messages each.
const DATAGRAMS: usize = 12_000;
const STREAMS: usize = 400;

async fn trunk_side() -> TrunkHandle {
    let mut carrier = Carrier::new("test", "127.0.0.1:9".parse().expect("a target"));
    carrier.sources = vec!["127.0.0.1".parse().expect("an address")];
    carrier.ping_every = None;
    carrier.rules.channels = 4_000;
    carrier.rules.calls_per_second = 4_000;
    let settings = TrunkSettings::new(([127, 0, 0, 1], 0).into(), vec![carrier], LegNumbers::default());
    let (handle, mut calls) = trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
    let trunk = handle.clone();
    tokio::spawn(async move {
        while let Some(mut call) = calls.recv().await {
            trunk.send(call.leg, LegCommand::Answer(SDP.as_bytes().to_vec()));
            let trunk = trunk.clone();
            tokio::spawn(async move {
                while let Some(event) = call.events.recv().await {
                    if matches!(event, LegEvent::Reoffered(_)) {
                        trunk.send(call.leg, LegCommand::AnswerReoffer(SDP.as_bytes().to_vec()));
                    }
                }
            });
        }
    });
    handle
}

/// The carrier: a socket and a connection that it keeps.
struct Carriers {
    trunk: TrunkHandle,
    socket: UdpSocket,
    stream: TcpStream,
}

impl Carriers {
    fn request(&self, method: &str, over: &str, call: &str, cseq: u32, to_tag: &str) -> Vec<u8> {
        let port = self.socket.local_addr().expect("bound").port();
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let body = if method == "INVITE" { SDP } else { "" };
        format!(
            "{method} sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{over} 127.0.0.1:{port};branch=z9hG4bK{call}{cseq}{method}\r\n\
             From: <sip:+12025550150@127.0.0.1>;tag=p\r\nTo: <sip:+12025550102@127.0.0.1>{to_tag}\r\nCall-ID: {call}\r\n\
             CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:p@127.0.0.1:{port}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// Says something over UDP and waits for its final answer.
    async fn asks(&self, method: &str, call: &str, cseq: u32, to_tag: &str) -> String {
        let request = self.request(method, "UDP", call, cseq, to_tag);
        self.socket.send_to(&request, self.trunk.local()).await.expect("loopback takes it");
        if method == "ACK" {
            return String::new();
        }
        let mine = [format!("Call-ID: {call}\r\n"), format!("CSeq: {cseq} {method}\r\n")];
        let answered = async {
            let mut buffer = [0; 8_192];
            loop {
                let (len, _) = self.socket.recv_from(&mut buffer).await.expect("open");
                let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
                if mine.iter().all(|part| text.contains(part)) && !text.starts_with("SIP/2.0 1") {
                    return text;
                }
            }
        };
        timeout(SOON, answered).await.unwrap_or_else(|_| panic!("{call}: {method} is not answered"))
    }

    async fn asks_over_its_connection(&mut self, call: &str) {
        self.stream.write_all(&self.request("OPTIONS", "TCP", call, 1, "")).await.expect("it is open");
        let mut text = String::new();
        let mut buffer = [0; 4_096];
        while !text.contains(&format!("Call-ID: {call}\r\n")) {
            let len = timeout(SOON, self.stream.read(&mut buffer)).await.expect("an answer").expect("it is open");
            assert!(len > 0, "{call}: the connection was closed");
            text.push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
        assert!(text.starts_with("SIP/2.0 200 "), "{call}: {text}");
    }

    async fn is_served(&mut self, number: usize) {
        let answer = self.asks("OPTIONS", &format!("question-{number}"), 1, "").await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        self.asks_over_its_connection(&format!("stream-{number}")).await;
        let call = format!("call-{number}");
        let answer = self.asks("INVITE", &call, 1, "").await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let to = answer.lines().find(|line| line.starts_with("To: ")).expect("it has To");
        let tag = to.split_once(";tag=").expect("it has a tag").1;
        self.asks("ACK", &call, 1, tag).await;
        let answer = self.asks("BYE", &call, 2, tag).await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }
}

fn mutated(rng: &mut Rng, originals: &[Vec<u8>], number: usize) -> Vec<u8> {
    let pick = |rng: &mut Rng| usize::try_from(rng.below(originals.len() as u64)).expect("small");
    let (one, two) = (pick(rng), pick(rng));
    let mut bytes = originals[one].clone();
    for _ in 0..rng.below(5) {
        mutate(rng, &mut bytes, &originals[two]);
    }
    if number.is_multiple_of(2)
        && let Some(at) = bytes.windows(7).position(|window| window == b"z9hG4bK")
    {
        // A transaction of its own.
        bytes.splice(at + 7..at + 7, number.to_string().into_bytes());
    }
    bytes
}

#[tokio::test]
async fn a_crowd_of_mutated_datagrams_and_streams_keeps_no_carrier_from_its_answers() {
    let trunk = trunk_side().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let stream = TcpStream::connect(trunk.local()).await.expect("it listens");
    let mut carrier = Carriers { trunk: trunk.clone(), socket, stream };
    let originals: Vec<Vec<u8>> = TABLE.iter().map(|(file, _)| message(file)).collect();
    let mut rng = Rng::seeded(0x4475);
    let hostile = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    for number in 0..DATAGRAMS {
        let bytes = mutated(&mut rng, &originals, number);
        // Longer than any datagram can be: not sent.
        let _ = hostile.send_to(&bytes, trunk.local()).await;
        if number.is_multiple_of(100) {
            carrier.is_served(number).await;
        }
    }
    for number in 0..STREAMS {
        let mut stream = TcpStream::connect(trunk.local()).await.expect("it listens");
        let bytes: Vec<u8> = (0..4).flat_map(|n| mutated(&mut rng, &originals, number * 4 + n)).collect();
        for piece in bytes.chunks(1 + usize::try_from(rng.below(2_000)).expect("small")) {
            if stream.write_all(piece).await.is_err() {
                break;
            }
        }
        if number.is_multiple_of(10) {
            carrier.is_served(DATAGRAMS + number).await;
        }
    }
}
