//! Reliable provisional responses (RFC 3262): RAck and RSeq read, and the sender's side of them, one
//! response at a time, each repeated until its PRACK. Built and sent by the agent (`agent/prack`). Pure.

use std::collections::VecDeque;
use std::time::Instant;

use super::message::Headers;
use super::transaction::timer::{Backoff, GIVE_UP};
use super::words::Flow;

/// Provisional responses that can wait for the one before them.
const MAX_QUEUE: usize = 8;

/// What a PRACK acknowledges: `RSeq CSeq-number method`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    pub rseq: u32,
    pub cseq: u32,
    pub method: String,
}

impl RAck {
    pub fn of(headers: &Headers) -> Option<Self> {
        let mut words = headers.first("RAck")?.split_ascii_whitespace();
        let (rseq, cseq, method) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?);
        words.next().is_none().then(|| Self { rseq, cseq, method: method.to_owned() })
    }
}

/// The number of a provisional response that wants a PRACK.
pub fn rseq_of(headers: &Headers) -> Option<u32> {
    let required = headers.elements("Require").any(|tag| tag.eq_ignore_ascii_case("100rel"));
    headers.first("RSeq")?.trim().parse().ok().filter(|n| required && *n > 0)
}

/// A provisional response on its way.
#[derive(Debug)]
struct Outstanding {
    rseq: u32,
    cseq: u32,
    flow: Flow,
    bytes: Vec<u8>,
    describes: bool,
    /// Until a final response was sent (§3).
    again: Option<(Backoff, Instant)>,
}

/// What time makes of a response that waits for its PRACK.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Repeat(Flow, Vec<u8>),
    /// 64·T1 went by.
    GiveUp,
}

/// Provisional responses to one INVITE, sent reliably.
#[derive(Debug)]
pub struct ReliableSender {
    next: u32,
    outstanding: Option<Outstanding>,
    /// Status and description.
    queue: VecDeque<(u16, Option<Vec<u8>>)>,
}

impl ReliableSender {
    /// §3: the first number is chosen at random from 1 to 2^31 - 1.
    pub const fn new(first: u32) -> Self {
        Self { next: first, outstanding: None, queue: VecDeque::new() }
    }

    /// True if another may be sent now; else it is kept for later. What is too much is left out: only the
    /// last of them matter to somebody who listens to a telephone ring.
    pub fn may_send(&mut self, status: u16, sdp: Option<&Vec<u8>>) -> bool {
        if self.outstanding.is_none() {
            return true;
        }
        if self.queue.len() < MAX_QUEUE {
            self.queue.push_back((status, sdp.cloned()));
        }
        false
    }

    /// The number of the next one.
    pub const fn rseq(&self) -> u32 {
        self.next
    }

    pub fn sent(&mut self, now: Instant, cseq: u32, flow: Flow, bytes: Vec<u8>, describes: bool) {
        let again = Some((Backoff::start(now, GIVE_UP), now + GIVE_UP));
        self.outstanding = Some(Outstanding { rseq: self.next, cseq, flow, bytes, describes, again });
        self.next += 1;
    }

    /// A PRACK came: true if it acknowledges what is on its way.
    pub fn is_acknowledged(&self, rack: &RAck) -> bool {
        self.outstanding.as_ref().is_some_and(|o| o.rseq == rack.rseq && o.cseq == rack.cseq && rack.method == "INVITE")
    }

    /// Done with what was on its way; the next one that waited.
    pub fn take_next(&mut self) -> Option<(u16, Option<Vec<u8>>)> {
        self.outstanding = None;
        self.queue.pop_front()
    }

    /// §3: no 2xx before a description that went reliably has arrived.
    pub fn holds_back_answer(&self) -> bool {
        self.outstanding.as_ref().is_some_and(|o| o.describes)
    }

    /// What is repeated goes this way from now on.
    pub const fn move_to(&mut self, flow: Flow) {
        if let Some(outstanding) = &mut self.outstanding {
            outstanding.flow = flow;
        }
    }

    /// A final response was sent: nothing is repeated, a late PRACK still finds its response.
    pub fn settle(&mut self) {
        self.queue.clear();
        if let Some(outstanding) = &mut self.outstanding {
            outstanding.again = None;
        }
    }

    pub fn fire(&mut self, now: Instant) -> Due {
        let Some(Outstanding { again: Some((again, give_up_at)), flow, bytes, .. }) = &mut self.outstanding else {
            return Due::Nothing;
        };
        if now >= *give_up_at {
            Due::GiveUp
        } else if again.fire(now) {
            Due::Repeat(*flow, bytes.clone())
        } else {
            Due::Nothing
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        let (again, give_up_at) = self.outstanding.as_ref()?.again?;
        Some(again.at().min(give_up_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rack_and_rseq_are_read_and_nonsense_is_not() {
        let with = |name: &str, value: &str| {
            let mut headers = Headers::default();
            headers.push("Require", "timer, 100REL");
            headers.push(name, value);
            headers
        };
        let rack = RAck { rseq: 988_789, cseq: 8_234, method: "INVITE".to_owned() };
        assert_eq!(RAck::of(&with("RAck", "988789  8234 INVITE")), Some(rack));
        for text in ["1 2", "1 2 INVITE x", "x 2 INVITE", "4294967296 1 INVITE", ""] {
            assert_eq!(RAck::of(&with("RAck", text)), None, "{text}");
        }
        assert_eq!(rseq_of(&with("RSeq", " 7 ")), Some(7));
        assert_eq!(rseq_of(&with("RSeq", "0")), None);
        let mut unasked = Headers::default();
        unasked.push("RSeq", "7");
        assert_eq!(rseq_of(&unasked), None);
    }
}
