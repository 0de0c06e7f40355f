//! Where a far end's media comes from: learnt once, then locked.
//!
//! The address in the session description is the first choice and moves it whenever it speaks, its host on another port (a
//! NAT) the second; any other source must persist while those are silent, and gives way when they speak. So must the address
//! of before a new description, whose last words are still on their way. Once locked on the host that was named, nothing but
//! the address that was named and a new session description moves it, so that stray or forged packets (RTP bleed) neither are
//! heard nor steal the stream; and on another host nothing is sent to it, unless the one that was named is private. Its owner loosens it when nothing came from there for too long: a NAT that
//! began anew sends from elsewhere. Then another port of the host that was named, or of the one it was locked on, may take its
//! place in the same ways, unless the old one speaks. Another host may not, however it persists: whoever sprays packets over our
//! ports would be told what is meant for a caller who is silent. But for those who may stray ([`Strays::Hosts`]), and only
//! if the host that was named is private: it said nothing about where its NAT is.

use std::net::{IpAddr, SocketAddr};

/// Packets in a row that a stranger must send before it is believed: 100 ms.
const PERSISTENCE: u8 = 5;
/// The same of the address of before the session description was changed: half a second. A gateway sends on from there for
/// a moment, and a telephone whose description is rewritten on the way may send from there for good.
const FORMER_PERSISTENCE: u8 = 25;

/// From where else a far end may come that was learnt and has fallen silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strays {
    /// From another port of its host: a carrier's.
    #[default]
    Ports,
    /// From another host as well, where it named a private one: a telephone of ours beyond a NAT, which has logged in.
    Hosts,
}

/// The latch of one leg.
#[derive(Clone, Debug, Default)]
pub struct Latch {
    strays: Strays,
    told: Option<SocketAddr>,
    locked: Option<SocketAddr>,
    /// From which port it came before the session description was changed.
    former: Option<u16>,
    /// Another may take the place of the source that is locked.
    loose: bool,
    candidate: Option<(SocketAddr, u32, u8)>,
}

impl Latch {
    /// One that has learnt nothing yet.
    pub fn new(strays: Strays) -> Self {
        Self { strays, ..Self::default() }
    }

    /// What the session description says. The same address again changes nothing, and an unspecified one
    /// (an old-style hold) says nothing.
    pub fn tell(&mut self, remote: SocketAddr) {
        if remote.ip().is_unspecified() || self.told == Some(remote) {
            return;
        }
        let former = self.locked.map(|at| at.port());
        *self = Self { strays: self.strays, told: Some(remote), former, ..Self::default() };
    }

    /// Whether a packet from there is the far end's; may lock on it.
    pub fn admit(&mut self, from: SocketAddr, ssrc: u32) -> bool {
        if self.locked == Some(from) {
            (self.loose, self.candidate) = (false, None);
            return true;
        }
        let Some(told) = self.told else { return false };
        if told == from {
            self.lock(from);
            return true;
        }
        let locked = self.locked.filter(|_| !self.loose);
        if locked.is_some_and(|locked| self.is_named(locked) || !self.is_named(from)) {
            return false;
        }
        if self.loose && !self.may_replace(from) {
            return false;
        }
        let is_former = self.is_named(from) && self.former == Some(from.port());
        if self.is_named(from) && !is_former {
            self.lock(from);
            return true;
        }
        let count = match self.candidate {
            Some((who, what, count)) if who == from && what == ssrc => count + 1,
            _ => 1,
        };
        self.candidate = Some((from, ssrc, count));
        if count < if is_former { FORMER_PERSISTENCE } else { PERSISTENCE } {
            return false;
        }
        self.lock(from);
        true
    }

    const fn lock(&mut self, on: SocketAddr) {
        (self.locked, self.loose, self.candidate) = (Some(on), false, None);
    }

    /// Nothing came from the source that is locked for too long. False if that changes nothing.
    pub const fn loosen(&mut self) -> bool {
        let changes = self.locked.is_some() && !self.loose;
        self.loose = self.locked.is_some();
        changes
    }

    /// Whether that is on the host that the session description names.
    fn is_named(&self, at: SocketAddr) -> bool {
        self.told.is_some_and(|told| is_same_host(told, at))
    }

    /// Whether a source there may take the place of the one that has fallen silent.
    fn may_replace(&self, from: SocketAddr) -> bool {
        self.is_named(from)
            || self.locked.is_some_and(|locked| is_same_host(locked, from))
            || (self.strays == Strays::Hosts && self.told.is_some_and(|told| is_private(told.ip())))
    }

    /// Whether RTCP from that host may be the far end's.
    pub fn is_host(&self, from: SocketAddr) -> bool {
        self.locked.or(self.told).is_some_and(|heard| is_same_host(heard, from))
    }

    /// The only source that is heard until a new session description, once it is known: the address that was named. Any
    /// other gives way to it.
    pub fn only(&self) -> Option<SocketAddr> {
        self.locked.filter(|locked| !self.loose && self.told == Some(*locked))
    }

    /// Where to send: where it is heard from. But while only another host was heard than the one that was named, to the
    /// address that was named, unless that is of no use beyond its own network: whoever sprays packets over our ports before
    /// a caller has said a word would be told what is meant for them.
    pub fn target(&self) -> Option<SocketAddr> {
        let told = self.told?;
        let may_be_sent_to = |locked: &SocketAddr| self.is_named(*locked) || is_private(told.ip());
        Some(self.locked.filter(may_be_sent_to).unwrap_or(told))
    }
}

fn is_same_host(one: SocketAddr, other: SocketAddr) -> bool {
    one.ip().to_canonical() == other.ip().to_canonical()
}

/// Of no use beyond its own network; a carrier's between it and its customers (RFC 6598) is one.
fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nobody_is_admitted_before_a_description_named_somebody() {
        let mut latch = Latch::default();
        assert!(!latch.admit(at("192.0.2.1:4000"), 1));
        assert_eq!(latch.target(), None);
    }

    #[test]
    fn another_port_of_the_same_host_is_a_nat_until_the_one_that_was_named_speaks() {
        let mut latch = Latch::default();
        latch.tell(at("192.0.2.1:4000"));
        assert!(latch.admit(at("192.0.2.1:61000"), 1));
        assert_eq!((latch.target(), latch.only()), (Some(at("192.0.2.1:61000")), None));
        for _ in 0..100 {
            assert!(!latch.admit(at("203.0.113.5:9"), 1) && !latch.admit(at("192.0.2.1:62000"), 1));
        }
        assert!(latch.admit(at("192.0.2.1:4000"), 1), "a stray packet came before it");
        assert_eq!((latch.target(), latch.only()), (Some(at("192.0.2.1:4000")), Some(at("192.0.2.1:4000"))));
        assert!((0..50).all(|_| !latch.admit(at("192.0.2.1:61000"), 1)));
    }

    #[test]
    fn the_last_words_from_before_a_new_description_do_not_hold_it_back() {
        let (before, now) = (at("192.0.2.1:4000"), at("192.0.2.1:4002"));
        let mut latch = Latch::default();
        latch.tell(before);
        assert!(latch.admit(before, 1));
        latch.tell(now);
        assert!((0..20).all(|_| !latch.admit(before, 1)), "400 ms of them");
        assert_eq!(latch.target(), Some(now), "who only listens there hears us");
        assert!(latch.admit(now, 2));
        assert_eq!(latch.only(), Some(now));
        // A telephone whose description is rewritten on the way sends from where it did.
        let mut latch = Latch::default();
        latch.tell(before);
        assert!(latch.admit(before, 1));
        latch.tell(now);
        assert_eq!((0..60).filter(|_| latch.admit(before, 1)).count(), 36);
        assert_eq!((latch.target(), latch.only()), (Some(before), None));
    }

    #[test]
    fn a_stranger_must_persist_while_the_named_host_is_silent() {
        let mut latch = Latch::default();
        latch.tell(at("10.0.0.1:4000"));
        let admitted = (0..8).filter(|_| latch.admit(at("192.0.2.9:5000"), 3)).count();
        assert_eq!((admitted, latch.target()), (4, Some(at("192.0.2.9:5000"))));
        let mut latch = Latch::default();
        latch.tell(at("10.0.0.1:4000"));
        for port in 1..50 {
            assert!(!latch.admit(SocketAddr::new(at("192.0.2.9:1").ip(), port), 3), "a sprayer never persists");
        }
        assert!(latch.admit(at("10.0.0.1:4000"), 1));
    }

    #[test]
    fn a_stranger_that_was_believed_gives_way_to_the_named_host_and_to_nobody_else() {
        let mut latch = Latch::default();
        latch.tell(at("192.0.2.1:4000"));
        for _ in 0..9 {
            latch.admit(at("203.0.113.5:9"), 3);
        }
        assert_eq!((latch.target(), latch.only()), (Some(at("192.0.2.1:4000")), None), "heard, and told nothing");
        assert!((0..50).all(|_| !latch.admit(at("203.0.113.6:9"), 4)), "another stranger comes too late");
        assert!(latch.admit(at("203.0.113.5:9"), 77), "a new source at the same address is the same party");
        assert!(latch.admit(at("192.0.2.1:4000"), 1));
        assert!((0..50).all(|_| !latch.admit(at("203.0.113.5:9"), 3)));
        assert_eq!((latch.target(), latch.only()), (Some(at("192.0.2.1:4000")), Some(at("192.0.2.1:4000"))));
    }

    #[test]
    fn one_that_was_loosened_takes_whoever_persists_or_was_named_and_sends_to_the_old_one_until_then() {
        let (named, nat, anew) = (at("10.0.0.1:4000"), at("192.0.2.9:5000"), at("192.0.2.9:61000"));
        let mut latch = Latch::default();
        latch.tell(named);
        assert!(!latch.loosen(), "nothing is locked yet");
        for _ in 0..5 {
            latch.admit(nat, 3);
        }
        assert!((0..50).all(|_| !latch.admit(anew, 3)), "not while it is locked");
        assert!(latch.loosen() && !latch.loosen());
        assert_eq!(latch.target(), Some(nat));
        for _ in 0..50 {
            assert!(!latch.admit(anew, 3) || latch.target() == Some(anew));
        }
        assert_eq!(latch.target(), Some(anew));
        assert!((0..50).all(|_| !latch.admit(nat, 3)), "and it is locked again");
        // A source that speaks keeps its place, however many try to get it.
        latch.loosen();
        for _ in 0..50 {
            assert!((0..4).all(|_| !latch.admit(nat, 3)));
            assert!(latch.admit(anew, 3));
            latch.loosen();
        }
        // One that was named is loosened as well: the same host on another port takes it at once.
        let mut latch = Latch::default();
        latch.tell(nat);
        assert!(latch.admit(nat, 3) && !latch.admit(anew, 3));
        assert!(latch.loosen());
        assert_eq!(latch.only(), None);
        assert!(latch.admit(anew, 3));
        assert_eq!((latch.target(), latch.only()), (Some(anew), None));
        assert!(latch.admit(nat, 3));
        assert_eq!(latch.only(), Some(nat));
    }

    #[test]
    fn after_silence_no_stranger_gets_a_carriers_leg_however_it_persists() {
        let (named, learnt) = (at("198.51.100.4:4000"), at("198.51.100.5:7000"));
        for first in [named, at("198.51.100.4:4002"), learnt] {
            let mut latch = Latch::default();
            latch.tell(named);
            assert!((0..5).any(|_| latch.admit(first, 1)));
            assert!(latch.loosen());
            assert!((0..500).all(|_| !latch.admit(at("203.0.113.9:9000"), 2)));
            let goes_to = |heard| Some(if is_same_host(heard, named) { heard } else { named });
            assert_eq!(latch.target(), goes_to(first), "what we say goes where it went");
            // The same host on another port is who began anew.
            let anew = SocketAddr::new(first.ip(), 9_000);
            assert!((0..5).any(|_| latch.admit(anew, 1)), "{first}");
            assert_eq!(latch.target(), goes_to(anew));
        }
    }

    #[test]
    fn after_silence_a_desk_phone_is_believed_from_another_host_if_it_named_one_that_says_nothing() {
        let (first, anew) = (at("198.51.100.5:7000"), at("203.0.113.9:9000"));
        let takes = |strays, named| {
            let mut latch = Latch::new(strays);
            // What is said anew does not change who it is.
            latch.tell(at("192.0.2.77:4000"));
            latch.tell(at(named));
            assert!((0..5).any(|_| latch.admit(first, 1)));
            assert!((0..50).all(|_| !latch.admit(anew, 2)), "not while it is locked");
            latch.loosen();
            (0..5).any(|_| latch.admit(anew, 2))
        };
        for private in
            ["10.0.0.1:4000", "192.168.1.9:4000", "100.64.3.2:4000", "[fd00::9]:4000", "[::ffff:10.0.0.1]:4000"]
        {
            assert!(takes(Strays::Hosts, private) && !takes(Strays::Ports, private), "{private}");
        }
        assert!(!takes(Strays::Hosts, "198.51.100.5:4000") && !takes(Strays::Hosts, "100.128.0.1:4000"));
    }

    #[test]
    fn only_a_new_description_moves_one_that_is_not_loosened() {
        let mut latch = Latch::default();
        latch.tell(at("192.0.2.1:4000"));
        assert!(latch.admit(at("192.0.2.1:5000"), 1));
        latch.tell(at("192.0.2.1:4000"));
        latch.tell(at("0.0.0.0:4000"));
        assert_eq!(latch.target(), Some(at("192.0.2.1:5000")));
        latch.tell(at("192.0.2.7:4000"));
        assert!(latch.admit(at("192.0.2.7:4000"), 1));
    }
}
