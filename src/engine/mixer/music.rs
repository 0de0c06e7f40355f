//! The music of a call: its account's own, for every leg that hears music.
//!
//! Until all of it is ready, and where there is none, the house's plays: nobody waits in silence for it. A piece that cannot
//! be played is left out.

use std::sync::Arc;

use super::{Mixer, Prepared};
use crate::domain::account::Speech;
use crate::domain::call::bridge::{HearMatrix, LegId, Source};
use crate::io::media::prompt::Prompt;
use crate::io::media::tune::Tune;

/// What a call's legs hear wherever there is music.
#[derive(Default)]
pub(super) struct Music {
    /// As the account has it; none: the house's.
    pieces: Vec<Speech>,
    /// The same, once it is ready.
    tune: Option<Arc<Tune>>,
    /// Who hears music, or has.
    listeners: Vec<LegId>,
}

/// Music that was made ready.
#[derive(Debug)]
pub(super) struct Pieces {
    wanted: Vec<Speech>,
    prompts: Vec<Arc<Prompt>>,
}

impl Mixer {
    /// The music of this call's account from now on; none: the house's.
    pub fn set_music(&mut self, pieces: &[Speech]) {
        if self.music.pieces == pieces {
            return;
        }
        self.music.pieces = pieces.to_vec();
        let ready: Option<Vec<_>> = pieces.iter().map(|piece| self.wiring.voice.prompt(piece)).collect();
        match ready {
            Some(prompts) => self.music_ready(Pieces { wanted: pieces.to_vec(), prompts }),
            None => {
                self.music_ready(Pieces { wanted: pieces.to_vec(), prompts: Vec::new() });
                self.make_music_ready(pieces.to_vec());
            }
        }
    }

    fn make_music_ready(&self, wanted: Vec<Speech>) {
        let (wiring, results) = (Arc::clone(&self.wiring), self.results.clone());
        tokio::spawn(async move {
            let mut prompts = Vec::new();
            for piece in &wanted {
                match wiring.voice.prepare(piece).await {
                    Ok(prompt) => prompts.push(prompt),
                    Err(why) => tracing::error!("a piece of an account's music cannot be played: {why}"),
                }
            }
            // An error means only that the call is over.
            let _ = results.send(Prepared {
                for_play: None,
                prompt: None,
                music: Some(Pieces { wanted, prompts }),
                slow: false,
            });
        });
    }

    /// Puts it in force, unless it is another account's by now.
    pub(super) fn music_ready(&mut self, pieces: Pieces) {
        if pieces.wanted != self.music.pieces {
            return;
        }
        let before = self.music.tune.take();
        self.music.tune = Tune::new(pieces.prompts).map(Arc::new);
        if before.is_some() || self.music.tune.is_some() {
            for leg in &self.music.listeners {
                self.wiring.media.set_tune(*leg, self.music.tune.clone());
            }
        }
    }

    /// Whoever begins to hear music hears the account's.
    pub(super) fn tune_in(&mut self, matrix: &HearMatrix) {
        for (leg, sources) in &matrix.rows {
            if sources.contains(&Source::Music) && !self.music.listeners.contains(leg) {
                self.music.listeners.push(*leg);
                if let Some(tune) = &self.music.tune {
                    self.wiring.media.set_tune(*leg, Some(Arc::clone(tune)));
                }
            }
        }
    }
}
