//! Calls that an operator makes: an attempt that is a job on the desks until somebody has taken it, has dialled, and says
//! what came of it.
//!
//! Knows no desk and no line: `engine/calls` offers the job and tells of it. What always holds: one operator at most has a
//! job; what an operator says came of it sets the same facts as the machine's news; and a job that nobody takes goes to
//! the machine or sounds on all desks, it never just waits.

use serde::{Deserialize, Serialize};

use super::Turn;
use super::event::{Effect, Failure, Note, Via};
use super::protocol::Method;
use super::state::{CallOutcome, Trouble};
use crate::base::clock::UtcMs;
use crate::base::id::UserId;

/// How long a job waits for an operator before the machine makes the call, or all desks are alarmed.
pub const TAKE_WITHIN_MS: i64 = 60_000;
/// One that is let go of waits at least so long for the next operator, however long ago it was first on the desks: the telephone that
/// was rung is free by then.
const LET_GO_MS: i64 = 10_000;
/// How long an operator may have it before all desks are asked what came of it.
pub(super) const FINISH_WITHIN_MS: i64 = 15 * 60_000;
/// Between two looks at a job that is late.
const AGAIN_MS: i64 = 60_000;

/// What makes an attempt an operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The machine makes the call if no operator takes it in time.
    pub then_machine: bool,
    /// When it was first on the desks.
    pub offered_at: Option<UtcMs>,
    /// By then somebody should have taken it, or have said what came of it.
    pub due_at: UtcMs,
    /// Who has it.
    pub taken: Option<Taken>,
}

/// The lock on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub by: UserId,
    pub name: String,
    pub at: UtcMs,
}

impl Job {
    /// The job that a method makes of its attempts, if it does.
    pub(super) const fn of(method: Method, now: UtcMs) -> Option<Self> {
        match method {
            Method::OperatorCall { then_machine, .. } => {
                Some(Self { then_machine, offered_at: None, due_at: now, taken: None })
            }
            _ => None,
        }
    }
}

/// By when another operator has to take a job that was first on the desks at `offered_at` and is let go of at `now`. Passed around from
/// desk to desk it waits no longer than one that nobody has touched.
pub fn take_again_by(offered_at: UtcMs, now: UtcMs) -> UtcMs {
    offered_at.plus_ms(TAKE_WITHIN_MS).max(now.plus_ms(LET_GO_MS))
}

/// What happens to a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum JobNews {
    /// An operator has it from now on.
    Taken { by: UserId, name: String },
    /// The dialled telephone was answered.
    Answered { by: UserId },
    /// The operator is gone, or has given it back.
    Freed { by: UserId },
    /// Its call was lost: whoever has had it since then, or longer, has it no longer.
    Left { at: UtcMs },
    /// It was taken back, and the operator has no more to do with it.
    Dropped,
    /// The operator says what came of it.
    Done { by: UserId, name: String, outcome: JobOutcome },
}

/// What came of a call that an operator made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobOutcome {
    /// This person has heard the whole message.
    Told {
        name: String,
    },
    /// And said yes.
    Confirmed {
        name: String,
    },
    Refused,
    /// This person will have the contact call back.
    LeftWith {
        name: String,
    },
    LeftOnVoicemail,
    NoAnswer,
    Busy,
    WrongNumber,
}

impl JobOutcome {
    /// The name stored and shown to programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Told { .. } => "told",
            Self::Confirmed { .. } => "confirmed",
            Self::Refused => "refused",
            Self::LeftWith { .. } => "left_with",
            Self::LeftOnVoicemail => "left_on_voicemail",
            Self::NoAnswer => "no_answer",
            Self::Busy => "busy",
            Self::WrongNumber => "wrong_number",
        }
    }

    /// The same in the machine's words.
    const fn of_call(&self) -> CallOutcome {
        match self {
            Self::Told { .. } => CallOutcome::ToldOnly,
            Self::Confirmed { .. } => CallOutcome::Confirmed,
            Self::Refused | Self::WrongNumber => CallOutcome::Declined,
            Self::LeftWith { .. } | Self::LeftOnVoicemail => CallOutcome::LeftRequest,
            Self::NoAnswer => CallOutcome::NoAnswer,
            Self::Busy => CallOutcome::Busy,
        }
    }

    /// Somebody or something has answered.
    const fn was_answered(&self) -> bool {
        !matches!(self, Self::NoAnswer | Self::Busy)
    }
}

impl Turn<'_> {
    /// Puts a planned job on the desks of the node.
    pub(super) fn offer_job(&mut self, i: usize, node: &str) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        let Some(job) = &mut a.job else { return };
        let first = job.offered_at.is_none();
        if first {
            job.offered_at = Some(now);
            job.due_at = now.plus_ms(TAKE_WITHIN_MS);
        }
        let then_machine = job.then_machine;
        a.in_flight_since = Some(now);
        a.owner = Some(node.to_owned());
        let (id, name, label) = (a.id.clone(), a.name.clone(), a.label.clone());
        self.effects.push(Effect::Perform(id));
        if first {
            self.record(Some(&name.clone()), Note::JobOffered { name, label, then_machine });
        }
    }

    pub(super) fn job_news(&mut self, i: usize, news: &JobNews) {
        let a = &self.s.attempts[i];
        let Some(job) = a.job.as_ref().filter(|_| a.in_flight_since.is_some()) else { return };
        let taken = job.taken.clone();
        let hers = |by: &UserId| taken.as_ref().is_some_and(|taken| taken.by == *by);
        match news {
            JobNews::Taken { by, name } if taken.is_none() && self.s.phase.is_open() => self.job_taken(i, by, name),
            JobNews::Answered { by } if hers(by) && a.accepted_at.is_none() => {
                let name = a.name.clone();
                self.s.attempts[i].accepted_at = Some(self.now);
                self.record(Some(&name.clone()), Note::Answered { name });
            }
            JobNews::Freed { by } if hers(by) && a.is_by_hand() => self.hand_call_freed(i),
            JobNews::Left { at } if a.is_by_hand() && taken.as_ref().is_none_or(|taken| taken.at <= *at) => {
                self.hand_call_left(i);
            }
            JobNews::Freed { by } if hers(by) => self.job_freed(i),
            // Who took it after that has another call for it.
            JobNews::Left { at } if taken.as_ref().is_some_and(|taken| taken.at <= *at) => self.job_freed(i),
            JobNews::Dropped => self.drop_job(i),
            // Of a job that nobody has, whoever made the call may say it: the lock may have fallen with a process.
            JobNews::Done { by, name, outcome } if hers(by) || taken.is_none() => {
                if taken.is_none() {
                    self.effects.push(Effect::CancelCall(a.id.clone()));
                }
                self.job_done(i, name, outcome);
                self.free_its_telephone(i);
            }
            // Too late, or somebody else's: nothing changes, and whoever says it sees that.
            JobNews::Taken { .. }
            | JobNews::Answered { .. }
            | JobNews::Freed { .. }
            | JobNews::Left { .. }
            | JobNews::Done { .. } => {}
        }
    }

    fn job_taken(&mut self, i: usize, by: &UserId, name: &str) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        a.handed_at.get_or_insert(now);
        if let Some(job) = &mut a.job {
            job.taken = Some(Taken { by: by.clone(), name: name.to_owned(), at: now });
            job.due_at = now.plus_ms(FINISH_WITHIN_MS);
        }
        let (who, label) = (a.name.clone(), a.label.clone());
        self.s.troubles.remove(&Trouble::JobWaits { who: who.clone() });
        self.record(Some(&who.clone()), Note::JobTaken { name: who, label, by: name.to_owned() });
    }

    fn job_freed(&mut self, i: usize) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        let name = a.name.clone();
        let Some(job) = &mut a.job else { return };
        job.due_at = take_again_by(job.offered_at.unwrap_or(now), now);
        if let Some(taken) = job.taken.take() {
            self.record(Some(&name.clone()), Note::JobFreed { name, by: taken.name });
        }
    }

    /// Nobody has anything more to do with it.
    pub(super) fn drop_job(&mut self, i: usize) {
        let a = &mut self.s.attempts[i];
        a.in_flight_since = None;
        a.owner = None;
        a.cancelled = true;
        let who = a.name.clone();
        self.s.troubles.remove(&Trouble::JobWaits { who });
        self.free_its_telephone(i);
    }

    fn job_done(&mut self, i: usize, by: &str, outcome: &JobOutcome) {
        let now = self.now;
        let a = &mut self.s.attempts[i];
        let (name, label) = (a.name.clone(), a.label.clone());
        if outcome.was_answered() {
            a.accepted_at.get_or_insert(now);
        }
        self.s.troubles.remove(&Trouble::JobWaits { who: name.clone() });
        let said = Note::JobDone { name: name.clone(), label, by: by.to_owned(), outcome: outcome.clone() };
        self.record(Some(&name), said);
        if *outcome == JobOutcome::WrongNumber {
            self.failed(i, Failure::Permanent, "wrong_number");
            if self.s.phase.is_open() {
                self.trouble(Trouble::Unreachable { who: name });
            }
            return;
        }
        let a = &mut self.s.attempts[i];
        a.in_flight_since = None;
        a.owner = None;
        a.ended_at = Some(now);
        a.outcome = Some(outcome.of_call());
        match outcome {
            JobOutcome::Told { name } => self.told_by(i, name),
            JobOutcome::Confirmed { name } => {
                self.told_by(i, name);
                self.confirm_as(i, Via::Operator, name, Some(by));
            }
            _ => {}
        }
    }

    /// Its time is over, whether anybody has it or not.
    pub(super) fn job_due(&mut self, i: usize) {
        let now = self.now;
        // One of before the message was changed is wanted no more.
        let open = self.s.phase.is_open() && self.is_of_now(i);
        let a = &mut self.s.attempts[i];
        let Some(job) = &mut a.job else { return };
        let (id, name) = (a.id.clone(), a.name.clone());
        if !open {
            self.effects.push(Effect::CancelCall(id));
            return self.drop_job(i);
        }
        if job.taken.is_some() || !job.then_machine {
            job.due_at = now.plus_ms(AGAIN_MS);
            return self.trouble(Trouble::JobWaits { who: name });
        }
        a.job = None;
        a.in_flight_since = None;
        a.owner = None;
        self.effects.push(Effect::CancelCall(id));
        self.record(Some(&name.clone()), Note::NobodyTook { name });
        self.plan_again(i);
    }

    /// The node that offered it is gone: it is offered anew, and nobody has it.
    pub(super) fn job_interrupted(&mut self, i: usize) {
        if self.attempt(i).is_by_hand() {
            return self.hand_call_left(i);
        }
        let (now, open) = (self.now, self.s.phase.is_open() && self.is_of_now(i));
        let a = &mut self.s.attempts[i];
        let Some(job) = &mut a.job else { return };
        a.in_flight_since = None;
        a.owner = None;
        if !open {
            a.cancelled = true;
            return;
        }
        let name = a.name.clone();
        if let Some(taken) = job.taken.take() {
            job.due_at = take_again_by(job.offered_at.unwrap_or(now), now);
            self.record(Some(&name.clone()), Note::JobFreed { name, by: taken.name });
        }
        self.plan_again(i);
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
