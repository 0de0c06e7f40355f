//! What can be read off a [`Call`]: its stage, who hears whom, and how its patch stands. Changes nothing.

use std::time::Instant;

use super::bridge::{HearMatrix, LegId, Source};
use super::colleague::Colleague;
use super::event::Stage;
use super::leg::{Leg, LegState};
use super::patch::{Patch, PatchEnd, PatchState};
use super::{Call, Phase};
use crate::base::id::{ContactId, UserId};
use crate::base::phone::PhoneNumber;

/// Who a leg is in its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Caller,
    Operator,
    Contact,
    /// Who listens.
    Supervisor,
    /// Another operator, who is asked.
    Colleague,
}

impl Role {
    /// The word consoles use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Operator => "operator",
            Self::Contact => "contact",
            Self::Supervisor => "supervisor",
            Self::Colleague => "colleague",
        }
    }
}

impl Call {
    /// Where the call is.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Since when it is there.
    pub const fn stage_since(&self) -> Instant {
        self.stage_since
    }

    /// The operator who has the call, is offered it, or finishes its form.
    pub fn seat(&self) -> Option<&UserId> {
        self.operator.as_ref().map(|o| &o.user).or(self.wrapping.as_ref())
    }

    /// Until when the operator may take the offered call.
    pub const fn offered_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Offered { until } => Some(until),
            _ => None,
        }
    }

    /// The patch under way.
    pub const fn patch(&self) -> Option<&Patch> {
        self.patch.as_ref()
    }

    /// Where the contact is tried next, in a patch by hand.
    pub fn next_number_to_dial(&self) -> Option<&PhoneNumber> {
        self.patch.as_ref()?.then.front().map(|next| &next.number)
    }

    /// The last patch, if it came to nothing.
    pub const fn patch_end(&self) -> Option<&PatchEnd> {
        self.patch_end.as_ref()
    }

    /// The contact who was joined with the caller; `Some(None)` if a number was dialled by hand.
    pub const fn joined(&self) -> Option<&Option<ContactId>> {
        self.joined.as_ref()
    }

    /// An operator has talked with the caller and does so still, or has them on hold.
    pub const fn is_with_operator(&self) -> bool {
        self.handled && self.operator.is_some() && !self.caller_gone
    }

    /// True once the caller has left.
    pub const fn caller_gone(&self) -> bool {
        self.caller_gone
    }

    /// True while a prompt replaces what the caller hears.
    pub const fn caller_hears_prompt(&self) -> bool {
        self.playing.is_some()
    }

    /// Who hears whom now.
    pub const fn matrix(&self) -> &HearMatrix {
        &self.matrix
    }

    /// Who `leg` is.
    pub fn role(&self, leg: LegId) -> Option<Role> {
        if leg == self.caller.id {
            Some(Role::Caller)
        } else if self.operator.as_ref().is_some_and(|o| o.leg.id == leg) || self.consult_leg() == Some(leg) {
            Some(Role::Operator)
        } else if self.patch.as_ref().is_some_and(|p| p.leg.id == leg) {
            Some(Role::Contact)
        } else if self.listens(leg) {
            Some(Role::Supervisor)
        } else if self.colleague().and_then(Colleague::leg_id) == Some(leg) {
            Some(Role::Colleague)
        } else {
            None
        }
    }

    pub(super) fn stage_now(&self) -> Stage {
        match self.phase {
            Phase::New | Phase::Arriving { .. } => Stage::Arriving,
            Phase::Greeting { .. } => Stage::Greeting,
            Phase::Queued if self.is_recalled() => Stage::Patched,
            Phase::Queued | Phase::CallingBack { .. } => Stage::Queued,
            Phase::Reaching => Stage::Reaching,
            // Somebody who was asked hears that the caller has gone.
            Phase::Farewell if !self.handled => Stage::Reaching,
            Phase::RingingBack { .. } => Stage::RingingBack,
            Phase::Menu => Stage::Menu,
            Phase::Voicemail(_) => Stage::Voicemail,
            Phase::CheckIn => Stage::CheckIn,
            Phase::Announcing { .. } => Stage::Announcement,
            Phase::Offered { .. } => Stage::Offered,
            Phase::Talking => Stage::Talking,
            Phase::Held | Phase::Doubt { .. } => Stage::Held,
            Phase::Parked => Stage::Parked,
            Phase::Consulting if self.has_colleague_joined() => Stage::Conference,
            Phase::Consulting => Stage::Consulting,
            Phase::Patching => match self.patch_state() {
                Some(PatchState::Joined | PatchState::Held) => Stage::Conference,
                Some(PatchState::Dropped) => Stage::Patched,
                _ if self.patch.as_ref().is_some_and(|patch| patch.spill.is_some()) => Stage::Spilling,
                _ => Stage::Patching,
            },
            // Nobody has them at a seat, as before the contact went.
            Phase::WithSupervisor => Stage::Patched,
            Phase::Apology { .. } => Stage::Apology,
            Phase::Farewell => Stage::Ended,
            Phase::Over if self.wrapping.is_some() => Stage::WrapUp,
            Phase::Over => Stage::Ended,
        }
    }

    /// The stage that a caller leaves who goes now. One whose operator's phone has just hung up was in the middle of what it hung
    /// up on.
    pub(super) fn stage_left(&self) -> Stage {
        match self.phase {
            Phase::Doubt { held: false, .. } => Stage::Talking,
            _ => self.stage_now(),
        }
    }

    pub(super) fn who_hears_whom(&self) -> HearMatrix {
        if matches!(self.phase, Phase::New | Phase::Over) {
            return HearMatrix::default();
        }
        let up = |leg: &Leg| leg.is_up().then_some(leg.id);
        let caller = up(&self.caller);
        let operator = self.operator.as_ref().and_then(|o| up(&o.leg));
        // By which leg the operator speaks.
        let mut speaks = operator;
        let mut matrix = HearMatrix::default();
        let talk = |a: Option<LegId>, b: Option<LegId>, c: Option<LegId>| {
            HearMatrix::conference(&[a, b, c].into_iter().flatten().collect::<Vec<_>>())
        };
        match self.phase {
            Phase::Talking => {
                matrix = talk(caller, operator, None);
                // Nobody is left in dead silence while an operator's network is found again.
                let row = matrix.rows.iter_mut().find(|(leg, _)| Some(*leg) == caller);
                if self.operator.as_ref().is_some_and(|o| o.leg.silent)
                    && let Some((_, heard)) = row
                {
                    heard.push(Source::Music);
                }
            }
            Phase::Patching => {
                if let Some(patch) = &self.patch {
                    // With a second leg, the operator is there by that, and hears nothing by the first.
                    let second = patch.consult.as_ref().map(up);
                    speaks = second.unwrap_or(operator);
                    matrix = self.patch_matrix(patch, caller, speaks);
                    if let (Some(_), Some(first)) = (second, operator) {
                        matrix = matrix.with(first, &[]);
                    }
                }
            }
            Phase::RingingBack { .. } => {
                let early = self.caller.state == LegState::Early;
                let heard = if early { Source::Leg(self.caller.id) } else { Source::Ringback };
                if let Some(operator) = operator {
                    matrix = matrix.with(operator, &[heard]);
                }
                if early {
                    matrix = matrix.with(self.caller.id, &[]);
                }
            }
            Phase::Consulting => matrix = self.consult_matrix(caller, operator),
            Phase::Reaching => matrix = self.reaching_matrix(caller),
            Phase::Queued | Phase::Offered { .. } if self.is_recalled() => {
                matrix = talk(caller, self.patch.as_ref().and_then(|patch| up(&patch.leg)), None);
                if let Some(operator) = operator {
                    matrix = matrix.with(operator, &[]);
                }
            }
            Phase::Queued
            | Phase::CallingBack { .. }
            | Phase::Offered { .. }
            | Phase::Held
            | Phase::Parked
            | Phase::Doubt { .. } => {
                if let Some(caller) = caller {
                    matrix = matrix.with(caller, &[Source::Music]);
                }
                if let Some(operator) = operator {
                    matrix = matrix.with(operator, &[]);
                }
            }
            _ => {
                if let Some(caller) = caller {
                    matrix = matrix.with(caller, &[]);
                }
            }
        }
        for parting in &self.parting {
            matrix = matrix.with(parting.leg.id, &[]);
        }
        self.leave_out(self.add_listeners(matrix, caller, speaks))
    }

    fn patch_matrix(&self, patch: &Patch, caller: Option<LegId>, operator: Option<LegId>) -> HearMatrix {
        let contact = patch.leg.id;
        let beside_music = |matrix: HearMatrix| match caller {
            Some(caller) => matrix.with(caller, &[Source::Music]),
            None => matrix,
        };
        if patch.transfer.is_some() {
            // Nobody hears anybody until the contact has answered.
            return beside_music(operator.map(|o| HearMatrix::default().with(o, &[])).unwrap_or_default());
        }
        match (patch.state, patch.leg.state) {
            (PatchState::Joined | PatchState::Dropped | PatchState::Private | PatchState::Held, _) => {
                self.room_matrix(patch, caller, operator)
            }
            // Rung before the answer: nobody hears the caller yet.
            (_, LegState::Early) if self.caller.state == LegState::Early => {
                HearMatrix::default().with(self.caller.id, &[Source::Leg(contact)]).with(contact, &[])
            }
            (_, LegState::Early) => {
                let heard = operator.map(|o| HearMatrix::default().with(o, &[Source::Leg(contact)]));
                beside_music(heard.unwrap_or_default().with(contact, &[]))
            }
            (state, _) => {
                let tone: &[Source] = if state == PatchState::Ringing { &[Source::Ringback] } else { &[] };
                beside_music(operator.map(|o| HearMatrix::default().with(o, tone)).unwrap_or_default())
            }
        }
    }
}
