//! What the dialogues with paging carriers have in common: what goes in, what comes out, and how the words of a page are
//! made to fit ([`parts`]).
//!
//! A dialogue (`snpp`, `tap`) is a machine over bytes and time: no socket, no clock. `io/deliver/pager` drives it over a
//! connection: it sends what is to be sent, hands in what comes, wakes it when it wants to be woken, and ends with its
//! [`Outcome`]. Always: exactly one outcome, and after it nothing but a farewell is sent.

pub mod parts;

use std::time::{Duration, Instant};

/// A page is over by then, counted from when its connection is there, whatever the carrier does.
pub const WITHIN: Duration = Duration::from_secs(40);

/// What happens to a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The connection is there.
    Connected,
    Bytes(&'a [u8]),
    /// The far end has closed it.
    Closed,
    /// It is time: [`Dialogue::poll_timeout`] said so.
    Due,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Send(Vec<u8>),
    /// The last of all.
    Done(Outcome),
}

/// Why a dialogue wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The carrier should have answered by then.
    Silence,
    /// Something is to be sent again.
    Again,
}

/// What became of a page. `why` is a short code, never a word of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier has it, all of it, and perhaps a name for it.
    Taken { reference: Option<String> },
    /// Never will it be taken so: no such pager, not such a message.
    Refused { why: String },
    /// Not taken, for now.
    Later { why: String },
    /// It may have been taken: the answer did not come, or could not be read.
    Unsure { why: String },
}

/// One page, being handed to a carrier.
pub trait Dialogue: Send {
    fn handle(&mut self, now: Instant, input: Input<'_>);
    fn poll_output(&mut self) -> Option<Output>;
    fn poll_timeout(&self) -> Option<(Instant, Reason)>;
    /// What the carrier said last, if it was a refusal of the page: its own words, as they came. None to a login.
    fn said(&self) -> Option<&str>;
}
