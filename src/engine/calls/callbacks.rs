//! Callbacks: promises to callers who would not wait on the line, and the calls that keep them.
//!
//! A promise is stored first and spoken then. For each there is one task, from then or from the start of the process until
//! the caller was reached or is given up; it puts a call to the queue ([`ring_back`](crate::domain::call::ring_back)),
//! waits for its end and sees what came of it; [`retries`](super::retries) is what operators say to it meanwhile. What always holds: as long as that is not stored, the row is open and a
//! start begins anew, so a caller may be called once too often and never once too little.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::record::Line;
use super::retries::{Kept, Word};
use super::task::outward::Outward;
use super::task::{CallTask, ToCall};
use super::view::Facts;
use super::{Calls, CallsHandle, alarm_text, on_record};
use crate::base::id::{CallId, UserId};
use crate::domain::account::Account;
use crate::domain::call::abandoned::Abandoned;
use crate::domain::call::cause::Cause;
use crate::domain::call::event::RecordEvent;
use crate::domain::figures::{Fact, Lost};
use crate::domain::ivr::digits::Entered;
use crate::engine::feed::AlarmLevel;
use crate::engine::legs::Later;
use crate::io::store::Store;
use crate::io::store::callbacks::{Callback, CallbackEnd};
use crate::io::store::calls::{CallRecord, Direction};

/// How long a caller who pressed the key may be kept waiting for the store.
const STORE_PATIENCE: Duration = Duration::from_secs(5);
/// How long an operator who rings somebody back waits for their own phone to be rung.
pub(super) const TAKE_PATIENCE: Duration = Duration::from_secs(2);
/// How long a caller's telephone is let ring.
pub(super) const RING: Duration = Duration::from_secs(45);
/// How often somebody is dialled in vain, and the time between.
pub const TRIES: u32 = 3;
const BETWEEN_TRIES_MS: i64 = 5 * 60_000;
/// After an operator gave it up, or was lost: the next one sooner, each time twice as late; after so many it counts as a try.
const SOON_MS: i64 = 7_500;
const IDLE: u32 = 3;
/// The end of a promise to somebody who was rung in vain as often as that is done.
pub const NOT_REACHED: &str = "not_reached";
/// The end of a promise that an operator would not keep.
const GIVEN_UP: &str = "given_up";
/// Between two tries to write.
const PAUSE: Duration = Duration::from_secs(5);

/// Where promises are kept: the store, or a list in tests.
pub trait Callbacks: Send + Sync {
    /// Writes one as it is now.
    fn write<'a>(&'a self, callback: &'a Callback) -> Later<'a, Result<(), String>>;

    /// What the caller entered in the menu of the call in which it was promised. Nothing, while the store is away.
    fn entered<'a>(&'a self, call: &'a CallId) -> Later<'a, Vec<Entered>>;
}

impl Callbacks for Store {
    fn write<'a>(&'a self, callback: &'a Callback) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let written = async {
                let mut tx = Self::write(self).await?;
                tx.upsert_callback(callback).await?;
                tx.commit("callback").await
            };
            written.await.map_err(|error: crate::io::store::StoreError| error.to_string())
        })
    }

    fn entered<'a>(&'a self, call: &'a CallId) -> Later<'a, Vec<Entered>> {
        Box::pin(async move {
            let found = tokio::time::timeout(STORE_PATIENCE, self.list_digits(call)).await;
            found.ok().and_then(Result::ok).unwrap_or_else(|| {
                tracing::warn!(%call, "what a caller entered is not known to the call back: the store does not answer");
                Vec::new()
            })
        })
    }
}

/// What came of one call that was to keep a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RungBack {
    Reached {
        operator: Option<UserId>,
    },
    NotReached {
        cause: Cause,
        operator: Option<UserId>,
    },
    /// The service is stopping.
    Stopped,
}

impl CallsHandle {
    /// Promises of earlier starts, with their accounts. Once, at start.
    pub fn keep_promises(&self, open: Vec<(Callback, Account)>) {
        for (callback, account) in open {
            self.0.ring_back(callback, Arc::new(account));
        }
    }

    /// `by` rings a caller back who hung up too early: now, if their seat is free; else the caller waits for an operator
    /// as everybody does who was promised it. False: the store did not take it.
    pub async fn ring_back(&self, callback: Callback, account: Account, by: &UserId) -> bool {
        let feed = self.0.feed.subscribe();
        if let Err(why) = self.0.callbacks.write(&callback).await {
            tracing::error!(call = %callback.call, "a callback is not stored: {why}");
            return false;
        }
        let promised_in = callback.call.clone();
        self.0.tell_of_caller(&promised_in, false);
        let free = self.0.desk.is_ready(by.clone()).await;
        self.0.ring_back(callback, Arc::new(account));
        // A seat that is not free takes it later, or another does: whom she talks with is not put on hold for it.
        if free {
            self.take_when_queued(feed, &promised_in, by).await;
        }
        true
    }
}

impl Calls {
    /// Stores a promise and tells the call, which then speaks it.
    pub(super) fn promise(self: &Arc<Self>, mut callback: Callback, account: Arc<Account>) {
        let calls = Arc::clone(self);
        tokio::spawn(async move {
            let written = tokio::time::timeout(STORE_PATIENCE, calls.callbacks.write(&callback)).await;
            let stored = matches!(written, Ok(Ok(())));
            let (heard, was_heard) = oneshot::channel();
            let told = calls.to_call(&callback.call, ToCall::CallbackStored { stored, heard });
            if stored {
                metrics::counter!("cordboard_callbacks_promised_total").increment(1);
                calls.tell_of_caller(&callback.call, false);
                return calls.ring_back(callback, account);
            }
            tracing::error!(call = %callback.call, "the store did not take a callback in time: it is not promised");
            if told.is_err() || was_heard.await.is_err() {
                // They hung up on our word that we were about to: excused then, and lost now.
                let (kind, body) = on_record(&RecordEvent::Abandoned { on: Abandoned::Queue });
                let at = calls.wiring.clock.utc();
                calls.recorder.write(Line::Event { call: callback.call.clone(), at, kind, body });
                let wait_ms = at.since(callback.since).max(0);
                let lost = Fact::Lost { how: Lost::Queue, wait_ms, answered: false };
                calls.figures.count(&account.id, &account.zone, callback.since, vec![lost]);
                let text = alarm_text::no_operator(&account.name, Some(&callback.number));
                calls.raise(AlarmLevel::Critical, text, Some(&callback.call));
            }
            // It may have been written all the same.
            let at = calls.wiring.clock.utc();
            callback.end = Some(CallbackEnd { at, outcome: "withdrawn".to_owned(), operator: None });
            calls.keep_written(&callback).await;
        });
    }

    fn ring_back(self: &Arc<Self>, callback: Callback, account: Arc<Account>) {
        let calls = Arc::clone(self);
        tokio::spawn(async move { calls.keep_promise(callback, account).await });
    }

    /// Calls until the caller is reached or given up, or the service stops.
    async fn keep_promise(self: Arc<Self>, mut callback: Callback, mut account: Arc<Account>) {
        let Some(mut kept) = self.promised.begin(&callback.call) else { return };
        let entered = self.callbacks.entered(&callback.call).await;
        let mut idle = 0;
        loop {
            let word = self.until_due(callback.next_at, &mut kept).await;
            // What was edited since counts. By the account: its number may be another's by now, and a caller whose call was
            // changed to another account dialled neither.
            if let Ok(Some(now)) = self.accounts.find_account(&callback.account).await {
                account = now;
            }
            // Said before it was due, or while that was looked up: from here on the call itself is told.
            let said = if let Some(Word::GiveUp { by }) = word { Some(by) } else { kept.given_up() };
            if let Some(by) = said {
                let at = self.wiring.clock.utc();
                callback.end = Some(CallbackEnd { at, outcome: GIVEN_UP.to_owned(), operator: Some(by) });
                return self.let_go(callback, kept).await;
            }
            let rung = Arc::clone(&self).call_back(callback.clone(), Arc::clone(&account), entered.clone()).await;
            let given_up = kept.given_up();
            let now = self.wiring.clock.utc();
            let end = |outcome: &str, operator| Some(CallbackEnd { at: now, outcome: outcome.to_owned(), operator });
            match rung {
                RungBack::Stopped => return,
                RungBack::Reached { operator } => {
                    callback.end = end("reached", operator);
                    self.see_to(&callback.call);
                }
                RungBack::NotReached { .. } if given_up.is_some() => callback.end = end(GIVEN_UP, given_up),
                // Not the caller's doing: it counts for nothing, unless it is so again and again.
                RungBack::NotReached { cause: Cause::Released | Cause::Lost | Cause::Fault, .. } if idle < IDLE => {
                    idle += 1;
                    callback.next_at = now.plus_ms(SOON_MS << idle);
                }
                RungBack::NotReached { operator, .. } => {
                    idle = 0;
                    callback.tries += 1;
                    callback.next_at = now.plus_ms(BETWEEN_TRIES_MS);
                    if callback.tries >= TRIES {
                        callback.end = end(NOT_REACHED, operator);
                        let text = alarm_text::not_reached(&account.name, &callback.number);
                        self.raise_of_caller(AlarmLevel::Critical, text, &callback.call);
                    }
                }
            }
            if callback.end.is_some() {
                return self.let_go(callback, kept).await;
            }
            self.keep_written(&callback).await;
            self.tell_of_caller(&callback.call, false);
        }
    }

    /// It is over. Whoever rings the same caller anew from the moment on in which the store says so has a promise of its own
    /// to keep, so this one is kept no more before that.
    async fn let_go(&self, callback: Callback, kept: Kept) {
        drop(kept);
        self.keep_written(&callback).await;
        self.tell_of_caller(&callback.call, false);
        let outcome = callback.end.map(|end| end.outcome).unwrap_or_default();
        metrics::counter!("cordboard_callbacks_ended_total", "outcome" => outcome).increment(1);
    }

    /// Puts one call to the queue and waits for its end.
    async fn call_back(self: Arc<Self>, callback: Callback, account: Arc<Account>, entered: Vec<Entered>) -> RungBack {
        let (started, started_at) = (self.wiring.clock.instant(), self.wiring.clock.utc());
        let facts = Facts {
            id: CallId::fresh(started_at),
            account,
            did: callback.did.clone(),
            caller: Some(callback.number.clone()),
            forwarded_from: None,
            started,
            started_at,
            earlier: 0,
            rings_back: None,
        };
        self.recorder.write(Line::Started(CallRecord {
            id: facts.id.clone(),
            account: facts.account.id.clone(),
            direction: Direction::Out,
            trunk: String::new(),
            did: None,
            remote: facts.caller.clone(),
            forwarded_from: None,
            started_at,
            end: None,
        }));
        let (tell, told) = oneshot::channel();
        let outward = Outward::Promise { callback, entered, tell: Some(tell) };
        let make = |calls, facts, inbox| CallTask::outward(calls, facts, outward, inbox);
        // What came of it is told when the parties have gone; the operator wraps up after that.
        tokio::spawn(self.live(facts, Direction::Out, make));
        // Untold by a fault of ours alone.
        told.await.unwrap_or(RungBack::NotReached { cause: Cause::Fault, operator: None })
    }

    /// Writes it, however long the store is away.
    async fn keep_written(&self, callback: &Callback) {
        while let Err(why) = self.callbacks.write(callback).await {
            tracing::warn!("what came of a callback waits for the store: {why}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
