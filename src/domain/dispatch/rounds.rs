//! Rounds: where the steps go on once they have run out, and whether a round has asked anybody.
//!
//! What always holds: steps go round only as long as one of them can still ask somebody. Once the caller has hung up nobody can
//! be put through any more, so that steps of which only patches were left have run out, and an operator is asked.

use super::Turn;
use super::event::Note;
use super::protocol::{Method, Protocol, Step};
use super::state::{State, Trouble};

impl Protocol {
    /// The steps that are made again once the last one is done.
    pub fn looped(&self) -> &[Step] {
        let Some(repeat) = self.repeat else { return &[] };
        let from = usize::try_from(repeat.from_step.saturating_sub(1)).unwrap_or(usize::MAX);
        self.steps.get(from..).unwrap_or_default()
    }
}

impl Step {
    /// It brings the message to somebody who is to act on it, whether the caller is on the line or not.
    pub fn asks_without_caller(&self) -> bool {
        !self.informs && self.method != Method::LivePatch
    }
}

impl State {
    /// Somebody is on the line who can be put through. Once they have gone they stay so.
    pub const fn is_caller_there(&self) -> bool {
        self.on_call.is_some() && !self.caller_gone
    }

    /// The step with which the next round begins, counted from 0. None: there is none, or no step of it can ask anybody any more.
    pub fn next_round(&self) -> Option<usize> {
        let looped = self.protocol.looped();
        let there = self.is_caller_there();
        let asks = |step: &Step| step.asks_without_caller() || (there && step.method == Method::LivePatch);
        looped.iter().any(asks).then(|| self.protocol.steps.len() - looped.len())
    }

    /// All steps of the round it is in were passed over, or found nobody.
    fn asked_nobody(&self) -> bool {
        let counts = |step: Option<&Step>| step.is_none_or(|step| !step.informs);
        let runs = self.runs.iter().enumerate().skip(self.first_run).filter(|(_, run)| run.round == self.round);
        let mut steps = runs.map(|(n, _)| n).filter(|n| counts(self.step_of(*n))).peekable();
        let held = |run: usize| self.step_of(run).is_some_and(|step| step.method.is_held());
        steps.peek().is_some() && steps.all(|run| !held(run) && self.attempts_of(run).next().is_none())
    }
}

impl Turn<'_> {
    pub(super) fn start_round(&mut self, step: usize) {
        let asked_nobody = self.s.asked_nobody();
        self.s.round += 1;
        self.s.round_at = self.now;
        self.record(None, Note::Round { round: self.s.round });
        if !self.s.anybody_told() {
            self.trouble(Trouble::NobodyTold);
        } else if asked_nobody {
            self.trouble(Trouble::NobodyAsked);
        }
        self.enter(step);
    }
}
