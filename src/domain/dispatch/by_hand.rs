//! What an operator does by hand for a dispatch, beside its steps: she calls a person of the account herself.
//!
//! Knows no desk: `engine/calls` rings her telephone and dials. What always holds: the call is hers from the moment she asks for
//! it, and comes to another only while somebody is on its line; no step waits for it or is held up by it; and what she says came
//! of it sets the facts that the outcome of any job sets, so that a yes confirms as it does by every other door.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::{Effect, Note};
use super::job::{Job, TAKE_WITHIN_MS, Taken};
use super::state::{Address, Attempt, Channel, Phase, Purpose, State};
use crate::base::id::{ContactId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Contact, Destination};

/// How long she may have it before all desks are asked what came of it, as any job.
const FINISH_WITHIN_MS: i64 = 15 * 60_000;

/// Whom an operator calls by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandCall {
    pub by: UserId,
    pub contact: ContactId,
    /// Their name, and what they call that telephone.
    pub name: String,
    pub label: String,
    pub number: PhoneNumber,
    pub ring_secs: u32,
}

/// A person's telephones with their numbers: the one called `first` before the others, which are as they are tried.
pub fn telephones<'a>(contact: &'a Contact, first: Option<&str>) -> Vec<(&'a Destination, &'a PhoneNumber)> {
    let own = contact.destinations.iter().filter_map(|d| Some((d, d.reach.phone()?)));
    let mut own: Vec<_> = own.collect();
    own.sort_by_key(|(d, _)| first != Some(d.label.as_str()));
    own
}

impl Turn<'_> {
    /// Where it cannot be now, nothing changes, and whoever asks sees that.
    pub(super) fn call_by_hand(&mut self, by: &str, call: &HandCall) {
        if !self.s.may_be_called(&call.number) {
            return;
        }
        let run = self.s.runs.len().saturating_sub(1);
        let address = Address::Phone(call.number.clone());
        let i = self.push_attempt(Purpose::ByHand { run }, Channel::Call, &call.name, &call.label, address);
        let now = self.now;
        let a = &mut self.s.attempts[i];
        a.contact = Some(call.contact.clone());
        a.ring_secs = call.ring_secs;
        a.leave_message = true;
        a.handed_at = Some(now);
        a.job = Some(Job {
            then_machine: false,
            offered_at: Some(now),
            due_at: now.plus_ms(FINISH_WITHIN_MS),
            taken: Some(Taken { by: call.by.clone(), name: by.to_owned(), at: now }),
        });
        self.effects.push(Effect::Hand(a.id.clone()));
        let (name, label) = (call.name.clone(), call.label.clone());
        self.record(Some(&call.name), Note::JobTaken { name, label, by: by.to_owned() });
    }

    /// She has it no longer, and has not said what came of it. Whoever is on its line may come to another operator.
    pub(super) fn hand_call_freed(&mut self, i: usize) {
        let due_at = self.now.plus_ms(TAKE_WITHIN_MS);
        let a = &mut self.s.attempts[i];
        let name = a.name.clone();
        let Some(job) = &mut a.job else { return };
        job.due_at = due_at;
        if let Some(taken) = job.taken.take() {
            self.record(Some(&name.clone()), Note::HandCallLeft { name, by: taken.name });
        }
    }

    /// Nobody is on its line any more: it is over, as nobody else has to make it.
    pub(super) fn hand_call_left(&mut self, i: usize) {
        self.hand_call_freed(i);
        self.drop_job(i);
    }
}

impl State {
    /// Somebody may be called by hand at that telephone: it has begun and is not over, nobody who rang back is spoken with, no
    /// other call is made by hand, and none at all to that telephone.
    pub fn may_be_called(&self, number: &PhoneNumber) -> bool {
        let begun = self.phase.is_open() && self.phase != Phase::Open;
        let in_the_way = |a: &Attempt| {
            let by_hand = a.is_by_hand() && a.channel == Channel::Call && !a.is_settled();
            let there = a.channel == Channel::Call && a.patch.is_none() && a.address.phone() == Some(number);
            by_hand || (there && a.in_flight_since.is_some())
        };
        begun && self.paused.is_none() && !self.attempts.iter().any(in_the_way)
    }

    /// Whom the step that it is in has asked, or the last one that it was in, and by what: who is called by hand first.
    pub fn asked_last(&self) -> Vec<(ContactId, String)> {
        let run = self.current().or_else(|| self.runs.len().checked_sub(1));
        let mut asked: Vec<(ContactId, String)> = Vec::new();
        for a in self.attempts.iter().filter(|a| run.is_some_and(|run| a.purpose == Purpose::Step { run })) {
            if let Some(contact) = &a.contact
                && !asked.iter().any(|(known, _)| known == contact)
            {
                asked.push((contact.clone(), a.label.clone()));
            }
        }
        asked
    }
}
