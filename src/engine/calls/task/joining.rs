//! A call's task, as far as another call is joined with it: the half of either.

use tokio::sync::oneshot;

use std::sync::Arc;

use super::CallTask;
use super::rings_back::Pausing;
use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::domain::call::CommandError;
use crate::domain::call::abandoned::Abandoned;
use crate::domain::call::bridge::LegId;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::RecordEvent;
use crate::domain::call::joining::Joining;
use crate::domain::call::leg::LegInput;
use crate::domain::call::view::Role;
use crate::domain::figures::{Fact, Lost};
use crate::engine::calls::record::Line;
use crate::engine::calls::{alarm_text, on_record};
use crate::engine::feed::{AlarmLevel, ContactRef, RingsBackView};
use crate::engine::legs::{GivenLeg, Lands};

/// Whom a call can give away.
pub(in crate::engine::calls) struct Offered {
    pub joining: Joining,
    /// Whose caller they are.
    pub account: AccountId,
    /// Who they are, if that is known.
    pub contact: Option<ContactRef>,
    /// Of which account's figures they are, and when they called; none, if it was we who called.
    pub counted: Option<(Arc<Account>, UtcMs)>,
}

/// A caller who is given away.
pub(in crate::engine::calls) struct Handed {
    leg: GivenLeg,
    /// What asks them waits on, as long as they are spoken with.
    pausing: Option<Pausing>,
}

/// A caller who was given away, or why not.
pub(in crate::engine::calls) type Given = Result<Handed, CommandError>;

impl CallTask {
    pub(super) fn may_give(&self, by: &UserId) -> Result<Offered, CommandError> {
        let leg = self.call.may_give_away(by)?;
        let number = self.facts.caller.clone().ok_or(CommandError::Withheld)?;
        // To this client they are nobody's person but its own.
        let is_own = |view: &&RingsBackView| {
            view.dispatches.first().is_some_and(|asked| asked.account.id == self.facts.account.id)
        };
        let known = |view: &RingsBackView| ContactRef { id: view.contact.clone(), name: view.name.clone() };
        let rings_back = self.facts.rings_back.as_ref().filter(is_own).map(known);
        let contact = rings_back.or_else(|| self.dialled_view().and_then(|dialled| dialled.contact));
        let id = contact.as_ref().map(|contact| contact.id.clone());
        let joining = Joining { leg, number, contact: id, call: self.facts.id.clone() };
        let counted = self.outward.is_none().then(|| (Arc::clone(&self.called), self.facts.started_at));
        Ok(Offered { joining, account: self.facts.account.id.clone(), contact, counted })
    }

    pub(super) fn take_in(&mut self, by: &UserId, offered: Offered) -> Result<Lands, CommandError> {
        let Offered { joining, account, contact, counted } = offered;
        if account != self.facts.account.id {
            return Err(CommandError::OtherAccount);
        }
        let before = std::mem::replace(&mut self.contact, contact);
        let taken = self.call.take_in(self.now(), by, joining);
        if taken.is_err() {
            self.contact = before;
        } else {
            self.joined_counted = counted;
        }
        self.carry_out();
        taken.map(|()| self.legs.lands())
    }

    pub(super) fn give_away(&mut self, by: &UserId, to: CallId, lands: &Lands, reply: oneshot::Sender<Given>) {
        let given = match self.call.give_away(self.now(), by, to) {
            Ok(leg) => {
                let pausing = self.pausing.take();
                // Its recording has ended, and it is in this call's bridge no more, before it goes.
                self.carry_out();
                let leg = self.legs.give(leg, lands);
                leg.map(|leg| Handed { leg, pausing }).ok_or(CommandError::CallerGone)
            }
            Err(why) => Err(why),
        };
        // An error means that nobody takes them in: they are hung up by that.
        let _ = reply.send(given);
    }

    /// What came of it: the contact's leg, or none.
    pub(super) fn on_given(&mut self, leg: LegId, given: Option<Box<Handed>>) {
        let Some(given) = given else {
            return self.leg(leg, LegInput::Ended(Cause::HungUp));
        };
        self.legs.take_in(given.leg);
        if self.call.role(leg) == Some(Role::Contact) {
            self.joined_pausing = given.pausing;
        } else {
            // Let go in the meantime.
            self.legs.hang_up(leg);
        }
    }

    /// The contact had called, and lost their operator. It is their own call's record that says so: by that they are on the list
    /// of lost callers and, until somebody has seen to them, on every desk.
    pub(super) fn joined_cut_off(&self, call: &CallId, number: &PhoneNumber) {
        let at = self.facts.utc(self.now());
        let (kind, body) = on_record(&RecordEvent::Abandoned { on: Abandoned::CutOff });
        self.calls.recorder.write(Line::Event { call: call.clone(), at, kind, body });
        // As a start counts them anew: their call was counted to its end without this.
        if let Some((account, started_at)) = &self.joined_counted {
            let lost = Fact::Lost { how: Lost::CutOff, wait_ms: at.since(*started_at).max(0), answered: true };
            self.calls.figures.count(&account.id, &account.zone, *started_at, vec![lost]);
        }
        let text = alarm_text::joined_cut_off(&self.facts.account.name, Some(number));
        self.calls.raise_of_caller(AlarmLevel::Critical, text, call);
        self.calls.tell_of_caller(call, false);
    }
}
