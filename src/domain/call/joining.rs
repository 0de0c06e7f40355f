//! Two calls of one operator's that become one: the caller of the other is this [`Call`]'s contact, to be announced, joined and
//! left to the caller as if they had been dialled.
//!
//! Each call does its half, and knows nothing of the other but its name; `engine/calls/joining` has them do it in turn. What
//! always holds: a caller who is taken in is private with the operator first, so that the two hear each other by her word
//! alone; one who is given away is not hung up, and their call is over by that; and nobody who called us is hung up on by the key
//! that gives up a telephone which we ring.

use std::time::{Duration, Instant};

use super::bridge::LegId;
use super::cause::Cause;
use super::event::RecordEvent;
use super::leg::{Leg, LegState};
use super::patch::PatchState;
use super::{Call, CommandError, Phase};
use crate::base::id::{CallId, ContactId, UserId};
use crate::base::phone::PhoneNumber;

/// The caller of another call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Which is up.
    pub leg: LegId,
    pub number: PhoneNumber,
    /// Who they are, if that is known.
    pub contact: Option<ContactId>,
    /// In which they called.
    pub call: CallId,
}

impl Call {
    /// Takes the caller of another call in as the contact. Nothing changes when that does not go.
    pub fn take_in(&mut self, now: Instant, by: &UserId, other: Joining) -> Result<(), CommandError> {
        self.now = now;
        self.may_be_joined(by)?;
        self.stop_own_phrase();
        let Joining { leg, number, contact, call } = other;
        self.record(RecordEvent::CallTakenIn { call: call.clone(), contact: contact.clone(), number: number.clone() });
        let mut leg = Leg::new(leg);
        (leg.state, leg.answered, leg.media_up) = (LegState::Up, true, true);
        self.begin_patch(leg, number, contact, Duration::ZERO);
        if let Some(patch) = &mut self.patch {
            patch.came_from = Some(call);
        }
        self.set_patch_state(PatchState::Private);
        self.record(RecordEvent::PatchAnswered);
        self.settle();
        Ok(())
    }

    /// The leg of the caller, if they can be given to another call of this operator's.
    pub fn may_give_away(&self, by: &UserId) -> Result<LegId, CommandError> {
        self.may_be_joined(by)?;
        if self.caller.is_up() { Ok(self.caller.id) } else { Err(CommandError::NotNow) }
    }

    /// The caller goes on in another call: this one is over, and whoever drives it hands the leg on. Nothing changes when that
    /// does not go.
    pub fn give_away(&mut self, now: Instant, by: &UserId, to: CallId) -> Result<LegId, CommandError> {
        self.now = now;
        let leg = self.may_give_away(by)?;
        self.record(RecordEvent::GivenTo { user: by.clone(), call: to });
        // Before the end, which would hang them up.
        self.caller.state = LegState::Released;
        self.end(Cause::Released);
        self.settle();
        Ok(leg)
    }

    /// The contact is the caller of another call.
    pub(super) fn contact_called(&self) -> bool {
        self.patch.as_ref().is_some_and(|patch| patch.came_from.is_some())
    }

    /// Back to the caller: whoever called us waits with music, as they did in their own call.
    pub(super) fn back_from_joined(&mut self) -> Result<(), CommandError> {
        if self.patch_state() == Some(PatchState::Held) {
            return Err(CommandError::ContactCalled);
        }
        self.hold_contact()
    }

    /// The operator hangs up on a contact who had called, and means it.
    pub(super) fn let_contact_go(&mut self) -> Result<(), CommandError> {
        if !self.contact_called() || self.colleague.is_some() || self.patch_state() == Some(PatchState::Dropped) {
            return Err(CommandError::NotNow);
        }
        self.record(RecordEvent::PatchCancelled);
        self.give_back_caller(Cause::Released);
        Ok(())
    }

    fn may_be_joined(&self, by: &UserId) -> Result<(), CommandError> {
        if self.operator.as_ref().is_none_or(|operator| operator.user != *by) {
            return Err(CommandError::NotYours);
        }
        if self.is_job() {
            return Err(CommandError::IsJob);
        }
        if self.caller_gone {
            return Err(CommandError::CallerGone);
        }
        // A phone that holds has to take back first: from here, its operator would hear nobody.
        let holds = self.operator.as_ref().is_some_and(|operator| operator.holds);
        if holds || !matches!(self.phase, Phase::Talking | Phase::Held) {
            return Err(CommandError::NotNow);
        }
        Ok(())
    }
}
