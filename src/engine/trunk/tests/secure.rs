//! Calls out over trunks that encrypt: how much each is offered, and where TLS leads.

use super::*;
use crate::io::net::Endpoint as Door;
use crate::io::net::tls::{Identity, IdentityFiles, PeerName};
use crate::proto::audio::codec::Codec;
use crate::proto::sdp::{OwnKeys, Session};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// How much is said to be encrypted.
fn offered(event: Option<LegEvent>) -> Option<Srtp> {
    if let Some(LegEvent::Offered(offered)) = event { Some(offered.srtp) } else { None }
}

#[tokio::test]
async fn each_trunk_is_offered_as_much_encryption_as_it_takes_and_the_owner_knows_which_offer_counts() {
    let (first, second) = (Far::open().await, Far::open().await);
    let mut encrypts = carrier(&first, 10);
    encrypts.srtp = Srtp::Preferred;
    let house = house(vec![encrypts, carrier(&second, 20)], |_| {}).await;
    let (events, received) = mpsc::channel(LEG_EVENT_DEPTH);
    let leg = house.legs.fresh();
    let local = "127.0.0.1:20000".parse().expect("an address");
    let session = Session::new(1, local, &Codec::ALL).with_srtp(Srtp::Off, OwnKeys::new([[1; 30], [2; 30]]));
    let call = DialOut { to: number(BEN), caller_id: None, account: None };
    house.trunk.dial(leg, call, Offer::Of(Box::new(session)), events);
    let mut caller = Caller { leg, events: received };
    let refused = first.gets("INVITE").await;
    assert_eq!(refused.text.matches("a=crypto:").count(), 2, "{}", refused.text);
    assert_eq!(offered(caller.events.recv().await), Some(Srtp::Preferred));
    first.says(&refused, "503 Service Unavailable", false).await;
    let taken = second.gets("INVITE").await;
    assert!(taken.text.contains("m=audio ") && !taken.text.contains("a=crypto:"), "{}", taken.text);
    assert_eq!(offered(caller.events.recv().await), Some(Srtp::Off));
    second.says(&taken, "200 OK", true).await;
    assert!(matches!(caller.events.recv().await, Some(LegEvent::Answered(_))));
}

#[tokio::test]
async fn each_attempt_of_one_call_has_keys_of_its_own() {
    let (first, second) = (Far::open().await, Far::open().await);
    let encrypts = |far: &Far, priority| Carrier { srtp: Srtp::Preferred, ..carrier(far, priority) };
    let house = house(vec![encrypts(&first, 10), encrypts(&second, 20)], |_| {}).await;
    let (events, mut heard) = mpsc::channel(LEG_EVENT_DEPTH);
    let local = "127.0.0.1:20000".parse().expect("an address");
    let mut ours = Session::new(1, local, &Codec::ALL).with_srtp(Srtp::Off, OwnKeys::new([[1; 30], [2; 30]]));
    let call = DialOut { to: number(BEN), caller_id: None, account: None };
    house.trunk.dial(house.legs.fresh(), call, Offer::Of(Box::new(ours.clone())), events);
    let keys = |text: &str| text.lines().filter(|l| l.starts_with("a=crypto:")).map(str::to_owned).collect::<Vec<_>>();
    let refused = first.gets("INVITE").await;
    first.says(&refused, "503 Service Unavailable", false).await;
    let taken = second.gets("INVITE").await;
    let (before, now) = (keys(&refused.text), keys(&taken.text));
    assert!(before.len() == 2 && now.len() == 2, "{}", taken.text);
    assert!(before.iter().all(|line| !now.contains(line)), "the first carrier knows them: {now:?}");
    // The owner is told which are in force, and so reads the answer by them.
    let mut told = None;
    while let Some(LegEvent::Offered(offered)) = heard.recv().await {
        let last = told.replace((offered.srtp, offered.keys));
        if last.is_some() {
            break;
        }
    }
    let (srtp, of_second) = told.expect("told");
    ours.rekey(of_second);
    let offer = String::from_utf8(ours.offer_with(srtp)).expect("text");
    assert_eq!(keys(&offer), now);
}

/// Does something with an identity of this name, and with the file that holds its authority.
fn with_files<T>(name: &str, act: impl FnOnce(Identity, PathBuf) -> T) -> T {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("cordboard-trunk-tls-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("writable");
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
    let files = IdentityFiles { certificate: directory.join("cert.pem"), key: directory.join("key.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).expect("writable");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writable");
    let authority = files.certificate.clone();
    let done = act(Identity::load(files).expect("just written"), authority);
    let _ = std::fs::remove_dir_all(&directory);
    done
}

fn peer(authority: PathBuf, identity: Option<Identity>) -> TlsPeer {
    let name = PeerName::parse("sip.carrier.example").expect("a name");
    TlsPeer::new("sip.carrier.example", name, Some(authority), identity).expect("a peer")
}

#[tokio::test]
async fn two_trunks_at_one_server_show_it_each_its_own_certificate() {
    let mut door = Door::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
    let (plain, known) = with_files("us.example", |identity, authority| {
        (peer(authority.clone(), None), peer(authority, Some(identity)))
    });
    let server = "127.0.0.1:5061".parse().expect("an address");
    let flow = door.stream_flow(server, Some(&plain));
    assert_ne!(door.stream_flow(server, Some(&known)).connection, flow.connection, "a connection of its own");
    assert_eq!(door.stream_flow(server, Some(&plain.clone())).connection, flow.connection, "one trunk has one");
}

#[tokio::test]
async fn a_call_that_came_in_over_tls_never_goes_on_in_the_clear() {
    use tokio::io::AsyncWriteExt as _;

    let far = Far::open().await;
    let (identity, peer) = with_files("sip.carrier.example", |identity, authority| (identity, peer(authority, None)));
    let mut house = house(vec![carrier(&far, 10)], |settings| {
        settings.tls = Some((([127, 0, 0, 1], 0).into(), identity));
    })
    .await;
    let (connector, name) = peer.connector();
    let stream =
        tokio::net::TcpStream::connect(house.trunk.local_tls().expect("it listens")).await.expect("it listens");
    let mut stream = connector.connect(name, stream).await.expect("it is who it says");
    let request = |method: &str, to: &str, branch: &str| {
        format!(
            "{method} sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS {0};branch=z9hG4bK{branch}\r\n\
             From: <sip:+12025550199@h>;tag=1\r\nTo: {to}\r\nCall-ID: in\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:far@{0};transport=tls>\r\nContent-Length: 0\r\n\r\n",
            far.address
        )
    };
    let invite = request("INVITE", "<sip:+12025550102@127.0.0.1>", "in");
    stream.write_all(invite.as_bytes()).await.expect("it is open");
    let mut call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    house.trunk.send(call.leg, LegCommand::Answer(SDP.as_bytes().to_vec()));
    let mut text = String::new();
    while !(text.contains("SIP/2.0 200") && text.contains("m=audio")) {
        let mut buffer = [0; 4_096];
        let len = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time").expect("an answer");
        assert_ne!(len, 0, "{text}");
        text += &String::from_utf8_lossy(&buffer[..len]);
    }
    let answer = &text[text.find("SIP/2.0 200").expect("just seen")..];
    let to = answer.lines().find_map(|line| line.strip_prefix("To: ")).expect("it has");
    stream.write_all(request("ACK", to, "ack").as_bytes()).await.expect("it is open");
    assert!(matches!(timeout(PATIENCE, call.events.recv()).await, Ok(Some(LegEvent::Established(_)))));
    stream.shutdown().await.expect("it is open");
    while matches!(timeout(PATIENCE, stream.read(&mut [0; 4_096])).await.expect("in time"), Ok(1..)) {}
    // Calls in the clear, over the same carrier, say when the loop has come so far.
    let mut other = house.dials(BEN);
    let busy = far.gets("INVITE").await;
    far.says(&busy, "486 Busy Here", false).await;
    assert_eq!(other.ends().await, Cause::Busy);
    house.trunk.send(call.leg, LegCommand::HangUp);
    while !matches!(timeout(PATIENCE, call.events.recv()).await, Ok(None)) {}
    let _another = house.dials(BEN);
    loop {
        let got = far.gets_any().await;
        assert!(!got.line().starts_with("BYE"), "{}", got.text);
        if got.line().starts_with("INVITE") && got.header("Call-ID") != busy.header("Call-ID") {
            break;
        }
    }
}

#[tokio::test]
async fn over_tls_a_host_is_found_by_its_own_srv_and_has_to_show_the_hosts_certificate() {
    for (shown, taken) in [("sip.carrier.example", true), ("a.carrier.example", false)] {
        let (identity, peer) = with_files(shown, |identity, authority| (identity, peer(authority, None)));
        let acceptor = identity.acceptor(&[]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (server, _) = name_server(vec![
            Known::srv("_sips._tcp.sip.carrier.example.", 60, [10, 0, port], "a.carrier.example."),
            Known::address("a.carrier.example.", 60, [127, 0, 0, 1]),
        ])
        .await;
        let target = "sip.carrier.example".parse().expect("a target");
        let mut named = Carrier::new("named", target);
        named.over = Carriage::Tls(peer);
        let _house = house(vec![named], |settings| settings.name_server = Some(server)).await;
        // The ping comes as soon as the name has been looked up.
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.expect("in time").expect("it connects");
        let shaken = timeout(PATIENCE, acceptor.accept(stream)).await.expect("in time");
        assert_eq!(shaken.is_ok(), taken, "{shown}");
        if let Ok(mut stream) = shaken {
            let mut text = [0; 53];
            timeout(PATIENCE, stream.read_exact(&mut text)).await.expect("in time").expect("a ping");
            assert_eq!(&text, b"OPTIONS sip:sip.carrier.example;transport=tls SIP/2.0");
        }
    }
}
