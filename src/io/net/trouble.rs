//! Peers of ours to which no connection can be opened: said when it begins, then now and then how often it was tried, and
//! when it is over. A trunk that is down is asked for every few seconds all night, and the log is to hold other things too.
//! Counted, not timed.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

/// After so many more failures it is said again: some three minutes of pings, each of which is tried twice.
const AGAIN_AFTER: u32 = 36;
/// Peers remembered. Beyond that each failure is said.
const MOST: usize = 256;

/// Failures since a connection was last open, by peer. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Troubles(Arc<Mutex<HashMap<SocketAddr, u32>>>);

impl Troubles {
    /// A connection to `peer` could not be opened, or its TLS not be agreed on. `name`: what its certificate is to say.
    pub(super) fn failed(&self, peer: SocketAddr, name: Option<&str>, why: &dyn fmt::Display) {
        match self.count(peer) {
            Some(1) => warn!(%peer, name, "a trunk's connection cannot be opened: {why}"),
            Some(tries) => warn!(%peer, name, tries, "a trunk's connection still cannot be opened: {why}"),
            None => {}
        }
    }

    /// A connection to `peer` is open.
    pub(super) fn opened(&self, peer: SocketAddr) {
        let failed = self.lock().remove(&peer);
        if let Some(tries) = failed {
            info!(%peer, tries, "a trunk's connection is open again");
        }
    }

    /// One more; how many there are, if it is to be said.
    fn count(&self, peer: SocketAddr) -> Option<u32> {
        let mut failures = self.lock();
        if failures.len() >= MOST && !failures.contains_key(&peer) {
            return Some(1);
        }
        let count = failures.entry(peer).or_default();
        *count = count.saturating_add(1);
        (*count == 1 || count.is_multiple_of(AGAIN_AFTER)).then_some(*count)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_down_all_night_is_said_once_and_then_now_and_then_until_it_is_back() {
        let (troubles, down) = (Troubles::default(), SocketAddr::from(([192, 0, 2, 1], 5061)));
        let other = SocketAddr::from(([192, 0, 2, 2], 5061));
        let said: Vec<u32> = (0..100).filter_map(|_| troubles.count(down)).collect();
        assert_eq!(said, [1, 36, 72]);
        assert_eq!(troubles.count(other), Some(1), "another one's is news");
        troubles.opened(down);
        assert_eq!(troubles.count(down), Some(1));
        for n in 0..2 * u16::try_from(MOST).expect("few") {
            troubles.count(SocketAddr::from(([192, 0, 2, 3], n)));
        }
        assert_eq!(troubles.lock().len(), MOST);
    }
}
