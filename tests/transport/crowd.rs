//! Crowds: thousands of connections from hundreds of addresses, some that send a byte a second, some that ask and never
//! read. A carrier and operators' phones must not notice, and every descriptor must come back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cordboard::base::clock::SystemClock;
use cordboard::base::id::UserId;
use cordboard::engine::registrar::devices::Devices;
use cordboard::engine::registrar::{self, PhoneSettings, RegistrarHandle, TokenCheck};
use cordboard::engine::trunk::{Carriage, TrunkHandle};
use cordboard::io::net::{Doors, descriptors};
use cordboard::proto::sdp::Srtp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::peers::skip;
use super::{SOON, carrier, message, options, trunk_side};

const CROWD: usize = 5_000;
/// Addresses that the crowd comes from: 127.66.0.1 and so on.
const ADDRESSES: usize = 200;

async fn phones() -> RegistrarHandle {
    let check: TokenCheck = Arc::new(|token| (token == "kims").then(|| UserId::named("kim")));
    let doors = Doors::plain("127.0.0.1:0".parse().expect("an address"));
    let (_, devices) = watch::channel(Devices::default());
    let settings = PhoneSettings::new(doors, check, devices, Vec::new());
    registrar::spawn(settings, Arc::new(SystemClock)).await.expect("a free port").0
}

fn register(mark: usize) -> Vec<u8> {
    format!(
        "REGISTER sip:cordboard.local SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKr{mark}\r\n\
         From: <sip:kim@cordboard.local>;tag=1\r\nTo: <sip:kim@cordboard.local>\r\nCall-ID: r{mark}\r\n\
         CSeq: {mark} REGISTER\r\nAuthorization: Bearer kims\r\nContact: <sip:kim@127.0.0.1:9;transport=tcp;x={mark}>\r\n\
         Expires: 300\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

async fn registered(stream: &mut TcpStream, mark: usize) {
    stream.write_all(&register(mark)).await.expect("it is still open");
    assert!(message(stream).await.starts_with("SIP/2.0 200 "));
}

/// A carrier asks over UDP and over a fresh connection; phones are asked over theirs, and a new one comes.
async fn all_is_well(trunk: &TrunkHandle, phones: &RegistrarHandle, phone: &mut TcpStream, mark: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let port = socket.local_addr().expect("bound").port();
    socket.send_to(&options("UDP", port, &format!("u{mark}")), trunk.local()).await.expect("loopback takes it");
    let mut buffer = [0; 4_096];
    let (len, _) = timeout(SOON, socket.recv_from(&mut buffer)).await.expect("the carrier is answered").expect("ok");
    assert!(buffer[..len].starts_with(b"SIP/2.0 200 "));
    let mut stream = TcpStream::connect(trunk.local()).await.expect("it listens");
    stream.write_all(&options("TCP", 9, &format!("t{mark}"))).await.expect("open");
    assert!(message(&mut stream).await.starts_with("SIP/2.0 200 "));
    registered(phone, mark * 2 + 100).await;
    let mut another = TcpStream::connect(phones.local()).await.expect("it listens");
    registered(&mut another, mark * 2 + 101).await;
}

async fn connect(to: SocketAddr, nth: usize) -> Option<TcpStream> {
    let nth = nth % ADDRESSES;
    let from = SocketAddr::from(([127, 66, (nth / 250) as u8, (nth % 250) as u8 + 1], 0));
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(from).ok()?;
    timeout(SOON, socket.connect(to)).await.ok()?.ok()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Waits until a descriptor count is no more than `most`.
async fn settled(most: usize) {
    let back = async {
        while open_files() > most {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(60), back).await.unwrap_or_else(|_| panic!("{} open, {most} before", open_files()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_strangers_is_not_noticed_by_carriers_and_phones() {
    let limit = descriptors::raise();
    if limit < 3 * CROWD as u64 {
        return skip("a crowd of strangers", &format!("it needs {} descriptors and may have {limit}", 3 * CROWD));
    }
    if TcpSocket::new_v4().and_then(|s| s.bind(([127, 66, 0, 1], 0).into())).is_err() {
        return skip("a crowd of strangers", "this system has no 127.66.0.1");
    }
    let (trunk, _calls) = trunk_side("127.0.0.1:0", None, carrier("127.0.0.1:9", Carriage::Udp, Srtp::Off)).await;
    let phones = phones().await;
    let mut phone = TcpStream::connect(phones.local()).await.expect("it listens");
    registered(&mut phone, 1).await;
    let before = open_files();

    let (mut idle, mut busy) = (Vec::new(), JoinSet::new());
    for nth in 0..CROWD {
        let to = if nth % 2 == 0 { trunk.local() } else { phones.local() };
        // Whoever is not let in is closed at once; it connects all the same.
        let Some(mut stream) = connect(to, nth / 2).await else { continue };
        match nth / 2 % 25 {
            0 => drop(busy.spawn(async move {
                // A byte a second, until it is closed.
                for byte in options("TCP", 9, "slow") {
                    let quiet = timeout(Duration::from_secs(1), stream.read(&mut [0; 64])).await;
                    if quiet.is_ok() || stream.write_all(&[byte]).await.is_err() {
                        return "closed";
                    }
                }
                "a whole message got through, a byte a second"
            })),
            1 => drop(busy.spawn(async move {
                // Questions without end, answers unread.
                let flood = options("TCP", 9, "deaf").repeat(100);
                for _ in 0..2_000 {
                    match timeout(Duration::from_secs(30), stream.write_all(&flood)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return "closed",
                        Err(_) => return "it does not read and does not close",
                    }
                }
                "it took everything and never closed"
            })),
            _ => idle.push(stream),
        }
        if nth % 500 == 499 {
            all_is_well(&trunk, &phones, &mut phone, nth).await;
        }
    }
    assert!(idle.len() > CROWD / 2, "hardly anybody came: {}", idle.len());
    while let Some(done) = busy.join_next().await {
        assert_eq!(done.expect("no panic"), "closed");
    }
    // The idle ones too had to say something.
    for (nth, mut stream) in idle.into_iter().enumerate() {
        let closed = timeout(SOON, stream.read(&mut [0; 64])).await.unwrap_or_else(|_| panic!("{nth} is still open"));
        assert!(!matches!(closed, Ok(1..)), "nobody asked for an answer");
    }
    all_is_well(&trunk, &phones, &mut phone, CROWD).await;
    settled(before).await;
}

#[tokio::test]
async fn a_stranger_may_ask_so_often_and_whoever_has_registered_as_often_as_needed() {
    let phones = phones().await;
    let peer = "127.66.0.1:9".parse().expect("an address");
    let mut stranger = phones.open_ws(peer, true).await.expect("there is room");
    let mut asked = 0;
    while stranger.receive(options("WSS", 9, &format!("s{asked}"))).await.is_ok() {
        let refused = timeout(SOON, stranger.next()).await.expect("in time").expect("it is open");
        assert!(refused.starts_with(b"SIP/2.0 403 "));
        asked += 1;
        assert!(asked < 100, "nobody stops it");
    }
    let mut phone = phones.open_ws(peer, true).await.expect("there is room");
    phone.receive(register(1)).await.expect("open");
    for nth in 0..100 {
        let answer = timeout(SOON, phone.next()).await.expect("in time").expect("it is open");
        assert!(answer.starts_with(b"SIP/2.0 "));
        phone.receive(options("WSS", 9, &format!("p{nth}"))).await.expect("open");
    }
}

#[tokio::test]
async fn pings_count_among_the_messages_of_a_stranger() {
    let phones = phones().await;
    let mut stream = TcpStream::connect(phones.local()).await.expect("it listens");
    let mut pongs = 0;
    while stream.write_all(b"\r\n\r\n").await.is_ok() {
        let mut pong = [0; 2];
        if timeout(SOON, stream.read_exact(&mut pong)).await.expect("in time").is_err() {
            break;
        }
        pongs += 1;
        assert!(pongs < 100, "nobody stops it");
    }
    assert!(pongs > 0, "a few are answered");
}
