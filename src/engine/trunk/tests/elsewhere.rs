//! Carriers that want what follows in a call elsewhere than where it began.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_hang_up_goes_by_tcp_where_a_carrier_over_udp_answers_with_a_tcp_contact() {
    let far = Far::open().await;
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let contact = tcp.local_addr().expect("bound");
    let house = house(vec![carrier(&far, 10)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let asked = far.gets("INVITE").await;
    let echoed = ["Via", "From", "Call-ID", "CSeq"]
        .map(|name| format!("{name}: {}\r\n", asked.header(name).expect("each request has it")))
        .concat();
    let taken = format!(
        "SIP/2.0 200 OK\r\n{echoed}To: {};tag=far\r\nContact: <sip:far@{contact};transport=tcp>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
        asked.header("To").expect("it has"),
        SDP.len()
    );
    far.socket.send_to(taken.as_bytes(), asked.from).await.expect("loopback takes a datagram");
    assert!(matches!(caller.hears().await, LegEvent::Answered(_)));
    house.trunk.send(caller.leg, LegCommand::HangUp);
    let (mut stream, _) = timeout(PATIENCE, tcp.accept()).await.expect("in time").expect("it connects");
    let mut start = [0; 4];
    timeout(PATIENCE, stream.read_exact(&mut start)).await.expect("in time").expect("a request");
    assert_eq!(&start, b"BYE ");
}
