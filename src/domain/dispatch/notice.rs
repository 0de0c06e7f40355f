//! A notice that says only that there is something to hear, and leads to an operator: whoever rings back about it is told, though the
//! dispatch was over as soon as the notice was handed over, or was accepted by text.
//!
//! Knows no call: `engine/calls/rings_back` finds who rings. What always holds: being told is written down once for each person, re-opens
//! and confirms nothing, and stands nobody down.

use super::Turn;
use super::event::Note;
use super::state::{Attempt, Channel, Phase, State};
use crate::base::id::ContactId;
use crate::base::phone::PhoneNumber;

/// Of a protected message that a notice was sent about: for so long whoever rings back is known by it, as a reference is.
pub const TOLD_WITHIN_MS: i64 = 14 * 86_400_000;

impl State {
    /// Who of those it has asked calls from `number`, who is one of `people`: as they were asked last.
    pub fn find_asked(&self, number: &PhoneNumber, people: &[ContactId]) -> Option<&Attempt> {
        let is_theirs = |a: &&Attempt| a.contact.as_ref().is_some_and(|contact| people.contains(contact));
        let is_there = |a: &&Attempt| a.address.phone() == Some(number);
        let asked = || self.attempts.iter().rev().filter(|a| a.is_step());
        asked().find(is_theirs).or_else(|| asked().find(is_there))
    }

    /// Who of its people may say yes to it, as far as anybody knows: whom its steps have asked last first, then whom it only told.
    pub fn list_asked(&self) -> Vec<&ContactId> {
        let is_asked = |a: &&Attempt| a.is_step() && self.is_of_now(&a.purpose) && !self.informs(&a.purpose);
        let (asked, told): (Vec<&Attempt>, Vec<&Attempt>) = self.attempts.iter().rev().partition(is_asked);
        asked.into_iter().chain(told).filter_map(|a| a.contact.as_ref()).collect()
    }

    /// The notice that whoever calls from `number`, who is one of `people`, has of this message, if it is over for them without their
    /// having heard or opened it. Asked of protected messages alone: whatever else is sent says what it is about.
    pub fn find_unheard_notice(&self, number: &PhoneNumber, people: &[ContactId]) -> Option<usize> {
        let is_theirs = |a: &Attempt| self.is_of_theirs(a, number, people);
        let own: Vec<&Attempt> = self.attempts.iter().filter(|a| is_theirs(a)).collect();
        // Whoever says yes in a call has heard it there.
        if own.iter().any(|a| a.told_at.is_some() || (a.channel == Channel::Call && a.confirmed_at.is_some())) {
            return None;
        }
        let is_over = match self.phase {
            Phase::Delivered => true,
            // By their own yes to the notice; to the others it was handled by somebody else.
            Phase::Confirmed => own.iter().any(|a| a.confirmed_at.is_some()),
            _ => false,
        };
        let has_it = |a: &Attempt| is_theirs(a) && a.channel != Channel::Call && a.accepted_at.is_some();
        self.attempts.iter().rposition(has_it).filter(|_| is_over)
    }

    /// The same of a message that is open: what was handed over to them, as long as nobody has told them what it is about.
    pub fn find_untold(&self, number: &PhoneNumber, people: &[ContactId]) -> Option<usize> {
        let is_theirs = |a: &Attempt| self.is_of_theirs(a, number, people);
        let is_told = self.attempts.iter().any(|a| is_theirs(a) && a.told_at.is_some());
        if is_told || !self.phase.is_open() {
            return None;
        }
        let has_it = |a: &Attempt| is_theirs(a) && a.channel != Channel::Call && a.accepted_at.is_some();
        self.attempts.iter().rposition(has_it)
    }

    fn is_of_theirs(&self, a: &Attempt, number: &PhoneNumber, people: &[ContactId]) -> bool {
        let theirs = a.contact.as_ref().is_some_and(|contact| people.contains(contact));
        a.is_step() && self.is_of_now(&a.purpose) && (theirs || a.address.phone() == Some(number))
    }
}

impl Turn<'_> {
    /// The operator `by` has told it to whoever had the notice, who rang back. Where there is nothing left to tell them, nothing changes,
    /// and whoever asks sees that.
    pub(super) fn told_by_operator(&mut self, by: &str, number: &PhoneNumber, people: &[ContactId]) {
        let over = self.s.find_unheard_notice(number, people);
        let Some(i) = over.or_else(|| self.s.find_untold(number, people)) else { return };
        let name = self.attempt(i).name.clone();
        self.told_as(i, &name, Note::ToldByOperator { name: name.clone(), by: by.to_owned() });
        self.s.unopened = self.s.unopened.take().filter(|unopened| !people.contains(&unopened.contact));
    }
}
