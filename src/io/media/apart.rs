//! A port from the range of media for what no shard moves: a fax, which has a thread of its own (`io/fax`).

use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::port::PortLease;

/// A socket at an even port of the range. The port is free again when it is dropped.
#[derive(Debug)]
pub struct Apart {
    socket: UdpSocket,
    /// Last: the port is free only when the socket is closed.
    _lease: PortLease,
}

impl Apart {
    pub(super) const fn new(socket: UdpSocket, lease: PortLease) -> Self {
        Self { socket, _lease: lease }
    }

    pub const fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// A socket for both families has IPv4 addresses in IPv6's clothes.
    pub fn as_of_socket(&self, remote: SocketAddr) -> SocketAddr {
        match remote.ip() {
            IpAddr::V4(ip) if self.socket.local_addr().is_ok_and(|local| local.is_ipv6()) => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), remote.port())
            }
            _ => remote,
        }
    }
}
