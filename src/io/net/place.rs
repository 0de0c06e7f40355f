//! Where we are, for whoever is to send here: a carrier beyond a NAT is told the public address, a telephone on a network of
//! our own the local one, and each one of its own family. The one rule for SIP and for audio.
//!
//! Asks the system for nothing: which local address leads to a peer is the caller's to say.

use std::net::IpAddr;

/// One family's addresses of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What sockets are bound to; may be every address of the family.
    pub bound: IpAddr,
    /// What those are told who come through a NAT.
    pub public: Option<IpAddr>,
}

impl Place {
    /// What somebody at `peer`, of this family, is told; whoever is not known yet is told what is public. `routed`: the
    /// local address that leads there, asked for only where sockets are bound to every one.
    pub fn told(&self, peer: Option<IpAddr>, routed: impl FnOnce() -> Option<IpAddr>) -> IpAddr {
        let bound = Some(self.bound).filter(|ip| !ip.is_unspecified());
        let near = peer.is_some_and(is_near);
        let ip = if near { bound.or_else(routed).or(self.public) } else { self.public.or(bound).or_else(routed) };
        ip.unwrap_or(self.bound)
    }
}

/// On a network of our own, and so not beyond a NAT of ours.
pub fn is_near(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_near_are_told_the_local_address_and_the_rest_the_public_one() {
        let told = |bound: &str, public: Option<&str>, peer: &str| {
            let place = Place { bound: ip(bound), public: public.map(ip) };
            place.told(Some(ip(peer)), || Some(ip("192.168.1.10"))).to_string()
        };
        let public = Some("203.0.113.7");
        for (bound, public, peer, expected) in [
            ("0.0.0.0", public, "198.51.100.4", "203.0.113.7"),
            ("0.0.0.0", public, "192.168.1.55", "192.168.1.10"),
            ("0.0.0.0", None, "198.51.100.4", "192.168.1.10"),
            ("10.0.0.5", public, "198.51.100.4", "203.0.113.7"),
            ("10.0.0.5", public, "172.16.3.4", "10.0.0.5"),
            ("10.0.0.5", None, "198.51.100.4", "10.0.0.5"),
        ] {
            assert_eq!(told(bound, public, peer), expected, "{bound} {public:?} {peer}");
        }
        let lost = Place { bound: ip("::"), public: None };
        assert_eq!(lost.told(Some(ip("2001:db8::1")), || None), ip("::"), "no way leads there");
    }

    #[test]
    fn networks_of_our_own_are_near_in_either_family_and_in_ipv6s_clothes() {
        for near in ["127.0.0.1", "10.8.0.3", "172.31.0.1", "192.168.1.5", "169.254.1.1", "::1", "fd00::5", "fe80::1"] {
            assert!(is_near(ip(near)), "{near}");
        }
        assert!(is_near(ip("::ffff:192.168.1.5")));
        for far in ["198.51.100.4", "172.32.0.1", "2001:db8::1", "::ffff:198.51.100.4"] {
            assert!(!is_near(ip(far)), "{far}");
        }
    }
}
