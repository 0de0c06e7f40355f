//! Hands attempts to their edges. What is said is made anew from the message here, so that no copy of it
//! lies in the store. The answer comes back as an event of the dispatch.

use std::cmp::Reverse;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Dispatcher, Settles};
use crate::base::clock::UtcMs;
use crate::base::failpoint::failpoint;
use crate::base::id::{AttemptId, DispatchId};
use crate::base::phone::PhoneNumber;
use crate::base::pii::Pii;
use crate::domain::account::{Account, LeaveMessage, Urgency};
use crate::domain::dispatch::event::{Event, Failure};
use crate::domain::dispatch::patch_step::in_turn;
use crate::domain::dispatch::reference;
use crate::domain::dispatch::state::{Address, Attempt, Channel, Phase, Purpose, State};
use crate::domain::message::Message;
use crate::domain::message::render::over::{self, Ended, Known};
use crate::domain::message::render::{self, fax, notice, speech, which};
use crate::domain::message::voicemail::is_spoken;
use crate::engine::callout::{AskPin, CallOutRequest, FaxRequest, JobOffer};
use crate::io::deliver::{Delivery, Heard, Mail, Page, TextMessage};
use crate::io::store::StoreError;

/// How long an edge may take for one delivery.
const PATIENCE: Duration = Duration::from_secs(45);
/// The same of a mail: its relay may pause before it greets, and has then still to take it.
const MAIL_PATIENCE: Duration = Duration::from_secs(55);

/// One delivery in the air; lands however its task ends.
pub(super) struct Flight {
    dispatcher: Dispatcher,
    attempt: AttemptId,
    /// A call, or a fax: it goes on when this has landed, and its end comes in by itself.
    goes_on: bool,
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.goes_on {
            self.dispatcher.leave_lane(&self.attempt);
        }
        self.dispatcher.inner.flying.fetch_sub(1, Ordering::SeqCst);
        self.dispatcher.inner.landed.notify_waiters();
        self.dispatcher.inner.wake.notify_one();
    }
}

impl Flight {
    pub(super) fn start(dispatcher: &Dispatcher, attempt: AttemptId) -> Self {
        dispatcher.inner.flying.fetch_add(1, Ordering::SeqCst);
        Self { dispatcher: dispatcher.clone(), attempt, goes_on: false }
    }

    /// Boxed, because a decision can start a flight and a flight ends in a decision.
    pub(super) fn fly(self, id: DispatchId, papers: Option<Papers>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            // The whole of it flies, not a copy of its mark.
            let mut flight = self;
            let attempt = flight.attempt.clone();
            let Some(event) = flight.dispatcher.deliver(&id, &attempt, papers).await else {
                flight.goes_on = true;
                return;
            };
            // Before the answer is stored, so that whatever has its turn now follows from that.
            flight.dispatcher.leave_lane(&attempt);
            if let Err(error) = flight.dispatcher.decide(&id, &event, Settles::Nothing).await {
                // The guard of the attempt takes it up: it was handed over and has no answer.
                tracing::error!(dispatch = %id, %attempt, code = error.code(), "a result could not be stored");
            }
        })
    }
}

/// All that an attempt's words are made of.
pub(super) struct Papers {
    pub(super) state: State,
    pub(super) attempt: Attempt,
    pub(super) message: Message,
    pub(super) account: Account,
    /// What leaves in writing is a notice.
    pub(super) protected: bool,
}

impl Dispatcher {
    /// Starts an attempt whose handing over is committed. Does not wait for it. `papers`: if they have been read already.
    pub(super) fn perform(&self, id: DispatchId, attempt: AttemptId, papers: Option<Papers>) {
        tokio::spawn(Flight::start(self, attempt).fly(id, papers));
    }

    fn deliver<'a>(
        &'a self,
        id: &'a DispatchId,
        attempt: &'a AttemptId,
        papers: Option<Papers>,
    ) -> Pin<Box<dyn Future<Output = Option<Event>> + Send + 'a>> {
        Box::pin(self.deliver_now(id, attempt, papers))
    }

    async fn deliver_now(&self, id: &DispatchId, attempt: &AttemptId, papers: Option<Papers>) -> Option<Event> {
        let papers = match papers {
            Some(papers) => Ok(Some(papers)),
            None => self.find_papers(id, attempt).await,
        };
        let papers = match papers {
            Ok(Some(papers)) => papers,
            Ok(None) => return None,
            Err(error) => {
                tracing::error!(dispatch = %id, %attempt, code = error.code(), "an attempt cannot be read");
                let attempt = attempt.clone();
                return Some(Event::Failed { attempt, failure: Failure::Temporary, why: "store".to_owned() });
            }
        };
        let edges = &self.inner.edges;
        let Heard { delivery, said } = match (&papers.attempt.address, papers.attempt.channel) {
            (Address::Inbox(contact), Channel::Push) => {
                failpoint("push", "before_send");
                let event = self.push(&papers.attempt, &papers.account, contact).await;
                failpoint("push", "after_send");
                return Some(event);
            }
            (Address::Email(to), Channel::Email) => {
                let mail = match self.notice_mail(&papers, to).await {
                    Ok(Some(notice)) => notice,
                    Ok(None) => self.mail(&papers, to).await,
                    Err(why) => return Some(not_written(attempt, why)),
                };
                self.send_mail(&mail).await
            }
            (Address::Phone(to), Channel::Text) => {
                let body = match self.notice_text(&papers).await {
                    Ok(Some(notice)) => notice,
                    Ok(None) => self.text_body(&papers).await,
                    Err(why) => return Some(not_written(attempt, why)),
                };
                let own = papers.account.own_numbers();
                let text = TextMessage { attempt: attempt.clone(), to: to.clone(), own, from: None, body };
                self.send_text(&text).await
            }
            (Address::Pager(to), Channel::Pager) => {
                let page = Page {
                    attempt: attempt.clone(),
                    to: to.clone(),
                    body: papers.page(self.inner.clock.utc()),
                    urgent: papers.state.urgency == Urgency::Urgent,
                    at: self.inner.clock.utc(),
                };
                failpoint("page", "before_send");
                let delivery = in_time(edges.pager.page_and_hear(&page)).await;
                failpoint("page", "after_send");
                delivery
            }
            (Address::Webhook(to), Channel::Webhook) => {
                let post = papers.post(to, self.inner.clock.utc());
                failpoint("webhook", "before_send");
                let delivery = in_time(edges.poster.post_and_hear(&post)).await;
                failpoint("webhook", "after_send");
                delivery
            }
            (Address::Phone(to), Channel::Call) if papers.attempt.job.is_some() => {
                let job = papers.job(to)?;
                failpoint("job", "before_offer");
                edges.call_out.offer(job, self.inner.calls.clone());
                failpoint("job", "after_offer");
                self.take_back_unwanted(id, attempt).await;
                return None;
            }
            (Address::Phone(to), Channel::Call) => {
                let request = papers.call(to, &self.spoken_name(&papers.attempt).await);
                failpoint("call", "before_place");
                edges.call_out.place(request, self.inner.calls.clone());
                failpoint("call", "after_place");
                self.take_back_unwanted(id, attempt).await;
                return None;
            }
            (Address::Fax(to), Channel::Fax) => {
                let request = papers.fax(to, self.inner.clock.utc());
                failpoint("fax", "before_place");
                edges.call_out.fax(request, self.inner.calls.clone());
                failpoint("fax", "after_place");
                self.take_back_unwanted(id, attempt).await;
                return None;
            }
            // A plan never pairs a channel with the other kind of address.
            _ => Delivery::failed(Failure::Permanent, "bad_address").into(),
        };
        measure(&delivery, &papers, 1);
        Some(match delivery {
            Delivery::Accepted { provider_id } => Event::Accepted { attempt: attempt.clone(), provider_id },
            Delivery::Failed { failure, why } => failed(attempt.clone(), failure, why, said),
        })
    }

    pub(super) async fn send_text(&self, text: &TextMessage) -> Heard {
        failpoint("text", "before_send");
        let delivery = in_time(self.inner.edges.texter.send_and_hear(text)).await;
        failpoint("text", "after_send");
        delivery
    }

    pub(super) async fn send_mail(&self, mail: &Mail) -> Heard {
        failpoint("email", "before_send");
        let delivery = within(MAIL_PATIENCE, self.inner.edges.mailer.send_and_hear(mail)).await;
        failpoint("email", "after_send");
        delivery
    }

    /// What a person is called by a voice: as somebody wrote that it is said, else as it is written.
    async fn spoken_name(&self, attempt: &Attempt) -> String {
        let Some(contact) = &attempt.contact else { return attempt.name.clone() };
        // A name said badly is better than a call that is not made.
        self.inner.store.find_spoken_as(contact).await.ok().flatten().unwrap_or_else(|| attempt.name.clone())
    }

    /// A call, or a job, that was settled while it was being given out: its taking back may have come before it.
    async fn take_back_unwanted(&self, id: &DispatchId, attempt: &AttemptId) {
        // What cannot be read now is taken back by the attempt's own guard.
        let Ok(Some(read)) = self.inner.store.find_dispatch(id).await else { return };
        let state = &read.state;
        let is_wanted = |attempt: &Attempt| {
            let over = attempt.is_step() && !(state.phase.is_open() && state.is_of_now(&attempt.purpose));
            attempt.in_flight_since.is_some() && !over
        };
        if !state.find_attempt(attempt).is_some_and(is_wanted) {
            self.inner.edges.call_out.cancel(attempt);
        }
    }

    async fn find_papers(&self, id: &DispatchId, attempt: &AttemptId) -> Result<Option<Papers>, StoreError> {
        let Some(read) = self.inner.store.find_dispatch(id).await? else { return Ok(None) };
        let Some(attempt) = read.state.find_attempt(attempt).cloned() else { return Ok(None) };
        let message = self.inner.store.find_message(&read.state.message).await?;
        let account = self.inner.store.find_account(&read.state.account).await?;
        let (Some(message), Some(account)) = (message, account) else {
            return Err(StoreError::Missing { what: "message" });
        };
        let protected = self.inner.store.is_protected(&message.id).await?;
        Ok(Some(Papers { state: read.state, attempt, message, account, protected }))
    }

    pub(super) async fn text_body(&self, papers: &Papers) -> String {
        let Papers { attempt, message, account, protected, .. } = papers;
        let (at, now) = (papers.closed_at(), self.inner.clock.utc());
        match &attempt.purpose {
            Purpose::Step { .. } | Purpose::ByHand { .. } | Purpose::Record => {
                render::text(message, account, attempt.code, now)
            }
            Purpose::ConfirmedReply => render::confirmed_reply(message, account, at, *protected),
            Purpose::AlreadyReply => over::already_reply(account, papers.ended(), at, now),
            Purpose::StandDown => over::stand_down(message, account, papers.ended(), papers.known(), now),
            Purpose::ChangedReply => render::changed_reply(message, account, papers.code(), now),
            Purpose::HearFirstReply => notice::hear_first_reply(account),
            Purpose::HelpReply | Purpose::WhichReply => self.which_text(papers).await,
        }
    }

    /// By which codes the person can confirm what is open.
    async fn which_text(&self, papers: &Papers) -> String {
        let Papers { attempt, message, account, .. } = papers;
        let is_read = attempt.purpose == Purpose::HelpReply;
        let now = self.inner.clock.utc();
        // What cannot be read now is not listed: its own code confirms each.
        let (open, more) = self.open_messages(papers).await.unwrap_or_default();
        match open.as_slice() {
            [] => render::help_reply(message, account, papers.code(), now),
            [one] if is_read && more == 0 && one.message.id == message.id => {
                render::help_reply(message, account, Some(one.code), now)
            }
            _ => which::reply(account, &open, more, is_read, now),
        }
    }

    /// The messages that the number of an attempt can confirm, its own first and then the newest, as many as a text lists; and how
    /// many more there are.
    async fn open_messages(&self, papers: &Papers) -> Result<(Vec<which::Open>, usize), StoreError> {
        let store = &self.inner.store;
        let Some(number) = papers.attempt.address.phone() else { return Ok((Vec::new(), 0)) };
        let mut rows = store.list_codes(number, self.inner.clock.utc()).await?;
        rows.retain(|row| row.closed_at.is_none());
        rows.sort_by_key(|row| (row.dispatch != papers.state.id, Reverse((row.opened_at, row.code))));
        let more = rows.len().saturating_sub(which::MAX_LISTED);
        rows.truncate(which::MAX_LISTED);
        let mut open = Vec::new();
        for row in rows {
            let Some(read) = store.find_dispatch(&row.dispatch).await? else { continue };
            let message = store.find_message(&read.state.message).await?;
            let account = store.find_account(&read.state.account).await?;
            if let (Some(message), Some(account)) = (message, account) {
                let protected = store.is_protected(&message.id).await?;
                open.push(which::Open { code: row.code, message, account, protected });
            }
        }
        Ok((open, more))
    }
}

/// The words of an attempt cannot be had now.
fn not_written(attempt: &AttemptId, why: &str) -> Event {
    Event::Failed { attempt: attempt.clone(), failure: Failure::Temporary, why: why.to_owned() }
}

/// A caller's number, if it is a subscriber's that can be dialled.
fn callable(number: &str) -> Option<PhoneNumber> {
    PhoneNumber::parse(number).ok().filter(|number| !number.is_short())
}

/// Counts what came of a delivery of `count` messages, the first of which these papers are; one that failed is said.
pub(super) fn measure(delivery: &Delivery, papers: &Papers, count: u64) {
    let (dispatch, attempt) = (&papers.state.id, &papers.attempt.id);
    let channel = papers.attempt.channel.name();
    let result = match delivery {
        Delivery::Accepted { .. } => "accepted",
        Delivery::Failed { why, .. } => {
            tracing::warn!(%dispatch, %attempt, channel, %why, count, "a delivery failed");
            "failed"
        }
    };
    metrics::counter!("cordboard_deliveries_total", "channel" => channel, "result" => result).increment(count);
}

/// Whatever an edge does, it answers before the attempt's own guard (60 s) takes it for lost.
pub(super) async fn in_time<T: From<Delivery>>(sending: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> T {
    within(PATIENCE, sending).await
}

async fn within<T: From<Delivery>>(patience: Duration, sending: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> T {
    let late = || Delivery::failed(Failure::Unknown, "timeout").into();
    tokio::time::timeout(patience, sending).await.unwrap_or_else(|_| late())
}

/// An attempt that did not get through, in the words of whoever refused it, if there are any.
pub(super) fn failed(attempt: AttemptId, failure: Failure, why: String, said: Option<Pii<String>>) -> Event {
    match said {
        None => Event::Failed { attempt, failure, why },
        Some(said) => Event::Refused { attempt, failure, why, said },
    }
}

impl Papers {
    /// It may leave in one with others: as the lanes took it, and as it is now.
    pub(super) fn may_join(&self) -> bool {
        let is_long = self.attempt.channel == Channel::Email && is_spoken(&self.message);
        self.state.may_join(&self.attempt) && !self.protected && !is_long
    }

    /// The code of this dispatch at the attempt's number.
    fn code(&self) -> Option<u16> {
        let number = self.attempt.address.phone()?;
        self.state.codes().find(|(at, _, _)| *at == number).map(|(_, code, _)| code)
    }

    /// How the dispatch is over.
    fn ended(&self) -> Ended<'_> {
        let by = self.state.closed_by.as_deref().unwrap_or("somebody else");
        match self.state.phase {
            Phase::ClosedByOperator => Ended::Closed,
            Phase::Confirmed => Ended::Confirmed(by),
            Phase::Patched => Ended::PutThrough(by),
            Phase::Recapped => Ended::Recapped,
            _ => Ended::Heard(by),
        }
    }

    /// How whoever is told that it is over knows it: where a notice was all they had, what it is about is not said now either.
    fn known(&self) -> Known {
        let tells = |a: &Attempt| matches!(a.channel, Channel::Text | Channel::Email) && a.secure.is_none();
        let told = |a: &Attempt| a.is_step() && a.address == self.attempt.address && a.handed_at.is_some() && tells(a);
        Known { code: self.code(), about: !self.protected && self.state.attempts.iter().any(told) }
    }

    /// What the account calls the kind of call it was.
    pub(super) fn call_type(&self) -> &str {
        let call_type = self.account.call_types.iter().find(|t| t.id == self.message.call_type);
        call_type.map_or("Message", |t| t.name.as_str())
    }

    /// What became of the call, where there is something to say.
    pub(super) fn outcome(&self) -> Option<String> {
        let to = &self.state.patched_to;
        (!to.is_empty()).then(|| format!("The caller was put through to {}.", in_turn(to)))
    }

    /// The number that those see whom we call for this account.
    fn shown_number(&self) -> Option<PhoneNumber> {
        self.account.caller_id.clone().or_else(|| self.account.dids.first().cloned())
    }

    fn fax(&self, to: &PhoneNumber, now: UtcMs) -> FaxRequest {
        let (outcome, reference) = (self.outcome(), reference::of(&self.state.id));
        FaxRequest {
            attempt: self.attempt.id.clone(),
            account: self.account.id.clone(),
            to: to.clone(),
            caller_id: self.shown_number(),
            ring_secs: self.attempt.ring_secs,
            letter: if self.is_notice() {
                fax::notice(&self.message, &self.account, &reference, now)
            } else {
                fax::letter(&self.message, &self.account, self.call_type(), outcome.as_deref(), &reference, now)
            },
        }
    }

    fn job(&self, to: &PhoneNumber) -> Option<JobOffer> {
        let (attempt, job) = (&self.attempt, self.attempt.job.as_ref()?);
        Some(JobOffer {
            attempt: attempt.id.clone(),
            dispatch: self.state.id.clone(),
            message: self.message.id.clone(),
            account: Arc::new(self.account.clone()),
            urgency: self.state.urgency,
            headline: render::headline(&self.message),
            name: attempt.name.clone(),
            label: attempt.label.clone(),
            to: to.clone(),
            ring_secs: attempt.ring_secs,
            leave_message: attempt.leave_message && self.account.leave_message == LeaveMessage::CallbackRequest,
            offered_at: job.offered_at.unwrap_or(attempt.planned_at),
            due_at: job.due_at,
            then_machine: job.then_machine,
            by_hand: job.taken.as_ref().filter(|_| attempt.is_by_hand()).map(|taken| taken.by.clone()),
        })
    }

    fn call(&self, to: &PhoneNumber, name: &str) -> CallOutRequest {
        let leaves = self.attempt.leave_message && self.account.leave_message == LeaveMessage::CallbackRequest;
        let asks_pin = self.account.secure.call_pin.is_asked(self.protected);
        CallOutRequest {
            attempt: self.attempt.id.clone(),
            account: Some(self.account.id.clone()),
            person: Some(self.attempt.name.clone()),
            to: to.clone(),
            caller_id: self.shown_number(),
            ring_secs: self.attempt.ring_secs,
            intro: speech::intro(&self.account, self.message.urgency, name),
            content: Some(speech::content(&self.message, &self.account)),
            leave: leaves.then(|| speech::callback_request(&self.account, &reference::of(&self.state.id))),
            pin: asks_pin.then(|| AskPin { contact: self.attempt.contact.clone() }),
            caller: render::callback_number(&self.message).and_then(|number| callable(&number)),
            longest_talk_secs: self.account.patching.max_secs,
        }
    }
}
