//! Lookups over a real socket, of a name server of our own that knows a few names.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

use super::*;

const SRV: u16 = 33;
const A: u16 = 1;

/// What the name server answers: a name, a kind of record, a TTL and its data.
pub(crate) struct Known {
    name: &'static str,
    kind: u16,
    ttl: u32,
    data: Vec<u8>,
}

impl Known {
    /// `numbers`: priority, weight, port.
    pub(crate) fn srv(name: &'static str, ttl: u32, numbers: [u16; 3], host: &str) -> Self {
        let mut data: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        for label in host.split('.').filter(|label| !label.is_empty()) {
            data.push(u8::try_from(label.len()).expect("short"));
            data.extend(label.as_bytes());
        }
        data.push(0);
        Self { name, kind: SRV, ttl, data }
    }

    pub(crate) fn address(name: &'static str, ttl: u32, address: [u8; 4]) -> Self {
        Self { name, kind: A, ttl, data: address.to_vec() }
    }
}

fn srv(name: &'static str, ttl: u32, numbers: [u16; 3], host: &str) -> Known {
    Known::srv(name, ttl, numbers, host)
}

fn a(name: &'static str, ttl: u32, last: u8) -> Known {
    Known::address(name, ttl, [192, 0, 2, last])
}

/// Reads the question of a query: where it ends, the name, the kind.
fn question(query: &[u8]) -> (usize, String, u16) {
    let (mut at, mut name) = (12, String::new());
    while query[at] != 0 {
        let len = usize::from(query[at]);
        name += &String::from_utf8_lossy(&query[at + 1..=at + len]).to_ascii_lowercase();
        name.push('.');
        at += len + 1;
    }
    (at + 5, name, u16::from_be_bytes([query[at + 1], query[at + 2]]))
}

/// A name server on loopback; how often it was asked.
pub(crate) async fn name_server(known: Vec<Known>) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = socket.local_addr().expect("bound");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            count.fetch_add(1, Ordering::SeqCst);
            let query = &buffer[..len];
            let (end, name, kind) = question(query);
            let answers: Vec<&Known> = known.iter().filter(|k| k.name == name && k.kind == kind).collect();
            let exists = known.iter().any(|k| k.name == name);
            let mut reply = query[..2].to_vec();
            // A response, recursion desired and available; NXDOMAIN for a name nobody knows.
            reply.extend([0x81, if exists { 0x80 } else { 0x83 }]);
            reply.extend([0, 1, 0, u8::try_from(answers.len()).expect("few"), 0, 0, 0, 0]);
            reply.extend(&query[12..end]);
            for answer in answers {
                // The name is the question's.
                reply.extend([0xc0, 12]);
                reply.extend(answer.kind.to_be_bytes());
                reply.extend([0, 1]);
                reply.extend(answer.ttl.to_be_bytes());
                reply.extend(u16::try_from(answer.data.len()).expect("short").to_be_bytes());
                reply.extend(&answer.data);
            }
            socket.send_to(&reply, from).await.expect("loopback takes a datagram");
        }
    });
    (address, asked)
}

fn at(last: u8, port: u16) -> SocketAddr {
    ([192, 0, 2, last], port).into()
}

#[tokio::test]
async fn srv_records_are_followed_to_their_addresses_with_order_and_ports() {
    let (server, _) = name_server(vec![
        srv("_sip._udp.sip.carrier.example.", 120, [20, 5, 5070], "b.carrier.example."),
        srv("_sip._udp.sip.carrier.example.", 120, [10, 7, 5060], "a.carrier.example."),
        srv("_sip._udp.sip.carrier.example.", 120, [30, 0, 5060], "gone.carrier.example."),
        a("a.carrier.example.", 60, 1),
        a("a.carrier.example.", 60, 2),
        a("b.carrier.example.", 300, 3),
    ])
    .await;
    let resolver = Resolver::new(Some(server), Ipv4Addr::UNSPECIFIED.into()).expect("a resolver");
    let located = resolver.locate("sip.carrier.example", None, Transport::Udp).await.expect("found");
    assert_eq!(located.ttl, Duration::from_secs(60), "the shortest");
    assert_eq!(
        located.servers,
        [
            Server { priority: 10, weight: 7, addresses: vec![at(1, 5060), at(2, 5060)] },
            Server { priority: 20, weight: 5, addresses: vec![at(3, 5070)] },
        ]
    );
}

#[tokio::test]
async fn without_srv_or_with_a_port_the_name_itself_is_asked_for() {
    let (server, asked) = name_server(vec![a("sip.carrier.example.", 30, 9)]).await;
    let resolver = Resolver::new(Some(server), Ipv4Addr::UNSPECIFIED.into()).expect("a resolver");
    let located = resolver.locate("sip.carrier.example", None, Transport::Tls).await.expect("found");
    assert_eq!(located.servers, [Server::alone(vec![at(9, 5061)])]);
    let before = asked.load(Ordering::SeqCst);
    let located = resolver.locate("sip.carrier.example", Some(5080), Transport::Udp).await.expect("found");
    assert_eq!(located.servers, [Server::alone(vec![at(9, 5080)])]);
    assert_eq!(asked.load(Ordering::SeqCst), before + 1, "with a port nobody asks for SRV");
    let here = resolver.locate("192.0.2.5", None, Transport::Udp).await.expect("it is one");
    assert_eq!(here.servers, [Server::alone(vec![at(5, 5060)])]);
    assert_eq!(asked.load(Ordering::SeqCst), before + 1, "nobody asks about an address");
}

#[tokio::test]
async fn a_service_that_is_not_there_and_a_host_that_does_not_exist_are_nothing() {
    let (server, _) =
        name_server(vec![srv("_sip._tcp.udp-only.example.", 60, [0, 0, 0], "."), a("udp-only.example.", 60, 1)]).await;
    let resolver = Resolver::new(Some(server), Ipv4Addr::UNSPECIFIED.into()).expect("a resolver");
    let nothing = Err(ResolveError::Nothing);
    assert_eq!(resolver.locate("udp-only.example", None, Transport::Tcp).await, nothing);
    assert_eq!(resolver.locate("no-such-host.example", None, Transport::Udp).await, nothing);
}
