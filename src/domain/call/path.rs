//! The path of audio to an operator's browser, and when another is looked for: her network changed, her laptop moved
//! from one access point to the next, a router forgot the way.
//!
//! Decides only when; `engine/legs` asks media for the offer and signalling to carry it (an ICE restart, RFC 8445 §9,
//! in a re-INVITE). What always holds: one offer is under way at a time; nothing is looked for before a path was
//! there once; somebody who cannot be reached is not asked for ever, but is again as soon as they come back.

use std::time::{Duration, Instant};

/// How long an answer may take to lead to a path before another is offered.
const PATIENCE: Duration = Duration::from_secs(3);
/// When to try again after an offer that did not get through.
const REFUSED_WAIT: Duration = Duration::from_secs(1);
/// Offers for one loss, unless the browser comes back meanwhile. The call gives her up after 10 s.
const MAX_TRIES: u8 = 8;

/// What a path is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathInput {
    /// A path was found, or the browser is heard again.
    Up,
    /// Nothing is heard of the browser.
    Lost,
    /// The browser's telephone came back over another connection.
    Moved,
    /// It answered our offer.
    Answered,
    /// It refused our offer, or answered it with nothing, or the offer could not be made or did not reach it.
    Refused,
    /// The time of [`Path::poll_timeout`] has come.
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// None was there yet.
    New,
    Up,
    /// An offer is under way; `again`: over a connection that is gone.
    Offered {
        again: bool,
    },
    /// The offer was answered or refused, and no path is there yet.
    Waiting {
        until: Instant,
    },
    /// Nothing more is tried until the browser comes back by itself.
    Lost,
}

/// The path to one browser.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    state: State,
    tries: u8,
}

impl Default for Path {
    fn default() -> Self {
        Self { state: State::New, tries: 0 }
    }
}

impl Path {
    /// Takes in what happened. True: another path is to be offered now.
    #[must_use]
    pub fn handle(&mut self, now: Instant, input: PathInput) -> bool {
        match (self.state, input) {
            (State::New | State::Up | State::Waiting { .. } | State::Lost, PathInput::Up) => {
                *self = Self { state: State::Up, tries: 0 };
                false
            }
            (State::Up, PathInput::Lost) => self.offer(),
            (State::Up | State::Waiting { .. } | State::Lost, PathInput::Moved) => {
                self.tries = 0;
                self.offer()
            }
            (State::Offered { .. }, PathInput::Moved) => {
                self.state = State::Offered { again: true };
                self.tries = 0;
                false
            }
            (State::Offered { again: true }, PathInput::Answered | PathInput::Refused) => self.offer(),
            (State::Offered { .. }, PathInput::Answered) => self.wait(now + PATIENCE),
            (State::Offered { .. }, PathInput::Refused) => self.wait(now + REFUSED_WAIT),
            (State::Waiting { until }, PathInput::Tick) if until <= now => self.offer(),
            _ => false,
        }
    }

    /// When to come back with [`PathInput::Tick`].
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until } => Some(until),
            State::New | State::Up | State::Offered { .. } | State::Lost => None,
        }
    }

    fn offer(&mut self) -> bool {
        let more = self.tries < MAX_TRIES;
        self.tries = self.tries.saturating_add(1);
        self.state = if more { State::Offered { again: false } } else { State::Lost };
        more
    }

    fn wait(&mut self, until: Instant) -> bool {
        self.state = State::Waiting { until };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    struct Way {
        path: Path,
        clock: TestClock,
        offers: u32,
    }

    impl Way {
        /// A path that is up.
        fn up() -> Self {
            let mut way = Self { path: Path::default(), clock: TestClock::at(UtcMs(0)), offers: 0 };
            way.tell(PathInput::Up);
            way
        }

        fn tell(&mut self, input: PathInput) {
            self.offers += u32::from(self.path.handle(self.clock.instant(), input));
        }

        /// Time passes up to the next deadline; what was offered since.
        fn wait(&mut self) -> Option<Duration> {
            let now = self.clock.instant();
            let at = self.path.poll_timeout()?;
            self.clock.advance(at - now);
            self.tell(PathInput::Tick);
            Some(at - now)
        }
    }

    #[test]
    fn before_there_was_a_path_none_is_looked_for() {
        let mut way = Way { path: Path::default(), clock: TestClock::at(UtcMs(0)), offers: 0 };
        for input in [PathInput::Lost, PathInput::Moved, PathInput::Refused, PathInput::Answered, PathInput::Tick] {
            way.tell(input);
        }
        assert_eq!((way.offers, way.wait()), (0, None));
    }

    #[test]
    fn a_lost_browser_is_offered_another_path_once_and_again_if_none_comes_of_it() {
        let mut way = Way::up();
        way.tell(PathInput::Lost);
        way.tell(PathInput::Lost);
        assert_eq!(way.offers, 1);
        assert_eq!(way.wait(), None, "signalling tells how an offer ends");
        way.tell(PathInput::Answered);
        assert_eq!(way.wait(), Some(PATIENCE));
        assert_eq!(way.offers, 2);
        way.tell(PathInput::Answered);
        way.tell(PathInput::Up);
        assert_eq!((way.offers, way.wait()), (2, None));
        way.tell(PathInput::Lost);
        assert_eq!(way.offers, 3, "the next loss is looked after as the first was");
    }

    #[test]
    fn a_browser_that_comes_back_over_another_connection_is_offered_a_path_before_it_is_missed() {
        let mut way = Way::up();
        way.tell(PathInput::Moved);
        assert_eq!(way.offers, 1);
        way.tell(PathInput::Answered);
        way.tell(PathInput::Moved);
        assert_eq!(way.offers, 2, "at once, whatever was waited for");
    }

    #[test]
    fn an_offer_over_a_connection_that_is_gone_is_made_anew_over_the_next_one() {
        // Refused because its connection closed, and then the browser is back.
        let mut way = Way::up();
        way.tell(PathInput::Lost);
        way.tell(PathInput::Refused);
        assert_eq!(way.offers, 1);
        way.tell(PathInput::Moved);
        assert_eq!((way.offers, way.wait()), (2, None));
        // The other way round.
        let mut way = Way::up();
        way.tell(PathInput::Lost);
        way.tell(PathInput::Moved);
        assert_eq!(way.offers, 1, "one offer at a time");
        way.tell(PathInput::Refused);
        assert_eq!((way.offers, way.wait()), (2, None));
    }

    #[test]
    fn who_cannot_be_reached_is_asked_a_few_times_and_again_on_coming_back() {
        let mut way = Way::up();
        way.tell(PathInput::Lost);
        for _ in 0..20 {
            way.tell(PathInput::Refused);
            way.wait();
        }
        assert_eq!(way.offers, u32::from(MAX_TRIES));
        assert_eq!(way.wait(), None);
        way.tell(PathInput::Moved);
        assert_eq!(way.offers, u32::from(MAX_TRIES) + 1);
    }
}
