//! Calls that operators make, and contacts who ring back, as the dispatcher hears of them: stored first and then applied once,
//! like everything else that comes in.

use super::{Decided, Dispatcher, Settles, to_its_end};
use crate::base::id::{AttemptId, DispatchId, UserId};
use crate::base::pii::Pii;
use crate::domain::dispatch::event::Event;
use crate::domain::dispatch::job::{JobNews, JobOutcome};
use crate::engine::callout::JobEvent;
use crate::engine::feed::UserRef;
use crate::io::store::StoreError;
use crate::io::store::inbound::Arrival;

impl Dispatcher {
    /// Gives a job to an operator, if nobody has it and it is still to be done. True also if it is theirs already.
    pub async fn take_job(&self, attempt: &AttemptId, by: &UserRef) -> Result<bool, StoreError> {
        let news = JobNews::Taken { by: by.id.clone(), name: by.name.clone() };
        if self.job(attempt, news).await? == Decided::Changed {
            return Ok(true);
        }
        let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else { return Ok(false) };
        let read = self.inner.store.find_dispatch(&id).await?;
        let found = read.as_ref().and_then(|read| read.state.find_attempt(attempt));
        let job = found.filter(|a| a.in_flight_since.is_some()).and_then(|a| a.job.as_ref());
        Ok(job.and_then(|job| job.taken.as_ref()).is_some_and(|taken| taken.by == by.id))
    }

    /// The operator has it no longer, and has not said what came of it.
    pub async fn free_job(&self, attempt: &AttemptId, by: &UserId) -> Result<Decided, StoreError> {
        self.job(attempt, JobNews::Freed { by: by.clone() }).await
    }

    /// The operator says what came of it.
    pub async fn finish_job(
        &self,
        attempt: &AttemptId,
        by: &UserRef,
        outcome: JobOutcome,
    ) -> Result<Decided, StoreError> {
        self.job(attempt, JobNews::Done { by: by.id.clone(), name: by.name.clone(), outcome }).await
    }

    async fn job(&self, attempt: &AttemptId, news: JobNews) -> Result<Decided, StoreError> {
        let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
            return Ok(Decided::NotFound);
        };
        let event = Event::Job { attempt: attempt.clone(), news: news.clone() };
        let what = Arrival::Job { attempt: attempt.clone(), news };
        let inbound = self.inbound("operator", &self.fresh_name(), what);
        let own = self.clone();
        to_its_end(async move {
            own.insert(&inbound).await?;
            own.decide(&id, &event, Settles::Arrival(&inbound, "job")).await
        })
        .await
    }

    /// A contact has rung back, and an operator speaks with them: what asks them waits.
    ///
    /// # Errors
    /// The store's, after as much as it took.
    pub async fn pause(&self, asked: &[(DispatchId, Pii<String>)], by: &UserId) -> Result<(), StoreError> {
        let by = self.operators_name(by).await?;
        for (id, who) in asked {
            let event = Event::RingsBack { who: who.reveal().clone(), by: by.clone() };
            self.decide(id, &event, Settles::Nothing).await?;
        }
        Ok(())
    }

    /// And no longer. A word that is lost is made good by the end of the pause itself.
    ///
    /// # Errors
    /// The store's, after as much as it took.
    pub async fn resume_paused(&self, dispatches: &[DispatchId]) -> Result<(), StoreError> {
        for id in dispatches {
            self.decide(id, &Event::RangBack, Settles::Nothing).await?;
        }
        Ok(())
    }

    /// What calls tell of a job, with the operator by name.
    pub(super) async fn named(&self, news: &JobNews) -> Result<JobNews, StoreError> {
        Ok(match news {
            JobNews::Taken { by, name } if name.is_empty() => {
                JobNews::Taken { by: by.clone(), name: self.operators_name(by).await? }
            }
            other => other.clone(),
        })
    }

    async fn operators_name(&self, by: &UserId) -> Result<String, StoreError> {
        let user = self.inner.store.find_user(by).await?;
        Ok(user.map_or_else(|| "An operator".to_owned(), |user| user.name))
    }
}

/// A call's word about a job in the dispatch's words; the name is looked up when it is applied.
pub(super) fn job_news(event: &JobEvent) -> JobNews {
    match event {
        JobEvent::Taken { by } => JobNews::Taken { by: by.clone(), name: String::new() },
        JobEvent::Answered { by } => JobNews::Answered { by: by.clone() },
        JobEvent::Freed { by } => JobNews::Freed { by: by.clone() },
        JobEvent::Left { at } => JobNews::Left { at: *at },
        JobEvent::Dropped => JobNews::Dropped,
    }
}
