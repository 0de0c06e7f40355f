//! The only reader of time. Everything else is handed `now`.
//!
//! Two times, never mixed: a monotonic [`Instant`] for SIP, RTP, calls and queues; UTC epoch
//! milliseconds ([`UtcMs`]) for dispatch, messages and on-call.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time as UTC milliseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// This time plus `ms` milliseconds.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0 + ms)
    }

    /// This time plus `secs` seconds.
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0 + secs * 1_000)
    }

    /// Milliseconds from `earlier` to this time; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for UtcMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where drivers read the time. Machines never see a clock, only what it said.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Monotonic time.
    fn instant(&self) -> Instant;
    /// Wall time.
    fn utc(&self) -> UtcMs;
}

/// A clock shared by the drivers of one process.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
impl Clock for SystemClock {
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn utc(&self) -> UtcMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is told otherwise. For tests and simulations.
#[derive(Clone, Debug)]
pub struct TestClock {
    start: Instant,
    start_utc: UtcMs,
    elapsed: Arc<Mutex<Duration>>,
}

impl TestClock {
    /// A clock standing at `utc`.
    #[expect(clippy::disallowed_methods, reason = "an Instant can only be made by reading the clock once")]
    pub fn at(utc: UtcMs) -> Self {
        Self { start: Instant::now(), start_utc: utc, elapsed: Arc::default() }
    }

    /// Moves both times forward by `by`.
    pub fn advance(&self, by: Duration) {
        *self.lock() += by;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.elapsed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn instant(&self) -> Instant {
        self.start + *self.lock()
    }

    fn utc(&self) -> UtcMs {
        let elapsed = self.lock().as_millis();
        self.start_utc.plus_ms(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_clock_moves_both_times_together() {
        let clock = TestClock::at(UtcMs(1_000));
        let before = clock.instant();
        clock.advance(Duration::from_secs(900));
        assert_eq!(clock.utc(), UtcMs(901_000));
        assert_eq!(clock.instant() - before, Duration::from_secs(900));
    }
}
