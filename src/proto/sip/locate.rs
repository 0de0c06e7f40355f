//! Where a host's SIP servers are (RFC 3263): what to ask DNS, and in what order to try what it says.
//!
//! Asks nothing itself: `io/net` does. The transport is the trunk's choice, so NAPTR is not asked.

use std::net::{IpAddr, SocketAddr};

use super::words::Transport;
use crate::base::rng::Rng;

/// Servers of one host taken into account at most.
const MAX_SERVERS: usize = 16;

/// How a host is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is an address.
    Here(SocketAddr),
    /// A port is given (§4.2), or there is no SRV: all addresses of the name.
    Addresses { host: String, port: u16 },
    /// SRV records of this name; if there are none, the addresses of the host.
    Srv { name: String, host: String, port: u16 },
}

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvRecord {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub host: String,
}

/// One server, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub priority: u16,
    pub weight: u16,
    /// All of one name, in the order to try.
    pub addresses: Vec<SocketAddr>,
}

impl Server {
    /// The one there is.
    pub const fn alone(addresses: Vec<SocketAddr>) -> Self {
        Self { priority: 0, weight: 0, addresses }
    }
}

/// How to look up `host`, an IPv6 address without its brackets.
pub fn plan(host: &str, port: Option<u16>, transport: Transport) -> Lookup {
    let (service, usual) = match transport {
        Transport::Tls => ("_sips._tcp", 5061),
        Transport::Tcp => ("_sip._tcp", 5060),
        Transport::Udp | Transport::Ws | Transport::Wss => ("_sip._udp", 5060),
    };
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Lookup::Here(SocketAddr::new(ip, port.unwrap_or(usual)));
    }
    let host = host.trim_end_matches('.').to_owned();
    match port {
        Some(port) => Lookup::Addresses { host, port },
        None => Lookup::Srv { name: format!("{service}.{host}."), host, port: usual },
    }
}

/// The records worth following; `None`: the host says that it has no such service (RFC 2782, target ".").
pub fn usable(mut records: Vec<SrvRecord>) -> Option<Vec<SrvRecord>> {
    if matches!(records.as_slice(), [only] if only.host.trim_end_matches('.').is_empty()) {
        return None;
    }
    records.retain(|record| record.port != 0 && !record.host.trim_end_matches('.').is_empty());
    records.sort_by_key(|record| record.priority);
    records.truncate(MAX_SERVERS);
    Some(records)
}

/// The order in which one call tries them: by priority, at random by weight within one; each address once.
pub fn pick_order(servers: &[Server], rng: &mut Rng) -> Vec<SocketAddr> {
    let shares: Vec<(u16, u16)> = servers.iter().map(|server| (server.priority, server.weight)).collect();
    let mut order: Vec<SocketAddr> = Vec::new();
    for at in rng.weighted_order(&shares) {
        for address in &servers[at].addresses {
            if !order.contains(address) {
                order.push(*address);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(priority: u16, weight: u16, host: &str) -> SrvRecord {
        SrvRecord { priority, weight, port: 5060, host: host.to_owned() }
    }

    #[test]
    fn a_name_alone_asks_for_srv_and_a_port_or_an_address_does_not() {
        let srv = |transport| match plan("sip.carrier.example", None, transport) {
            Lookup::Srv { name, host, port } => (name, host, port),
            other => panic!("{other:?}"),
        };
        let host = || "sip.carrier.example".to_owned();
        assert_eq!(srv(Transport::Udp), ("_sip._udp.sip.carrier.example.".to_owned(), host(), 5060));
        assert_eq!(srv(Transport::Tcp), ("_sip._tcp.sip.carrier.example.".to_owned(), host(), 5060));
        assert_eq!(srv(Transport::Tls), ("_sips._tcp.sip.carrier.example.".to_owned(), host(), 5061));
        let with_port = plan("sip.carrier.example", Some(5080), Transport::Udp);
        assert_eq!(with_port, Lookup::Addresses { host: host(), port: 5080 });
        let here = plan("2001:db8::1", None, Transport::Tls);
        assert_eq!(here, Lookup::Here("[2001:db8::1]:5061".parse().expect("an address")));
    }

    #[test]
    fn a_host_may_say_that_it_has_no_such_service() {
        assert_eq!(usable(vec![record(0, 0, ".")]), None);
        assert_eq!(usable(Vec::new()), Some(Vec::new()));
        let many: Vec<SrvRecord> = (0..40).map(|n| record(40 - n, 0, "a.example.")).collect();
        let kept = usable(many).expect("it has");
        assert_eq!((kept.len(), kept[0].priority), (MAX_SERVERS, 1));
    }

    #[test]
    fn calls_try_one_after_another_and_share_by_weight() {
        let at = |last: u8| SocketAddr::from(([192, 0, 2, last], 5060));
        let servers = [
            Server { priority: 20, weight: 0, addresses: vec![at(9), at(1)] },
            Server { priority: 10, weight: 3, addresses: vec![at(1), at(2)] },
            Server { priority: 10, weight: 1, addresses: vec![at(3)] },
        ];
        let (mut rng, mut first) = (Rng::seeded(7), 0);
        for _ in 0..1_000 {
            let order = pick_order(&servers, &mut rng);
            first += usize::from(order[0] == at(1));
            assert_eq!((order.len(), order[3]), (4, at(9)), "the backup is last, each address is there once");
        }
        assert!((680..820).contains(&first), "{first}");
    }
}
