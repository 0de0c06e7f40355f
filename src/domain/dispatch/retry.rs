//! An operator has something tried again: what did not get through, else the step, else the steps that have run out.
//!
//! What always holds: a call that is up is left alone, and what got through is not sent again unless its whole step is.

use super::Turn;
use super::event::Note;
use super::protocol::Until;
use super::state::{Attempt, Channel, Cursor, Phase, Purpose, RunState};
use super::step::has_reached;

impl Turn<'_> {
    pub(super) fn retry(&mut self, by: &str) {
        let failed = self.failed_in_reach();
        // Where somebody has to say yes, a whole round asks more than what failed in the last one.
        let again = self.s.phase == Phase::Running || self.s.protocol.until == Until::HandedOver;
        match (self.s.phase, self.s.cursor) {
            _ if self.is_paused() => {}
            (Phase::Running | Phase::ExhaustedUnconfirmed, _) if again && !failed.is_empty() => {
                self.note_retry(by);
                for i in failed {
                    self.revive(i);
                }
                if self.s.phase == Phase::ExhaustedUnconfirmed {
                    self.s.troubles.retain(|trouble| !trouble.is_run_out());
                    self.s.phase = Phase::Running;
                }
            }
            (Phase::Running, Cursor::In { run }) if !self.is_being_made(run) => {
                self.note_retry(by);
                let step = self.s.runs[run].step;
                self.drop_unsettled(Some(run), None);
                self.end_run(run, RunState::Skipped);
                self.enter(step);
            }
            (Phase::Running, Cursor::Pausing { step, .. }) => {
                self.note_retry(by);
                self.start_round(step);
            }
            (Phase::ExhaustedUnconfirmed, _) if !self.s.protocol.steps.is_empty() => {
                self.note_retry(by);
                self.s.troubles.retain(|trouble| !trouble.is_run_out());
                self.s.phase = Phase::Running;
                // Where the steps that went round can ask nobody any more, all of them.
                self.start_round(self.s.next_round().unwrap_or(0));
            }
            // Before it begins, while it is held, or while somebody is being called: there is nothing to try again.
            _ => {}
        }
    }

    fn note_retry(&mut self, by: &str) {
        self.s.retried = self.s.retried.saturating_add(1);
        self.record(Some(by), Note::Retried { by: by.to_owned() });
    }

    /// Attempts of the step it is in, or of all once none is left, that wait for their next try or were given up without
    /// having got through. Not calls: another one is another attempt. Nor what can never get through.
    fn failed_in_reach(&self) -> Vec<usize> {
        let run = match self.s.cursor {
            Cursor::In { run } => Some(run),
            Cursor::Before | Cursor::Pausing { .. } | Cursor::Done => None,
        };
        let meant = |i: &usize| {
            let a = &self.s.attempts[*i];
            let here = match run {
                Some(run) => a.purpose == Purpose::Step { run },
                None => a.is_step(),
            };
            let given_up = a.failed.as_ref().is_some_and(|failed| !failed.permanent);
            let idle = a.in_flight_since.is_none() && a.accepted_at.is_none() && !a.cancelled;
            // By a later try of the step.
            let got_through =
                |other: &Attempt| other.purpose == a.purpose && other.address == a.address && has_reached(other);
            let needed = !self.s.attempts.iter().any(got_through);
            here && needed
                && self.is_of_now(*i)
                && a.channel != Channel::Call
                && idle
                && (given_up || a.retry_at.is_some())
        };
        (0..self.s.attempts.len()).filter(meant).collect()
    }

    /// It has all its tries once more.
    fn revive(&mut self, i: usize) {
        let a = &mut self.s.attempts[i];
        a.failed = None;
        a.retry_at = None;
        a.failures = 0;
        a.held_up = 0;
        // Whoever has it tried again knows that it may have arrived.
        a.devices.iter_mut().for_each(|device| device.tries = 0);
        self.plan_again(i);
    }

    /// Somebody is called for this step, or has the call to make.
    fn is_being_made(&self, run: usize) -> bool {
        self.s.attempts_of(run).any(|a| {
            let untaken = a.job.as_ref().is_some_and(|job| job.taken.is_none());
            a.channel == Channel::Call && a.in_flight_since.is_some() && !untaken
        })
    }
}
