//! An operator sends the caller of a [`Call`] into the account's check-in: one of the client's people who wants to hear what
//! is held.
//!
//! By PIN as always, or as somebody for whom the operator vouches. What always holds: the operator is free but for the form;
//! who vouched for whom is on record before anything is read out; and who wants an operator after all is at the head of the
//! queue, not at its end.

use super::event::RecordEvent;
use super::{Call, CommandError, Output, Phase};
use crate::base::id::{ContactId, UserId};
use crate::domain::checkin::CheckIn;

impl Call {
    /// `vouched`: whom the operator knows the caller to be.
    pub(super) fn send_to_check_in(&mut self, by: &UserId, vouched: Option<ContactId>) -> Result<(), CommandError> {
        if self.caller_gone || !self.caller.is_up() {
            return Err(CommandError::CallerGone);
        }
        // The words about a recording, say: they are not said over, and nobody waits for their end.
        self.stop_play();
        self.record(RecordEvent::SentToCheckIn { user: by.clone(), vouched: vouched.clone() });
        self.record(RecordEvent::CheckInBegun);
        self.check_in = Some(match vouched {
            Some(contact) => CheckIn::vouched(self.now, contact),
            None => CheckIn::new(self.now),
        });
        self.phase = Phase::CheckIn;
        // What is pressed from now on is heard by nobody, before anybody leaves.
        let operator = self.operator.take();
        self.settle_keys();
        self.settle_bridge();
        self.operator = operator;
        self.free_operator();
        self.follow_check_in();
        Ok(())
    }

    /// Whom an operator has sent is back at the head of the queue. False: they came by themselves.
    pub(super) fn back_from_check_in(&mut self) -> bool {
        if !self.handled {
            return false;
        }
        // Whoever finishes the form of it is free, and may be the one to come.
        self.end_wrap_up(None);
        self.phase = Phase::Queued;
        self.record(RecordEvent::Requeued);
        self.outputs.push_back(Output::Requeue);
        true
    }
}
