//! Dispatch: one run of a protocol for a message, until it is done by the protocol's own terms.
//!
//! Pure: [`apply`] takes a state, an event and the time, and gives the next state and what to do about it.
//! `engine/dispatcher` drives it: it commits the state first and has the effects done afterwards. Always true:
//! nothing of the message is handed over once somebody has confirmed, a confirmation counts once, and a
//! dispatch that is running has a time at which it wakes ([`State::wake`]).

pub mod along;
pub mod board;
pub mod by_hand;
mod change;
mod close;
pub mod condition;
pub mod condition_check;
pub mod confirm;
pub mod describe;
pub mod difference;
pub mod event;
pub mod fax;
pub mod hold;
pub mod in_hours;
pub mod inbox;
pub mod job;
pub mod lanes;
pub mod lock;
pub mod mail;
pub mod meanwhile;
pub mod notice;
pub mod patch_step;
pub mod pause;
pub mod protocol;
pub mod push;
mod queued;
pub mod recurring;
pub mod reference;
mod refused;
mod report;
mod retry;
mod rounds;
pub mod simulate;
pub mod state;
mod step;
pub mod stopped;
pub mod template;
pub mod timeline;
mod tries;
mod unheard;
pub mod unopened;
pub mod unread_check;
pub mod validate;

use crate::base::clock::UtcMs;
use crate::base::id::AttemptId;
use event::{Effect, Entry, Event, Note, OperatorAct, World};
use state::{Attempt, Channel, Cursor, Phase, RunState, State, Trouble};

/// More turns of the inner loop than any protocol has steps; a bound, not a limit anybody meets.
const MAX_TURNS: usize = 1_000;

/// The next state after `event`, and what to do once it is stored.
pub fn apply(state: &State, event: &Event, now: UtcMs, world: &dyn World) -> (State, Vec<Effect>) {
    let mut turn = Turn { s: state.clone(), now, world, effects: Vec::new() };
    turn.take(event);
    turn.settle();
    (turn.s, turn.effects)
}

/// One application of an event.
struct Turn<'a> {
    s: State,
    now: UtcMs,
    world: &'a dyn World,
    effects: Vec<Effect>,
}

impl Turn<'_> {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Due => {}
            Event::Resume => {
                // Whoever spoke with an operator was cut off with the process.
                if !self.resume() {
                    self.plan_all_again();
                }
            }
            Event::Hand { attempt, node } => self.with(attempt, |turn, i| turn.hand(i, node)),
            Event::Queued { attempt } => self.with(attempt, Self::queued),
            Event::Accepted { attempt, provider_id } => {
                self.with(attempt, |turn, i| turn.accepted(i, provider_id.as_deref()));
            }
            Event::AcceptedAlong { attempt, provider_id, along, of } => {
                self.with(attempt, |turn, i| turn.accepted_along(i, provider_id, along, *of));
            }
            Event::Pushed { attempt, answers } => self.with(attempt, |turn, i| turn.pushed(i, answers)),
            Event::Delivered { attempt } => self.with(attempt, Self::delivered),
            Event::Failed { attempt, failure, why } => self.with(attempt, |turn, i| turn.failed(i, *failure, why)),
            Event::Refused { attempt, failure, why, said } => {
                self.with(attempt, |turn, i| turn.refused(i, *failure, why, said));
            }
            Event::Interrupted { attempt } => self.with(attempt, Self::interrupted),
            Event::Call { attempt, news } => self.with(attempt, |turn, i| turn.call_news(i, *news)),
            Event::Faxed { attempt, outcome } => self.with(attempt, |turn, i| turn.faxed(i, *outcome)),
            Event::Job { attempt, news } => self.with(attempt, |turn, i| turn.job_news(i, news)),
            Event::Inbox { attempt, news } => self.with(attempt, |turn, i| turn.inbox_news(i, *news)),
            Event::Wrote { contact, name, words } => {
                let (contact, words) = (contact.clone(), Some(words.clone()));
                self.wrote(name, Note::Wrote { contact, name: name.clone(), words });
            }
            Event::Mail { attempt, fate } => self.with(attempt, |turn, i| turn.mail_fate(i, fate)),
            Event::MailYes { attempt } => self.with(attempt, Self::mail_yes),
            Event::WroteMail { attempt, from, words } => {
                self.with(attempt, |turn, i| turn.wrote_mail(i, from, words));
            }
            Event::UnopenedSeen { by } => self.unopened_seen(by),
            Event::RingsBack { who, by } => self.pause(who, by),
            Event::RangBack => {
                self.resume();
            }
            Event::Replied { number, code } => self.replied(number, *code),
            Event::Stopped { number } => self.stopped(number),
            Event::Started { number } => self.started(number),
            Event::AskedWhich { number, name } => self.ask_which(number, name),
            Event::Unplaced { number, name, help, words, among } => {
                let note = Note::Texted { name: name.clone(), words: words.clone(), among: *among };
                self.unplaced(number, name, note, *help);
            }
            Event::Dismissed { by, all } => self.dismissed(by, *all),
            Event::Operator { by, act } => self.operator(by, act),
            Event::CallEnded => {
                self.s.on_call = None;
                self.caller_gone();
                for i in 0..self.s.attempts.len() {
                    self.call_is_over_for(i);
                }
            }
            Event::Recapped { run, to, edition } => self.recapped(run, to, *edition),
            Event::ReadAtCheckIn { who, by, edition } => self.read_at_check_in(who, by.as_deref(), *edition),
            Event::Patching { contact, number, news } => self.patching(contact.as_ref(), number, *news),
            Event::Patched { to } => self.put_through(to),
        }
    }

    /// With the attempt of that name, if it is given to anybody outside. What an operator does for a caller on the line is not:
    /// whatever would be told of it by this way is not about it.
    fn with(&mut self, attempt: &AttemptId, act: impl FnOnce(&mut Self, usize)) {
        if let Some(i) = self.s.attempts.iter().position(|a| a.id == *attempt && a.patch.is_none()) {
            act(self, i);
        }
    }

    fn operator(&mut self, by: &str, act: &OperatorAct) {
        match act {
            OperatorAct::Confirm { who, note, edition } if self.takes_confirmation() && self.is_as_heard(*edition) => {
                self.record(
                    Some(who),
                    Note::Confirmed {
                        name: who.clone(),
                        via: event::Via::Operator,
                        note: note.clone(),
                        by: Some(by.to_owned()),
                    },
                );
                self.close(Phase::Confirmed, Some(who.clone()), None, None);
                self.stand_down_others(who, None);
            }
            OperatorAct::Told { number, people, edition } if self.is_as_heard(*edition) => {
                self.told_by_operator(by, number, people);
            }
            OperatorAct::Close { reason } if self.s.phase.is_open() => {
                self.close(Phase::ClosedByOperator, Some(by.to_owned()), Some(reason.clone()), None);
                self.stand_down_others("the answering service", None);
            }
            // What is held for a recap is in it: there is nothing to wait for that could be skipped.
            OperatorAct::Skip { moves }
                if matches!(self.s.phase, Phase::Running | Phase::HeldForCheckIn) && self.s.is_at(*moves) =>
            {
                self.record(Some(by), Note::Skipped { by: by.to_owned() });
                self.s.phase = Phase::Running;
                match self.s.cursor {
                    Cursor::In { run } => {
                        self.drop_unsettled(Some(run), None);
                        self.end_run(run, RunState::Skipped);
                        self.advance(run);
                    }
                    Cursor::Pausing { step, .. } => self.start_round(step),
                    // Only what an edge has not taken yet is waited for.
                    Cursor::Done => self.drop_unsettled(None, None),
                    Cursor::Before => {}
                }
            }
            OperatorAct::Retry { moves } if self.s.phase.is_open() && self.s.is_at(*moves) => self.retry(by),
            OperatorAct::Call(call) => self.call_by_hand(by, call),
            OperatorAct::Text { contact, destination } => self.text_by_hand(by, contact, destination),
            OperatorAct::Undo if self.s.phase == Phase::Open && self.now < self.s.open_at => {
                self.close(Phase::Cancelled, Some(by.to_owned()), None, None);
            }
            OperatorAct::Change { urgency, protocol, again, unsent } => {
                self.change(by, *urgency, protocol.as_deref(), *again, unsent.as_deref());
            }
            // Too late, not now, of a step that is over, or to words of before a change: nothing changes, and the caller sees
            // that nothing did.
            OperatorAct::Confirm { .. }
            | OperatorAct::Told { .. }
            | OperatorAct::Close { .. }
            | OperatorAct::Skip { .. }
            | OperatorAct::Retry { .. }
            | OperatorAct::Undo => {}
        }
    }

    /// Does everything that is due by now.
    fn settle(&mut self) {
        self.mind_the_held_back();
        self.mind_the_unopened();
        if self.is_paused() {
            return;
        }
        self.settle_attempts();
        for _ in 0..MAX_TURNS {
            let moved = match (self.s.phase, self.s.cursor) {
                (Phase::Open, _) if self.now >= self.s.open_at => self.open(),
                (Phase::Running, Cursor::Before) => {
                    self.enter(0);
                    true
                }
                (Phase::Running, Cursor::Pausing { until, step }) if self.now >= until => {
                    self.start_round(step);
                    true
                }
                (Phase::Running, Cursor::In { run }) => self.pass(run),
                (Phase::HeldForCheckIn | Phase::HeldForRecap, Cursor::In { run }) => self.pass_held(run),
                (Phase::Running, Cursor::Done) => self.finish(),
                _ => false,
            };
            if !moved {
                return;
            }
        }
    }

    fn open(&mut self) -> bool {
        let (protocol, version) = (self.s.protocol.name.clone(), self.s.protocol.version);
        self.record(None, Note::Opened { protocol, version });
        if self.s.patched_to.is_empty() {
            self.s.phase = Phase::Running;
            self.s.round = 1;
            self.s.round_at = self.now;
        } else {
            let to = patch_step::in_turn(&self.s.patched_to);
            self.close(Phase::Patched, Some(to), None, None);
            self.send_records();
        }
        true
    }

    /// Retries, holds and guards that have run out.
    fn settle_attempts(&mut self) {
        for i in 0..self.s.attempts.len() {
            let a = &self.s.attempts[i];
            let due = |at: Option<UtcMs>| at.is_some_and(|at| at <= self.now);
            if a.is_settled() {
                continue;
            }
            if due(a.retry_at) {
                self.s.attempts[i].retry_at = None;
                self.plan_again(i);
            } else if due(a.hold_until) {
                self.s.attempts[i].hold_until = None;
                self.plan_again(i);
            } else if a.is_planned() && due(Some(a.hand_by())) {
                self.plan_again(i);
            } else if let Some(since) = a.in_flight_since {
                if let Some(patch) = &a.patch {
                    if due(Some(patch.due_at)) {
                        self.patch_due(i);
                    }
                } else if let Some(job) = &a.job {
                    if due(Some(job.due_at)) {
                        self.job_due(i);
                    }
                } else if a.channel == Channel::Call {
                    if self.now >= a.call_guard_at(since) {
                        self.call_news(i, event::CallNews::Ended(state::CallOutcome::Lost));
                    }
                } else if self.now >= since.plus_ms(a.answer_within_ms()) {
                    self.failed(i, event::Failure::Unknown, "no_answer");
                }
            }
        }
    }

    /// Puts an attempt (back) in line to be handed over now.
    fn plan_again(&mut self, i: usize) {
        self.s.attempts[i].planned_at = self.now;
        self.effects.push(Effect::Hand(self.s.attempts[i].id.clone()));
    }

    /// The same with all that wait for it.
    fn plan_all_again(&mut self) {
        for i in 0..self.s.attempts.len() {
            if self.s.attempts[i].is_planned() {
                self.plan_again(i);
            }
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        if self.s.troubles.insert(trouble.clone()) {
            self.record(None, Note::Trouble { trouble });
        }
    }

    fn record(&mut self, who: Option<&str>, note: Note) {
        self.effects.push(Effect::Record(Entry { at: self.now, who: who.map(str::to_owned), note }));
    }

    /// The identifier of the next attempt: made of the dispatch's own, so that a replay gives the same.
    fn next_attempt_id(&self) -> AttemptId {
        let own = self.s.id.as_str();
        let own = own.split_once('_').map_or(own, |(_, rest)| rest);
        AttemptId::named(&format!("{own}-{}", self.s.attempts.len() + 1))
    }

    fn attempt(&self, i: usize) -> &Attempt {
        &self.s.attempts[i]
    }
}

#[cfg(test)]
mod tests;
