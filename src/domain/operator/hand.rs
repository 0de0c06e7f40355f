//! The calls at one seat: on offer, up, or over but for their form.
//!
//! Decides nothing by itself; [`Seat`](super::Seat) does. What always holds: a call is here once, and one is on offer at
//! most.

use std::time::Instant;

use super::State;
use crate::base::id::CallId;

/// How a call stands at the seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Offered,
    Up,
    WrapUp,
}

#[derive(Debug)]
struct AtSeat {
    call: CallId,
    part: Part,
    /// Nothing is heard of the operator's phone in it; until then it may come back.
    silent_until: Option<Instant>,
    /// That phone hung up, and it is not known whether that was meant.
    hung_up: bool,
}

impl AtSeat {
    /// Its sound holds it up, console or not.
    fn is_kept(&self, now: Instant) -> bool {
        self.part == Part::Up && !self.hung_up && self.silent_until.is_none_or(|until| now < until)
    }
}

/// All calls of one operator.
#[derive(Debug)]
pub(super) struct Hand {
    calls: Vec<AtSeat>,
}

impl Hand {
    pub(super) const fn empty() -> Self {
        Self { calls: Vec::new() }
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &CallId> {
        self.calls.iter().map(|at| &at.call)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn is_offered(&self) -> bool {
        self.has(Part::Offered)
    }

    fn has(&self, part: Part) -> bool {
        self.calls.iter().any(|at| at.part == part)
    }

    /// What the seat does; nothing without a call.
    pub(super) fn state(&self) -> Option<State> {
        let states = [(Part::Up, State::Talking), (Part::Offered, State::Offered), (Part::WrapUp, State::WrapUp)];
        states.into_iter().find(|(part, _)| self.has(*part)).map(|(_, state)| state)
    }

    fn find(&mut self, call: &CallId) -> Option<&mut AtSeat> {
        self.calls.iter_mut().find(|at| at.call == *call)
    }

    /// The call is here, like this.
    pub(super) fn put(&mut self, call: CallId, part: Part) {
        match self.find(&call) {
            Some(at) => at.part = part,
            None => self.calls.push(AtSeat { call, part, silent_until: None, hung_up: false }),
        }
    }

    /// Takes a call away; true if it was here.
    pub(super) fn remove(&mut self, call: &CallId) -> bool {
        !self.take(|at| at.call == *call).is_empty()
    }

    pub(super) fn remove_offered(&mut self, call: &CallId) -> bool {
        !self.take(|at| at.call == *call && at.part == Part::Offered).is_empty()
    }

    /// Only the form is left.
    pub(super) fn free(&mut self, call: &CallId) {
        if let Some(at) = self.find(call) {
            (at.part, at.silent_until, at.hung_up) = (Part::WrapUp, None, false);
        }
    }

    /// Nothing is heard of the operator in the call, or again.
    pub(super) fn set_silent(&mut self, call: &CallId, until: Option<Instant>) {
        if let Some(at) = self.find(call) {
            at.silent_until = until.map(|until| at.silent_until.unwrap_or(until));
        }
    }

    pub(super) fn set_hung_up(&mut self, call: &CallId) {
        if let Some(at) = self.find(call) {
            at.hung_up = true;
        }
    }

    /// Calls that were hung up, which the console that lives on shows to have been meant.
    pub(super) fn meant(&mut self) -> impl Iterator<Item = CallId> {
        let hung_up = self.calls.iter_mut().filter(|at| at.hung_up);
        hung_up.map(|at| {
            at.hung_up = false;
            at.call.clone()
        })
    }

    /// When the first silence is too long.
    pub(super) fn silent_until(&self) -> Option<Instant> {
        self.calls.iter().filter(|at| at.part == Part::Up).filter_map(|at| at.silent_until).min()
    }

    /// True if there is a call that its sound holds up.
    pub(super) fn is_kept(&self, now: Instant) -> bool {
        self.calls.iter().any(|at| at.is_kept(now))
    }

    /// Takes away those that were silent for too long.
    pub(super) fn take_silent(&mut self, now: Instant) -> Vec<CallId> {
        self.take(|at| at.part == Part::Up && at.silent_until.is_some_and(|until| until <= now))
    }

    pub(super) fn take_hung_up(&mut self) -> Vec<CallId> {
        self.take(|at| at.hung_up)
    }

    pub(super) fn take_offered(&mut self) -> Vec<CallId> {
        self.take(|at| at.part == Part::Offered)
    }

    pub(super) fn take_all(&mut self) -> Vec<CallId> {
        self.take(|_| true)
    }

    fn take(&mut self, which: impl Fn(&AtSeat) -> bool) -> Vec<CallId> {
        self.calls.extract_if(.., |at| which(at)).map(|at| at.call).collect()
    }
}
