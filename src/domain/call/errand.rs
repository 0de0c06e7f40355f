//! A call that begins at our side, for what it is: a caller who was promised to be called back, a job of a dispatch's (for
//! whoever takes it, or made by hand by one operator), or an operator who dials out. All of them are dialled once the operator
//! is there ([`ring_back`](super::ring_back)).
//!
//! Does not know what the job is about. What always holds: nobody is done with a job before it is known what came of it, or
//! that nobody has to say; a job that is taken back is never dialled from then on, nor is anybody cut off who talks already;
//! and who dials out, or calls by hand, is the only one to whom the call comes.

use std::time::Duration;

use super::cause::Cause;
use super::event::RecordEvent;
use super::park::{Parked, Place};
use super::{Call, CommandError, OperatorCommand, Output, Phase};
use crate::base::id::UserId;

/// Why somebody is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    Promise,
    /// An operator has to say what came of it.
    Job,
    /// The same of a call that this operator makes by hand.
    JobOf(UserId),
    /// This operator wants to speak with them.
    Own(UserId),
}

impl Call {
    pub(super) fn is_job(&self) -> bool {
        matches!(self.errand(), Some(Errand::Job | Errand::JobOf(_)))
    }

    /// An operator's own, and not dialled yet.
    pub(super) fn waits_for_its_operator(&self) -> bool {
        matches!(self.errand(), Some(Errand::Own(_) | Errand::JobOf(_))) && self.waits_to_ring_back()
    }

    fn errand(&self) -> Option<&Errand> {
        self.setup.ring_back.as_ref().map(|back| &back.errand)
    }

    /// It goes to the operator who dials out, and to nobody else. False: to the queue, as any other.
    pub(super) fn arrive_at_its_operator(&mut self) -> bool {
        let Some(Errand::Own(user) | Errand::JobOf(user)) = self.errand().cloned() else { return false };
        let until = self.now + self.setup.ring + Duration::from_secs(1);
        let place = Place::Towards(user.clone());
        let (by, since) = (user.clone(), self.now);
        self.parked = Some(Parked { place, by, since, remind_at: until, return_at: until });
        self.phase = Phase::Parked;
        self.outputs.push_back(Output::Bring { user });
        true
    }

    /// The job is done elsewhere, or is no longer wanted.
    pub(super) fn on_stood_down(&mut self) {
        match self.phase {
            _ if !self.is_job() => {}
            // Parked is on its way to who makes it by hand.
            Phase::Queued | Phase::Offered { .. } | Phase::RingingBack { .. } | Phase::Parked if !self.handled => {
                self.record(RecordEvent::StoodDown);
                self.settle_job();
                self.end(Cause::Released);
            }
            Phase::Over if self.wrapping.is_some() && !self.handled => self.settle_job(),
            // They talk, or have talked: the operator will say what came of it. It may be the yes that everybody waits for, as a job
            // is taken back too where a colleague went on to the next step.
            _ => {}
        }
    }

    /// The operator gives the job back, for another.
    pub(super) fn on_given_back(&mut self) {
        if self.is_job() {
            self.settle_job();
            self.end(Cause::Released);
        }
    }

    /// What came of the job is known, or nobody has to say any more: whoever wraps up is done with it.
    pub(super) fn settle_job(&mut self) {
        if self.is_job() {
            self.settled = true;
            self.end_wrap_up(None);
        }
    }

    /// What does not go with a job: it has one operator, who has to say what came of it.
    pub(super) fn refuse_for_job(&self, command: &OperatorCommand) -> Result<(), CommandError> {
        let passes_on = matches!(
            command,
            OperatorCommand::Park { .. }
                | OperatorCommand::Pass { .. }
                | OperatorCommand::Ask { .. }
                | OperatorCommand::Patch { .. }
                | OperatorCommand::CheckIn { .. }
                | OperatorCommand::ChangeAccount(_)
        );
        if self.is_job() && passes_on { Err(CommandError::IsJob) } else { Ok(()) }
    }

    /// Nobody is done with a job of which nothing is known.
    pub(super) fn must_be_settled(&self) -> Result<(), CommandError> {
        if self.is_job() && !self.settled { Err(CommandError::OutcomeMissing) } else { Ok(()) }
    }
}
