//! Server transaction of an INVITE (RFC 3261 §17.2.1, with Accepted of RFC 6026 §7.1).
//!
//! A 2xx is retransmitted by the dialog until its ACK comes (§13.3.1.4), not here; here a retransmitted
//! INVITE is merely absorbed after it.

use std::time::Instant;

use super::Effects;
use super::timer::{Backoff, GIVE_UP, T2, T4};

#[derive(Clone, Copy, Debug)]
enum State {
    Proceeding,
    /// A refusal was sent, its ACK is awaited. Timers G and H.
    Completed {
        again: Backoff,
        give_up_at: Instant,
    },
    /// A 2xx was sent. Timer L.
    Accepted {
        forget_at: Instant,
    },
    /// The ACK is there; late copies of it are absorbed. Timer I.
    Confirmed {
        forget_at: Instant,
    },
}

/// One INVITE being served.
#[derive(Debug)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
    response: Vec<u8>,
}

impl ServerInvite {
    pub const fn new(reliable: bool) -> Self {
        Self { state: State::Proceeding, reliable, response: Vec::new() }
    }

    /// The INVITE came again.
    pub fn on_request(&self) -> Effects {
        let again = matches!(self.state, State::Proceeding | State::Completed { .. });
        Effects { transmit: again && !self.response.is_empty(), ..Effects::default() }
    }

    /// No final response was given yet.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Proceeding)
    }

    /// The user agent answers. Only the first final response counts.
    pub fn on_response(&mut self, now: Instant, status: u16, bytes: Vec<u8>) -> Effects {
        if !self.is_open() {
            return Effects::default();
        }
        self.response = bytes;
        match status {
            100..200 => {}
            200..300 => self.state = State::Accepted { forget_at: now + GIVE_UP },
            _ => self.state = State::Completed { again: Backoff::start(now, T2), give_up_at: now + GIVE_UP },
        }
        Effects { transmit: true, ..Effects::default() }
    }

    /// An ACK with this transaction's key. One for a 2xx has a key of its own, except from RFC 2543.
    pub fn on_ack(&mut self, now: Instant) -> Effects {
        match self.state {
            State::Completed { .. } => {
                self.state = State::Confirmed { forget_at: if self.reliable { now } else { now + T4 } };
                Effects { finished: self.reliable, ..Effects::default() }
            }
            State::Accepted { .. } => Effects { deliver: true, ..Effects::default() },
            State::Proceeding | State::Confirmed { .. } => Effects::default(),
        }
    }

    /// The response is on its way. A 2xx is the dialog's to repeat, so it is not kept for the half minute in which copies
    /// of the INVITE are absorbed: after a busy half minute those are many.
    pub fn sent(&mut self) {
        if matches!(self.state, State::Accepted { .. }) {
            self.response = Vec::new();
        }
    }

    pub fn on_timeout(&mut self, now: Instant) -> Effects {
        let mut effects = Effects::default();
        match &mut self.state {
            State::Proceeding => {}
            State::Completed { again, give_up_at } => {
                effects.finished = now >= *give_up_at;
                effects.timed_out = effects.finished;
                effects.transmit = !self.reliable && !effects.finished && again.fire(now);
            }
            State::Accepted { forget_at } | State::Confirmed { forget_at } => effects.finished = now >= *forget_at,
        }
        effects
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Proceeding => None,
            State::Completed { again, give_up_at } if !self.reliable => Some(again.at().min(give_up_at)),
            State::Completed { give_up_at: at, .. }
            | State::Accepted { forget_at: at }
            | State::Confirmed { forget_at: at } => Some(at),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::clock::{Clock as _, TestClock, UtcMs};

    #[test]
    fn a_refusal_is_repeated_until_its_ack_or_64_t1() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut invite = ServerInvite::new(false);
        assert!(invite.on_response(now, 486, b"486".to_vec()).transmit);
        let mut sent = 0;
        let at = loop {
            let at = invite.deadline().expect("armed");
            let effects = invite.on_timeout(at);
            if effects.finished {
                break at;
            }
            sent += usize::from(effects.transmit);
        };
        // 0.5, 1.5, 3.5, 7.5, then every 4 s up to 31.5 s.
        assert_eq!((sent, at - now), (10, GIVE_UP));
    }

    #[test]
    fn the_ack_quiets_a_refusal_and_its_copies_are_absorbed() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut invite = ServerInvite::new(false);
        invite.on_response(now, 404, Vec::from(*b"404"));
        assert_eq!(invite.on_ack(now), Effects::default());
        assert!(!invite.on_timeout(now + Duration::from_secs(1)).transmit);
        assert_eq!(invite.on_ack(now), Effects::default());
        assert!(invite.on_timeout(now + T4).finished);
    }

    #[test]
    fn after_a_2xx_the_invite_is_absorbed_and_a_second_answer_ignored() {
        let now = TestClock::at(UtcMs(0)).instant();
        let mut invite = ServerInvite::new(false);
        invite.on_response(now, 180, Vec::from(*b"180"));
        assert!(invite.on_request().transmit);
        invite.on_response(now, 200, Vec::from(*b"200"));
        assert!(!invite.on_request().transmit);
        assert_eq!(invite.on_response(now, 487, Vec::from(*b"487")), Effects::default());
    }
}
