//! The telephone of an editor who tries a menu out or speaks a greeting in: rung, connected, and heard alone.
//!
//! Nobody else is in it, and nothing goes on record: keys and the ends of what plays are told to whoever drives the machine
//! behind it (`trial`, `dictate`). What always holds: one telephone does one such thing at a time, and is free again when
//! [`EditorsPhone::free`] is called or it is dropped.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Calls;
use super::check::connect;
use crate::base::id::UserId;
use crate::domain::account::Speech;
use crate::domain::call::bridge::{HearMatrix, KeysBound, LegId};
use crate::domain::call::leg::LegInput;
use crate::domain::operator::Phone;
use crate::engine::legs::Legs;
use crate::engine::mixer::Mixer;
use crate::io::media::MediaEvent;
use crate::io::media::prompt::Prompt;

/// What consoles know it by, in place of a call's identifier: their telephones answer it by themselves.
pub const TRIAL: &str = "trial";
/// How long the phone may take to answer and its path to come up; a desk phone is picked up by hand.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Whose telephones are taken.
#[derive(Debug, Default)]
pub(super) struct Taken(Mutex<BTreeSet<UserId>>);

/// One of them, until it is dropped.
struct Turn {
    calls: Arc<Calls>,
    user: UserId,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.calls.editors.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.user);
    }
}

/// What happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    Key(char),
    /// What played last was heard to its end.
    PlayDone,
    /// The time that was asked for has come.
    Tick,
    /// They have hung up, or cannot be heard any more.
    Gone,
}

/// The telephone of one editor.
pub(super) struct EditorsPhone {
    pub calls: Arc<Calls>,
    pub leg: LegId,
    pub user: UserId,
    legs: Legs,
    mixer: Mixer,
    media: mpsc::UnboundedReceiver<Box<MediaEvent>>,
    last_play: u64,
    /// What plays now.
    playing: Option<u64>,
    turn: Option<Turn>,
}

impl EditorsPhone {
    /// Takes the telephone of `user`; none, if it is taken.
    pub fn take(calls: &Arc<Calls>, user: &UserId) -> Option<Self> {
        let mut taken = calls.editors.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !taken.insert(user.clone()) {
            return None;
        }
        drop(taken);
        let turn = Turn { calls: Arc::clone(calls), user: user.clone() };
        let wiring = &calls.wiring;
        let shard = wiring.media.pick_shard();
        let (media_events, media) = mpsc::unbounded_channel();
        Some(Self {
            calls: Arc::clone(calls),
            leg: wiring.fresh_leg(),
            user: user.clone(),
            legs: Legs::new(Arc::clone(wiring), shard, TRIAL.to_owned(), media_events.clone()),
            mixer: Mixer::new(Arc::clone(wiring), shard, media_events),
            media,
            last_play: 0,
            playing: None,
            turn: Some(turn),
        })
    }

    /// Rings it and waits until its editor hears. False: not in time.
    pub async fn connect(&mut self, phone: Phone) -> bool {
        let rings = self.legs.ring(self.leg, &self.user, Some(phone)).is_none();
        let connected = connect(&mut self.legs, &mut self.media);
        if !rings || tokio::time::timeout(CONNECT_LIMIT, connected).await != Ok(true) {
            return false;
        }
        self.mixer.set(1, HearMatrix::default().with(self.leg, &[]));
        self.calls.wiring.media.bind_keys(self.leg, KeysBound::All);
        true
    }

    pub fn now(&self) -> Instant {
        self.calls.wiring.clock.instant()
    }

    /// The next thing that happens at it, or that it is `wake`. Loses nothing if it is given up.
    pub async fn next(&mut self, wake: Option<Instant>) -> Happened {
        loop {
            let wait = wake.map(|at| at.saturating_duration_since(self.now()));
            let happened = tokio::select! {
                (leg, event) = self.legs.next() => self.legs.translate(leg, event).and_then(happened_by),
                Some(event) = self.media.recv() => self.heard(&event),
                prepared = self.mixer.prepared() => {
                    self.mixer.on_prepared(prepared);
                    None
                }
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => Some(Happened::Tick),
            };
            if let Some(happened) = happened {
                return happened;
            }
        }
    }

    fn heard(&mut self, event: &MediaEvent) -> Option<Happened> {
        if self.legs.follow_path(self.now(), event) {
            return None;
        }
        if let Some((_, input)) = self.legs.heard_of_media(event) {
            return happened_by(input);
        }
        match event {
            MediaEvent::PlayDone { play, .. } if self.playing == Some(play.0) => {
                self.playing = None;
                Some(Happened::PlayDone)
            }
            MediaEvent::Closed { leg, .. } => {
                let _ = self.legs.closed(*leg);
                Some(Happened::Gone)
            }
            _ => None,
        }
    }

    pub fn play(&mut self, speech: Speech) {
        let play = self.next_play();
        self.mixer.play(self.leg, play, speech);
    }

    /// The same, of words that nobody keeps.
    pub fn play_once(&mut self, speech: Speech) {
        let play = self.next_play();
        self.mixer.play_once(self.leg, play, speech);
    }

    pub fn play_ready(&mut self, prompt: Arc<Prompt>) {
        let play = self.next_play();
        self.mixer.play_ready(self.leg, play, prompt);
    }

    fn next_play(&mut self) -> u64 {
        self.last_play += 1;
        self.playing = Some(self.last_play);
        self.last_play
    }

    pub fn stop_play(&mut self) {
        if let Some(play) = self.playing.take() {
            self.mixer.stop(self.leg, play);
        }
    }

    /// Whoever is told that it is over may begin the next one.
    pub fn free(&mut self) {
        self.turn = None;
    }
}

const fn happened_by(input: LegInput) -> Option<Happened> {
    match input {
        LegInput::Digit(key) => Some(Happened::Key(key)),
        LegInput::Ended(_) => Some(Happened::Gone),
        _ => None,
    }
}
