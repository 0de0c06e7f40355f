//! A [`Call`] at nobody's seat whose caller an operator has put somewhere: parked at a numbered slot, from where any
//! operator fetches them, or on the way to another operator.
//!
//! Does not choose the slot, and does not know whether a seat has room: `engine/calls` and the desk do. What always holds:
//! whoever parks or passes a caller on is free at once, so that their log-off changes nothing; a fetch that comes to
//! nothing leaves the caller parked; one who is parked for too long, or whom the other operator does not take, is at the
//! head of the queue.

use std::time::{Duration, Instant};

use super::bridge::LegId;
use super::cause::Cause;
use super::event::{OfferEnd, RecordEvent};
use super::leg::Leg;
use super::{Call, CommandError, Operator, Output, Phase};
use crate::base::id::UserId;

/// How long a caller may be parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParkTimes {
    /// After this the operators are reminded.
    pub remind: Duration,
    /// After this the caller is back in the queue.
    pub give_back: Duration,
}

impl Default for ParkTimes {
    fn default() -> Self {
        Self { remind: Duration::from_secs(60), give_back: Duration::from_secs(180) }
    }
}

/// Where a caller is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Slot(u32),
    /// On the way to that operator.
    Towards(UserId),
}

/// A caller at nobody's seat who is not in the queue.
#[derive(Clone, Debug)]
pub struct Parked {
    pub place: Place,
    pub by: UserId,
    pub since: Instant,
    pub remind_at: Instant,
    pub return_at: Instant,
}

impl Parked {
    /// The slot, if it is one.
    pub const fn slot(&self) -> Option<u32> {
        match self.place {
            Place::Slot(slot) => Some(slot),
            Place::Towards(_) => None,
        }
    }
}

/// What the operator who had the caller before tells the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub by: UserId,
    pub text: Option<String>,
}

impl Call {
    /// The caller who is parked, or on the way to another operator; also while being fetched.
    pub const fn parked(&self) -> Option<&Parked> {
        self.parked.as_ref()
    }

    /// What the operator before says, until the next has finished.
    pub const fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// An operator has talked with the caller: there may be a form that was begun.
    pub const fn was_taken(&self) -> bool {
        self.handled
    }

    pub(super) fn park(&mut self, slot: u32) {
        let Some(by) = self.operator.as_ref().map(|o| o.user.clone()) else { return };
        self.record(RecordEvent::Parked { user: by.clone(), slot });
        let times = self.setup.park;
        self.put(Place::Slot(slot), by, times.remind, times.give_back);
    }

    /// Gives the caller to another operator, or, to nobody by name, back to the head of the queue.
    pub(super) fn pass(&mut self, to: Option<UserId>, text: Option<String>) -> Result<(), CommandError> {
        let Some(by) = self.operator.as_ref().map(|o| o.user.clone()) else { return Err(CommandError::NotYours) };
        if to.as_ref() == Some(&by) {
            return Err(CommandError::NotNow);
        }
        self.record(RecordEvent::PassedOn { user: by.clone(), to: to.clone() });
        self.note = Some(Note { by: by.clone(), text });
        match to {
            Some(to) => {
                // The desk answers at once, by an offer or a refusal; should it not, the caller does not wait for ever.
                self.put(Place::Towards(to.clone()), by, self.setup.ring, self.setup.ring);
                self.outputs.push_back(Output::Pass { user: to });
            }
            None => {
                self.leave_seat();
                self.requeue();
            }
        }
        Ok(())
    }

    fn put(&mut self, place: Place, by: UserId, remind: Duration, give_back: Duration) {
        let now = self.now;
        self.parked = Some(Parked { place, by, since: now, remind_at: now + remind, return_at: now + give_back });
        self.phase = Phase::Parked;
        self.leave_seat();
    }

    /// The operator is free, and has no form to finish: that goes with the call.
    fn leave_seat(&mut self) {
        let Some(mut operator) = self.operator.take() else { return };
        if self.phase != Phase::Parked {
            self.phase = Phase::Queued;
        }
        // The caller hears music before anybody leaves.
        self.settle_bridge();
        self.release(&mut operator.leg);
        self.outputs.push_back(Output::WrappedUp { user: operator.user });
    }

    fn requeue(&mut self) {
        self.parked = None;
        if self.waits_for_its_operator() {
            return self.end(Cause::Released);
        }
        self.phase = Phase::Queued;
        self.record(RecordEvent::Requeued);
        self.outputs.push_back(Output::Requeue);
    }

    /// An operator fetches the caller. `ring`: their phone is rung at once; otherwise they take the call by a key.
    pub(super) fn on_fetch(&mut self, user: UserId, leg: LegId, ring: bool) {
        if self.bring_colleague(&user, leg) {
            return;
        }
        let expected = match self.parked.as_ref().map(|parked| &parked.place) {
            Some(Place::Slot(_)) => true,
            Some(Place::Towards(to)) => *to == user,
            None => false,
        };
        if self.phase != Phase::Parked || !expected {
            // Somebody else was faster, or the caller is gone.
            self.outputs.push_back(Output::OfferFailed { user, why: OfferEnd::Withdrawn });
            return;
        }
        self.record(RecordEvent::Offered { user: user.clone() });
        self.operator = Some(Operator { user, leg: Leg::new(leg), holds: false });
        self.phase = Phase::Offered { until: self.now + self.setup.ring };
        if ring {
            self.ring_operator();
        }
    }

    /// The seat on the way to which the caller is has no room.
    pub(super) fn on_pass_refused(&mut self, user: &UserId) {
        if self.colleague.as_ref().is_some_and(|c| c.user == *user && c.leg_id().is_none()) {
            self.colleague_gone(Cause::Unreachable);
        }
        let towards = |parked: &Parked| matches!(&parked.place, Place::Towards(to) if to == user);
        if self.phase == Phase::Parked && self.parked.as_ref().is_some_and(towards) {
            self.requeue();
        }
    }

    /// An offer to an operator came to nothing: the caller is where they were before.
    pub(super) fn back_from_offer(&mut self) {
        match self.parked.as_ref().map(Parked::slot) {
            None => self.phase = Phase::Queued,
            Some(Some(_)) => self.phase = Phase::Parked,
            Some(None) => self.requeue(),
        }
    }

    /// The operator who fetched the caller is there.
    pub(super) fn fetched(&mut self, user: &UserId) {
        if let Some(slot) = self.parked.take().and_then(|parked| parked.slot()) {
            self.record(RecordEvent::Fetched { user: user.clone(), slot });
        }
    }

    /// Since when too long, if the caller is parked and nobody fetches them just now.
    pub(super) fn parked_until(&self) -> Option<Instant> {
        self.parked.as_ref().filter(|_| self.phase == Phase::Parked).map(|parked| parked.return_at)
    }

    pub(super) fn give_back_parked(&mut self) {
        if self.parked_until().is_some_and(|until| until <= self.now) {
            if self.parked.as_ref().and_then(Parked::slot).is_some() {
                self.record(RecordEvent::ParkedTooLong);
            }
            self.requeue();
        }
    }
}
