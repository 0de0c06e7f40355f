//! The voice as calls know it.

use std::sync::Arc;

use crate::domain::account::Speech;
use crate::engine::legs::{Later, Voice};
use crate::io::media::prompt::Prompt;
use crate::io::speech::Speaker;

impl Voice for Speaker {
    fn prompt(&self, speech: &Speech) -> Option<Arc<Prompt>> {
        self.find_ready(speech)
    }

    fn prepare<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        Box::pin(async move { self.prepare(speech).await.map_err(|why| why.to_string()) })
    }

    fn prepare_once<'a>(&'a self, speech: &'a Speech) -> Later<'a, Result<Arc<Prompt>, String>> {
        Box::pin(async move { self.prepare_once(speech).await.map_err(|why| why.to_string()) })
    }
}
