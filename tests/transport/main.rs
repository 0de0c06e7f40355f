//! What carries SIP and audio, with real sockets: TLS with trunks, connections that break, crowds of strangers, IPv6,
//! encrypted audio, HTTPS.

mod broken;
mod calling_phone;
mod crowd;
mod desk_phone;
mod https;
mod secure_audio;
mod serve;
mod six;
mod tls;

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/baresip.rs"]
mod baresip;
#[path = "../support/media.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod media;
#[path = "../support/peers.rs"]
mod peers;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "shared test support is used in part by each test binary")]
mod server;
#[path = "../support/temp.rs"]
mod temp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::SystemClock;
use cordboard::base::phone::PhoneNumber;
use cordboard::domain::call::bridge::LegId;
use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{DialOut, IncomingCall, LEG_EVENT_DEPTH, LegEvent};
use cordboard::engine::trunk::{self, Carriage, Carrier, LegNumbers, TrunkHandle, TrunkSettings};
use cordboard::io::net::tls::Identity;
use cordboard::proto::sdp::Srtp;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub use authority::Authority;

pub const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n";
pub const DID: &str = "+12025550102";

/// Longer than anything here takes, shorter than a transaction's own time limit of 32 s.
pub const SOON: Duration = Duration::from_secs(20);

/// A carrier at `target` from which calls may come in as well.
pub fn carrier(target: &str, over: Carriage, srtp: Srtp) -> Carrier {
    let mut carrier = Carrier::new("carrier", target.parse().expect("a target"));
    carrier.sources = ["127.0.0.1", "::1"].map(|text| text.parse().expect("an address")).to_vec();
    (carrier.over, carrier.srtp) = (over, srtp);
    // What comes first is what the test sends.
    carrier.ping_every = None;
    carrier
}

/// A trunk side.
pub async fn trunk_side(
    bind: &str,
    tls: Option<Identity>,
    carrier: Carrier,
) -> (TrunkHandle, mpsc::Receiver<IncomingCall>) {
    let bind: SocketAddr = bind.parse().expect("an address");
    let mut settings = TrunkSettings::new(bind, vec![carrier], LegNumbers::default());
    settings.tls = tls.map(|identity| (bind, identity));
    trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port")
}

/// A call to [`DID`].
pub fn dialled() -> DialOut {
    DialOut { to: PhoneNumber::parse(DID).expect("a number"), caller_id: None, account: None }
}

/// Dials [`DID`] and gives what is told of it.
pub fn dial(trunk: &TrunkHandle, leg: LegId) -> mpsc::Receiver<LegEvent> {
    let (events, heard) = mpsc::channel(LEG_EVENT_DEPTH);
    trunk.dial(leg, dialled(), SDP.to_vec(), events);
    heard
}

pub async fn next<T>(from: &mut mpsc::Receiver<T>) -> T {
    timeout(SOON, from.recv()).await.expect("in time").expect("it is open")
}

/// Waits for the end of a leg and says why it ended.
pub async fn end(events: &mut mpsc::Receiver<LegEvent>) -> Cause {
    loop {
        if let LegEvent::Ended(cause) = next(events).await {
            return cause;
        }
    }
}

/// Reads until a message with a whole head and `length` bytes of body has come.
pub async fn message<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    loop {
        let len = timeout(SOON, stream.read(&mut buffer)).await.expect("in time").expect("it is open");
        assert!(len > 0, "it closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..len]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
        if body.len() >= length.parse::<usize>().expect("a number") {
            return text;
        }
    }
}

/// The line of a message that begins with `name`.
pub fn line<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

/// A response to a request, with more lines and a body.
pub fn response(status: &str, request: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let copied: String =
        ["Via: ", "From: ", "Call-ID: ", "CSeq: "].iter().map(|name| format!("{}\r\n", line(request, name))).collect();
    let to = line(request, "To: ");
    let tag = if to.contains(";tag=") { "" } else { ";tag=far" };
    let mut bytes = format!(
        "SIP/2.0 {status}\r\n{copied}{to}{tag}\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A question that everybody answers, from a peer that listens on `port`.
pub fn options(transport: &str, port: u16, mark: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:{port};branch=z9hG4bK{mark}\r\n\
         From: <sip:p@127.0.0.1>;tag=p\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
