//! The range of ports that media uses: an even one for RTP, the next for RTCP (RFC 3550 §11). A port
//! is lent; it comes back when its [`PortLease`] is dropped, after the sockets.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

/// Ports tried for one leg. One that something else occupies goes to the end of the list, so the next leg meets others;
/// without a bound, a pool that is nearly used up would try those few again for each caller.
const TRIES: usize = 128;

/// The even ports that are free, longest free first.
#[derive(Clone, Debug)]
pub struct PortPool {
    free: Arc<Mutex<VecDeque<u16>>>,
}

/// The right to an even port and the odd one after it.
#[derive(Debug)]
pub struct PortLease {
    port: u16,
    pool: PortPool,
}

impl Drop for PortLease {
    fn drop(&mut self) {
        self.pool.lock().push_back(self.port);
    }
}

impl PortPool {
    /// The pool of a range.
    pub fn new(ports: &RangeInclusive<u16>) -> Self {
        let even = ports.clone().filter(|p| p % 2 == 0 && *p < *ports.end());
        Self { free: Arc::new(Mutex::new(even.collect())) }
    }

    /// How many legs more there is room for.
    pub fn free(&self) -> usize {
        self.lock().len()
    }

    /// Two bound sockets, RTP and RTCP. A pair that something else occupies is passed over. `both`: an IPv6 address
    /// takes IPv4 in as well.
    pub fn bind_pair(&self, ip: IpAddr, both: bool) -> io::Result<(UdpSocket, UdpSocket, PortLease)> {
        let open = |port| Ok((socket(ip, port, both)?, socket(ip, port + 1, both)?));
        self.bind(open).map(|((rtp, rtcp), lease)| (rtp, rtcp, lease))
    }

    /// One bound socket.
    pub fn bind_one(&self, ip: IpAddr) -> io::Result<(UdpSocket, PortLease)> {
        self.bind(|port| socket(ip, port, false))
    }

    fn bind<T>(&self, open: impl Fn(u16) -> io::Result<T>) -> io::Result<(T, PortLease)> {
        let mut why = io::Error::new(io::ErrorKind::AddrInUse, "every media port is in use");
        for _ in 0..TRIES {
            let Some(port) = self.lock().pop_front() else { break };
            let lease = PortLease { port, pool: self.clone() };
            match open(port) {
                Ok(sockets) => return Ok((sockets, lease)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => why = error,
                Err(error) => return Err(error),
            }
        }
        Err(why)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<u16>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn socket(ip: IpAddr, port: u16, both: bool) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(ip, port);
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::DGRAM,
        Some(socket2::Protocol::UDP),
    )?;
    if ip.is_ipv6() {
        socket.set_only_v6(!both)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn ports_are_even_come_back_and_busy_ones_are_passed_over() {
        let [_, _, b, c] = std::process::id().to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(127, b | 64, c, 1));
        let pool = PortPool::new(&(15_001..=15_006));
        assert_eq!(pool.free(), 2);
        let busy = UdpSocket::bind((ip, 15_003)).unwrap();
        let (rtp, rtcp, lease) = pool.bind_pair(ip, false).unwrap();
        assert_eq!((rtp.local_addr().unwrap().port(), rtcp.local_addr().unwrap().port()), (15_004, 15_005));
        assert_eq!(pool.bind_pair(ip, false).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop((rtp, rtcp, lease, busy));
        assert_eq!(pool.free(), 2);
        assert!(pool.bind_pair(ip, false).is_ok());
    }
}
