//! What the house does with an event: decides it in one commit, puts in line what is ready, and hands each turn to its edge.
//!
//! Called by the house and by the night. What always holds, unless it breaks a rule: the judge sees each commit before anything follows
//! from it, and nothing leaves whose handing over is not committed.

use std::collections::VecDeque;

use cordboard::base::id::{AttemptId, DispatchId};
use cordboard::domain::dispatch::apply;
use cordboard::domain::dispatch::event::{Effect, Event};
use cordboard::domain::dispatch::lanes::{Input, Lane, Named, Ready};
use cordboard::domain::dispatch::state::{Attempt, Channel, State};

use super::sabotage::Sabotage;
use super::{Crashed, House};

impl House {
    /// Applies an event, and does what follows. `settles`: what came in, in the same transaction.
    pub fn decide(&mut self, id: &DispatchId, event: &Event, settles: Option<usize>) -> Result<(), Crashed> {
        let mut follows = VecDeque::new();
        self.decide_once(id, event, settles, &mut follows)?;
        self.follow(follows)
    }

    fn decide_once(
        &mut self,
        id: &DispatchId,
        event: &Event,
        settles: Option<usize>,
        follows: &mut VecDeque<(DispatchId, Effect)>,
    ) -> Result<(), Crashed> {
        let now = self.now();
        let before = self.disk.rows[id].state.clone();
        let taken = self.taken_codes();
        let (mut after, mut effects) = apply(&before, event, now, &self.town.view(&before.message, &taken));
        let mut due = after.wake().map(|(at, _)| at);
        self.spoil(&before, &mut after, &mut effects, &mut due);
        self.before_commit()?;
        self.judge.committed(&before, &after, event, &effects);
        self.judge.stored(&after, due);
        let row = self.disk.rows.get_mut(id).expect("it was read");
        row.log.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Record(entry) => Some(entry.clone()),
            _ => None,
        }));
        row.due = due;
        row.state = after;
        if let Some(i) = settles {
            self.disk.inbound[i].handled = true;
        }
        self.point()?;
        self.line_up(id, &effects);
        follows.extend(effects.into_iter().map(|effect| (id.clone(), effect)));
        Ok(())
    }

    /// What a decision puts in line, and what it takes out.
    fn line_up(&mut self, id: &DispatchId, effects: &[Effect]) {
        let (now, state) = (self.now(), &self.disk.rows[id].state);
        let waiting =
            state.attempts.iter().filter(|a| state.is_ready(a)).map(|a| (a.id.clone(), self.lane_of(state, a)));
        let under_way = state.attempts.iter().filter(|a| a.in_flight_since.is_some()).map(|a| a.id.clone());
        let (waiting, under_way) = (waiting.collect(), under_way.collect());
        let mut ready = Vec::new();
        for effect in effects {
            let Effect::Hand(attempt) = effect else { continue };
            if let Some(a) = state.find_attempt(attempt).filter(|a| a.job.is_none()) {
                ready.push(Ready { lane: self.lane_of(state, a), ..Ready::of(state, a, None) });
            }
        }
        self.lanes.handle(now, Input::Dispatch { id: id.clone(), waiting, under_way });
        for ready in ready {
            self.lanes.handle(now, Input::Ready(ready));
        }
    }

    pub(super) fn follow(&mut self, mut follows: VecDeque<(DispatchId, Effect)>) -> Result<(), Crashed> {
        // It has its turn, and was asked for while those were gathered that leave in one.
        let mut next: Option<Named> = None;
        loop {
            while let Some((id, effect)) = follows.pop_front() {
                match effect {
                    Effect::Hand(attempt) => {
                        let is_job = self.disk.rows[&id].state.find_attempt(&attempt).is_some_and(|a| a.job.is_some());
                        if is_job {
                            self.hand(&id, attempt, &mut follows)?;
                        }
                    }
                    Effect::Perform(attempt) => self.perform(&id, &attempt)?,
                    Effect::CancelCall(attempt) => {
                        self.point()?;
                        self.outside.take_back(self.true_ms, self.boot, &attempt);
                    }
                    Effect::Record(_) => {}
                }
            }
            let Some(first) = next.take().or_else(|| self.lanes.poll_output()) else { return Ok(()) };
            self.look_who_waits(&first.dispatch, &first.attempt);
            let along = first.along.clone();
            let mut turn = vec![first];
            while along.is_some() && next.is_none() {
                match self.lanes.poll_output() {
                    Some(other) if other.along == along => turn.push(other),
                    Some(other) => next = Some(other),
                    None => break,
                }
            }
            self.hand_turn(turn, &mut follows)?;
        }
    }

    /// Hands over what has one turn: each is committed before any of it leaves.
    fn hand_turn(&mut self, turn: Vec<Named>, follows: &mut VecDeque<(DispatchId, Effect)>) -> Result<(), Crashed> {
        let mut joined = Vec::new();
        for Named { dispatch, attempt, along } in turn {
            self.hand(&dispatch, attempt.clone(), follows)?;
            let given = follows.iter().position(|(_, effect)| matches!(effect, Effect::Perform(id) if *id == attempt));
            match given {
                None => self.lanes.handle(self.now(), Input::NotHanded(attempt)),
                Some(at) if along.is_some() => {
                    follows.remove(at);
                    joined.push((dispatch, attempt));
                }
                Some(_) => {}
            }
        }
        self.perform_jointly(&joined)
    }

    /// As `engine/dispatcher/joint`: what is left of them leaves in one, and what becomes of that becomes of each.
    fn perform_jointly(&mut self, members: &[(DispatchId, AttemptId)]) -> Result<(), Crashed> {
        if members.len() < 2 {
            return members.iter().try_for_each(|(id, attempt)| self.perform(id, attempt));
        }
        let mut given: Vec<(State, Attempt)> = Vec::new();
        for (id, attempt) in members {
            let state = self.disk.rows[id].state.clone();
            let Some(a) = state.find_attempt(attempt).cloned() else { continue };
            given.push((state, a));
        }
        self.point()?;
        self.judge.leave_jointly(&given);
        let now = self.now();
        given.iter().for_each(|(_, a)| self.judge.in_hours(a, now));
        let answered = if self.breaks(Sabotage::SettlesOne) { 1 } else { given.len() };
        self.outside.takes_jointly(self.true_ms, self.boot, &mut self.rng, &mut self.judge, &given, answered);
        self.point()
    }

    fn hand(
        &mut self,
        id: &DispatchId,
        attempt: AttemptId,
        follows: &mut VecDeque<(DispatchId, Effect)>,
    ) -> Result<(), Crashed> {
        let event = Event::Hand { attempt, node: format!("node-{}", self.boot) };
        self.decide_once(id, &event, None, follows)
    }

    /// Something has its turn: does anything urgent wait in the same line?
    fn look_who_waits(&mut self, id: &DispatchId, attempt: &AttemptId) {
        let Some(per_minute) = self.rates else { return };
        let state = &self.disk.rows[id].state;
        let Some(a) = state.find_attempt(attempt).filter(|a| state.is_ready(a)) else { return };
        let (channel, lane, to) = (a.channel, Lane::of(state, a), a.address.clone());
        let waits = self.disk.rows.values().any(|row| {
            // Where each person has a pace, what waits for one holds up nobody else.
            let same = |a: &&Attempt| {
                let one = !self.paces_each || a.address == to;
                a.channel == channel && one && Lane::of(&row.state, a) == Lane::Urgent
            };
            row.state
                .attempts
                .iter()
                .filter(same)
                .any(|a| a.id != *attempt && row.state.is_ready(a) && a.job.is_none() && self.lanes.has(&a.id))
        });
        let now = self.now();
        match lane {
            Lane::Routine if [Channel::Text, Channel::Email, Channel::Pager, Channel::Push].contains(&channel) => {
                self.judge.routine_leaves(channel, per_minute, waits, now);
            }
            Lane::Urgent if !waits => self.judge.nothing_urgent(channel),
            _ => {}
        }
    }

    /// Gives an attempt to its edge. Its handing over is committed.
    fn perform(&mut self, id: &DispatchId, attempt: &AttemptId) -> Result<(), Crashed> {
        let state = self.disk.rows[id].state.clone();
        let Some(a) = state.find_attempt(attempt).cloned() else { return Ok(()) };
        self.point()?;
        self.judge.leaves(&state, &a);
        let now = self.now();
        self.judge.in_hours(&a, now);
        self.outside.takes(self.true_ms, self.boot, &mut self.rng, &mut self.judge, &state, &a);
        self.point()
    }

    /// A provider, or a call, answers for an attempt that this start of the process gave it.
    pub fn answers(&mut self, event: &Event, attempt: &AttemptId) -> Result<(), Crashed> {
        self.lanes.handle(self.now(), Input::Over(attempt.clone()));
        match self.dispatch_of(attempt) {
            Some(id) => self.decide(&id, event, None),
            None => Ok(()),
        }
    }
}
