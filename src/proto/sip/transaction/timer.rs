//! The timers of RFC 3261 §17 (table 4): T1, T2, T4 and what is made of them.

use std::time::{Duration, Instant};

/// Round-trip estimate.
pub const T1: Duration = Duration::from_millis(500);
/// Longest gap between retransmissions.
pub const T2: Duration = Duration::from_secs(4);
/// How long a message may linger in the network.
pub const T4: Duration = Duration::from_secs(5);
/// 64·T1: when a transaction gives up.
pub const GIVE_UP: Duration = Duration::from_secs(32);

/// A retransmission that backs off: next time and current gap.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    at: Instant,
    gap: Duration,
    cap: Duration,
}

impl Backoff {
    /// First in T1 from `now`, then doubling up to `cap`.
    pub fn start(now: Instant, cap: Duration) -> Self {
        Self { at: now + T1, gap: T1, cap }
    }

    pub const fn at(&self) -> Instant {
        self.at
    }

    /// If it is due: moves to the next one and says so. However late it is called, one at a time.
    pub fn fire(&mut self, now: Instant) -> bool {
        if now < self.at {
            return false;
        }
        self.gap = (self.gap * 2).min(self.cap);
        self.at = now + self.gap;
        true
    }

    /// From here on in gaps of `cap` (timer E after a provisional response).
    pub fn settle(&mut self) {
        self.gap = self.cap;
    }
}
