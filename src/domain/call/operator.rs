//! The operator's side of a [`Call`]: offers, commands, and an operator who is lost.
//!
//! What always holds: losing an operator never loses the caller. Who was waiting or talking goes back to the
//! head of the queue; who had been joined with a contact talks on.

use super::bridge::LegId;
use super::cause::Cause;
use super::colleague::Colleague;
use super::event::{OfferEnd, RecordEvent};
use super::leg::{Leg, LegInput, LegState};
use super::patch::PatchState;
use super::{AccountChange, Call, CommandError, DOUBT_LIMIT, Operator, OperatorCommand, Output, Party, Phase};
use crate::base::id::UserId;

impl Call {
    pub(super) fn on_offer(&mut self, user: UserId, leg: LegId, ring: bool) {
        if self.phase != Phase::Queued {
            // The queue did not know yet that the caller is served or gone.
            self.outputs.push_back(Output::OfferFailed { user, why: OfferEnd::Withdrawn });
            return;
        }
        self.record(RecordEvent::Offered { user: user.clone() });
        self.operator = Some(Operator { user, leg: Leg::new(leg), holds: false });
        self.phase = Phase::Offered { until: self.now + self.setup.ring };
        if ring {
            self.ring_operator();
        }
    }

    pub(super) fn ring_operator(&mut self) {
        if let Some(operator) = &mut self.operator
            && operator.leg.state == LegState::New
        {
            operator.leg.state = LegState::Dialling;
            let to = Party::Operator(operator.user.clone());
            self.outputs.push_back(Output::Dial { leg: operator.leg.id, to });
        }
    }

    pub(super) fn fail_offer(&mut self, why: OfferEnd) {
        let Some(mut operator) = self.operator.take() else { return };
        self.release(&mut operator.leg);
        self.record(RecordEvent::OfferEnded { user: operator.user.clone(), why });
        self.outputs.push_back(Output::OfferFailed { user: operator.user, why });
        self.back_from_offer();
    }

    pub(super) fn on_operator(&mut self, event: LegInput) {
        let rings_back = self.waits_to_ring_back();
        let Some(operator) = &mut self.operator else { return };
        if event == LegInput::Silent && operator.holds {
            // Phones differ in whether they send anything meanwhile. One that is gone answers no probe.
            return;
        }
        let was_silent = operator.leg.silent;
        let offered = matches!(self.phase, Phase::Offered { .. });
        let came_up = operator.leg.advance(event);
        let user = operator.user.clone();
        if came_up && offered && rings_back {
            return self.ring_caller_back(user);
        }
        if came_up && offered {
            self.handled = true;
            self.stop_play();
            self.phase = Phase::Talking;
            self.fetched(&user);
            self.record(RecordEvent::Talking { user: user.clone() });
            if self.is_recalled() {
                self.rejoin();
            }
            self.say_own_phrase(&user);
            self.outputs.push_back(Output::OfferAccepted { user });
            return;
        }
        match event {
            LegInput::Ended(why) => self.on_operator_ended(why),
            LegInput::Hold(hold) => self.on_phone_holds(hold),
            LegInput::Digit(_) => self.stop_own_phrase(),
            // Answered and no path: the browser's answer is of no use.
            LegInput::Silent if offered && operator.leg.answered => self.fail_offer(OfferEnd::PhoneFailed),
            LegInput::Silent | LegInput::Heard | LegInput::MediaUp if !offered && operator.leg.silent != was_silent => {
                let silent = operator.leg.silent;
                if silent && operator.leg.signal_lost {
                    self.lose_operator();
                } else {
                    self.outputs.push_back(Output::OperatorSilent { user, silent });
                }
            }
            _ => {}
        }
    }

    fn on_operator_ended(&mut self, why: Cause) {
        let joined = self.has_each_other();
        let transferring = self.is_transferring();
        let asked = self.colleague.as_ref().is_some_and(Colleague::is_up);
        let Some(operator) = &mut self.operator else { return };
        if operator.leg.state == LegState::Released {
            return;
        }
        let user = operator.user.clone();
        match (self.phase, why) {
            (Phase::Offered { .. }, _) => self.fail_offer(OfferEnd::PhoneFailed),
            (Phase::Talking | Phase::Held, Cause::HungUp) => {
                // A closing page says goodbye just like a person who is done: the console tells them apart.
                let mut leg = operator.leg.clone();
                self.release(&mut leg);
                if let Some(operator) = &mut self.operator {
                    operator.leg = leg;
                }
                self.record(RecordEvent::OperatorHungUp { user: user.clone() });
                self.outputs.push_back(Output::OperatorHungUp { user });
                let held = self.phase == Phase::Held;
                self.phase = Phase::Doubt { until: self.now + DOUBT_LIMIT, held };
            }
            // As everywhere: who hangs up in the middle of asking has handed over.
            (Phase::Consulting | Phase::Patching, Cause::HungUp) if asked => {
                // It is up, so this goes.
                let _ = self.hand_over();
            }
            (_, Cause::HungUp) if transferring => self.free_operator(),
            (_, Cause::HungUp) if joined && !self.caller_gone => self.drop_operator(),
            (_, Cause::HungUp) if self.caller_gone => self.end(Cause::Released),
            // The phone's connection broke: as long as audio flows, they talk on. A phone that holds its caller may send
            // none, and can no longer take the caller back.
            (_, Cause::Lost) if !operator.leg.silent && !operator.holds => operator.leg.signal_lost = true,
            _ => self.lose_operator(),
        }
    }

    /// The operator is gone, whatever they were doing: caller and contact are looked after.
    pub(super) fn lose_operator(&mut self) {
        let Some(mut operator) = self.operator.take() else { return };
        let stage = self.stage_now();
        self.release(&mut operator.leg);
        self.record(RecordEvent::OperatorLost { user: operator.user.clone(), stage });
        self.outputs.push_back(Output::OperatorLost { user: operator.user.clone() });
        if matches!(self.phase, Phase::RingingBack { .. }) {
            return self.end(Cause::Lost);
        }
        if self.is_transferring() || self.promote_colleague(&operator.user) {
            return;
        }
        self.let_colleague_go(OfferEnd::Withdrawn);
        if self.has_each_other() && !self.caller_gone {
            self.end_transfer(Cause::Lost);
            self.set_patch_state(PatchState::Dropped);
            self.record(RecordEvent::PatchDropped);
            return;
        }
        self.part_with_contact();
        if !self.caller_gone {
            self.phase = Phase::Queued;
            self.record(RecordEvent::Requeued);
            self.outputs.push_back(Output::Requeue);
        } else if self.parting.is_empty() {
            self.end(Cause::Lost);
        } else {
            self.phase = Phase::Farewell;
        }
    }

    pub(super) fn on_seat_lost(&mut self, user: &UserId) {
        if self.colleague.as_ref().is_some_and(|c| c.user == *user) {
            self.colleague_gone(Cause::Lost);
        }
        if self.operator.as_ref().is_some_and(|o| o.user == *user) {
            if matches!(self.phase, Phase::Offered { .. }) {
                self.fail_offer(OfferEnd::SeatGone);
            } else {
                self.lose_operator();
            }
        }
        if self.wrapping.as_ref() == Some(user) {
            self.wrapping = None;
            self.record(RecordEvent::WrappedUp { user: user.clone(), disposition: None });
        }
    }

    pub(super) fn on_seat_hung_up(&mut self, user: &UserId) {
        if matches!(self.phase, Phase::Doubt { .. }) && self.operator.as_ref().is_some_and(|o| o.user == *user) {
            self.end(Cause::Released);
        }
    }

    /// Lets the operator go from the call to their form.
    pub(super) fn free_operator(&mut self) {
        if let Some(mut operator) = self.operator.take() {
            self.release(&mut operator.leg);
            self.begin_wrap_up(operator.user);
        }
    }

    pub(super) fn follow(&mut self, by: &UserId, command: OperatorCommand) -> Result<(), CommandError> {
        match command {
            OperatorCommand::WrapUpDone { disposition } => return self.finish_wrap_up(by, disposition),
            OperatorCommand::WrapUpMore => return self.prolong_wrap_up(by),
            _ => {}
        }
        if self.operator.as_ref().is_none_or(|o| o.user != *by) {
            return Err(if self.wrapping.as_ref() == Some(by) { CommandError::NotNow } else { CommandError::NotYours });
        }
        self.refuse_for_job(&command)?;
        match (command, self.phase) {
            (OperatorCommand::Take, Phase::Offered { .. }) => {
                self.record(RecordEvent::Taken { user: by.clone() });
                self.ring_operator();
                Ok(())
            }
            (OperatorCommand::Hold, Phase::Talking) => {
                self.record(RecordEvent::Held);
                self.phase = Phase::Held;
                Ok(())
            }
            // A phone that holds the caller is the one to take them back: from here, they would hear nothing.
            (OperatorCommand::Retrieve, Phase::Held) if self.operator.as_ref().is_none_or(|o| !o.holds) => {
                self.record(RecordEvent::Retrieved);
                self.phase = Phase::Talking;
                Ok(())
            }
            (
                OperatorCommand::HangUp,
                Phase::Talking | Phase::Held | Phase::Patching | Phase::Consulting | Phase::RingingBack { .. },
            ) => {
                self.end(Cause::Released);
                Ok(())
            }
            (OperatorCommand::Patch { leg, number, contact, ring, then, cold }, Phase::Talking | Phase::Held) => {
                self.start_patch(leg, number, contact, ring);
                self.go_on_by(then, cold);
                Ok(())
            }
            (OperatorCommand::NextNumber, Phase::Patching) => self.next_number(),
            (OperatorCommand::Join, Phase::Patching) => self.join(),
            (OperatorCommand::Drop, Phase::Patching) => self.drop_off(),
            (OperatorCommand::Cancel, Phase::Patching) => self.cancel_patch(),
            (OperatorCommand::LetGo, Phase::Patching) => self.let_contact_go(),
            (OperatorCommand::Ask { user }, Phase::Talking | Phase::Held) => self.ask_colleague(user),
            (OperatorCommand::Ask { user }, Phase::Patching)
                if self.patch_state() == Some(PatchState::Joined)
                    && self.colleague.is_none()
                    && self.consult_leg().is_none() =>
            {
                self.ask_colleague(user)
            }
            (OperatorCommand::Join, Phase::Consulting) => self.join_colleague(),
            (OperatorCommand::Drop, Phase::Consulting) if self.has_colleague_joined() => self.hand_over(),
            (OperatorCommand::HoldContact, Phase::Patching) => self.hold_contact(),
            (OperatorCommand::Private, Phase::Patching) => self.talk_in_private(),
            (OperatorCommand::HandOver, Phase::Consulting | Phase::Patching) => self.hand_over(),
            (OperatorCommand::Cancel, Phase::Consulting) => {
                self.leave_colleague();
                Ok(())
            }
            (OperatorCommand::Park { slot }, Phase::Talking | Phase::Held) => {
                self.park(slot);
                Ok(())
            }
            (OperatorCommand::Pass { to, note }, Phase::Talking | Phase::Held) => self.pass(to, note),
            (OperatorCommand::Speak, Phase::Talking) => {
                self.stop_own_phrase();
                Ok(())
            }
            (OperatorCommand::CheckIn { vouched }, Phase::Talking | Phase::Held) => self.send_to_check_in(by, vouched),
            (OperatorCommand::Keys(keys), Phase::Talking | Phase::Patching) => self.send_keys(keys),
            (OperatorCommand::ChangeAccount(change), Phase::Talking | Phase::Held) => self.change_account(by, *change),
            (OperatorCommand::Recording(command), _) => self.follow_recording(command),
            _ => Err(CommandError::NotNow),
        }
    }

    fn change_account(&mut self, by: &UserId, change: AccountChange) -> Result<(), CommandError> {
        if change.from == change.to {
            return Err(CommandError::NotNow);
        }
        let AccountChange {
            from,
            to,
            priority,
            ranks,
            overdue,
            apology,
            comfort,
            ring,
            wrap_up,
            callback,
            recording,
            patch_limit,
        } = change;
        (self.setup.apology, self.setup.comfort, self.setup.ring) = (apology, comfort, ring);
        // Whoever goes before others does so whatever they dialled.
        self.priority = priority.max(self.raised);
        (self.setup.wrap_up, self.setup.patch_limit) = (wrap_up, patch_limit);
        self.change_callback_terms(callback);
        // So was what the flow asked for, and what follows a wait.
        (self.setup.overdue, self.setup.ranks) = (overdue, ranks);
        self.skills.clear();
        // Who could not be reached was somebody of the other account.
        self.patch_end = None;
        self.record(RecordEvent::AccountChanged { user: by.clone(), from, to });
        self.change_recording_policy(recording);
        Ok(())
    }

    /// Keys for the contact, if one is on the line: the menu is theirs. Else for the caller.
    fn send_keys(&mut self, keys: String) -> Result<(), CommandError> {
        let leg = match (&self.patch, self.phase) {
            (Some(patch), _) if patch.leg.is_up() => patch.leg.id,
            (None, Phase::Talking) => self.caller.id,
            _ => return Err(CommandError::NotNow),
        };
        // How many, not which: they may open something.
        self.record(RecordEvent::KeysSent { count: keys.chars().count() });
        self.outputs.push_back(Output::Keys { leg, keys });
        Ok(())
    }
}
