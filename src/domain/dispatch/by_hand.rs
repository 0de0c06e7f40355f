//! What an operator does by hand for a dispatch, beside its steps: she calls a person of the account herself, or has one texted now.
//!
//! Knows no desk: `engine/calls` rings her telephone and dials. What always holds: the call is hers from the moment she asks for
//! it, and comes to another only while somebody is on its line; no step waits for it or is held up by it, but that none rings into it
//! on the same telephone; and what she says came of it sets the facts that the outcome of any job sets, so that a yes confirms as it
//! does by every other door. A text by hand is what a step would send, under the same code, and never a second one to a telephone
//! that one is on its way to.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::{Effect, Note};
use super::inbox::Secure;
use super::job::{FINISH_WITHIN_MS, Job, TAKE_WITHIN_MS, Taken};
use super::protocol::Method;
use super::state::{Address, Attempt, Channel, Phase, Purpose, State};
use crate::base::clock::UtcMs;
use crate::base::id::{ContactId, DestinationId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::{Contact, Destination};

/// A key pressed twice sends no second text: for so long none goes to a telephone that one has just gone to.
const TEXT_AGAIN_MS: i64 = 30_000;

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

    /// The message to this telephone of a person's, now, whatever its hours: with a code, where the protocol confirms by text. Where it
    /// cannot be now, nothing changes, and whoever asks sees that.
    pub(super) fn text_by_hand(&mut self, by: &str, contact: &ContactId, destination: &DestinationId) {
        let world = self.world;
        let Some(contact) = world.contact(contact) else { return };
        let Some(destination) = contact.destinations.iter().find(|d| d.id == *destination) else { return };
        let Some(number) = destination.reach.phone() else { return };
        if destination.blocked || !self.s.may_be_texted(number, self.now) {
            return;
        }
        let confirms = self.s.protocol.steps.iter().any(|step| step.method == Method::TextConfirm);
        let code = if confirms { self.code_for(number) } else { None };
        if confirms && code.is_none() {
            // No code is left there, and a reply without one could be about any message.
            return;
        }
        let method = if confirms { Method::TextConfirm } else { Method::Text };
        let secure = Secure::of(method, contact, destination, world.is_protected());
        let run = self.s.runs.len().saturating_sub(1);
        let address = Address::Phone(number.clone());
        let i = self.push_attempt(Purpose::ByHand { run }, Channel::Text, &contact.name, &destination.label, address);
        let a = &mut self.s.attempts[i];
        a.contact = Some(contact.id.clone());
        a.ring_secs = destination.ring_secs;
        a.code = code;
        a.secure = secure;
        self.effects.push(Effect::Hand(a.id.clone()));
        let (name, label) = (contact.name.clone(), destination.label.clone());
        self.record(Some(&contact.name), Note::TextedByHand { name, label, by: by.to_owned() });
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

    /// A call by hand is over: what waited for that telephone is put in line.
    pub(super) fn free_its_telephone(&mut self, i: usize) {
        if !self.attempt(i).is_by_hand() {
            return;
        }
        for n in 0..self.s.attempts.len() {
            let a = self.attempt(n);
            if a.is_planned() && a.channel == Channel::Call && a.address == self.attempt(i).address {
                self.plan_again(n);
            }
        }
    }
}

impl State {
    /// Somebody may be called by hand at that telephone: no other call is made by hand, and none at all to that telephone.
    pub fn may_be_called(&self, number: &PhoneNumber) -> bool {
        let in_the_way = |a: &Attempt| {
            let by_hand = a.is_by_hand() && a.channel == Channel::Call && !a.is_settled();
            let there = a.channel == Channel::Call && a.patch.is_none() && a.address.phone() == Some(number);
            by_hand || (there && a.in_flight_since.is_some())
        };
        self.is_under_way() && !self.attempts.iter().any(in_the_way)
    }

    /// The operator who has a call that is made by hand, until she has said what came of it or has let go of it.
    pub fn hand_caller(&self) -> Option<&UserId> {
        let by_hand = |a: &&Attempt| a.is_by_hand() && a.channel == Channel::Call && !a.is_settled();
        let job = self.attempts.iter().filter(by_hand).find_map(|a| a.job.as_ref());
        job.and_then(|job| job.taken.as_ref()).map(|taken| &taken.by)
    }

    /// The message may be texted to that telephone by hand: none is on its way there, nor has one just gone.
    pub fn may_be_texted(&self, number: &PhoneNumber, now: UtcMs) -> bool {
        let in_the_way = |a: &Attempt| {
            let there = a.channel == Channel::Text && a.is_step() && a.address.phone() == Some(number);
            let just_now = a.failed.is_none() && now < a.planned_at.plus_ms(TEXT_AGAIN_MS);
            there && !a.cancelled && self.is_of_now(&a.purpose) && (!a.is_settled() || just_now)
        };
        self.is_under_way() && !self.attempts.iter().any(in_the_way)
    }

    /// An operator calls that telephone by hand now: a step does not ring into their talk.
    pub(super) fn is_spoken_on(&self, a: &Attempt) -> bool {
        let is_hers = |other: &Attempt| other.address == a.address && holds_its_line(other);
        a.channel == Channel::Call && self.attempts.iter().any(is_hers)
    }

    /// It has begun and is not over, and nobody who rang back is spoken with.
    fn is_under_way(&self) -> bool {
        self.phase.is_open() && self.phase != Phase::Open && self.paused.is_none()
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

/// It is a call by hand, and somebody may be spoken with in it. One of which nobody says for so long what came of it holds up nothing.
fn holds_its_line(a: &Attempt) -> bool {
    let Some(job) = a.job.as_ref().filter(|_| a.is_by_hand() && a.in_flight_since.is_some()) else { return false };
    let since = job.taken.as_ref().map(|taken| taken.at).or(a.handed_at);
    since.is_some_and(|since| job.due_at <= since.plus_ms(FINISH_WITHIN_MS))
}
