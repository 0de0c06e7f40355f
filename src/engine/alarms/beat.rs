//! A sign of life: whoever has a loop strikes it each time round, and whoever watches asks how long ago that was. Nothing is locked,
//! so that one who hangs cannot take the other along.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::base::clock::SharedClock;

/// Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Beat {
    clock: SharedClock,
    since: Instant,
    /// Milliseconds after `since`.
    last: Arc<AtomicU64>,
    /// How often it was struck.
    count: Arc<AtomicU64>,
}

impl Beat {
    /// Struck now.
    pub fn new(clock: SharedClock) -> Self {
        let since = clock.instant();
        Self { clock, since, last: Arc::default(), count: Arc::default() }
    }

    /// I have come round.
    pub fn strike(&self) {
        self.last.store(self.elapsed_ms(), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was struck.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// How long ago that was.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms().saturating_sub(self.last.load(Ordering::Relaxed)))
    }

    fn elapsed_ms(&self) -> u64 {
        let elapsed = self.clock.instant().saturating_duration_since(self.since);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{TestClock, UtcMs};

    #[test]
    fn a_beat_is_as_old_as_the_time_since_it_was_struck() {
        let clock = TestClock::at(UtcMs(0));
        let beat = Beat::new(Arc::new(clock.clone()));
        clock.advance(Duration::from_secs(20));
        assert_eq!(beat.age(), Duration::from_secs(20));
        beat.clone().strike();
        assert_eq!((beat.age(), beat.count()), (Duration::ZERO, 1));
    }
}
