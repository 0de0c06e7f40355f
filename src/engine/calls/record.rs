//! What calls put on record, off the call path: a channel, and one task that writes what has gathered in one
//! transaction. And what a call reads of the store before it is answered.
//!
//! A store that is slow or away delays no caller; lines that cannot be written after several tries are counted
//! and dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::base::clock::UtcMs;
use crate::base::id::{AccountId, CallId};
use crate::base::phone::PhoneNumber;
use crate::domain::account::Account;
use crate::engine::legs::Later;
use crate::io::store::Store;
use crate::io::store::calls::{CallEnd, CallRecord, NewCallEvent};

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Started(CallRecord),
    Event { call: CallId, at: UtcMs, kind: String, body: Value },
    Finished { call: CallId, end: CallEnd },
}

/// What others want to know of a call, once it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallNews {
    /// The caller was joined with this person, or with a number dialled by hand.
    Patched { call: CallId, to: String },
    /// The call is over, and its record says so.
    Ended { call: CallId },
}

/// Where lines are written: the store, or a list in tests.
pub trait CallLog: Send + Sync {
    /// Writes all or none.
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), String>>;
}

/// What a call must know before it is answered.
pub trait Accounts: Send + Sync {
    /// The account that owns a dialled number.
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Account>, String>>;
    /// How many messages this caller has left before; 0 if that cannot be told.
    fn count_earlier<'a>(&'a self, account: &'a AccountId, caller: &'a PhoneNumber) -> Later<'a, u32>;
}

/// Lines in one transaction at most.
const BATCH: usize = 1_024;
/// How long lines are gathered: a transaction costs the same for one as for many, and nobody waits for them.
const GATHER: Duration = Duration::from_millis(20);
const TRIES: u32 = 6;

/// The way to the record. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    lines: mpsc::UnboundedSender<Line>,
}

impl Recorder {
    /// Starts the writing task; it ends when all handles are gone and everything is written. That a call has
    /// ended is told on `news` only once it is on record: whoever asks the store then sees it.
    pub fn start(log: Arc<dyn CallLog>, news: mpsc::UnboundedSender<CallNews>) -> Self {
        let (lines, mut received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while received.recv_many(&mut batch, BATCH).await > 0 {
                if batch.len() < BATCH {
                    tokio::time::sleep(GATHER).await;
                    batch.extend(std::iter::from_fn(|| received.try_recv().ok()).take(BATCH - batch.len()));
                }
                write(&*log, &batch).await;
                for line in batch.drain(..) {
                    if let Line::Finished { call, .. } = line {
                        // An error means that the process is stopping.
                        let _ = news.send(CallNews::Ended { call });
                    }
                }
            }
        });
        Self { lines }
    }

    /// Puts a line on record, some time soon.
    pub fn write(&self, line: Line) {
        // An error means that the process is stopping and the writer is gone.
        let _ = self.lines.send(line);
    }
}

async fn write(log: &dyn CallLog, batch: &[Line]) {
    let mut pause = Duration::from_millis(100);
    for attempt in 1..=TRIES {
        match log.write(batch).await {
            Ok(()) => return,
            Err(why) if attempt == TRIES => {
                metrics::counter!("cordboard_call_record_lost_total").increment(batch.len() as u64);
                tracing::error!("{} lines of call records are lost: {why}", batch.len());
            }
            Err(why) => {
                tracing::warn!("call records not written, trying again: {why}");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }
}

/// Lines in the order in which they can be written in few statements: an event needs its call to be there.
struct Sorted<'a> {
    /// With their ends, where these are among the lines.
    started: Vec<CallRecord>,
    events: Vec<NewCallEvent<'a>>,
    finished: Vec<(&'a CallId, &'a CallEnd)>,
}

fn sort(lines: &[Line]) -> Sorted<'_> {
    let mut sorted = Sorted { started: Vec::new(), events: Vec::new(), finished: Vec::new() };
    let mut places = HashMap::new();
    for line in lines {
        match line {
            Line::Started(call) => {
                places.insert(&call.id, sorted.started.len());
                sorted.started.push(call.clone());
            }
            Line::Event { call, at, kind, body } => sorted.events.push(NewCallEvent { call, at: *at, kind, body }),
            Line::Finished { call, end } => match places.get(call).and_then(|place| sorted.started.get_mut(*place)) {
                // The first end counts.
                Some(call) => {
                    call.end.get_or_insert_with(|| end.clone());
                }
                None => sorted.finished.push((call, end)),
            },
        }
    }
    sorted
}

impl CallLog for Store {
    fn write<'a>(&'a self, lines: &'a [Line]) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let written = async {
                let mut tx = Self::write(self).await?;
                let Sorted { started, events, finished } = sort(lines);
                tx.insert_calls(&started.iter().collect::<Vec<_>>()).await?;
                tx.append_call_events(&events).await?;
                for (call, end) in finished {
                    tx.finish_call(call, end).await?;
                }
                tx.commit().await
            };
            written.await.map_err(|error| error.to_string())
        })
    }
}

impl Accounts for Store {
    fn find_by_did<'a>(&'a self, did: &'a PhoneNumber) -> Later<'a, Result<Option<Account>, String>> {
        Box::pin(async move { self.find_account_by_did(did).await.map_err(|error| error.to_string()) })
    }

    fn count_earlier<'a>(&'a self, account: &'a AccountId, caller: &'a PhoneNumber) -> Later<'a, u32> {
        Box::pin(async move { self.count_messages_by_caller(account, caller).await.unwrap_or(0) })
    }
}
