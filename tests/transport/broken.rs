//! Connections with carriers that break: what was under way learns of it at once, what comes next gets through.

use cordboard::domain::call::cause::Cause;
use cordboard::engine::signal::{LegCommand, LegEvent};
use cordboard::engine::trunk::{Carriage, LegNumbers, TrunkHandle};
use cordboard::proto::sdp::Srtp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use super::{SDP, SOON, carrier, dial, end, line, message, next, options, response, trunk_side};

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let target = listener.local_addr().expect("bound").to_string();
    (listener, target)
}

async fn accepted(listener: &TcpListener) -> TcpStream {
    timeout(SOON, listener.accept()).await.expect("in time").expect("it connects").0
}

/// Closes a connection and waits until the trunk side has dealt with that: it closes too, and then answers a question.
async fn noticed(mut stream: TcpStream, trunk: &TrunkHandle) {
    stream.shutdown().await.expect("open");
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.expect("in time").expect("a clean end");
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let port = socket.local_addr().expect("bound").port();
    socket.send_to(&options("UDP", port, "noticed"), trunk.local()).await.expect("loopback takes it");
    timeout(SOON, socket.recv_from(&mut [0; 4_096])).await.expect("in time").expect("an answer");
}

#[tokio::test]
async fn a_call_whose_connection_breaks_fails_at_once_and_the_next_opens_another() {
    let (listener, target) = listener().await;
    let (trunk, _calls) = trunk_side("127.0.0.1:0", None, carrier(&target, Carriage::Tcp, Srtp::Off)).await;
    let legs = LegNumbers::default();
    for round in 0..3 {
        let mut events = dial(&trunk, legs.fresh());
        let mut stream = accepted(&listener).await;
        assert!(message(&mut stream).await.starts_with("INVITE "), "round {round}");
        drop(stream);
        assert_eq!(end(&mut events).await, Cause::Unreachable, "round {round}");
    }
    // Nobody there at all is learnt as fast.
    drop(listener);
    assert_eq!(end(&mut dial(&trunk, legs.fresh())).await, Cause::Unreachable);
}

#[tokio::test]
async fn a_call_outlives_its_connection_and_its_bye_opens_another() {
    let (listener, target) = listener().await;
    let (trunk, _calls) = trunk_side("127.0.0.1:0", None, carrier(&target, Carriage::Tcp, Srtp::Off)).await;
    let leg = LegNumbers::default().fresh();
    let mut events = dial(&trunk, leg);
    let mut stream = accepted(&listener).await;
    let invite = message(&mut stream).await;
    let contact = format!("Contact: <sip:far@{target};transport=tcp>\r\n");
    stream.write_all(&response("200 OK", &invite, &contact, SDP)).await.expect("open");
    assert!(message(&mut stream).await.starts_with("ACK "));
    assert!(matches!(next(&mut events).await, LegEvent::Answered(_)));
    // The carrier tidies up its idle connections.
    noticed(stream, &trunk).await;
    trunk.send(leg, LegCommand::HangUp);
    let mut stream = accepted(&listener).await;
    assert!(message(&mut stream).await.starts_with("BYE sip:far@"));
}

#[tokio::test]
async fn a_call_that_came_in_is_hung_up_where_the_carrier_says_that_it_listens() {
    let (listener, target) = listener().await;
    let (trunk, mut calls) = trunk_side("127.0.0.1:0", None, carrier("127.0.0.1:9", Carriage::Udp, Srtp::Off)).await;
    let mut stream = TcpStream::connect(trunk.local()).await.expect("it listens");
    let head = format!(
        "INVITE sip:+12025550102@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKin\r\n\
         From: <sip:+12025550150@h>;tag=1\r\nTo: <sip:+12025550102@h>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@{target};transport=tcp>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n",
        SDP.len()
    );
    stream.write_all(&[head.as_bytes(), SDP].concat()).await.expect("open");
    assert!(message(&mut stream).await.starts_with("SIP/2.0 100 "));
    let mut call = next(&mut calls).await;
    trunk.send(call.leg, LegCommand::Answer(SDP.to_vec()));
    let answer = message(&mut stream).await;
    let ack = format!(
        "ACK sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKack\r\n{}\r\n{}\r\nCall-ID: in\r\n\
         CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        line(&answer, "From: "),
        line(&answer, "To: ")
    );
    stream.write_all(ack.as_bytes()).await.expect("open");
    assert!(matches!(next(&mut call.events).await, LegEvent::Established(None)));
    noticed(stream, &trunk).await;
    trunk.send(call.leg, LegCommand::HangUp);
    let mut stream = accepted(&listener).await;
    assert!(message(&mut stream).await.starts_with("BYE sip:a@"));
}
