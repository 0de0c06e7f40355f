//! Client transaction of anything but INVITE (RFC 3261 §17.1.2).

use std::time::Instant;

use super::Effects;
use super::timer::{Backoff, GIVE_UP, T2, T4};

#[derive(Clone, Copy, Debug)]
enum State {
    /// Trying and Proceeding. Timers E and F.
    Waiting { again: Backoff, give_up_at: Instant },
    /// Timer K: late copies of the answer are absorbed.
    Completed { forget_at: Instant },
}

/// One request of ours.
#[derive(Debug)]
pub struct ClientTransaction {
    state: State,
    reliable: bool,
    request: Vec<u8>,
}

impl ClientTransaction {
    pub fn new(now: Instant, reliable: bool, request: Vec<u8>) -> Self {
        let state = State::Waiting { again: Backoff::start(now, T2), give_up_at: now + GIVE_UP };
        Self { state, reliable, request }
    }

    /// Less time for an answer than there usually is.
    pub fn give_up_by(&mut self, at: Instant) {
        if let State::Waiting { give_up_at, .. } = &mut self.state {
            *give_up_at = at.min(*give_up_at);
        }
    }

    pub fn on_response(&mut self, now: Instant, status: u16) -> Effects {
        match &mut self.state {
            State::Waiting { again, .. } if status < 200 => {
                again.settle();
                Effects { deliver: true, ..Effects::default() }
            }
            State::Waiting { .. } => {
                self.state = State::Completed { forget_at: if self.reliable { now } else { now + T4 } };
                Effects { deliver: true, finished: self.reliable, ..Effects::default() }
            }
            State::Completed { .. } => Effects::default(),
        }
    }

    pub fn on_timeout(&mut self, now: Instant) -> Effects {
        match &mut self.state {
            State::Waiting { give_up_at, .. } if now >= *give_up_at => {
                Effects { timed_out: true, finished: true, ..Effects::default() }
            }
            State::Waiting { again, .. } => {
                Effects { transmit: !self.reliable && again.fire(now), ..Effects::default() }
            }
            State::Completed { forget_at } => Effects { finished: now >= *forget_at, ..Effects::default() },
        }
    }

    pub fn deadline(&self) -> Instant {
        match self.state {
            State::Waiting { again, give_up_at } if !self.reliable => again.at().min(give_up_at),
            State::Waiting { give_up_at: at, .. } | State::Completed { forget_at: at } => at,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn a_request_is_repeated_with_growing_gaps_and_given_up_after_64_t1() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut bye = ClientTransaction::new(now, false, Vec::from(*b"BYE"));
        let mut sent = 0;
        let ended = loop {
            let at = bye.deadline();
            let effects = bye.on_timeout(at);
            sent += usize::from(effects.transmit);
            if effects.finished {
                assert!(effects.timed_out);
                break at;
            }
        };
        assert_eq!((sent, ended - now), (10, GIVE_UP));
    }

    #[test]
    fn over_a_stream_nothing_is_repeated() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut bye = ClientTransaction::new(now, true, Vec::from(*b"BYE"));
        assert_eq!(bye.deadline(), now + GIVE_UP);
        assert!(bye.on_response(now, 200).finished);
    }
}
