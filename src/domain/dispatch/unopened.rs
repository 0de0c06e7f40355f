//! A protected message that somebody accepted by text and has not opened yet: a notice says nothing, so neither does a yes to it say that
//! anybody knows what it is about.
//!
//! The yes ends the dispatch as any other does. What always holds: the desks are warned once, some minutes after the yes, unless the person
//! has opened the message, or heard it, by then; that is taken back when they open it, and when an operator has seen to it.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::Note;
use super::state::{Attempt, State};
use crate::base::clock::UtcMs;
use crate::base::id::ContactId;
use crate::domain::account::Urgency;
use crate::domain::message::render::clock;

/// So long after the yes the desks are warned, where it is urgent: about as long as protocols wait for an answer before they go on.
const URGENT_MS: i64 = 10 * 60_000;
/// And where it is not.
const OTHERS_MS: i64 = 60 * 60_000;

/// Who has accepted it, and not opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unopened {
    pub contact: ContactId,
    /// The person's name, as it was.
    pub name: String,
    /// When they accepted it, by the account's clock.
    pub accepted: String,
    /// When the desks are warned; none: they are.
    pub due_at: Option<UtcMs>,
}

impl State {
    /// Who has accepted it and not opened it in time: the desks are warned.
    pub fn unopened_by(&self) -> Option<&Unopened> {
        self.unopened.as_ref().filter(|unopened| unopened.due_at.is_none())
    }
}

impl Turn<'_> {
    /// The person of this attempt has accepted it by text.
    pub(super) fn await_opening(&mut self, i: usize) {
        let a = self.attempt(i);
        let contact = a.contact.clone().filter(|_| a.secure.is_some() && self.world.is_protected());
        let (Some(contact), name) = (contact, a.name.clone()) else { return };
        let knows =
            |a: &Attempt| a.told_at.is_some() && a.contact.as_ref() == Some(&contact) && self.s.is_of_now(&a.purpose);
        if self.s.attempts.iter().any(knows) {
            return;
        }
        let within = if self.s.urgency == Urgency::Urgent { URGENT_MS } else { OTHERS_MS };
        let (accepted, due_at) = (clock(self.now, self.world.zone()), Some(self.now.plus_ms(within)));
        self.s.unopened = Some(Unopened { contact, name, accepted, due_at });
    }

    /// The person of this attempt has opened it.
    pub(super) fn opened(&mut self, i: usize) {
        let by = self.attempt(i).contact.clone();
        self.s.unopened = self.s.unopened.take().filter(|unopened| by.as_ref() != Some(&unopened.contact));
    }

    /// An operator has seen to what the desks were warned of.
    pub(super) fn unopened_seen(&mut self, by: &str) {
        let Some(seen) = self.s.unopened.take_if(|unopened| unopened.due_at.is_none()) else { return };
        self.record(Some(by), Note::UnopenedSeen { name: seen.name, by: by.to_owned() });
    }

    /// Warns the desks when it is time.
    pub(super) fn mind_the_unopened(&mut self) {
        let now = self.now;
        let due = self.s.unopened.as_mut().filter(|unopened| unopened.due_at.is_some_and(|at| at <= now));
        let Some(unopened) = due else { return };
        unopened.due_at = None;
        let name = unopened.name.clone();
        self.record(Some(&name), Note::NotOpened { name: name.clone() });
    }
}
