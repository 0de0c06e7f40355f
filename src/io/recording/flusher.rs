//! The one thread that waits for the disk: it flushes files as the writer asks, in that order, and tells when a
//! recording is over.
//!
//! However long a flush takes, the writer goes on handing sound to the system, so a killed process loses no more by it.
//! With a disk too slow for a flush a second, a power cut costs more, and the calls nothing. A recording has at most one
//! flush waiting, and the one of its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use tokio::sync::mpsc as told;

use crate::base::id::CallId;

use super::shelf::Reel;
use super::{Ended, Health};

/// A file to be flushed.
pub(super) struct Flush {
    pub(super) call: CallId,
    pub(super) reel: Arc<dyn Reel>,
    /// Taken back when it is done.
    pub(super) waits: Arc<AtomicBool>,
    /// To be told then.
    pub(super) end: Option<Ended>,
}

#[derive(Clone)]
pub(super) struct Flusher {
    health: Arc<Health>,
    ends: told::UnboundedSender<Ended>,
}

impl Flusher {
    pub(super) const fn new(health: Arc<Health>, ends: told::UnboundedSender<Ended>) -> Self {
        Self { health, ends }
    }

    /// Until the writer is gone and all that it asked for is done.
    pub(super) fn run(self, asked: Receiver<Flush>) {
        for flush in asked {
            self.flush(flush);
        }
    }

    pub(super) fn flush(&self, flush: Flush) {
        if let Err(error) = flush.reel.flush() {
            self.health.refuse(&error);
            tracing::error!(
                call = %flush.call, code = "recording.write_failed", %error,
                "a recording could not be flushed: look at the disk under [recording] directory"
            );
        }
        flush.waits.store(false, Ordering::SeqCst);
        if let Some(end) = flush.end {
            self.tell(end);
        }
    }

    /// Tells that a recording is over.
    pub(super) fn tell(&self, end: Ended) {
        metrics::counter!("cordboard_recordings_total").increment(1);
        metrics::counter!("cordboard_recording_gap_ms_total").increment(end.figures.gap_ms);
        if self.ends.send(end).is_err() {
            // The process is stopping: nobody is left who would note it.
            self.health.noted();
        }
    }
}
