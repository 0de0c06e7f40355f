//! What a waiting caller is told: their place, and how long it will take, as far as that is known.
//!
//! The estimate is made of the waits that were answered last, each by the places that were before it. With too few of
//! them, or none of late, nothing is said of time. What always holds: nobody is told a worse number than before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many answered waits an estimate is made of: at least, and at most.
const FEWEST: usize = 3;
const MOST: usize = 20;
/// What was answered longer ago says nothing of now.
const LATELY: Duration = Duration::from_secs(30 * 60);

/// Where a caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// 1 is next.
    pub position: u32,
    /// About how long it will take, if that can be said.
    pub minutes: Option<u32>,
}

impl Place {
    /// What can be said to somebody who was told `before`, and what they have been told then. None: nothing.
    pub(super) fn told_after(self, before: Option<Self>) -> Option<(Self, Self)> {
        if before.is_some_and(|before| before.position < self.position) {
            return None;
        }
        let least = before.and_then(|before| before.minutes);
        let minutes = self.minutes.filter(|minutes| least.is_none_or(|least| *minutes <= least));
        Some((Self { minutes, ..self }, Self { minutes: minutes.or(least), ..self }))
    }

    /// As it is said.
    pub fn words(self) -> String {
        let place = format!("You are number {}.", in_words(self.position));
        match self.minutes {
            None => place,
            Some(1) => format!("{place} The wait is about one minute."),
            Some(minutes) => format!("{place} The wait is about {} minutes.", in_words(minutes)),
        }
    }
}

/// The waits that were answered last.
#[derive(Debug, Default)]
pub(super) struct Waits(VecDeque<Answered>);

#[derive(Debug)]
struct Answered {
    at: Instant,
    waited: Duration,
    /// At which place they began to wait.
    position: u32,
}

impl Waits {
    pub(super) fn add(&mut self, at: Instant, waited: Duration, position: u32) {
        self.0.push_back(Answered { at, waited, position });
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The place of somebody who is `position`th now.
    pub(super) fn place(&self, now: Instant, position: u32) -> Place {
        let lately = self.0.iter().filter(|answered| now.saturating_duration_since(answered.at) <= LATELY);
        let (mut count, mut waited, mut places) = (0, Duration::ZERO, 0);
        for answered in lately {
            count += 1;
            waited += answered.waited;
            places += answered.position;
        }
        let secs = (count >= FEWEST && places > 0).then(|| (waited / places * position).as_secs());
        // Rounded up: a wait that turns out shorter disappoints nobody.
        let minutes = secs.map(|secs| u32::try_from(secs.div_ceil(60)).unwrap_or(u32::MAX).max(1));
        Place { position, minutes }
    }
}

/// A number as it is said; beyond ninety-nine a voice reads the digits.
fn in_words(number: u32) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    match usize::try_from(number).unwrap_or(usize::MAX) {
        small @ 0..20 => SMALL[small].to_owned(),
        tens @ 20..100 if tens % 10 == 0 => TENS[tens / 10 - 2].to_owned(),
        both @ 20..100 => format!("{}-{}", TENS[both / 10 - 2], SMALL[both % 10]),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, TestClock, UtcMs};

    fn place(position: u32, minutes: Option<u32>) -> Place {
        Place { position, minutes }
    }

    #[test]
    fn a_place_is_said_in_words() {
        assert_eq!(place(2, Some(3)).words(), "You are number two. The wait is about three minutes.");
        assert_eq!(place(1, Some(1)).words(), "You are number one. The wait is about one minute.");
        assert_eq!(place(21, None).words(), "You are number twenty-one.");
        assert_eq!(place(30, Some(120)).words(), "You are number thirty. The wait is about 120 minutes.");
    }

    #[test]
    fn the_wait_is_estimated_from_answered_ones_place_by_place() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut waits = Waits::default();
        waits.add(now, Duration::from_secs(60), 1);
        waits.add(now, Duration::from_secs(180), 2);
        assert_eq!(waits.place(now, 2), place(2, None), "two say little");
        waits.add(now, Duration::from_secs(210), 2);
        // 450 s over five places.
        assert_eq!(waits.place(now, 2), place(2, Some(3)));
        assert_eq!(waits.place(now + LATELY + Duration::from_secs(1), 2), place(2, None), "that was long ago");
    }

    #[test]
    fn nobody_is_told_a_worse_number_than_before() {
        assert_eq!(place(3, None).told_after(Some(place(2, None))), None, "overtaken: nothing is said");
        let (said, known) = place(2, Some(4)).told_after(Some(place(2, Some(3)))).expect("the place is no worse");
        assert_eq!((said, known), (place(2, None), place(2, Some(3))));
        let (said, known) = place(1, Some(1)).told_after(Some(place(2, Some(3)))).expect("better");
        assert_eq!((said, known), (place(1, Some(1)), place(1, Some(1))));
    }
}
