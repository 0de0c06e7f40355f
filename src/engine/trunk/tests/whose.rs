//! Whose a call in is, where several trunks have their carrier at one address.

use secrecy::SecretString;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::*;
use crate::proto::sip::digest::client::Login;

fn invite(to: &str, transport: &str, from: SocketAddr) -> String {
    format!(
        "INVITE sip:{to}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK{to}{transport}\r\n\
         From: <sip:+12025550199@h>;tag=1\r\nTo: <sip:+12025550102@127.0.0.1>\r\nCall-ID: to-{to}-{transport}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:far@{from}>\r\nContent-Length: 0\r\n\r\n"
    )
}

async fn whose(house: &mut House) -> String {
    timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call").trunk
}

#[tokio::test]
async fn a_call_over_tcp_is_the_trunks_that_speaks_tcp_though_another_is_listed_first() {
    let far = Far::open().await;
    let mut over_tcp = carrier(&far, 20);
    over_tcp.over = Carriage::Tcp;
    let mut house = house(vec![carrier(&far, 10), over_tcp], |_| {}).await;
    let mut stream = TcpStream::connect(house.trunk.local()).await.expect("it listens");
    let from = stream.local_addr().expect("connected");
    stream.write_all(invite("+12025550102", "TCP", from).as_bytes()).await.expect("connected");
    assert_eq!(whose(&mut house).await, "carrier-20");
    let datagram = invite("+12025550102", "UDP", far.address);
    far.socket.send_to(datagram.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
    assert_eq!(whose(&mut house).await, "carrier-10");
}

#[tokio::test]
async fn of_two_accounts_at_one_carrier_a_call_is_the_ones_whose_login_it_names() {
    let far = Far::open().await;
    let account = |user: &str, priority| {
        let mut carrier = carrier(&far, priority);
        let login = Login { user: user.to_owned(), password: SecretString::from("x".to_owned()), realm: None };
        let register = Some(Registering { domain: "carrier.example".to_owned(), expires: 600 });
        carrier.account = Some(CarrierAccount { login, register });
        carrier
    };
    let mut house = house(vec![account("north", 10), account("south", 20), carrier(&far, 30)], |_| {}).await;
    for (to, trunk) in [("south", "carrier-20"), ("north", "carrier-10"), ("+12025550102", "carrier-30")] {
        let datagram = invite(to, "UDP", far.address);
        far.socket.send_to(datagram.as_bytes(), house.trunk.local()).await.expect("loopback takes a datagram");
        assert_eq!(whose(&mut house).await, trunk, "{to}");
    }
}
