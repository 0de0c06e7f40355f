//! Attempts that wait for their turn in a lane ([`super::lanes`]): said on the time line, an alarm if an urgent one waits for
//! long, and no reason for a step to stand still.
//!
//! What always holds: waiting for a turn loses nothing; what is handed over, or not wanted any more, is no alarm.

use std::collections::BTreeSet;

use super::Turn;
use super::event::Note;
use super::state::{Address, Attempt, Channel, HELD_BACK_MS, Purpose, State, Trouble};
use crate::base::clock::UtcMs;
use crate::domain::account::Urgency;

impl State {
    /// It waits to be handed over, and may be now.
    pub fn is_ready(&self, a: &Attempt) -> bool {
        let held = !self.phase.is_open() || self.paused.is_some();
        a.is_planned() && !(a.is_step() && (held || self.is_spoken_on(a)))
    }

    /// It may leave in one with others that wait: as it was planned, and still.
    pub fn may_join(&self, a: &Attempt) -> bool {
        a.joins && a.is_step() && self.urgency != Urgency::Urgent && self.is_of_now(&a.purpose)
    }

    /// It is urgent, somebody's answer to it is waited for, and it waits for its turn for too long.
    pub fn is_held_back(&self, a: &Attempt, now: UtcMs) -> bool {
        let long = a.queued_at.is_some_and(|at| now >= at.plus_ms(HELD_BACK_MS));
        long && self.is_ready(a) && self.is_pressing(a)
    }

    fn is_pressing(&self, a: &Attempt) -> bool {
        let urgent = self.urgency == Urgency::Urgent && a.is_step();
        urgent && self.is_of_now(&a.purpose) && !self.informs(&a.purpose)
    }
}

impl Turn<'_> {
    pub(super) fn queued(&mut self, i: usize) {
        let a = &self.s.attempts[i];
        if a.queued_at.is_some() || a.job.is_some() || !self.s.is_ready(a) {
            return;
        }
        let (channel, name, pressing) = (a.channel, a.name.clone(), self.s.is_pressing(a));
        let a = &mut self.s.attempts[i];
        a.queued_at = Some(a.planned_at);
        a.held_back_at = pressing.then(|| a.planned_at.plus_ms(HELD_BACK_MS));
        self.record(Some(&name.clone()), Note::Queued { channel, name });
    }

    /// The message has become urgent: what waits for its turn is looked at from now on, and as of when it was put in line.
    pub(super) fn mind_its_turns(&mut self) {
        for i in 0..self.s.attempts.len() {
            let a = &self.s.attempts[i];
            let pressing = a.is_planned() && self.s.is_pressing(a);
            if let Some(at) = a.queued_at.filter(|_| pressing) {
                self.s.attempts[i].held_back_at = Some(at.plus_ms(HELD_BACK_MS));
            }
        }
    }

    /// Alarms of what is held back, and takes the alarms back of what is not any more.
    pub(super) fn mind_the_held_back(&mut self) {
        let held: BTreeSet<Channel> =
            self.s.attempts.iter().filter(|a| self.s.is_held_back(a, self.now)).map(|a| a.channel).collect();
        for a in self.s.attempts.iter_mut().filter(|a| a.held_back_at.is_some_and(|at| at <= self.now)) {
            a.held_back_at = None;
        }
        self.s.troubles.retain(|trouble| match trouble {
            Trouble::HeldBack { channel } => held.contains(channel),
            _ => true,
        });
        for channel in held {
            self.trouble(Trouble::HeldBack { channel });
        }
    }

    /// A step that comes again before its last attempt has had its turn: that one is left out, as the next, which is planned
    /// now, says the same with the same code. Each person still has everything that is to be said to them.
    pub(super) fn bundle(&mut self, run: usize, channel: Channel, name: &str, address: &Address) {
        let step = self.s.runs[run].step;
        let is_same = |s: &State, a: &Attempt| {
            let of_step =
                matches!(a.purpose, Purpose::Step { run } if s.runs.get(run).is_some_and(|run| run.step == step));
            let same = of_step && a.channel == channel && a.address == *address && s.is_of_now(&a.purpose);
            // Or it waits for its edge, which has been away for long.
            let put_off = a.is_put_off() && a.in_flight_since.is_none() && !a.is_settled();
            same && (put_off || (a.queued_at.is_some() && s.is_ready(a)))
        };
        let left_out: Vec<usize> =
            self.s.attempts.iter().enumerate().filter(|(_, a)| is_same(&self.s, a)).map(|(i, _)| i).collect();
        for i in left_out {
            let a = &mut self.s.attempts[i];
            a.cancelled = true;
            a.held_back_at = None;
            a.retry_at = None;
            self.record(Some(name), Note::Bundled { channel, name: name.to_owned() });
        }
    }
}
