//! What calls have to do with their recordings while these go on and afterwards: their ends go on record, trouble with
//! the disk becomes an alarm, who listens is written down, old ones are deleted.
//!
//! Nothing here touches sound; whether a call is recorded is decided by its machine (`domain/call/recording`).

use std::io::ErrorKind;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::record::Line;
use super::{Calls, CallsHandle};
use crate::base::id::{CallId, UserId};
use crate::engine::feed::AlarmLevel;
use crate::io::recording::{Ended, Figures, RecordingError, Trouble};

/// Between two looks at how the writing goes.
const LOOK: Duration = Duration::from_secs(1);
/// Between two sweeps for old recordings.
const SWEEP: Duration = Duration::from_secs(60 * 60);
/// What somebody hears of a call within this is one listening.
pub(super) const ONE_LISTENING: Duration = Duration::from_secs(5 * 60);
/// How long somebody who wants to listen waits for the store.
const LISTEN_LIMIT: Duration = Duration::from_secs(5);

impl CallsHandle {
    /// Looks after recordings for as long as the service runs. Those that nothing was written to for `keep` are deleted.
    pub async fn keep_recordings(self, mut ended: mpsc::UnboundedReceiver<Ended>, keep: Duration) {
        let (mut look, mut sweep) = (tokio::time::interval(LOOK), tokio::time::interval(SWEEP));
        let mut gone = false;
        loop {
            tokio::select! {
                Some(end) = ended.recv() => {
                    self.0.note(&end.call, "recording_ended", on_record(&end.figures, end.complete));
                    self.0.recordings.noted();
                }
                _ = look.tick() => {
                    let trouble = self.0.recordings.take_trouble();
                    // Told once: it does not come back by itself.
                    self.0.alarm(&Trouble { gone: trouble.gone && !gone, ..trouble });
                    gone |= trouble.gone;
                }
                _ = sweep.tick() => self.0.sweep(keep).await,
            }
        }
    }

    /// Puts on record what there is of recordings whose calls a crash cut off. Once; it reads all of them, which may
    /// take long, so calls are taken in meanwhile.
    pub async fn recover_recordings(&self, cut_off: Vec<CallId>) {
        for call in cut_off {
            let (recordings, of) = (self.0.recordings.clone(), call.clone());
            match tokio::task::spawn_blocking(move || recordings.open(&of)).await {
                Ok(Ok(recorded)) => {
                    self.0.note(&call, "recording_ended", on_record(&recorded.figures(), recorded.is_complete()));
                }
                // Calls for most accounts have none.
                Ok(Err(RecordingError::Missing)) => {}
                Ok(Err(error)) => self.unreadable(&call, error.code(), &error.to_string()),
                Err(_) => self.unreadable(&call, "recording.fault", "a fault of ours"),
            }
        }
    }

    /// There is a recording of which nothing can be heard: whoever looks for it finds out why.
    fn unreadable(&self, call: &CallId, code: &str, why: &str) {
        tracing::error!(%call, code, "a recording that was cut short cannot be read: {why}");
        metrics::counter!("cordboard_recordings_unreadable_total").increment(1);
        self.0.note(call, "recording_ended", json!({ "complete": false, "code": code }));
        self.0.raise(AlarmLevel::Warning, unreadable(code), Some(call));
    }

    /// Puts on record that somebody listens to a call, once for the many parts that a player asks for. Returns when it
    /// is there, so that nobody listens unrecorded; false: the store does not take it now.
    pub async fn listened(&self, call: &CallId, by: &UserId) -> bool {
        let (who, now) = ((call.clone(), by.clone()), self.0.wiring.clock.instant());
        let heard = || self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard().retain(|_, at| now.saturating_duration_since(*at) < ONE_LISTENING);
        if heard().contains_key(&who) {
            return true;
        }
        let line = self.0.event(call, "recording_played", json!({ "by": by }));
        let written = tokio::time::timeout(LISTEN_LIMIT, self.0.recorder.written(line)).await.unwrap_or(false);
        if written {
            heard().insert(who, now);
        }
        written
    }
}

impl Calls {
    fn note(&self, call: &CallId, kind: &str, body: Value) {
        self.recorder.write(self.event(call, kind, body));
    }

    fn event(&self, call: &CallId, kind: &str, body: Value) -> Line {
        Line::Event { call: call.clone(), at: self.wiring.clock.utc(), kind: kind.to_owned(), body }
    }

    fn alarm(self: &Arc<Self>, trouble: &Trouble) {
        if trouble.lost_ms > 0 {
            tracing::error!(code = "recording.lagging", lost_ms = trouble.lost_ms, "recordings have gaps");
            self.raise(AlarmLevel::Warning, lagging(), None);
        }
        if let Some(why) = trouble.refused {
            self.raise(AlarmLevel::Warning, refused(why), None);
        }
        if trouble.gone {
            tracing::error!(code = "recording.writer_gone", "nothing is recorded any more");
            self.raise(AlarmLevel::Critical, gone(), None);
        }
    }

    async fn sweep(self: &Arc<Self>, keep: Duration) {
        let (recordings, now) = (self.recordings.clone(), self.wiring.clock.utc());
        match tokio::task::spawn_blocking(move || recordings.sweep(now, keep)).await {
            Ok(swept) => {
                for call in swept.deleted {
                    self.note(&call, "recording_deleted", json!({}));
                }
                if let Some(error) = swept.trouble {
                    tracing::error!(code = "recording.not_swept", %error, "old recordings could not be deleted: look at [recording] directory");
                    self.raise(AlarmLevel::Warning, not_swept(error.kind()), None);
                }
            }
            Err(_) => tracing::error!(
                code = "recording.not_swept",
                "the deletion of old recordings failed by a fault of ours"
            ),
        }
    }
}

fn on_record(figures: &Figures, complete: bool) -> Value {
    let mut body = serde_json::to_value(figures).unwrap_or_default();
    body["complete"] = Value::from(complete);
    body
}

/// Each alarm says what to do and ends in its stable code.
fn lagging() -> String {
    "Recordings have gaps, because the disk is too slow; the calls themselves go on. Put [recording] directory on a \
     faster disk, or take other work off this one. (recording.lagging)"
        .to_owned()
}

fn refused(why: ErrorKind) -> String {
    let cure = match why {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full: free space, or lower [recording] keep_days"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "[recording] directory may not be written to: give it to the user that Cordboard runs as"
        }
        _ => "the disk fails: look at it, and at the log",
    };
    format!(
        "Recordings have gaps: {cure}. The calls themselves go on, and recording does when that is done. (recording.write_failed)"
    )
}

fn unreadable(code: &str) -> String {
    format!(
        "The recording of a call that was cut off cannot be read: look at [recording] directory, and at the log. ({code})"
    )
}

fn not_swept(why: ErrorKind) -> String {
    let cure = match why {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "give [recording] directory and what is in it to the user that Cordboard runs as"
        }
        _ => "look at [recording] directory, and at the log",
    };
    format!(
        "Recordings older than [recording] keep_days could not be deleted: {cure}. It is tried again every hour. \
         (recording.not_swept)"
    )
}

fn gone() -> String {
    "No call is recorded any more, by a fault of ours. Restart Cordboard when calls allow, and report this. \
     (recording.writer_gone)"
        .to_owned()
}
