//! The operator of a [`Call`] asks another operator, and may hand the caller over: an attended transfer inside the house.
//!
//! The caller hears music while the two talk. Does not know whether the other has room: the desk does, and brings them or
//! refuses. What always holds: the caller never hears what the two say; a colleague who is there gets the caller when the
//! operator hands over, hangs up or is lost; one who is not, or who leaves, gives the caller back at once; whoever was
//! brought is told the end of it once.

use std::time::Instant;

use super::bridge::{HearMatrix, LegId, Source};
use super::cause::Cause;
use super::event::{OfferEnd, RecordEvent};
use super::leg::{Leg, LegInput, LegState};
use super::{Call, CommandError, Operator, Output, Party};
use crate::base::id::UserId;

/// Another operator who is asked.
#[derive(Clone, Debug)]
pub struct Colleague {
    pub user: UserId,
    /// Once the desk has brought them.
    leg: Option<Leg>,
    until: Instant,
    pub since: Instant,
    /// Part of what is said, not only asked.
    pub joined: bool,
}

impl Colleague {
    /// True once the two can talk.
    pub fn is_up(&self) -> bool {
        self.leg.as_ref().is_some_and(Leg::is_up)
    }

    pub(super) fn leg_id(&self) -> Option<LegId> {
        self.leg.as_ref().map(|leg| leg.id)
    }
}

impl Call {
    /// The operator who is asked.
    pub const fn colleague(&self) -> Option<&Colleague> {
        self.colleague.as_ref()
    }

    pub(super) fn ask_colleague(&mut self, user: UserId) -> Result<(), CommandError> {
        if self.operator.as_ref().is_none_or(|o| o.user == user) {
            return Err(CommandError::NotNow);
        }
        self.record(RecordEvent::ColleagueAsked { user: user.clone() });
        let until = self.now + self.setup.ring;
        self.colleague = Some(Colleague { user: user.clone(), leg: None, until, since: self.now, joined: false });
        self.phase = self.phase_with_operator(false);
        self.outputs.push_back(Output::Pass { user });
        Ok(())
    }

    /// The desk brings the colleague. True if it is the one who was asked.
    pub(super) fn bring_colleague(&mut self, user: &UserId, leg: LegId) -> bool {
        let asked = |c: &&mut Colleague| c.user == *user && c.leg.is_none();
        let Some(colleague) = self.colleague.as_mut().filter(asked) else { return false };
        let mut rung = Leg::new(leg);
        rung.state = LegState::Dialling;
        colleague.leg = Some(rung);
        self.outputs.push_back(Output::Dial { leg, to: Party::Operator(user.clone()) });
        true
    }

    pub(super) fn on_colleague(&mut self, event: LegInput) {
        let Some(colleague) = &mut self.colleague else { return };
        let Some(leg) = &mut colleague.leg else { return };
        let was_silent = leg.silent;
        let came_up = leg.advance(event);
        let (user, silent, is_up) = (colleague.user.clone(), leg.silent, leg.is_up());
        if came_up {
            colleague.since = self.now;
            self.record(RecordEvent::ColleagueThere { user: user.clone() });
            self.outputs.push_back(Output::ColleagueThere { user });
            return;
        }
        match event {
            LegInput::Ended(why) => self.colleague_gone(why),
            _ if is_up && silent != was_silent => self.outputs.push_back(Output::OperatorSilent { user, silent }),
            _ => {}
        }
    }

    /// The colleague cannot be had, or has left: the caller is with the operator again.
    pub(super) fn colleague_gone(&mut self, why: Cause) {
        let Some(user) = self.colleague.as_ref().map(|c| c.user.clone()) else { return };
        self.record(RecordEvent::ColleagueGone { user, why });
        self.let_colleague_go(if why == Cause::NoAnswer { OfferEnd::Missed } else { OfferEnd::PhoneFailed });
        self.back_to_operator();
    }

    /// Back to the caller, by the operator's wish.
    pub(super) fn leave_colleague(&mut self) {
        self.let_colleague_go(OfferEnd::Withdrawn);
        self.back_to_operator();
    }

    /// The colleague is out of the call, if there was one.
    pub(super) fn let_colleague_go(&mut self, why: OfferEnd) {
        let Some(colleague) = self.colleague.take() else { return };
        let user = colleague.user;
        // Whom the desk has not brought yet, it is told of when it does.
        let Some(mut leg) = colleague.leg else { return };
        let was_up = leg.is_up();
        self.release(&mut leg);
        self.outputs.push_back(if was_up { Output::WrappedUp { user } } else { Output::OfferFailed { user, why } });
    }

    /// The caller is the colleague's from now on, and the form with them.
    pub(super) fn hand_over(&mut self) -> Result<(), CommandError> {
        if !self.colleague.as_ref().is_some_and(Colleague::is_up) {
            return Err(CommandError::NotNow);
        }
        let Some(mut operator) = self.operator.take() else { return Err(CommandError::NotYours) };
        self.promote_colleague(&operator.user);
        // The caller has the colleague before the operator leaves.
        self.settle_bridge();
        self.release(&mut operator.leg);
        self.outputs.push_back(Output::WrappedUp { user: operator.user });
        Ok(())
    }

    /// A colleague who is there takes the place of the operator, who is out of the call. True if so.
    pub(super) fn promote_colleague(&mut self, from: &UserId) -> bool {
        let Some(colleague) = self.colleague.take_if(|c| c.is_up()) else { return false };
        let Some(leg) = colleague.leg else { return false };
        let user = colleague.user;
        self.record(RecordEvent::HandedOver { from: from.clone(), to: user.clone() });
        self.record(RecordEvent::Talking { user: user.clone() });
        self.operator = Some(Operator { user: user.clone(), leg, holds: false });
        self.phase = self.phase_with_operator(false);
        self.outputs.push_back(Output::OfferAccepted { user });
        true
    }

    pub(super) fn colleague_until(&self) -> Option<Instant> {
        self.colleague.as_ref().filter(|c| !c.is_up()).map(|c| c.until)
    }

    /// Operator and colleague hear each other; the caller hears music, unless the colleague has joined.
    pub(super) fn consult_matrix(&self, caller: Option<LegId>, operator: Option<LegId>) -> HearMatrix {
        let colleague = self.colleague.as_ref().filter(|c| c.is_up()).and_then(Colleague::leg_id);
        if self.has_colleague_joined() {
            return HearMatrix::conference(&[caller, operator, colleague].into_iter().flatten().collect::<Vec<_>>());
        }
        let mut matrix = match (operator, colleague) {
            (Some(operator), None) => HearMatrix::default().with(operator, &[Source::Ringback]),
            _ => HearMatrix::conference(&[operator, colleague].into_iter().flatten().collect::<Vec<_>>()),
        };
        if let Some(caller) = caller {
            matrix = matrix.with(caller, &[Source::Music]);
        }
        matrix
    }
}
