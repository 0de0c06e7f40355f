//! Sockets for SIP: UDP, TCP, TLS and flows that `http/sip_ws` pumps. Carries bytes; decides nothing.
//!
//! Driven by a loop in `engine/`, which never waits for a peer: each connection has a task and a bounded
//! writer of its own, and a peer that does not read is closed. `stream` has the rules that all connections share,
//! `census` says how many there may be, `tls` who we and the others are.

pub mod census;
pub mod descriptors;
mod endpoint;
mod loss;
mod place;
mod resolve;
mod stream;
mod tcp;
pub mod tls;
mod trouble;
mod volley;
mod writer;
mod ws;

use std::fmt;
use std::net::SocketAddr;

use crate::proto::sip::Flow;
use census::Voucher;

pub use endpoint::{Doors, Endpoint, local_ip_towards};
pub use place::{Place, is_near};
#[cfg(test)]
pub(crate) use resolve::tests as fake_dns;
pub use resolve::{Located, ResolveError, Resolver};
pub use stream::IDLE_LIMIT;
pub use writer::Writer;
pub use ws::{WsDoor, WsFlow};

/// Messages that may wait for a slow reader before its connection is closed.
pub(crate) const WRITER_DEPTH: usize = 64;

/// One connection as the network has it. A flow of ours outlives it: it is opened anew when it is next used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life(u64);

/// What came from the network.
#[derive(Debug)]
pub enum NetEvent {
    /// A connection is there; what is sent into `writer` goes to its peer.
    Opened {
        flow: Flow,
        life: Life,
        writer: Writer,
        voucher: Voucher,
    },
    /// A datagram or a framed message.
    Received {
        flow: Flow,
        bytes: Vec<u8>,
    },
    Closed {
        flow: Flow,
        life: Life,
    },
}

/// The flow's connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowGone;

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The flow's connection is gone.
    Gone,
    /// The system takes no datagram for that peer now: there is no route, or a rule forbids it.
    Refused(Vec<u8>),
}

/// An address that can't be listened on.
#[derive(Debug)]
pub struct BindError {
    pub address: SocketAddr,
    pub transport: &'static str,
    pub source: std::io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, transport, source } = self;
        write!(f, "cannot listen for SIP on {address} ({transport}): ")?;
        match source.kind() {
            std::io::ErrorKind::AddrInUse => {
                f.write_str("another program uses this port. Stop it, or choose another port.")
            }
            std::io::ErrorKind::AddrNotAvailable => {
                f.write_str("this machine has no such address. Use one of its own, or 0.0.0.0 for all.")
            }
            std::io::ErrorKind::PermissionDenied => {
                f.write_str("this user may not use this port. Choose one above 1023, or grant the right to.")
            }
            _ => write!(f, "{source}."),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
