//! A call that begins at our side: the caller was promised to be called back, and their turn has come.
//!
//! It waits in the queue like a caller, is offered to an operator, who takes it by a key, and only then is the caller
//! dialled. Once they answer it is a call like any other. What always holds: nobody is dialled without an operator
//! who hears it ring; whether the caller was reached is told with the end.

use std::time::{Duration, Instant};

use super::cause::Cause;
use super::errand::Errand;
use super::event::{OfferEnd, RecordEvent};
use super::leg::{LegInput, LegState};
use super::{Call, Operator, Output, Party, Phase};
use crate::base::id::UserId;
use crate::base::phone::PhoneNumber;

/// Whom to call back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingBack {
    pub number: PhoneNumber,
    /// How long their telephone is let ring.
    pub ring: Duration,
    pub errand: Errand,
    /// They are one of the account's people, not somebody who called it.
    pub to_contact: bool,
}

impl Call {
    /// The caller was not dialled yet.
    pub fn waits_to_ring_back(&self) -> bool {
        self.setup.ring_back.is_some() && self.caller.state == LegState::New
    }

    /// Nobody is to ring the caller any more; too late once an operator is there to do it.
    pub fn withdraw_ring_back(&mut self, now: Instant) {
        let waits = matches!(self.phase, Phase::Queued | Phase::Offered { .. });
        if self.waits_to_ring_back() && waits {
            self.now = now;
            self.end(Cause::Released);
            self.settle();
        }
    }

    /// Back to its place in the queue, if the operator has not pressed the key by now.
    pub(super) fn make_way(&mut self, user: &UserId) {
        let untaken = |o: &Operator| o.user == *user && o.leg.state == LegState::New;
        if matches!(self.phase, Phase::Offered { .. })
            && self.waits_to_ring_back()
            && self.operator.as_ref().is_some_and(untaken)
        {
            self.fail_offer(OfferEnd::Withdrawn);
        }
    }

    /// It waits for an operator from the start.
    pub(super) fn arrive_to_ring_back(&mut self) {
        self.record(RecordEvent::Arrived);
        if self.arrive_at_its_operator() {
            return;
        }
        self.record(RecordEvent::Queued);
        self.phase = Phase::Queued;
        self.outputs.push_back(Output::Enqueue { priority: self.priority, call_type: self.call_type.clone() });
    }

    /// The operator is there: now the caller is dialled.
    pub(super) fn ring_caller_back(&mut self, user: UserId) {
        let Some(RingBack { number, ring, .. }) = self.setup.ring_back.clone() else { return };
        self.fetched(&user);
        self.outputs.push_back(Output::OfferAccepted { user });
        self.record(RecordEvent::RingBackDialled { number: number.clone() });
        self.phase = Phase::RingingBack { until: self.now + ring };
        self.caller.state = LegState::Dialling;
        // A telephone's audio path is there as soon as both descriptions are.
        self.caller.media_up = true;
        self.outputs.push_back(Output::Dial { leg: self.caller.id, to: Party::Number(number) });
    }

    /// The caller's telephone, while it is dialled.
    pub(super) fn on_rung_caller(&mut self, event: LegInput) {
        if self.caller.advance(event)
            && let Some(user) = self.operator.as_ref().map(|o| o.user.clone())
        {
            self.handled = true;
            self.phase = Phase::Talking;
            self.record(RecordEvent::Talking { user });
            self.begin_recording();
            self.announce_after_greeting();
        }
        if let LegInput::Ended(why) = event {
            self.on_caller_gone(why);
        }
    }

    /// It rang for as long as it may.
    pub(super) fn give_up_ring_back(&mut self) {
        self.end(Cause::NoAnswer);
    }
}
