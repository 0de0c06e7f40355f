//! The 49 messages over every transport of the running sides, from a peer that may speak: UDP, TCP and TLS at the trunk
//! side and at the phone side, WebSocket at the whole binary's front door. Each gets the answer of the table; where the
//! transport or the side makes another one right, it stands here and why. After each the same peer asks a proper
//! question over the same way, and so does a bystander over a way of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::SystemClock;
use cordboard::engine::registrar::devices::Devices;
use cordboard::engine::registrar::{self, PhoneSettings};
use cordboard::engine::signal::{LegCommand, LegEvent};
use cordboard::engine::trunk::{self, Carrier, LegNumbers, TrunkHandle, TrunkSettings};
use cordboard::io::net::Doors;
use cordboard::io::net::tls::Identity;
use cordboard::proto::sip::{Frame, StreamFramer};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::authority::Authority;
use super::peers::skip;
use super::server::Server;
use super::{Call, Deserves, Registration, Silence, Status, TABLE, message};

const SOON: Duration = Duration::from_secs(10);
/// From here on ways are bystanders'.
const BYSTANDER: usize = 100;
const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n";

/// Which side a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Trunk,
    Phones,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Udp,
    Tcp,
    Tls,
    Ws,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    GoesOn,
    /// Nobody can say where the next message begins.
    Closed,
    /// The message is not whole yet.
    Waits,
}

/// The final answers that a message deserves on a side.
fn finals_on(side: Side, file: &str, deserves: Deserves) -> Vec<u16> {
    let bytes = message(file);
    let register = bytes.starts_with(b"REGISTER");
    match (side, deserves) {
        (_, Silence) => Vec::new(),
        // Registrations are not for carriers.
        (Side::Trunk, Registration) => vec![405],
        (Side::Trunk, Status(403)) if register => vec![405],
        // Its To is nobody's that could register; but that is looked at only where registrations are.
        (Side::Trunk, _) if file == "unksm2.dat" => vec![405],
        (Side::Trunk, Call) => vec![200],
        (_, Status(status)) if side == Side::Trunk || register && status != 403 => vec![status],
        // None of them says who it is in a way that is known: asked for it (RFC 3261 §22.1).
        (Side::Phones, _) if register => vec![401],
        // A dialog that nobody knows (RFC 3261 §12.2.2).
        (Side::Phones, Status(481)) => vec![481],
        // Nothing but registrations is taken from phones: the same short answer to all.
        (Side::Phones | Side::Trunk, _) => vec![403],
    }
}

/// What the transport changes.
fn over(side: Side, over: Over, file: &str, finals: Vec<u16>) -> (Vec<u16>, After) {
    if matches!(over, Over::Udp | Over::Ws) {
        // A datagram and a WebSocket's frame end where they end (RFC 3261 §18.3, RFC 7118 §4).
        return (finals, After::GoesOn);
    }
    match file {
        // RFC 3261 §20.14: no stream without Content-Length, and none with one that is no number, or with two.
        "ncl.dat" | "mcl01.dat" | "inv2543.dat" => (vec![if side == Side::Trunk { 400 } else { 403 }], After::Closed),
        // RFC 4475 §3.1.2.2: 9,999 bytes are waited for, as long as a message may take; here for its end.
        "clerr.dat" => (Vec::new(), After::Waits),
        // No empty line: the headers go on.
        "baddn.dat" => (Vec::new(), After::Waits),
        // RFC 4475 §3.1.1.8: what follows is a message of its own here. It says that it is shorter than it is, and what
        // is left of it begins no message.
        "dblreq.dat" => ([finals, vec![if side == Side::Trunk { 200 } else { 403 }]].concat(), After::Closed),
        _ => (finals, After::GoesOn),
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A peer's way to a side.
enum Way {
    Udp(UdpSocket, SocketAddr),
    Stream(Box<dyn Stream>, StreamFramer),
    Ws(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
}

impl Way {
    async fn say(&mut self, bytes: &[u8]) {
        match self {
            Self::Udp(socket, to) => {
                socket.send_to(bytes, *to).await.expect("loopback takes it");
            }
            // One that has been closed says so when it is read.
            Self::Stream(stream, _) => {
                let _ = stream.write_all(bytes).await;
                let _ = stream.flush().await;
            }
            Self::Ws(socket) => {
                // RFC 7118 §4.2: either kind of frame; text has to be UTF-8.
                let frame = match String::from_utf8(bytes.to_vec()) {
                    Ok(text) => WsMessage::text(text),
                    Err(_) => WsMessage::binary(bytes.to_vec()),
                };
                socket.send(frame).await.expect("it is open");
            }
        }
    }

    /// The next message; none when it has closed, or nothing comes.
    async fn hear(&mut self) -> Option<String> {
        let bytes = match self {
            Self::Udp(socket, _) => {
                let mut buffer = vec![0; 65_535];
                let (len, _) = timeout(SOON, socket.recv_from(&mut buffer)).await.ok()?.expect("open");
                buffer.truncate(len);
                buffer
            }
            Self::Stream(stream, framer) => {
                let mut buffer = [0; 4_096];
                loop {
                    if let Some(Frame::Message(bytes)) = framer.poll_frame() {
                        break bytes;
                    }
                    match timeout(SOON, stream.read(&mut buffer)).await.ok()? {
                        Ok(0) | Err(_) => return None,
                        Ok(len) => framer.push(&buffer[..len]),
                    }
                }
            }
            Self::Ws(socket) => loop {
                match timeout(SOON, socket.next()).await.ok()?? {
                    Ok(WsMessage::Text(text)) => break text.as_bytes().to_vec(),
                    Ok(WsMessage::Binary(bytes)) => break bytes.to_vec(),
                    Ok(WsMessage::Close(_)) | Err(_) => return None,
                    Ok(_) => {}
                }
            },
        };
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn status(text: &str) -> Option<u16> {
    text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

fn question(transport: &str, port: u16, mark: &str) -> Vec<u8> {
    let padding = "so that the short refusal is no larger than what asked for it, whatever the side";
    format!(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:{port};branch=z9hG4bK{mark};rport\r\n\
         From: <sip:p@127.0.0.1>;tag=p\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nX-Padding: {padding}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The final answers that come until a proper question is answered, or the end. True: it was answered.
async fn until_asked(way: &mut Way, over: Over, mark: &str) -> (Vec<u16>, bool) {
    let name = ["UDP", "TCP", "TLS", "WS"][over as usize];
    way.say(&question(name, 9, mark)).await;
    let mut finals = Vec::new();
    while let Some(text) = way.hear().await {
        let Some(status) = status(&text).filter(|status| *status >= 200) else { continue };
        if text.contains(&format!("Call-ID: {mark}\r\n")) {
            assert!([200, 403].contains(&status), "{mark}: a proper question gets {text}");
            return (finals, true);
        }
        finals.push(status);
    }
    (finals, false)
}

/// The port that an answer over UDP goes to: Via's, unless it asks for the source's (RFC 3581).
fn answered_at(bytes: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(bytes);
    let via = text.lines().find(|line| line.starts_with("Via:")).unwrap_or_default();
    let host = via.split_whitespace().nth(2).unwrap_or_default().split([';', ',']).next().unwrap_or_default();
    host.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(5060)
}

/// Says all 49, each over a fresh way that `open` makes, and collects what is not as it should be.
async fn says_all<F, W>(side: Side, over_what: Over, mut open: F) -> Vec<String>
where
    F: FnMut(usize, u16) -> W,
    W: Future<Output = Way>,
{
    let mut wrong = Vec::new();
    let mut bystander = open(BYSTANDER, 0).await;
    for (at, (file, deserves)) in TABLE.into_iter().enumerate() {
        // Phones that are strangers may ask so often over one connection.
        if at % 16 == 15 {
            bystander = open(BYSTANDER + at, 0).await;
        }
        let bytes = message(file);
        let (expected, after) = over(side, over_what, file, finals_on(side, file, deserves));
        let mut way = open(at, answered_at(&bytes)).await;
        way.say(&bytes).await;
        let name = format!("{side:?} {over_what:?} {file}");
        if after == After::Waits {
            let Way::Stream(stream, _) = &mut way else { unreachable!("only streams wait") };
            stream.shutdown().await.expect("open");
            if let Some(text) = way.hear().await {
                wrong.push(format!("{name}: not whole, and yet answered: {text}"));
            }
        } else {
            let (mut finals, goes_on) = until_asked(&mut way, over_what, &format!("q{at}-{over_what:?}")).await;
            // An owner answers a call when it gets to it.
            while goes_on && finals.len() < expected.len() {
                let Some(text) = way.hear().await else { break };
                finals.extend(status(&text).filter(|status| *status >= 200));
            }
            finals.sort_unstable();
            let mut expected = expected;
            expected.sort_unstable();
            // A 200 to an INVITE is repeated, as nobody acknowledges it.
            finals.dedup();
            expected.dedup();
            if finals != expected {
                wrong.push(format!("{name}: {finals:?} in place of {expected:?}"));
            }
            if goes_on != (after == After::GoesOn) {
                wrong.push(format!("{name}: the next question is answered: {goes_on}"));
            }
        }
        let (_, alive) = until_asked(&mut bystander, over_what, &format!("b{at}-{over_what:?}")).await;
        if !alive {
            wrong.push(format!("{name}: a bystander is no longer answered"));
            break;
        }
    }
    wrong
}

/// From an address that is this message's alone, and the side's.
async fn udp(side: Side, to: SocketAddr, at: usize, port: u16) -> Option<Way> {
    let from = SocketAddr::from(([127, 71, side as u8, at as u8 + 1], port));
    Some(Way::Udp(UdpSocket::bind(from).await.ok()?, to))
}

async fn tcp(to: SocketAddr) -> Way {
    let stream = TcpStream::connect(to).await.expect("it listens");
    Way::Stream(Box::new(stream), StreamFramer::default())
}

async fn tls(authority: &Authority, to: SocketAddr) -> Way {
    let stream = TcpStream::connect(to).await.expect("it listens");
    let name = ServerName::try_from("desk.test").expect("a name");
    let stream = authority.connector().connect(name, stream).await.expect("a handshake");
    Way::Stream(Box::new(stream), StreamFramer::default())
}

async fn ws(port: u16) -> Way {
    let mut request = format!("ws://127.0.0.1:{port}/sip").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", "sip".parse().expect("a header value"));
    let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("it listens");
    Way::Ws(Box::new(socket))
}

/// A trunk side whose owner answers every call and hangs up.
async fn trunk_side(identity: Identity) -> TrunkHandle {
    let mut carrier = Carrier::new("test", "127.0.0.1:9".parse().expect("a target"));
    carrier.sources = vec!["127.0.0.0/8".parse().expect("a network")];
    carrier.ping_every = None;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut settings = TrunkSettings::new(any, vec![carrier], LegNumbers::default());
    settings.tls = Some((any, identity));
    let (handle, mut calls) = trunk::spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
    let trunk = handle.clone();
    tokio::spawn(async move {
        while let Some(mut call) = calls.recv().await {
            trunk.send(call.leg, LegCommand::Answer(SDP.to_vec()));
            let trunk = trunk.clone();
            tokio::spawn(async move {
                while let Some(event) = call.events.recv().await {
                    if matches!(event, LegEvent::Established(_)) {
                        trunk.send(call.leg, LegCommand::HangUp);
                    }
                }
            });
        }
    });
    handle
}

/// All 49 over one transport; a side of its own for each, as a request is known by its branch whatever it comes over
/// (RFC 3261 §17.2.3).
async fn says_all_over(side: Side, over_what: Over, authority: &Authority, plain: SocketAddr, secure: SocketAddr) {
    let wrong = match over_what {
        Over::Udp if udp(side, plain, BYSTANDER, 0).await.is_none() => {
            return skip("RFC 4475 over UDP", "this system has no 127.71.0.1");
        }
        Over::Udp => {
            let open = async |at, port| udp(side, plain, at, port).await.expect("a free port");
            says_all(side, over_what, open).await
        }
        Over::Tcp => says_all(side, over_what, async |_, _| tcp(plain).await).await,
        Over::Tls => says_all(side, over_what, async |_, _| tls(authority, secure).await).await,
        Over::Ws => unreachable!("that door is in front of the whole binary"),
    };
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_of_the_49_gets_what_it_deserves_at_the_trunk_side_over_udp_tcp_and_tls() {
    let authority = Authority::fresh();
    for over_what in [Over::Udp, Over::Tcp, Over::Tls] {
        let trunk = trunk_side(authority.identity("desk", &["desk.test"])).await;
        let secure = trunk.local_tls().expect("it listens for TLS");
        says_all_over(Side::Trunk, over_what, &authority, trunk.local(), secure).await;
    }
}

#[tokio::test]
async fn each_of_the_49_gets_what_it_deserves_at_the_phone_side_over_udp_tcp_and_tls() {
    let authority = Authority::fresh();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    for over_what in [Over::Udp, Over::Tcp, Over::Tls] {
        let mut doors = Doors::plain(any);
        doors.tls = Some((any, authority.identity("desk", &["desk.test"])));
        let (_keep, devices) = watch::channel(Devices::default());
        let digests = vec![cordboard::proto::sip::digest::Algorithm::MD5];
        let settings = PhoneSettings::new(doors, Arc::new(|_| None), devices, digests);
        let (phones, _changes) = registrar::spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
        let secure = phones.local_tls().expect("it listens for TLS");
        says_all_over(Side::Phones, over_what, &authority, phones.local(), secure).await;
    }
}

#[test]
fn each_of_the_49_gets_what_it_deserves_over_websocket() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let wrong = runtime.block_on(says_all(Side::Phones, Over::Ws, async |_, _| ws(server.http).await));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
