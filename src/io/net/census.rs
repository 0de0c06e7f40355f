//! How many connections there may be, and whose. One census a side; TCP, TLS and WebSockets are counted together.
//!
//! An address is *known* if it is a trunk's, and a connection is *vouched for* once its peer has shown who it is: these
//! have a share that strangers cannot take. Strangers have a cap per address, and when their share is full the one
//! that is crowding most makes room: the oldest connection of the address that has most of them. So whoever comes with
//! a few connections gets in, and stays long enough to register, however many others come. Known addresses have all
//! the room there is, and when it is full the same holds among them: no carrier's host locks out another's.
//! In IPv6 whoever has one address has 2^64 of them, so there a network of that size counts as one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tracing::warn;

use crate::proto::sip::Source;

/// How many connections one side may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// In all.
    pub total: usize,
    /// Of these, out of strangers' reach.
    pub reserved: usize,
    /// Strangers' from one address.
    pub per_address: usize,
}

impl Caps {
    /// Caps of a side that may have `total` connections.
    pub const fn of(total: usize) -> Self {
        Self { total, reserved: total / 4, per_address: total / 8 }
    }
}

impl Default for Caps {
    /// Those of a side for which nobody has said how many.
    fn default() -> Self {
        Self::of(512)
    }
}

/// Open connections of one side. Clones count together.
#[derive(Clone, Debug)]
pub struct Census {
    caps: Caps,
    known: Arc<Mutex<Vec<Source>>>,
    open: Arc<Mutex<Open>>,
    came: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Open {
    /// All of them.
    count: usize,
    /// Strangers', by address, oldest first. Entries are never empty.
    strangers: Crowds,
    /// Those from known addresses, likewise.
    known: Crowds,
    /// That known addresses have taken all the room has been told, and it has not come free since.
    told: bool,
}

type Crowds = HashMap<IpAddr, Vec<Arc<Standing>>>;

impl Open {
    fn strangers(&self) -> usize {
        self.strangers.values().map(Vec::len).sum()
    }

    /// The known address at whose cost one from `ip` is let in: it has most, and would not be back at once in its turn.
    fn crowd_before(&self, ip: IpAddr, known: bool) -> Option<&Vec<Arc<Standing>>> {
        let own = self.known.get(&ip).map_or(0, Vec::len);
        self.known.values().filter(|here| known && here.len() > own + 1).max_by_key(by_size)
    }

    /// Known addresses have all the room: said once, until much of it is free again.
    fn tell(&mut self, most: IpAddr) {
        if !std::mem::replace(&mut self.told, true) {
            let (open, of_it) = (self.count, self.known.get(&most).map_or(0, Vec::len));
            warn!(open, host = %most, of_it, "carriers have taken all connections there may be, this host most of them: \
                its oldest make room for other hosts', further ones of its own are refused");
        }
    }

    /// It counts for its address no longer: closed, or a stranger's that is vouched for.
    fn leave(&mut self, standing: &Arc<Standing>) {
        for crowds in [&mut self.strangers, &mut self.known] {
            if let Some(here) = crowds.get_mut(&standing.ip) {
                here.retain(|other| !Arc::ptr_eq(other, standing));
                if here.is_empty() {
                    crowds.remove(&standing.ip);
                }
            }
        }
    }
}

/// One connection, as the census sees it.
#[derive(Debug)]
struct Standing {
    ip: IpAddr,
    /// In the order in which they came.
    number: u64,
    vouched: AtomicBool,
    /// It has been turned out and counts no more.
    gone: AtomicBool,
    out: Notify,
}

impl Standing {
    /// Waits until it has been turned out. Several may wait, and one that comes late learns of it too.
    async fn turned_out(&self) {
        // Made first: a word between the look and the wait is not missed.
        let told = self.out.notified();
        if !self.gone.load(Ordering::Acquire) {
            told.await;
        }
    }
}

/// A connection that was let in. Its place is free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    census: Census,
    standing: Arc<Standing>,
}

/// Tells when a connection has to make room for another.
#[derive(Debug)]
pub struct Departure(Arc<Standing>);

impl Departure {
    /// Waits for it. Cancel-safe.
    pub async fn wait(&self) {
        self.0.turned_out().await;
    }
}

/// The right to say of a connection that its peer has shown who it is.
#[derive(Clone, Debug)]
pub struct Voucher {
    census: Census,
    standing: Arc<Standing>,
}

impl Census {
    /// An empty one. Connections from `known` are vouched for from the start.
    pub fn new(caps: Caps, known: Vec<Source>) -> Self {
        Self { caps, known: Arc::new(Mutex::new(known)), open: Arc::default(), came: Arc::default() }
    }

    /// The same for these instead, from the next connection on: DNS says where a trunk's servers are, and may say
    /// something else later.
    pub fn know(&self, known: Vec<Source>) {
        *self.known() = known;
    }

    fn known(&self) -> MutexGuard<'_, Vec<Source>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in; none if there is no room for it. May turn another out.
    pub fn admit(&self, ip: IpAddr) -> Option<Seat> {
        let ip = ip.to_canonical();
        let known = self.known().iter().any(|source| source.contains(ip));
        let ip = household(ip);
        let mut open = self.lock();
        if !known && open.strangers.get(&ip).is_some_and(|here| here.len() >= self.caps.per_address) {
            return None;
        }
        let share_is_full = !known && open.strangers() >= self.caps.total.saturating_sub(self.caps.reserved);
        if share_is_full || open.count >= self.caps.total {
            let crowd = open.strangers.values().max_by_key(by_size).or_else(|| open.crowd_before(ip, known));
            let oldest = crowd.map(|here| Arc::clone(&here[0]));
            if known && open.strangers.is_empty() {
                open.tell(oldest.as_ref().map_or(ip, |oldest| oldest.ip));
            }
            turn_out(&mut open, &oldest?);
        }
        open.count += 1;
        let standing = Arc::new(Standing {
            ip,
            number: self.came.fetch_add(1, Ordering::Relaxed),
            vouched: AtomicBool::new(known),
            gone: AtomicBool::new(false),
            out: Notify::new(),
        });
        let crowds = if known { &mut open.known } else { &mut open.strangers };
        crowds.entry(ip).or_default().push(Arc::clone(&standing));
        drop(open);
        Some(Seat { census: self.clone(), standing })
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.lock().count
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one address.
fn household(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// The larger crowd counts more; of two equals, whichever came first.
fn by_size(here: &&Vec<Arc<Standing>>) -> (usize, Reverse<u64>) {
    (here.len(), Reverse(here[0].number))
}

fn turn_out(open: &mut Open, standing: &Arc<Standing>) {
    open.leave(standing);
    open.count -= 1;
    standing.gone.store(true, Ordering::Release);
    standing.out.notify_waiters();
    metrics::counter!("cordboard_connections_turned_out_total").increment(1);
}

impl Seat {
    /// What says of it that its peer has shown who it is.
    pub fn voucher(&self) -> Voucher {
        Voucher { census: self.census.clone(), standing: Arc::clone(&self.standing) }
    }

    /// Waits until the connection has to make room for another. Cancel-safe.
    pub async fn turned_out(&self) {
        self.standing.turned_out().await;
    }

    /// The same for whoever has given the seat away.
    pub fn departure(&self) -> Departure {
        Departure(Arc::clone(&self.standing))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.census.lock();
        open.leave(&self.standing);
        if !self.standing.gone.load(Ordering::Relaxed) {
            open.count -= 1;
        }
        open.told &= open.count > self.census.caps.total / 2;
    }
}

impl Voucher {
    /// The peer has shown who it is: the connection is a stranger's no longer.
    pub fn redeem(&self) {
        if !self.standing.vouched.swap(true, Ordering::Relaxed) {
            self.census.lock().leave(&self.standing);
        }
    }

    /// Whether that has been said.
    pub fn is_redeemed(&self) -> bool {
        self.standing.vouched.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn census() -> Census {
        let known = vec!["198.51.100.0/24".parse().expect("a network")];
        Census::new(Caps { total: 12, reserved: 4, per_address: 5 }, known)
    }

    /// Whether it was turned out.
    fn is_out(seat: &Seat) -> bool {
        seat.standing.gone.load(Ordering::Relaxed)
    }

    #[test]
    fn one_address_has_its_cap_and_places_come_back() {
        let census = census();
        let mut seats: Vec<Seat> = (0..5).map(|_| census.admit(ip(1)).expect("room")).collect();
        assert!(census.admit(ip(1)).is_none());
        seats.pop();
        assert!(census.admit(ip(1)).is_some());
        drop(seats);
        assert_eq!(census.count(), 0);
        assert!(census.lock().strangers.is_empty());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let census = census();
        let from = |text: &str| census.admit(text.parse().expect("an address"));
        let seats: Vec<Seat> = (1..20).filter_map(|n| from(&format!("2001:db8::{n}"))).collect();
        assert_eq!(seats.len(), 5);
        assert!(from("2001:db8:0:1::1").is_some());
        assert!(from("::ffff:192.0.2.1").is_some(), "IPv4 in IPv6's clothes is IPv4");
    }

    #[test]
    fn a_crowd_makes_room_for_a_stranger_who_comes_alone_and_never_takes_the_reserve() {
        let census = census();
        let alone = census.admit(ip(9)).expect("room");
        let crowd: Vec<Seat> = (0..60).filter_map(|n| census.admit(ip(1 + n % 2))).collect();
        assert_eq!(census.count(), 8, "strangers have two thirds here");
        assert!(!is_out(&alone), "whoever has one place keeps it");
        assert_eq!(crowd.iter().filter(|seat| !is_out(seat)).count(), 7);
        let trunk: Vec<Seat> = (0..12).filter_map(|n| census.admit(IpAddr::from([198, 51, 100, n]))).collect();
        assert_eq!((trunk.len(), census.count()), (12, 12), "a trunk's go before strangers'");
        assert!(trunk.iter().all(|seat| seat.voucher().is_redeemed() && !is_out(seat)));
        assert!(census.admit(ip(7)).is_none());
        drop((alone, crowd, trunk));
        assert_eq!(census.count(), 0);
    }

    #[test]
    fn a_carriers_host_that_takes_every_place_makes_room_for_the_other_trunks_hosts() {
        let census = census();
        let host = |last| IpAddr::from([198, 51, 100, last]);
        let mut crowd: Vec<Seat> = (0..30).filter_map(|_| census.admit(host(1))).collect();
        assert_eq!((crowd.len(), census.count()), (12, 12), "alone, it may have all there is");
        let others: Vec<Seat> = [2, 3, 2, 3].into_iter().filter_map(|last| census.admit(host(last))).collect();
        assert_eq!((others.len(), census.count()), (4, 12));
        assert!(crowd[..4].iter().all(is_out) && !crowd[4..].iter().any(is_out), "its oldest");
        assert!(census.admit(host(1)).is_none(), "it does not push others out in its turn");
        assert!(census.admit(ip(9)).is_none(), "a stranger pushes out no carrier");
        crowd.truncate(11);
        assert!(census.admit(host(1)).is_some());
        drop((crowd, others));
        assert_eq!(census.count(), 0);
        assert!(census.lock().known.is_empty() && !census.lock().told);
    }

    #[test]
    fn who_is_known_may_change() {
        let census = census();
        assert!(!census.admit(ip(1)).expect("room").voucher().is_redeemed());
        census.know(vec![ip(1).into()]);
        assert!(census.admit(ip(1)).expect("room").voucher().is_redeemed());
        assert!(!census.admit(IpAddr::from([198, 51, 100, 1])).expect("room").voucher().is_redeemed());
    }

    #[test]
    fn one_that_is_vouched_for_neither_counts_for_its_address_nor_is_turned_out() {
        let census = census();
        let phones: Vec<Seat> = (0..10)
            .map(|_| {
                let seat = census.admit(ip(1)).expect("a whole office behind one address");
                seat.voucher().redeem();
                seat
            })
            .collect();
        let crowd: Vec<Seat> = (0..50).filter_map(|n| census.admit(ip(10 + n))).collect();
        assert!(phones.iter().all(|seat| seat.voucher().is_redeemed() && !is_out(seat)));
        assert_eq!(crowd.iter().filter(|seat| !is_out(seat)).count(), 2);
    }
}
