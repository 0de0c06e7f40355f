//! More than two in a [`Call`]: caller, operator, contact and a colleague of the operator's, as she has them: all together, one
//! of them put aside, or she herself aside with one.
//!
//! Who dials whom is told elsewhere ([`patch`](super::patch), [`colleague`](super::colleague)). What always holds: the others
//! go on hearing each other whoever is aside; who is left alone hears music; whoever is put aside, or is aside with the operator, is
//! neither heard by the others nor hears them.

use super::bridge::{HearMatrix, LegId, Source};
use super::colleague::Colleague;
use super::event::RecordEvent;
use super::patch::{Patch, PatchState};
use super::{Call, CommandError, Phase};

/// Each group by itself; whoever is the only one of theirs hears music.
fn apart(groups: &[&[LegId]]) -> HearMatrix {
    let mut matrix = HearMatrix::default();
    for group in groups {
        match group {
            [alone] => matrix = matrix.with(*alone, &[Source::Music]),
            _ => matrix.rows.extend(HearMatrix::conference(group).rows),
        }
    }
    matrix
}

impl Call {
    /// The colleague is part of what is said.
    pub(super) fn has_colleague_joined(&self) -> bool {
        self.colleague.as_ref().is_some_and(|colleague| colleague.joined)
    }

    /// The operator leaves the others to themselves and is with the colleague, or hears them ring.
    fn is_aside_with_colleague(&self) -> bool {
        self.colleague.is_some() && !self.has_colleague_joined()
    }

    /// Whoever is in the conversation hears the others.
    pub(super) fn room_matrix(&self, patch: &Patch, caller: Option<LegId>, operator: Option<LegId>) -> HearMatrix {
        let contact = Some(patch.leg.id);
        let colleague = self.colleague.as_ref().filter(|c| c.is_up()).and_then(Colleague::leg_id);
        let present = |legs: &[Option<LegId>]| legs.iter().flatten().copied().collect::<Vec<_>>();
        if self.is_aside_with_colleague() {
            let others = present(&[caller, contact]);
            return match (operator, colleague) {
                (Some(operator), None) => apart(&[&others]).with(operator, &[Source::Ringback]),
                _ => apart(&[&others, &present(&[operator, colleague])]),
            };
        }
        match patch.state {
            PatchState::Private => apart(&[&present(&[operator, contact]), &present(&[caller])]),
            PatchState::Held => apart(&[&present(&[caller, operator, colleague]), &present(&[contact])]),
            _ => HearMatrix::conference(&present(&[caller, operator, contact, colleague])),
        }
    }

    /// The contact waits with music while operator and caller talk.
    pub(super) fn hold_contact(&mut self) -> Result<(), CommandError> {
        self.put_contact(&[PatchState::Private, PatchState::Joined], PatchState::Held)
    }

    /// The caller waits with music while operator and contact talk.
    pub(super) fn talk_in_private(&mut self) -> Result<(), CommandError> {
        if self.colleague.is_some() {
            // They would be left with the caller, who is not theirs.
            return Err(CommandError::NotNow);
        }
        self.put_contact(&[PatchState::Held, PatchState::Joined], PatchState::Private)
    }

    fn put_contact(&mut self, from: &[PatchState], to: PatchState) -> Result<(), CommandError> {
        let fits = self.patch.as_ref().is_some_and(|patch| from.contains(&patch.state) && patch.consult.is_none());
        if !fits || self.is_transferring() || self.is_aside_with_colleague() {
            return Err(CommandError::NotNow);
        }
        if self.caller_gone {
            return Err(CommandError::CallerGone);
        }
        self.set_patch_state(to);
        let held = to == PatchState::Held;
        self.record(if held { RecordEvent::ContactHeld } else { RecordEvent::PatchPrivate });
        Ok(())
    }

    /// The colleague is heard by all from now on, and hears them.
    pub(super) fn join_colleague(&mut self) -> Result<(), CommandError> {
        let Some(colleague) = self.colleague.as_mut().filter(|c| c.is_up() && !c.joined) else {
            return Err(CommandError::NotNow);
        };
        colleague.joined = true;
        let user = colleague.user.clone();
        self.record(RecordEvent::ColleagueJoined { user });
        Ok(())
    }

    /// The phase of a call whose operator is with the caller again, or still.
    pub(super) fn phase_with_operator(&self, holds: bool) -> Phase {
        if self.patch.is_some() {
            Phase::Patching
        } else if self.colleague.is_some() {
            Phase::Consulting
        } else if holds {
            Phase::Held
        } else {
            Phase::Talking
        }
    }
}
