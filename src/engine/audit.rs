//! The audit log of what is only read: many reads a commit, each answered once its row is on disk. And the log's own care:
//! hourly an anchor outside the database, daily a look at the whole chain, and what is old enough cut off.
//!
//! What is written notes itself in its own transaction (`io/store/audit`). What always holds: whoever asks is told that
//! something is on the log only when it is; a store that is away costs nobody more than [`PATIENCE`], and no call anything;
//! a log that is broken is neither cut nor given a new anchor, so that what shows it stays.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::base::clock::SharedClock;
use crate::io::store::audit::{Act, Anchor, AnchorFile, Broken, Entry, Who};
use crate::io::store::{Store, StoreError};

/// What somebody reads again and again within this is one reading.
const ONE_READING: Duration = Duration::from_secs(5 * 60);
/// Readings remembered before those that are over are forgotten.
const MANY: usize = 10_000;
/// How long somebody who wants to read waits for the store.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests that may wait to be written, and that are written in one transaction.
const DEPTH: usize = 1_024;
const BATCH: usize = 256;
/// Between two anchors; so many of them are a day.
const HOUR: Duration = Duration::from_secs(60 * 60);
const HOURS_OF_DAY: u32 = 24;
const DAY_MS: i64 = 86_400_000;

/// The way to the audit log. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    wanted: mpsc::Sender<Wanted>,
    clock: SharedClock,
    read: Arc<Mutex<HashMap<Reading, Instant>>>,
}

/// Somebody reads something.
type Reading = (Who, Act, String);

/// Lines to write, and who waits for them. Dropped untold, they will not be.
struct Wanted {
    entries: Vec<Entry>,
    written: oneshot::Sender<()>,
}

impl Audit {
    /// Starts the writing task; it ends when all handles are gone.
    pub fn start(store: Store, clock: SharedClock) -> Self {
        let (wanted, received) = mpsc::channel(DEPTH);
        tokio::spawn(write(store, received));
        Self { wanted, clock, read: Arc::default() }
    }

    /// Waits until the writing task is gone: as long as there is a handle, only a panic ends it.
    pub async fn gone(&self) {
        self.wanted.closed().await;
    }

    /// Puts on the log that `who` did this, each time. Returns when it is there; false: the store does not take it now.
    pub async fn note(&self, who: Who, act: Act, object: &str) -> bool {
        self.written(vec![Entry::new(self.clock.utc(), who, act, object)]).await
    }

    /// Puts on the log that `who` reads these, each once for the many times that a page shows it. Returns when it is there;
    /// false: the store does not take it now, and nothing must be shown.
    pub async fn reads(&self, who: &Who, act: Act, objects: impl IntoIterator<Item = String>) -> bool {
        self.within(ONE_READING, who, act, objects).await
    }

    /// The same for what is one reading for as long as `window`.
    pub async fn within(
        &self,
        window: Duration,
        who: &Who,
        act: Act,
        objects: impl IntoIterator<Item = String>,
    ) -> bool {
        let (now, at) = (self.clock.instant(), self.clock.utc());
        let is_fresh = |since: &Instant, window: Duration| now.saturating_duration_since(*since) < window;
        let fresh: Vec<Reading> = {
            let mut read = self.lock();
            if read.len() >= MANY {
                read.retain(|_, since| is_fresh(since, window.max(ONE_READING)));
            }
            let readings = objects.into_iter().map(|object| (who.clone(), act, object));
            readings.filter(|reading| !read.get(reading).is_some_and(|since| is_fresh(since, window))).collect()
        };
        if fresh.is_empty() {
            return true;
        }
        let entries = fresh.iter().map(|(who, act, object)| Entry::new(at, who.clone(), *act, object.clone()));
        let written = self.written(entries.collect()).await;
        if written {
            // Only now: whoever reads the same meanwhile waits for a row of their own.
            self.lock().extend(fresh.into_iter().map(|reading| (reading, now)));
        }
        written
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Reading, Instant>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn written(&self, entries: Vec<Entry>) -> bool {
        let (told, written) = oneshot::channel();
        let asked =
            async { self.wanted.send(Wanted { entries, written: told }).await.is_ok() && written.await.is_ok() };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(false)
    }
}

/// Writes what has gathered while the last was written.
async fn write(store: Store, mut received: mpsc::Receiver<Wanted>) {
    let mut batch = Vec::with_capacity(BATCH);
    while received.recv_many(&mut batch, BATCH).await > 0 {
        // Who has gone away in the meantime is shown nothing.
        batch.retain(|wanted: &Wanted| !wanted.written.is_closed());
        match put(&store, &batch).await {
            Ok(()) => {
                for wanted in batch.drain(..) {
                    // An error means that whoever asked has gone away.
                    let _ = wanted.written.send(());
                }
            }
            Err(error) => {
                tracing::error!(code = error.code(), %error, "nothing is shown, as the audit log cannot be written");
                metrics::counter!("cordboard_audit_refused_total").increment(batch.len() as u64);
                batch.clear();
            }
        }
    }
}

async fn put(store: &Store, batch: &[Wanted]) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    batch.iter().flat_map(|wanted| &wanted.entries).for_each(|entry| tx.audit(entry.clone()));
    tx.commit("audit_reads").await
}

/// Looks after the log for as long as the service runs: rows are kept for `keep_days`.
pub async fn keep(store: Store, clock: SharedClock, file: AnchorFile, keep_days: u32) {
    let mut hour = tokio::time::interval(HOUR);
    for turn in 0_u32.. {
        hour.tick().await;
        let whole = match turn % HOURS_OF_DAY {
            0 => is_whole(&store, &file).await,
            _ => holds(&store, &file).await,
        };
        if !whole {
            continue;
        }
        anchor(&store, &file).await;
        if turn % HOURS_OF_DAY == 0 {
            cut(&store, &clock, keep_days).await;
        }
    }
}

async fn kept(file: &AnchorFile) -> Result<Option<Anchor>, String> {
    let file = file.clone();
    spawn_blocking(move || file.read()).await.map_err(|e| e.to_string())?
}

/// Whether all of the log is as it was written.
async fn is_whole(store: &Store, file: &AnchorFile) -> bool {
    let anchors = match kept(file).await {
        Ok(anchor) => Vec::from_iter(anchor),
        Err(why) => return unknown(&why),
    };
    match store.verify_audit(&anchors).await {
        Ok(Ok(_)) => true,
        Ok(Err(broken)) => tell(&broken),
        Err(error) => unknown(&error.to_string()),
    }
}

/// Whether what was seen of it last is still there.
async fn holds(store: &Store, file: &AnchorFile) -> bool {
    let anchor = match kept(file).await {
        Ok(Some(anchor)) => anchor,
        Ok(None) => return true,
        Err(why) => return unknown(&why),
    };
    match store.holds_anchor(&anchor).await {
        Ok(true) => true,
        Ok(false) => tell(&Broken::Older { number: anchor.number }),
        Err(error) => unknown(&error.to_string()),
    }
}

fn tell(broken: &Broken) -> bool {
    metrics::counter!("cordboard_audit_broken_total").increment(1);
    tracing::error!(
        code = "audit.broken",
        "the audit log is not as it was written: {broken}. Run cordboard audit verify"
    );
    false
}

fn unknown(why: &str) -> bool {
    tracing::warn!(code = "audit.not_checked", "the audit log could not be checked: {why}");
    false
}

/// Keeps the end of the log outside the database.
async fn anchor(store: &Store, file: &AnchorFile) {
    let end = match store.find_audit_end().await {
        Ok(Some(end)) => end,
        Ok(None) => return,
        Err(error) => {
            unknown(&error.to_string());
            return;
        }
    };
    tracing::info!(number = end.number, "the audit log is anchored");
    let file = file.clone();
    match spawn_blocking(move || file.write(&end)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(code = error.code(), "the audit log's anchor cannot be kept: {error}"),
        Err(_) => tracing::error!("the audit log's anchor cannot be kept, by a fault of ours"),
    }
}

/// Cuts off what is old enough, a little at a time.
async fn cut(store: &Store, clock: &SharedClock, keep_days: u32) {
    loop {
        let now = clock.utc();
        match store.cut_audit(now.plus_ms(-i64::from(keep_days) * DAY_MS), now).await {
            Ok(0) => return,
            Ok(rows) => tracing::info!(rows, keep_days, "old rows of the audit log were deleted"),
            Err(error) => {
                return tracing::error!(code = error.code(), "old rows of the audit log could not be deleted: {error}");
            }
        }
    }
}
