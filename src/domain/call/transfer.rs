//! Transfers from an operator's desk phone: blind, or attended by a second call of that phone's.
//!
//! A transfer is a patch that the phone asks for, and so goes by the patch's rules. Blind: the contact is dialled and
//! joined with the caller as soon as they answer, the operator out of it. Attended: the phone calls the contact by a
//! second leg, which is answered when the contact answers; then it has the two joined. Does not choose whom to dial and
//! passes no transfer on: the caller's leg stays ours.
//!
//! What always holds: each transfer that was begun gets one last word ([`TransferProgress::Done`] or `Failed`); one that
//! fails gives the caller back to the operator, or to the head of the queue if the operator has hung up meanwhile; a
//! second leg that was taken in is let go exactly once ([`Output::HangUp`] or [`Output::Refuse`]).

use std::time::{Duration, Instant};

use super::bridge::LegId;
use super::cause::Cause;
use super::event::RecordEvent;
use super::leg::{Leg, LegInput, LegState};
use super::patch::PatchState;
use super::{Call, CommandError, Output, Phase};
use crate::base::id::UserId;
use crate::base::phone::PhoneNumber;

/// How a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferProgress {
    /// We have set about it.
    Begun,
    /// The contact is being alerted.
    Ringing,
    /// Caller and contact are joined.
    Done,
    Failed(Cause),
}

/// A number that an operator's desk phone has us dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of the contact's leg, to be made.
    pub leg: LegId,
    pub number: PhoneNumber,
    pub ring: Duration,
}

/// Whom a caller is to be transferred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferTo {
    Number(Wanted),
    /// Whom the same phone's other leg is with.
    Consulted(LegId),
}

impl Call {
    /// The desk phone of the call's operator has made a second call, `leg`, which rings there: the contact is dialled.
    /// Nothing changes when that does not go.
    pub fn consult(&mut self, now: Instant, by: &UserId, leg: LegId, to: Wanted) -> Result<(), CommandError> {
        self.now = now;
        if self.operator.as_ref().is_none_or(|o| o.user != *by) {
            return Err(CommandError::NotYours);
        }
        if self.is_job() {
            return Err(CommandError::IsJob);
        }
        if !matches!(self.phase, Phase::Talking | Phase::Held) {
            return Err(CommandError::NotNow);
        }
        self.start_patch(to.leg, to.number, None, to.ring);
        if let Some(patch) = &mut self.patch {
            let mut consult = Leg::new(leg);
            consult.state = LegState::Dialling;
            consult.media_up = true;
            patch.consult = Some(consult);
        }
        self.settle();
        Ok(())
    }

    /// The operator's desk phone asks, by `asked`, for the caller to be transferred. Nothing changes when that does not
    /// go.
    pub fn transfer(&mut self, now: Instant, asked: LegId, to: TransferTo) -> Result<(), CommandError> {
        self.now = now;
        let first = self.operator.as_ref().map(|o| o.leg.id);
        let second = self.consult_leg();
        if first != Some(asked) && second != Some(asked) {
            return Err(CommandError::NotYours);
        }
        if self.caller_gone {
            return Err(CommandError::CallerGone);
        }
        if self.is_job() {
            return Err(CommandError::IsJob);
        }
        match to {
            TransferTo::Number(to) if first == Some(asked) && matches!(self.phase, Phase::Talking | Phase::Held) => {
                self.record(RecordEvent::TransferAsked { attended: false });
                self.start_patch(to.leg, to.number, None, to.ring);
                self.begin_transfer(asked);
            }
            TransferTo::Consulted(other)
                if second.is_some()
                    && !self.is_transferring()
                    && asked != other
                    && (first == Some(other) || second == Some(other)) =>
            {
                self.record(RecordEvent::TransferAsked { attended: true });
                self.begin_transfer(asked);
                if matches!(self.patch_state(), Some(PatchState::Private | PatchState::Joined)) {
                    self.connect_transfer();
                }
            }
            TransferTo::Number(_) | TransferTo::Consulted(_) => return Err(CommandError::NotNow),
        }
        self.settle();
        Ok(())
    }

    /// The caller is on the way to a contact without the operator.
    pub(super) fn is_transferring(&self) -> bool {
        self.patch.as_ref().is_some_and(|p| p.transfer.is_some())
    }

    pub(super) fn consult_leg(&self) -> Option<LegId> {
        self.patch.as_ref().and_then(|p| p.consult.as_ref()).map(|leg| leg.id)
    }

    fn begin_transfer(&mut self, asked: LegId) {
        if let Some(patch) = &mut self.patch {
            patch.transfer = Some(asked);
        }
        self.tell_transfer(TransferProgress::Begun);
    }

    pub(super) fn tell_transfer(&mut self, progress: TransferProgress) {
        if let Some(leg) = self.patch.as_ref().and_then(|p| p.transfer) {
            self.outputs.push_back(Output::Transfer { leg, progress });
        }
    }

    /// The contact is on the line: joined with the caller if that is what was asked for; else the phone that called is
    /// answered.
    pub(super) fn connect_transfer(&mut self) {
        let Some(patch) = &mut self.patch else { return };
        if patch.transfer.is_none() {
            if let Some(consult) = &mut patch.consult {
                consult.state = LegState::Ringing;
                let leg = consult.id;
                self.outputs.push_back(Output::PickUp { leg });
            }
            return;
        }
        if self.joined.is_none() || patch.state != PatchState::Joined {
            self.joined = Some(patch.contact.clone());
            // By the second leg the operator has spoken with whoever answered, if it was answered then.
            if patch.consult.as_ref().is_none_or(|consult| !consult.is_up()) {
                self.record(RecordEvent::PatchUnannounced);
            }
            self.record(RecordEvent::PatchJoined);
        }
        self.tell_transfer(TransferProgress::Done);
        // From here on it is a patch like any other, to which `*` may bring an operator.
        if let Some(patch) = &mut self.patch {
            patch.transfer = None;
        }
        self.drop_operator();
    }

    /// It came to nothing, if there was one; the second leg is let go.
    pub(super) fn end_transfer(&mut self, why: Cause) {
        if self.is_transferring() {
            self.tell_transfer(TransferProgress::Failed(why));
        }
        let Some(patch) = &mut self.patch else { return };
        patch.transfer = None;
        let Some(mut consult) = patch.consult.take() else { return };
        let (leg, unanswered) = (consult.id, consult.state == LegState::Dialling);
        if consult.release() {
            self.outputs.push_back(if unanswered { Output::Refuse { leg, why } } else { Output::HangUp { leg } });
        }
    }

    /// The operator's second leg.
    pub(super) fn on_consult(&mut self, event: LegInput) {
        let Some(patch) = &mut self.patch else { return };
        let state = patch.state;
        let Some(consult) = &mut patch.consult else { return };
        consult.advance(event);
        if !matches!(event, LegInput::Ended(_)) {
            return;
        }
        let mut consult = patch.consult.take();
        if let Some(consult) = &mut consult {
            self.release(consult);
        }
        if !self.is_transferring() && matches!(state, PatchState::Dialling | PatchState::Ringing | PatchState::Private)
        {
            self.record(RecordEvent::PatchCancelled);
            self.give_back_caller(Cause::Released);
        }
    }

    /// The operator's phone holds the caller, or takes the caller back: the caller hears music meanwhile.
    pub(super) fn on_phone_holds(&mut self, hold: bool) {
        let Some(operator) = &mut self.operator else { return };
        operator.holds = hold;
        match (self.phase, hold) {
            (Phase::Talking, true) => {
                self.record(RecordEvent::Held);
                self.phase = Phase::Held;
            }
            (Phase::Held, false) => {
                self.record(RecordEvent::Retrieved);
                self.phase = Phase::Talking;
            }
            _ => {}
        }
    }

    /// After a patch: the caller is with the operator again, as the operator's phone has it; without an operator, at
    /// the head of the queue.
    pub(super) fn back_to_operator(&mut self) {
        match &self.operator {
            Some(operator) => self.phase = self.phase_with_operator(operator.holds),
            None => {
                self.end_wrap_up(None);
                self.phase = Phase::Queued;
                self.record(RecordEvent::Requeued);
                self.outputs.push_back(Output::Requeue);
            }
        }
    }
}
