//! Whoever asked for no more texts (STOP) is texted nothing: no answer, and not that it is over either.
//!
//! Of the texts that bring the message, the steps (`step`) and operators (`by_hand`) see to it themselves. What always
//! holds: who is not told for it stands on the time line; what waited for its turn when they asked for it does not leave.

use super::Turn;
use super::event::Note;
use super::state::{Address, Channel, FailedFor};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Contact;

impl Turn<'_> {
    /// Texts to this address are not wanted. Of a number that nobody has any more, its STOP to what was texted there is known.
    pub(super) fn refuses_texts(&self, address: &Address) -> bool {
        let Some(number) = address.phone() else { return false };
        let stopped = || {
            let mut texts = self.s.attempts.iter().filter(|a| a.channel == Channel::Text && a.address == *address);
            texts.any(|a| a.failed.as_ref().is_some_and(FailedFor::is_stopped))
        };
        self.world.takes_texts(number).map_or_else(stopped, |takes| !takes)
    }

    pub(super) fn not_texted(&mut self, name: &str) {
        self.record(Some(name), Note::NotTexted { name: name.to_owned() });
    }

    /// A text that is not the message was to leave now, and they have asked for none since it was planned. Whether it stays.
    pub(super) fn holds_back_answer(&mut self, i: usize) -> bool {
        let a = self.attempt(i);
        if a.channel != Channel::Text || a.is_step() || !self.refuses_texts(&a.address) {
            return false;
        }
        let name = a.name.clone();
        let a = &mut self.s.attempts[i];
        a.cancelled = true;
        a.queued_at = None;
        self.not_texted(&name);
        true
    }
}

/// Whether texts may go to this number of one of these people; none: nobody has it.
pub fn takes_texts(people: &[Contact], number: &PhoneNumber) -> Option<bool> {
    let mut theirs = people.iter().flat_map(|person| &person.destinations).filter(|d| d.reach.phone() == Some(number));
    theirs.next().map(|first| !first.blocked && theirs.all(|d| !d.blocked))
}
