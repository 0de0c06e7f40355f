//! Who we are to each peer in SIP, for Via, Contact and From: behind a NAT the public address to whoever is beyond it, the
//! local one to a gateway or telephone on a network of our own, each of the peer's own family ([`Place`]). Both sides go by
//! it: a flow says by its local address what its peer is told.
//!
//! Where we listen on every address, the local one is that which the kernel would reach the peer by: kept for a while, as
//! asking costs a socket.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::io::net::{Place, local_ip_towards};
use crate::proto::sip::Flow;

/// How long an answer holds: ways through the network change.
const HOLDS: Duration = Duration::from_secs(30);
/// Answers kept at most. Beyond it each is asked for anew.
const MAX_KNOWN: usize = 4_096;

/// The addresses by which peers are reached.
#[derive(Debug, Default)]
pub struct Here {
    /// What those are told who come through a NAT; one of a family at most.
    public: Vec<IpAddr>,
    known: HashMap<IpAddr, (Option<IpAddr>, Instant)>,
}

impl Here {
    pub fn new(public: Vec<IpAddr>) -> Self {
        Self { public, known: HashMap::new() }
    }

    /// The flow with the address that its peer sees of us. One that has it already stays as it is.
    pub fn seen_from(&mut self, now: Instant, mut flow: Flow) -> Flow {
        let peer = SocketAddr::new(flow.peer.ip().to_canonical(), flow.peer.port());
        let public = self.public.iter().copied().find(|ip| ip.is_ipv4() == peer.is_ipv4());
        let place = Place { bound: flow.local.ip().to_canonical(), public };
        let known = &mut self.known;
        let routed = || match known.get(&peer.ip()) {
            Some((ip, until)) if *until > now => *ip,
            _ => {
                let ip = local_ip_towards(peer);
                if known.len() < MAX_KNOWN {
                    known.insert(peer.ip(), (ip, now + HOLDS));
                }
                ip
            }
        };
        flow.local.set_ip(place.told(Some(peer.ip()), routed));
        flow
    }

    pub fn tidy(&mut self, now: Instant) {
        self.known.retain(|_, (_, until)| *until > now);
    }
}

/// What a flow's peer calls us by, as the host of a URI.
pub fn host_of(flow: &Flow) -> String {
    match flow.local.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};
    use crate::proto::sip::Transport;

    fn told(here: &mut Here, local: &str, peer: &str) -> String {
        let [local, peer] = [local, peer].map(|text| text.parse().expect("an address"));
        let now = TestClock::at(UtcMs(0)).instant();
        let flow = here.seen_from(now, Flow { transport: Transport::Udp, local, peer, connection: 0 });
        assert_eq!(here.seen_from(now, flow), flow, "once more changes nothing");
        flow.local.to_string()
    }

    #[test]
    fn behind_a_nat_a_phone_outside_is_told_the_public_address_and_one_in_the_house_the_local_one() {
        let public = ["203.0.113.7", "2001:db8::7"].map(|ip| ip.parse().expect("an address"));
        let mut here = Here::new(public.to_vec());
        for (local, peer, expected) in [
            ("192.168.1.10:5070", "198.51.100.4:40000", "203.0.113.7:5070"),
            ("192.168.1.10:5070", "192.168.1.55:5060", "192.168.1.10:5070"),
            ("192.168.1.10:5060", "10.8.0.3:5060", "192.168.1.10:5060"),
            // Bound to every address of both families.
            ("[::]:5060", "198.51.100.4:5060", "203.0.113.7:5060"),
            ("[::]:5060", "[2001:db8:1::1]:5060", "[2001:db8::7]:5060"),
            ("[::]:5060", "127.0.0.1:5060", "127.0.0.1:5060"),
            ("[fd00::10]:5060", "[fd00::5]:5060", "[fd00::10]:5060"),
            ("0.0.0.0:5060", "127.0.0.1:5060", "127.0.0.1:5060"),
        ] {
            assert_eq!(told(&mut here, local, peer), expected, "{local} {peer}");
        }
    }

    #[test]
    fn a_public_address_of_one_family_is_not_told_to_the_other() {
        let mut here = Here::new(vec!["203.0.113.7".parse().expect("an address")]);
        assert_eq!(told(&mut here, "[2001:db8::10]:5060", "[2001:db8:1::1]:5060"), "[2001:db8::10]:5060");
        let mut bare = Here::default();
        assert_eq!(told(&mut bare, "192.0.2.10:5060", "198.51.100.4:5060"), "192.0.2.10:5060");
    }

    #[test]
    fn a_host_in_a_uri_has_brackets_where_it_is_ipv6() {
        let flow = |local: &str| Flow {
            transport: Transport::Udp,
            local: local.parse().expect("an address"),
            peer: "192.0.2.1:5060".parse().expect("an address"),
            connection: 0,
        };
        assert_eq!(host_of(&flow("[2001:db8::7]:5060")), "[2001:db8::7]");
        assert_eq!(host_of(&flow("203.0.113.7:5060")), "203.0.113.7");
    }
}
