//! The mixer: a call's hear matrix and its prompts, as commands to the call's shard.
//!
//! Words that are not ready are made ready meanwhile and played when they are, unless they were stopped. Who waits for a slow
//! voice is asked to, with a prompt that needs none; where the voice fails or is stuck, a tone is played and the call is told:
//! nobody sits in silence. Owned by one call's task. What always holds: when it is dropped, its bridge is gone.

mod music;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::music::{Music, Pieces};
use super::legs::{ONE_MOMENT, Patience, Wiring};
use crate::domain::account::Speech;
use crate::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use crate::io::media::prompt::Prompt;
use crate::io::media::{MediaEvent, PlayId, ShardId};
use crate::proto::audio::tone::sine;

/// The recorded prompt that asks somebody to wait.
pub const MOMENT: &str = "moment";

/// Words that were asked for and are ready now, or failed.
#[derive(Debug)]
pub struct Prepared {
    for_play: Option<(LegId, u64)>,
    prompt: Option<Arc<Prompt>>,
    /// Not words at all.
    music: Option<Pieces>,
    /// They take their time: whoever waits is asked to.
    slow: bool,
}

/// What came of words that were made ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readied {
    /// False: the voice failed, a tone plays instead.
    pub spoken: bool,
    /// Where they play now; `None` if they were made ready ahead of time.
    pub for_play: Option<(LegId, u64)>,
}

/// One call's bridge and prompts.
pub struct Mixer {
    wiring: Arc<Wiring>,
    shard: ShardId,
    bridge: BridgeId,
    /// Words for this call alone, made ready before it. None: those that all calls share.
    own: Option<HashMap<Speech, Arc<Prompt>>>,
    /// The account's music, as far as it is ready, and which legs have been given it.
    music: Music,
    /// Plays asked for whose words are not ready.
    awaited: Vec<(LegId, u64)>,
    /// The voice failed last.
    stuck: bool,
    results: mpsc::UnboundedSender<Prepared>,
    received: mpsc::UnboundedReceiver<Prepared>,
}

impl Mixer {
    pub fn new(wiring: Arc<Wiring>, shard: ShardId, media_events: mpsc::UnboundedSender<Box<MediaEvent>>) -> Self {
        let bridge = wiring.fresh_bridge();
        wiring.routes.add_bridge(bridge, media_events);
        let (results, received) = mpsc::unbounded_channel();
        let (music, awaited) = (Music::default(), Vec::new());
        Self { wiring, shard, bridge, own: None, music, awaited, stuck: false, results, received }
    }

    /// From here on this call says words of its own, which nobody keeps; these are ready, with those that were before.
    pub fn keep_apart(&mut self, words: HashMap<Speech, Arc<Prompt>>) {
        self.own.get_or_insert_default().extend(words);
    }

    /// Puts a whole snapshot of who hears whom in force.
    pub fn set(&mut self, rev: u64, matrix: HearMatrix) {
        self.tune_in(&matrix);
        self.wiring.media.set_bridge(self.shard, self.bridge, rev, matrix);
    }

    /// Says words to a leg: now, or as soon as they are ready.
    pub fn play(&mut self, leg: LegId, play: u64, speech: Speech) {
        match self.find(&speech) {
            Some(prompt) => self.wiring.media.play(leg, PlayId(play), prompt, false),
            None => {
                self.awaited.push((leg, play));
                self.ask(speech, Some((leg, play)));
            }
        }
    }

    /// Plays what is ready already.
    pub fn play_ready(&self, leg: LegId, play: u64, prompt: Arc<Prompt>) {
        self.wiring.media.play(leg, PlayId(play), prompt, false);
    }

    /// Says words that nobody keeps: made for this moment alone.
    pub fn play_once(&mut self, leg: LegId, play: u64, speech: Speech) {
        self.awaited.push((leg, play));
        self.make(speech, Some((leg, play)), true);
    }

    /// Stops words, also ones that are not ready yet.
    pub fn stop(&mut self, leg: LegId, play: u64) {
        if let Some(at) = self.awaited.iter().position(|a| *a == (leg, play)) {
            self.awaited.swap_remove(at);
            self.wiring.media.stop(leg, ONE_MOMENT);
        }
        self.wiring.media.stop(leg, PlayId(play));
    }

    /// True if the words are ready; otherwise they are made ready, and [`Mixer::prepared`] tells.
    pub fn make_ready(&self, speech: &Speech) -> bool {
        let ready = self.find(speech).is_some();
        if !ready {
            self.ask(speech.clone(), None);
        }
        ready
    }

    fn find(&self, speech: &Speech) -> Option<Arc<Prompt>> {
        match &self.own {
            Some(words) => words.get(speech).cloned(),
            None => self.wiring.voice.prompt(speech),
        }
    }

    fn ask(&self, speech: Speech, for_play: Option<(LegId, u64)>) {
        self.make(speech, for_play, self.own.is_some());
    }

    fn make(&self, speech: Speech, for_play: Option<(LegId, u64)>, apart: bool) {
        let (wiring, results) = (Arc::clone(&self.wiring), self.results.clone());
        let Patience { limit, once_stuck, .. } = wiring.patience;
        let limit = if self.stuck { once_stuck } else { limit };
        if let Some(waits) = for_play {
            self.ask_to_wait(waits, limit);
        }
        tokio::spawn(async move {
            let words = if apart { wiring.voice.prepare_once(&speech) } else { wiring.voice.prepare(&speech) };
            let prompt = match tokio::time::timeout(limit, words).await {
                Ok(Ok(prompt)) => Some(prompt),
                Ok(Err(why)) => {
                    tracing::error!("the voice failed: {why}");
                    None
                }
                Err(_) => {
                    tracing::error!("the voice took longer than {} s", limit.as_secs());
                    None
                }
            };
            // An error means only that the call is over.
            let _ = results.send(Prepared { for_play, prompt, music: None, slow: false });
        });
    }

    /// Tells in time that whoever waits for words that may take so long hears nothing.
    fn ask_to_wait(&self, waits: (LegId, u64), limit: Duration) {
        let (patience, results) = (self.wiring.patience, self.results.clone());
        tokio::spawn(async move {
            let mut waited = patience.ask_after;
            tokio::time::sleep(waited).await;
            while waited < limit {
                let slow = Prepared { for_play: Some(waits), prompt: None, music: None, slow: true };
                if results.send(slow).is_err() {
                    return; // The call is over.
                }
                tokio::time::sleep(patience.ask_every).await;
                waited += patience.ask_every;
            }
        });
    }

    /// Words that need no voice, for whoever still waits for those that do.
    fn one_moment(&self, waits: (LegId, u64)) {
        if self.awaited.contains(&waits) {
            let recorded = Speech::Recorded { prompt: MOMENT.to_owned() };
            let prompt = self.wiring.voice.prompt(&recorded).unwrap_or_else(tone);
            self.wiring.media.play(waits.0, ONE_MOMENT, prompt, false);
        }
    }

    /// The next words made ready.
    pub async fn prepared(&mut self) -> Prepared {
        loop {
            // The sender is ours, so there is always a next one or a wait.
            match self.received.recv().await {
                Some(Prepared { music: Some(pieces), .. }) => self.music_ready(pieces),
                Some(Prepared { slow: true, for_play: Some(waits), .. }) => self.one_moment(waits),
                Some(prepared) => return prepared,
                None => std::future::pending().await,
            }
        }
    }

    /// Plays words that are ready now, if they are still wanted.
    pub fn on_prepared(&mut self, prepared: Prepared) -> Readied {
        let readied = Readied { spoken: prepared.prompt.is_some(), for_play: prepared.for_play };
        self.stuck = !readied.spoken;
        if let Some((leg, play)) = prepared.for_play
            && let Some(at) = self.awaited.iter().position(|a| *a == (leg, play))
        {
            self.awaited.swap_remove(at);
            self.wiring.media.play(leg, PlayId(play), prepared.prompt.unwrap_or_else(tone), false);
        }
        readied
    }
}

impl Drop for Mixer {
    fn drop(&mut self) {
        self.wiring.media.drop_bridge(self.shard, self.bridge);
        self.wiring.routes.remove_bridge(self.bridge);
    }
}

/// A second of 440 Hz: what is heard where words failed, and in a media check.
pub fn tone() -> Arc<Prompt> {
    Arc::new(Prompt::from_pcm(sine(440.0, 6_000.0, 8_000)))
}
