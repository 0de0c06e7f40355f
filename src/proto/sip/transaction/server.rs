//! Server transaction of anything but INVITE (RFC 3261 §17.2.2).

use std::time::Instant;

use super::Effects;
use super::timer::GIVE_UP;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Completed { forget_at: Instant },
}

/// One request being served.
#[derive(Debug)]
pub struct ServerTransaction {
    state: State,
    reliable: bool,
    response: Vec<u8>,
}

impl ServerTransaction {
    pub const fn new(reliable: bool) -> Self {
        Self { state: State::Trying, reliable, response: Vec::new() }
    }

    /// The request came again.
    pub fn on_request(&self) -> Effects {
        Effects { transmit: !self.response.is_empty(), ..Effects::default() }
    }

    /// The user agent answers. Only the first final response counts.
    pub fn on_response(&mut self, now: Instant, bytes: Vec<u8>) -> Effects {
        if self.state != State::Trying {
            return Effects::default();
        }
        self.response = bytes;
        // Timer J: 64·T1 for datagrams, 0 for streams.
        self.state = State::Completed { forget_at: if self.reliable { now } else { now + GIVE_UP } };
        Effects { transmit: true, finished: self.reliable, ..Effects::default() }
    }

    pub fn on_timeout(&self, now: Instant) -> Effects {
        let finished = matches!(self.state, State::Completed { forget_at } if now >= forget_at);
        Effects { finished, ..Effects::default() }
    }

    pub const fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Trying => None,
            State::Completed { forget_at } => Some(forget_at),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.response
    }
}
