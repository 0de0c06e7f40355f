//! Who we are to each peer, where we listen on every address of this machine and nobody wrote which is ours: the one that
//! the kernel would reach that peer by. Kept for a while, as asking costs a socket.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::io::net::local_ip_towards;
use crate::proto::sip::Flow;

/// How long an answer holds: ways through the network change.
const HOLDS: Duration = Duration::from_secs(30);

/// The addresses by which peers are reached.
#[derive(Debug, Default)]
pub struct Here {
    known: HashMap<IpAddr, (Option<IpAddr>, Instant)>,
}

impl Here {
    /// The flow with the address that its peer sees of us.
    pub fn seen_from(&mut self, now: Instant, mut flow: Flow) -> Flow {
        if flow.local.ip().is_unspecified() {
            let peer = flow.peer.ip();
            let (ip, _) = *self.known.entry(peer).or_insert_with(|| (local_ip_towards(flow.peer), now + HOLDS));
            flow.local.set_ip(ip.unwrap_or_else(|| flow.local.ip()));
        }
        flow
    }

    pub fn tidy(&mut self, now: Instant) {
        self.known.retain(|_, (_, until)| *until > now);
    }
}
