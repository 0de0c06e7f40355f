//! The pattern of toll fraud: refusals that pile up. Whoever gets hold of a log-in tries one expensive number after
//! another, and each is refused; that they are many is what gives them away.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many refusals …
const SUSPICIOUS: usize = 5;
/// … within so long are a pattern.
const WINDOW: Duration = Duration::from_secs(600);
/// After so long without another the suspicion is over.
const QUIET: Duration = Duration::from_secs(3_600);

/// Watches refusals.
#[derive(Clone, Debug, Default)]
pub struct TollWatch {
    refused: VecDeque<Instant>,
    suspected: bool,
}

impl TollWatch {
    /// One more was refused. True: from now on it is a pattern.
    pub fn refused(&mut self, now: Instant) -> bool {
        while self.refused.front().is_some_and(|at| now.saturating_duration_since(*at) > WINDOW) {
            self.refused.pop_front();
        }
        if self.refused.len() == SUSPICIOUS {
            self.refused.pop_front();
        }
        self.refused.push_back(now);
        let begins = !self.suspected && self.refused.len() == SUSPICIOUS;
        self.suspected |= begins;
        begins
    }

    /// When the suspicion will be over by itself.
    pub fn quiet_at(&self) -> Option<Instant> {
        self.refused.back().filter(|_| self.suspected).map(|last| *last + QUIET)
    }

    /// True: the suspicion has just ended.
    pub fn on_timeout(&mut self, now: Instant) -> bool {
        let ends = self.quiet_at().is_some_and(|at| at <= now);
        if ends {
            self.forget();
        }
        ends
    }

    /// A person has seen to it.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn five_refusals_in_ten_minutes_are_a_pattern_told_once() {
        let start = TestClock::at(UtcMs(0)).instant();
        let at = |secs: u64| start + Duration::from_secs(secs);
        let mut watch = TollWatch::default();
        let told: Vec<bool> = (0..8).map(|n| watch.refused(at(n * 60))).collect();
        assert_eq!(told, [false, false, false, false, true, false, false, false]);
        assert!(!watch.on_timeout(at(420)));
        let quiet = watch.quiet_at().expect("it ends by itself");
        assert_eq!(quiet, at(420 + 3_600));
        assert!(watch.on_timeout(quiet));
        assert_eq!((watch.quiet_at(), watch.on_timeout(quiet)), (None, false));
    }

    #[test]
    fn a_wrong_number_now_and_then_is_none() {
        let start = TestClock::at(UtcMs(0)).instant();
        let mut watch = TollWatch::default();
        assert!((0..100).all(|n| !watch.refused(start + Duration::from_secs(n * 200))));
    }

    #[test]
    fn seen_to_it_begins_anew() {
        let start = TestClock::at(UtcMs(0)).instant();
        let mut watch = TollWatch::default();
        assert_eq!((0..5).filter(|_| watch.refused(start)).count(), 1);
        watch.forget();
        assert_eq!((0..4).filter(|_| watch.refused(start)).count(), 0);
        assert!(watch.refused(start));
    }
}
