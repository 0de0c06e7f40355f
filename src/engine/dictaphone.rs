//! What somebody speaks into a telephone, from the shard that takes it down to a prompt that can be heard back.
//!
//! Owned by whoever drives a dictation (`domain/dictation`). What always holds: without their word nothing of it is kept;
//! it is in memory alone, and gone with this.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::legs::LegMedia;
use crate::domain::call::bridge::LegId;
use crate::io::media::prompt::Prompt;
use crate::io::media::take::Take;
use crate::proto::audio::trim::spoken_part;

/// What is being spoken in, or was last.
#[derive(Debug, Default)]
pub struct Dictaphone {
    running: Option<oneshot::Receiver<Vec<i16>>>,
    spoken: Arc<Mutex<Option<Arc<Prompt>>>>,
}

impl Dictaphone {
    /// Takes down what `leg` says from now on; what was there before is gone.
    pub fn begin(&mut self, media: &dyn LegMedia, leg: LegId) {
        let (take, taken) = Take::new();
        self.running = Some(taken);
        self.forget();
        media.take_down(leg, take);
    }

    /// No more. The answer: something was said.
    pub fn end(&mut self, media: &dyn LegMedia, leg: LegId) -> impl Future<Output = bool> + Send + use<> {
        let (running, spoken) = (self.running.take(), Arc::clone(&self.spoken));
        media.end_take(leg);
        async move {
            let Some(running) = running else { return false };
            // An error means that the leg has gone.
            let pcm = running.await.unwrap_or_default();
            // Encoding two minutes takes longer than whoever drives calls may be held up.
            let made = tokio::task::spawn_blocking(move || {
                spoken_part(&pcm).map(|part| Arc::new(Prompt::from_pcm(pcm[part].to_vec())))
            });
            let prompt = made.await.unwrap_or_default();
            let heard = prompt.is_some();
            *spoken.lock().unwrap_or_else(PoisonError::into_inner) = prompt;
            heard
        }
    }

    /// What was said, without the silence around it.
    pub fn spoken(&self) -> Option<Arc<Prompt>> {
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is kept elsewhere, or by nobody.
    pub fn forget(&self) {
        *self.spoken.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
