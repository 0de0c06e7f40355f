//! A call's task, as far as automated patches go: who is to be rung, and under whose name that shows.

use std::collections::VecDeque;
use std::time::Duration;

use super::{CallTask, ToCall};
use crate::base::phone::PhoneNumber;
use crate::domain::account::patching::{Found, Whom};
use crate::domain::call::Input;
use crate::domain::call::event::RecordEvent;
use crate::domain::call::reach::{Number, Person};
use crate::engine::feed::ContactRef;

impl CallTask {
    /// Has it found out beside the call who that is now; the call hears of it, or that it could not be told.
    pub(super) fn find_people(&self, whom: Vec<Whom>) {
        let (calls, facts) = (self.calls.clone(), self.facts.clone());
        tokio::spawn(async move {
            let now = calls.wiring.clock.utc();
            let found = calls.accounts.find_people(&facts.account.id, &whom, now).await.unwrap_or_else(|why| {
                tracing::error!(call = %facts.id, "nobody is rung for a caller, the store failed: {why}");
                Vec::new()
            });
            // An error means that the call is over.
            let _ = calls.to_call(&facts.id, ToCall::People(found));
        });
    }

    pub(super) fn on_people(&mut self, found: Vec<Found>) {
        self.people = found.iter().map(|f| ContactRef { id: f.contact.clone(), name: f.name.clone() }).collect();
        let people = found.into_iter().map(|found| {
            let secs = |(number, secs): (_, u32)| (number, Duration::from_secs(secs.max(1).into()));
            let numbers = self.numbers(found.numbers.into_iter().map(secs));
            Person { contact: found.contact, why: found.why, numbers }
        });
        let people = people.collect();
        self.tell(Input::People(people));
    }

    /// Telephones to be rung one after another, each by a leg of its own.
    pub(super) fn numbers(&self, numbers: impl IntoIterator<Item = (PhoneNumber, Duration)>) -> VecDeque<Number> {
        let fresh = |(number, ring)| Number { leg: self.calls.wiring.fresh_leg(), number, ring };
        numbers.into_iter().map(fresh).collect()
    }

    /// Who is being rung is who shows.
    pub(super) fn note_dialled(&mut self, event: &RecordEvent) {
        if let RecordEvent::PatchDialled { contact: Some(contact), .. } = event
            && let Some(person) = self.people.iter().find(|person| person.id == *contact)
        {
            self.contact = Some(person.clone());
        }
    }
}
