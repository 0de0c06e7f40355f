//! A supervisor moves a [`Call`] away from its operator: to the head of the queue, or to another operator.
//!
//! Does not say who may, nor whether the other is free. What always holds: the caller keeps their place and the form its
//! words, as both are the call's and not the seat's; the operator it is taken from has no form left to finish. A job is not moved.

use std::time::Instant;

use super::event::RecordEvent;
use super::{Call, CommandError, Operator, Output, Phase};
use crate::base::id::UserId;

impl Call {
    /// Takes the call from its operator. `to`: who is to have it; none, whoever the queue picks. Nothing changes when that
    /// does not go.
    pub fn move_on(&mut self, now: Instant, by: &UserId, to: Option<UserId>) -> Result<(), CommandError> {
        self.now = now;
        if !matches!(self.phase, Phase::Talking | Phase::Held) {
            return Err(CommandError::NotNow);
        }
        // The lock on a job is its operator's, who has to say what came of it.
        if self.is_job() {
            return Err(CommandError::IsJob);
        }
        let elsewhere = |o: &Operator| to.as_ref() != Some(&o.user);
        let Some(mut operator) = self.operator.take_if(|o| elsewhere(o)) else { return Err(CommandError::NotNow) };
        let from = operator.user.clone();
        self.phase = Phase::Queued;
        self.record(RecordEvent::Moved { by: by.clone(), from: from.clone(), to: to.clone() });
        self.record(RecordEvent::Requeued);
        // The caller hears music before the leg goes.
        self.settle_bridge();
        self.release(&mut operator.leg);
        // Into the queue first: else the seat that is free again would be the one to be offered it.
        self.outputs.push_back(match to {
            Some(user) => Output::Hand { user },
            None => Output::Requeue,
        });
        self.outputs.push_back(Output::WrappedUp { user: from });
        self.settle();
        Ok(())
    }
}
