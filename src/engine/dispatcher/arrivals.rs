//! What comes in: stored first, then applied once, by the dispatcher alone, whatever door it came by.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::jobs::job_news;
use super::mail::said;
use super::unplaced::or_without;
use super::{Decided, Dispatcher, STUCK_MS, Settles, to_its_end};
use crate::base::clock::UtcMs;
use crate::base::id::{AttemptId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::alarm::is_acknowledgment;
use crate::domain::call::cause::Cause;
use crate::domain::dispatch::along;
use crate::domain::dispatch::confirm::{Code, Meant, Reply, pick_meant};
use crate::domain::dispatch::event::{CallNews, Event, OperatorAct};
use crate::domain::dispatch::job::JobNews;
use crate::domain::dispatch::patch_step::{PatchEnd, PatchNews};
use crate::domain::dispatch::state::CallOutcome;
use crate::engine::callout::{CallOutEvent, OutboundEnd};
use crate::io::deliver::sms::twilio;
use crate::io::store::StoreError;
use crate::io::store::dispatch::CodeRow;
use crate::io::store::inbound::{Arrival, Inbound, Receipt};

/// A receipt may come before the answer that names its text is on record, for each message in it; it is kept so long.
const EARLY_RECEIPT_MS: i64 = 60_000;
/// Rows handled at a time.
const BATCH: u32 = 256;
/// Longest text taken in, in characters: carriers join ten parts at most.
const MAX_TEXT_IN: usize = 1_600;
/// Texts nobody has seen to of which alarms are raised again at a start.
const MAX_RECALLED: u32 = 500;

impl Dispatcher {
    /// Takes a text that came in; a repeat of the provider's is absorbed, and what is longer than any text is cut off.
    pub async fn take_text(
        &self,
        provider: &str,
        provider_msg_id: &str,
        from: PhoneNumber,
        to: Option<PhoneNumber>,
        body: String,
    ) -> Result<(), StoreError> {
        let body = cut(&body);
        self.arrive(provider, provider_msg_id, Arrival::Text { from, to, body }).await
    }

    /// Takes what a provider says became of a text we sent, in its own words.
    pub async fn take_receipt(
        &self,
        provider: &str,
        provider_id: &str,
        status: &str,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(receipt) = twilio::receipt(status, error) else { return Ok(()) };
        self.take_fate(provider, provider_id, status, receipt).await
    }

    /// Takes what became of a text we sent; `word`: the provider's for it, so that a repeat is absorbed.
    ///
    /// # Errors
    /// The store's; nothing was taken.
    pub async fn take_fate(
        &self,
        provider: &str,
        provider_id: &str,
        word: &str,
        receipt: Receipt,
    ) -> Result<(), StoreError> {
        let what = Arrival::Receipt { provider_id: provider_id.to_owned(), receipt };
        self.arrive(provider, &format!("{provider_id}:{word}"), what).await
    }

    /// An operator acts on a dispatch. Says whether it changed anything.
    pub async fn operator(&self, id: &DispatchId, by: &str, act: OperatorAct) -> Result<Decided, StoreError> {
        let event = Event::Operator { by: by.to_owned(), act: act.clone() };
        let what = Arrival::Operator { dispatch: id.clone(), by: by.to_owned(), act };
        let inbound = self.inbound("operator", &self.fresh_name(), what);
        let (own, id) = (self.clone(), id.clone());
        to_its_end(async move {
            own.insert(&inbound).await?;
            own.decide(&id, &event, Settles::Arrival(&inbound, "operator")).await
        })
        .await
    }

    pub(super) async fn arrive(&self, provider: &str, id: &str, what: Arrival) -> Result<(), StoreError> {
        let (own, inbound) = (self.clone(), self.inbound(provider, id, what));
        to_its_end(async move { own.take(&inbound).await }).await
    }

    async fn take(&self, inbound: &Inbound) -> Result<(), StoreError> {
        if self.insert(inbound).await? {
            // It is stored: from here on it is handled, now or at the next pulse.
            if let Err(error) = self.handle(inbound).await {
                tracing::error!(provider = inbound.provider, code = error.code(), "what came in waits to be handled");
                self.wake();
            }
        }
        Ok(())
    }

    pub(super) fn inbound(&self, provider: &str, id: &str, what: Arrival) -> Inbound {
        Inbound {
            provider: provider.to_owned(),
            provider_msg_id: id.to_owned(),
            received_at: self.inner.clock.utc(),
            what,
        }
    }

    /// A name that nothing else has.
    pub(super) fn fresh_name(&self) -> String {
        format!("{}:{}", self.inner.boot, self.inner.count.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) async fn insert(&self, inbound: &Inbound) -> Result<bool, StoreError> {
        let mut tx = self.inner.store.write().await?;
        let new = tx.insert_inbound(inbound).await?;
        tx.commit("inbound").await?;
        Ok(new)
    }

    /// Handles what was stored and not handled: after a crash, or when something was not ready for it.
    pub(super) async fn take_arrivals(&self) -> Result<(), StoreError> {
        let now = self.inner.clock.utc();
        let later = self.inner.later.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What is put off may well be the oldest.
        let limit = BATCH.saturating_add(u32::try_from(later.len()).unwrap_or(u32::MAX));
        for inbound in self.inner.store.list_waiting_inbound(limit).await? {
            let name = (inbound.provider.clone(), inbound.provider_msg_id.clone());
            if later.get(&name).is_some_and(|at| *at > now) {
                continue;
            }
            self.strike();
            let handled = self.handle(&inbound).await;
            let failed = match &handled {
                Ok(()) => false,
                Err(error) => {
                    tracing::error!(provider = inbound.provider, code = error.code(), "what came in is stuck");
                    self.inner.store.ping().await?;
                    self.alarm_of_arrival(&inbound);
                    true
                }
            };
            let mut later = self.inner.later.lock().unwrap_or_else(PoisonError::into_inner);
            if failed {
                later.insert(name, now.plus_ms(STUCK_MS));
            } else {
                later.remove(&name);
            }
        }
        Ok(())
    }

    /// Lays aside what came in and cannot be opened (altered, or sealed with another key): it stays in the
    /// store, and operators are told.
    pub(super) async fn lay_aside_unreadable(&self) -> Result<(), StoreError> {
        let now = self.inner.clock.utc();
        for (provider, id) in self.inner.store.list_unreadable_inbound(BATCH).await? {
            tracing::error!(provider, "what came in cannot be read");
            let mut tx = self.inner.store.write().await?;
            tx.settle_unreadable(&provider, &id, now).await?;
            tx.commit("lay_aside").await?;
            self.alarm_of_unreadable(&provider, &id);
        }
        Ok(())
    }

    /// Takes all news of calls that is there, in order. What cannot be stored now is kept for the next time,
    /// under the same name: if it was stored after all, it counts once.
    pub(super) async fn take_news(&self) -> Result<(), StoreError> {
        let mut news = self.inner.news.lock().await;
        loop {
            while let Some(inbound) = news.unsaved.front() {
                self.take(inbound).await?;
                news.unsaved.pop_front();
            }
            let Ok((attempt, event)) = news.from_calls.try_recv() else { return Ok(()) };
            news.unsaved.extend(self.call_inbound(attempt, &event));
        }
    }

    /// Waits until there is news of a call; [`Dispatcher::take_news`] takes it. May be dropped at any time.
    pub(super) async fn news_came(&self) {
        let mut news = self.inner.news.lock().await;
        // The dispatcher holds a sender of its own: the channel never ends.
        if let Some((attempt, event)) = news.from_calls.recv().await {
            news.unsaved.extend(self.call_inbound(attempt, &event));
        }
    }

    fn call_inbound(&self, attempt: AttemptId, event: &CallOutEvent) -> Option<Inbound> {
        let what = match event {
            CallOutEvent::Job(event) => Arrival::Job { attempt, news: job_news(event) },
            CallOutEvent::Faxed(outcome) => Arrival::Fax { attempt, outcome: *outcome },
            other => Arrival::Call { attempt, news: call_news(other)? },
        };
        Some(self.inbound("call", &self.fresh_name(), what))
    }

    async fn handle(&self, inbound: &Inbound) -> Result<(), StoreError> {
        let now = self.inner.clock.utc();
        match &inbound.what {
            Arrival::Text { from, body, .. } => self.handle_text(inbound, from, body, now).await,
            Arrival::TextPart { from, to, reference, of, .. } => {
                self.join_parts(inbound, from, to.as_ref(), (*reference, *of), now).await
            }
            Arrival::Receipt { provider_id, receipt } => {
                // Several, where they left in one text.
                let mut all = along::pick_last(self.inner.store.list_attempts_of_provider(provider_id).await?);
                if !along::is_whole(&all) && now.since(inbound.received_at) <= EARLY_RECEIPT_MS {
                    return Ok(());
                }
                let Some((id, attempt)) = all.pop() else {
                    return self.settle(inbound, "unknown").await;
                };
                let event = |attempt| match receipt.clone() {
                    Receipt::Sent => Event::Accepted { attempt, provider_id: None },
                    Receipt::Delivered => Event::Delivered { attempt },
                    Receipt::Failed { failure, why } => Event::Failed { attempt, failure, why },
                };
                for (other_id, other) in all {
                    self.decide(&other_id, &event(other.id), Settles::Nothing).await?;
                }
                self.decide(&id, &event(attempt.id), Settles::Arrival(inbound, "receipt")).await.map(drop)
            }
            Arrival::Call { attempt, news } => {
                let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
                    return self.settle(inbound, "unknown").await;
                };
                let event = Event::Call { attempt: attempt.clone(), news: *news };
                self.decide(&id, &event, Settles::Arrival(inbound, "call")).await.map(drop)
            }
            Arrival::Fax { attempt, outcome } => {
                let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
                    return self.settle(inbound, "unknown").await;
                };
                let event = Event::Faxed { attempt: attempt.clone(), outcome: *outcome };
                self.decide(&id, &event, Settles::Arrival(inbound, "fax")).await.map(drop)
            }
            Arrival::Job { attempt, news } => {
                let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
                    return self.settle(inbound, "unknown").await;
                };
                // A lock falls with the process that gave it; what came of a call does not.
                let of_this_start = inbound.provider_msg_id.starts_with(&format!("{}:", self.inner.boot));
                if !of_this_start && !matches!(news, JobNews::Done { .. }) {
                    return self.settle(inbound, "stale").await;
                }
                let event = Event::Job { attempt: attempt.clone(), news: self.named(news).await? };
                self.decide(&id, &event, Settles::Arrival(inbound, "job")).await.map(drop)
            }
            Arrival::Pushed { attempt } => {
                let event = Event::Delivered { attempt: attempt.clone() };
                self.decide_attempt(inbound, attempt, &event, "pushed").await.map(drop)
            }
            Arrival::Inbox { attempt, news } => {
                let event = Event::Inbox { attempt: attempt.clone(), news: *news };
                self.decide_attempt(inbound, attempt, &event, "inbox").await.map(drop)
            }
            Arrival::InboxReply { dispatch, contact, name, body } => {
                let (contact, name, words) = (contact.clone(), name.clone(), Pii::new(body.clone()));
                let event = Event::Wrote { contact, name, words };
                self.decide(dispatch, &event, Settles::Arrival(inbound, "noted")).await?;
                // The words stand on the time line; on the desks too, until an operator has seen to them.
                self.alarm_of_unplaced(inbound).await
            }
            Arrival::MailFate { attempt, fate, .. } => self.handle_fate(inbound, attempt, fate).await,
            Arrival::MailReply { attempt, from, subject, body } => {
                self.handle_mail_reply(inbound, attempt, from, &said(subject, body)).await
            }
            Arrival::Operator { dispatch, by, act } => {
                let event = Event::Operator { by: by.clone(), act: act.clone() };
                self.decide(dispatch, &event, Settles::Arrival(inbound, "operator")).await.map(drop)
            }
            Arrival::Patching { call, account, contact, number, news } => {
                let event = Event::Patching { contact: contact.clone(), number: number.clone(), news: *news };
                // Two accounts may have the same person: who is rung for one is not rung for the other. A caller who has
                // gone is there for neither.
                let of = account.as_ref().filter(|_| *news != PatchNews::Over(PatchEnd::CallerGone));
                for id in self.inner.store.list_dispatches_of_call(call, of).await? {
                    self.decide(&id, &event, Settles::Nothing).await?;
                }
                self.settle(inbound, "patching").await
            }
            Arrival::Patched { call, account, to } => {
                // A patch to one client's people says nothing about what another was to be told.
                for id in self.inner.store.list_dispatches_of_call(call, account.as_ref()).await? {
                    self.decide(&id, &Event::Patched { to: vec![to.clone()] }, Settles::Nothing).await?;
                }
                self.settle(inbound, "patched").await
            }
            Arrival::Recapped { dispatch, run, to, edition } => {
                let event = Event::Recapped { run: run.clone(), to: to.clone(), edition: *edition };
                self.decide(dispatch, &event, Settles::Arrival(inbound, "recapped")).await.map(drop)
            }
            Arrival::ReadAtCheckIn { dispatch, who, by, edition } => {
                let event = Event::ReadAtCheckIn { who: who.clone(), by: by.clone(), edition: *edition };
                self.decide(dispatch, &event, Settles::Arrival(inbound, "read_at_check_in")).await.map(drop)
            }
        }
    }

    /// Applies what came in about an attempt, by whichever door.
    pub(super) async fn decide_attempt(
        &self,
        inbound: &Inbound,
        attempt: &AttemptId,
        event: &Event,
        outcome: &str,
    ) -> Result<Decided, StoreError> {
        let Some(id) = self.inner.store.find_dispatch_of_attempt(attempt).await? else {
            self.settle(inbound, "unknown").await?;
            return Ok(Decided::NotFound);
        };
        self.decide(&id, event, Settles::Arrival(inbound, outcome)).await
    }

    pub(super) async fn settle(&self, inbound: &Inbound, outcome: &str) -> Result<(), StoreError> {
        let now = self.inner.clock.utc();
        let mut tx = self.inner.store.write().await?;
        tx.settle_inbound(inbound, outcome, now).await?;
        tx.commit("settle").await?;
        Ok(())
    }

    async fn handle_text(
        &self,
        inbound: &Inbound,
        from: &PhoneNumber,
        body: &str,
        now: UtcMs,
    ) -> Result<(), StoreError> {
        if let Some(alarms) = self.inner.watcher.get().filter(|_| is_acknowledgment(body))
            && alarms.acknowledge_by_text(inbound, from).await?
        {
            return Ok(());
        }
        let reply = Reply::parse(body);
        let mut rows = self.inner.store.list_codes(from, now).await?;
        if !matches!(reply, Reply::Code(_)) {
            // Words that name no code were written before a code that was given since, as over a restart.
            rows.retain(|row| row.opened_at <= inbound.received_at);
        }
        let codes: Vec<Code> = rows.iter().map(code).collect();
        match pick_meant(reply, &codes) {
            Meant::Yes(at) => {
                let event = Event::Replied { number: from.clone(), code: rows[at].code };
                let settles = Settles::Arrival(inbound, "confirmed");
                return self.decide(&rows[at].dispatch, &event, settles).await.map(drop);
            }
            Meant::Which(at) => {
                let of = &rows[at].dispatch;
                let name = self.name_of(from, Some(of)).await?;
                let event = Event::AskedWhich { number: from.clone(), name };
                return self.decide(of, &event, Settles::Arrival(inbound, "asked")).await.map(drop);
            }
            Meant::Stop => return self.stop(inbound, from).await,
            Meant::Start => {
                if self.start(inbound, from, now).await? {
                    return Ok(());
                }
                // Carriers know YES as the same word: from somebody whom we may text it is a try to confirm.
            }
            Meant::Nothing => {}
        }
        self.unplaced(inbound, from, body).await
    }

    /// Texts go to this number again. True if that is all it has to say: they had been stopped.
    async fn start(&self, inbound: &Inbound, from: &PhoneNumber, now: UtcMs) -> Result<bool, StoreError> {
        let people = self.inner.store.list_contacts_by_phone(from).await?;
        let blocked = people.iter().flat_map(|person| &person.destinations).any(|d| d.blocked);
        if blocked {
            // Before that is lifted: read again after a crash it is still from somebody who was blocked, and the line is written
            // where it takes the alarm back, so once.
            let mut warned = self.open_dispatches_of(from).await?;
            warned.extend(self.inner.store.list_open_dispatches_stopped_at(from).await?);
            for id in BTreeSet::from_iter(warned) {
                self.decide(&id, &Event::Started { number: from.clone() }, Settles::Nothing).await?;
            }
        }
        let mut tx = self.inner.store.write().await?;
        tx.block_number(from, false).await?;
        if blocked {
            // Whoever heard of the STOP dismisses that. Settled with the block, so that a crash in between does not make it a
            // text from somebody who was never blocked.
            tx.settle_inbound(inbound, "started", now).await?;
        }
        tx.commit("start").await?;
        Ok(blocked)
    }

    async fn stop(&self, inbound: &Inbound, from: &PhoneNumber) -> Result<(), StoreError> {
        // First the block, so that no step entered by what follows texts there again.
        let mut tx = self.inner.store.write().await?;
        let known = tx.block_number(from, true).await?;
        tx.commit("stop").await?;
        let asked = self.open_dispatches_of(from).await?;
        for id in &asked {
            self.decide(id, &Event::Stopped { number: from.clone() }, Settles::Nothing).await?;
        }
        if asked.is_empty() && known > 0 {
            self.settle(inbound, "unplaced").await?;
            return self.alarm_of_unplaced(inbound).await;
        }
        self.settle(inbound, "stopped").await
    }

    /// Tells operators of a text that no dispatch takes up. The store remembers it until one has seen to it.
    pub(super) async fn alarm_of_unplaced(&self, inbound: &Inbound) -> Result<(), StoreError> {
        if let Arrival::InboxReply { dispatch, name, body, .. } = &inbound.what {
            return self.alarm_of_reply(inbound, dispatch, name, body).await;
        }
        let Arrival::Text { from, body, .. } = &inbound.what else { return self.alarm_of_mail(inbound).await };
        if Reply::parse(body) == Reply::Stop {
            let name = or_without(self.name_of(from, None).await.map(Some)).unwrap_or_else(somebody);
            self.alarm_of_stop(inbound, &name);
            return Ok(());
        }
        self.alarm_of_text(inbound, from, body).await
    }

    /// Alarms of texts that nobody has seen to, after a start.
    pub(super) async fn recall_unplaced(&self) -> Result<(), StoreError> {
        for inbound in self.inner.store.list_unplaced_texts(MAX_RECALLED).await? {
            self.alarm_of_unplaced(&inbound).await?;
        }
        Ok(())
    }

    /// Open dispatches that have an attempt at this number, oldest first.
    async fn open_dispatches_of(&self, number: &PhoneNumber) -> Result<Vec<DispatchId>, StoreError> {
        self.inner.store.list_open_dispatches_at(number).await
    }

    /// Who writes from this number. Several clients may have it, under a name each: to the client whose dispatch it is `about`
    /// nobody is named but who was asked there, or a person of its own.
    pub(super) async fn name_of(&self, number: &PhoneNumber, about: Option<&DispatchId>) -> Result<String, StoreError> {
        let people = self.inner.store.list_contacts_by_phone(number).await?;
        let name = match about {
            None => people.first().map(|person| person.name.clone()),
            Some(id) => self.inner.store.find_dispatch(id).await?.and_then(|read| {
                let ids: Vec<_> = people.iter().map(|person| person.id.clone()).collect();
                let own = people.iter().find(|person| person.account == read.state.account);
                let asked = read.state.find_asked(number, &ids).map(|a| a.name.clone());
                asked.or_else(|| own.map(|person| person.name.clone()))
            }),
        };
        Ok(name.unwrap_or_else(|| "an unknown number".to_owned()))
    }
}

/// A code as it is weighed by what a text says.
pub(super) fn code(row: &CodeRow) -> Code {
    Code { code: row.code, given_at: row.opened_at, is_open: row.closed_at.is_none() }
}

/// Whose name cannot be read.
pub(super) fn somebody() -> String {
    "somebody".to_owned()
}

/// What is kept of a text, or of a part of one.
pub(super) fn cut(body: &str) -> String {
    body.chars().take(MAX_TEXT_IN).collect()
}

/// A call-out's news in the dispatch's words; ringing is no news.
const fn call_news(event: &CallOutEvent) -> Option<CallNews> {
    Some(match event {
        CallOutEvent::Ringing | CallOutEvent::Job(_) | CallOutEvent::Faxed(_) => return None,
        CallOutEvent::Answered => CallNews::Answered,
        CallOutEvent::Told => CallNews::Told,
        CallOutEvent::Confirmed => CallNews::Confirmed,
        CallOutEvent::Joined => CallNews::Joined,
        CallOutEvent::Parted { secs } => CallNews::Parted { secs: *secs },
        CallOutEvent::NotJoined(why) => CallNews::NotJoined(not_joined(*why)),
        CallOutEvent::Waits(wait) => CallNews::Waits(*wait),
        CallOutEvent::WrongPins => CallNews::WrongPins,
        CallOutEvent::Ended(result) => match result {
            OutboundEnd::Confirmed => CallNews::Ended(CallOutcome::Confirmed),
            OutboundEnd::ToldOnly => CallNews::Ended(CallOutcome::ToldOnly),
            OutboundEnd::LeftRequest => CallNews::Ended(CallOutcome::LeftRequest),
            OutboundEnd::LeftOnMachine => CallNews::Ended(CallOutcome::LeftOnMachine),
            OutboundEnd::LeftWithPerson => CallNews::Ended(CallOutcome::LeftWithPerson),
            OutboundEnd::NotAccepted => CallNews::Ended(CallOutcome::NotAccepted),
            OutboundEnd::Machine => CallNews::Ended(CallOutcome::Machine),
            OutboundEnd::Fax => CallNews::Ended(CallOutcome::Fax),
            OutboundEnd::Silent => CallNews::Ended(CallOutcome::Silent),
            OutboundEnd::Cancelled => CallNews::Ended(CallOutcome::Cancelled),
            OutboundEnd::NoVoice => CallNews::NoVoice,
            OutboundEnd::NotReached(cause) => match cause {
                Cause::Busy => CallNews::Ended(CallOutcome::Busy),
                Cause::Declined | Cause::Unwanted => CallNews::Ended(CallOutcome::Declined),
                Cause::NoAnswer | Cause::HungUp | Cause::Released => CallNews::Ended(CallOutcome::NoAnswer),
                Cause::WrongNumber => CallNews::WrongNumber,
                Cause::Forbidden | Cause::Emergency => CallNews::Forbidden,
                Cause::Blocked => CallNews::Blocked,
                Cause::LinesBusy | Cause::Limited => CallNews::Limited,
                Cause::Unreachable | Cause::Incompatible | Cause::Fault => CallNews::NoTrunk,
                Cause::Lost => CallNews::Ended(CallOutcome::Lost),
            },
        },
    })
}

/// Why the caller could not be had.
const fn not_joined(why: Cause) -> PatchEnd {
    match why {
        Cause::Busy => PatchEnd::Busy,
        Cause::NoAnswer | Cause::HungUp => PatchEnd::NoAnswer,
        Cause::Declined | Cause::Unwanted => PatchEnd::Refused,
        Cause::WrongNumber => PatchEnd::WrongNumber,
        Cause::Released => PatchEnd::GivenUp,
        _ => PatchEnd::NotConnected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spam_filters_and_our_own_rules_are_not_the_persons_refusal() {
        let news = |cause| call_news(&CallOutEvent::Ended(OutboundEnd::NotReached(cause)));
        assert_eq!(news(Cause::Declined), Some(CallNews::Ended(CallOutcome::Declined)));
        assert_eq!(news(Cause::Unwanted), Some(CallNews::Ended(CallOutcome::Declined)), "their telephone said so");
        assert_eq!(news(Cause::Blocked), Some(CallNews::Blocked));
        assert_eq!(news(Cause::Forbidden), Some(CallNews::Forbidden));
        assert_eq!(news(Cause::Limited), Some(CallNews::Limited));
        assert_eq!(news(Cause::LinesBusy), Some(CallNews::Limited));
        assert_eq!(news(Cause::WrongNumber), Some(CallNews::WrongNumber));
    }

    #[test]
    fn no_trunk_is_blamed_for_a_voice_of_ours() {
        assert_eq!(call_news(&CallOutEvent::Ended(OutboundEnd::NoVoice)), Some(CallNews::NoVoice));
    }
}
