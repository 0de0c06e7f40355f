//! Steps that are made more than once: *call twice, two minutes apart*.
//!
//! What always holds: a try reaches those whom the step reached when it started, but for whom that is known to be of no use
//! (a wrong number, a STOP), or who have it where that is all it is for; the wait between two tries runs as any other, from acceptance or hang-up.

use super::Turn;
use super::event::Note;
use super::protocol::{Step, Until};
use super::state::{Attempt, Channel, Purpose, RunState};
use super::step::has_reached;
use crate::base::id::ContactId;

impl Turn<'_> {
    /// Makes the step of this run once more, with the same people.
    pub(super) fn try_again(&mut self, run: usize, step: &Step) {
        let enough = self.ends_at_reaching(step);
        let own = |a: &&Attempt| {
            Some(a.channel) == Channel::of(step.method) && !is_of_no_use(a) && !(enough && has_reached(a))
        };
        let person = |a: &Attempt| Some((a.contact.clone()?, a.label.clone()));
        let again: Vec<(ContactId, String)> = self.s.attempts_of_try(run).filter(own).filter_map(person).collect();
        let (first, end) = (self.s.runs[run].first_attempt, self.s.attempts.len());
        for a in &mut self.s.attempts[first..end] {
            // What waits for its edge goes out anew; not what an operator sends by hand meanwhile.
            if a.purpose == (Purpose::Step { run }) && a.in_flight_since.is_none() && !a.is_settled() {
                a.cancelled = true;
                a.retry_at = None;
                a.hold_until = None;
            }
        }
        let this = &mut self.s.runs[run];
        this.first_attempt = end;
        this.again = this.again.saturating_add(1);
        this.wait_from = None;
        this.state = RunState::Attempting;
        let (index, nth) = (this.step, this.again.saturating_add(1));
        let does = self.says(step);
        self.record(None, Note::Again { step: index, nth, of: step.times(), does });
        let world = self.world;
        for (id, label) in again {
            let Some(contact) = world.contact(&id) else { continue };
            let Some(destination) = contact.find_destination(&label) else { continue };
            self.plan(run, step, contact, destination);
        }
        if self.s.attempts_of_try(run).next().is_none() {
            self.end_run(run, RunState::Failed);
        }
    }

    /// It reached everybody, and reaching them is all that its step is for.
    pub(super) fn is_no_more_to_do(&self, run: usize, step: &Step) -> bool {
        self.ends_at_reaching(step) && self.s.attempts_of_try(run).all(has_reached)
    }

    /// Nobody has to answer: whoever has it is not bothered with it again.
    fn ends_at_reaching(&self, step: &Step) -> bool {
        step.until(self.s.protocol.until) == Some(Until::HandedOver)
    }

    /// The next try of the step that this run is in, in words; none: there is none.
    pub(super) fn says_try(&self, run: usize, step: &Step) -> Option<String> {
        let this = &self.s.runs[run];
        let nth = this.again.saturating_add(2);
        (this.has_tries_left(step) && !self.is_no_more_to_do(run, step))
            .then(|| format!("try {nth} of {}: {}", step.times(), self.says(step)))
    }
}

/// Another try would meet the same.
fn is_of_no_use(a: &Attempt) -> bool {
    a.cancelled || a.failed.as_ref().is_some_and(|failed| failed.permanent)
}
