//! How late the packets of a stream come, as far as that can be told by the ticks at which they are played:
//! the latest few of the last 200 say how much delay a jitter buffer needs.
//!
//! Times are in samples, lateness is relative to any fixed point. No clock, no allocation.

/// Packets remembered: 4 s of 20 ms.
const WINDOW: usize = 200;
/// Of so many, one may come too late: an outlier that concealment covers better than delay for everybody.
const ONE_LATE_IN: usize = 150;

/// Lateness of the last packets.
#[derive(Clone, Debug)]
pub struct Arrivals {
    late: [i32; WINDOW],
    len: usize,
    next: usize,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { late: [0; WINDOW], len: 0, next: 0 }
    }
}

/// What was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    pub earliest: i32,
    pub usual: i32,
    /// The latest that should still be in time.
    pub latest: i32,
}

impl Arrivals {
    /// Forgets all.
    pub const fn clear(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    /// A packet came so late.
    pub fn push(&mut self, late: i32) {
        self.late[self.next] = late;
        self.next = (self.next + 1) % WINDOW;
        self.len = (self.len + 1).min(WINDOW);
    }

    /// How many are remembered.
    pub const fn count(&self) -> usize {
        self.len
    }

    /// The spread of those remembered; `None` if there are none.
    pub fn spread(&self) -> Option<Spread> {
        let mut sorted = self.late;
        let late = &mut sorted[..self.len];
        if late.is_empty() {
            return None;
        }
        let at = late.len() - 1 - late.len() / ONE_LATE_IN;
        let (before, latest, _) = late.select_nth_unstable(at);
        let latest = *latest;
        if before.is_empty() {
            return Some(Spread { earliest: latest, usual: latest, latest });
        }
        let middle = before.len() / 2;
        let (lower, usual, _) = before.select_nth_unstable(middle);
        let usual = *usual;
        let earliest = lower.iter().copied().min().unwrap_or(usual);
        Some(Spread { earliest, usual, latest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_leaves_out_one_of_many_and_forgets_the_old() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.spread(), None);
        arrivals.push(7);
        assert_eq!(arrivals.spread(), Some(Spread { earliest: 7, usual: 7, latest: 7 }));
        for n in 0..200 {
            arrivals.push(if n == 100 { 5_000 } else { n % 10 });
        }
        let spread = arrivals.spread().unwrap();
        assert_eq!((spread.earliest, spread.latest), (0, 9));
        assert!((4..=5).contains(&spread.usual));
        arrivals.push(5_000);
        assert_eq!(arrivals.spread().unwrap().latest, 5_000, "two are no outlier");
        for _ in 0..200 {
            arrivals.push(3);
        }
        assert_eq!(arrivals.spread().unwrap().latest, 3);
    }
}
