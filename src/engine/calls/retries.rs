//! Promises to ring somebody back, between two tries: an operator dials now, or gives up.
//!
//! Each promise has a task ([`callbacks`](super::callbacks)), which hears these words while it waits for the next try. What
//! always holds: a caller who is being dialled is not given up, and nobody is dialled twice at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::callbacks::TAKE_PATIENCE;
use super::task::ToCall;
use super::{Calls, CallsHandle, Command, CommandError};
use crate::base::clock::UtcMs;
use crate::base::id::{CallId, UserId};
use crate::engine::feed::{CallState, CallView, FeedEvent};

/// What an operator says to a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Now,
    GiveUp { by: UserId },
}

/// The promises that somebody keeps, by the calls in which they were made.
#[derive(Clone, Default)]
pub(super) struct Promised(Arc<Mutex<HashMap<CallId, mpsc::UnboundedSender<Word>>>>);

/// One of them; when it is dropped, nobody keeps it any more.
pub(super) struct Kept {
    call: CallId,
    words: mpsc::UnboundedReceiver<Word>,
    all: Promised,
}

impl Promised {
    fn lock(&self) -> MutexGuard<'_, HashMap<CallId, mpsc::UnboundedSender<Word>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None: somebody keeps it already.
    pub(super) fn begin(&self, call: &CallId) -> Option<Kept> {
        let mut all = self.lock();
        if all.contains_key(call) {
            return None;
        }
        let (tell, words) = mpsc::unbounded_channel();
        all.insert(call.clone(), tell);
        Some(Kept { call: call.clone(), words, all: self.clone() })
    }

    fn say(&self, call: &CallId, word: Word) -> bool {
        self.lock().get(call).is_some_and(|keeper| keeper.send(word).is_ok())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.lock().remove(&self.call);
    }
}

impl Kept {
    /// The next thing that an operator says.
    pub(super) async fn word(&mut self) -> Word {
        match self.words.recv().await {
            Some(word) => word,
            // Its sender is dropped with this alone.
            None => std::future::pending().await,
        }
    }

    /// Who has given it up meanwhile, if anybody has; other words were for a wait that is over.
    pub(super) fn given_up(&mut self) -> Option<UserId> {
        while let Ok(word) = self.words.try_recv() {
            if let Word::GiveUp { by } = word {
                return Some(by);
            }
        }
        None
    }
}

impl CallsHandle {
    /// The call that keeps this promise now.
    fn keeping(&self, promised_in: &CallId) -> Option<CallView> {
        self.views().into_iter().find(|view| keeps(view, promised_in))
    }

    /// `by` rings a caller back now who was to be rung later: their phone first, if their seat is free.
    pub async fn ring_now(&self, promised_in: &CallId, by: &UserId) -> Result<(), CommandError> {
        match self.keeping(promised_in) {
            Some(view) if view.state == CallState::Queued && view.seat.is_none() => {
                self.command(&view.id, by, Command::Take).await
            }
            Some(_) => Err(CommandError::NotNow),
            None => {
                let (feed, free) = (self.0.feed.subscribe(), self.0.desk.is_ready(by.clone()).await);
                if !self.0.promised.say(promised_in, Word::Now) {
                    return Err(CommandError::NoSuchCall);
                }
                if free {
                    self.take_when_queued(feed, promised_in, by).await;
                }
                Ok(())
            }
        }
    }

    /// Nobody rings this caller any more, unless somebody begins anew.
    pub fn give_up_ringing(&self, promised_in: &CallId, by: &UserId) -> Result<(), CommandError> {
        let now = self.keeping(promised_in);
        if now.as_ref().is_some_and(|view| view.state != CallState::Queued) {
            return Err(CommandError::NotNow);
        }
        if !self.0.promised.say(promised_in, Word::GiveUp { by: by.clone() }) {
            return Err(CommandError::NoSuchCall);
        }
        if let Some(view) = now {
            // An error means that it is over, which is what is wanted.
            let _ = self.0.to_call(&view.id, ToCall::Withdraw);
        }
        Ok(())
    }

    /// Has `by` take the call that keeps a promise as soon as it waits; not for long.
    pub(super) async fn take_when_queued(&self, mut feed: Receiver<FeedEvent>, promised_in: &CallId, by: &UserId) {
        let taken = async {
            loop {
                let view = match feed.recv().await {
                    Ok(FeedEvent::Call { call }) => call,
                    Ok(_) | Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return,
                };
                if !keeps(&view, promised_in) {
                    continue;
                }
                // The queue may have offered it meanwhile: to `by`, or to another who is free, too.
                let taken = self.command(&view.id, by, Command::Take).await;
                if taken.is_ok() || view.seat.as_ref().is_some_and(|seat| seat != by) {
                    return;
                }
            }
        };
        // A seat that is not free takes it later, or another does.
        let _ = tokio::time::timeout(TAKE_PATIENCE, taken).await;
    }
}

impl Calls {
    /// What is known of a caller who hung up too early has changed: consoles read it anew.
    pub(super) fn tell_of_caller(&self, call: &CallId, seen_to: bool) {
        self.feed.publish(FeedEvent::Caller { call: call.clone(), seen_to });
    }

    /// Waits until `next_at`, or until an operator says something first.
    pub(super) async fn until_due(&self, next_at: UtcMs, kept: &mut Kept) -> Option<Word> {
        let early = u64::try_from(next_at.since(self.wiring.clock.utc())).unwrap_or(0);
        tokio::select! {
            biased;
            word = kept.word() => Some(word),
            () = tokio::time::sleep(std::time::Duration::from_millis(early)) => None,
        }
    }
}

fn keeps(view: &CallView, promised_in: &CallId) -> bool {
    let over = matches!(view.state, CallState::Ended | CallState::WrapUp);
    view.ring_back.as_ref().is_some_and(|back| back.promised_in == *promised_in) && !over
}
