//! Jobs: calls that dispatches want made by an operator, each offered by a call in the queue that dials once it is taken.
//!
//! Decides nothing about the dispatch: what an operator says came of it goes to the dispatcher, and comes back here as a
//! word to the call. One that an operator makes by hand rings her telephone in place of a place in the queue, and is offered once.
//! For each job there is one task, from the dispatcher's asking until it is known what came of the job or it is
//! taken back. What always holds: a job that an operator leaves unsaid is offered again, and one that is taken back is off
//! the desks at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::record::Line;
use super::task::outward::{JobAtWork, JobEnd, Outward, ToJob};
use super::task::{CallTask, ToCall};
use super::view::Facts;
use super::{Calls, CallsHandle, CommandError};
use crate::base::id::{AttemptId, CallId};
use crate::domain::dispatch::job::take_again_by;
use crate::engine::callout::{CallOutEvent, JobEvent, JobOffer};
use crate::engine::feed::JobView;
use crate::io::store::calls::{CallRecord, Direction};

/// Before a job that was left is offered again: not to the seat that left it in the same moment.
const PAUSE: Duration = Duration::from_secs(2);

/// The way to the dispatcher.
type Events = mpsc::UnboundedSender<(AttemptId, CallOutEvent)>;

/// Jobs on the desks, by attempt: how each is taken back.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    live: Mutex<HashMap<AttemptId, watch::Sender<bool>>>,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, watch::Sender<bool>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job back, if it is one.
    pub(super) fn stand_down(&self, attempt: &AttemptId) {
        if let Some(stood_down) = self.lock().get(attempt) {
            stood_down.send_replace(true);
        }
    }
}

impl CallsHandle {
    /// The job that a call does.
    pub fn job_of(&self, call: &CallId) -> Option<JobView> {
        self.view(call)?.job
    }

    /// What came of a job is known: the operator is done with it once the talk is over.
    ///
    /// # Errors
    /// Its call is gone.
    pub fn settle_job(&self, attempt: &AttemptId, outcome: &'static str) -> Result<(), CommandError> {
        self.to_job(attempt, ToJob::Settled(outcome))
    }

    /// The operator gives the job back; it is offered anew.
    ///
    /// # Errors
    /// Its call is gone.
    pub fn give_back_job(&self, attempt: &AttemptId) -> Result<(), CommandError> {
        self.to_job(attempt, ToJob::GivenBack)
    }

    fn to_job(&self, attempt: &AttemptId, word: ToJob) -> Result<(), CommandError> {
        let call = self.0.call_of_job(attempt).ok_or(CommandError::NoSuchCall)?;
        self.0.to_call(&call, ToCall::Job(word))
    }
}

impl Calls {
    fn call_of_job(&self, attempt: &AttemptId) -> Option<CallId> {
        let live = self.lock();
        let mut views = live.values().filter_map(|live| live.view.as_ref());
        views.find(|view| view.job.as_ref().is_some_and(|job| job.attempt == *attempt)).map(|view| view.id.clone())
    }

    /// Puts a job on the desks until it is done or taken back.
    pub(super) fn offer_job(self: &Arc<Self>, job: JobOffer, events: Events) {
        let (stand_down, stood_down) = watch::channel(false);
        self.jobs.lock().insert(job.attempt.clone(), stand_down);
        metrics::counter!("cordboard_jobs_offered_total").increment(1);
        let calls = Arc::clone(self);
        tokio::spawn(async move {
            let attempt = job.attempt.clone();
            calls.keep_job(job, events, stood_down.clone()).await;
            let mut live = calls.jobs.lock();
            // Offered anew by the dispatcher meanwhile, it is another's.
            if live.get(&attempt).is_some_and(|sender| sender.subscribe().same_channel(&stood_down)) {
                live.remove(&attempt);
            }
        });
    }

    async fn keep_job(self: &Arc<Self>, mut job: JobOffer, events: Events, mut stood_down: watch::Receiver<bool>) {
        loop {
            match self.do_job(job.clone(), events.clone(), &mut stood_down).await {
                JobEnd::Done | JobEnd::Stopped => return,
                JobEnd::Left => {}
            }
            // A lock may have been given for the call that its task never came to know of.
            let at = self.wiring.clock.utc();
            // An error means that the dispatcher is stopping.
            let _ = events.send((job.attempt.clone(), CallOutEvent::Job(JobEvent::Left { at })));
            if job.by_hand.is_some() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = taken_back(&mut stood_down) => return,
            }
            // As the dispatch counts it: from when it was first on the desks.
            job.due_at = take_again_by(job.offered_at, at);
        }
    }

    /// Puts one call to the queue and waits for its end.
    async fn do_job(self: &Arc<Self>, job: JobOffer, events: Events, stood_down: &mut watch::Receiver<bool>) -> JobEnd {
        let started_at = self.wiring.clock.utc();
        let account = Arc::clone(&job.account);
        let did = account.dids.first().or(account.caller_id.as_ref()).unwrap_or(&job.to).clone();
        let facts = Facts {
            id: CallId::fresh(started_at),
            account,
            did,
            caller: Some(job.to.clone()),
            forwarded_from: None,
            started: self.wiring.clock.instant(),
            started_at,
            earlier: 0,
            rings_back: None,
        };
        let id = facts.id.clone();
        if let Some(by) = &job.by_hand
            && CallsHandle(Arc::clone(self)).set_aside(&id, by).await.is_err()
        {
            // She is in the middle of a patch by now.
            return JobEnd::Left;
        }
        self.record_outward(&facts);
        let (tell, mut told) = oneshot::channel();
        let outward = Outward::Job(JobAtWork::new(job, events, tell));
        tokio::spawn(
            Arc::clone(self)
                .live(facts, Direction::Out, |calls, facts, inbox| CallTask::outward(calls, facts, outward, inbox)),
        );
        let end = tokio::select! {
            end = &mut told => return end.unwrap_or(JobEnd::Left),
            () = self.told_to_stand_down(&id, stood_down) => told.await,
        };
        // Untold by a fault of ours alone.
        end.unwrap_or(JobEnd::Left)
    }

    /// Waits until the job is taken back, and tells its call.
    async fn told_to_stand_down(&self, call: &CallId, stood_down: &mut watch::Receiver<bool>) {
        taken_back(stood_down).await;
        // Taken back before its call has begun: it is there in a moment.
        while self.to_call(call, ToCall::Job(ToJob::StoodDown)).is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The first line of a call that begins at our side.
    pub(super) fn record_outward(&self, facts: &Facts) {
        self.recorder.write(Line::Started(CallRecord {
            id: facts.id.clone(),
            account: facts.account.id.clone(),
            direction: Direction::Out,
            trunk: String::new(),
            did: None,
            remote: facts.caller.clone(),
            forwarded_from: None,
            started_at: facts.started_at,
            end: None,
        }));
    }
}

/// Waits until it is; for ever, if nobody can say so any more.
async fn taken_back(stood_down: &mut watch::Receiver<bool>) {
    if stood_down.wait_for(|yes| *yes).await.is_err() {
        std::future::pending::<()>().await;
    }
}
