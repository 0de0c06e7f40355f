//! Ways through a NAT or a firewall, which forget them after half a minute without a packet (RFC 4787 §4.3 asks for two
//! minutes; Linux gives a short exchange 30 s): when each wants its next word. What is said is each side's own.

use std::time::{Duration, Instant};

use crate::base::rng::Rng;

/// How long a way is left without a word. A sweep may come a second late.
const LEAST: Duration = Duration::from_secs(20);
const MOST_MORE_MS: u64 = 5_000;

/// When a way wants its next word, if it has just had one. Never many of them in step.
pub fn next_word(now: Instant, rng: &mut Rng) -> Instant {
    now + LEAST + Duration::from_millis(rng.below(MOST_MORE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn a_way_has_a_word_before_thirty_seconds_and_not_all_at_once() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut rng = Rng::seeded(3);
        let waits: Vec<Duration> = (0..200).map(|_| next_word(now, &mut rng) - now).collect();
        let (least, most) = (waits.iter().min().expect("some"), waits.iter().max().expect("some"));
        assert!(*least >= Duration::from_secs(20) && *most <= Duration::from_secs(25) && most > least);
    }
}
