//! A call's task, as far as it began at our side: what it is for, and what is told of it to whoever waits to hear.
//!
//! What always holds: a job's lock is told when it is taken and when it is let go, whatever it ends by; and a call that ends
//! without anybody having said what came of the job leaves the job to be offered anew.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::CallTask;
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, UserId};
use crate::base::phone::PhoneNumber;
use crate::domain::call::Input;
use crate::domain::call::errand::Errand;
use crate::domain::call::ring_back::RingBack;
use crate::domain::ivr::digits::Entered;
use crate::domain::operator::skill::Skills;
use crate::domain::queue::Terms;
use crate::engine::callout::{CallOutEvent, JobEvent, JobOffer};
use crate::engine::calls::callbacks::{RING, RungBack};
use crate::engine::desk::Waiting;
use crate::engine::feed::{ContactRef, DialledView, JobView};
use crate::io::store::callbacks::Callback;

/// Whom a call is made to, and why.
pub(in crate::engine::calls) enum Outward {
    /// A caller who was promised it, and whom to tell what came of it.
    Promise {
        callback: Callback,
        /// What they entered in the menu of that call.
        entered: Vec<Entered>,
        tell: Option<oneshot::Sender<RungBack>>,
    },
    Job(JobAtWork),
    /// An operator dials out.
    Own(OwnCall),
}

/// A job and the call that does it.
pub(in crate::engine::calls) struct JobAtWork {
    pub offer: JobOffer,
    pub events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
    pub end: Option<oneshot::Sender<JobEnd>>,
    /// Who has it.
    held_by: Option<UserId>,
    /// What came of it.
    outcome: Option<&'static str>,
    stood_down: bool,
}

/// How the call of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::calls) enum JobEnd {
    /// It is known what came of it, or it was taken back.
    Done,
    /// It is to be offered anew.
    Left,
    /// The service is stopping.
    Stopped,
}

/// A call that an operator makes by themselves.
pub(in crate::engine::calls) struct OwnCall {
    pub by: UserId,
    pub to: PhoneNumber,
    pub contact: Option<ContactRef>,
    /// What the contact calls that telephone.
    pub label: Option<String>,
    pub ring: Duration,
}

/// What is said to a job's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::calls) enum ToJob {
    StoodDown,
    /// The dispatcher knows what came of it.
    Settled(&'static str),
    GivenBack,
}

impl JobAtWork {
    pub(in crate::engine::calls) fn new(
        offer: JobOffer,
        events: mpsc::UnboundedSender<(AttemptId, CallOutEvent)>,
        end: oneshot::Sender<JobEnd>,
    ) -> Self {
        Self { offer, events, end: Some(end), held_by: None, outcome: None, stood_down: false }
    }

    /// The call and its wrap-up are over, or its task is lost: the lock goes, and whoever keeps the job hears how it stands.
    /// Once.
    fn let_go(&mut self, stopped: bool) {
        let Some(tell) = self.end.take() else { return };
        let held_by = self.held_by.take();
        let end = match (self.outcome.is_some(), self.stood_down) {
            (true, _) => JobEnd::Done,
            (false, true) => {
                // By hand it is hers before her telephone is up, and the dispatch waits to hear of it.
                if held_by.is_some() || self.offer.by_hand.is_some() {
                    self.tell(JobEvent::Dropped);
                }
                JobEnd::Done
            }
            (false, false) => {
                if let Some(by) = held_by {
                    self.tell(JobEvent::Freed { by });
                }
                if stopped { JobEnd::Stopped } else { JobEnd::Left }
            }
        };
        // An error means that the process is stopping.
        let _ = tell.send(end);
    }

    fn tell(&self, event: JobEvent) {
        // An error means that the dispatcher is stopping.
        let _ = self.events.send((self.offer.attempt.clone(), CallOutEvent::Job(event)));
    }

    fn view(&self) -> JobView {
        let offer = &self.offer;
        JobView {
            attempt: offer.attempt.clone(),
            dispatch: offer.dispatch.clone(),
            message: offer.message.clone(),
            name: offer.name.clone(),
            label: offer.label.clone(),
            headline: offer.headline.clone(),
            urgency: offer.urgency,
            leave_message: offer.leave_message,
            then_machine: offer.then_machine,
            by_hand: offer.by_hand.is_some(),
            due_at: offer.due_at,
            outcome: self.outcome,
            stood_down: self.stood_down,
        }
    }
}

/// A panic lets go as well: nobody else could take the job as long as the dispatcher has it with its operator.
impl Drop for JobAtWork {
    fn drop(&mut self) {
        self.let_go(false);
    }
}

impl Outward {
    /// In the call machine's words.
    pub(super) fn ring_back(&self) -> RingBack {
        let (number, ring, errand) = match self {
            Self::Promise { callback, .. } => (&callback.number, RING, Errand::Promise),
            Self::Job(job) => {
                let errand = job.offer.by_hand.clone().map_or(Errand::Job, Errand::JobOf);
                (&job.offer.to, secs(job.offer.ring_secs), errand)
            }
            Self::Own(own) => (&own.to, own.ring, Errand::Own(own.by.clone())),
        };
        let to_contact = match self {
            Self::Promise { .. } => false,
            Self::Job(_) => true,
            Self::Own(own) => own.contact.is_some(),
        };
        RingBack { number: number.clone(), ring, errand, to_contact }
    }

    /// The promise it keeps, if it does.
    pub(super) const fn callback(&self) -> Option<&Callback> {
        match self {
            Self::Promise { callback, .. } => Some(callback),
            Self::Job(_) | Self::Own(_) => None,
        }
    }

    pub(super) fn entered(&self) -> &[Entered] {
        match self {
            Self::Promise { entered, .. } => entered,
            Self::Job(_) | Self::Own(_) => &[],
        }
    }

    pub(super) const fn is_promise(&self) -> bool {
        matches!(self, Self::Promise { .. })
    }
}

fn secs(secs: u32) -> Duration {
    Duration::from_secs(secs.max(1).into())
}

impl CallTask {
    const fn job(&mut self) -> Option<&mut JobAtWork> {
        match &mut self.outward {
            Some(Outward::Job(job)) => Some(job),
            _ => None,
        }
    }

    /// How it waits until an operator takes it, while nobody is on the line.
    pub(super) fn waiting_outward(&self) -> Option<Waiting> {
        let (rang_at, since, priority, skills): (UtcMs, UtcMs, i32, &Skills) = match self.outward.as_ref()? {
            _ if !self.call.waits_to_ring_back() => return None,
            Outward::Promise { callback, .. } => {
                (callback.rang_at(), callback.since, callback.priority, &callback.skills)
            }
            Outward::Job(job) => {
                let (at, account) = (job.offer.offered_at, &job.offer.account);
                (at, at, account.priority, &account.queueing.skills)
            }
            Outward::Own(_) => return None,
        };
        let waited = self.calls.wiring.clock.utc().since(since);
        let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
        let terms = Terms { priority, skills: skills.clone(), ..Terms::default() };
        Some(self.waiting_off_the_line(terms, rang_at, waited))
    }

    /// An operator has the call.
    pub(super) fn job_taken(&mut self, by: &UserId) {
        if let Some(job) = self.job() {
            job.held_by = Some(by.clone());
            job.tell(JobEvent::Taken { by: by.clone() });
        }
    }

    /// An operator took it by the key: until their phone is up, they may still be lost.
    pub(super) fn job_claimed(&mut self, by: &UserId) {
        if let Some(job) = self.job() {
            job.held_by = Some(by.clone());
        }
    }

    pub(super) fn job_answered(&mut self, by: &UserId) {
        if let Some(job) = self.job() {
            job.tell(JobEvent::Answered { by: by.clone() });
        }
    }

    /// That operator has it no longer.
    pub(super) fn job_freed(&mut self, by: &UserId) {
        if let Some(job) = self.job()
            && job.outcome.is_none()
            && job.held_by.take_if(|held_by| *held_by == *by).is_some()
        {
            job.tell(JobEvent::Freed { by: by.clone() });
        }
    }

    pub(super) fn on_job_word(&mut self, word: ToJob) {
        let Some(job) = self.job() else { return };
        let input = match word {
            ToJob::StoodDown => {
                job.stood_down = true;
                Input::StoodDown
            }
            ToJob::Settled(outcome) => {
                job.outcome = Some(outcome);
                Input::Settled
            }
            ToJob::GivenBack => Input::GivenBack,
        };
        self.tell(input);
    }

    /// The call and its wrap-up are over.
    pub(super) fn tell_job_end(&mut self) {
        let stopped = self.stopped;
        if let Some(job) = self.job() {
            job.let_go(stopped);
        }
    }

    pub(super) fn job_view(&self) -> Option<JobView> {
        match &self.outward {
            Some(Outward::Job(job)) => Some(job.view()),
            _ => None,
        }
    }

    pub(super) fn dialled_view(&self) -> Option<DialledView> {
        match &self.outward {
            Some(Outward::Own(own)) => Some(DialledView { contact: own.contact.clone(), label: own.label.clone() }),
            _ => None,
        }
    }
}
