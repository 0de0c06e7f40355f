//! Client transaction of an INVITE (RFC 3261 §17.1.1, with Accepted of RFC 6026 §7.2).
//!
//! A refusal is acknowledged here, again for each copy of it; a 2xx is passed up each time, because its
//! ACK is the dialog's.

use std::time::{Duration, Instant};

use super::Effects;
use super::timer::{Backoff, GIVE_UP};

/// Timer C: how long it may ring. The owner of a call gives up long before.
const RING_LIMIT: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug)]
enum State {
    /// Timers A and B.
    Calling {
        again: Backoff,
        give_up_at: Instant,
    },
    Proceeding {
        give_up_at: Instant,
    },
    /// Timer D.
    Completed {
        forget_at: Instant,
    },
    /// Timer M: other 2xx, of other branches of the call, may follow.
    Accepted {
        forget_at: Instant,
    },
}

/// One INVITE of ours.
#[derive(Debug)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
    request: Vec<u8>,
    /// Nobody wants its answer any more.
    over: bool,
}

impl ClientInvite {
    pub fn new(now: Instant, reliable: bool, request: Vec<u8>) -> Self {
        // Timer A has no upper limit but timer B (§17.1.1.2).
        let state = State::Calling { again: Backoff::start(now, GIVE_UP), give_up_at: now + GIVE_UP };
        Self { state, reliable, request, over: false }
    }

    pub fn on_response(&mut self, now: Instant, status: u16) -> Effects {
        let deliver = Effects { deliver: true, ..Effects::default() };
        match (&self.state, status) {
            (State::Calling { give_up_at, .. }, 100..200) => {
                let give_up_at = if self.over { *give_up_at } else { now + RING_LIMIT };
                self.state = State::Proceeding { give_up_at };
                deliver
            }
            (State::Proceeding { .. }, 100..200) => deliver,
            (State::Calling { .. } | State::Proceeding { .. }, 200..300) => {
                self.state = State::Accepted { forget_at: now + GIVE_UP };
                deliver
            }
            (State::Calling { .. } | State::Proceeding { .. }, 300..) => {
                let linger = if self.reliable { Duration::ZERO } else { GIVE_UP };
                self.state = State::Completed { forget_at: now + linger };
                Effects { acknowledge: true, deliver: true, finished: self.reliable, ..Effects::default() }
            }
            (State::Completed { .. }, 300..) => Effects { acknowledge: true, ..Effects::default() },
            (State::Accepted { .. }, 200..300) => deliver,
            _ => Effects::default(),
        }
    }

    /// A provisional response came and no final one: CANCEL may be sent.
    pub const fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// No provisional response yet: a CANCEL has to wait for one.
    pub const fn is_calling(&self) -> bool {
        matches!(self.state, State::Calling { .. })
    }

    /// CANCEL was sent, or its call is over: RFC 3261 §9.1 gives the final response 64·T1 to come.
    pub fn on_cancel(&mut self, now: Instant) {
        self.over = true;
        if let State::Proceeding { give_up_at } = &mut self.state {
            *give_up_at = now + GIVE_UP;
        }
    }

    pub fn on_timeout(&mut self, now: Instant) -> Effects {
        match &mut self.state {
            State::Calling { give_up_at, .. } | State::Proceeding { give_up_at } if now >= *give_up_at => {
                Effects { timed_out: true, finished: true, ..Effects::default() }
            }
            State::Calling { again, .. } => {
                Effects { transmit: !self.reliable && again.fire(now), ..Effects::default() }
            }
            State::Proceeding { .. } => Effects::default(),
            State::Completed { forget_at } | State::Accepted { forget_at } => {
                Effects { finished: now >= *forget_at, ..Effects::default() }
            }
        }
    }

    pub fn deadline(&self) -> Instant {
        match self.state {
            State::Calling { again, give_up_at } if !self.reliable => again.at().min(give_up_at),
            State::Calling { give_up_at: at, .. }
            | State::Proceeding { give_up_at: at }
            | State::Completed { forget_at: at }
            | State::Accepted { forget_at: at } => at,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_whose_call_is_over_rings_no_longer_than_it_would_have_been_repeated() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut invite = ClientInvite::new(now, false, Vec::new());
        invite.on_cancel(now + Duration::from_secs(1));
        invite.on_response(now + Duration::from_secs(2), 100);
        assert_eq!(invite.deadline(), now + GIVE_UP);
        assert!(invite.on_timeout(now + GIVE_UP).finished);
    }
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn an_invite_is_sent_seven_times_and_given_up_after_64_t1() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut invite = ClientInvite::new(now, false, Vec::from(*b"INVITE"));
        let mut sent = 1;
        let ended = loop {
            let at = invite.deadline();
            let effects = invite.on_timeout(at);
            sent += usize::from(effects.transmit);
            if effects.finished {
                break at;
            }
        };
        assert_eq!((sent, ended - now), (7, GIVE_UP));
    }

    #[test]
    fn each_copy_of_a_refusal_is_acknowledged_and_only_the_first_passed_up() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut invite = ClientInvite::new(now, false, Vec::from(*b"INVITE"));
        assert!(invite.on_response(now, 180).deliver);
        let first = invite.on_response(now, 486);
        assert!(first.acknowledge && first.deliver);
        let second = invite.on_response(now, 486);
        assert!(second.acknowledge && !second.deliver);
    }
}
