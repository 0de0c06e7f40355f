//! Where a leg receives, which depends on who is to send: a carrier beyond a NAT sends to the public address, a desk phone
//! on our own network to the local one, and each to one of its own family.

use std::net::{IpAddr, SocketAddr};

pub use crate::io::net::Place;
use crate::io::net::local_ip_towards;

/// A leg's port, and where it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    port: u16,
    first: Place,
    /// Of the other family.
    second: Option<Place>,
}

impl Reach {
    pub const fn new(port: u16, first: Place, second: Option<Place>) -> Self {
        Self { port, first, second }
    }

    /// The same for everybody.
    pub const fn at(address: SocketAddr) -> Self {
        Self::new(address.port(), Place { bound: address.ip(), public: None }, None)
    }

    /// What somebody at `peer` is told; whoever is not known yet is told what is public, of the first family.
    pub fn towards(&self, peer: Option<IpAddr>) -> SocketAddr {
        let peer = peer.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified());
        let fits = |place: &Place| peer.is_some_and(|peer| peer.is_ipv4() == place.bound.is_ipv4());
        let place = Some(self.first).filter(fits).or_else(|| self.second.filter(fits)).unwrap_or(self.first);
        // Whoever is of the other family could not be reached anyhow.
        let ip =
            place.told(peer.filter(fits_of(&place)), || peer.and_then(|ip| local_ip_towards(SocketAddr::new(ip, 9))));
        SocketAddr::new(ip, self.port)
    }
}

/// Of the place's family.
fn fits_of(place: &Place) -> impl Fn(&IpAddr) -> bool {
    let four = place.bound.is_ipv4();
    move |ip| ip.is_ipv4() == four
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn place(bound: &str, public: Option<&str>) -> Place {
        Place { bound: ip(bound), public: public.map(ip) }
    }

    #[test]
    fn a_phone_on_our_own_network_is_told_the_local_address_and_a_carrier_the_public_one() {
        let reach = Reach::new(20_000, place("192.168.1.10", Some("203.0.113.7")), None);
        for (peer, told) in [
            (Some("198.51.100.4"), "203.0.113.7:20000"),
            (None, "203.0.113.7:20000"),
            (Some("192.168.1.55"), "192.168.1.10:20000"),
            (Some("10.8.0.3"), "192.168.1.10:20000"),
            // Whoever is of the other family could not be reached anyhow.
            (Some("2001:db8::1"), "203.0.113.7:20000"),
        ] {
            assert_eq!(reach.towards(peer.map(ip)).to_string(), told, "{peer:?}");
        }
        // Bound to every address: the one that leads there.
        let reach = Reach::new(20_000, place("0.0.0.0", Some("203.0.113.7")), None);
        assert_eq!(reach.towards(Some(ip("127.0.0.1"))).to_string(), "127.0.0.1:20000");
    }

    #[test]
    fn each_family_is_told_an_address_of_its_own() {
        let reach = Reach::new(20_000, place("192.0.2.10", None), Some(place("2001:db8::10", None)));
        for (peer, told) in [
            (Some("198.51.100.4"), "192.0.2.10:20000"),
            (Some("::ffff:198.51.100.4"), "192.0.2.10:20000"),
            (Some("2001:db8:1::1"), "[2001:db8::10]:20000"),
            (Some("0.0.0.0"), "192.0.2.10:20000"),
            (None, "192.0.2.10:20000"),
        ] {
            assert_eq!(reach.towards(peer.map(ip)).to_string(), told, "{peer:?}");
        }
    }
}
