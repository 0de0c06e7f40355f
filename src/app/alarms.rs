//! Starts the alarm chain with its watchdog: on a thread and a runtime of its own, with a store and a texter of its own.

use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot, watch};

use super::Failure;
use crate::base::clock::SharedClock;
use crate::base::id::AttemptId;
use crate::engine::alarms::Alarms;
use crate::engine::alarms::beat::Beat;
use crate::engine::alarms::ringer::{Ringer, RingerParts};
use crate::engine::callout::{CallOut, CallOutEvent, CallOutRequest, FaxRequest, JobOffer};
use crate::engine::calls::CallsHandle;
use crate::io::store::{Store, StoreConfig};

/// Between two tries to open the store.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two beats of the main runtime.
const BEAT: Duration = Duration::from_secs(1);
/// Between two looks at the chain's driver.
const LOOK: Duration = Duration::from_secs(10);

/// Starts the thread. What is given back ends when the thread does.
pub(super) fn start(
    parts: RingerParts,
    config: StoreConfig,
    clock: SharedClock,
    stop: watch::Receiver<bool>,
) -> Result<oneshot::Receiver<()>, Failure> {
    let cannot =
        |e: std::io::Error| Failure::new(format!("the thread that watches over alarms cannot be started: {e}"));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let (alive, gone) = oneshot::channel();
    let work = move || {
        runtime.block_on(watch_over(parts, config, clock, stop));
        // What hangs elsewhere does not keep the process.
        runtime.shutdown_background();
        drop(alive);
    };
    std::thread::Builder::new().name("alarms".to_owned()).spawn(work).map_err(cannot)?;
    Ok(gone)
}

async fn watch_over(mut parts: RingerParts, config: StoreConfig, clock: SharedClock, mut stop: watch::Receiver<bool>) {
    parts.store = loop {
        match Store::open(&config, clock.utc()).await {
            Ok(store) => break store,
            Err(error) => tracing::error!(code = error.code(), "the alarm chain has no store of its own yet"),
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    };
    parts.alarms = parts.alarms.through(parts.store.clone());
    let store = parts.store.clone();
    Ringer::new(parts).run(stop).await;
    store.close().await;
}

/// Strikes for the main runtime, for as long as it runs.
pub(super) async fn beat(beat: Beat) {
    loop {
        beat.strike();
        tokio::time::sleep(BEAT).await;
    }
}

/// Looks after the thread from the main runtime: each watches the other.
pub(super) async fn look_after(alarms: Alarms, clock: SharedClock) {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(error) = alarms.look_after_ringer(clock.utc()).await {
            tracing::warn!(code = error.code(), "the alarm chain could not be looked at");
        }
    }
}

/// Calls, asked for from another thread: the main runtime makes them, and whoever asks never waits for it.
pub(super) struct OnMain {
    pub main: Handle,
    pub calls: CallsHandle,
}

type Events = mpsc::UnboundedSender<(AttemptId, CallOutEvent)>;

impl CallOut for OnMain {
    fn place(&self, request: CallOutRequest, events: Events) {
        let calls = self.calls.clone();
        self.main.spawn(async move { calls.place(request, events) });
    }

    fn fax(&self, request: FaxRequest, events: Events) {
        let calls = self.calls.clone();
        self.main.spawn(async move { calls.fax(request, events) });
    }

    fn offer(&self, job: JobOffer, events: Events) {
        let calls = self.calls.clone();
        self.main.spawn(async move { calls.offer(job, events) });
    }

    fn cancel(&self, attempt: &AttemptId) {
        let (calls, attempt) = (self.calls.clone(), attempt.clone());
        self.main.spawn(async move { calls.cancel(&attempt) });
    }
}
