//! The live patch of a [`Call`], warm: dial the contact while the caller hears music, announce, join, drop off.
//!
//! Does not choose whom to dial. What always holds: the caller never hears what operator and contact say before
//! *join*; a contact who refuses, is busy or does not answer gives the caller back to the operator at once; a
//! hang-up beats a join.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::alone::PatchClock;
use super::bridge::LegId;
use super::cause::Cause;
use super::event::RecordEvent;
use super::leg::{Leg, LegInput, LegState};
use super::reach::Number;
use super::transfer::TransferProgress;
use super::{Call, CallAlarm, CommandError, Output, Parting, Party, Phase};
use crate::base::id::{CallId, ContactId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Speech;
use crate::domain::account::flow::SpillFailed;

/// The longest that last words are waited for.
pub(super) const FAREWELL_LIMIT: Duration = Duration::from_secs(20);

/// How far a patch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchState {
    Dialling,
    Ringing,
    /// Nobody made it by hand: the contact is asked to press 1, and nobody hears them.
    Asked,
    /// Operator and contact talk; the caller hears music.
    Private,
    /// Operator and caller talk; the contact hears music.
    Held,
    Joined,
    /// The operator has dropped off.
    Dropped,
}

/// A contact on the line, or being dialled.
#[derive(Clone, Debug)]
pub struct Patch {
    pub(super) leg: Leg,
    pub number: PhoneNumber,
    pub contact: Option<ContactId>,
    /// Nobody rang them: they called, in this call, and were taken in.
    pub came_from: Option<CallId>,
    pub state: PatchState,
    pub since: Instant,
    ring_until: Instant,
    /// The operator's second leg, where a desk phone called the contact.
    pub(super) consult: Option<Leg>,
    /// Taken elsewhere by the account's flow, and what becomes of the caller if that comes to nothing.
    pub(super) spill: Option<SpillFailed>,
    /// The operator is to be out of it as soon as the contact is there: the leg by which that was asked for.
    pub(super) transfer: Option<LegId>,
    /// Where the contact is tried next.
    pub(super) then: VecDeque<Number>,
    /// Joined with the caller as soon as somebody answers, the operator out of it.
    pub cold: bool,
    /// Caller or contact want an operator.
    pub recalled: bool,
    pub(super) clock: PatchClock,
}

impl Patch {
    /// Caller and contact have heard each other before.
    pub(super) const fn was_joined(&self) -> bool {
        self.clock.has_begun()
    }

    /// Whoever looks after them goes, and the two talk on: joined, or put aside after that. A contact who was put on hold
    /// before the join knows nothing of the caller yet.
    const fn talks_on(&self) -> bool {
        match self.state {
            PatchState::Joined => true,
            PatchState::Held => self.was_joined(),
            _ => false,
        }
    }

    pub(super) fn ring_until(&self) -> Option<Instant> {
        matches!(self.state, PatchState::Dialling | PatchState::Ringing).then_some(self.ring_until)
    }
}

/// A patch that came to nothing.
#[derive(Clone, Debug)]
pub struct PatchEnd {
    pub number: PhoneNumber,
    pub contact: Option<ContactId>,
    pub why: Cause,
    pub since: Instant,
}

fn words(text: &str) -> Speech {
    Speech::Spoken { text: text.to_owned() }
}

/// Said to a contact whose operator was lost before the caller was joined.
pub fn goodbye_words() -> Speech {
    words("We are sorry, this connection was lost. We will call you again. Goodbye.")
}

/// Said to a contact when *join* came after the caller had hung up.
pub fn caller_gone_words() -> Speech {
    words("The caller has hung up.")
}

/// Whether another telephone may be reached where this one was not: not if it is our own rules that forbid it.
const fn may_help_elsewhere(why: Cause) -> bool {
    !matches!(
        why,
        Cause::Forbidden | Cause::Emergency | Cause::Limited | Cause::LinesBusy | Cause::Released | Cause::Fault
    )
}

impl Call {
    pub(super) fn patch_state(&self) -> Option<PatchState> {
        self.patch.as_ref().map(|p| p.state)
    }

    /// Caller and contact have each other if the operator goes now.
    pub(super) fn has_each_other(&self) -> bool {
        self.patch.as_ref().is_some_and(Patch::talks_on)
    }

    pub(super) fn set_patch_state(&mut self, state: PatchState) {
        let (now, limit) = (self.now, self.setup.patch_limit);
        if let Some(patch) = &mut self.patch {
            patch.state = state;
            patch.since = now;
            patch.clock.enter(now, state, limit.filter(|_| patch.spill.is_none()));
        }
    }

    pub(super) fn start_patch(&mut self, leg: LegId, number: PhoneNumber, contact: Option<ContactId>, ring: Duration) {
        self.record(RecordEvent::PatchDialled { contact: contact.clone(), number: number.clone() });
        self.dial_contact(leg, number, contact, ring);
    }

    pub(super) fn dial_contact(&mut self, leg: LegId, number: PhoneNumber, contact: Option<ContactId>, ring: Duration) {
        let mut dialled = Leg::new(leg);
        dialled.state = LegState::Dialling;
        // A telephone's audio path is there as soon as it has answered.
        dialled.media_up = true;
        self.outputs.push_back(Output::Dial { leg, to: Party::Number(number.clone()) });
        self.begin_patch(dialled, number, contact, ring);
    }

    pub(super) fn begin_patch(&mut self, leg: Leg, number: PhoneNumber, contact: Option<ContactId>, ring: Duration) {
        self.patch_end = None;
        self.patch = Some(Patch {
            leg,
            number,
            contact,
            came_from: None,
            state: PatchState::Dialling,
            since: self.now,
            ring_until: self.now + ring,
            consult: None,
            spill: None,
            transfer: None,
            then: VecDeque::new(),
            cold: false,
            recalled: false,
            clock: PatchClock::default(),
        });
        self.phase = Phase::Patching;
    }

    pub(super) fn on_contact(&mut self, event: LegInput) {
        if self.phase == Phase::Reaching {
            return self.on_reached(event);
        }
        let Some(patch) = &mut self.patch else { return };
        let was_silent = patch.leg.silent;
        let came_up = patch.leg.advance(event);
        let (leg, state, spills) = (patch.leg.id, patch.state, patch.spill.is_some());
        let strangers = state == PatchState::Held && !patch.was_joined();
        if patch.leg.silent != was_silent {
            self.record(if was_silent { RecordEvent::ContactHeard } else { RecordEvent::ContactSilent });
        }
        if event == LegInput::Early {
            self.pass_early_audio();
        }
        match event {
            _ if came_up && spills => self.join_spill(),
            _ if came_up && matches!(state, PatchState::Dialling | PatchState::Ringing) => {
                self.set_patch_state(PatchState::Private);
                self.record(RecordEvent::PatchAnswered);
                self.connect_transfer();
                self.connect_cold();
            }
            LegInput::Ringing | LegInput::Early if state == PatchState::Dialling => {
                self.set_patch_state(PatchState::Ringing);
                self.record(RecordEvent::PatchRinging);
                self.tell_transfer(TransferProgress::Ringing);
            }
            LegInput::Digit('*') => self.on_star(leg),
            LegInput::Ended(why) if strangers => self.fail_patch(why),
            LegInput::Ended(why) => match state {
                PatchState::Dialling | PatchState::Ringing | PatchState::Asked | PatchState::Private => {
                    self.fail_patch(why);
                }
                PatchState::Joined | PatchState::Held => {
                    self.record(RecordEvent::ContactLeft { why });
                    self.give_back_caller(Cause::HungUp);
                }
                PatchState::Dropped => {
                    self.record(RecordEvent::ContactLeft { why });
                    if self.is_recalled() {
                        self.contact_left_recall();
                    } else if !self.keep_caller_company() {
                        self.end(why);
                    }
                }
            },
            _ => {}
        }
    }

    /// The contact cannot be had: the caller is back with the operator at once.
    pub(super) fn fail_patch(&mut self, why: Cause) {
        if let Some(failed) = self.patch.as_ref().and_then(|patch| patch.spill) {
            return self.fail_spill(failed, why);
        }
        let unanswered = matches!(self.patch_state(), Some(PatchState::Dialling | PatchState::Ringing));
        if unanswered && may_help_elsewhere(why) && self.has_next_number() {
            self.record(RecordEvent::PatchFailed { why });
            return self.dial_next_number();
        }
        self.record(RecordEvent::PatchFailed { why });
        if let Some(patch) = &self.patch {
            let (number, contact) = (patch.number.clone(), patch.contact.clone());
            self.patch_end = Some(PatchEnd { number, contact, why, since: self.now });
        }
        self.give_back_caller(why);
    }

    /// The contact has another telephone, and there is somebody to be joined with.
    fn has_next_number(&self) -> bool {
        !self.caller_gone && self.patch.as_ref().is_some_and(|patch| !patch.then.is_empty())
    }

    /// The contact is tried at their next telephone.
    fn dial_next_number(&mut self) {
        let Some(mut before) = self.take_patch() else { return };
        self.release(&mut before.leg);
        let Some(Number { leg, number, ring }) = before.then.pop_front() else { return };
        self.start_patch(leg, number, before.contact, ring);
        self.go_on_by(before.then, before.cold);
    }

    /// What is to come after the number just dialled, and when somebody answers.
    pub(super) fn go_on_by(&mut self, then: VecDeque<Number>, cold: bool) {
        if let Some(patch) = &mut self.patch {
            (patch.then, patch.cold) = (then, cold);
        }
    }

    /// The operator hears that this is not whom they want.
    pub(super) fn next_number(&mut self) -> Result<(), CommandError> {
        if self.is_transferring()
            || !matches!(self.patch_state(), Some(PatchState::Dialling | PatchState::Ringing | PatchState::Private))
        {
            return Err(CommandError::NotNow);
        }
        if self.caller_gone {
            return Err(CommandError::CallerGone);
        }
        if !self.has_next_number() {
            return Err(CommandError::NoNumberLeft);
        }
        let answered = self.patch_state() == Some(PatchState::Private);
        self.record(if answered {
            RecordEvent::PatchNotAccepted { declined: false }
        } else {
            RecordEvent::PatchCancelled
        });
        self.dial_next_number();
        Ok(())
    }

    /// Somebody has answered: if they are not to be told first, the two are joined and the operator is out of it.
    fn connect_cold(&mut self) {
        let Some(patch) = self.patch.as_ref().filter(|patch| patch.cold && patch.state == PatchState::Private) else {
            return;
        };
        if self.caller_gone || self.operator.is_none() {
            return;
        }
        self.joined = Some(patch.contact.clone());
        self.set_patch_state(PatchState::Joined);
        self.record(RecordEvent::PatchUnannounced);
        self.record(RecordEvent::PatchJoined);
        self.drop_operator();
    }

    /// Lets the contact go; the caller is with the operator again, or the call ends for want of a caller.
    pub(super) fn give_back_caller(&mut self, why: Cause) {
        self.end_transfer(why);
        if let Some(mut patch) = self.take_patch() {
            self.release(&mut patch.leg);
        }
        if self.caller_gone {
            self.end(why);
        } else {
            self.back_to_operator();
        }
    }

    pub(super) fn join(&mut self) -> Result<(), CommandError> {
        if self.colleague.is_some() && !self.has_colleague_joined() {
            return self.join_colleague();
        }
        let apart = |p: &&Patch| matches!(p.state, PatchState::Private | PatchState::Held);
        let Some(patch) = self.patch.as_ref().filter(apart) else {
            return Err(CommandError::NotNow);
        };
        let (leg, contact) = (patch.leg.id, patch.contact.clone());
        if self.caller_gone {
            // A hang-up beats a join (design §3): the contact hears of it and stays with the operator.
            self.record(RecordEvent::JoinRefused);
            let play = self.next_play();
            self.outputs.push_back(Output::Play { leg, play, speech: caller_gone_words() });
            return Err(CommandError::CallerGone);
        }
        let again = self.joined.replace(contact).is_some() && self.patch.as_ref().is_some_and(Patch::was_joined);
        self.set_patch_state(PatchState::Joined);
        if let Some(patch) = &mut self.patch {
            patch.then.clear();
        }
        // Whoever was put aside is back; they are put through once.
        self.record(if again { RecordEvent::PatchRejoined } else { RecordEvent::PatchJoined });
        Ok(())
    }

    pub(super) fn drop_off(&mut self) -> Result<(), CommandError> {
        if self.patch_state() != Some(PatchState::Joined) {
            return Err(CommandError::NotNow);
        }
        if self.caller_gone {
            return Err(CommandError::CallerGone);
        }
        if self.colleague.is_some() {
            // One of ours stays with them.
            return self.hand_over();
        }
        self.drop_operator();
        Ok(())
    }

    /// The operator leaves caller and contact to themselves.
    pub(super) fn drop_operator(&mut self) {
        self.set_patch_state(PatchState::Dropped);
        self.record(RecordEvent::PatchDropped);
        // The two are connected before the third leaves.
        self.hand_over_bridge();
    }

    fn hand_over_bridge(&mut self) {
        let operator = self.operator.take();
        let consult = self.patch.as_mut().and_then(|patch| patch.consult.take());
        self.settle_bridge();
        self.operator = operator;
        if let Some(mut consult) = consult {
            self.release(&mut consult);
        }
        self.free_operator();
    }

    pub(super) fn cancel_patch(&mut self) -> Result<(), CommandError> {
        if self.colleague.is_some() {
            self.leave_colleague();
            return Ok(());
        }
        if matches!(self.patch_state(), None | Some(PatchState::Dropped)) {
            return Err(CommandError::NotNow);
        }
        if self.contact_called() && !self.caller_gone {
            return self.back_from_joined();
        }
        self.record(RecordEvent::PatchCancelled);
        self.give_back_caller(Cause::Released);
        Ok(())
    }

    /// Lets a contact go whose operator was lost: with a word if they had answered.
    pub(super) fn part_with_contact(&mut self) {
        self.end_transfer(Cause::Lost);
        let Some(mut patch) = self.take_patch() else { return };
        if patch.leg.is_up() {
            if let Some(call) = patch.came_from.clone() {
                let number = patch.number.clone();
                self.outputs.push_back(Output::Alarm(CallAlarm::JoinedCutOff { call, number }));
            }
            let play = self.next_play();
            self.outputs.push_back(Output::Play { leg: patch.leg.id, play, speech: goodbye_words() });
            self.parting.push(Parting { leg: patch.leg, play, until: self.now + FAREWELL_LIMIT });
        } else {
            self.release(&mut patch.leg);
        }
    }

    /// Releases legs that have heard their last words, or are gone.
    pub(super) fn end_parting(&mut self, is_over: impl Fn(&Parting) -> bool) {
        let (over, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.parting).into_iter().partition(|p| is_over(p));
        self.parting = rest;
        for mut parting in over {
            self.release(&mut parting.leg);
        }
        if self.phase == Phase::Farewell && self.parting.is_empty() {
            // With an operator, or with nobody but the caller, who hung up.
            self.end(if self.handled { Cause::Lost } else { Cause::HungUp });
        }
    }
}
