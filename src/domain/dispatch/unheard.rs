//! A yes by text to a protected message from somebody who can neither open it nor has heard it: it is no confirmation, as nobody knows
//! what they would take on.
//!
//! What always holds: the dispatch goes on as if nothing had come, the desks are told, and the person hears what to do; once they have
//! heard it, in a call or from an operator, their next yes counts as any other.

use super::Turn;
use super::event::Note;
use super::state::{Attempt, Purpose, Trouble};
use crate::base::phone::PhoneNumber;

impl Turn<'_> {
    /// The person of this attempt cannot know what it is about: they have no inbox that opens it, and nobody has told it to them.
    pub(super) fn is_unknown_to(&self, i: usize) -> bool {
        if !self.world.is_protected() {
            return false;
        }
        let a = self.attempt(i);
        let opens = a.secure.is_some() && a.contact.as_ref().is_some_and(|contact| self.world.has_own_pin(contact));
        let theirs =
            |other: &&Attempt| other.address == a.address || (other.contact.is_some() && other.contact == a.contact);
        let knows = |other: &Attempt| other.told_at.is_some() && self.s.is_of_now(&other.purpose);
        !opens && !self.s.attempts.iter().filter(theirs).any(knows)
    }

    /// Their yes has come by text from `number`.
    pub(super) fn accepted_unheard(&mut self, i: usize, number: &PhoneNumber) {
        let name = self.attempt(i).name.clone();
        if self.says_again(i) {
            self.record(Some(&name), Note::AcceptedUnheard { name: name.clone() });
            self.tell(Purpose::HearFirstReply, &name, number);
        }
        if self.s.phase.is_open() {
            self.s.troubles.insert(Trouble::AcceptedUnheard { who: name });
        }
    }
}
