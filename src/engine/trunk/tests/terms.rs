//! What is agreed with each trunk, as the wire shows it; and who we say we are.

use super::*;
use crate::proto::sip::{PeerTerms, Reliable, SessionPolicy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

fn with_terms(far: &Far, priority: u16, session: Option<(u32, u32)>, reliable: Reliable) -> Carrier {
    let session = session.map(|(expires, least)| SessionPolicy { expires, least });
    Carrier { terms: PeerTerms { session, reliable }, ..carrier(far, priority) }
}

#[tokio::test]
async fn each_trunk_is_asked_for_its_own_session_timer_and_reliable_ringing() {
    let (first, second) = (Far::open().await, Far::open().await);
    let carriers = vec![
        with_terms(&first, 10, Some((600, 120)), Reliable::Required),
        with_terms(&second, 20, None, Reliable::Off),
    ];
    let house = house(carriers, |_| {}).await;
    let _caller = house.dials(BEN);
    let asked = first.gets("INVITE").await;
    let said = ["Session-Expires", "Min-SE", "Require", "Supported"].map(|name| asked.header(name));
    assert_eq!(said, [Some("600"), Some("120"), Some("100rel"), Some("100rel, timer")]);
    first.says(&asked, "503 Service Unavailable", false).await;
    let asked = second.gets("INVITE").await;
    let said = ["Session-Expires", "Min-SE", "Require", "Supported"].map(|name| asked.header(name));
    assert_eq!(said, [None; 4]);
}

/// What a call in with these headers is answered at first.
async fn answered(far: &Far, house: &House, call: &str, headers: &str) -> String {
    let invite = format!(
        "INVITE sip:+12025550102@h SIP/2.0\r\nVia: SIP/2.0/UDP {0};branch=z9hG4bK{call};rport\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:+12025550102@h>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\nContact: <sip:far@{0}>\r\n{headers}\
         Content-Type: application/sdp\r\nContent-Length: {1}\r\n\r\n{SDP}",
        far.address,
        SDP.len()
    );
    far.socket.send_to(invite.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
    far.gets("SIP/2.0").await.text
}

#[tokio::test]
async fn calls_in_are_held_to_the_terms_of_their_trunk() {
    let far = Far::open().await;
    let strict = with_terms(&far, 10, Some((1_800, 200)), Reliable::Off);
    let house = house(vec![strict], |_| {}).await;
    let refused = answered(&far, &house, "short", "Supported: timer\r\nSession-Expires: 100\r\n").await;
    assert!(refused.starts_with("SIP/2.0 422 ") && refused.contains("Min-SE: 200\r\n"), "{refused}");
    let refused = answered(&far, &house, "insists", "Require: 100rel\r\n").await;
    assert!(refused.starts_with("SIP/2.0 420 ") && refused.contains("Unsupported: 100rel\r\n"), "{refused}");

    let far = Far::open().await;
    let house = self::house(vec![with_terms(&far, 10, None, Reliable::Required)], |_| {}).await;
    let taken = answered(&far, &house, "long", "Supported: timer, 100rel\r\nSession-Expires: 100\r\n").await;
    assert!(taken.starts_with("SIP/2.0 100 "), "no timer, so none is too short: {taken}");
    let mut house = house;
    let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    house.trunk.send(call.leg, LegCommand::Ring);
    let ringing = far.gets("SIP/2.0 180").await;
    assert_eq!((ringing.header("Require"), ringing.header("Supported")), (Some("100rel"), Some("100rel")));
}

#[tokio::test]
async fn a_call_in_is_held_to_the_terms_of_the_trunk_that_speaks_its_transport() {
    let far = Far::open().await;
    let mut over_tcp = with_terms(&far, 10, None, Reliable::Off);
    over_tcp.over = Carriage::Tcp;
    let house = house(vec![over_tcp, with_terms(&far, 20, None, Reliable::Required)], |_| {}).await;
    let taken = answered(&far, &house, "insists", "Require: 100rel\r\n").await;
    assert!(taken.starts_with("SIP/2.0 100 "), "{taken}");
}

#[tokio::test]
async fn bound_to_every_address_we_say_the_one_that_leads_to_whom_we_speak_with() {
    let far = Far::open().await;
    let (server, _) = name_server(vec![Known::address("sip.carrier.example.", 60, [127, 0, 0, 1])]).await;
    let mut named = carrier(&far, 10);
    named.target = format!("sip.carrier.example:{}", far.address.port()).parse().expect("a target");
    let mut house = house(vec![named], |settings| {
        settings.bind = ([0, 0, 0, 0], 0).into();
        settings.name_server = Some(server);
    })
    .await;
    let port = house.trunk.local().port();
    let here = format!("127.0.0.1:{port}");
    // The name has to be looked up first.
    let mut asked = None;
    for _ in 0..100 {
        let mut caller = house.dials(BEN);
        tokio::select! {
            got = far.gets("INVITE") => { asked = Some(got); break; }
            _ = caller.hears() => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    let asked = asked.expect("a call goes out");
    for header in ["Via", "Contact"] {
        let said = asked.header(header).expect("it has");
        assert!(said.contains(&here), "{header}: {said}");
    }
    assert!(!asked.text.split("\r\n\r\n").next().expect("a head").contains("0.0.0.0"), "{}", asked.text);
    let invite = format!(
        "INVITE sip:+12025550102@h SIP/2.0\r\nVia: SIP/2.0/UDP {0};branch=z9hG4bKin;rport\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:+12025550102@h>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\nContact: <sip:far@{0}>\r\nContent-Length: 0\r\n\r\n",
        far.address
    );
    far.socket.send_to(invite.as_bytes(), ("127.0.0.1", port)).await.expect("loopback takes a datagram");
    let call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    house.trunk.send(call.leg, LegCommand::Ring);
    let ringing = far.gets("SIP/2.0 180").await;
    assert_eq!(ringing.header("Contact"), Some(format!("<sip:{here}>").as_str()));
}

#[tokio::test]
async fn a_bye_that_meets_the_end_of_the_carriers_own_connection_goes_to_where_it_listens() {
    let far = Far::open().await;
    let mut house = house(vec![carrier(&far, 10)], |_| {}).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mut stream = TcpStream::connect(house.trunk.local()).await.expect("it listens");
    let at = listener.local_addr().expect("bound");
    let request = |method: &str, to: &str| {
        format!(
            "{method} sip:+12025550102@h SIP/2.0\r\nVia: SIP/2.0/TCP {at};branch=z9hG4bK{method}\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: {to}\r\nCall-ID: in\r\nCSeq: 1 {method}\r\nContact: <sip:far@{at};transport=tcp>\r\nContent-Length: 0\r\n\r\n"
        )
    };
    stream.write_all(request("INVITE", "<sip:+12025550102@h>").as_bytes()).await.expect("open");
    let mut call = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    house.trunk.send(call.leg, LegCommand::Answer(SDP.as_bytes().to_vec()));
    let text = reads_until(&mut stream, "m=audio").await;
    let answer = &text[text.find("SIP/2.0 200").expect("an answer")..];
    let to = answer.lines().find_map(|line| line.strip_prefix("To: ")).expect("it has");
    stream.write_all(request("ACK", to).as_bytes()).await.expect("open");
    assert!(matches!(timeout(PATIENCE, call.events.recv()).await, Ok(Some(LegEvent::Established(_)))));
    house.trunk.send(call.leg, LegCommand::HangUp);
    let bye = reads_until(&mut stream, "BYE ").await;
    assert!(bye.contains("BYE "), "{bye}");
    // It closes without a word; the BYE was for nothing.
    drop(stream);
    let (mut again, _) = timeout(PATIENCE, listener.accept()).await.expect("in time").expect("it connects");
    let bye = reads_until(&mut again, "Call-ID: in").await;
    assert!(bye.starts_with("BYE sip:far@"), "{bye}");
}

async fn reads_until(stream: &mut TcpStream, words: &str) -> String {
    let mut text = String::new();
    while !text.contains(words) {
        let mut buffer = [0; 4_096];
        let len = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time").expect("open");
        assert_ne!(len, 0, "closed after: {text}");
        text += &String::from_utf8_lossy(&buffer[..len]);
    }
    text
}
