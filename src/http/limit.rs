//! Token buckets: how often a source may try something. In memory, bounded, one per process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys remembered at most; when full, those that are full again are forgotten first.
const MAX_KEYS: usize = 20_000;

/// Buckets of one size, by key.
#[derive(Debug)]
pub struct Buckets {
    size: u32,
    refill_every: Duration,
    levels: Mutex<HashMap<String, Level>>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    /// Buckets of `size` tokens; one comes back every `refill_every`.
    pub fn new(size: u32, refill_every: Duration) -> Self {
        Self { size, refill_every, levels: Mutex::default() }
    }

    /// Takes a token of `key`'s bucket, or says how long until there is one.
    pub fn take(&self, key: &str, now: Instant) -> Result<(), Duration> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MAX_KEYS && !levels.contains_key(key) {
            levels.retain(|_, level| self.level_now(*level, now) < f64::from(self.size));
            if levels.len() >= MAX_KEYS {
                return Err(self.refill_every);
            }
        }
        let full = Level { tokens: f64::from(self.size), at: now };
        let level = levels.entry(key.to_owned()).or_insert(full);
        let tokens = self.level_now(*level, now);
        if tokens < 1.0 {
            return Err(self.refill_every.mul_f64(1.0 - tokens));
        }
        *level = Level { tokens: tokens - 1.0, at: now };
        Ok(())
    }

    /// Fills `key`'s bucket again: the source has shown that it is entitled.
    pub fn forgive(&self, key: &str) {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn level_now(&self, level: Level, now: Instant) -> f64 {
        let refilled = now.saturating_duration_since(level.at).div_duration_f64(self.refill_every);
        (level.tokens + refilled).min(f64::from(self.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, SystemClock};

    #[test]
    fn an_empty_bucket_refuses_until_a_token_has_come_back() {
        let buckets = Buckets::new(2, Duration::from_secs(10));
        let now = SystemClock.instant();
        assert!(buckets.take("a", now).is_ok());
        assert!(buckets.take("a", now).is_ok());
        assert_eq!(buckets.take("a", now), Err(Duration::from_secs(10)));
        assert!(buckets.take("b", now).is_ok(), "others are not affected");
        assert!(buckets.take("a", now + Duration::from_secs(9)).is_err());
        assert!(buckets.take("a", now + Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn success_fills_the_bucket_again() {
        let buckets = Buckets::new(1, Duration::from_secs(10));
        let now = SystemClock.instant();
        assert!(buckets.take("a", now).is_ok());
        buckets.forgive("a");
        assert!(buckets.take("a", now).is_ok());
    }
}
